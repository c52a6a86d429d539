package publish

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// stories are those that a document shows, newest first: as many as its cut asks for or, where that names neither a number
// nor a time, as many as Options.Stories and Options.Window say. The window is counted from the newest story and not from
// now: what it holds then depends on nothing but the store, and it holds at least all that the last hours brought.
func (s *site) stories(ctx context.Context, res resource) iter.Seq2[aggregator.Story, error] {
	limit := maxStories
	if res.cut.limit > 0 {
		limit = res.cut.limit
	}
	counted := res.cut.limit == 0 && res.cut.since == ""
	return func(yield func(aggregator.Story, error) bool) {
		var windowEnd time.Time
		shown := 0
		for story, err := range s.candidates(ctx, res, limit) {
			if err != nil {
				yield(aggregator.Story{}, err)
				return
			}
			place := story.Items[0].OrderTime
			if res.cut.since != "" && place.Unix() < res.cut.from {
				return
			}
			if shown == 0 {
				windowEnd = place.Add(-s.options.Window)
			}
			if counted && shown >= s.options.Stories && place.Before(windowEnd) {
				return
			}
			s.represent(&story, res.topic)
			if shown++; !yield(story, nil) || shown >= limit {
				return
			}
		}
	}
}

// candidates are the stories that a document may show: of its topic or source, each once, and those alone that the cut's
// query matches.
func (s *site) candidates(ctx context.Context, res resource, limit int) iter.Seq2[aggregator.Story, error] {
	return func(yield func(aggregator.Story, error) bool) {
		looked, query := look{match: func(*aggregator.Item) bool { return true }}, aggregator.StoryQuery{Topic: res.topic, Limit: limit}
		if res.cut.query != "" {
			search, err := s.parse(res.cut.query)
			if err == nil {
				looked.match, err = search()
			}
			if err != nil {
				yield(aggregator.Story{}, err)
				return
			}
			query.Limit = searchStories
		}
		list := s.src.Stories(ctx, query)
		if res.feed != "" {
			list = s.sourceStories(ctx, res.feed)
		}
		seen := map[aggregator.ItemID]bool{}
		for story, err := range list {
			if err != nil {
				yield(aggregator.Story{}, fmt.Errorf("read stories of topic %q: %w", res.topic, err))
				return
			}
			if len(story.Items) == 0 || seen[story.Items[0].ID] {
				continue
			}
			seen[story.Items[0].ID] = true
			if (looked.at(&story) && !yield(story, nil)) || (res.cut.query != "" && looked.over()) {
				return
			}
		}
	}
}

// represent puts the report in front that is to stand for the story, among those that the topic has. The story stays in
// its place, so that it does not move when another report comes to stand for it.
func (s *site) represent(story *aggregator.Story, topic aggregator.TopicID) {
	if s.options.Represent == nil || len(story.Items) < 2 {
		return
	}
	best := 0
	for i := range story.Items {
		it := &story.Items[i]
		if topic != aggregator.AllTopics && !slices.Contains(it.Topics, topic) {
			continue
		}
		if s.options.Represent(it, &story.Items[best]) < 0 {
			best = i
		}
	}
	if best == 0 {
		return
	}
	place := story.Items[0].OrderTime
	story.Items = inFront(story.Items, best)
	story.Items[0].OrderTime = place
}

// inFront is a copy of the items with the i-th put before all others.
func inFront(items []aggregator.Item, i int) []aggregator.Item {
	others := slices.Delete(slices.Clone(items), i, i+1)
	return append([]aggregator.Item{items[i]}, others...)
}
