package schedule_test

import (
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/schedule"
)

func fixed(v float64) func() float64 { return func() float64 { return v } }

func TestDue(t *testing.T) {
	const (
		hour = time.Hour
		day  = 24 * hour
	)
	for name, c := range map[string]struct {
		spec     string
		failures int
		status   int
		retry    time.Duration // from now, 0 for none
		jitter   float64
		// The wait must be in [min, max].
		min, max time.Duration
	}{
		"success waits for the next firing":               {"@every 1h", 0, 200, 0, 0.99, hour / 2, 3 * hour / 2},
		"a first failure is tried at the next firing":     {"@every 1h", 1, 500, 0, 0, hour / 2, 3 * hour / 2},
		"a first failure waits at most one interval more": {"@every 1h", 1, 500, 0, 0.99, hour / 2, 2 * hour},
		"the third waits up to four intervals":            {"@every 1h", 3, 0, 0, 0.999, 3 * hour, 5 * hour},
		"jitter takes half of it":                         {"@every 1h", 4, 0, 0, 0.5, 4 * hour, 5 * hour},
		"jitter never hastens beyond the spec":            {"@every 1h", 9, 0, 0, 0, hour / 2, 3 * hour / 2},
		"a server's errors wait a day at most":            {"@every 1h", 99, 503, 0, 0.999, 23 * hour, 25 * hour},
		"so do the network's":                             {"@every 1h", 1 << 40, 0, 0, 0.999, 23 * hour, 25 * hour},
		"so does a document that cannot be read":          {"@every 1h", 99, 200, 0, 0.999, 23 * hour, 25 * hour},
		"a refusal waits 7 days at most":                  {"@every 1h", 99, 403, 0, 0.999, 6*day + 23*hour, 7*day + hour},
		"so does a feed that is not there":                {"@every 1h", 99, 404, 0, 0.999, 6*day + 23*hour, 7*day + hour},
		"one that is gone is asked again after a day":     {"@every 1h", 1, 410, 0, 0.999, day, day + hour},
		"so does one that wants a password":               {"@every 1h", 99, 401, 0, 0.999, 6*day + 23*hour, 7*day + hour},
		"a spec rarer than the ceiling keeps its own":     {"@every 240h", 5, 500, 0, 0.999, 120 * hour, 360 * hour},
		"Retry-After is waited for":                       {"@every 1h", 1, 503, 5 * hour, 0, 5 * hour, 6 * hour},
		"Retry-After in full days":                        {"@every 1h", 1, 429, 6 * day, 0, 6 * day, 6*day + hour},
		"Retry-After is cut at 7 days":                    {"@every 1h", 1, 429, 300 * day, 0, 7 * day, 7*day + hour},
		"Retry-After never hastens beyond the spec":       {"@every 1h", 1, 429, time.Second, 0, hour / 2, 3 * hour / 2},
		"Retry-After counts after a redirect's success":   {"@every 1h", 0, 200, 5 * hour, 0, 5 * hour, 6 * hour},
		"a 429 that says how long is no failure":          {"@every 1h", 9, 429, 2 * hour, 0.999, 2 * hour, 3 * hour},
		"a 429 that does not say is one":                  {"@every 1h", 3, 429, 0, 0.999, 3 * hour, 5 * hour},
		"a 503's failures count beside its Retry-After":   {"@every 1h", 4, 503, 2 * hour, 0.999, 7 * hour, 9 * hour},
		"a Retry-After that has passed is none":           {"@every 1h", 3, 429, -hour, 0.999, 3 * hour, 5 * hour},
		"a cron spec backs off by its gaps":               {"0 * * * *", 3, 0, 0, 0.999, 3 * hour, 5 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			spec, now := parse(t, c.spec), at(t, "2026-03-02T10:20:00Z")
			for i := range 50 {
				o := schedule.Outcome{Now: now, Failures: c.failures, Status: c.status}
				if c.retry != 0 {
					o.RetryAfter = now.Add(c.retry)
				}
				due := schedule.Due(spec, feedID(i), o, fixed(c.jitter))
				if wait := due.Sub(now); wait < c.min || wait > c.max {
					t.Errorf("%s waits %s, want %s to %s", feedID(i), wait, c.min, c.max)
				}
				if spec.Next(feedID(i), due.Add(-time.Nanosecond)) != due {
					t.Errorf("%s is no firing of the spec", due)
				}
			}
		})
	}
}

func TestDueKeepsTheHoursThatTheSpecNames(t *testing.T) {
	// A feed that is to be polled at night is retried at night.
	spec, now := parse(t, "0 2 * * *"), at(t, "2026-03-02T02:03:00Z")
	for failures := range 12 {
		for _, jitter := range []float64{0, 0.3, 0.999} {
			due := schedule.Due(spec, "f", schedule.Outcome{Now: now, Failures: failures, Status: 404}, fixed(jitter))
			if due.Hour() != 2 || due.Minute() > 5 {
				t.Errorf("after %d failures due at %s", failures, due)
			}
		}
	}
}

func TestDueOfACronSpecIsItsNextTimeHoweverSoon(t *testing.T) {
	// Whoever writes 8 o'clock wants 8 o'clock, also when the feed was added at a quarter to.
	due := schedule.Due(parse(t, "0 8 * * *"), "f", schedule.Outcome{Now: at(t, "2026-03-02T07:45:00Z")}, fixed(0))
	firing(t, due, at(t, "2026-03-02T08:00:00Z"), 5*time.Minute)
}

func TestDueReturnsToTheSameBeatAfterALatePoll(t *testing.T) {
	spec := parse(t, "@every 1h")
	beat := spec.Next("f", at(t, "2026-03-02T10:00:00Z"))
	for _, c := range []struct {
		late time.Duration
		want time.Duration // after beat
	}{
		{3 * time.Second, time.Hour},
		{29 * time.Minute, time.Hour},
		{31 * time.Minute, 2 * time.Hour},
		{59 * time.Minute, 2 * time.Hour},
	} {
		due := schedule.Due(spec, "f", schedule.Outcome{Now: beat.Add(c.late)}, fixed(0))
		if got := due.Sub(beat); got != c.want {
			t.Errorf("polled %s late, due %s after the beat, want %s", c.late, got, c.want)
		}
	}
}
