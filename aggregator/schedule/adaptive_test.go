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

// lived is the pace of a feed after it was polled through half a year of the rhythm, and the time then.
func lived(t testing.TB, name string) (aggregator.Pace, time.Time) {
	t.Helper()
	i := slices.IndexFunc(rhythms, func(r rhythm) bool { return r.name == name })
	times := rhythms[i].times(rand.New(rand.NewPCG(1, 2)))
	var pace aggregator.Pace
	now := added
	for previous := (time.Time{}); now.Before(added.Add(watched)); now = now.Add(30 * time.Minute) {
		from, _ := slices.BinarySearchFunc(times, previous.Add(time.Nanosecond), time.Time.Compare)
		to, _ := slices.BinarySearchFunc(times, now.Add(time.Nanosecond), time.Time.Compare)
		pace = schedule.Learn(pace, schedule.Answer{
			At: now, Previous: previous, OK: true, Status: 200, Arrivals: times[max(from, to-listed):to], Listed: min(to, listed),
		})
		previous = now
	}
	return pace, now.Add(-30 * time.Minute)
}

func TestAdaptiveKeepsItsBounds(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		spec, rhythm string
		outcome      schedule.Outcome
		jitter       float64
		min, max     time.Duration
	}{
		"each minute, at the floor":              {"@adaptive", "each minute", schedule.Outcome{}, 0, 10 * time.Minute, 12 * time.Minute},
		"or at the one that is given":            {"@adaptive 45m 3h", "each minute", schedule.Outcome{}, 0, 45 * time.Minute, 50 * time.Minute},
		"dead, at the ceiling":                   {"@adaptive", "dead for a quarter", schedule.Outcome{}, 0, day, day + 5*time.Minute},
		"or at the one that is given instead":    {"@adaptive 10m 3h", "dead for a quarter", schedule.Outcome{}, 0, 3 * time.Hour, 3*time.Hour + 5*time.Minute},
		"without validators an hour":             {"@adaptive", "each minute", schedule.Outcome{Unvalidated: true}, 0, time.Hour, 66 * time.Minute},
		"unless bounds are given":                {"@adaptive 10m 24h", "each minute", schedule.Outcome{Unvalidated: true}, 0, 10 * time.Minute, 12 * time.Minute},
		"the operator's floor above all":         {"@adaptive 10m 24h", "each minute", schedule.Outcome{Bounds: schedule.Bounds{Floor: 2 * time.Hour}}, 0, 2 * time.Hour, 125 * time.Minute},
		"a failure never hastens":                {"@adaptive", "each minute", schedule.Outcome{Failures: 1, Status: 500}, 0.999, 10 * time.Minute, 12 * time.Minute},
		"five back off":                          {"@adaptive", "each minute", schedule.Outcome{Failures: 5, Status: 500}, 0.999, 159 * time.Minute, 200 * time.Minute},
		"with full jitter":                       {"@adaptive", "each minute", schedule.Outcome{Failures: 5, Status: 500}, 0, 10 * time.Minute, 12 * time.Minute},
		"a day at most for a server's errors":    {"@adaptive", "each minute", schedule.Outcome{Failures: 99, Status: 500}, 0.999, 23 * time.Hour, day + 5*time.Minute},
		"7 days at most for what is not there":   {"@adaptive", "each minute", schedule.Outcome{Failures: 99, Status: 404}, 0.999, 6 * day, 7*day + 5*time.Minute},
		"410 a day":                              {"@adaptive", "each minute", schedule.Outcome{Failures: 1, Status: 410}, 0, day, day + 5*time.Minute},
		"a Retry-After is waited for":            {"@adaptive", "each minute", schedule.Outcome{Status: 429, RetryAfter: added.Add(watched + 5*time.Hour)}, 0, 4 * time.Hour, 6 * time.Hour},
		"nothing known is not waited for long":   {"@adaptive", "", schedule.Outcome{}, 0, time.Hour, 4 * time.Hour},
		"a greater ceiling is for the very dead": {"@adaptive 10m 336h", "dead for a quarter", schedule.Outcome{}, 0, day, 3 * day},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.outcome
			o.Now = added.Add(watched)
			if c.rhythm != "" {
				o.Pace, o.Now = lived(t, c.rhythm)
			}
			for i := range 50 {
				wait := schedule.Due(parse(t, c.spec), feedID(i), o, fixed(c.jitter)).Sub(o.Now)
				if wait < c.min || wait > c.max {
					t.Errorf("%s waits %s, want %s to %s", feedID(i), wait, c.min, c.max)
				}
			}
		})
	}
}

