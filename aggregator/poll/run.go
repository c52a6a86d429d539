package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// leaseMargin is what a lease lasts beyond the wait and the fetch: parsing, looking up and committing.
	leaseMargin = time.Minute
	// batch is how many feeds are leased at once. About maxInHand polls at most wait, are under way or are stored: more are
	// leased while there are no more than roomInHand.
	batch      = 512
	maxInHand  = 16384
	roomInHand = maxInHand - batch
	// lightOutcomes is how many outcomes without a document may wait to be stored while workers go on; of those with
	// one it is as many as there are workers.
	lightOutcomes = 16384
	// longestSleep bounds how long Run trusts a next due time, since other processes may share the queue.
	longestSleep = time.Minute
	// storePause is how long a poll waits before it tries again to store what it has, after the store has failed time and
	// again; the first wait is firstStorePause, and each is twice the one before.
	firstStorePause = time.Second
	storePause      = 30 * time.Second
)

// errStalled means that polls wait for the store: no feed is asked for what could not be kept either.
var errStalled = errors.New("the store has failed; polling goes on when it works again")

// outageError means that this machine has no network; wait is the time until it is worth trying again.
type outageError struct{ wait time.Duration }

func (outageError) Error() string {
	return "no host can be reached: check this machine's network and its name server; feeds stay due, and nothing is counted against them"
}

// Summary counts the polls of a pass.
type Summary struct {
	// Feeds is how many were polled; Failed, NotModified and Unchanged are how many of them ended so.
	Feeds       int `json:"feeds"`
	Failed      int `json:"failed"`
	NotModified int `json:"not_modified"`
	Unchanged   int `json:"unchanged"`
	// Postponed is how many feeds were not polled because their hosts asked to be left alone.
	Postponed int `json:"postponed"`
	// New and Changed count items.
	New     int `json:"new"`
	Changed int `json:"changed"`
}

func (s *Summary) add(r *aggregator.PollRecord) {
	s.Feeds++
	s.New += r.New
	s.Changed += r.Changed
	switch r.Outcome {
	case aggregator.OutcomeFailed:
		s.Failed++
	case aggregator.OutcomeNotModified:
		s.NotModified++
	case aggregator.OutcomeUnchanged:
		s.Unchanged++
	}
}

// Run polls feeds as they fall due until ctx ends. Polls under way then have Options.Grace to finish; those that do
// not are given back unpolled. What goes wrong with a feed is in its record. When the store fails, each poll keeps what
// it has and tries to store it until that succeeds; no feed is fetched twice for it. When this machine has no network,
// feeds stay due and nothing is counted; one is tried each half minute.
func (p *Poller) Run(ctx context.Context) {
	e := p.newErrand(ctx, true)
	defer e.end()
	for ctx.Err() == nil {
		started, err := p.startDue(ctx, e)
		var down outageError
		switch {
		case errors.As(err, &down):
			pause(ctx, down.wait)
		case errors.Is(err, errStalled):
			pause(ctx, firstStorePause)
		case err != nil && ctx.Err() == nil:
			p.Log.Error("look for due feeds", "error", err, "retry_in", storePause)
			pause(ctx, storePause)
		case started == 0:
			p.awaitDue(ctx)
		}
	}
}

