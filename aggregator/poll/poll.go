// Package poll is the pipeline: it leases the feeds that are due, fetches and parses each, finds out what is new, files
// it under its topics and has the store commit the outcome as one value.
//
// What a poll found is decided by pure functions (settle.go) from the feed's last state, the document and what the
// store holds of its items; when the feed is next due, and where, is package schedule's matter (plan.go). look.go asks
// the publisher, recognise.go the store, and store.go has the outcomes stored. run.go finds the work, and dispatch.go sees
// to it that no host is asked too much at once (package hosts), that a slow one holds up no other, and that no worker
// waits for a disk. A failed poll is an outcome like any other: it is committed with its error and its next due time, and
// it keeps the validators and items of the last good one.
// Work is skipped as early as it can be: at a 304, then at a body with the same hash, then at an item with the same
// hash.
package poll

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/schedule"
	"github.com/topicwire/topicwire/aggregator/story"
)

// Store is where outcomes go, and what the pipeline asks about the items of a document. Its promises are those of
// storage.PollStore.
type Store interface {
	Listing(ctx context.Context, id aggregator.FeedID) ([]aggregator.ListedItem, error)
	Resolve(ctx context.Context, ids []aggregator.ItemID) ([]aggregator.KnownItem, error)
	Item(ctx context.Context, id aggregator.ItemID) (aggregator.Item, error)
	CommitEach(ctx context.Context, polls []*aggregator.Poll) []error
	Prepare(feed aggregator.FeedID, token uint64, state *aggregator.FeedState) aggregator.Prepared
	CommitPrepared(ctx context.Context, prepared []aggregator.Prepared) []error
}

// Archive has the earlier texts of items. Its promise is that of storage.ReadStore.
type Archive interface {
	Revisions(ctx context.Context, id aggregator.ItemID) ([]aggregator.Revision, error)
}

// Queue gives out the feeds that are due. Its promises are those of storage.Store.
type Queue interface {
	Claim(ctx context.Context, now time.Time, duration time.Duration, limit int) ([]aggregator.Lease, error)
	ClaimFeed(ctx context.Context, id aggregator.FeedID, now time.Time, duration time.Duration) (aggregator.Lease, error)
	LeasedEach(ctx context.Context, leases []aggregator.Lease, statuses []*aggregator.FeedStatus) []error
	Release(ctx context.Context, leases ...aggregator.Lease) error
	Postpone(ctx context.Context, leases ...aggregator.Lease) error
	MakeDue(ctx context.Context, at time.Time) error
	NextDue(ctx context.Context, now time.Time) (time.Time, error)
}

// Directory lists all feeds. It is asked when a feed has moved, whether another one is there already.
type Directory interface {
	Feeds(ctx context.Context) iter.Seq2[aggregator.FeedStatus, error]
}

// Fetcher makes one conditional GET. An error that has an HTTP status or a time to wait for is a *fetch.Error.
type Fetcher interface {
	Get(ctx context.Context, req fetch.Request) (*fetch.Response, error)
}

// Classifier names the topics of an item, sorted.
type Classifier interface {
	Match(item *aggregator.Item) []aggregator.TopicID
}

// Grouper puts new items, which are those without a Seq, into the stories that they belong to. They are one feed's. ended is
// called once with whether they were stored; an error leaves nothing to end.
type Grouper interface {
	Group(ctx context.Context, items []aggregator.Item) (ended func(stored bool), err error)
}

// Options are what a Poller works with. All but Archive, Stories, Hosts, Bounds and Log are required.
type Options struct {
	Store     Store
	Queue     Queue
	Directory Directory
	Fetcher   Fetcher
	Topics    Classifier
	// Archive is asked what texts an item had when its text has changed; if nil, a text that comes back counts as a new one.
	Archive Archive
	// Stories decides which story a new item is of; if nil, it is the one that its link stands for.
	Stories Grouper
	// Workers is how many fetches may be under way at once.
	Workers int
	// Timeout bounds one fetch; leases last as long as a fetch may wait for its host, and a little longer than that.
	Timeout time.Duration
	// Grace is how long polls under way may go on when the poller is stopped.
	Grace time.Duration
	// Hosts are the limits of hosts, Bounds those of what publishers ask for.
	Hosts hosts.Limits
	// Addresses are the limits of addresses, by the names that Address gives: where several hosts are at one address, they
	// share its limit, but for those that have one of their own in Hosts.
	Addresses hosts.Limits
	// Address is where a URL leads, as far as that is known and to be limited; else empty. It may look a name up. Nil
	// limits no address.
	Address func(ctx context.Context, url string) string
	// Push, where it is not nil, is told of each poll that did not fail, before it is stored. It says for how long the
	// feed need not be polled since a hub tells what is new; 0 where none does. It is called by many goroutines, and for
	// one poll again where that could not be stored.
	Push func(feed aggregator.FeedID, seen Push) time.Duration
	// Headers are those that a feed's requests have of their own, by their names; nil gives none to any. A feed that has
	// some is not moved by a redirect.
	Headers func(feed aggregator.FeedID) map[string]string
	Bounds  schedule.Bounds
	Now     func() time.Time
	// Jitter gives numbers in [0, 1) that spread the retries of failing feeds. It is safe for use by many goroutines.
	Jitter func() float64
	Log    *slog.Logger
}

