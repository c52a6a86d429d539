package storagetest

import (
	"context"
	"fmt"

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
		}},
		{"refiling that was stopped begins again", refileStopped},
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
	again, err := b.store.Refile(b.ctx, rules, fileUnder("privacy"))
	b.ok(err)
	b.same("changed in all", n+again, len(items))
	b.same("stories", len(b.stories("privacy")), len(items))
	b.same("stories that stayed", b.stories("cloud"), []aggregator.Story(nil))
}
