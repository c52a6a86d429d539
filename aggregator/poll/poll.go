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
	"runtime/debug"
	"slices"
	"strings"
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
	// turn is held by who claims feeds: the loop of Run for a moment, a Pass for as long as it takes, so that a pass
	// reports every feed that was due when it was asked for.
	turn chan struct{}
	wake chan struct{}
}

// New makes a poller. Nothing is polled before Run or Pass.
func New(o Options) *Poller {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Poller{
		Options: o,
		turn:    make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
	}
}

// outcome is what a poll means for the store.
type outcome struct {
	state aggregator.FeedState
	items []aggregator.Item
	// retryAfter is the time before which the publisher asked not to be asked again; zero for none.
	retryAfter time.Time
}

// poll makes one poll and commits its outcome. An error means that nothing was stored: ctx ended, the lease was lost or
// the store failed. An outcome that was stored is returned without error, also where it is a failed one.
func (p *Poller) poll(ctx context.Context, lease aggregator.Lease) (aggregator.PollRecord, error) {
	at := p.Now().UTC()
	seen, failure := p.look(ctx, lease, at)
	switch {
	case failure != nil && ctx.Err() != nil:
		return aggregator.PollRecord{}, context.Cause(ctx)
	case failure != nil:
		seen = failed(lease, seen.state.LastPoll, failure)
	}
	record, err := p.commit(ctx, lease, seen, at)
	if err == nil || failure != nil || errors.Is(err, aggregator.ErrLeaseLost) {
		return record, err
	}
	// Where the store is whole and only this document cannot be kept, that is a failed poll like any other. Where the
	// store itself has failed, so does this.
	return p.commit(ctx, lease, failed(lease, seen.state.LastPoll, fmt.Errorf("store the outcome: %w", err)), at)
}

// commit completes the outcome with what is known only at its end and stores it.
func (p *Poller) commit(ctx context.Context, lease aggregator.Lease, o outcome, at time.Time) (aggregator.PollRecord, error) {
	now := p.Now().UTC()
	record := &o.state.LastPoll
	record.At, record.Duration = at, now.Sub(at)
	o.state.Due = p.due(lease.Feed, o, now)
	// An outcome that is there is worth storing, also when the program is about to stop.
	err := p.Store.Commit(context.WithoutCancel(ctx), aggregator.Poll{
		Feed: lease.Feed.ID, Token: lease.Token, State: o.state, Items: o.items,
	})
	if err != nil {
		return aggregator.PollRecord{}, fmt.Errorf("commit: %w", err)
	}
	return *record, nil
}

// look fetches and reads the feed and decides what that means for the store. What goes wrong is the feed's failure; the
// outcome then has what is known of the answer in its record.
func (p *Poller) look(ctx context.Context, lease aggregator.Lease, at time.Time) (o outcome, err error) {
	defer func() {
		// No document is known to get here; if one does, it must not take the other feeds with it.
		if v := recover(); v != nil {
			p.Log.Error("a document made the program panic; please report it", "feed", lease.Feed.ID, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error: %v", v)
		}
	}()
	resp, err := p.Fetcher.Get(ctx, fetch.Request{
		URL: lease.Feed.URL, Validators: lease.State.Validators, AllowPrivate: lease.Feed.AllowPrivate,
	})
	if err != nil {
		return outcome{}, err
	}
	hash := lease.State.BodyHash
	if !resp.NotModified {
		hash = aggregator.HashOf(resp.Body)
	}
	o = outcome{state: lease.State, retryAfter: resp.RetryAfter}
	o.state.Validators = resp.Validators
	o.state.BodyHash = hash
	o.state.Failures = 0
	o.state.LastSuccess = at
	record := &o.state.LastPoll
	record.Status, record.Bytes, record.Error = resp.Status, resp.Bytes, ""
	record.New, record.Changed = 0, 0
	switch {
	case resp.NotModified:
		record.Outcome = aggregator.OutcomeNotModified
		return o, nil
	case hash == lease.State.BodyHash:
		record.Outcome = aggregator.OutcomeUnchanged
		return o, nil
	}
	err = p.read(ctx, lease, resp, at, &o)
	return o, err
}

// read takes the items of a document into the outcome.
func (p *Poller) read(ctx context.Context, lease aggregator.Lease, resp *fetch.Response, at time.Time, o *outcome) error {
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
	var unread []aggregator.ListedItem
	for _, bytes := range doc.Skipped {
		unread = append(unread, before[bytes])
	}
	batch := story.Identify(lease.Feed.ID, doc.Link, doc.Items, unread)
	seen, err := p.recognise(ctx, lease, batch, at)
	if err != nil {
		return err
	}
	items, tooOld := settle(seen)
	for i := range items {
		items[i].Topics = Topics(p.Topics, lease.Feed.Topics, &items[i])
	}
	o.items = items
	o.state.Listing = listing(unread, batch.Listed, doc.Hashes)
	o.state.Title, o.state.Link, o.state.Language, o.state.DocumentID = doc.Title, doc.Link, doc.Language, doc.ID
	record := &o.state.LastPoll
	record.Outcome = aggregator.OutcomeStored
	record.Repairs = append(doc.Repairs, batch.Repairs()...)
	record.Listed, record.TooOld = doc.Listed, tooOld
	record.Changed = len(seen.stored)
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
