package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// fullItem has every field set, with what a publisher can do to it.
func fullItem(id aggregator.FeedID) aggregator.Item {
	return aggregator.Item{
		ID: itemID(id, "full"), Aliases: []aggregator.ItemID{itemID(id, "x"), itemID(id, "y")}, Feed: id,
		Story: storyID("full"), Revision: 3, GUID: " \x00\xff", URL: "https://example.org/a?b#c",
		CanonicalURL: "https://example.org/a", Title: "پاکستان", Summary: "<p>s</p>", Content: "<p>\U0001F980</p>",
		Authors:    []aggregator.Author{{Name: "n", Email: "e", URL: "u"}, {Name: "m"}},
		Categories: []string{"", "b", "a", "b"}, Language: "ur",
		Enclosures: []aggregator.Enclosure{{URL: "u", Type: "audio/mpeg", Length: 1 << 50, Duration: time.Hour + 1}, {URL: "v", Length: -1}},
		Comments:   "https://example.org/a#comments", CommentCount: 1 << 20, Source: aggregator.ItemSource{Title: "s", URL: "t"},
		Image:     "https://example.org/i.png",
		Published: time.Unix(0, 0).UTC(), Updated: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		DateSource: aggregator.DateFromFirstSeen, FirstSeen: at(1).Add(1), Revised: at(2).Add(999_999_999),
		OrderTime: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		Topics:    []aggregator.TopicID{"cloud", "privacy"},
		Hash:      aggregator.HashOf("h"), TextHash: aggregator.HashOf("t"),
	}
}

func commitCases() []testCase {
	return []testCase{
		{"an item comes back as it was given, with its Seq, also after reopening", itemRoundTrip},
		{"a state is stored without items and moves no topic", func(b *bench) {
			b.sync("a")
			b.poll("a", item("a", "one", 1, "cloud"))
			before := []aggregator.Version{b.version("cloud"), b.version(aggregator.AllTopics)}
			b.poll("a")
			b.same("versions", []aggregator.Version{b.version("cloud"), b.version(aggregator.AllTopics)}, before)
		}},
		{"items get their Seq in order, above all before", seqOrder},
		{"the store counts a feed's items itself", countItems},
		{"a changed item moves to the end and keeps its place in merged feeds", changedItem},
		{"a new text makes the old one a revision", revisions},
		{"of several items with one id the last counts", func(b *bench) {
			b.sync("a")
			first, other, last := item("a", "one", 1, "cloud"), item("a", "two", 2), item("a", "one", 1, "privacy")
			last.Title = "last"
			b.poll("a", first, other, last)
			b.same("items", guids(b.items()), []string{"two", "one"})
			b.same("title", b.items()[1].Title, "last")
			b.same("count", b.status("a").State.Items, 2)
			b.same("stories of the first's topic", b.stories("cloud"), []aggregator.Story(nil))
		}},
		{"aliases lead to their item, the first to name one has it", aliases},
		{"topics are stored sorted and once", func(b *bench) {
			b.sync("a")
			b.poll("a", item("a", "one", 1, "privacy", "cloud", "privacy", aggregator.AllTopics))
			b.same("topics", b.items()[0].Topics, []aggregator.TopicID{"cloud", "privacy"})
		}},
		{"what the caller does to its values afterwards does not matter", callerKeepsHands},
		{"a poll with an item that cannot be stored changes nothing and keeps its lease", badItem},
		{"a poll whose lease is lost changes nothing", func(b *bench) {
			b.sync("a")
			l := b.lease("a")
			l.Token++
			want := b.status("a")
			b.is(b.store.Commit(b.ctx, outcome(l, item("a", "one", 1, "cloud"))), aggregator.ErrLeaseLost)
			b.same("status", b.status("a"), want)
			b.same("items", b.items(), []aggregator.Item(nil))
			b.same("version", b.version(aggregator.AllTopics), aggregator.Version{})
		}},
		{"of many commits at once each fails for itself", commitAtOnce},
		{"of two commits of one lease at once one is stored", commitTwice},
	}
}

