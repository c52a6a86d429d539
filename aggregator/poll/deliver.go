package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

const (
	// deliverWait is for how long a delivery waits for a poll of the same feed to end, deliverPause how often it looks.
	deliverWait, deliverPause = 10 * time.Second, 50 * time.Millisecond
	// promptGap is the least time between the last poll of a feed and one that a hub asks for.
	promptGap = time.Minute
)

// Deliver stores what is new in a document that a hub has sent for the feed. It is read, compared, filed and committed as
// the answer to a poll is that lists differences (226): what it does not list is not gone. The feed's validators, its due
// time and the record of its last poll stay as they are. When it returns without error what is new is durable.
//
// Where the body is no feed, or one without items, there is news that is to be fetched: the feed is then polled soon, as
// far as its publisher and its host allow, and the record says why. The error is ErrNotFound where no such feed is polled,
// ErrLeased where it is being polled for so long that the delivery cannot wait; any other is the store's.
func (p *Poller) Deliver(ctx context.Context, id aggregator.FeedID, d aggregator.Pushed) (aggregator.PollRecord, error) {
	lease, err := p.take(ctx, id)
	if err != nil {
		return aggregator.PollRecord{}, fmt.Errorf("take feed %q: %w", id, err)
	}
	j, err := p.leased(ctx, lease)
	if err != nil {
		return aggregator.PollRecord{}, err
	}
	at := p.Now().UTC()
	o, unread, err := p.readPushed(ctx, j, d, at)
	if err == nil && unread == nil {
		record := o.State.LastPoll
		o.State = p.withDelivery(j, o, at)
		if err = p.store(ctx, j, o); err == nil {
			p.Log.LogAttrs(ctx, slog.LevelInfo, "push", slog.String("feed", string(id)), slog.Int64("bytes", record.Bytes),
				slog.Int("new", record.New), slog.Int("changed", record.Changed))
			return record, nil
		}
		var panicked panicError
		if errors.Is(err, aggregator.ErrRefused) || errors.As(err, &panicked) {
			// The store is whole, and this document cannot be kept.
			unread, err = err, nil
		}
	}
	if err != nil {
		p.release(lease)
		return aggregator.PollRecord{}, fmt.Errorf("store what a hub sent for feed %q: %w", id, err)
	}
	record := failed(j, &aggregator.PollRecord{Bytes: int64(len(d.Body))}, unread).State.LastPoll
	p.Log.Info("a hub says that there is news; the feed is polled", "feed", id, "reason", record.Error)
	return record, p.hasten(ctx, j, at)
}

// take leases a feed, and waits a while where it is being polled.
func (p *Poller) take(ctx context.Context, id aggregator.FeedID) (aggregator.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, deliverWait)
	defer cancel()
	for {
		lease, err := p.Queue.ClaimFeed(ctx, id, p.Now().UTC(), p.Timeout+leaseMargin)
		if !errors.Is(err, aggregator.ErrLeased) {
			return lease, err
		}
		if pause(ctx, deliverPause); ctx.Err() != nil {
			return lease, err
		}
	}
}

// leased is a job that is not queued, or the lease is given back.
func (p *Poller) leased(ctx context.Context, lease aggregator.Lease) (*job, error) {
	known := new(papers)
	errs := p.Queue.LeasedEach(ctx, []aggregator.Lease{lease}, []*aggregator.FeedStatus{&known.status})
	if err := errs[0]; err != nil {
		p.release(lease)
		return nil, fmt.Errorf("read feed %q: %w", lease.Feed, err)
	}
	return &job{lease: lease, papers: known}, nil
}

// readPushed finds out what of the document is new. unread says why the document cannot be read; err is the store's.
func (p *Poller) readPushed(ctx context.Context, j *job, d aggregator.Pushed, at time.Time) (o *outcome, unread, err error) {
	switch {
	case len(d.Body) == 0:
		return nil, errors.New("the hub sent no document"), nil
	case j.status.State.LastSuccess.IsZero():
		return nil, errors.New("the feed was not polled yet where it is now"), nil
	}
	size := int64(len(d.Body))
	j.at = at
	j.seen = answer{
		outcome: outcome{Poll: aggregator.Poll{State: j.status.State}},
		response: &fetch.Response{
			URL: d.Document, Status: http.StatusIMUsed, ContentType: d.ContentType, Body: d.Body, Bytes: size, Delta: true,
		},
	}
	seen := &j.seen
	o = &seen.outcome
	o.State.LastPoll = aggregator.PollRecord{At: at, Status: http.StatusIMUsed, Bytes: size}
	unread = p.guarded(j.status.Feed.ID, func() error {
		if err := p.read(ctx, j); err != nil {
			return err
		}
		if seen.doc.Listed == 0 {
			return errors.New("the hub sent a feed without items")
		}
		err = p.compare(ctx, j, seen, at, o)
		return nil
	})
	return o, unread, err
}

// withDelivery is the feed's state with what a delivery adds to it: when there was news or a change, and its rhythm.
func (p *Poller) withDelivery(j *job, o *outcome, at time.Time) aggregator.FeedState {
	state := j.status.State
	state.LastNew, state.LastChange = o.State.LastNew, o.State.LastChange
	if len(o.arrivals) > 0 {
		state.Pace.Rhythm = schedule.Learn(state.Pace, schedule.Answer{
			At: at, Previous: state.LastSuccess, OK: true, Arrivals: o.arrivals, Listed: o.State.LastPoll.Listed + len(j.listing),
		}).Rhythm
	}
	return state
}

// Fallback has the feed polled when its schedule says so, though the next poll was put off because a hub tells what is new.
// The error is ErrNotFound where no such feed is polled; where it is being polled there is nothing to do.
func (p *Poller) Fallback(ctx context.Context, id aggregator.FeedID) error {
	now := p.Now().UTC()
	lease, err := p.Queue.ClaimFeed(ctx, id, now, leaseMargin)
	if errors.Is(err, aggregator.ErrLeased) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take feed %q: %w", id, err)
	}
	j, err := p.leased(ctx, lease)
	if err != nil {
		return err
	}
	last := &j.status.State.LastPoll
	return p.hasten(ctx, j, latest(now, p.due(&j.status.Feed, &j.status.State, time.Time{}, last.At.Add(last.Duration), 0)))
}

// hasten gives a leased feed back, due at the given time where it would be later: not before its publisher allows it and
// not too soon after the last poll. One that fails, or that is stopped, is due as before.
func (p *Poller) hasten(ctx context.Context, j *job, at time.Time) error {
	due := latest(latest(at, j.status.State.Pace.NotBefore), j.status.State.LastPoll.At.Add(max(promptGap, p.Bounds.Floor)))
	if !due.Before(j.status.State.Due) || j.status.State.Failures > 0 || j.status.State.Pace.Stopped != "" {
		p.release(j.lease)
		return nil
	}
	lease := j.lease
	lease.Due = due.UTC()
	if err := p.Queue.Postpone(context.WithoutCancel(ctx), lease); err != nil {
		p.release(j.lease)
		return fmt.Errorf("make feed %q due: %w", j.status.Feed.ID, err)
	}
	select {
	case p.sooner <- struct{}{}:
	default:
	}
	return nil
}
