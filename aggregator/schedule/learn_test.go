package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

func TestGoneIsAskedTwiceThenStops(t *testing.T) {
	const stopped, asked = true, false
	start := at(t, "2026-03-02T10:20:00Z")
	type answer struct {
		after  time.Duration // from the start
		status int
	}
	for name, c := range map[string]struct {
		answers []answer
		want    bool
	}{
		"once":                               {[]answer{{0, 410}}, asked},
		"twice within a day, by hand":        {[]answer{{0, 410}, {time.Minute, 410}, {23 * time.Hour, 410}}, asked},
		"again after a day":                  {[]answer{{0, 410}, {24 * time.Hour, 410}}, stopped},
		"again after a fortnight":            {[]answer{{0, 410}, {14 * 24 * time.Hour, 410}}, stopped},
		"a success between":                  {[]answer{{0, 410}, {24 * time.Hour, 200}, {48 * time.Hour, 410}}, asked},
		"an unchanged document between":      {[]answer{{0, 410}, {24 * time.Hour, 304}, {48 * time.Hour, 410}}, asked},
		"a server's error between":           {[]answer{{0, 410}, {24 * time.Hour, 503}, {48 * time.Hour, 410}}, stopped},
		"no answer between":                  {[]answer{{0, 410}, {24 * time.Hour, 0}, {48 * time.Hour, 410}}, stopped},
		"a 404 is never the end":             {[]answer{{0, 404}, {24 * time.Hour, 404}, {48 * time.Hour, 404}}, asked},
		"nor is a 404 after a 410":           {[]answer{{0, 410}, {24 * time.Hour, 404}}, asked},
		"stopped it stays, asked all or not": {[]answer{{0, 410}, {24 * time.Hour, 410}, {48 * time.Hour, 410}}, stopped},
	} {
		t.Run(name, func(t *testing.T) {
			var pace aggregator.Pace
			failures := 0
			var due time.Time
			for _, a := range c.answers {
				answer := schedule.Answer{At: start.Add(a.after), OK: a.status == 200 || a.status == 304, Status: a.status}
				pace, failures = schedule.Learn(pace, answer), schedule.Failures(failures, answer)
				due = schedule.Due(parse(t, "@every 1h"), "f", schedule.Outcome{
					Now: answer.At, Failures: failures, Status: a.status, Pace: pace,
				}, fixed(0))
				if a.status == 410 && due.Sub(answer.At) < 24*time.Hour {
					t.Errorf("after a 410 it waits %s", due.Sub(answer.At))
				}
			}
			if got := pace.Stopped != ""; got != c.want || due.Equal(aggregator.Never) != c.want {
				t.Errorf("stopped: %q, due %s; want stopped: %t", pace.Stopped, due, c.want)
			}
			if c.want && (!strings.Contains(pace.Stopped, "410") || !strings.Contains(pace.Stopped, "2026-03-02")) {
				t.Errorf("stopped without saying why: %q", pace.Stopped)
			}
		})
	}
}

func TestResumeAsksAsIfForTheFirstTime(t *testing.T) {
	start := at(t, "2026-03-02T10:20:00Z")
	gone := func(p aggregator.Pace, after time.Duration) aggregator.Pace {
		return schedule.Learn(p, schedule.Answer{At: start.Add(after), Status: 410})
	}
	pace := schedule.Resume(gone(gone(aggregator.Pace{}, 0), 24*time.Hour))
	if pace.Stopped != "" {
		t.Fatalf("still stopped: %s", pace.Stopped)
	}
	if pace = gone(pace, 48*time.Hour); pace.Stopped != "" {
		t.Errorf("stopped by the first 410 after it was resumed")
	}
	if pace = gone(pace, 72*time.Hour); pace.Stopped == "" {
		t.Errorf("not stopped by the second")
	}
}

func TestFailuresLeaveOutWhatIsNoFaultOfTheFeed(t *testing.T) {
	for name, c := range map[string]struct {
		before int
		answer schedule.Answer
		want   int
	}{
		"a success ends the row":     {7, schedule.Answer{OK: true, Status: 200}, 0},
		"so does a 304":              {7, schedule.Answer{OK: true, Status: 304}, 0},
		"no answer counts":           {0, schedule.Answer{}, 1},
		"an error counts":            {1, schedule.Answer{Status: 500}, 2},
		"a page that is no feed too": {1, schedule.Answer{Status: 200}, 2},
		"a 429 leaves it":            {1, schedule.Answer{Status: 429}, 1},
		"a state that is damaged":    {-3, schedule.Answer{Status: 500}, 1},
	} {
		if got := schedule.Failures(c.before, c.answer); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestNotBeforeIsKept(t *testing.T) {
	// Who asks for all feeds by hand, or restarts with another schedule, must see what the publisher asked for.
	now := at(t, "2026-03-02T10:20:00Z")
	for name, c := range map[string]struct {
		answer schedule.Answer
		want   time.Duration // from now, 0 for none
	}{
		"none":                       {schedule.Answer{Status: 200, OK: true}, 0},
		"a 429's":                    {schedule.Answer{Status: 429, Headers: schedule.Headers{RetryAfter: "7200"}}, 2 * time.Hour},
		"a redirect's, on a success": {schedule.Answer{Status: 200, OK: true, RetryAfter: now.Add(time.Hour)}, time.Hour},
		"the later of two":           {schedule.Answer{Status: 503, RetryAfter: now.Add(3 * time.Hour), Headers: schedule.Headers{RetryAfter: "7200"}}, 3 * time.Hour},
		"cut at 7 days":              {schedule.Answer{Status: 503, Headers: schedule.Headers{RetryAfter: "31536000"}}, 7 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			c.answer.At = now
			pace := schedule.Learn(aggregator.Pace{}, c.answer)
			var want time.Time
			if c.want > 0 {
				want = now.Add(c.want)
			}
			if !pace.NotBefore.Equal(want) {
				t.Errorf("not before %s, want %s", pace.NotBefore, want)
			}
			due := schedule.Due(parse(t, "@every 10m"), "f", schedule.Outcome{Now: now, Status: c.answer.Status, Pace: pace}, fixed(0))
			if due.Before(want) {
				t.Errorf("due %s, asked not before %s", due, want)
			}
		})
	}
}

func TestThrottledCountsARow(t *testing.T) {
	var pace aggregator.Pace
	for i, c := range []struct{ status, want int }{{429, 1}, {429, 2}, {0, 2}, {429, 3}, {200, 0}, {429, 1}, {500, 0}} {
		pace = schedule.Learn(pace, schedule.Answer{At: added.Add(time.Duration(i) * time.Hour), Status: c.status, OK: c.status == 200})
		if pace.Throttled != c.want {
			t.Errorf("answer %d (%d): %d, want %d", i, c.status, pace.Throttled, c.want)
		}
	}
}