// Push is what a poll saw of a feed, as far as that matters to who is told of news by hubs.
type Push struct {
	// Offer is what the document offers, nil where it was not read whole.
	Offer *aggregator.Offer
	// Listed counts the document's items, News those that were new.
	Listed, News int
}

// Poller polls feeds. It is made by New and safe for use by many goroutines.
type Poller struct {
	Options
	outage schedule.Outage
	specs  schedule.Specs
	// waiting are the polls whose host may not be asked yet, or that no worker is free for.
	waiting *hosts.Queue[*job]
	// crowded are those whose host may be asked, and whose address is asked by others for as much as it may be.
	crowded *hosts.Queue[hosts.Turn[*job]]
	// turn is held by who starts polls, so that a pass can start all that it is asked for.
	turn chan struct{}
	// sooner has a value when a feed may be due sooner than Run knows.
	sooner chan struct{}
	// room has a value when there may be room for more polls.
	room chan struct{}
	// light and heavy hold a value for each outcome that waits to be stored: one without and one with a document.
	light, heavy chan struct{}
	// soon are outcomes without a document that are stored together.
	soon soon
	// papers are those of polls that have ended, for the next ones.
	papers sync.Pool
	// stalled counts the polls that wait for the store to work again, inHand those that were leased and have not ended.
	stalled, inHand atomic.Int32

	mu sync.Mutex
	// workers are those at work; alarm wakes one up when a host may be asked again.
	workers int
	alarm   *time.Timer
	// running are the groups with polls that have not ended.
	running map[*group]struct{}
	// watchers are those who are told of polls that have ended: never changed, but put in the place of another.
	watchers atomic.Pointer[[]*watcher]
}

// New makes a poller. Nothing is polled before Run or Pass.
func New(o Options) *Poller {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hosts.Park <= 0 {
		o.Hosts.Park = hosts.DefaultPark
	}
	p := &Poller{
		Options: o,
		waiting: hosts.New[*job](o.Hosts),
		crowded: hosts.New[hosts.Turn[*job]](o.Addresses),
		turn:    make(chan struct{}, 1),
		sooner:  make(chan struct{}, 1),
		room:    make(chan struct{}, 1),
		light:   make(chan struct{}, lightOutcomes),
		heavy:   make(chan struct{}, o.Workers),
		soon:    soon{enough: make(chan struct{}, 1)},
		papers:  sync.Pool{New: func() any { return new(papers) }},
		running: make(map[*group]struct{}),
	}
	p.watchers.Store(new([]*watcher))
	return p
}

// answer is what a publisher's answer means, as far as that can be said without the store.
type answer struct {
	outcome
	// response is nil where there was none worth reading.
	response *fetch.Response
	// doc is the document, nil where there is nothing new to read; unread are its items that were not read again.
	doc    *parse.Document
	unread []aggregator.ListedItem
	// held is the time until which the publisher's host is left alone, zero where it is not.
	held time.Time
}

// outcome is what a poll means for the store.
type outcome struct {
	aggregator.Poll
	// same says that the answer is certainly this feed's; arrivals are the dates of what was new in it.
	same     bool
	arrivals []time.Time
}

// panicError is a panic that was caught. It is the feed's failure, whatever was done when it happened.
type panicError struct{ value any }

func (e panicError) Error() string { return fmt.Sprintf("internal error: %v", e.value) }

// guarded keeps a document that makes the program panic from taking the other feeds with it. None is known to.
func (p *Poller) guarded(feed aggregator.FeedID, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p.Log.Error("a document made the program panic; please report it", "feed", feed, "panic", v, "stack", string(debug.Stack()))
			err = panicError{v}
		}
	}()
	return f()
}

// settle commits the outcome of a poll. An error means that nothing was stored: ctx ended, the lease was lost or the store
// failed. An outcome that was stored is returned without error, also where it is a failed one. Where the errand persists
// and the store fails, storing is tried again and again; the publisher is not asked twice.
func (p *Poller) settle(ctx context.Context, j *job, seen *answer, failure error, at time.Time) (aggregator.PollRecord, error) {
	var record aggregator.PollRecord
	err := p.untilStored(ctx, j, func() (err error) {
		record, err = p.keep(ctx, j, seen, failure, at)
		var panicked panicError
		if failure == nil && (errors.As(err, &panicked) || errors.Is(err, aggregator.ErrRefused)) {
			// The store is whole, and this document cannot be kept: a failed poll like any other.
			failure = err
			record, err = p.keep(ctx, j, seen, failure, at)
		}
		return err
	})
	return record, err
}

