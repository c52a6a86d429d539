package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// leaseMargin is what a lease lasts beyond the fetch: parsing, looking up and committing.
	leaseMargin = time.Minute
	// longestSleep bounds how long Run trusts a next due time, since other processes may share the queue.
	longestSleep = time.Minute
	// storePause is how long Run waits after the store failed, so that a full disk does not turn into requests whose
	// answers cannot be kept.
	storePause = 30 * time.Second
)

// Summary counts the polls of a pass.
type Summary struct {
	// Feeds is how many were polled; Failed, NotModified and Unchanged are how many of them ended so.
	Feeds, Failed, NotModified, Unchanged int
	// New and Changed count items.
	New, Changed int
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

// Wake makes Run look for due feeds at once, where it might be asleep.
func (p *Poller) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run polls feeds as they fall due until ctx ends. Polls under way then have Options.Grace to finish; those that do
// not are given back unpolled. What goes wrong with a feed is in its record; what goes wrong with the store is logged
// and tried again.
func (p *Poller) Run(ctx context.Context) {
	polls, stop := p.outlive(ctx)
	defer stop()
	jobs, done := p.work(func(lease aggregator.Lease) {
		if _, err := p.one(polls, lease); err != nil {
			// The feed stays leased meanwhile: its publisher is not asked again and again for what cannot be kept.
			if !errors.Is(err, aggregator.ErrLeaseLost) {
				pause(ctx, storePause)
			}
			p.release(lease)
		}
	})
	defer done()
	for ctx.Err() == nil {
		claimed, err := p.hand(ctx, jobs)
		switch {
		case err != nil && ctx.Err() == nil:
			p.Log.Error("claim", "error", err, "retry_in", storePause)
			pause(ctx, storePause)
		case claimed == 0:
			p.sleep(ctx, p.untilDue(ctx))
		}
	}
}

// hand claims a worker's share of the due feeds each and hands them over.
func (p *Poller) hand(ctx context.Context, jobs chan<- aggregator.Lease) (claimed int, err error) {
	if err := p.takeTurn(ctx); err != nil {
		return 0, err
	}
	defer p.endTurn()
	leases, err := p.claim(ctx)
	if err != nil {
		return 0, err
	}
	return len(leases), p.offer(ctx, jobs, leases)
}

// Pass polls every feed that is due when it begins, or every feed there is where all is set, and returns when they are
// done. report, if not nil, is told of each, one at a time. A feed that failed is in the summary; an error means that the
// pass is incomplete because ctx ended or the store failed.
func (p *Poller) Pass(ctx context.Context, all bool, report func(aggregator.Feed, aggregator.PollRecord)) (Summary, error) {
	if err := p.takeTurn(ctx); err != nil {
		return Summary{}, err
	}
	defer p.endTurn()
	if all {
		if err := p.Queue.MakeDue(ctx, p.Now().UTC()); err != nil {
			return Summary{}, fmt.Errorf("make all feeds due: %w", err)
		}
	}
	// One feed whose outcome cannot be stored ends the pass: the next would fare no better.
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	polls, stop := p.outlive(ctx)
	defer stop()
	var (
		mu      sync.Mutex
		summary Summary
	)
	jobs, done := p.work(func(lease aggregator.Lease) {
		record, err := p.one(polls, lease)
		if err != nil {
			p.release(lease)
			if !errors.Is(err, aggregator.ErrLeaseLost) {
				giveUp(fmt.Errorf("poll %s: %w", lease.Feed.ID, err))
			}
			return
		}
		mu.Lock()
		defer mu.Unlock()
		summary.add(record)
		if report != nil {
			report(lease.Feed, record)
		}
	})
	err := p.handAll(ctx, jobs)
	done()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return summary, err
}

// handAll hands over the feeds that are due now until there are none left.
func (p *Poller) handAll(ctx context.Context, jobs chan<- aggregator.Lease) error {
	for began := p.Now().UTC(); ; {
		leases, err := p.claim(ctx)
		if err != nil {
			return err
		}
		leases = p.upTo(began, leases)
		if len(leases) == 0 {
			return nil
		}
		if err := p.offer(ctx, jobs, leases); err != nil {
			return err
		}
	}
}

// work starts the workers. done lets them finish what they were handed and waits for that.
func (p *Poller) work(do func(aggregator.Lease)) (jobs chan<- aggregator.Lease, done func()) {
	handed := make(chan aggregator.Lease)
	var workers sync.WaitGroup
	for range p.Workers {
		workers.Go(func() {
			for lease := range handed {
				do(lease)
			}
		})
	}
	return handed, func() { close(handed); workers.Wait() }
}

// claim leases no more feeds than there are workers, so that none waits for its poll longer than another poll takes.
func (p *Poller) claim(ctx context.Context) ([]aggregator.Lease, error) {
	leases, err := p.Queue.Claim(ctx, p.Now().UTC(), 2*p.Timeout+leaseMargin, p.Workers)
	if err != nil {
		return nil, fmt.Errorf("claim due feeds: %w", err)
	}
	return leases, nil
}

// offer hands the leases to the workers and gives back those that are left when ctx ends.
func (p *Poller) offer(ctx context.Context, jobs chan<- aggregator.Lease, leases []aggregator.Lease) error {
	for i, lease := range leases {
		select {
		case jobs <- lease:
		case <-ctx.Done():
			p.release(leases[i:]...)
			return context.Cause(ctx)
		}
	}
	return nil
}

// upTo gives back the leases of feeds that fell due after the pass began: they are the next pass's.
func (p *Poller) upTo(began time.Time, leases []aggregator.Lease) []aggregator.Lease {
	for i, lease := range leases {
		if lease.State.Due.After(began) {
			p.release(leases[i:]...)
			return leases[:i]
		}
	}
	return leases
}

// one makes one poll and logs it.
func (p *Poller) one(ctx context.Context, lease aggregator.Lease) (aggregator.PollRecord, error) {
	record, err := p.poll(ctx, lease)
	p.log(ctx, lease.Feed, record, err)
	return record, err
}

func (p *Poller) log(ctx context.Context, feed aggregator.Feed, r aggregator.PollRecord, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
		p.Log.Info("poll abandoned", "feed", feed.ID)
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

// sleep is a pause that a Wake ends too.
func (p *Poller) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.wake:
	case <-ctx.Done():
	}
}
