package bolt_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

func TestFilterLetsThroughWhatIsThereAndHardlyAnythingElse(t *testing.T) {
	for _, size := range []int{1, 10, 1000, 100_000} {
		rnd := rand.New(rand.NewPCG(1, uint64(size)))
		keys, others := make([]uint64, 10_000), make([]uint64, size)
		for i := range keys {
			keys[i] = rnd.Uint64()
		}
		for i := range others {
			others[i] = rnd.Uint64()
		}
		through, all := bolt.Filtered(keys, others)
		if !all {
			t.Errorf("a filter of %d keys lacks some of them", size)
		}
		if through > len(keys)*2/100 {
			t.Errorf("a filter of %d keys lets through %d of %d others, want at most two in a hundred", size, through, len(keys))
		}
	}
}

// stored are items that a test has put into a store.
type stored struct {
	*bolt.Store
	ids []aggregator.ItemID
}

// add puts in n items more, in polls of the given size.
func (s *stored) add(t *testing.T, n, poll int) {
	t.Helper()
	for ; n > 0; n -= poll {
		l := claimAll(t, s.Store)[0]
		var items []aggregator.Item
		for range poll {
			it := newItem(l.Feed, len(s.ids), 20)
			items, s.ids = append(items, it), append(s.ids, it.ID)
		}
		ok(t, commit(t, s.Store, l, items...))
	}
}

// find looks for each item, and for as many that are not there.
func (s *stored) find(t *testing.T, when string) {
	t.Helper()
	resolve(t, when, s.Store, s.ids, 3)
}

// What is there is found whatever happens to the filter: while it is made, when it is full, when another file has taken the
// place of the one that it was made of.
func TestEverythingIsFoundBehindTheFilter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	s := &stored{Store: openSmall(t, path)}
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	s.add(t, 20, 10)
	s.find(t, "while it may be made")
	left, has := s.Surveyed()
	if !has || left <= 0 {
		t.Fatalf("a filter for %d more keys, %v: want one that has room", left, has)
	}
	s.find(t, "with a filter")
	s.add(t, 200, 10)
	s.find(t, "while a larger one may be made")
	s.Surveyed()
	s.add(t, 10, 10) // One that was full as soon as it was made has another one follow it.
	if left, _ := s.Surveyed(); left <= 0 {
		t.Errorf("the filter has room for %d more keys: no larger one has taken its place", left)
	}
	s.find(t, "with a larger one")

	_, err := s.Compact(t.Context())
	ok(t, err)
	if _, has := s.Surveyed(); has {
		t.Error("there is a filter of the file that was there before the compaction")
	}
	s.find(t, "compacted")
	s.add(t, 50, 10)
	if _, has := s.Surveyed(); !has {
		t.Error("no filter was made of the compacted file")
	}
	s.find(t, "with a filter of the compacted file")
	report, err := s.Check(t.Context(), false)
	ok(t, err)
	if report.Found > 0 || report.Items != len(s.ids) {
		t.Errorf("check: %+v, want %d items", report, len(s.ids))
	}
	ok(t, s.Close())

	s.Store = openSmall(t, path)
	defer s.Close()
	s.add(t, 1, 1)
	if _, has := s.Surveyed(); has {
		t.Errorf("a filter of %d items was made for one that was looked up", len(s.ids))
	}
	s.find(t, "opened again")
}

// Who began to read before items were pruned finds them, whatever filter was made meanwhile.
func TestReadersOfBeforeFindWhatWasPruned(t *testing.T) {
	s := &stored{Store: openSmall(t, filepath.Join(t.TempDir(), "wire.db"))}
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	s.add(t, 20, 10)
	first, err := s.Item(t.Context(), s.ids[0])
	ok(t, err)
	before, after, err := s.Within(first.Story, func() {
		report, err := s.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Items: 1}}, start)
		ok(t, err)
		if report.Items != len(s.ids)-1 {
			t.Fatalf("%+v, want all items but one pruned", report)
		}
		s.Survey()
		if _, has := s.Surveyed(); !has {
			t.Fatal("there is no filter")
		}
	})
	ok(t, err)
	if before != 1 || after != 1 {
		t.Errorf("a transaction has %d reports of a story, and %d when others were pruned, want 1", before, after)
	}
}

// A store may be closed while a filter is made.
func TestCloseWhileAFilterIsMade(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "wire.db")
		s := &stored{Store: openSmall(t, path)}
		ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
		s.add(t, 40, 20)
		s.Surveyed()
		s.Survey()
		ok(t, s.Close())

		s.Store = openSmall(t, path)
		s.find(t, "opened again")
		ok(t, s.Close())
	}
}
