package parse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/parse"
)

// TestUpdateBase reads what W3C-DTF allows, and nothing from what it does not.
func TestUpdateBase(t *testing.T) {
	for base, want := range map[string]time.Time{
		"2000-01-01T12:00+00:00":    time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC),
		"2000-01-01T12:00:30+05:00": time.Date(2000, 1, 1, 7, 0, 30, 0, time.UTC),
		"2000-01-02":                time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC),
		"last Tuesday":              {},
		"":                          {},
	} {
		doc, err := parse.Parse(fmt.Appendf(nil, `<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>T</title>`+
			`<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency><sy:updateBase>%s</sy:updateBase>`+
			`<item><title>one</title><link>https://x.example/1</link></item></channel></rss>`, base), parse.Source{})
		if err != nil {
			t.Fatal(err)
		}
		if !doc.Hints.UpdateBase.Equal(want) || doc.Hints.UpdatePeriod != 12*time.Hour {
			t.Errorf("updateBase %q: %+v, want %s", base, doc.Hints, want)
		}
	}
}
