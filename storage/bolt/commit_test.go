package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// withOneItem opens a store in which the first of n feeds has an item.
func withOneItem(t *testing.T, path string, n int) *bolt.Store {
	t.Helper()
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(n), dueAtStart))
	l := claimAll(t, s)[0]
	ok(t, commit(t, s, l, newItem(l.Feed, 0, 100)))
	return s
}

func TestCommitsThatWaitShareOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "wire.db")
		ok(t, withOneItem(t, path, 300).Close())
		before := transactions(t, path)
		s := open(t, path)
		leases := claimAll(t, s)
		release := holdWriting(t, s)
		for _, l := range leases {
			go func() {
				if err := commit(t, s, l, newItem(l.Feed, 1, 100)); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		release()
		synctest.Wait()
		ok(t, s.Close())
		// One for the polls, two in which the refiling notes that it has begun and that it is done.
		if n := transactions(t, path) - before; n != 3 {
			t.Errorf("%d transactions, want 3", n)
		}
	})
}

// transactions counts those that were ever written to the file.
func transactions(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	ok(t, err)
	defer db.Close()
	ok(t, db.View(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	}))
	return n
}

// What callers store at once, of all sizes, is what each of them gave, also where the memory of polls before is used again, some
// of which were refused or had lost their lease.
func TestCallersAtOnceStoreTheirOwn(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(24), dueAtStart))
	want := make(map[aggregator.ItemID]string)
	for round := range 20 {
		var callers sync.WaitGroup
		leases := claimAll(t, s)
		if len(leases) != 24 {
			t.Fatalf("round %d: %d feeds were leased, want all", round, len(leases))
		}
		for i, l := range leases {
			rnd := rand.New(rand.NewPCG(uint64(round), uint64(i)))
			var items []aggregator.Item
			for n := range 1 + rnd.IntN(45) {
				it := newItem(l.Feed, round*20+n, 0) // Some of the last round are there again, with another text.
				it.Content = strings.Repeat(fmt.Sprint(l.Feed, round, n, " "), rnd.IntN(300))
				it.Revision, it.Hash = round+1, aggregator.HashOf(it.Content)
				items = append(items, it)
			}
			var wrong error
			switch (round + i) % 8 {
			case 3:
				items[len(items)/2].Story, wrong = aggregator.StoryID{}, aggregator.ErrRefused
			case 5:
				l.Token++
				wrong = aggregator.ErrLeaseLost
			default:
				for _, it := range items {
					want[it.ID] = it.Content
				}
			}
			callers.Go(func() {
				if err := commit(t, s, l, items...); !errors.Is(err, wrong) {
					t.Errorf("round %d, caller %d: %v, want %v", round, i, err, wrong)
				}
			})
		}
		callers.Wait()
		for _, l := range leases { // of polls that were refused
			ok(t, s.Release(t.Context(), l.Lease))
		}
	}
	found := 0
	for it, err := range s.Items(t.Context(), aggregator.ItemQuery{}) {
		ok(t, err)
		found++
		if content, there := want[it.ID]; !there || content != it.Content {
			t.Fatalf("item %v has %d bytes of text, %.40q, want %d, %.40q", it.GUID, len(it.Content), it.Content, len(content), content)
		}
	}
	if found != len(want) {
		t.Errorf("%d items, want %d", found, len(want))
	}
	report, err := s.Check(t.Context(), false)
	ok(t, err)
	if report.Found > 0 {
		t.Errorf("check: %+v", report)
	}
}

// What a transaction had to say that failed is no part of the next.
func TestFailedTransactionLeavesNothing(t *testing.T) {
	s := openSmall(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(3), dueAtStart))
	stored := 0
	for round := range 12 {
		for i, l := range claimAll(t, s) {
			story := aggregator.NewStoryID("story", fmt.Sprint(round, i)) // of items that are given up, and of those that are stored
			var items []aggregator.Item
			for n := range 4 {
				it := newItem(l.Feed, round*10+n, 20)
				it.Story, it.Topics = story, []aggregator.TopicID{aggregator.TopicID(fmt.Sprint("topic-", round))}
				items = append(items, it)
			}
			given := slices.Clone(items)
			if err := s.GiveUp(round%2 == 0, given...); !errors.Is(err, bolt.ErrGivenUp) {
				t.Fatalf("error = %v, want %v", err, bolt.ErrGivenUp)
			}
			ok(t, commit(t, s, l, items[:2]...))
			stored += 2
			report, err := s.Check(t.Context(), false)
			ok(t, err)
			if report.Found > 0 || report.Items != stored {
				t.Fatalf("round %d: %+v, want %d items", round, report, stored)
			}
		}
	}
}

func TestCommitThatIsGivenUpWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "wire.db")
		ok(t, withOneItem(t, path, 2).Close())
		s := open(t, path)
		defer s.Close()
		l := claimAll(t, s)[1]
		release := holdWriting(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			err := s.Commit(ctx, aggregator.Poll{
				Feed: l.Feed, Token: l.Token, State: l.State, Items: []aggregator.Item{newItem(l.Feed, 0, 100)},
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, want %v", err, context.Canceled)
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		release()
		synctest.Wait()
		if n, err := readAll(t, s); n != 1 || err != nil {
			t.Errorf("%d items, %v; want 1", n, err)
		}
		ok(t, commit(t, s, l)) // The lease still stands.
	})
}

func TestVersionsDoNotGoBackWithTheClock(t *testing.T) {
	now := start
	s, err := bolt.Open(filepath.Join(t.TempDir(), "wire.db"), bolt.Options{Now: func() time.Time { return now }})
	ok(t, err)
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	var last aggregator.Version
	for n, at := range []time.Time{start, start.Add(-time.Hour), start.Add(time.Second)} {
		now = at
		l := claimAll(t, s)[0]
		ok(t, commit(t, s, l, newItem(l.Feed, n, 100)))
		v, err := s.Version(t.Context(), "cloud")
		ok(t, err)
		if v.Seq <= last.Seq || v.Changed.Before(start) || v.Changed.Before(at) {
			t.Errorf("at %v: version %v after %v", at, v, last)
		}
		last = v
	}
}

// A feed may change all that a store has, so that in the middle of a transaction nothing is left of it.
func TestPollThatChangesEverything(t *testing.T) {
	for name, topics := range map[string][]aggregator.TopicID{"no topics": nil, "a topic": {"cloud"}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "wire.db"))
			defer s.Close()
			ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
			items := make([]aggregator.Item, 1500)
			for turn := range 3 {
				l := claimAll(t, s)[0]
				for i := range items {
					items[i] = noisy(l.Feed, i, 1000)
					items[i].Topics, items[i].Revision = topics, 1+turn
					items[i].Hash = aggregator.HashOf(items[i].GUID, string(rune('a'+turn)))
				}
				ok(t, commit(t, s, l, items...))
				ok(t, s.MakeDue(t.Context(), start))
			}
			if got := collect(t, s.Items(t.Context(), aggregator.ItemQuery{})); len(got) != len(items) || got[0].Revision != 3 {
				t.Errorf("%d items, the first at revision %d; want %d at revision 3", len(got), got[0].Revision, len(items))
			}
			report, err := s.Check(t.Context(), false)
			ok(t, err)
			if report.Found > 0 {
				t.Errorf("check found %q", report.Problems)
			}
		})
	}
}
