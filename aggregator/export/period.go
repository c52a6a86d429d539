package export

import (
	"fmt"
	"time"
)

// ParsePeriod reads the bounds of a period: from is inclusive, to exclusive, both in UTC, as aggregator.ItemQuery takes
// them; an empty bound is a zero time. A bound is an instant of RFC 3339 ("2026-01-31T12:00:00+05:00") or a day
// ("2026-01-31"), which is the whole day in UTC: a period since and until the same day is that day.
func ParsePeriod(since, until string) (from, to time.Time, err error) {
	if from, _, err = parseBound("since", since); err != nil {
		return time.Time{}, time.Time{}, err
	}
	to, day, err := parseBound("until", until)
	if err != nil {
		return time.Time{}, time.Time{}, err
	}
	if day {
		to = to.AddDate(0, 0, 1)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return time.Time{}, time.Time{}, fmt.Errorf("since %s is not before until %s: nothing can be in that period", since, until)
	}
	return from, to, nil
}

func parseBound(name, s string) (t time.Time, day bool, err error) {
	if s == "" {
		return time.Time{}, false, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), false, nil
	}
	return time.Time{}, false, fmt.Errorf(
		"%s %q is neither a day nor an instant: write 2026-01-31 (the whole day, in UTC) or 2026-01-31T12:00:00Z", name, s)
}