// Pass polls every feed that is due when it begins, or every feed there is where all is set, and returns when they are
// done, those too that Run was polling at that time. Feeds of a host that cannot be asked for all of them at once are
// waited for; those of a host that asked to be left alone are put off, and counted. report, if not nil, is told of each
// poll, one at a time. A feed that failed is in the summary; an error means that the pass is incomplete because ctx ended,
// the store failed or this machine has no network.
func (p *Poller) Pass(ctx context.Context, all bool, report func(aggregator.FeedID, aggregator.PollRecord)) (Summary, error) {
	// An outcome that cannot be stored ends the pass: the next would fare no better.
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var (
		mu      sync.Mutex
		summary Summary
		again   []recall
	)
	e := p.newErrand(ctx, false)
	defer e.end()
	e.failed = func(j *job, err error) { giveUp(fmt.Errorf("poll %s: %w", j.lease.Feed, err)) }
	e.putOff = func(j *job, until time.Time, held bool) {
		mu.Lock()
		defer mu.Unlock()
		if held {
			summary.Postponed++
			return
		}
		again = append(again, recall{j.lease.Feed, until})
	}
	unwatch := p.watch(func(feed aggregator.FeedID, record *aggregator.PollRecord) {
		mu.Lock()
		defer mu.Unlock()
		summary.add(record)
		if report != nil {
			report(feed, *record)
		}
	})
	defer unwatch()
	began := p.Now().UTC()
	others, err := p.startAll(ctx, began, all, e)
	var rest []recall
	for err == nil {
		if len(rest) == 0 {
			e.groups.Wait()
		}
		mu.Lock()
		rest, again = append(rest, again...), nil
		mu.Unlock()
		if len(rest) == 0 {
			break
		}
		rest, err = p.recall(ctx, rest, began, e)
	}
	e.groups.Wait()
	if err == nil {
		err = p.awaitEnds(ctx, others)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	mu.Lock()
	defer mu.Unlock()
	return summary, err
}

// startAll starts the polls of the feeds that are due now, or of all. Run starts none meanwhile, so that the pass has
// them all. others are the polls that were under way already, as channels that close when they have ended.
func (p *Poller) startAll(ctx context.Context, began time.Time, all bool, e *errand) (others []chan struct{}, err error) {
	if err := p.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer p.endTurn()
	others = p.underWay()
	if all {
		if err := p.Queue.MakeDue(ctx, began); err != nil {
			return others, fmt.Errorf("make all feeds due: %w", err)
		}
	}
	for {
		started, err := p.claim(ctx, began, e)
		if err != nil || started == 0 {
			return others, err
		}
	}
}

// awaitEnds waits until polls of others have ended, but not for a store that does not work.
func (p *Poller) awaitEnds(ctx context.Context, ends []chan struct{}) error {
	look := time.NewTicker(firstStorePause)
	defer look.Stop()
	for _, ended := range ends {
		for under := true; under; {
			select {
			case <-ended:
				under = false
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-look.C:
				if p.stalled.Load() > 0 {
					return errStalled
				}
			}
		}
	}
	return nil
}

// recall is a feed that a pass has to come back to.
type recall struct {
	feed aggregator.FeedID
	at   time.Time
}

// recallPause is how long a pass waits at most before it looks which feeds it has to come back to.
const recallPause = 5 * time.Second

// recall starts the polls of feeds whose hosts had too much to do before and now have time, and gives the others back. It
// waits a while where there are none.
func (p *Poller) recall(ctx context.Context, feeds []recall, began time.Time, e *errand) (rest []recall, err error) {
	slices.SortFunc(feeds, func(a, b recall) int { return a.at.Compare(b.at) })
	pause(ctx, min(feeds[0].at.Sub(p.Now()), recallPause))
	for i, f := range feeds {
		now := p.Now().UTC()
		if f.at.After(now) {
			return feeds[i:], nil
		}
		if err := p.waitForRoom(ctx); err != nil {
			return nil, err
		}
		lease, err := p.Queue.ClaimFeed(ctx, f.feed, now, p.leaseTime())
		switch {
		case errors.Is(err, aggregator.ErrLeased), errors.Is(err, aggregator.ErrNotFound):
			continue
		case err != nil:
			return nil, fmt.Errorf("claim a feed that was put off: %w", err)
		}
		p.start(e, now, began, lease) // unless Run has polled it meanwhile
	}
	return nil, nil
}

// startDue starts polls of feeds that are due, unless a pass is starting its own.
func (p *Poller) startDue(ctx context.Context, e *errand) (started int, err error) {
	if err := p.takeTurn(ctx); err != nil {
		return 0, err
	}
	defer p.endTurn()
	return p.claim(ctx, time.Time{}, e)
}

// claim waits until there is room for polls, leases as many due feeds as there is room for, and starts them. Feeds that
// fell due after upTo are left out, unless it is zero.
func (p *Poller) claim(ctx context.Context, upTo time.Time, e *errand) (started int, err error) {
	if err := p.waitForRoom(ctx); err != nil {
		return 0, err
	}
	if p.stalled.Load() > 0 {
		return 0, errStalled
	}
	now, limit := p.Now().UTC(), batch
	if wait := p.outage.Allow(now); wait > 0 {
		return 0, outageError{wait}
	}
	if !p.outage.Since().IsZero() {
		limit = 1
	}
	leases, err := p.Queue.Claim(ctx, now, p.leaseTime(), limit)
	if err != nil {
		return 0, fmt.Errorf("claim due feeds: %w", err)
	}
	for i, lease := range leases {
		if !upTo.IsZero() && lease.Due.After(upTo) {
			p.release(leases[i:]...)
			leases = leases[:i]
			break
		}
	}
	p.start(e, now, time.Time{}, leases...)
	return len(leases), nil
}

func (p *Poller) underWay() []chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	ends := make([]chan struct{}, 0, len(p.running))
	for g := range p.running {
		if g.ended == nil {
			g.ended = make(chan struct{})
		}
		ends = append(ends, g.ended)
	}
	return ends
}

