package bolt_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

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

// What is due says what a feed is. Where that is spoiled the feed is polled all the same, and mended by that.
func TestSpoiledEntryOfWhatIsDue(t *testing.T) {
	s := spoiledDue(t, 3, 0, func(block []byte) { block[len(block)-1] ^= 1 })
	problems := func() int {
		t.Helper()
		report, err := s.Check(t.Context(), false)
		ok(t, err)
		return report.Found
	}
	if problems() != 1 {
		t.Error("nothing is spoiled")
	}
	leased := claimAll(t, s)
	if len(leased) != 3 {
		t.Fatalf("%d feeds are leased", len(leased))
	}
	for _, l := range leased {
		l.State.Due = start.Add(time.Hour)
		ok(t, commit(t, s, l, newItem(l.Feed, 1, 10)))
	}
	if n := problems(); n > 0 {
		t.Errorf("%d problems are left", n)
	}
}

// A lease remembers what its feed is. What the operator says of the feed meanwhile counts.
func TestFeedIsDescribedAnewWhileLeased(t *testing.T) {
	s := open(t, t.TempDir()+"/store.db")
	feeds := manyFeeds(3)
	ok(t, s.SyncFeeds(t.Context(), feeds, dueAtStart))
	leases, err := s.Claim(t.Context(), start, time.Hour, 10)
	ok(t, err)
	feeds[1].Title, feeds[1].Tags = "Another", []string{"news"}
	ok(t, s.SyncFeeds(t.Context(), feeds, dueAtStart))
	for _, l := range leases {
		status, err := s.Leased(t.Context(), l)
		ok(t, err)
		want := feeds[slices.IndexFunc(feeds, func(f aggregator.Feed) bool { return f.ID == l.Feed })]
		if d := cmp.Diff(want, status.Feed); d != "" {
			t.Error(d)
		}
		ok(t, s.Commit(t.Context(), aggregator.Poll{Feed: l.Feed, Token: l.Token, State: aggregator.FeedState{Due: start.Add(time.Minute)}}))
	}
	report, err := s.Check(t.Context(), false)
	ok(t, err)
	if report.Found > 0 {
		t.Error(report.Problems)
	}
}

// A feed's id that is spoiled where it is due may be that of no feed, or of another. Nothing is polled or stored for it.
func TestSpoiledIDOfWhatIsDue(t *testing.T) {
	s := spoiledDue(t, 3, 0, func(block []byte) { block[bytes.Index(block, []byte("feed-0000000"))+11] = '8' })
	leases, err := s.Claim(t.Context(), start, time.Hour, 10)
	ok(t, err)
	for _, l := range leases {
		if _, err := s.Leased(t.Context(), l); errors.Is(err, aggregator.ErrLeaseLost) != (l.Feed == "feed-0000008") {
			t.Errorf("%s: %v", l.Feed, err)
		}
	}
	repaired(t, s, 3)
}

// A block of what is due that cannot be read keeps no feed but its own from being polled, whatever else is due then.
func TestBlockOfWhatIsDueThatCannotBeRead(t *testing.T) {
	const feeds, inBlock = 100, 32
	s := spoiledDue(t, feeds, 1, func(block []byte) { block[0]++ })
	leased := claimAll(t, s)
	if len(leased) != feeds-inBlock {
		t.Errorf("%d feeds are leased", len(leased))
	}
	for _, l := range leased {
		ok(t, commit(t, s, l, newItem(l.Feed, 1, 10))) // which is due as before, in front of the block and behind it
	}
	// A feed of the block is polled by hand, and due from then on.
	lost := manyFeeds(feeds)[inBlock].ID
	l, err := s.ClaimFeed(t.Context(), lost, start, time.Hour)
	ok(t, err)
	ok(t, s.Commit(t.Context(), aggregator.Poll{Feed: lost, Token: l.Token, State: aggregator.FeedState{Due: start.Add(-time.Minute)}}))
	if leases, err := s.Claim(t.Context(), start, time.Hour, 1); err != nil || len(leases) != 1 || leases[0].Feed != lost {
		t.Errorf("due first are %v, %v", leases, err)
	}
	repaired(t, s, feeds)
}

// spoiledDue is a store of so many feeds, all due at start, one of whose blocks of what is due was changed in the file.
func spoiledDue(t *testing.T, feeds, block int, spoil func(block []byte)) *bolt.Store {
	t.Helper()
	path := t.TempDir() + "/store.db"
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(feeds), dueAtStart))
	ok(t, s.Close())
	write(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("due-blocks"))
		c := b.Cursor()
		k, v := c.First()
		for range block {
			k, v = c.Next()
		}
		v = bytes.Clone(v)
		spoil(v)
		return b.Put(bytes.Clone(k), v)
	})
	return open(t, path)
}

// repaired repairs the store, and then claims so many feeds.
func repaired(t *testing.T, s *bolt.Store, feeds int) {
	t.Helper()
	report, err := s.Check(t.Context(), true)
	ok(t, err)
	if report.Found == 0 || !report.Repaired {
		t.Errorf("%+v", report)
	}
	report, err = s.Check(t.Context(), false)
	ok(t, err)
	if report.Found > 0 {
		t.Errorf("after the repair: %v", report.Problems)
	}
	if leases, err := s.Claim(t.Context(), start.Add(24*time.Hour), time.Hour, 2*feeds); err != nil || len(leases) != feeds {
		t.Errorf("%d feeds are leased, %v", len(leases), err)
	}
}

// Where not even the key of a block can be read it is not known what is to come in front of it: polls fail, and end.
func TestKeyOfWhatIsDueThatCannotBeRead(t *testing.T) {
	path := t.TempDir() + "/store.db"
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(3), dueAtStart))
	ok(t, s.Close())
	write(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("due-blocks")).Put([]byte("\x00\x00\x00\x00\xff"), []byte{7})
	})
	s = open(t, path)
	leased := claimAll(t, s)
	if len(leased) != 3 {
		t.Fatalf("%d feeds are leased", len(leased))
	}
	leased[0].State.Due = start.Add(time.Hour)
	expectError(t, commit(t, s, leased[0]), path, "damaged")
	repaired(t, s, 3)
}
