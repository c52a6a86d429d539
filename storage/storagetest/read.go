package storagetest

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

func storyCases() []testCase {
	return []testCase{
		{"stories come newest first, ties by id, up to the limit", storyOrder},
		{"stories behind a place are those that follow it in their order", storiesBehind},
		{"a story is in every topic that one of its items is in, with all its reports", func(b *bench) {
			b.sync("a", "b")
			b.poll("a", report("a", "first", 1, "cloud"))
			b.poll("b", report("b", "second", 2, "privacy"))
			b.same("cloud", shape(b.stories("cloud")), [][]string{{"first", "second"}})
			b.same("privacy", shape(b.stories("privacy")), [][]string{{"second", "first"}})
			b.same("all", shape(b.stories(aggregator.AllTopics)), [][]string{{"first", "second"}})
			b.same("another", b.stories("clouds"), []aggregator.Story(nil))
			b.same("a prefix", b.stories("clou"), []aggregator.Story(nil))
		}},
		{"the first seen item of a topic stands for the story, whatever the order of polls", standing},
		{"a story's place in a topic is that of the item that stands for it there", func(b *bench) {
			b.sync("a", "b")
			b.poll("b", report("b", "second", 20, "privacy"), item("b", "between", 10, "cloud", "privacy"))
			b.poll("a", report("a", "first", 1, "cloud"))
			b.same("cloud", shape(b.stories("cloud")), [][]string{{"between"}, {"first", "second"}})
			b.same("privacy", shape(b.stories("privacy")), [][]string{{"second", "first"}, {"between"}})
			b.same("all", shape(b.stories(aggregator.AllTopics)), [][]string{{"between"}, {"first", "second"}})
		}},
		{"an item that leaves a topic takes the story out or hands it on", leavesTopic},
		{"a topic's version moves with every change to its stories and with nothing else", versions},
		{"a story is found by its id, with all its reports in order", func(b *bench) {
			b.sync("a", "b")
			b.poll("b", report("b", "second", 2, "privacy"), item("b", "other", 3))
			b.poll("a", report("a", "first", 1, "cloud"))
			story, err := b.store.Story(b.ctx, storyID("shared"))
			b.ok(err)
			b.same("id", story.ID, storyID("shared"))
			b.same("reports", shape([]aggregator.Story{story}), [][]string{{"first", "second"}})
			_, err = b.store.Story(b.ctx, storyID("of nobody"))
			b.is(err, aggregator.ErrNotFound)
		}},
		{"more stories than a batch holds come once each, in order", func(b *bench) {
			b.sync("a")
			var items []aggregator.Item
			var want [][]string
			for i := range 300 {
				items = append(items, item("a", fmt.Sprint(i), i, "cloud"))
				want = append(want, []string{fmt.Sprint(299 - i)})
			}
			b.poll("a", items...)
			b.same("stories", shape(b.stories("cloud")), want)
			for _, limit := range []int{1, 63, 64, 65, 128, 299, 300, 301} {
				some := collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud", Limit: limit}))
				b.same(fmt.Sprint("limit ", limit), shape(some), want[:min(limit, 300)])
			}
		}},
	}
}

// report is an item of the one story that the tests of stories share.
func report(id aggregator.FeedID, key string, minutes int, topics ...aggregator.TopicID) aggregator.Item {
	it := item(id, key, minutes, topics...)
	it.Story = storyID("shared")
	return it
}

