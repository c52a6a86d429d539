package poll

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
)

var (
	noon      = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	yesterday = noon.AddDate(0, 0, -1)
	lastYear  = noon.AddDate(-1, 0, 0)
	tomorrow  = noon.AddDate(0, 0, 1)
)

func item(key string, change func(*aggregator.Item)) aggregator.Item {
	it := aggregator.Item{
		ID: aggregator.NewItemID("f", "guid", key), GUID: key, Title: key,
		Hash: aggregator.HashOf(key), TextHash: aggregator.HashOf(key),
	}
	if change != nil {
		change(&it)
	}
	return it
}

func TestSettleDatesAndPlacesNewItems(t *testing.T) {
	polledBefore := aggregator.FeedState{LastSuccess: noon.Add(-time.Hour)}
	for name, tc := range map[string]struct {
		previous                   aggregator.FeedState
		published, updated         time.Time
		wantPublished, wantRevised time.Time
		wantOrder                  time.Time
		wantSource                 aggregator.DateSource
		maxAge                     time.Duration
		wantTooOld                 int
	}{
		"the backlog of a new feed lies where it was published": {
			published: lastYear, wantPublished: lastYear, wantRevised: lastYear, wantOrder: lastYear, wantSource: aggregator.DateFromFeed,
		},
		"news since the last poll lie where they were published": {
			previous: polledBefore, published: noon.Add(-time.Minute), wantPublished: noon.Add(-time.Minute),
			wantRevised: noon.Add(-time.Minute), wantOrder: noon.Add(-time.Minute), wantSource: aggregator.DateFromFeed,
		},
		"a back-dated item of a known feed is not buried": {
			previous: polledBefore, published: lastYear, wantPublished: lastYear, wantRevised: lastYear, wantOrder: noon, wantSource: aggregator.DateFromFeed,
		},
		"no date": {
			wantPublished: noon, wantRevised: noon, wantOrder: noon, wantSource: aggregator.DateFromFirstSeen,
		},
		"a date in the future": {
			published: tomorrow, wantPublished: noon, wantRevised: noon, wantOrder: noon, wantSource: aggregator.DateFromFirstSeen,
		},
		"only the date of an update": {
			updated: yesterday, wantPublished: yesterday, wantRevised: yesterday, wantOrder: yesterday, wantSource: aggregator.DateFromFeed,
		},
		"updated after it was published": {
			published: lastYear, updated: yesterday, wantPublished: lastYear, wantRevised: yesterday, wantOrder: lastYear, wantSource: aggregator.DateFromFeed,
		},
		"updated in the future": {
			published: yesterday, updated: tomorrow, wantPublished: yesterday, wantRevised: yesterday, wantOrder: yesterday, wantSource: aggregator.DateFromFeed,
		},
		"older than the feed's max age": {
			published: lastYear, maxAge: 30 * 24 * time.Hour, wantTooOld: 1,
		},
		"no date is never too old": {
			maxAge: time.Hour, wantPublished: noon, wantRevised: noon, wantOrder: noon, wantSource: aggregator.DateFromFirstSeen,
		},
	} {
		t.Run(name, func(t *testing.T) {
			items, tooOld, _ := settle(sighting{
				feed: aggregator.Feed{ID: "f", MaxAge: tc.maxAge}, previous: tc.previous, at: noon,
				items: []aggregator.Item{item("a", func(it *aggregator.Item) { it.Published, it.Updated = tc.published, tc.updated })},
			})
			if tooOld != tc.wantTooOld || len(items) != 1-tc.wantTooOld {
				t.Fatalf("%d items, %d too old; want %d too old", len(items), tooOld, tc.wantTooOld)
			}
			if tooOld > 0 {
				return
			}
			want := item("a", func(it *aggregator.Item) {
				it.Feed, it.Revision, it.FirstSeen, it.Updated = "f", 1, noon, tc.updated
				it.Published, it.Revised, it.OrderTime, it.DateSource = tc.wantPublished, tc.wantRevised, tc.wantOrder, tc.wantSource
			})
			if diff := cmp.Diff(want, items[0]); diff != "" {
				t.Errorf("item (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettleChangedItems(t *testing.T) {
	stored := item("a", func(it *aggregator.Item) {
		it.Feed, it.Revision, it.Seq, it.Story = "f", 2, 7, aggregator.NewStoryID("url", "x")
		it.Published, it.DateSource, it.FirstSeen, it.OrderTime = lastYear, aggregator.DateFromFeed, lastYear, lastYear
		it.Revised = lastYear.AddDate(0, 1, 0)
		it.Aliases = []aggregator.ItemID{aggregator.NewItemID("f", "link", "x")}
	})
	for name, tc := range map[string]struct {
		now          func(*aggregator.Item)
		wantRevision int
		wantRevised  time.Time
	}{
		"a moved date is stored and is no revision": {
			func(it *aggregator.Item) { it.Published, it.Updated = yesterday, yesterday }, 2, stored.Revised,
		},
		"a new text is a revision of now": {
			func(it *aggregator.Item) { it.TextHash = aggregator.HashOf("other") }, 3, noon,
		},
		"a new text with a date of its own": {
			func(it *aggregator.Item) { it.TextHash, it.Updated = aggregator.HashOf("other"), yesterday }, 3, yesterday,
		},
		"a new text with a date in the future": {
			func(it *aggregator.Item) { it.TextHash, it.Updated = aggregator.HashOf("other"), tomorrow }, 3, noon,
		},
		"a new text with a date before the last one's": {
			func(it *aggregator.Item) { it.TextHash, it.Updated = aggregator.HashOf("other"), lastYear }, 3, noon,
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := item("a", tc.now)
			seen.Hash = aggregator.HashOf("changed")
			seen.Story = aggregator.NewStoryID("url", "y")
			seen.Aliases = []aggregator.ItemID{aggregator.NewItemID("f", "link", "y")}
			items, _, _ := settle(sighting{
				feed: aggregator.Feed{ID: "f", MaxAge: time.Hour}, at: noon, items: []aggregator.Item{seen},
				stored: map[aggregator.ItemID]aggregator.Item{stored.ID: stored},
			})
			want := stored
			want.Hash, want.TextHash, want.Updated = seen.Hash, seen.TextHash, seen.Updated
			want.Revision, want.Revised = tc.wantRevision, tc.wantRevised
			want.Aliases = append(want.Aliases, seen.Aliases...)
			if diff := cmp.Diff([]aggregator.Item{want}, items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if len(stored.Aliases) != 1 {
				t.Error("the stored item was written to")
			}
		})
	}
}

func TestSettleKeepsTheOrderOfItemsThatArriveTogether(t *testing.T) {
	at := func(d time.Time) func(*aggregator.Item) { return func(it *aggregator.Item) { it.Published = d } }
	items, _, _ := settle(sighting{
		feed: aggregator.Feed{ID: "f"}, at: noon, previous: aggregator.FeedState{LastSuccess: noon.Add(-time.Hour)},
		items: []aggregator.Item{item("c", at(lastYear)), item("b", at(lastYear)), item("d", at(yesterday)), item("a", at(lastYear))},
	})
	var got []string
	for i, it := range items {
		got = append(got, it.Title)
		if i > 0 && !it.OrderTime.After(items[i-1].OrderTime) {
			t.Errorf("%s is not after %s", it.Title, items[i-1].Title)
		}
	}
	// By date, and from the bottom of the document to its top where the dates are the same.
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestSettleOrdersItemsOldestFirst(t *testing.T) {
	at := func(d time.Time) func(*aggregator.Item) { return func(it *aggregator.Item) { it.Published = d } }
	known := item("known", nil)
	items, _, _ := settle(sighting{
		feed: aggregator.Feed{ID: "f"}, at: noon,
		items:     []aggregator.Item{item("new", at(yesterday)), known, item("old", at(lastYear)), item("undated", nil)},
		unchanged: map[aggregator.ItemID]bool{known.ID: true},
	})
	var got []string
	for _, it := range items {
		got = append(got, it.Title)
	}
	if diff := cmp.Diff([]string{"old", "new", "undated"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
