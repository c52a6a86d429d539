package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestGapsAreThoseOfTheCalendar asks for times in any order, over changes of the clock too.
func TestGapsAreThoseOfTheCalendar(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for _, text := range []string{"@hourly", "*/7 3-5 * * *", "CRON_TZ=Europe/Berlin 30 2 * * *", "CRON_TZ=Asia/Karachi 0 0 29 2 *", "CRON_TZ=America/St_Johns */20 * * * 0"} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)
		for range 4000 {
			at := begin.Add(time.Duration(random.Int64N(int64(5 * 24 * time.Hour))))
			if random.IntN(2) == 0 {
				at = at.AddDate(0, 7, -4)
			}
			want := s.nominal.Next(at.In(s.zone))
			if want.IsZero() {
				want = at.AddDate(5, 0, 0)
			}
			if got := s.nextNominal(at); !got.Equal(want) {
				t.Fatalf("%s after %s: %s, want %s", text, at, got, want)
			}
		}
	}
}

func TestSpecsRememberNoMoreThanTheyMay(t *testing.T) {
	var specs Specs
	for range 2 {
		for i := range 3 * maxSpecs {
			spec, err := specs.Parse(fmt.Sprintf("@every %ds", i+1))
			if err != nil || spec.every != time.Duration(i+1)*time.Second {
				t.Fatalf("%+v, %v", spec, err)
			}
		}
	}
	if len(specs.read) > maxSpecs {
		t.Errorf("%d are remembered, want at most %d", len(specs.read), maxSpecs)
	}
	if _, err := specs.Parse("@never"); err == nil || len(specs.read["@never"].text) > 0 {
		t.Errorf("a bad spec: error = %v, remembered as %v", err, specs.read["@never"])
	}
}