func TestAdaptiveHonoursHints(t *testing.T) {
	pace, now := lived(t, "each minute")
	pace = schedule.Learn(pace, schedule.Answer{
		At: now, Previous: now.Add(-time.Minute), OK: true, Status: 200, Document: &schedule.Document{TTL: 3 * time.Hour, SkipHours: hours(0, 24)[1:]},
	})
	due := schedule.Due(parse(t, "@adaptive"), "f", schedule.Outcome{Now: now, Pace: pace}, fixed(0))
	if due.Sub(now) < 3*time.Hour || due.Hour() != 0 {
		t.Errorf("due at %s; now is %s, the ttl 3h, and only the first hour of the day is not skipped", due, now)
	}
}

func TestFirstDocumentSetsTheRhythm(t *testing.T) {
	// What a feed lists when it is added says how often to come back, before anything was waited for.
	now := added
	wait := func(apart time.Duration, latest time.Duration) time.Duration {
		answer := schedule.Answer{At: now, OK: true, Status: 200, Listed: listed}
		for i := range listed {
			answer.Arrivals = append(answer.Arrivals, now.Add(-latest-time.Duration(i)*apart))
		}
		pace := schedule.Learn(aggregator.Pace{}, answer)
		return schedule.Due(parse(t, "@adaptive"), "f", schedule.Outcome{Now: now, Pace: pace}, fixed(0)).Sub(now)
	}
	for _, c := range []struct {
		name          string
		apart, latest time.Duration
		min, max      time.Duration
	}{
		{"each minute", time.Minute, 0, 10 * time.Minute, time.Hour},
		{"each hour", time.Hour, 0, 20 * time.Minute, 90 * time.Minute},
		{"each week", 7 * 24 * time.Hour, 24 * time.Hour, 3 * time.Hour, 24 * time.Hour},
		{"years ago", time.Hour, 3 * 365 * 24 * time.Hour, 23 * time.Hour, 25 * time.Hour},
		{"all in the future", time.Hour, -365 * 24 * time.Hour, time.Hour, 4 * time.Hour},
	} {
		if got := wait(c.apart, c.latest); got < c.min || got > c.max {
			t.Errorf("%s: waits %s, want %s to %s", c.name, got, c.min, c.max)
		}
	}
}

func TestNewGuidsForOldItemsAreNoRush(t *testing.T) {
	// A publisher that changes all guids makes every item new, and all of them are old.
	pace, now := lived(t, "weekly")
	spec := parse(t, "@adaptive")
	due := func(p aggregator.Pace) time.Duration {
		return schedule.Due(spec, "f", schedule.Outcome{Now: now, Pace: p}, fixed(0)).Sub(now)
	}
	before := due(pace)
	answer := schedule.Answer{At: now.Add(time.Second), Previous: now, OK: true, Status: 200, Listed: listed}
	for i := range listed {
		answer.Arrivals = append(answer.Arrivals, now.Add(-time.Duration(i+1)*7*24*time.Hour))
	}
	pace = schedule.Learn(pace, answer)
	now = now.Add(time.Second)
	next := due(pace)
	pace = schedule.Learn(pace, schedule.Answer{At: now.Add(next), Previous: now, OK: true, Status: 304})
	now = now.Add(next)
	if again := due(pace); again < before/2 {
		t.Errorf("polls each %s after it, and before each %s", again, before)
	}
}

