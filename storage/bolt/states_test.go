package bolt_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// What is remembered of a feed's rhythm and its last polls was written at greater length once.
func TestStatesOfOldAreRead(t *testing.T) {
	var s aggregator.FeedState
	s.Pace.Rhythm = aggregator.Rhythm{Arrivals: 1.5, Covered: 30, ByHour: [24]float32{3: 2}, ByDay: [7]float32{6: 0.25}}
	s.History[0] = aggregator.PastPoll{Minute: 29_000_000, Mark: aggregator.MarkFailed}
	s.History[1] = aggregator.PastPoll{Minute: 28_999_940, Mark: aggregator.MarkNews}
	long, short := bolt.LongState(&s), bolt.MakeState(&s)
	for _, record := range [][]byte{long, short} {
		got, err := bolt.ReadState(record)
		ok(t, err)
		if d := cmp.Diff(s, got); d != "" {
			t.Error(d)
		}
	}
	if len(short) >= len(long)/2 {
		t.Errorf("it takes %d bytes, and took %d", len(short), len(long))
	}
}

// Whatever a spoiled file has in the place of a state, reading it ends.
func FuzzState(f *testing.F) {
	var s aggregator.FeedState
	s.Title, s.LastSuccess = "t", start
	s.Pace.Rhythm.ByHour[3] = 1
	s.History[0] = aggregator.PastPoll{Minute: 29_000_000, Mark: aggregator.MarkQuiet}
	f.Add(bolt.MakeState(&s))
	f.Add(bolt.LongState(&s))
	f.Fuzz(func(t *testing.T, record []byte) {
		if s, err := bolt.ReadState(bolt.Summed(record)); err == nil {
			_ = bolt.MakeState(&s)
		}
	})
}

// A poll takes the place of the state that is stored, which may not be the one that was read when it began.
func TestStateChangesWhileItsFeedIsPolled(t *testing.T) {
	for name, change := range map[string]func(s *bolt.Store) error{
		"pruned": func(s *bolt.Store) error {
			_, err := s.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Items: 1}}, start)
			return err
		},
		"made due": func(s *bolt.Store) error { return s.MakeDue(t.Context(), start.Add(-time.Hour)) },
		"nothing":  func(*bolt.Store) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir()+"/store.db")
			ok(t, s.SyncFeeds(t.Context(), manyFeeds(3), dueAtStart))
			for _, l := range claimAll(t, s) {
				l.State.Due = start
				ok(t, commit(t, s, l, newItem(l.Feed, 1, 10), newItem(l.Feed, 2, 10)))
			}
			leased := claimAll(t, s)
			ok(t, change(s))
			for _, l := range leased {
				l.State.Due = start.Add(time.Minute)
				ok(t, commit(t, s, l, newItem(l.Feed, 3, 10)))
			}
			report, err := s.Check(t.Context(), false)
			ok(t, err)
			if report.Found > 0 {
				t.Error(report.Problems)
			}
			if l := claim(t, s, start.Add(time.Hour), 10); len(l) != 3 {
				t.Errorf("%d feeds are due", len(l))
			}
		})
	}
}
