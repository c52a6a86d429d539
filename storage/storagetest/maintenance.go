package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

func maintenanceCases() []testCase {
	return []testCase{
		{"refiling files every item anew where it differs", refile},
		{"refiling is done once for the same rules, also after reopening", func(b *bench) {
			b.sync("a")
			b.poll("a", item("a", "1", 1))
			rules := aggregator.HashOf("rules")
			n, err := b.store.Refile(b.ctx, rules, fileUnder("cloud"))
			b.ok(err)
			b.same("changed", n, 1)
			b.reopen()
			n, err = b.store.Refile(b.ctx, rules, func(aggregator.Item) []aggregator.TopicID {
				b.Error("classify was asked again")
				return nil
			})
			b.ok(err)
			b.same("changed", n, 0)
			n, err = b.store.Refile(b.ctx, aggregator.HashOf("other rules"), fileUnder("privacy"))
			b.ok(err)
			b.same("changed by other rules", n, 1)
			state, err := b.store.Refiling(b.ctx)
			b.ok(err)
			b.same("refiling", state, aggregator.Refiling{})
		}},
		{"refiling that was stopped goes on where it was, also after reopening", refileStopped},
		{"refiling that was stopped is no longer what earlier rules made of it", func(b *bench) {
			b.sync("a")
			b.poll("a", item("a", "1", 1, "cloud"))
			_, err := b.store.Refile(b.ctx, aggregator.HashOf("first"), fileUnder("cloud"))
			b.ok(err)
			ctx, cancel := context.WithCancel(b.ctx)
			_, _ = b.store.Refile(ctx, aggregator.HashOf("second"), func(aggregator.Item) []aggregator.TopicID {
				cancel()
				return []aggregator.TopicID{"privacy"}
			})
			b.reopen()
			_, err = b.store.Refile(b.ctx, aggregator.HashOf("first"), fileUnder("cloud"))
			b.ok(err)
			b.same("stories", shape(b.stories("cloud")), [][]string{{"1"}})
			b.same("stories of the rules that were given up", b.stories("privacy"), []aggregator.Story(nil))
		}},
		{"refiling moves the versions of the topics that it changes only", func(b *bench) {
			b.sync("a")
			b.poll("a", item("a", "1", 1, "cloud"), item("a", "2", 2, "privacy"))
			cloud, privacy := b.version("cloud"), b.version("privacy")
			_, err := b.store.Refile(b.ctx, aggregator.HashOf("r"), func(it aggregator.Item) []aggregator.TopicID {
				if it.GUID == "1" {
					return []aggregator.TopicID{"rights"}
				}
				return it.Topics
			})
			b.ok(err)
			b.same("version of a topic that stays", b.version("privacy"), privacy)
			if b.version("cloud") == cloud || b.version("rights") == (aggregator.Version{}) {
				b.Error("the versions of the topics that changed did not move")
			}
			moved := b.version("rights")
			b.poll("a", item("a", "3", 3, "rights"))
			if v := b.version("rights"); v.Seq <= moved.Seq {
				b.Errorf("the version went from %v to %v", moved, v)
			}
		}},
		{"the authority is what was proposed first", func(b *bench) {
			for _, proposed := range []string{"wire.example.org", "other.example.org"} {
				got, err := b.store.Authority(b.ctx, proposed)
				b.ok(err)
				b.same("authority", got, "wire.example.org")
				b.reopen()
			}
		}},
		{"pruning removes what each rule lets go, and nothing else", pruneRules},
		{"what was pruned is known and not new when it is served again", pruneRemembers},
		{"pruning an item hands its story on, and moves the versions", pruneStory},
		{"pruning by rules that keep all for ever removes nothing", func(b *bench) {
			b.sync("a")
			b.poll("a", item("a", "1", 1))
			keep := aggregator.Retention{Feeds: map[aggregator.FeedID]aggregator.Keep{"a": {}}}
			report, err := b.store.Prune(b.ctx, keep, at(1_000_000))
			b.ok(err)
			b.same("pruned", report, aggregator.PruneReport{})
			b.same("items", guids(b.items()), []string{"1"})
		}},
		{"checking, compacting and counting change nothing", maintenanceChangesNothing},
	}
}

func fileUnder(topics ...aggregator.TopicID) func(aggregator.Item) []aggregator.TopicID {
	return func(aggregator.Item) []aggregator.TopicID { return topics }
}

