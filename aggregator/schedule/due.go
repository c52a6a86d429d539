package schedule

import (
	"net/http"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// maxBackoff bounds how long a feed that fails is left alone; maxBackoffRefused the same for answers that say that
	// the feed is not there or not for us, which seldom change within a day. No feed is ever given up.
	maxBackoff        = 24 * time.Hour
	maxBackoffRefused = 7 * 24 * time.Hour
	// MaxRetryAfter is how far a publisher's Retry-After is honoured.
	MaxRetryAfter = 7 * 24 * time.Hour
)

// Outcome is how a poll ended, as far as it matters for the next one.
type Outcome struct {
	// Now is when the poll ended.
	Now time.Time
	// Failures counts the polls in a row that failed, this one included; 0 after a success.
	Failures int
	// Status is the HTTP status of the final answer, 0 where there was none.
	Status int
	// RetryAfter is the time before which the publisher asked not to be asked again; zero for none.
	RetryAfter time.Time
}

// Due is when the feed is to be polled again after the given outcome, in UTC. It is always one of the spec's firings for
// the feed, so that nothing makes a poll come at a time that the spec does not name, or sooner.
//
// After a success it is the next firing; with @every, one that would come sooner than half its distance is passed over,
// since the poll may have been late or asked for by hand.
//
// After failures it is the first firing after a random wait (jitter gives a number in [0, 1)) between nothing and the
// spec's interval, doubled for each further failure in a row up to a day; up to 7 days for 401, 403, 404 and 410.
// An interval that is longer than that stays as it is.
//
// A RetryAfter is waited for in any case, up to MaxRetryAfter from now. After a 429, which is no fault of the feed, it
// takes the place of the random wait.
func Due(spec Spec, feed aggregator.FeedID, o Outcome, jitter func() float64) time.Time {
	earliest := o.Now
	if spec.every > 0 {
		earliest = o.Now.Add(spec.every / 2)
	}
	asked := o.RetryAfter
	if limit := o.Now.Add(MaxRetryAfter); asked.After(limit) {
		asked = limit
	}
	if o.Failures > 0 && !(o.Status == http.StatusTooManyRequests && asked.After(o.Now)) {
		interval := spec.interval(feed, spec.Next(feed, o.Now))
		window := backoff(interval, o.Failures, o.Status)
		earliest = latest(earliest, o.Now.Add(time.Duration(jitter()*float64(window))))
	}
	// A firing at the very moment that was asked for is late enough.
	return spec.Next(feed, latest(earliest, asked.Add(-time.Nanosecond)))
}

// backoff is the longest wait after so many failures in a row.
func backoff(interval time.Duration, failures, status int) time.Duration {
	ceiling := maxBackoff
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
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