func TestClockThatIsPutBackDoesNotStopLearning(t *testing.T) {
	pace, now := lived(t, "each minute")
	pace = schedule.Learn(pace, schedule.Answer{At: now.AddDate(30, 0, 0), Previous: now, OK: true, Status: 304})
	for range 50 {
		now = now.Add(10 * time.Minute)
		pace = schedule.Learn(pace, schedule.Answer{
			At: now, Previous: now.Add(-10 * time.Minute), OK: true, Status: 200, Arrivals: []time.Time{now.Add(-time.Minute)}, Listed: listed,
		})
	}
	if wait := schedule.Due(parse(t, "@adaptive"), "f", schedule.Outcome{Now: now, Pace: pace}, fixed(0)).Sub(now); wait > 3*time.Hour {
		t.Errorf("waits %s", wait)
	}
}

func FuzzRhythm(f *testing.F) {
	f.Add(float32(5), float32(100), float32(2), float32(900), int64(0), int64(3600), int64(-600), uint8(3), int64(0))
	f.Add(float32(math.NaN()), float32(math.Inf(1)), float32(-1), float32(1e30), int64(1)<<60, int64(-1), int64(1)<<40, uint8(255), int64(-1)<<62)
	f.Fuzz(func(t *testing.T, count, watchedHours, hour, covered float32, seen, previous, arrival int64, listed uint8, fill int64) {
		// Whatever a damaged store or a publisher's dates make of it, a poll comes within the bounds.
		now := added
		pace := aggregator.Pace{Rhythm: aggregator.Rhythm{
			Seen: now.Add(time.Duration(seen)), Latest: now.Add(time.Duration(arrival)), Arrivals: count, Watched: watchedHours,
			Covered: covered, Fill: time.Duration(fill),
		}}
		for i := range pace.Rhythm.ByHour {
			pace.Rhythm.ByHour[i] = hour * float32(i)
		}
		pace.Rhythm.ByDay[3] = hour
		spec := parse(t, "@adaptive")
		for i := range 3 {
			due := schedule.Due(spec, "f", schedule.Outcome{Now: now, Pace: pace}, fixed(0))
			if wait := due.Sub(now); wait < 10*time.Minute || wait > 24*time.Hour+5*time.Minute {
				t.Fatalf("waits %s", wait)
			}
			answer := schedule.Answer{At: due, Previous: now.Add(time.Duration(previous)), OK: true, Status: 200, Listed: int(listed)}
			for j := range int(listed) {
				answer.Arrivals = append(answer.Arrivals, now.Add(time.Duration(arrival)*time.Duration(i*j)))
			}
			pace, now = schedule.Learn(pace, answer), due
		}
	})
}

func BenchmarkDue(b *testing.B) {
	pace, now := lived(b, "weekdays, office hours")
	hinted := schedule.Learn(pace, schedule.Answer{At: now, Previous: now.Add(-time.Hour), OK: true, Status: 200, Document: &schedule.Document{
		TTL: 3 * time.Hour, SkipHours: []int{1, 3, 5, 7, 9, 11, 13}, SkipDays: []time.Weekday{0, 6},
	}})
	for _, text := range []string{"@every 30m", "0 * * * *", "@adaptive"} {
		spec := parse(b, text)
		for name, o := range map[string]schedule.Outcome{
			"plain": {Now: now, Status: 200, Pace: pace}, "hints": {Now: now, Status: 200, Pace: hinted}, "failures": {Now: now, Failures: 4, Pace: pace},
		} {
			b.Run(text+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					schedule.Due(spec, "lawfare", o, fixed(0.5))
				}
			})
		}
	}
}

func BenchmarkLearn(b *testing.B) {
	pace, now := lived(b, "weekdays, office hours")
	for name, a := range map[string]schedule.Answer{
		"304": {At: now.Add(time.Hour), Previous: now, OK: true, Status: 304, Headers: schedule.Headers{CacheControl: "max-age=600"}},
		"one new": {At: now.Add(time.Hour), Previous: now, OK: true, Status: 200, Listed: listed, Arrivals: []time.Time{now.Add(time.Minute)},
			Headers: schedule.Headers{CacheControl: "max-age=600"}, Document: &schedule.Document{TTL: time.Hour}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				schedule.Learn(pace, a)
			}
		})
	}
}
