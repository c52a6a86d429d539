package aggregator_test

import (
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

func TestHistoryKeepsTheLastPolls(t *testing.T) {
	var h aggregator.History
	at := time.Date(2026, 3, 1, 12, 0, 59, 0, time.UTC)
	for i, r := range []aggregator.PollRecord{
		{Outcome: aggregator.OutcomeStored, New: 1},
		{Outcome: aggregator.OutcomeStored, Changed: 1},
		{Outcome: aggregator.OutcomeStored},
		{Outcome: aggregator.OutcomeNotModified, Status: 304},
		{Outcome: aggregator.OutcomeFailed, Status: 404, Error: "gone"},
		{Outcome: aggregator.OutcomeFailed, Status: 429, Error: "too often"},
	} {
		r.At = at.Add(time.Duration(i) * time.Hour)
		h = h.Add(r)
	}
	want := []aggregator.Mark{
		aggregator.MarkHeld, aggregator.MarkFailed, aggregator.MarkQuiet, aggregator.MarkQuiet, aggregator.MarkNews, aggregator.MarkNews,
		aggregator.MarkNone,
	}
	for i, mark := range want {
		if h[i].Mark != mark {
			t.Errorf("poll %d before the last: mark %d, want %d", i, h[i].Mark, mark)
		}
	}
	if got := h[5].At(); !got.Equal(at.Truncate(time.Minute)) || got.Location() != time.UTC {
		t.Errorf("the first poll was at %v, want %v", got, at.Truncate(time.Minute))
	}
	for range aggregator.HistoryLen {
		h = h.Add(aggregator.PollRecord{At: at, Outcome: aggregator.OutcomeUnchanged})
	}
	for i, p := range h {
		if p.Mark != aggregator.MarkQuiet {
			t.Errorf("poll %d before the last: mark %d of a poll that is too long ago", i, p.Mark)
		}
	}
}
