package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// leaseMargin is what a lease lasts beyond the fetch: parsing, looking up and committing.
	leaseMargin = time.Minute
	// longestSleep bounds how long Run trusts a next due time, since other processes may share the queue.
	longestSleep = time.Minute
	// storePause is how long a poll waits before it tries again to store what it has, after the store has failed.
	storePause = 30 * time.Second
)

// errStalled means that polls wait for the store: no feed is asked for what could not be kept either.
var errStalled = errors.New("the store has failed; polling goes on when it works again")

// Summary counts the polls of a pass.
type Summary struct {
	// Feeds is how many were polled; Failed, NotModified and Unchanged are how many of them ended so.
	Feeds       int `json:"feeds"`
	Failed      int `json:"failed"`
	NotModified int `json:"not_modified"`
	Unchanged   int `json:"unchanged"`
	// New and Changed count items.
	New     int `json:"new"`
	Changed int `json:"changed"`
}

func (s *Summary) add(r aggregator.PollRecord) {
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
// it has and tries to store it until that succeeds; no feed is fetched twice for it.
func (p *Poller) Run(ctx context.Context) {
	polls, stop := p.outlive(ctx)
	defer stop()
	var mine sync.WaitGroup
	defer mine.Wait()
	for ctx.Err() == nil {
		started, err := p.startDue(ctx, func(lease aggregator.Lease) {
			mine.Go(func() { _ = p.finish(polls, lease, true) }) // what went wrong is logged
		})
		switch {
		case errors.Is(err, errStalled):
			pause(ctx, storePause)
		case err != nil && ctx.Err() == nil:
			p.Log.Error("look for due feeds", "error", err, "retry_in", storePause)
			pause(ctx, storePause)
		case started == 0:
			pause(ctx, p.untilDue(ctx))
		}
	}
}

// Pass polls every feed that is due when it begins, or every feed there is where all is set, and returns when they are
// done, those too that Run was polling at that time. report, if not nil, is told of each, one at a time. A feed that
// failed is in the summary; an error means that the pass is incomplete because ctx ended or the store failed.
func (p *Poller) Pass(ctx context.Context, all bool, report func(aggregator.Feed, aggregator.PollRecord)) (Summary, error) {
	// An outcome that cannot be stored ends the pass: the next would fare no better.
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	polls, stop := p.outlive(ctx)
	defer stop()
	var (
		mu      sync.Mutex
		summary Summary
		mine    sync.WaitGroup
	)
	unwatch := p.watch(func(feed aggregator.Feed, record aggregator.PollRecord) {
		mu.Lock()
		defer mu.Unlock()
		summary.add(record)
		if report != nil {
			report(feed, record)
		}
	})
	defer unwatch()
	others, err := p.startAll(ctx, all, func(lease aggregator.Lease) {
		mine.Go(func() {
			if err := p.finish(polls, lease, false); err != nil {
				giveUp(fmt.Errorf("poll %s: %w", lease.Feed.ID, err))
			}
		})
	})
	mine.Wait()
	for _, ended := range others {
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	mu.Lock()
	defer mu.Unlock()
	return summary, err
}

// startAll starts the polls of the feeds that are due now, or of all. Run starts none meanwhile, so that the pass has
// them all. others are the polls that were under way already, as the channels that close at their ends.
func (p *Poller) startAll(ctx context.Context, all bool, start func(aggregator.Lease)) (others []chan struct{}, err error) {
	if err := p.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer p.endTurn()
	others = p.underWay()
	began := p.Now().UTC()
	if all {
		if err := p.Queue.MakeDue(ctx, began); err != nil {
			return others, fmt.Errorf("make all feeds due: %w", err)
		}
	}
	for {
		started, err := p.claim(ctx, began, start)
		if err != nil || started == 0 {
			return others, err
		}
	}
}

// startDue starts polls of feeds that are due, unless a pass is starting its own.
func (p *Poller) startDue(ctx context.Context, start func(aggregator.Lease)) (started int, err error) {
	if err := p.takeTurn(ctx); err != nil {
		return 0, err
	}
	defer p.endTurn()
	return p.claim(ctx, time.Time{}, start)
}

// claim waits until a poll may be started, leases as many due feeds as there may be polls, and starts them. Feeds that
// fell due after upTo are left out, unless it is zero.
func (p *Poller) claim(ctx context.Context, upTo time.Time, start func(aggregator.Lease)) (started int, err error) {
	free, err := p.freeSlots(ctx)
	if err != nil {
		return 0, err
	}
	if p.stalled.Load() > 0 {
		for range free {
			<-p.slots
		}
		return 0, errStalled
	}
	leases, err := p.Queue.Claim(ctx, p.Now().UTC(), p.Timeout+leaseMargin, free)
	for i, lease := range leases {
		if !upTo.IsZero() && lease.State.Due.After(upTo) {
			p.release(leases[i:]...)
			leases = leases[:i]
			break
		}
	}
	for range free - len(leases) {
		<-p.slots
	}
	if err != nil {
		return 0, fmt.Errorf("claim due feeds: %w", err)
	}
	for _, lease := range leases {
		p.begin(lease)
		start(lease)
	}
	return len(leases), nil
}

// freeSlots waits until a poll may be started and takes all the slots that are free.
func (p *Poller) freeSlots(ctx context.Context) (int, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for free := 1; ; free++ {
		select {
		case p.slots <- struct{}{}:
		default:
			return free, nil
		}
	}
}

// begin notes that a poll is under way.
func (p *Poller) begin(lease aggregator.Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[lease.Token] = make(chan struct{})
}

// end notes that it is no longer, and frees its slot.
func (p *Poller) end(lease aggregator.Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.running[lease.Token])
	delete(p.running, lease.Token)
	<-p.slots
}

func (p *Poller) underWay() []chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.running))
}

