package schedule_test

import (
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/schedule"
)

func TestHostHold(t *testing.T) {
	now := at(t, "2026-03-02T10:20:00Z")
	for name, c := range map[string]struct {
		status    int
		retry     time.Duration // from now, 0 for none
		throttled int
		jitter    float64
		want      time.Duration
	}{
		"429 as long as it says":           {429, 2 * time.Hour, 1, 0.9, 2 * time.Hour},
		"429 up to 7 days":                 {429, 300 * 24 * time.Hour, 1, 0, 7 * 24 * time.Hour},
		"429 that does not say":            {429, 0, 1, 0, 15 * time.Minute},
		"half of it is jitter":             {429, 0, 1, 0.5, 15*time.Minute - 15*time.Minute/4},
		"429 again and again":              {429, 0, 4, 0, 2 * time.Hour},
		"but a day at most":                {429, 0, 1 << 40, 0, 24 * time.Hour},
		"429 of a feed never counted":      {429, 0, 0, 0, 15 * time.Minute},
		"429 whose Retry-After has passed": {429, -time.Hour, 1, 0, 15 * time.Minute},
		"503 with Retry-After":             {503, time.Hour, 0, 0, time.Hour},
		"503 without is one feed's":        {503, 0, 0, 0, 0},
		"500":                              {500, time.Hour, 0, 0, 0},
		"502":                              {502, time.Hour, 0, 0, 0},
		"504":                              {504, 0, 0, 0, 0},
		"no answer":                        {0, 0, 0, 0, 0},
		"403 with Retry-After":             {403, time.Hour, 0, 0, 0},
		"a redirect's Retry-After":         {200, time.Hour, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var retry, want time.Time
			if c.retry != 0 {
				retry = now.Add(c.retry)
			}
			if c.want != 0 {
				want = now.Add(c.want)
			}
			if got := schedule.HostHold(c.status, retry, now, c.throttled, fixed(c.jitter)); !got.Equal(want) {
				t.Errorf("held until %s, want %s", got, want)
			}
		})
	}
}
