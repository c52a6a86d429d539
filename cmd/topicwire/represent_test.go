package main

import (
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

func TestRepresent(t *testing.T) {
	item := func(feed aggregator.FeedID, minute, length int) *aggregator.Item {
		return &aggregator.Item{Feed: feed, FirstSeen: time.Unix(int64(60*minute), 0), Content: strings.Repeat("x", length)}
	}
	tests := []struct {
		by   string
		a, b *aggregator.Item
		want int
	}{
		{"priority earliest longest", item("high", 9, 1), item("plain", 1, 9), -1},
		{"priority earliest longest", item("low", 1, 9), item("plain", 9, 1), 1},
		{"priority earliest longest", item("plain", 1, 1), item("other", 2, 9), -1},
		{"priority earliest longest", item("plain", 1, 1), item("other", 1, 9), 1},
		{"priority earliest longest", item("plain", 1, 1), item("other", 1, 1), 0},
		{"longest priority", item("high", 1, 1), item("low", 2, 2), 1},
		{"earliest", item("low", 1, 1), item("high", 2, 2), -1},
	}
	for _, test := range tests {
		compare := represent(config.Publish{
			RepresentedBy: strings.Fields(test.by), Priority: map[aggregator.FeedID]int{"high": 5, "low": -5},
		})
		if got, back := compare(test.a, test.b), compare(test.b, test.a); got != test.want || back != -test.want {
			t.Errorf("by %s, %+v before %+v: %d and %d, want %d", test.by, test.a, test.b, got, back, test.want)
		}
	}
}