func itemRoundTrip(b *bench) {
	b.sync("a")
	want := fullItem("a")
	b.poll("a", want, item("a", "small", 1))
	want.Seq = b.items()[0].Seq
	if want.Seq == 0 {
		b.Error("the item has no Seq")
	}
	for range 2 {
		got, err := b.store.Item(b.ctx, want.ID)
		b.ok(err)
		b.same("item", got, want)
		b.same("listed item", b.items()[0], want)
		b.same("item of the topic's story", b.stories("privacy"), []aggregator.Story{
			{ID: want.Story, Items: []aggregator.Item{want}},
		})
		b.reopen()
	}
}

func seqOrder(b *bench) {
	b.sync("a", "b")
	b.poll("b", item("b", "1", 9), item("b", "2", 8))
	b.reopen()
	b.poll("a", item("a", "3", 7), item("a", "4", 10))
	b.poll("b", item("b", "5", 1))
	items := b.items()
	b.same("order", guids(items), []string{"1", "2", "3", "4", "5"})
	for i := range items[1:] {
		if items[i].Seq >= items[i+1].Seq {
			b.Errorf("Seq %d is followed by %d", items[i].Seq, items[i+1].Seq)
		}
	}
}

func countItems(b *bench) {
	b.sync("a", "b")
	b.poll("a", item("a", "1", 1), item("a", "2", 1))
	l := b.lease("a")
	b.same("count in the lease", b.leased(l).State.Items, 2)
	p := outcome(l, item("a", "2", 1), item("a", "3", 1))
	p.State.Items = 77
	b.ok(b.store.Commit(b.ctx, p))
	b.same("count", b.status("a").State.Items, 3)
	b.same("count of another feed", b.status("b").State.Items, 0)
}

func changedItem(b *bench) {
	b.sync("a")
	b.poll("a", item("a", "one", 1, "cloud"), item("a", "two", 2, "cloud"))
	before := b.items()[0]
	moved := item("a", "one", 50, "cloud")
	moved.Story, moved.Title, moved.Hash = storyID("another"), "changed", aggregator.HashOf("other")
	b.poll("a", moved)
	want := moved
	want.Story, want.FirstSeen, want.OrderTime = before.Story, before.FirstSeen, before.OrderTime
	items := b.items()
	b.same("order", guids(items), []string{"two", "one"})
	want.Seq = items[1].Seq
	b.same("item", items[1], want)
	b.same("stories", shape(b.stories("cloud")), [][]string{{"two"}, {"one"}})
	known, err := b.store.Resolve(b.ctx, []aggregator.ItemID{moved.ID})
	b.ok(err)
	b.same("known", known, []aggregator.KnownItem{{ID: moved.ID, Hash: moved.Hash, Found: true}})
}

func revisions(b *bench) {
	b.sync("a")
	first := item("a", "one", 1)
	first.Summary, first.Content, first.Aliases = "s1", "c1", []aggregator.ItemID{itemID("a", "alias")}
	comma := first
	comma.Categories = []string{"new"}
	second := first
	second.Revision, second.Title, second.Revised = 2, "second", at(5)
	third := second
	third.Revision, third.Content, third.Revised = 3, "c3", at(7)
	for _, it := range []aggregator.Item{first, comma, second, third} {
		b.poll("a", it)
		b.reopen()
	}
	want := []aggregator.Revision{
		{Item: first.ID, Number: 1, From: at(1), Title: first.Title, Summary: "s1", Content: "c1"},
		{Item: first.ID, Number: 2, From: at(5), Title: "second", Summary: "s1", Content: "c1"},
	}
	for _, id := range []aggregator.ItemID{first.ID, first.Aliases[0]} {
		got, err := b.store.Revisions(b.ctx, id)
		b.ok(err)
		b.same("revisions", got, want)
	}
	b.same("content", b.items()[0].Content, "c3")
}

func aliases(b *bench) {
	b.sync("a")
	one, two := item("a", "one", 1), item("a", "two", 2)
	one.Aliases = []aggregator.ItemID{itemID("a", "x"), itemID("a", "y")}
	two.Aliases = []aggregator.ItemID{itemID("a", "y"), itemID("a", "z"), one.ID, two.ID}
	b.poll("a", one, two)
	b.reopen()
	ids := []aggregator.ItemID{
		itemID("a", "z"), itemID("a", "y"), itemID("a", "x"), one.ID, two.ID, itemID("a", "nobody's"), itemID("a", "z"),
	}
	found := func(it aggregator.Item) aggregator.KnownItem {
		return aggregator.KnownItem{ID: it.ID, Hash: it.Hash, Found: true}
	}
	got, err := b.store.Resolve(b.ctx, ids)
	b.ok(err)
	b.same("known", got, []aggregator.KnownItem{
		found(two), found(one), found(one), found(one), found(two), {ID: itemID("a", "nobody's")}, found(two),
	})
	it, err := b.store.Item(b.ctx, itemID("a", "y"))
	b.ok(err)
	b.same("item by alias", it.GUID, "one")
	one.Aliases = nil
	b.poll("a", one)
	it, err = b.store.Item(b.ctx, itemID("a", "x"))
	b.ok(err)
	b.same("item by an alias that it no longer names", it.GUID, "one")
}

