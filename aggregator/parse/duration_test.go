package parse_test

import (
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/parse"
)

// TestDurations reads what publishers write into itunes:duration.
func TestDurations(t *testing.T) {
	for written, want := range map[string]time.Duration{
		"1234":           1234 * time.Second,
		" 20:34\n":       20*time.Minute + 34*time.Second,
		"1:20:34":        time.Hour + 20*time.Minute + 34*time.Second,
		"01:20:34.5":     time.Hour + 20*time.Minute + 34*time.Second + 500*time.Millisecond,
		"1234.25":        1234*time.Second + 250*time.Millisecond,
		"0:95":           95 * time.Second,
		"90:00":          90 * time.Minute,
		"PT1H2M3S":       time.Hour + 2*time.Minute + 3*time.Second,
		"PT45M":          45 * time.Minute,
		"1h 20m 34s":     time.Hour + 20*time.Minute + 34*time.Second,
		"58 minutes":     58 * time.Minute,
		"1 hour, 2 mins": time.Hour + 2*time.Minute,
		"36 Min.":        36 * time.Minute,
		"00:00:00":       0,
		"":               0,
		"-5":             0,
		"1:-5":           0,
		"1:2:3:4":        0,
		"NaN":            0,
		"Inf":            0,
		"1e300":          0,
		"soon":           0,
		"hms":            0,
		"10001:00:00":    0,
	} {
		doc, err := parse.Parse([]byte(`<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><item>`+
			`<enclosure url="https://x.example/1.mp3" type="audio/mpeg"/><itunes:duration>`+written+`</itunes:duration></item></channel></rss>`),
			parse.Source{URL: "https://x.example/feed", Seen: seen})
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Items[0].Enclosures[0].Duration; got != want {
			t.Errorf("%q is %s, want %s", written, got, want)
		}
	}
}
