package schedule_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

// A simulated year: the feed has published for half a year when it is added, and is watched for half a year.
const (
	published = 26 * 7 * 24 * time.Hour
	watched   = 26 * 7 * 24 * time.Hour
	listed    = 20 // items in the document
)

// days calls f with each midnight of the simulated year.
func days(f func(midnight time.Time)) {
	for t := added.Add(-published).Truncate(24 * time.Hour); t.Before(added.Add(watched)); t = t.Add(24 * time.Hour) {
		f(t)
	}
}

// rhythm is a way to publish: the times of all items, in order.
type rhythm struct {
	name  string
	times func(r *rand.Rand) []time.Time
	// gain is by how much the mean delay must be below that of a fixed interval of the same cost: fixed / adaptive.
	gain float64
	// polls is what a day may cost at most.
	polls float64
}

// about is a time around the given one: with a standard deviation of spread.
func about(r *rand.Rand, t time.Time, spread time.Duration) time.Time {
	return t.Add(time.Duration(r.NormFloat64() * float64(spread)))
}

func poisson(r *rand.Rand, from, to time.Time, mean time.Duration) (out []time.Time) {
	for t := from; ; {
		t = t.Add(time.Duration(r.ExpFloat64() * float64(mean)))
		if !t.Before(to) {
			return out
		}
		out = append(out, t)
	}
}

var rhythms = []rhythm{
	{"daily at 9", func(r *rand.Rand) (out []time.Time) {
		days(func(d time.Time) { out = append(out, about(r, d.Add(9*time.Hour), 10*time.Minute)) })
		return out
	}, 4, 8},
	{"each minute", func(*rand.Rand) (out []time.Time) {
		days(func(d time.Time) {
			for m := range 24 * 60 {
				out = append(out, d.Add(time.Duration(m)*time.Minute))
			}
		})
		return out
	}, 0.95, 144},
	{"bursts at rush hours", func(r *rand.Rand) (out []time.Time) {
		days(func(d time.Time) {
			for _, h := range []time.Duration{7, 17} {
				out = append(out, poisson(r, d.Add(h*time.Hour), d.Add((h+2)*time.Hour), 5*time.Minute)...)
			}
		})
		return out
	}, 3, 30},
	{"weekly", func(r *rand.Rand) (out []time.Time) {
		days(func(d time.Time) {
			if d.Weekday() == time.Tuesday {
				out = append(out, about(r, d.Add(14*time.Hour), 30*time.Minute))
			}
		})
		return out
	}, 2.5, 4},
	{"weekdays, office hours", func(r *rand.Rand) (out []time.Time) {
		days(func(d time.Time) {
			if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
				out = append(out, poisson(r, d.Add(8*time.Hour), d.Add(17*time.Hour), time.Hour)...)
			}
		})
		return out
	}, 2, 20},
	{"a digest of 10 at 6", func(r *rand.Rand) (out []time.Time) {
		days(func(d time.Time) {
			at := about(r, d.Add(6*time.Hour), 5*time.Minute)
			for i := range 10 {
				out = append(out, at.Add(time.Duration(i)*time.Second))
			}
		})
		return out
	}, 4, 8},
	{"hourly on the hour", func(r *rand.Rand) (out []time.Time) {
		days(func(d time.Time) {
			for h := range 24 {
				out = append(out, d.Add(time.Duration(h)*time.Hour))
			}
		})
		return out
	}, 0.95, 54},
	{"irregular, 12 a day", func(r *rand.Rand) []time.Time {
		return poisson(r, added.Add(-published), added.Add(watched), 2*time.Hour)
	}, 0.92, 36},
	{"irregular, 1 a day", func(r *rand.Rand) []time.Time {
		return poisson(r, added.Add(-published), added.Add(watched), 24*time.Hour)
	}, 0.92, 13},
	{"dead for a quarter", func(r *rand.Rand) []time.Time {
		return poisson(r, added.Add(-published), added.Add(-published/2), 24*time.Hour)
	}, 0, 2},
	{"dies after a quarter", func(r *rand.Rand) []time.Time {
		return poisson(r, added.Add(-published), added.Add(watched/2), time.Hour)
	}, 1.5, 28},
	{"wakes after a quarter", func(r *rand.Rand) []time.Time {
		return append(poisson(r, added.Add(-published), added.Add(-published*9/10), 24*time.Hour),
			poisson(r, added.Add(watched/2), added.Add(watched), 20*time.Minute)...)
	}, 1.2, 40},
}

