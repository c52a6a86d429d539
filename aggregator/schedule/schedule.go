// Package schedule says when a feed is next due: by its cron spec, by how its last polls ended and by what its publisher
// asked for.
//
// A spec is a cron line of five fields, a descriptor (@hourly, @daily, ...) or @every with a duration, as robfig/cron
// reads them, with an optional "CRON_TZ=Europe/Berlin" in front. Without one, its times are in UTC, as all times of the
// project are: the due times live in a store that machines in several zones may share.
//
// Many feeds have the same spec and must not all fire in the same second. So each has a phase, a hash of its id, that
// never changes: a restart moves nothing, and a feed keeps its distance to every other. "@every 30m" means the points of
// an endless line 30 minutes apart that the feed's phase places; a cron time fires a little after its nominal moment, by
// the phase's share of a tenth of the gap to the next one, and at most 5 minutes. It is never early.
//
// Clocks that are put forward and back are handled as robfig/cron does it: a spec of fixed local times skips one that
// does not exist on that day and fires twice at one that exists twice; what fires each hour does so each real hour.
//
// Everything is a pure function of its arguments: the clock and the randomness are the caller's. Only Jobs, which runs
// the handful of maintenance jobs on cron's own runner, looks at the clock.
package schedule

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/topicwire/topicwire/aggregator"
)

// maxSpread bounds how long after its nominal time a cron spec fires; maxShare how large a part of the gap to the next
// nominal time that may be.
const (
	maxSpread = 5 * time.Minute
	maxShare  = 10
)

// Spec is a schedule that Parse has read. It is immutable. Its zero value is not usable.
type Spec struct {
	text string
	// every is the distance of an @every spec, 0 for any other.
	every time.Duration
	// nominal are the times of any other spec, in zone.
	nominal *cron.SpecSchedule
	zone    *time.Location
}

// String is the spec as it was given, but for white space.
func (s Spec) String() string { return s.text }

// First is when a feed that was never polled is due: at once, because whoever added it wants to see something. It is the
// caller's matter not to send all first polls to one host together.
func (s Spec) First(_ aggregator.FeedID, now time.Time) time.Time { return now }

// Next is the first time after the given one at which the feed fires, in UTC.
func (s Spec) Next(feed aggregator.FeedID, after time.Time) time.Time {
	if s.every > 0 {
		return s.nextPoint(feed, after)
	}
	fraction := phase(feed)
	// A nominal time that has passed may still have its firing ahead.
	nominal := s.nextNominal(after.Add(-maxSpread - time.Second))
	for {
		following := s.nextNominal(nominal)
		spread := min(following.Sub(nominal)/maxShare, maxSpread)
		if fires := nominal.Add(share(fraction, spread)); fires.After(after) {
			return fires.UTC()
		}
		nominal = following
	}
}

// nextPoint is Next for an @every spec.
func (s Spec) nextPoint(feed aggregator.FeedID, after time.Time) time.Time {
	every := int64(s.every / time.Second)
	offset := share(phase(feed), s.every)
	// The point at or before the given time, found in whole seconds: nanoseconds since 1970 do not reach all years.
	at := after.Add(-offset)
	back := at.Unix() % every
	if back < 0 {
		back += every
	}
	point := time.Unix(at.Unix()-back, 0).Add(offset)
	for !point.After(after) {
		point = point.Add(s.every)
	}
	return point.UTC()
}

// nextNominal is the first time after the given one that the spec's fields name.
func (s Spec) nextNominal(after time.Time) time.Time {
	next := s.nominal.Next(after.In(s.zone))
	if next.IsZero() {
		// Only a 29 February around a year like 2100, which cron looks for five years ahead. One poll too many beats a
		// feed that is never polled again.
		return after.AddDate(5, 0, 0)
	}
	return next
}

// interval is the distance between the firing at the given time and the one that follows.
func (s Spec) interval(feed aggregator.FeedID, at time.Time) time.Duration {
	if s.every > 0 {
		return s.every
	}
	return s.Next(feed, at).Sub(at)
}

// phase is the feed's own place in [0, 2^64).
func phase(feed aggregator.FeedID) uint64 {
	hash := aggregator.HashOf(string(feed))
	return binary.BigEndian.Uint64(hash[:])
}

// share is the fraction (in parts of 2^64) of d, in whole milliseconds, so that times stay readable.
func share(fraction uint64, d time.Duration) time.Duration {
	whole, _ := bits.Mul64(fraction, uint64(d/time.Millisecond))
	return time.Duration(whole) * time.Millisecond
}
