package memory

import (
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// What goes in and out is copied and cleaned as a backend with a disk does it: times in UTC without a monotonic
// reading, empty slices as nil.

func clean(t time.Time) time.Time { return t.Round(0).UTC() }

func cleanSlice[T any](s []T) []T { return append([]T(nil), s...) }

func cleanTopics(topics []aggregator.TopicID) []aggregator.TopicID {
	tidy := slices.Compact(slices.Sorted(slices.Values(topics)))
	return cleanSlice(slices.DeleteFunc(tidy, func(t aggregator.TopicID) bool { return t == aggregator.AllTopics }))
}

func cleanItem(it aggregator.Item) aggregator.Item {
	it.Aliases, it.Authors, it.Categories = cleanSlice(it.Aliases), cleanSlice(it.Authors), cleanSlice(it.Categories)
	it.Enclosures, it.Topics = cleanSlice(it.Enclosures), cleanTopics(it.Topics)
	it.Published, it.Updated, it.FirstSeen = clean(it.Published), clean(it.Updated), clean(it.FirstSeen)
	it.Revised, it.OrderTime = clean(it.Revised), clean(it.OrderTime)
	return it
}

func cleanFeed(f aggregator.Feed) aggregator.Feed {
	f.Topics, f.Tags = cleanSlice(f.Topics), cleanSlice(f.Tags)
	return f
}

func cleanState(s aggregator.FeedState) aggregator.FeedState {
	s.LastPoll.Repairs = cleanSlice(s.LastPoll.Repairs)
	for _, t := range []*time.Time{
		&s.Due, &s.LastPoll.At, &s.LastSuccess, &s.LastNew, &s.LastChange, &s.LastWhole, &s.Move.Since, &s.Pace.NotBefore, &s.Pace.Gone,
		&s.Pace.Hints.FreshUntil, &s.Pace.Hints.UpdateBase, &s.Pace.Rhythm.Seen, &s.Pace.Rhythm.Latest,
	} {
		*t = clean(*t)
	}
	return s
}

func cleanStatus(s aggregator.FeedStatus) aggregator.FeedStatus {
	s.Feed, s.State = cleanFeed(s.Feed), cleanState(s.State)
	return s
}