// run is what a simulation found.
type run struct {
	polls        int
	delay, worst time.Duration // mean and greatest from publication to discovery
	items        int
	missed       int // items that had left the document before it was polled
}

// simulate polls a feed on the given spec. With dated false the document has no dates.
func simulate(t testing.TB, spec schedule.Spec, times []time.Time, dated bool) run {
	t.Helper()
	var (
		out      run
		pace     aggregator.Pace
		total    time.Duration
		previous time.Time
	)
	seen := 0 // items that were found or missed so far
	for now := added; now.Before(added.Add(watched)); {
		there, _ := slices.BinarySearchFunc(times, now.Add(time.Nanosecond), time.Time.Compare)
		first := max(seen, there-listed)
		answer := schedule.Answer{At: now, Previous: previous, OK: true, Status: 200, Listed: min(listed, there)}
		for _, at := range times[first:there] {
			if !previous.IsZero() {
				total += now.Sub(at)
				out.worst = max(out.worst, now.Sub(at))
				out.items++
			}
			if !dated {
				at = time.Time{}
			}
			answer.Arrivals = append(answer.Arrivals, at)
		}
		if !previous.IsZero() {
			out.missed += first - seen
		}
		seen, previous = there, now
		pace = schedule.Learn(pace, answer)
		now = schedule.Due(spec, "feed", schedule.Outcome{Now: now, Status: 200, Pace: pace}, fixed(0))
		out.polls++
		if out.polls > 100_000 {
			t.Fatal("more than 100,000 polls")
		}
	}
	if out.items > 0 {
		out.delay = total / time.Duration(out.items)
	}
	return out
}

// fixedDelay is the mean delay of polls that are an equal distance apart, over all phases.
func fixedDelay(times []time.Time, polls int) time.Duration {
	const phases = 16
	distance := watched / time.Duration(polls)
	var total time.Duration
	n := 0
	for phase := range phases {
		start := added.Add(distance * time.Duration(phase) / phases)
		for _, at := range times {
			if at.Before(added) || at.After(added.Add(watched)) {
				continue
			}
			wait := distance - at.Sub(start)%distance
			if wait > distance {
				wait -= distance
			}
			total += wait
			n++
		}
	}
	return total / time.Duration(max(n, 1))
}

func TestAdaptiveAgainstAFixedIntervalOfTheSameCost(t *testing.T) {
	for _, dated := range []bool{true, false} {
		t.Logf("dates in the document: %t", dated)
		t.Logf("%-24s %9s %10s %10s %6s %10s %7s", "rhythm", "polls/day", "mean delay", "fixed", "gain", "worst", "missed")
		for _, rh := range rhythms {
			times := rh.times(rand.New(rand.NewPCG(1, 2)))
			got := simulate(t, parse(t, "@adaptive"), times, dated)
			perDay := float64(got.polls) / (watched.Hours() / 24)
			same, gain := fixedDelay(times, got.polls), math.Inf(1)
			if got.items > 0 {
				gain = float64(same) / float64(got.delay)
			}
			t.Logf("%-24s %9.1f %10s %10s %6.2f %10s %7d", rh.name, perDay, got.delay.Round(time.Second),
				same.Round(time.Second), gain, got.worst.Round(time.Minute), got.missed)
			if gain < rh.gain {
				t.Errorf("%s, dates %t: %s from publication to discovery, and %s at a fixed interval of the same cost: want %.2f times better",
					rh.name, dated, got.delay, same, rh.gain)
			}
			if perDay > rh.polls {
				t.Errorf("%s, dates %t: %.1f polls a day, want at most %.1f", rh.name, dated, perDay, rh.polls)
			}
			// What is missed is the price of the first hours after a change of ways.
			if limit := got.items/1000 + 40; got.missed > limit {
				t.Errorf("%s, dates %t: %d of %d items missed, want at most %d", rh.name, dated, got.missed, got.items, limit)
			}
		}
	}
}