func storiesBehind(b *bench) {
	b.sync("a", "b")
	b.poll("a", item("a", "1", 10, "cloud"), item("a", "2", 20, "cloud"), item("a", "3", 20, "cloud"), item("a", "4", 30, "cloud"))
	b.poll("b", item("b", "5", 25, "privacy"), item("b", "6", 5, "cloud"))
	all := b.stories("cloud")
	for i, story := range all {
		place := aggregator.StoryPlace{Time: story.Items[0].OrderTime, Story: story.ID}
		rest := collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud", Behind: place}))
		b.same(fmt.Sprint("behind story ", i), shape(rest), shape(all[i+1:]))
		place.Story = aggregator.StoryID{} // a place that no story has
		if i > 0 && all[i-1].Items[0].OrderTime.After(place.Time) {
			rest = collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud", Behind: place, Limit: 2}))
			b.same(fmt.Sprint("from the time of story ", i), shape(rest), shape(all[i:min(i+2, len(all))]))
		}
	}
	for name, place := range map[string]aggregator.StoryPlace{
		"the end of time": {Time: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, "nowhere": {},
	} {
		b.same("behind "+name, shape(collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud", Behind: place}))), shape(all))
	}
	b.same("before all", len(collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud", Behind: aggregator.StoryPlace{Time: at(-9999)}}))), 0)
}

func storyOrder(b *bench) {
	b.sync("a")
	items := []aggregator.Item{
		item("a", "old", 1, "cloud"), item("a", "new", 3, "cloud"), item("a", "mid", 2, "cloud"),
		item("a", "tie", 2, "cloud"), item("a", "elsewhere", 9, "privacy"), item("a", "ancient", 0, "cloud"),
	}
	items[2].Story, items[3].Story = aggregator.StoryID{2}, aggregator.StoryID{1}
	items[5].OrderTime = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)
	b.poll("a", items...)
	want := [][]string{{"new"}, {"tie"}, {"mid"}, {"old"}, {"ancient"}}
	b.same("stories", shape(b.stories("cloud")), want)
	for limit := 1; limit < 7; limit++ {
		some := collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud", Limit: limit}))
		b.same(fmt.Sprint("limit ", limit), shape(some), want[:min(limit, len(want))])
	}
}

func standing(b *bench) {
	b.sync("a", "b", "c")
	b.poll("c", report("c", "third", 3, "cloud"))
	b.same("after one", shape(b.stories("cloud")), [][]string{{"third"}})
	b.poll("b", report("b", "second", 2, "cloud"))
	b.same("after two", shape(b.stories("cloud")), [][]string{{"second", "third"}})
	b.poll("a", report("a", "first", 1))
	b.same("after three", shape(b.stories("cloud")), [][]string{{"second", "first", "third"}})
	// Equal times: the lesser id.
	x, y := report("c", "x", 2, "tie"), report("c", "y", 2, "tie")
	x.ID, y.ID = aggregator.ItemID{0, 2}, aggregator.ItemID{0, 1}
	b.poll("c", x, y)
	b.same("tie", shape(b.stories("tie")), [][]string{{"y", "first", "x", "second", "third"}})
}

func leavesTopic(b *bench) {
	b.sync("a", "b")
	b.poll("a", report("a", "first", 1, "cloud", "privacy"))
	b.poll("b", report("b", "second", 5, "cloud"), item("b", "other", 3, "cloud"))
	b.same("before", shape(b.stories("cloud")), [][]string{{"other"}, {"first", "second"}})
	b.poll("a", report("a", "first", 1))
	b.same("cloud", shape(b.stories("cloud")), [][]string{{"second", "first"}, {"other"}})
	b.same("privacy", b.stories("privacy"), []aggregator.Story(nil))
	b.poll("b", report("b", "second", 5))
	b.same("cloud in the end", shape(b.stories("cloud")), [][]string{{"other"}})
	b.same("all", shape(b.stories(aggregator.AllTopics)), [][]string{{"other"}, {"first", "second"}})
}

func versions(b *bench) {
	b.sync("a", "b")
	topics := []aggregator.TopicID{"cloud", "privacy", "none", aggregator.AllTopics}
	last := make(map[aggregator.TopicID]aggregator.Version)
	expect := func(what string, moved ...aggregator.TopicID) {
		b.Helper()
		must := make(map[aggregator.TopicID]bool)
		for _, t := range moved {
			must[t] = true
		}
		for _, t := range topics {
			v := b.version(t)
			if (v != last[t]) != must[t] {
				b.Errorf("%s: the version of %q went from %v to %v", what, t, last[t], v)
			}
			if v.Seq < last[t].Seq || v.Changed.Before(last[t].Changed) || (v.Seq > 0) == v.Changed.IsZero() {
				b.Errorf("%s: the version of %q went back from %v to %v", what, t, last[t], v)
			}
			last[t] = v
		}
	}
	b.poll("a", report("a", "first", 1, "cloud"))
	expect("a new story", "cloud", aggregator.AllTopics)
	b.poll("a", item("a", "other", 1))
	expect("a story without topics", aggregator.AllTopics)
	b.poll("b", report("b", "second", 2))
	expect("a new report of a listed story", "cloud", aggregator.AllTopics)
	b.poll("b", report("b", "second", 2, "privacy"))
	expect("an item that enters a topic", "cloud", "privacy", aggregator.AllTopics)
	b.poll("b", report("b", "second", 2))
	expect("an item that leaves a topic", "cloud", "privacy", aggregator.AllTopics)
	b.poll("a")
	b.sync("a")
	b.reopen()
	expect("a poll with nothing new, a sync, a reopening")
}

func readCases() []testCase {
	return []testCase{
		{"items are those that the query asks for", itemQueries},
		{"the latest items of a feed are those that changed last", latestItems},
		{"volume counts a topic's items by day and feed", volumes},
		{"items end with the last that was there when the sequence began", func(b *bench) {
			b.sync("a")
			var items []aggregator.Item
			for i := range 300 {
				items = append(items, item("a", fmt.Sprint(i), i))
			}
			b.poll("a", items...)
			var got []string
			for it, err := range b.store.Items(b.ctx, aggregator.ItemQuery{}) {
				b.ok(err)
				if len(got) == 0 {
					b.poll("a", item("a", "late", 4))
				}
				got = append(got, it.GUID)
			}
			b.same("items", got, guids(items))
		}},
		{"more items than a batch holds come once each, in order", func(b *bench) {
			b.sync("a")
			var items []aggregator.Item
			for i := range 700 {
				it := item("a", fmt.Sprint(i), i)
				it.Content = strings.Repeat("x", i*50)
				items = append(items, it)
			}
			b.poll("a", items...)
			b.same("items", guids(b.items()), guids(items))
		}},
		{"a sequence can be left early and begun again", func(b *bench) {
			b.sync("a", "b")
			b.poll("a", item("a", "1", 1), item("a", "2", 2))
			for range 2 {
				b.same("items", first(b.store.Items(b.ctx, aggregator.ItemQuery{})), 1)
				b.same("stories", first(b.store.Stories(b.ctx, aggregator.StoryQuery{})), 1)
				b.same("feeds", first(b.store.Feeds(b.ctx)), 1)
			}
			b.poll("b", item("b", "3", 3))
		}},
		{"a sequence whose context ends says so as its last value", func(b *bench) {
			b.sync("a")
			ctx, cancel := context.WithCancel(b.ctx)
			cancel()
			b.same("items", lastErrors(b, b.store.Items(ctx, aggregator.ItemQuery{})), 1)
			b.same("stories", lastErrors(b, b.store.Stories(ctx, aggregator.StoryQuery{})), 1)
			b.same("feeds", lastErrors(b, b.store.Feeds(ctx)), 1)
		}},
		{"the store may be called while a sequence is read", func(b *bench) {
			b.sync("a", "b")
			b.poll("a", item("a", "1", 1, "cloud"), item("a", "2", 2, "cloud"))
			for range b.store.Feeds(b.ctx) {
				for range b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: "cloud"}) {
					b.poll("b", item("b", "3", 3))
				}
			}
			b.same("items", guids(b.items()), []string{"1", "2", "3"})
		}},
		{"a closed store says so", closedStore},
	}
}

func itemQueries(b *bench) {
	b.sync("a")
	b.poll("a", item("a", "1", 10, "cloud"), item("a", "2", 20, "privacy"), item("a", "3", 30, "cloud", "privacy"),
		item("a", "4", 40))
	seqs := make(map[string]uint64)
	for _, it := range b.items() {
		seqs[it.GUID] = it.Seq
	}
	for _, c := range []struct {
		name string
		q    aggregator.ItemQuery
		want []string
	}{
		{"all", aggregator.ItemQuery{}, []string{"1", "2", "3", "4"}},
		{"a topic", aggregator.ItemQuery{Topic: "cloud"}, []string{"1", "3"}},
		{"no such topic", aggregator.ItemQuery{Topic: "clou"}, nil},
		{"since is inclusive", aggregator.ItemQuery{Since: at(20)}, []string{"2", "3", "4"}},
		{"until is exclusive", aggregator.ItemQuery{Until: at(20)}, []string{"1"}},
		{"a period", aggregator.ItemQuery{Since: at(20), Until: at(40)}, []string{"2", "3"}},
		{"after a Seq", aggregator.ItemQuery{After: seqs["2"]}, []string{"3", "4"}},
		{"after the last", aggregator.ItemQuery{After: seqs["4"]}, nil},
		{"after the end of numbers", aggregator.ItemQuery{After: ^uint64(0)}, nil},
		{"all together", aggregator.ItemQuery{Topic: "privacy", Since: at(1), Until: at(99), After: seqs["2"]}, []string{"3"}},
	} {
		b.same(c.name, guids(collect(b, b.store.Items(b.ctx, c.q))), c.want)
	}
}

func latestItems(b *bench) {
	b.sync("a", "b", "c")
	var items []aggregator.Item
	for i := range 700 {
		items = append(items, item("a", fmt.Sprint(i), i))
	}
	b.poll("a", items[:400]...)
	b.poll("b", item("b", "one", 1, "cloud"), item("b", "two", 2))
	b.poll("a", items[400:]...)
	latest := func(id aggregator.FeedID, limit int) []string {
		items, err := b.store.LatestItems(b.ctx, id, limit)
		b.ok(err)
		return guids(items)
	}
	b.same("the other feed's", latest("b", 10), []string{"two", "one"})
	b.same("two", latest("a", 2), []string{"699", "698"})
	b.same("all", len(latest("a", 1000)), 700)
	b.same("beyond the other feed's", latest("a", 301)[299:], []string{"400", "399"})
	b.same("of a feed without items", latest("c", 10), []string(nil))
	b.same("of no feed", latest("d", 10), []string(nil))
	b.same("none", latest("a", 0), []string(nil))
	changed := item("b", "one", 1)
	changed.Title, changed.Hash = "Another title", aggregator.HashOf("another")
	b.poll("b", changed)
	b.same("after a change", latest("b", 10), []string{"one", "two"})
}

func volumes(b *bench) {
	const day = 24 * 60
	b.sync("a", "b")
	b.poll("b", item("b", "1", 0, "cloud"), item("b", "2", day, "cloud", "privacy"))
	b.poll("a", item("a", "3", 0, "cloud"), item("a", "4", 11*60+59, "cloud"), item("a", "5", 12*60, "privacy"),
		item("a", "6", -40*day, "cloud"))
	first := at(-12 * 60)
	of := func(days int, feed aggregator.FeedID, n int) aggregator.DayVolume {
		return aggregator.DayVolume{Day: first.AddDate(0, 0, days), Feed: feed, Items: n}
	}
	check := func(what string) {
		b.Helper()
		for _, c := range []struct {
			name string
			q    aggregator.VolumeQuery
			want []aggregator.DayVolume
		}{
			{"a topic", aggregator.VolumeQuery{Topic: "cloud"}, []aggregator.DayVolume{of(-40, "a", 1), of(0, "a", 2), of(0, "b", 1), of(1, "b", 1)}},
			{"no such topic", aggregator.VolumeQuery{Topic: "clou"}, nil},
			{"all", aggregator.VolumeQuery{Since: first}, []aggregator.DayVolume{of(0, "a", 2), of(0, "b", 1), of(1, "a", 1), of(1, "b", 1)}},
			{"whole days", aggregator.VolumeQuery{Topic: "cloud", Since: at(0), Until: at(1)}, []aggregator.DayVolume{of(0, "a", 2), of(0, "b", 1)}},
			{"until midnight", aggregator.VolumeQuery{Since: at(1), Until: at(12 * 60)}, []aggregator.DayVolume{of(0, "a", 2), of(0, "b", 1)}},
			{"the day after", aggregator.VolumeQuery{Since: at(12 * 60)}, []aggregator.DayVolume{of(1, "a", 1), of(1, "b", 1)}},
		} {
			got, err := b.store.Volume(b.ctx, c.q)
			b.ok(err)
			b.same(what+": "+c.name, got, c.want)
		}
	}
	check("stored")
	b.reopen()
	check("opened again")
	b.poll("a", item("a", "3", 0), item("a", "4", 3*day, "cloud"))
	got, err := b.store.Volume(b.ctx, aggregator.VolumeQuery{Topic: "cloud", Since: first})
	b.ok(err)
	b.same("an item left, another was published anew", got, []aggregator.DayVolume{of(0, "b", 1), of(1, "b", 1), of(3, "a", 1)})
}

// first reads one value of the sequence.
func first[T any](seq iter.Seq2[T, error]) (n int) {
	for range seq {
		n++
		break
	}
	return n
}

// lastErrors counts the errors of a sequence and fails where anything follows one.
func lastErrors[T any](b *bench, seq iter.Seq2[T, error]) (n int) {
	b.Helper()
	for _, err := range seq {
		if n > 0 {
			b.Error("the sequence goes on after its error")
		}
		if err != nil {
			n++
		}
	}
	return n
}

func closedStore(b *bench) {
	b.sync("a")
	l := b.lease("a")
	s := b.store
	b.ok(s.Close())
	b.ok(s.Close())
	defer func() { b.store = b.open() }()
	_, err := s.Feed(b.ctx, "a")
	isClosed(b, err)
	isClosed(b, s.Commit(b.ctx, outcome(l, item("a", "one", 1))))
	isClosed(b, s.SyncFeeds(b.ctx, nil, dueAt(start)))
	_, err = s.Claim(b.ctx, start, time.Minute, 1)
	isClosed(b, err)
	b.same("errors of items", lastErrors(b, s.Items(b.ctx, aggregator.ItemQuery{})), 1)
	b.same("errors of stories", lastErrors(b, s.Stories(b.ctx, aggregator.StoryQuery{})), 1)
	b.same("errors of feeds", lastErrors(b, s.Feeds(b.ctx)), 1)
}
