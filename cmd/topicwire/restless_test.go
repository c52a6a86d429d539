package main

import (
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

func TestRestlessFeedsAreMarked(t *testing.T) {
	status := aggregator.FeedStatus{Active: true, Feed: aggregator.Feed{ID: "a"}}
	for restless, marked := range map[int]bool{0: false, aggregator.RestlessFeed - 1: false, aggregator.RestlessFeed: true} {
		status.State.Restless = restless
		status.State.LastPoll = aggregator.PollRecord{At: status.State.LastPoll.At.AddDate(2026, 0, 0), Outcome: aggregator.OutcomeStored}
		report := newFeedReport(status)
		var shown, listed strings.Builder
		if err := printFeed(&shown, report); err != nil {
			t.Fatal(err)
		}
		if err := printFeeds(&listed, []feedReport{report}); err != nil {
			t.Fatal(err)
		}
		const note = "more than half of its items change at each poll"
		if (report.Restless != nil) != marked || strings.Contains(shown.String(), note) != marked || strings.Contains(listed.String(), note) != marked {
			t.Errorf("%d documents in a row: report %v\n%s\n%s", restless, report.Restless, shown.String(), listed.String())
		}
	}
}
