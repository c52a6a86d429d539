package schedule

import (
	"math"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// slot is how near to each other items are one arrival: one poll brings them all.
	slot = 10 * time.Minute
	// halfLife is the time in which what was learnt counts half.
	halfLife = 28 * 24 * time.Hour
	// backlog is how far the dates of a document are believed to say how often it is published.
	backlog = 2 * halfLife
	// memory is how many arrivals the rate is learnt from at most, so that it follows a feed that changes its ways.
	memory = 32
	// longest is the most hours that a watch without end comes to as they fade.
	longest = float32(halfLife/time.Hour) / math.Ln2
	// priorArrivals in priorHours are what is assumed before anything is known: one a day, given up soon.
	priorArrivals, priorHours = 0.5, 12
	// manyAtOnce is how many items, all of them new, make it likely that more were missed.
	manyAtOnce = 3
)

// look is one successful poll, as far as it tells of the feed's rhythm.
type look struct {
	at time.Time
	// previous is the successful poll before, zero for none.
	previous time.Time
	// fresh are the dates of the items that were new, zero where not known; listed counts all items of the document.
	fresh  []time.Time
	listed int
}

// observe adds what a look found to what was known.
func observe(r aggregator.Rhythm, l look) aggregator.Rhythm {
	mend(&r)
	if r.Seen.IsZero() {
		if l.previous.IsZero() {
			return seed(r, l)
		}
		r.Seen = l.previous.UTC()
	}
	since := r.Seen
	if !l.at.After(since) {
		// The clock was put back: begin anew from what it says now.
		r.Seen = l.at.UTC()
		return r
	}
	fade(&r, l.at.Sub(since))
	times := arrivals(l.fresh, since, l.at)
	r.Fill = fill(l, since, times)
	r.Seen = l.at.UTC()
	r.Covered = min(r.Covered+float32(l.at.Sub(since).Hours()), longest)
	if len(l.fresh) == l.listed && l.listed >= manyAtOnce && len(times) > 1 {
		return overrun(r, since, l.at, times)
	}
	watched := exposure(&r, since, l.at)
	switch {
	case len(times) > 0:
		for _, t := range times {
			count(&r, t, 1)
		}
		r.Arrivals += float32(len(times))
		r.Latest = latest(r.Latest, times[len(times)-1])
	case len(l.fresh) > 0:
		// Something came, and when is not known: some time since the last look.
		spread(&r, since, l.at, 1)
		r.Arrivals++
		r.Latest = l.at.UTC()
	}
	r.Watched = min(r.Watched+float32(watched), longest)
	if r.Arrivals > memory {
		r.Watched *= memory / r.Arrivals
		r.Arrivals = memory
	}
	return r
}

// fill is Rhythm.Fill after a look.
func fill(l look, since time.Time, times []time.Time) time.Duration {
	n := len(l.fresh)
	if n < manyAtOnce || 4*n < l.listed {
		return 0
	}
	took := l.at.Sub(since)
	if n >= l.listed && len(times) > 1 {
		took = l.at.Sub(times[0])
	}
	return time.Duration(float64(took) * float64(l.listed) / float64(2*n))
}

// overrun learns from a look that found not one item of the last one: the document says how long ago it began, and what
// came before that was missed. It was probably as much.
func overrun(r aggregator.Rhythm, since, at time.Time, times []time.Time) aggregator.Rhythm {
	oldest := times[0]
	r.Latest = latest(r.Latest, times[len(times)-1])
	for _, t := range times {
		count(&r, t, 1)
	}
	perHour := float64(len(times)-1) / max(at.Sub(oldest).Hours(), slot.Hours())
	spread(&r, since, oldest, perHour*oldest.Sub(since).Hours())
	// The rate is the document's: that of before did not foresee it.
	r.Arrivals = float32(len(times) - 1)
	r.Watched = float32(exposure(&r, oldest, at))
	return r
}

