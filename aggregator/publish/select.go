package publish

import (
	"context"
	"fmt"
	"iter"
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
			if !yield(story, nil) || len(seen) >= query.Limit {
				return
			}
		}
	}
}
