package story_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story"
)

// memory is what a store keeps of one feed's items.
type memory struct {
	items   map[aggregator.ItemID]aggregator.Item
	aliases map[aggregator.ItemID]aggregator.ItemID
}

func newMemory() *memory {
	return &memory{map[aggregator.ItemID]aggregator.Item{}, map[aggregator.ItemID]aggregator.ItemID{}}
}

// poll stores a document as the pipeline does: new items and those whose hash is another. It gives the documents' items
// as resolved, and counts what was new and what was changed.
func (m *memory) poll(t *testing.T, document []aggregator.Item) (items []aggregator.Item, fresh, changed int) {
	t.Helper()
	batch := story.Identify("f", home, document, nil)
	var known []aggregator.KnownItem
	for _, id := range batch.Lookups() {
		own := id
		if _, ok := m.items[id]; !ok {
			own = m.aliases[id]
		}
		it, ok := m.items[own]
		known = append(known, aggregator.KnownItem{ID: it.ID, Hash: it.Hash, Found: ok})
	}
	seen := map[aggregator.ItemID]bool{}
	for i, k := range batch.Resolve(known) {
		it := batch.Items[i]
		if seen[it.ID] {
			t.Fatalf("two items of a document have the id %s: %+v", it.ID, document)
		}
		seen[it.ID] = true
		old, stored := m.items[it.ID]
		if stored != k.Found || k.Found && (k.ID != it.ID || k.Hash != old.Hash) {
			t.Fatalf("item %s is answered %+v, stored: %v", it.ID, k, stored)
		}
		switch {
		case !k.Found:
			fresh++
		case k.Hash != it.Hash:
			changed++
		default:
			continue
		}
		m.items[it.ID] = it
		for _, alias := range it.Aliases {
			if _, ok := m.aliases[alias]; !ok {
				m.aliases[alias] = it.ID
			}
		}
	}
	return batch.Items, fresh, changed
}