func callerKeepsHands(b *bench) {
	f := fullFeed("a")
	b.ok(b.store.SyncFeeds(b.ctx, []aggregator.Feed{f}, dueAt(start)))
	it := fullItem("a")
	l := b.lease("a")
	status := b.leased(l)
	b.ok(b.store.Commit(b.ctx, outcome(l, it)))
	f.Tags[1], status.Feed.Tags[1] = "spoiled", "spoiled"
	it.Topics[0], it.Categories[1], it.Authors[0].Name, it.Aliases[0] = "spoiled", "spoiled", "spoiled", it.ID
	got := b.items()[0]
	got.Topics[1], got.Enclosures[0].URL = "spoiled", "spoiled"
	want := fullItem("a")
	want.Seq = got.Seq
	b.same("item", b.items()[0], want)
	b.same("feed", b.status("a").Feed, fullFeed("a"))
}

func badItem(b *bench) {
	b.sync("a")
	l := b.lease("a")
	good := item("a", "good", 1, "cloud")
	noID, noStory, foreign := item("a", "bad", 1), item("a", "bad", 1), item("other", "bad", 1)
	noID.ID, noStory.Story = aggregator.ItemID{}, aggregator.StoryID{}
	before := b.status("a")
	for _, bad := range []aggregator.Item{noID, noStory, foreign} {
		err := b.store.Commit(b.ctx, outcome(l, good, bad))
		if !errors.Is(err, aggregator.ErrRefused) {
			b.Fatalf("commit of %+v: error = %v", bad, err)
		}
	}
	b.same("status", b.status("a"), before)
	b.same("items", b.items(), []aggregator.Item(nil))
	b.same("version", b.version("cloud"), aggregator.Version{})
	b.ok(b.store.Commit(b.ctx, outcome(l, good)))
	b.same("items", guids(b.items()), []string{"good"})
}

func commitAtOnce(b *bench) {
	const n = 120
	var ids []aggregator.FeedID
	for i := range n {
		ids = append(ids, aggregator.FeedID(fmt.Sprintf("feed%03d", i)))
	}
	b.sync(ids...)
	var wg sync.WaitGroup
	for i, l := range b.claim(start) {
		wg.Go(func() {
			it, want := item(l.Feed, string(l.Feed), i, "cloud"), error(nil)
			it.Story = storyID("all report the same")
			if i%3 == 0 {
				l.Token += 1_000_000
				want = aggregator.ErrLeaseLost
			}
			if err := b.store.Commit(b.ctx, outcome(l, it)); !errors.Is(err, want) {
				b.Errorf("commit %d: error = %v, want %v", i, err, want)
			}
		})
	}
	wg.Wait()
	b.reopen()
	stories := b.stories("cloud")
	if len(stories) != 1 {
		b.Fatalf("%d stories, want 1", len(stories))
	}
	var want []string
	for i, id := range ids {
		if i%3 != 0 {
			want = append(want, string(id))
		}
	}
	b.same("reports", guids(stories[0].Items), want)
	seqs := make(map[uint64]bool)
	for _, it := range b.items() {
		seqs[it.Seq] = true
	}
	b.same("different Seqs", len(seqs), len(want))
}

func commitTwice(b *bench) {
	b.sync("a")
	l := b.claim(start)[0]
	var mu sync.Mutex
	var stored, lost int
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := b.store.Commit(b.ctx, outcome(l, item("a", fmt.Sprint(i), 1)))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				stored++
			case errors.Is(err, aggregator.ErrLeaseLost):
				lost++
			default:
				b.Errorf("commit: %v", err)
			}
		})
	}
	wg.Wait()
	b.same("stored and lost", []int{stored, lost}, []int{1, 7})
	b.same("items", len(slices.Compact(guids(b.items()))), 1)
}
