package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

// added is when feeds are added in simulations: a Monday.
var added = time.Date(2026, 3, 2, 10, 20, 0, 0, time.UTC)

// at reads an RFC 3339 time.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parse(t testing.TB, spec string) schedule.Spec {
	t.Helper()
	s, err := schedule.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func feedID(i int) aggregator.FeedID { return aggregator.FeedID(fmt.Sprintf("feed-%d", i)) }

func TestParseAccepts(t *testing.T) {
	for _, spec := range []string{
		"0 */2 * * *", "*/15 * * * *", "0 8,20 * * mon-fri", "30 4 1,15 * *", "0 0 29 2 *", "0 0 31 2 mon",
		"5-59/10 * ? * ?", "0 12 * JAN-mar SUN",
		"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
		"@every 1s", "@every 30m", "@every 1h30m", "@every 8784h",
		"CRON_TZ=Asia/Karachi 0 8 * * *", "TZ=Europe/Berlin @daily", "CRON_TZ=UTC @every 30m",
		"  0   8\t* * *  ", "@every   30m", "@adaptive", "@adaptive 10m 24h", "@adaptive 1m 744h", "@adaptive 1h 1h", "CRON_TZ=UTC @adaptive",
	} {
		if _, err := schedule.Parse(spec); err != nil {
			t.Errorf("Parse(%q) = %v", spec, err)
		}
	}
}

func TestParseSaysWhatIsWrongAndHowToMendIt(t *testing.T) {
	for spec, want := range map[string][]string{
		"":                               {`schedule ""`, "empty", "@hourly"},
		"  \n":                           {"empty"},
		"TZ=":                            {"names no time zone", "Europe/Berlin"},
		"CRON_TZ=Europe/Berlin":          {"empty"},
		"CRON_TZ=Mars/Olympus 0 8 * * *": {`unknown time zone "Mars/Olympus"`, "Asia/Karachi"},
		"0 8 * *":                        {"4 fields instead of 5", "minute, hour"},
		"0 0 8 * * *":                    {"6 fields instead of 5", "no field for seconds"},
		"60 * * * *":                     {`field 1 (minute) "60"`, "minutes are 0-59"},
		"0 24 * * *":                     {`field 2 (hour) "24"`, "hours are 0-23"},
		"0 0 0 * *":                      {"field 3 (day of month)", "days are 1-31"},
		"0 0 * 13 *":                     {"field 4 (month)", "1-12 or jan-dec"},
		"0 0 * * 7":                      {"field 5 (day of week)", "Sunday is 0"},
		"0 0 * * funday":                 {"field 5 (day of week)", "funday"},
		"1,,2 * * * *":                   {"field 1", "remove the comma"},
		", * * * *":                      {"field 1", "remove the comma"},
		"*/90 * * * *":                   {"step 90", `"@every 90m"`},
		"0 */24 * * *":                   {"field 2", "step 24"},
		"*/0 * * * *":                    {"field 1", "positive"},
		"20-10 * * * *":                  {"field 1", "beyond end"},
		"0 0 31 2 *":                     {"never comes"},
		"0 0 31 4,6,9,11 *":              {"never comes"},
		"@Hourly":                        {"unknown descriptor", "@hourly", "lower case"},
		"@reboot":                        {"unknown descriptor"},
		"@hourly 5":                      {"unknown descriptor"},
		"@every":                         {"@every takes one duration"},
		"@every 1h 30m":                  {"without spaces", "1h30m"},
		"@every 30":                      {"no unit", `"@every 30m"`},
		"@every 1d":                      {"in hours", `"@every 24h"`},
		"@every soon":                    {"no duration"},
		"@every 500ms":                   {"too short"},
		"@every -1h":                     {"too short"},
		"@every 1500ms":                  {"whole seconds", "write 1s"},
		"@every 9000h":                   {"too long"},
		"@adaptive 10m":                  {"no bounds or two", `"@adaptive 10m 24h"`},
		"@adaptive 10m 24h 1w":           {"no bounds or two"},
		"@adaptive 10 24h":               {"no unit", `"10m"`},
		"@adaptive 10m 1d":               {"in hours", `"24h"`},
		"@adaptive 10m soon":             {"no duration"},
		"@adaptive 30s 24h":              {"too short", "1m"},
		"@adaptive -1h 24h":              {"too short"},
		"@adaptive 10m 800h":             {"too long", "744h"},
		"@adaptive 24h 10m":              {"comes first", `"@adaptive 10m 24h"`},
		"@adaptive 90500ms 24h":          {"whole seconds"},
		strings.Repeat("0", 300):         {"300 bytes"},
	} {
		_, err := schedule.Parse(spec)
		if err == nil {
			t.Errorf("Parse(%q) finds nothing wrong", spec)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("Parse(%q) = %q, which does not say %q", spec, err, w)
			}
		}
	}
}