// seed learns from the dates of a feed's first document.
func seed(r aggregator.Rhythm, l look) aggregator.Rhythm {
	r.Seen = l.at.UTC()
	times := arrivals(l.fresh, time.Time{}, l.at)
	if len(times) == 0 {
		return r
	}
	r.Latest = times[len(times)-1]
	// Where the document reaches back beyond the time that is looked at, all of that time was seen; else only what
	// came after its oldest item.
	start := l.at.Add(-backlog)
	if times[0].After(start) {
		start, times = times[0], times[1:]
	}
	// Of a part of a day, or of a week, one cannot tell what is usual at other times.
	const day = 24 * time.Hour
	seen := l.at.Sub(start)
	wholeDays, wholeWeeks := l.at.Add(-seen.Truncate(day)), l.at.Add(-seen.Truncate(7*day))
	for _, t := range times {
		if !t.After(start) {
			continue
		}
		weight := faded(l.at.Sub(t))
		r.Arrivals += weight
		if t.After(wholeDays) {
			r.ByHour[t.Hour()] += weight
		}
		if t.After(wholeWeeks) {
			r.ByDay[t.Weekday()] += weight
		}
	}
	r.Covered = float32(seen.Hours()) * faded(seen/2)
	r.Watched = float32(exposure(&r, start, l.at)) * faded(seen/2)
	return r
}