func refile(b *bench) {
	b.sync("a", "b")
	b.poll("a", report("a", "first", 1, "cloud"), item("a", "other", 3, "cloud"))
	b.poll("b", report("b", "second", 5, "privacy"), fullItem("b"))
	before := b.items()
	n, err := b.store.Refile(b.ctx, aggregator.HashOf("r"), func(it aggregator.Item) []aggregator.TopicID {
		switch it.GUID {
		case "first":
			return nil
		case "second":
			return []aggregator.TopicID{"privacy", "cloud", "cloud"}
		}
		return it.Topics
	})
	b.ok(err)
	b.same("changed", n, 2)
	b.reopen()
	before[0].Topics, before[2].Topics = nil, []aggregator.TopicID{"cloud", "privacy"}
	b.same("items", b.items(), before)
	b.same("cloud", shape(b.stories("cloud")), [][]string{{fullItem("b").GUID}, {"second", "first"}, {"other"}})
	b.same("privacy", shape(b.stories("privacy")), [][]string{{fullItem("b").GUID}, {"second", "first"}})
}

func refileStopped(b *bench) {
	b.sync("a")
	var items []aggregator.Item
	for i := range 1000 {
		items = append(items, item("a", fmt.Sprint(i), i, "cloud"))
	}
	b.poll("a", items...)
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	asked := 0
	rules := aggregator.HashOf("r")
	n, err := b.store.Refile(ctx, rules, func(aggregator.Item) []aggregator.TopicID {
		if asked++; asked == 600 {
			cancel()
		}
		return []aggregator.TopicID{"privacy"}
	})
	if err == nil {
		b.same("changed by a backend that does it in one go", n, len(items))
	} else {
		b.is(err, context.Canceled)
	}
	b.same("changed", n, len(b.stories("privacy")))
	state, err := b.store.Refiling(b.ctx)
	b.ok(err)
	if state.Running() != (n < len(items)) {
		b.Errorf("%d of %d items are filed anew, and the store says %+v", n, len(items), state)
	}
	b.reopen()
	b.poll("a", item("a", "late", 1, "privacy"))
	asked = 0
	again, err := b.store.Refile(b.ctx, rules, func(it aggregator.Item) []aggregator.TopicID {
		asked++
		return []aggregator.TopicID{"privacy"}
	})
	b.ok(err)
	b.same("changed in all", n+again, len(items))
	b.same("items that were not asked about again", asked, again)
	state, err = b.store.Refiling(b.ctx)
	b.ok(err)
	b.same("refiling", state, aggregator.Refiling{})
	items = append(items, item("a", "late", 1))
	b.same("stories", len(b.stories("privacy")), len(items))
	b.same("stories that stayed", b.stories("cloud"), []aggregator.Story(nil))
}

func pruneRules(b *bench) {
	age := func(minutes int) aggregator.Keep { return aggregator.Keep{Age: time.Duration(minutes) * time.Minute} }
	last := func(n int) aggregator.Keep { return aggregator.Keep{Items: n} }
	for _, c := range []struct {
		name string
		keep aggregator.Retention
		want []string
	}{
		{"by age, to the instant", aggregator.Retention{General: age(98)}, []string{"a2", "a3", "b2", "b3"}},
		{"a revised item is as young as its text", aggregator.Retention{General: age(60)}, []string{"a3"}},
		{"by count, of each feed", aggregator.Retention{General: last(1)}, []string{"a3", "b3"}},
		{"by both", aggregator.Retention{General: aggregator.Keep{Age: 98 * time.Minute, Items: 1}}, []string{"a3", "b3"}},
		{"a feed's own rule", aggregator.Retention{
			General: last(1), Feeds: map[aggregator.FeedID]aggregator.Keep{"a": {}},
		}, []string{"a1", "a2", "a3", "b3"}},
		{"a topic's own rule", aggregator.Retention{
			Topics: map[aggregator.TopicID]aggregator.Keep{"cloud": last(1)},
		}, []string{"a2", "a3", "b2", "b3"}},
		{"a topic that keeps what the general rule lets go", aggregator.Retention{
			General: last(1), Topics: map[aggregator.TopicID]aggregator.Keep{"cloud": {}},
		}, []string{"a1", "a3", "b1", "b2", "b3"}},
		{"the feed lets go, the topic does not", aggregator.Retention{
			Feeds:  map[aggregator.FeedID]aggregator.Keep{"a": last(1), "b": last(1)},
			Topics: map[aggregator.TopicID]aggregator.Keep{"cloud": last(2)},
		}, []string{"a3", "b1", "b2", "b3"}},
	} {
		b.Run(c.name, func(t *testing.T) {
			b := &bench{T: t, ctx: t.Context(), open: b.fresh(t)}
			b.store = b.open()
			defer func() { b.ok(b.store.Close()) }()
			b.sync("a", "b")
			b.poll("a", item("a", "a1", 1, "cloud"), item("a", "a2", 2))
			b.poll("b", item("b", "b1", 1, "cloud", "privacy"), item("b", "b2", 2, "cloud"))
			b.poll("b", item("b", "b3", 3))
			revised := item("a", "a3", 0)
			revised.Revised = at(50)
			b.poll("a", revised)
			report, err := b.store.Prune(b.ctx, c.keep, at(100))
			b.ok(err)
			b.reopen()
			var left []string
			for _, it := range b.items() {
				left = append(left, it.GUID)
			}
			slices.Sort(left)
			b.same("items", left, c.want)
			b.same("counted", report.Items, 6-len(c.want))
			b.same("counts of the feeds", b.status("a").State.Items+b.status("b").State.Items, len(c.want))
		})
	}
}

