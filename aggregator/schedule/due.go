package schedule

import (
	"net/http"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// maxBackoff bounds how long a feed that fails is left alone; maxBackoffRefused the same for answers that say that
	// the feed is not there or not for us, which seldom change within a day. No feed is ever given up for them.
	maxBackoff        = 24 * time.Hour
	maxBackoffRefused = 7 * 24 * time.Hour
	// goneAgain is how long after a first 410 the feed is asked whether that is meant.
	goneAgain = 24 * time.Hour
	// MaxRetryAfter is how far a publisher's Retry-After is honoured.
	MaxRetryAfter = 7 * 24 * time.Hour
	// DefaultCeiling is Bounds.Ceiling where it is zero.
	DefaultCeiling = 24 * time.Hour
)

// Bounds are the operator's limits to what publishers ask for and to what he asks for himself.
type Bounds struct {
	// Floor is the least distance between two polls of a feed, FloorUnvalidated that of one whose answers have no
	// validators, so that each poll costs the whole document. Zero leaves it to the spec, which is the operator's word.
	Floor, FloorUnvalidated time.Duration
	// Ceiling is how far the publisher's hints (all but a Retry-After) delay a poll at most. Default DefaultCeiling.
	Ceiling time.Duration
}

// Outcome is how a poll ended, as far as it matters for the next one.
type Outcome struct {
	// Now is when the poll ended.
	Now time.Time
	// Failures counts the polls in a row that failed, this one included; 0 after a success.
	Failures int
	// Status is the HTTP status of the final answer, 0 where there was none.
	Status int
	// RetryAfter is the time before which the publisher asked not to be asked again, or before which its host is held
	// (HostHold); zero for none. What the answer itself asked for is in Pace too.
	RetryAfter time.Time
	// Pace is the feed's, after Learn was told of this poll.
	Pace aggregator.Pace
	// Unvalidated says that the feed's document came without ETag and Last-Modified.
	Unvalidated bool
	Bounds      Bounds
}

// Due is when the feed is to be polled again after the given outcome, in UTC, or aggregator.Never for a feed that was
// stopped.
//
// With a cron spec or @every it is one of the spec's firings for the feed, so that nothing makes a poll come at a time
// that the spec does not name, or sooner. (The one exception: a firing that comes a little before the publisher's hints
// end waits for that, within a tenth of the distance to the next firing and 5 minutes, rather than be passed over.) With
// @adaptive it is when the feed's rhythm makes a poll worth it.
//
// After a success it is the next firing; with @every, one that would come sooner than half its distance is passed over,
// since the poll may have been late or asked for by hand.
//
// After failures it is the first firing after a random wait (jitter gives a number in [0, 1)) between nothing and the
// spec's interval, doubled for each further failure in a row up to a day; up to 7 days for 401, 403 and 404. An interval
// that is longer than that stays as it is. After a 410 it is the first firing a day later.
//
// A RetryAfter is waited for in any case, up to MaxRetryAfter from now. After a 429, which is no fault of the feed, it
// takes the place of the random wait.
//
// The publisher's hints delay all that further, up to the ceiling: until the answer is no longer fresh, and to an hour
// and a day that are not to be skipped. They never hasten it.
func Due(spec Spec, feed aggregator.FeedID, o Outcome, jitter func() float64) time.Time {
	if o.Pace.Stopped != "" {
		return aggregator.Never
	}
	now := o.Now.UTC()
	floor := o.Bounds.Floor
	if o.Unvalidated {
		floor = max(floor, o.Bounds.FloorUnvalidated)
	}
	limit := now.Add(DefaultCeiling)
	if o.Bounds.Ceiling > 0 {
		limit = now.Add(o.Bounds.Ceiling)
	}
	hinted := freshUntil(o.Pace.Hints, now)
	if hinted.After(limit) {
		hinted = limit
	}
	hinted = latest(hinted, now.Add(floor))
	beat := beatOf(spec, feed, &o)
	due := beat.delayed(beat.after(beat.earliest(&o, jitter), asked(&o)), hinted)
	// Leaving the hours that are skipped may lead to a firing in the next ones.
	for due.Before(limit) {
		free := open(o.Pace.Hints, due)
		if free.Equal(due) {
			break
		}
		if free.After(limit) {
			free = limit
		}
		due = beat.after(free, time.Time{})
	}
	return due
}

// asked is the time until which the publisher asked not to be asked, as far as it is honoured.
func asked(o *Outcome) time.Time { return honoured(latest(o.RetryAfter, o.Pace.NotBefore), o.Now) }

// honoured is a time before which a publisher asks now not to be asked again, as far as it is kept to.
func honoured(asked, now time.Time) time.Time { return earliest(asked, now.Add(MaxRetryAfter)) }

// beat is when a feed is polled if its publisher has nothing against it.
type beat struct {
	spec Spec
	feed aggregator.FeedID
	// wait is the distance to the next poll of an adaptive spec, 0 for any other spec.
	wait time.Duration
}

func beatOf(spec Spec, feed aggregator.FeedID, o *Outcome) beat {
	b := beat{spec: spec, feed: feed}
	if spec.adaptive() {
		floor := spec.floor
		if o.Unvalidated && !spec.bounded {
			floor = min(max(floor, floorUnvalidated), spec.ceiling)
		}
		b.wait = wait(o.Pace.Rhythm, o.Now, floor, spec.ceiling)
	}
	return b
}

// earliest is the time before which the outcome makes a poll pointless.
func (b *beat) earliest(o *Outcome, jitter func() float64) time.Time {
	now := o.Now.UTC()
	earliest := now.Add(b.wait)
	if b.spec.every > 0 {
		earliest = now.Add(b.spec.every / 2)
	}
	switch {
	case o.Failures <= 0:
	case o.Status == http.StatusTooManyRequests && asked(o).After(now):
	case o.Status == http.StatusGone:
		earliest = latest(earliest, now.Add(goneAgain))
	default:
		interval := b.wait
		if interval == 0 {
			interval = b.spec.interval(b.feed, b.spec.Next(b.feed, now))
		}
		window := backoff(interval, o.Failures, o.Status)
		earliest = latest(earliest, now.Add(time.Duration(jitter()*float64(window))))
	}
	return earliest
}

// after is the first moment of the beat after earliest that is not before asked. Feeds that all wait for the same time
// are spread by their phase.
func (b *beat) after(earliest, asked time.Time) time.Time {
	if b.wait == 0 {
		// A firing at the very moment that was asked for is late enough.
		return b.spec.Next(b.feed, latest(earliest, asked.Add(-time.Nanosecond)))
	}
	return latest(earliest, asked).Add(share(b.feed.Phase(), min(b.wait/maxShare, maxSpread))).UTC()
}

// delayed is the given moment of the beat, or a later one where the publisher's hints end after it.
func (b *beat) delayed(due, hinted time.Time) time.Time {
	if !hinted.After(due) {
		return due
	}
	if b.wait > 0 {
		return b.after(hinted, time.Time{})
	}
	slack := min(b.spec.interval(b.feed, due)/maxShare, maxSpread)
	if next := b.spec.Next(b.feed, latest(due, hinted.Add(-slack)).Add(-time.Nanosecond)); next.After(hinted) {
		return next
	}
	return hinted.UTC()
}

// backoff is the longest wait after so many failures in a row.
func backoff(interval time.Duration, failures, status int) time.Duration {
	ceiling := maxBackoff
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		ceiling = maxBackoffRefused
	}
	for ; failures > 1 && interval < ceiling; failures-- {
		interval *= 2
	}
	return min(interval, ceiling)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