// watch has f told of every poll whose outcome is stored, until unwatch is called.
func (p *Poller) watch(f func(aggregator.Feed, aggregator.PollRecord)) (unwatch func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastWatcher++
	n := p.lastWatcher
	p.watchers[n] = f
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, n)
	}
}

func (p *Poller) tell(feed aggregator.Feed, record aggregator.PollRecord) {
	p.mu.Lock()
	watchers := slices.Collect(maps.Values(p.watchers))
	p.mu.Unlock()
	for _, f := range watchers {
		f(feed, record)
	}
}

// finish makes one poll. The lease is given back where nothing was stored. persist has it try again as long as the store
// fails. An error means that the store failed, or that ctx ended.
func (p *Poller) finish(ctx context.Context, lease aggregator.Lease, persist bool) error {
	defer p.end(lease)
	record, err := p.poll(ctx, lease, persist)
	p.log(ctx, lease.Feed, record, err)
	switch {
	case errors.Is(err, aggregator.ErrLeaseLost):
		return nil
	case err != nil:
		p.release(lease)
		return err
	}
	p.tell(lease.Feed, record)
	return nil
}

func (p *Poller) log(ctx context.Context, feed aggregator.Feed, r aggregator.PollRecord, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
		p.Log.Info("poll abandoned", "feed", feed.ID)
	case errors.Is(err, aggregator.ErrLeaseLost):
		p.Log.Info("poll dropped: the feed was changed, removed or given to another poller meanwhile", "feed", feed.ID)
	case err != nil:
		p.Log.Error("poll not stored", "feed", feed.ID, "error", err)
	default:
		level := slog.LevelInfo
		if r.Outcome == aggregator.OutcomeFailed {
			level = slog.LevelWarn
		}
		attrs := []slog.Attr{
			slog.String("feed", string(feed.ID)), slog.String("outcome", string(r.Outcome)),
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

// outlive is a context for polls under way: it ends Grace after ctx, or when stop is called.
func (p *Poller) outlive(ctx context.Context) (polls context.Context, stop func()) {
	polls, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(p.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-polls.Done():
		}
	})
	return polls, func() { unhook(); cancel(context.Canceled) }
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
