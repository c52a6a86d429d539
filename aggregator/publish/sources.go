package publish

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"net/url"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// sourcePath is where the feeds of a single source are, without an extension.
func sourcePath(id aggregator.FeedID) string { return "/feeds/" + url.PathEscape(string(id)) }

// sourceVersion tells the states of a source's feed apart: what a poll changes moves one of these.
func (s *site) sourceVersion(ctx context.Context, id aggregator.FeedID) (version, error) {
	status, err := s.src.Feed(ctx, id)
	if err != nil {
		return version{}, fmt.Errorf("read feed %q: %w", id, err)
	}
	st := &status.State
	return version{
		seq: uint64(st.Items), changed: max(st.LastChange.UnixNano(), st.LastWhole.UnixNano()),
		rest: hex.EncodeToString(st.BodyHash[:]) + " " + status.DisplayTitle() + " " + st.Link + " " + st.DocumentID + " " + st.Rights,
	}, nil
}

// sourceChannel is what the feed of a single source says of itself.
func (s *site) sourceChannel(ctx context.Context, id aggregator.FeedID) (channel, *source, error) {
	status, err := s.src.Feed(ctx, id)
	if err != nil {
		return channel{}, nil, fmt.Errorf("read feed %q: %w", id, err)
	}
	src := s.source(status)
	return channel{
		path: sourcePath(id), id: s.tag("source/" + url.PathEscape(string(id))), title: src.title,
		description: "What " + src.title + " published, as " + s.options.Title + " has it.", feeds: []aggregator.FeedID{id},
	}, src, nil
}

// sourceStories are the items of a single source as stories of one report each, newest first.
func (s *site) sourceStories(ctx context.Context, id aggregator.FeedID) iter.Seq2[aggregator.Story, error] {
	return func(yield func(aggregator.Story, error) bool) {
		items, err := s.src.LatestItems(ctx, id, maxStories)
		if err != nil {
			yield(aggregator.Story{}, fmt.Errorf("read items of feed %q: %w", id, err))
			return
		}
		slices.SortFunc(items, func(a, b aggregator.Item) int {
			return cmp.Or(b.OrderTime.Compare(a.OrderTime), slices.Compare(a.ID[:], b.ID[:]))
		})
		for i := range items {
			if !yield(aggregator.Story{ID: items[i].Story, Items: items[i : i+1]}, nil) {
				return
			}
		}
	}
}
