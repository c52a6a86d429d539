package bolt_test

import (
	"fmt"
	"math/bits"
	"path/filepath"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

// Whatever is being merged, each id is found, what was changed last counts, and there are few runs.
func TestTablesWhileTheyAreMerged(t *testing.T) {
	s := openSmall(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	want := make(map[aggregator.ItemID]aggregator.Hash)
	merging, most := 0, 0
	for round := range 150 {
		l := claimAll(t, s)[0]
		var items []aggregator.Item
		for i := range 1 + round*7%13 {
			n := round*20 + i
			if i%4 == 3 { // One that is there already, with another text.
				n -= 40
			}
			it := newItem(l.Feed, max(n, 0), 20)
			it.Hash = aggregator.HashOf(it.GUID, string(rune(round)))
			items, want[it.ID] = append(items, it), it.Hash
		}
		ok(t, commit(t, s, l, items...))
		if s.Merging() {
			merging++
		}
		most = max(most, s.Runs())
		if round%10 != 9 {
			continue
		}
		var ids []aggregator.ItemID
		for id := range want {
			ids = append(ids, id)
		}
		for i, k := range resolve(t, fmt.Sprint("round ", round), s, ids, 15) {
			if k.Hash != want[ids[i]] {
				t.Fatalf("round %d: %v is %+v, want %v", round, ids[i], k, want[ids[i]])
			}
		}
		report, err := s.Check(t.Context(), false)
		ok(t, err)
		if report.Found > 0 || report.Items != len(want) {
			t.Fatalf("round %d: %+v, want %d items", round, report, len(want))
		}
	}
	if merging < 20 {
		t.Errorf("a table was being merged after %d of 150 transactions: the test shows too little", merging)
	}
	if limit := 4 * bits.Len(uint(len(want))); most > limit {
		t.Errorf("there were %d runs of %d entries, want at most %d", most, len(want), limit)
	}
}