// firing checks that next is the given nominal time, or later by what the spread allows.
func firing(t *testing.T, next, nominal time.Time, spread time.Duration) {
	t.Helper()
	if next.Before(nominal) || next.After(nominal.Add(spread)) {
		t.Errorf("fires at %s, want %s or up to %s later", next, nominal.UTC(), spread)
	}
}

func TestNextFollowsTheSpec(t *testing.T) {
	for name, c := range map[string]struct {
		spec, after, nominal string
		spread               time.Duration
	}{
		"hourly, spread at most five minutes":     {"@hourly", "2026-03-02T10:20:00Z", "2026-03-02T11:00:00Z", 5 * time.Minute},
		"a tenth of a short gap":                  {"*/10 * * * *", "2026-03-02T10:22:00Z", "2026-03-02T10:30:00Z", time.Minute},
		"every minute, six seconds":               {"* * * * *", "2026-03-02T10:22:06Z", "2026-03-02T10:23:00Z", 6 * time.Second},
		"a zone of its own":                       {"CRON_TZ=Asia/Karachi 0 8 * * *", "2026-03-02T00:00:00Z", "2026-03-02T03:00:00Z", 5 * time.Minute},
		"without a zone in UTC":                   {"0 8 * * *", "2026-03-02T09:00:00+05:00", "2026-03-02T08:00:00Z", 5 * time.Minute},
		"weekdays only":                           {"0 8 * * 1-5", "2026-03-06T12:00:00Z", "2026-03-09T08:00:00Z", 5 * time.Minute},
		"29 February":                             {"0 0 29 2 *", "2026-03-02T00:00:00Z", "2028-02-29T00:00:00Z", 5 * time.Minute},
		"over the end of a year":                  {"@monthly", "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z", 5 * time.Minute},
		"midnight in summer time":                 {"CRON_TZ=Europe/Berlin @daily", "2026-07-01T12:00:00Z", "2026-07-01T22:00:00Z", 5 * time.Minute},
		"noon on the day clocks go forward":       {"CRON_TZ=Europe/Berlin 0 12 * * *", "2026-03-28T12:00:00Z", "2026-03-29T10:00:00Z", 5 * time.Minute},
		"noon on the day clocks go back":          {"CRON_TZ=Europe/Berlin 0 12 * * *", "2026-10-24T11:00:00Z", "2026-10-25T11:00:00Z", 5 * time.Minute},
		"hourly through the hour that is left":    {"CRON_TZ=Europe/Berlin @hourly", "2026-03-29T00:06:00Z", "2026-03-29T01:00:00Z", 5 * time.Minute},
		"hourly through the hour that comes back": {"CRON_TZ=Europe/Berlin @hourly", "2026-10-25T00:06:00Z", "2026-10-25T01:00:00Z", 5 * time.Minute},
		"a time that does not exist is skipped":   {"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z", 5 * time.Minute},
		"a midnight that does not exist":          {"CRON_TZ=America/Sao_Paulo 0 1 * * *", "2018-11-03T12:00:00Z", "2018-11-04T03:00:00Z", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			spec := parse(t, c.spec)
			for i := range 50 {
				next := spec.Next(feedID(i), at(t, c.after))
				firing(t, next, at(t, c.nominal), c.spread)
				if next.Location() != time.UTC {
					t.Fatalf("%s is not in UTC", next)
				}
			}
		})
	}
}

func TestATimeThatExistsTwiceFiresTwice(t *testing.T) {
	spec := parse(t, "CRON_TZ=Europe/Berlin 30 2 * * *")
	first := spec.Next("f", at(t, "2026-10-24T12:00:00Z"))
	firing(t, first, at(t, "2026-10-25T00:30:00Z"), 5*time.Minute)
	second := spec.Next("f", first)
	firing(t, second, at(t, "2026-10-25T01:30:00Z"), 5*time.Minute)
	firing(t, spec.Next("f", second), at(t, "2026-10-26T01:30:00Z"), 5*time.Minute)
}

