// Package poll is the pipeline: it leases the feeds that are due, fetches and parses each, finds out what is new, files
// it under its topics and has the store commit the outcome as one value.
//
// What a poll found is decided by pure functions (settle.go) from the feed's last state, the document and what the
// store holds of its items; this file and run.go do the I/O around them. A failed poll is an outcome like any other:
// it is committed with its error and its next due time, and it keeps the validators and items of the last good one.
// Work is skipped as early as it can be: at a 304, then at a body with the same hash, then at an item with the same
// hash.
package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/schedule"
	"github.com/topicwire/topicwire/aggregator/story"
)

// Store is where outcomes go, and what the pipeline asks about the items of a document. Its promises are those of
// storage.PollStore.
type Store interface {
	Resolve(ctx context.Context, ids []aggregator.ItemID) ([]aggregator.KnownItem, error)
	Item(ctx context.Context, id aggregator.ItemID) (aggregator.Item, error)
	Commit(ctx context.Context, poll aggregator.Poll) error
}

// Queue gives out the feeds that are due. Its promises are those of storage.Store.
type Queue interface {
	Claim(ctx context.Context, now time.Time, duration time.Duration, limit int) ([]aggregator.Lease, error)
	Release(ctx context.Context, leases ...aggregator.Lease) error
	MakeDue(ctx context.Context, at time.Time) error
	NextDue(ctx context.Context, now time.Time) (time.Time, error)
}

// Fetcher makes one conditional GET. An error that has an HTTP status or a time to wait for is a *fetch.Error.
type Fetcher interface {
	Get(ctx context.Context, req fetch.Request) (*fetch.Response, error)
}

// Classifier names the topics of an item, sorted.
type Classifier interface {
	Match(item *aggregator.Item) []aggregator.TopicID
}

// Options are what a Poller works with. All but Log are required.
type Options struct {
	Store   Store
	Queue   Queue
	Fetcher Fetcher
	Topics  Classifier
	// Workers is how many polls may be under way at once.
	Workers int
	// Timeout bounds one fetch; leases last a little longer than that.
	Timeout time.Duration
	// Grace is how long polls under way may go on when the poller is stopped.
	Grace time.Duration
	Now   func() time.Time
	// Jitter gives numbers in [0, 1) that spread the retries of failing feeds.
	Jitter func() float64
	Log    *slog.Logger
}

// Poller polls feeds. It is made by New and safe for use by many goroutines.
type Poller struct {
	Options
	// slots holds a value for each poll that is under way or about to be.
	slots chan struct{}
	// turn is held by who starts polls, so that a pass can start all that it is asked for.
	turn chan struct{}
	// stalled counts the polls that wait for the store to work again.
	stalled atomic.Int32

	mu          sync.Mutex
	running     map[uint64]chan struct{} // by the token of the lease
	watchers    map[int]func(aggregator.Feed, aggregator.PollRecord)
	lastWatcher int
}

// New makes a poller. Nothing is polled before Run or Pass.
func New(o Options) *Poller {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Poller{
		Options:  o,
		slots:    make(chan struct{}, o.Workers),
		turn:     make(chan struct{}, 1),
		running:  make(map[uint64]chan struct{}),
		watchers: make(map[int]func(aggregator.Feed, aggregator.PollRecord)),
	}
}

// answer is what a publisher's answer means, as far as that can be said without the store.
type answer struct {
	outcome
	// doc is the document, nil where there is nothing new to read; unread are its items that were not read again.
	doc    *parse.Document
	unread []aggregator.ListedItem
}