// watcher is who is told of polls.
type watcher struct {
	tell func(aggregator.FeedID, *aggregator.PollRecord)
}

// watch has f told of every poll whose outcome is stored, until unwatch is called.
func (p *Poller) watch(f func(aggregator.FeedID, *aggregator.PollRecord)) (unwatch func()) {
	w := &watcher{f}
	change := func(next func([]*watcher) []*watcher) {
		p.mu.Lock()
		defer p.mu.Unlock()
		watchers := next(slices.Clone(*p.watchers.Load()))
		p.watchers.Store(&watchers)
	}
	change(func(all []*watcher) []*watcher { return append(all, w) })
	return func() {
		change(func(all []*watcher) []*watcher {
			return slices.DeleteFunc(all, func(other *watcher) bool { return other == w })
		})
	}
}

func (p *Poller) tell(feed aggregator.FeedID, record *aggregator.PollRecord) {
	for _, w := range *p.watchers.Load() {
		w.tell(feed, record)
	}
}

func (p *Poller) log(ctx context.Context, feed aggregator.FeedID, r *aggregator.PollRecord, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
		p.Log.Info("poll abandoned", "feed", feed)
	case errors.Is(err, aggregator.ErrLeaseLost):
		p.Log.Info("poll dropped: the feed was changed, removed or given to another poller meanwhile", "feed", feed)
	case err != nil:
		p.Log.Error("poll not stored", "feed", feed, "error", err)
	default:
		level := slog.LevelInfo
		if r.Outcome == aggregator.OutcomeFailed {
			level = slog.LevelWarn
		}
		if !p.Log.Enabled(ctx, level) {
			return
		}
		attrs := []slog.Attr{
			slog.String("feed", string(feed)), slog.String("outcome", string(r.Outcome)),
			slog.Int("status", r.Status), slog.Duration("duration", r.Duration.Round(time.Millisecond)),
			slog.Int64("bytes", r.Bytes), slog.Int("new", r.New), slog.Int("changed", r.Changed),
		}
		if r.Error != "" {
			attrs = append(attrs, slog.String("error", r.Error))
		}
		p.Log.LogAttrs(ctx, level, "poll", attrs...)
	}
}

func (p *Poller) release(leases ...aggregator.Lease) {
	// Whoever stops the program must still get the feeds back, so its context does not count here.
	if err := p.Queue.Release(context.Background(), leases...); err != nil {
		p.Log.Error("release leases", "error", err)
	}
}

func (p *Poller) takeTurn(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *Poller) endTurn() { <-p.turn }

// awaitDue returns when a feed may be due.
func (p *Poller) awaitDue(ctx context.Context) {
	timer := time.NewTimer(p.untilDue(ctx))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.sooner:
	case <-ctx.Done():
	}
}

func (p *Poller) untilDue(ctx context.Context) time.Duration {
	now := p.Now().UTC()
	next, err := p.Queue.NextDue(ctx, now)
	switch {
	case err != nil:
		p.Log.Error("look up the next due feed", "error", err)
		return longestSleep
	case next.IsZero():
		return longestSleep
	}
	// A feed that is due and was not claimed a moment ago has just been given back; do not spin on it.
	return min(max(next.Sub(now), 10*time.Millisecond), longestSleep)
}

// pause returns after d, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