// arrivals are the dates in (after, until], oldest first, one of each slot.
func arrivals(dates []time.Time, after, until time.Time) []time.Time {
	var times []time.Time
	for _, t := range dates {
		if !t.IsZero() && t.After(after) && !t.After(until) {
			times = append(times, t.UTC())
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, func(a, b time.Time) bool { return a.Truncate(slot).Equal(b.Truncate(slot)) })
}

func count(r *aggregator.Rhythm, t time.Time, weight float32) {
	r.ByHour[t.Hour()] += weight
	r.ByDay[t.Weekday()] += weight
}

// spread counts arrivals in equal parts over the time in which they came.
func spread(r *aggregator.Rhythm, from, to time.Time, arrivals float64) {
	// What came within a week and more may have come at any time of it.
	from = latest(from, to.Add(-7*24*time.Hour)).UTC()
	whole := to.Sub(from)
	for t := from; t.Before(to); {
		end := t.Truncate(time.Hour).Add(time.Hour)
		if end.After(to) {
			end = to
		}
		count(r, t, float32(arrivals*float64(end.Sub(t))/float64(whole)))
		t = end
	}
}

// fade makes all counts weigh less for the time that has passed.
func fade(r *aggregator.Rhythm, passed time.Duration) {
	f := faded(passed)
	r.Arrivals *= f
	r.Watched *= f
	r.Covered *= f
	for i := range r.ByHour {
		r.ByHour[i] *= f
	}
	for i := range r.ByDay {
		r.ByDay[i] *= f
	}
}

func faded(age time.Duration) float32 { return float32(math.Exp2(-float64(age) / float64(halfLife))) }

// profile is how much more than on average a feed publishes in an hour of the day and on a day of the week.
type profile struct {
	hour [24]float64
	day  [7]float64
}

func profileOf(r *aggregator.Rhythm) (p profile) {
	shape(p.hour[:], r.ByHour[:], float64(r.Covered)/24)
	shape(p.day[:], r.ByDay[:], float64(r.Covered)/(7*24))
	return p
}

// at is that of an hour, counted from the beginning of 1970 in UTC, which was a Thursday.
func (p *profile) at(hour int64) float64 {
	ofWeek := (hour%(7*24) + 7*24 + int64(time.Thursday)*24) % (7 * 24)
	return p.hour[ofWeek%24] * p.day[ofWeek/24]
}

// hourOf is the hour that t is in, counted as for at, and how long it has lasted then.
func hourOf(t time.Time) (hour int64, passed time.Duration) {
	begun := t.UTC().Truncate(time.Hour)
	return begun.Unix() / 3600, t.Sub(begun)
}

// shape is each count over their mean, drawn towards 1 by as much of the difference between the counts as chance alone
// would make (the shrinkage of James and Stein, with Pearson's statistic as the measure): the counts of a feed without
// a rhythm come out nearly flat, and so do a few. Rounds is how many times all of the counts' hours or days were seen:
// before it is 1, some were seen and others not, and the difference says nothing.
func shape(out []float64, counts []float32, rounds float64) {
	var sum float64
	for _, n := range counts {
		sum += float64(n)
	}
	mean := sum / float64(len(counts))
	var statistic float64
	for _, n := range counts {
		statistic += (float64(n) - mean) * (float64(n) - mean)
	}
	trust := 0.0
	if statistic > 0 && rounds > 1 {
		trust = max(0, 1-float64(len(counts)-1)*mean/statistic) * (1 - 1/(rounds*rounds))
	}
	for i, n := range counts {
		out[i] = 1
		if trust > 0 {
			out[i] += trust * (float64(n)/mean - 1)
		}
	}
}

// exposure is the time between two points, in hours, each weighed by the profile: in a feed's busy hours more can be
// learnt from silence than at night.
func exposure(r *aggregator.Rhythm, from, to time.Time) float64 {
	p := profileOf(r)
	return p.exposure(from, to)
}

func (p *profile) exposure(from, to time.Time) (sum float64) {
	const week = 7 * 24 * time.Hour
	if whole := to.Sub(from) / week; whole > 0 {
		sum = float64(whole) * week.Hours() // a week's weights are 1 on average
		from = from.Add(whole * week)
	}
	hour, passed := hourOf(from)
	for left := to.Sub(from); left > 0; hour++ {
		part := min(time.Hour-passed, left)
		sum += part.Hours() * p.at(hour)
		left, passed = left-part, 0
	}
	return sum
}

// wait is how long after a look at the given time the next one is worth making: when the time that items have waited
// since they came, all together, is expected to be half of floor; but at least floor and at most ceiling.
//
// For arrivals at random, at rate λ and with polls d apart, items wait λd²/2 between two polls. To poll each feed when
// that comes to the same number makes the least total of waiting for a given number of polls over all feeds: d grows
// with the square root of the time between arrivals. With half of floor as that number, d is floor where there is an
// arrival in each floor's time.
func wait(r aggregator.Rhythm, at time.Time, floor, ceiling time.Duration) time.Duration {
	mend(&r)
	p := profileOf(&r)
	rate := (float64(r.Arrivals) + priorArrivals) / (float64(r.Watched) + priorHours)
	if !r.Latest.IsZero() && at.After(r.Latest) {
		// A feed that has been silent for long is not what it was.
		rate = min(rate, 1/max(p.exposure(r.Latest, at), slot.Hours()))
	}
	var (
		patience = floor.Hours() / 2
		expected float64 // arrivals since the look
		waited   float64 // hours that they have waited, all together
	)
	var d time.Duration
	for hour, passed := hourOf(at); d < ceiling; hour++ {
		part := time.Hour - passed
		passed = 0
		hours := part.Hours()
		lambda := min(rate*p.at(hour), 1/slot.Hours())
		if more := expected*hours + lambda*hours*hours/2; waited+more < patience {
			waited += more
			expected += lambda * hours
			d += part
			continue
		}
		// It comes to patience within this hour: solve expected·x + lambda·x²/2 = patience - waited.
		left := patience - waited
		x := 2 * left / (expected + math.Sqrt(expected*expected+2*lambda*left))
		d += time.Duration(x * float64(time.Hour))
		break
	}
	if r.Fill > 0 {
		d = min(d, r.Fill)
	}
	return min(max(d, floor), ceiling)
}

// mend forgets what was learnt where its numbers cannot be what observe made.
func mend(r *aggregator.Rhythm) {
	wrong := func(n float32) bool { return !(n >= 0 && n < 1e6) }
	if wrong(r.Arrivals) || wrong(r.Watched) || wrong(r.Covered) || slices.ContainsFunc(r.ByHour[:], wrong) || slices.ContainsFunc(r.ByDay[:], wrong) {
		*r = aggregator.Rhythm{}
	}
}
