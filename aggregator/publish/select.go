package publish

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// stories are those that a document of the topic shows, newest first: limit of them, or, where limit is 0, as many as
// Options.Stories and Options.Window say. The window is counted from the newest story and not from now: what it holds
// then depends on nothing but the store, and it holds at least all that the last hours brought.
func (s *site) stories(ctx context.Context, topic aggregator.TopicID, limit int) iter.Seq2[aggregator.Story, error] {
	query := aggregator.StoryQuery{Topic: topic, Limit: limit}
	if limit == 0 {
		query.Limit = maxStories
	}
	return func(yield func(aggregator.Story, error) bool) {
		var windowEnd time.Time
		seen := map[aggregator.StoryID]bool{}
		for story, err := range s.src.Stories(ctx, query) {
			if err != nil {
				yield(aggregator.Story{}, fmt.Errorf("read stories of topic %q: %w", topic, err))
				return
			}
			if len(story.Items) == 0 || seen[story.ID] {
				continue
			}
			place := story.Items[0].OrderTime
			if len(seen) == 0 {
				windowEnd = place.Add(-s.options.Window)
			}
			if limit == 0 && len(seen) >= s.options.Stories && place.Before(windowEnd) {
				return
			}
			seen[story.ID] = true
			s.represent(&story, topic)
			if !yield(story, nil) || len(seen) >= query.Limit {
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
	place, chosen := story.Items[0].OrderTime, story.Items[best]
	chosen.OrderTime = place
	rest := slices.Delete(slices.Clone(story.Items), best, best+1)
	story.Items = append([]aggregator.Item{chosen}, rest...)
}
