package export_test

import (
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/export"
)

func TestParsePeriod(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		if s == "" {
			return time.Time{}
		}
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, tc := range map[string]struct{ since, until, from, to, problem string }{
		"no bounds":                  {},
		"a month of days":            {since: "2026-01-01", until: "2026-01-31", from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z"},
		"a single day":               {since: "2026-01-31", until: "2026-01-31", from: "2026-01-31T00:00:00Z", to: "2026-02-01T00:00:00Z"},
		"since alone":                {since: "2026-01-31", from: "2026-01-31T00:00:00Z"},
		"until alone":                {until: "2024-02-29", to: "2024-03-01T00:00:00Z"},
		"instants are taken as is":   {since: "2026-01-01T12:00:00Z", until: "2026-01-31T12:00:00Z", from: "2026-01-01T12:00:00Z", to: "2026-01-31T12:00:00Z"},
		"an instant in another zone": {since: "2026-01-01T02:00:00+05:00", from: "2025-12-31T21:00:00Z"},
		"until before since":         {since: "2026-02-01", until: "2026-01-31", problem: "since 2026-02-01 is not before until 2026-01-31"},
		"an empty instant":           {since: "2026-01-01T00:00:00Z", until: "2026-01-01T00:00:00Z", problem: "is not before"},
		"a day that is not":          {since: "2026-02-30", problem: `since "2026-02-30" is neither a day nor an instant: write 2026-01-31`},
		"another order":              {until: "31.01.2026", problem: `until "31.01.2026"`},
		"an instant without a zone":  {until: "2026-01-31T12:00:00", problem: "2026-01-31T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, err := export.ParsePeriod(tc.since, tc.until)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Fatalf("error %v, want one that says %q", err, tc.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !from.Equal(at(tc.from)) || !to.Equal(at(tc.to)) || from.Location() != time.UTC || to.Location() != time.UTC {
				t.Errorf("ParsePeriod(%q, %q) = %v, %v; want %q, %q in UTC", tc.since, tc.until, from, to, tc.from, tc.to)
			}
		})
	}
}
