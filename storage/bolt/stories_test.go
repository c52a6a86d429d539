package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

// Stories are found with all their items, in whichever runs those are, also those whose ids begin alike, and what is new without a
// look at all runs.
func TestStoriesAreFoundInTheirRuns(t *testing.T) {
	s := openSmall(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	one, alike := aggregator.NewStoryID("test", "one"), aggregator.NewStoryID("test", "one")
	alike[len(alike)-1]++
	n := 0
	store := func(story aggregator.StoryID) aggregator.Item {
		it := newItem("feed-0000000", n, 20)
		n++
		if story != (aggregator.StoryID{}) {
			it.Story = story
		}
		ok(t, commit(t, s, claimAll(t, s)[0], it))
		return it
	}
	others := func() {
		for range 60 {
			store(aggregator.StoryID{})
		}
	}
	check := func(when string, story aggregator.StoryID, want ...aggregator.Item) {
		t.Helper()
		got, err := s.Story(t.Context(), story)
		ok(t, err)
		var titles, wanted []string
		for _, it := range got.Items {
			titles = append(titles, it.Title)
		}
		for _, it := range want {
			wanted = append(wanted, it.Title)
		}
		if fmt.Sprint(titles) != fmt.Sprint(wanted) {
			t.Errorf("%s: the story has %v, want %v", when, titles, wanted)
		}
	}
	checkFew := func(when string, story aggregator.StoryID) {
		t.Helper()
		if asked, all := s.RunsAsked(story); asked > all/2 {
			t.Errorf("%s: %d of %d runs were asked for the story", when, asked, all)
		}
	}

	first := store(one)
	others()
	second := store(alike)
	check("with one that begins alike", one, first)
	check("that begins alike", alike, second)
	others()
	third := store(one)
	check("with two items", one, first, third)

	others()
	fresh := store(aggregator.StoryID{})
	check("new", fresh.Story, fresh)
	checkFew("new", fresh.Story)
	others()
	fresh.Title, fresh.Hash = "changed", aggregator.HashOf("changed")
	ok(t, commit(t, s, claimAll(t, s)[0], fresh))
	check("changed", fresh.Story, fresh)
	checkFew("changed", fresh.Story)
	_, err := s.Refile(t.Context(), aggregator.HashOf("rules"), func(aggregator.Item) []aggregator.TopicID { return nil })
	ok(t, err)
	check("refiled", fresh.Story, fresh)
	checkFew("refiled", fresh.Story)
	check("refiled, with two items", one, first, third)
	check("refiled, that begins alike", alike, second)
}
