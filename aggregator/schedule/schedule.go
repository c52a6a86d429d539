// Package schedule says when a feed is next due: by its cron spec, by how its last polls ended and by what its publisher
// asked for.
//
// A spec is a cron line of five fields, a descriptor (@hourly, @daily, ...) or @every with a duration, as robfig/cron
// reads them, with an optional "CRON_TZ=Europe/Berlin" in front. Without one, its times are in UTC, as all times of the
// project are: the due times live in a store that machines in several zones may share. Or a spec is @adaptive: then the
// feed's own rhythm decides.
//
// Many feeds have the same spec and must not all fire in the same second. So each has a phase, a hash of its id, that
// never changes: a restart moves nothing, and a feed keeps its distance to every other. "@every 30m" means the points of
// an endless line 30 minutes apart that the feed's phase places; a cron time fires a little after its nominal moment, by
// the phase's share of a tenth of the gap to the next one, and at most 5 minutes. It is never early.
//
// Clocks that are put forward and back are handled as robfig/cron does it: a spec of fixed local times skips one that
// does not exist on that day and fires twice at one that exists twice; what fires each hour does so each real hour.
//
// # What publishers say
//
// A spec is the operator's word. A publisher's can delay a poll within it, never hasten it. How long an answer is fresh is
// told by Cache-Control and Expires, else by the document's ttl and sy:updatePeriod; hours and days that a document names
// in skipHours and skipDays are left out. All this is followed up to the operator's ceiling, a day unless he says
// otherwise: a static file's max-age of a year must not cost a feed. So no hint makes a feed be polled less often than
// once a ceiling. A Retry-After is not a hint but a refusal, and has its own ceiling of 7 days.
//
// There is no floor unless the operator sets one: the interval that he writes is a better judge of his feeds than any
// default, and for a busy feed without validators an interval of a day would lose items. Where nobody judged, which is
// what @adaptive means, such a feed is polled once an hour at most.
//
// # Adaptive
//
// What is learnt of a feed is a rate and a profile: how many arrivals there are in an hour on average, and how many times
// more than that in each hour of the day and on each day of the week (their product; in UTC). Items that come within ten
// minutes of each other are one arrival, since one poll brings them all. An arrival's time is the item's date where that
// lies between the last two looks, else any time between them, in equal parts. All counts fade with a half-life of 4
// weeks, and the rate is that of the last 32 arrivals at most, in hours that are weighed by the profile: so it follows a
// feed that changes its ways, and a night is no silence. It is never taken to be more than one arrival in the time since
// the last. A profile is believed as far as its counts differ by more than chance would make them (shape), and only once
// each hour or day was seen more than once. A feed's first document teaches all of that at once.
//
// The next poll is made when the time that items will have waited by then, all together, is expected to come to half of
// the least interval (wait): of all ways to spend a number of polls over many feeds, that leaves the least total of
// waiting. With the default bounds of 10 minutes and a day and a flat profile it means 10 minutes for a feed with
// something new each ten minutes, 24 for one an hour, 2 hours for one a day and 5 for one a week; a profile then moves
// most polls to when something comes. A document half of which would be replaced before that is polled sooner, so that
// nothing is lost. TestAdaptiveAgainstAFixedIntervalOfTheSameCost -v prints what comes of it for a dozen rhythms.
//
// # How poll uses it
//
// After each poll: Outage.Saw, and nothing more during an outage; Moved; Learn and Failures for the feed's new state;
// HostHold for the feeds beside it; Due for when it is next.
//
// Everything is a pure function of its arguments: the clock and the randomness are the caller's. Only Jobs, which runs
// the handful of maintenance jobs on cron's own runner, looks at the clock, and only an Outage remembers anything.
package schedule

import (
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

// Spec is a schedule that Parse has read. Its zero value is not usable.
type Spec struct {
	text string
	// every is the distance of an @every spec, 0 for any other.
	every time.Duration
	// floor and ceiling bound the distances of an @adaptive spec and are 0 for any other; bounded says that they were
	// given.
	floor, ceiling time.Duration
	bounded        bool
	// nominal are the times of any other spec, in zone.
	nominal *cron.SpecSchedule
	zone    *time.Location
	gaps    *gaps
}

// String is the spec as it was given, but for white space.
func (s Spec) String() string { return s.text }

func (s Spec) adaptive() bool { return s.ceiling > 0 }

// Next is the first time after the given one at which the feed fires, in UTC. An adaptive feed's firings depend on its
// rhythm, which Due knows; here they are an hour apart, as far as its bounds allow.
func (s Spec) Next(feed aggregator.FeedID, after time.Time) time.Time {
	switch {
	case s.adaptive():
		return nextPoint(feed, after, min(max(time.Hour, s.floor), s.ceiling))
	case s.every > 0:
		return nextPoint(feed, after, s.every)
	}
	fraction := feed.Phase()
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

// nextPoint is the first of the feed's points after the given time, of those that lie the given distance apart.
func nextPoint(feed aggregator.FeedID, after time.Time, distance time.Duration) time.Time {
	every := int64(distance / time.Second)
	offset := share(feed.Phase(), distance)
	// The point at or before the given time, found in whole seconds: nanoseconds since 1970 do not reach all years.
	at := after.Add(-offset)
	back := at.Unix() % every
	if back < 0 {
		back += every
	}
	point := time.Unix(at.Unix()-back, 0).Add(offset)
	for !point.After(after) {
		point = point.Add(distance)
	}
	return point.UTC()
}

// nextNominal is the first time after the given one that the spec's fields name.
func (s Spec) nextNominal(after time.Time) time.Time {
	return s.gaps.after(after, func(after time.Time) time.Time {
		next := s.nominal.Next(after.In(s.zone))
		if next.IsZero() {
			// Only a 29 February around a year like 2100, which cron looks for five years ahead. One poll too many beats a
			// feed that is never polled again.
			return after.AddDate(5, 0, 0)
		}
		return next
	})
}

// interval is the distance between the firing at the given time and the one that follows.
func (s Spec) interval(feed aggregator.FeedID, at time.Time) time.Duration {
	if s.every > 0 {
		return s.every
	}
	return s.Next(feed, at).Sub(at)
}

// share is the fraction (in parts of 2^64) of d, in whole milliseconds, so that times stay readable.
func share(fraction uint64, d time.Duration) time.Duration {
	whole, _ := bits.Mul64(fraction, uint64(d/time.Millisecond))
	return time.Duration(whole) * time.Millisecond
}