func pruneRemembers(b *bench) {
	b.sync("a")
	old := item("a", "old", 1, "cloud")
	old.Aliases = []aggregator.ItemID{itemID("a", "alias")}
	edited := old
	edited.Revision, edited.Title, edited.Hash = 2, "edited", aggregator.HashOf("edited")
	b.poll("a", old)
	b.poll("a", edited)
	report, err := b.store.Prune(b.ctx, aggregator.Retention{General: aggregator.Keep{Age: time.Minute}}, at(100))
	b.ok(err)
	b.same("pruned", report, aggregator.PruneReport{Items: 1, Revisions: 1})
	b.reopen()
	expect := func(hash aggregator.Hash) {
		b.Helper()
		ids := []aggregator.ItemID{old.ID, old.Aliases[0]}
		known, err := b.store.Resolve(b.ctx, ids)
		b.ok(err)
		want := aggregator.KnownItem{ID: old.ID, Hash: hash, Found: true}
		b.same("known", known, []aggregator.KnownItem{want, want})
		for _, id := range ids {
			_, err = b.store.Item(b.ctx, id)
			b.is(err, aggregator.ErrNotFound)
			revisions, err := b.store.Revisions(b.ctx, id)
			b.ok(err)
			b.same("revisions", revisions, []aggregator.Revision(nil))
		}
		b.same("items", b.items(), []aggregator.Item(nil))
		b.same("stories", b.stories("cloud"), []aggregator.Story(nil))
		b.same("count", b.status("a").State.Items, 0)
	}
	expect(edited.Hash)
	before := b.version("cloud")
	again := edited
	again.Revision, again.Hash = 3, aggregator.HashOf("again")
	b.poll("a", again)
	expect(again.Hash)
	b.same("version", b.version("cloud"), before)
	b.poll("a", item("a", "new", 2, "cloud"))
	b.same("items", guids(b.items()), []string{"new"})
}

func pruneStory(b *bench) {
	b.sync("a", "b")
	b.poll("a", report("a", "first", 1, "cloud"), item("a", "other", 3, "privacy"))
	b.poll("b", report("b", "second", 5, "cloud"))
	cloud, privacy := b.version("cloud"), b.version("privacy")
	keep := aggregator.Retention{Topics: map[aggregator.TopicID]aggregator.Keep{"cloud": {Age: 97 * time.Minute}}}
	_, err := b.store.Prune(b.ctx, keep, at(100))
	b.ok(err)
	b.same("stories", shape(b.stories("cloud")), [][]string{{"second"}})
	b.same("version of a topic that stays", b.version("privacy"), privacy)
	if v := b.version("cloud"); v.Seq <= cloud.Seq {
		b.Errorf("the version went from %v to %v", cloud, v)
	}
}

func maintenanceChangesNothing(b *bench) {
	b.sync("a", "b")
	b.poll("a", fullItem("a"), item("a", "gone", -1000), item("a", "1", 1, "cloud"))
	edited := item("a", "1", 1, "cloud")
	edited.Revision = 2
	b.poll("a", edited)
	b.poll("b", report("b", "2", 2, "privacy"))
	_, err := b.store.Prune(b.ctx, aggregator.Retention{
		Feeds: map[aggregator.FeedID]aggregator.Keep{"a": {Age: 500 * time.Minute}},
	}, at(100))
	b.ok(err)
	l := b.lease("a")
	items, version, status := b.items(), b.version("cloud"), b.status("a")
	for range 2 {
		report, err := b.store.Check(b.ctx, true)
		b.ok(err)
		b.same("check", report, aggregator.CheckReport{Items: 3})
		_, err = b.store.Compact(b.ctx)
		b.ok(err)
		b.same("items", b.items(), items)
		b.same("version", b.version("cloud"), version)
		b.same("status", b.status("a"), status)
	}
	b.ok(b.store.Commit(b.ctx, outcome(l, item("a", "3", 3)))) // The lease still stands.
	stats, err := b.store.Stats(b.ctx)
	b.ok(err)
	stats.Bytes, stats.Free, stats.Buckets, stats.LastSeq = 0, 0, nil, 0
	b.same("stats", stats, aggregator.StoreStats{
		Items: 4, Revisions: 1, Pruned: 1, Feeds: map[aggregator.FeedID]int{"a": 3, "b": 1},
		Topics: map[aggregator.TopicID]int{"cloud": 2, "privacy": 2},
	})
}
