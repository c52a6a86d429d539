package bolt_test

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// Lists of many blocks are in order, wherever in them stories come and go, and can be read on from any of them.
func TestListsOfManyBlocks(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	rnd := rand.New(rand.NewPCG(5, 6))
	var all []aggregator.Item
	for range 12 {
		l := claimAll(t, s)[0]
		items := make([]aggregator.Item, 100)
		for i := range items {
			it := newItem(l.Feed, len(all)+i, 0)
			it.Topics = [][]aggregator.TopicID{{"cloud"}, {"privacy"}, {"cloud", "privacy"}}[rnd.IntN(3)]
			switch rnd.IntN(3) {
			case 0: // behind all that there are, as most are
				it.OrderTime = start.Add(time.Duration(len(all)+i) * time.Hour)
			case 1: // of one instant
				it.OrderTime = start.Add(time.Duration(rnd.IntN(20)) * time.Hour)
			default:
				it.OrderTime = time.Date(rnd.IntN(4000)-500, 1, 1, 0, 0, 0, rnd.IntN(2)*rnd.IntN(1e9), time.UTC)
			}
			items[i] = it
		}
		ok(t, commit(t, s, l, items...))
		all = append(all, items...)
	}
	expectLists(t, s, all)
	_, err := s.Refile(t.Context(), aggregator.HashOf("rules"), func(it aggregator.Item) []aggregator.TopicID {
		if it.ID[0]%4 == 0 {
			return []aggregator.TopicID{"privacy"}
		}
		return it.Topics
	})
	ok(t, err)
	for i := range all {
		if all[i].ID[0]%4 == 0 {
			all[i].Topics = []aggregator.TopicID{"privacy"}
		}
	}
	expectLists(t, s, all)
	_, err = s.Compact(t.Context())
	ok(t, err)
	expectLists(t, s, all)
}

func expectLists(t *testing.T, s *bolt.Store, all []aggregator.Item) {
	t.Helper()
	slices.SortFunc(all, func(a, b aggregator.Item) int {
		return cmp.Or(b.OrderTime.Compare(a.OrderTime), bytes.Compare(a.Story[:], b.Story[:]))
	})
	for _, topic := range []aggregator.TopicID{aggregator.AllTopics, "cloud", "privacy"} {
		var want []aggregator.Item
		for _, it := range all {
			if topic == aggregator.AllTopics || slices.Contains(it.Topics, topic) {
				want = append(want, it)
			}
		}
		got := collect(t, s.Stories(t.Context(), aggregator.StoryQuery{Topic: topic}))
		if !slices.EqualFunc(want, got, func(it aggregator.Item, story aggregator.Story) bool { return story.ID == it.Story }) {
			t.Fatalf("%q: %d stories, or in another order than the %d that were stored", topic, len(got), len(want))
		}
		for i := 0; i+3 < len(want); i += 97 {
			behind := aggregator.StoryPlace{Time: want[i].OrderTime, Story: want[i].Story}
			got := collect(t, s.Stories(t.Context(), aggregator.StoryQuery{Topic: topic, Behind: behind, Limit: 2}))
			if len(got) != 2 || got[0].ID != want[i+1].Story || got[1].ID != want[i+2].Story {
				t.Fatalf("%q: behind the story %d come %v", topic, i, got)
			}
		}
	}
	report, err := s.Check(t.Context(), false)
	ok(t, err)
	if report.Found > 0 || report.Items != len(all) {
		t.Fatalf("check: %+v", report)
	}
}