// untilStored has the outcome of a poll stored, again and again where its errand persists and the store fails.
func (p *Poller) untilStored(ctx context.Context, j *job, store func() error) error {
	stalled, wait := false, firstStorePause
	defer func() {
		if stalled {
			p.stalled.Add(-1)
		}
	}()
	for {
		err := store()
		if err == nil || errors.Is(err, aggregator.ErrLeaseLost) || !j.errand.persist || ctx.Err() != nil {
			return err
		}
		if !stalled {
			stalled = true
			p.stalled.Add(1)
			p.giveBackWaiting(errStalled, func(*job) bool { return true })
		}
		p.Log.Error("the store failed; the poll waits", "feed", j.lease.Feed, "error", err, "retry_in", wait)
		pause(ctx, wait)
		wait = min(2*wait, storePause)
	}
}

// keep finds out what the answer means for the store and commits that.
func (p *Poller) keep(ctx context.Context, j *job, seen *answer, failure error, at time.Time) (aggregator.PollRecord, error) {
	o := seen.outcome
	if failure == nil && seen.doc != nil {
		if err := p.guarded(j.status.Feed.ID, func() error { return p.compare(ctx, j, seen, at, &o) }); err != nil {
			return aggregator.PollRecord{}, err
		}
	}
	if err := p.conclude(ctx, j, seen, failure, &o, at, p.Now().UTC()); err != nil {
		return aggregator.PollRecord{}, err
	}
	return o.State.LastPoll, p.store(ctx, j, &o)
}

// store commits the outcome. On the way its new items find their stories.
func (p *Poller) store(ctx context.Context, j *job, o *outcome) error {
	ended, err := p.group(ctx, j, o.Items)
	if err != nil {
		return err
	}
	stored := false
	defer func() { ended(stored) }()
	for i := range o.Items {
		o.Items[i].Plain = ""
	}
	// An outcome that is there is worth storing, also when the program is about to stop.
	if err := p.Store.CommitEach(context.WithoutCancel(ctx), []*aggregator.Poll{j.result(o)})[0]; err != nil {
		return fmt.Errorf("store the outcome: %w", err)
	}
	stored = true
	return nil
}

// group decides the stories of new items. Only a poll that read a document has any.
func (p *Poller) group(ctx context.Context, j *job, items []aggregator.Item) (ended func(stored bool), err error) {
	if p.Stories == nil || len(items) == 0 {
		return func(bool) {}, nil
	}
	err = p.guarded(j.status.Feed.ID, func() (err error) {
		ended, err = p.Stories.Group(ctx, items)
		return err
	})
	return ended, err
}

// conclude completes what the answer means for the store: o, which may be the answer's own, is that as far as it is known.
// The poll began at the one time and ended at the other. Where it ends in an error it can be called again.
func (p *Poller) conclude(ctx context.Context, j *job, seen *answer, failure error, o *outcome, at, now time.Time) error {
	if failure != nil {
		*o = failed(j, &seen.State.LastPoll, failure)
	}
	record := &o.State.LastPoll
	record.At, record.Duration = at, now.Sub(at)
	o.State.History = j.status.State.History.Add(*record)
	return p.plan(ctx, j, seen, failure, o, now)
}

// result is the poll with its outcome, as the store takes it.
func (j *job) result(o *outcome) *aggregator.Poll {
	o.Feed, o.Token = j.lease.Feed, j.lease.Token
	return &o.Poll
}

// compare finds out what of the document is new to the store.
func (p *Poller) compare(ctx context.Context, j *job, seen *answer, at time.Time, o *outcome) error {
	batch := story.Identify(j.status.Feed.ID, seen.doc.Link, seen.doc.Items, seen.unread)
	found, err := p.recognise(ctx, j, batch, at)
	if err != nil {
		return err
	}
	items, tooOld, passedOver := settle(found)
	if !seen.response.Delta {
		// A difference lists what has changed, and nothing else.
		o.State.Restless = found.restless(len(seen.unread))
	}
	for i := range items {
		items[i].Topics = Topics(p.Topics, j.status.Feed.Topics, &items[i])
	}
	o.Items = items
	o.same = o.same || len(found.stored)+len(found.unchanged) > 0
	o.arrivals = arrivals(items, found.stored)
	o.Relist = true
	switch {
	case tooOld > 0, passedOver > 0 && !o.State.IsRestless():
		// What was left out is not known, and is to be looked at again: when the feed's max age changes, when a day is over.
	case j.status.State.IsRestless() && !o.State.IsRestless():
		// The feed is calm again, and what was passed over meanwhile is to be looked at as well.
		o.State = o.State.Unread()
	case seen.response.Delta:
		o.Listing = joined(listing(nil, batch.Listed, seen.doc.Hashes), withoutEarlier(j.listing, batch.Listed))
	default:
		o.Listing = listing(seen.unread, batch.Listed, seen.doc.Hashes)
	}
	record := &o.State.LastPoll
	record.Repairs = slices.Concat(seen.doc.Repairs, batch.Repairs())
	record.TooOld = tooOld
	record.New, record.Changed = 0, 0
	for i := range items {
		if items[i].Seq == 0 {
			record.New++
		} else {
			record.Changed++
		}
	}
	if record.New > 0 {
		o.State.LastNew = at
	}
	if len(items) > 0 {
		o.State.LastChange = at
	}
	return nil
}