func TestResolve(t *testing.T) {
	type poll struct {
		document       []aggregator.Item
		fresh, changed int
	}
	doc := func(items ...aggregator.Item) []aggregator.Item { return items }
	const one, two, three = "https://e.org/1", "https://e.org/2", "https://e.org/3"
	for name, polls := range map[string][]poll{
		"the same again": {
			{doc(entry("a", one, "A", ""), entry("", two, "B", ""), entry("", "", "C", "")), 3, 0},
			{doc(entry("a", one, "A", ""), entry("", two, "B", ""), entry("", "", "C", "")), 0, 0},
		},
		"an edited text": {
			{doc(entry("a", one, "A", "x")), 1, 0},
			{doc(entry("a", one, "A", "y")), 0, 1},
		},
		"a new guid with the old link, for good": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("b", one, "A", "")), 0, 1},
			{doc(entry("b", one, "B", "")), 0, 1},
			{doc(entry("b", two, "B", "")), 0, 1},
		},
		"a permalink guid that moves to https": {
			{doc(entry("http://e.org/1", "http://e.org/1", "A", "")), 1, 0},
			{doc(entry("https://e.org/1", "https://e.org/1", "A", "")), 0, 1},
		},
		"a new link with the old guid, and again": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("a", two, "A", "")), 0, 1},
			{doc(entry("a", three, "A", "")), 0, 1},
		},
		"a guid that goes away": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("", one, "A", "")), 0, 1},
		},
		"a guid that is added": {
			{doc(entry("", one, "A", "")), 1, 0},
			{doc(entry("a", one, "A", "")), 0, 1},
		},
		"a new item takes an old item's link while that is listed": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("b", one, "B", ""), entry("a", two, "A", "")), 1, 1},
		},
		"items that swap their links": {
			{doc(entry("a", one, "A", ""), entry("b", two, "B", "")), 2, 0},
			{doc(entry("b", one, "B", ""), entry("a", two, "A", "")), 0, 2},
		},
		"a page that every new item links to": {
			{doc(entry("a", one, "A", ""), entry("b", one, "B", "")), 2, 0},
			{doc(entry("b", one, "B", ""), entry("c", one, "C", "")), 1, 0},
		},
		"a guid that comes to be shared": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("a", two, "B", ""), entry("a", one, "A", "")), 1, 0},
			{doc(entry("a", three, "C", ""), entry("a", two, "B", ""), entry("a", one, "A2", "")), 1, 1},
		},
		"a guid that is no longer shared leads to the item that still has it": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("a", two, "B", ""), entry("a", one, "A", "")), 1, 0},
			{doc(entry("a", two, "B", "")), 0, 0},
			{doc(entry("a", two, "B2", "")), 0, 1},
		},
		"a guid shared by items without links": {
			{doc(entry("a", "", "A", "")), 1, 0},
			{doc(entry("a", "", "B", ""), entry("a", "", "A", "")), 1, 0},
			{doc(entry("a", "", "C", ""), entry("a", "", "B", "")), 1, 0},
		},
		"a link that comes to be shared, without guids": {
			{doc(entry("", one, "A", "")), 1, 0},
			{doc(entry("", one, "B", ""), entry("", one, "A", "")), 1, 0},
			{doc(entry("", one, "C", ""), entry("", one, "B", "")), 1, 0},
		},
		"a link that is no longer shared, without guids": {
			{doc(entry("", one, "B", ""), entry("", one, "A", "")), 2, 0},
			{doc(entry("", one, "B", "")), 0, 0},
		},
		"a briefing with the same words every day, without guids": {
			{doc(entry("", one, "Daily briefing", "Read on")), 1, 0},
			{doc(entry("", two, "Daily briefing", "Read on")), 1, 0},
			{doc(entry("", three, "Daily briefing", "Read on"), entry("", two, "Daily briefing", "Read on")), 1, 0},
		},
		"an item under two guids in turn, then two items": {
			{doc(entry("a", one, "A", "")), 1, 0},
			{doc(entry("b", one, "A", "")), 0, 1},
			{doc(entry("a", one, "A", ""), entry("b", two, "B", "")), 1, 1},
			{doc(entry("b", two, "B2", ""), entry("a", one, "A", "")), 0, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			for i, p := range polls {
				_, fresh, changed := m.poll(t, p.document)
				if fresh != p.fresh || changed != p.changed {
					t.Errorf("poll %d: %d new and %d changed, want %d and %d", i+1, fresh, changed, p.fresh, p.changed)
				}
			}
		})
	}
}

func TestResolveKeepsTheStoredID(t *testing.T) {
	m := newMemory()
	before, _, _ := m.poll(t, []aggregator.Item{entry("old", "https://e.org/1", "A", "")})
	after, _, _ := m.poll(t, []aggregator.Item{entry("new", "https://e.org/1", "A", "")})
	if after[0].ID != before[0].ID {
		t.Errorf("id %s became %s", before[0].ID, after[0].ID)
	}
	if own := aggregator.NewItemID("f", "guid", "new"); !slices.Contains(after[0].Aliases, own) {
		t.Errorf("aliases %v lack the id of the new guid %s", after[0].Aliases, own)
	}
}

// Whatever documents a feed serves: ids are unique within each (poll checks it), the same document again is never news,
// and of an item that no document disputes (its own guid and link) there is one for ever.
func TestResolveOverRandomHistories(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		m := newMemory()
		steady := entry("steady", "https://e.org/steady", "Steady", "")
		var id aggregator.ItemID
		for n := range 8 {
			document := append(randomDocument(random), steady)
			first, _, _ := m.poll(t, document)
			again, fresh, changed := m.poll(t, document)
			if fresh != 0 || changed != 0 {
				t.Fatalf("the same document again: %d new, %d changed: %+v", fresh, changed, document)
			}
			for i := range first {
				if first[i].ID != again[i].ID {
					t.Fatalf("item %+v became %s", first[i], again[i].ID)
				}
			}
			last := first[len(first)-1].ID
			if n > 0 && last != id {
				t.Fatalf("the steady item %s became %s", id, last)
			}
			id = last
		}
	}
}