func TestFeedsOfOneSpecAreSpread(t *testing.T) {
	const feeds = 1000
	for spec, window := range map[string]time.Duration{
		"0 * * * *": 5 * time.Minute, "@every 30m": 30 * time.Minute, "@hourly": 5 * time.Minute, "@every 24h": 24 * time.Hour,
	} {
		t.Run(spec, func(t *testing.T) {
			s, after := parse(t, spec), at(t, "2026-03-02T10:20:00Z")
			seconds := map[int64]int{}
			lo, hi := s.Next(feedID(0), after), s.Next(feedID(0), after)
			for i := range feeds {
				next := s.Next(feedID(i), after)
				seconds[next.Unix()]++
				lo, hi = earlier(lo, next), later(hi, next)
			}
			// With n feeds per second expected, several times as many in one are chance; 15 would be a hash that clumps.
			most, allowed := 0, 4*feeds/int(window/time.Second)+5
			for _, n := range seconds {
				most = max(most, n)
			}
			if most > min(allowed, 18) {
				t.Errorf("%d feeds share a second", most)
			}
			if got := hi.Sub(lo); got > window || got < window*9/10 {
				t.Errorf("feeds are spread over %s, want nearly all of %s", got, window)
			}
		})
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestEachFeedFiresOncePerInterval(t *testing.T) {
	for _, text := range []string{"0 * * * *", "@every 1h"} {
		spec := parse(t, text)
		for i := range 100 {
			feed := feedID(i)
			previous := spec.Next(feed, at(t, "2026-03-02T10:20:00Z"))
			for range 100 {
				next := spec.Next(feed, previous)
				if next.Sub(previous) != time.Hour {
					t.Fatalf("%s, %s: %s follows %s", text, feed, next, previous)
				}
				previous = next
			}
		}
	}
}

func TestPhaseSurvivesARestart(t *testing.T) {
	// A later Parse, another point to start from and a machine in another zone find the same firing.
	for _, text := range []string{"@every 7h", "0 */6 * * *", "@daily", "@adaptive", "@adaptive 10m 20m"} {
		next := parse(t, text).Next("lawfare", at(t, "2026-03-02T10:20:00Z"))
		for _, after := range []time.Time{
			next.Add(-time.Nanosecond), next.Add(-time.Minute), next.Add(-time.Minute).In(time.FixedZone("", 5*3600)),
		} {
			if got := parse(t, text).Next("lawfare", after); !got.Equal(next) {
				t.Errorf("%s after %s: %s, want %s", text, after, got, next)
			}
		}
	}
}

func TestString(t *testing.T) {
	if got := parse(t, " CRON_TZ=UTC  0 8 * *  * ").String(); got != "CRON_TZ=UTC 0 8 * * *" {
		t.Errorf("String = %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{
		"0 */2 * * *", "@every 30m", "CRON_TZ=Europe/Berlin 30 2 * * *", "TZ=", "TZ=UTC", "*/9223372036854775807 * * * *",
		", , , , ,", "0 0 31 2 *", "0 0 29 2 ?", "@every 1e9h", "1-5/2,7-9 * * jan-mar sun", "CRON_TZ=America/Sao_Paulo @daily",
		"@adaptive 10m 24h",
	} {
		f.Add(spec, int64(1_772_446_800))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		spec, err := schedule.Parse(text)
		if err != nil {
			return
		}
		again, err := schedule.Parse(spec.String())
		if err != nil {
			t.Fatalf("%q is read, and written as %q it is not: %v", text, spec.String(), err)
		}
		// Any time of the years 1970 to 2100.
		const span = 130 * 365 * 24 * 3600
		after := time.Unix((unix%span+span)%span, 0)
		next := spec.Next("feed", after)
		if !next.After(after) {
			t.Fatalf("%q after %s fires at %s", text, after, next)
		}
		if !again.Next("feed", after).Equal(next) {
			t.Fatalf("%q and %q fire at different times", text, spec.String())
		}
		if limit := after.AddDate(9, 0, 0); next.After(limit) {
			t.Fatalf("%q after %s fires only at %s", text, after, next)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	for _, text := range []string{"@every 30m", "0 * * * *", "* * * * *", "CRON_TZ=Asia/Karachi 0 8 * * *"} {
		b.Run(text, func(b *testing.B) {
			spec, after := parse(b, text), at(b, "2026-03-02T10:20:00Z")
			b.ReportAllocs()
			for b.Loop() {
				spec.Next("lawfare", after)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"@every 30m", "0 * * * *", "CRON_TZ=Asia/Karachi 0 8 * * *"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(b, text)
			}
		})
	}
}
