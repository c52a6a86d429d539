package parse

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	ext "github.com/mmcdole/gofeed/extensions"
)

// Hints are what a document says about how often it is worth polling. Each is zero where the document says nothing.
type Hints struct {
	// TTL is RSS's ttl: how long the document may be kept before it is asked for again.
	TTL time.Duration
	// SkipHours are hours of the day in GMT, 0 to 23, sorted, and SkipDays days of the week in GMT in which the feed
	// does not change (RSS 2.0).
	SkipHours []int
	SkipDays  []time.Weekday
	// UpdatePeriod is the Syndication module's period divided by its frequency: how often the feed changes.
	UpdatePeriod time.Duration
	// UpdateBase is a time from which those periods are counted (sy:updateBase).
	UpdateBase time.Time
}

func ttl(minutes string) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(minutes), 64)
	if err != nil || !(n > 0) || n > math.MaxInt32 {
		return 0
	}
	return time.Duration(n * float64(time.Minute))
}

// skipHours reads hours; 24 is midnight, as RSS 0.91 counts.
func skipHours(hours []string) []int {
	var out []int
	for _, h := range hours {
		n, err := strconv.Atoi(strings.TrimSpace(h))
		if err == nil && n >= 0 && n <= 24 && !slices.Contains(out, n%24) {
			out = append(out, n%24)
		}
	}
	slices.Sort(out)
	return out
}

func skipDays(days []string) []time.Weekday {
	var out []time.Weekday
	for _, d := range days {
		for day := time.Sunday; day <= time.Saturday; day++ {
			if strings.EqualFold(strings.TrimSpace(d), day.String()) && !slices.Contains(out, day) {
				out = append(out, day)
			}
		}
	}
	return out
}

// updatePeriod reads sy:updatePeriod and sy:updateFrequency (RSS 1.0 Syndication module).
func updatePeriod(sy map[string][]ext.Extension) time.Duration {
	periods := map[string]time.Duration{
		"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour, "monthly": 30 * 24 * time.Hour,
		"yearly": 365 * 24 * time.Hour,
	}
	period := periods[strings.ToLower(strings.TrimSpace(value(sy, "updatePeriod")))]
	if n, err := strconv.Atoi(strings.TrimSpace(value(sy, "updateFrequency"))); err == nil && n > 0 && n < 10_000 {
		period /= time.Duration(n)
	}
	return period
}

// updateBase reads sy:updateBase, a date as W3C-DTF writes it.
func updateBase(sy map[string][]ext.Extension) time.Time {
	text := strings.TrimSpace(value(sy, "updateBase"))
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