// outcome is what a poll means for the store.
type outcome struct {
	state aggregator.FeedState
	items []aggregator.Item
	// retryAfter is the time before which the publisher asked not to be asked again; zero for none.
	retryAfter time.Time
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

// poll makes one poll and commits its outcome. An error means that nothing was stored: ctx ended, the lease was lost or
// the store failed. An outcome that was stored is returned without error, also where it is a failed one. Where persist is
// set and the store fails, storing is tried again and again; the publisher is not asked twice.
func (p *Poller) poll(ctx context.Context, lease aggregator.Lease, persist bool) (aggregator.PollRecord, error) {
	at := p.Now().UTC()
	var seen answer
	failure := p.guarded(lease.Feed.ID, func() (err error) {
		seen, err = p.look(ctx, lease, at)
		return err
	})
	if failure != nil && ctx.Err() != nil {
		return aggregator.PollRecord{}, context.Cause(ctx)
	}
	stalled := false
	defer func() {
		if stalled {
			p.stalled.Add(-1)
		}
	}()
	for {
		record, err := p.keep(ctx, lease, seen, failure, at)
		var panicked panicError
		switch {
		case err == nil, errors.Is(err, aggregator.ErrLeaseLost):
			return record, err
		case failure == nil && (errors.As(err, &panicked) || errors.Is(err, aggregator.ErrRefused)):
			// The store is whole, and this document cannot be kept: a failed poll like any other.
			failure = err
			continue
		case !persist, ctx.Err() != nil:
			return record, err
		}
		if !stalled {
			stalled = true
			p.stalled.Add(1)
		}
		p.Log.Error("the store failed; the poll waits", "feed", lease.Feed.ID, "error", err, "retry_in", storePause)
		pause(ctx, storePause)
	}
}

// look fetches the feed and reads it. An error is the feed's failure; the answer then has what is known of it in its
// record.
func (p *Poller) look(ctx context.Context, lease aggregator.Lease, at time.Time) (answer, error) {
	resp, err := p.Fetcher.Get(ctx, fetch.Request{
		URL: lease.Feed.URL, Validators: lease.State.Validators, AllowPrivate: lease.Feed.AllowPrivate,
	})
	if err != nil {
		return answer{}, err
	}
	seen := answer{outcome: outcome{state: lease.State, retryAfter: resp.RetryAfter}}
	state := &seen.state
	state.Validators = resp.Validators
	state.Failures = 0
	state.LastSuccess = at
	record := &state.LastPoll
	record.Status, record.Bytes, record.Error = resp.Status, resp.Bytes, ""
	record.New, record.Changed = 0, 0
	if resp.NotModified {
		record.Outcome = aggregator.OutcomeNotModified
		return seen, nil
	}
	state.BodyHash = aggregator.HashOf(resp.Body)
	if state.BodyHash == lease.State.BodyHash {
		record.Outcome = aggregator.OutcomeUnchanged
		return seen, nil
	}
	return seen, p.read(lease, resp, at, &seen)
}

// read parses the items that were not in the feed's last document as they are now.
func (p *Poller) read(lease aggregator.Lease, resp *fetch.Response, at time.Time, seen *answer) error {
	before := make(map[aggregator.Hash]aggregator.ListedItem, len(lease.State.Listing))
	for _, l := range lease.State.Listing {
		before[l.Bytes] = l
	}
	doc, err := parse.Parse(resp.Body, parse.Source{
		URL: resp.URL, ContentType: resp.ContentType, Seen: at,
		Known: func(bytes aggregator.Hash) bool { _, ok := before[bytes]; return ok },
	})
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	seen.doc = doc
	for _, bytes := range doc.Skipped {
		seen.unread = append(seen.unread, before[bytes])
	}
	state := &seen.state
	state.Title, state.Link, state.Language, state.DocumentID = doc.Title, doc.Link, doc.Language, doc.ID
	state.LastPoll.Outcome = aggregator.OutcomeStored
	state.LastPoll.Listed = doc.Listed
	return nil
}

// keep finds out what the answer means for the store and commits that.
func (p *Poller) keep(ctx context.Context, lease aggregator.Lease, seen answer, failure error, at time.Time) (aggregator.PollRecord, error) {
	o := seen.outcome
	switch {
	case failure != nil:
		o = failed(lease, seen.state.LastPoll, failure)
	case seen.doc != nil:
		err := p.guarded(lease.Feed.ID, func() error { return p.compare(ctx, lease, seen, at, &o) })
		if err != nil {
			return aggregator.PollRecord{}, err
		}
	}
	now := p.Now().UTC()
	record := &o.state.LastPoll
	record.At, record.Duration = at, now.Sub(at)
	o.state.Due = p.due(lease.Feed, o, now)
	o.state.Pace.NotBefore = time.Time{}
	if o.retryAfter.After(now) {
		o.state.Pace.NotBefore = o.retryAfter
		if limit := now.Add(schedule.MaxRetryAfter); o.retryAfter.After(limit) {
			o.state.Pace.NotBefore = limit
		}
	}
	// An outcome that is there is worth storing, also when the program is about to stop.
	err := p.Store.Commit(context.WithoutCancel(ctx), aggregator.Poll{
		Feed: lease.Feed.ID, Token: lease.Token, State: o.state, Items: o.items,
	})
	if err != nil {
		return aggregator.PollRecord{}, fmt.Errorf("store the outcome: %w", err)
	}
	return *record, nil
}

// compare finds out what of the document is new to the store.
func (p *Poller) compare(ctx context.Context, lease aggregator.Lease, seen answer, at time.Time, o *outcome) error {
	batch := story.Identify(lease.Feed.ID, seen.doc.Link, seen.doc.Items, seen.unread)
	found, err := p.recognise(ctx, lease, batch, at)
	if err != nil {
		return err
	}
	items, tooOld := settle(found)
	for i := range items {
		items[i].Topics = Topics(p.Topics, lease.Feed.Topics, &items[i])
	}
	o.items = items
	o.state.Listing = nil
	if tooOld == 0 {
		// An item that was left out is not known, and is to be looked at again when the feed's max age changes.
		o.state.Listing = listing(seen.unread, batch.Listed, seen.doc.Hashes)
	}
	record := &o.state.LastPoll
	record.Repairs = slices.Concat(seen.doc.Repairs, batch.Repairs())
	record.TooOld = tooOld
	record.Changed = len(found.stored)
	record.New = len(items) - record.Changed
	if record.New > 0 {
		o.state.LastNew = at
	}
	return nil
}

// listing is what to remember of a document: nothing where its items could not be told apart in its bytes.
func listing(unread, read []aggregator.ListedItem, hashes []aggregator.Hash) []aggregator.ListedItem {
	if len(hashes) != len(read) {
		return nil
	}
	all := slices.Clone(unread)
	for i, l := range read {
		l.Bytes = hashes[i]
		all = append(all, l)
	}
	return all
}

// recognise finds out which of the document's items the store has.
func (p *Poller) recognise(ctx context.Context, lease aggregator.Lease, batch *story.Batch, at time.Time) (sighting, error) {
	answers, err := p.Store.Resolve(ctx, batch.Lookups())
	if err != nil {
		return sighting{}, fmt.Errorf("look up stored items: %w", err)
	}
	s := sighting{
		feed:      lease.Feed,
		previous:  lease.State,
		at:        at,
		stored:    make(map[aggregator.ItemID]aggregator.Item),
		unchanged: make(map[aggregator.ItemID]bool),
	}
	for i, known := range batch.Resolve(answers) {
		it := &batch.Items[i]
		switch {
		case !known.Found:
		case known.Hash == it.Hash:
			s.unchanged[it.ID] = true
		default:
			if s.stored[it.ID], err = p.Store.Item(ctx, it.ID); err != nil {
				return sighting{}, fmt.Errorf("read stored item %s: %w", it.ID, err)
			}
		}
	}
	s.items = batch.Items
	return s, nil
}

// Topics are what an item is filed under: the topics that match it and those that its feed forces, sorted.
func Topics(matching Classifier, forced []aggregator.TopicID, it *aggregator.Item) []aggregator.TopicID {
	topics := append(matching.Match(it), forced...)
	slices.Sort(topics)
	return slices.Compact(topics)
}

// failed is the outcome of a poll that ended in an error. What earlier polls brought stays, the validators too: they
// still vouch for the document that is stored. answer has what is known of the publisher's answer.
func failed(lease aggregator.Lease, answer aggregator.PollRecord, failure error) outcome {
	o := outcome{state: lease.State}
	o.state.Failures++
	o.state.LastPoll = aggregator.PollRecord{
		Outcome: aggregator.OutcomeFailed,
		Status:  answer.Status,
		Bytes:   answer.Bytes,
		Error:   strings.Join(strings.Fields(failure.Error()), " "),
	}
	var refused *fetch.Error
	if errors.As(failure, &refused) {
		o.state.LastPoll.Status, o.state.LastPoll.Bytes = refused.Status, refused.Bytes
		o.retryAfter = refused.RetryAfter
		if refused.Status == http.StatusTooManyRequests {
			// The publisher is asked too often; the feed has no fault.
			o.state.Failures--
		}
	}
	return o
}

// due is when the feed is polled next after an outcome.
func (p *Poller) due(feed aggregator.Feed, o outcome, now time.Time) time.Time {
	spec, err := schedule.Parse(feed.Schedule)
	if err != nil {
		// The config has checked it; whatever else put it into the store must not make a feed be polled in a loop.
		p.Log.Error("feed has an unreadable schedule; polling it daily", "feed", feed.ID, "schedule", feed.Schedule, "error", err)
		return now.Add(24 * time.Hour)
	}
	return schedule.Due(spec, feed.ID, schedule.Outcome{
		Now: now, Failures: o.state.Failures, Status: o.state.LastPoll.Status, RetryAfter: o.retryAfter,
	}, p.Jitter)
}
