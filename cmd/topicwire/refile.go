package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/poll"
)

const (
	// refileRetry is how long the daemon waits after a refiling that failed: a full disk may have room again.
	refileRetry = time.Minute
	// refileReport is how often it says how far a long one has come.
	refileReport = 30 * time.Second
)

// refile files the stored items under the topics of the config where those have changed.
func (s *station) refile(ctx context.Context) error {
	forced, err := s.forcedTopics(ctx)
	if err != nil {
		return fmt.Errorf("read the feeds' topics: %w", err)
	}
	refiling, err := s.beginRefiling(ctx, forced)
	if err != nil {
		return err
	}
	refiled, err := s.store.Refile(ctx, rules(s.topics.Rules(), forced), func(it aggregator.Item) []aggregator.TopicID {
		topics := poll.Topics(s.topics, forced[it.Feed], &it)
		refiling.note(it.Topics, topics)
		return topics
	})
	if err == nil {
		err = refiling.end(ctx)
	}
	if err != nil {
		return fmt.Errorf("file stored items under the topics of the config: %w", err)
	}
	if refiled > 0 {
		s.log.Info("the topics changed: stored items were filed anew", "items", refiled)
	}
	return nil
}

// keepRefiling files the stored items beside everything else, until they are filed or ctx ends. Until then topics are
// published as earlier queries filled them, with what is new by the new ones.
func (s *station) keepRefiling(ctx context.Context) {
	done := make(chan struct{})
	defer close(done)
	go s.reportRefiling(ctx, done)
	for {
		err := s.refile(ctx)
		if err == nil {
			close(s.filed)
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Error("refiling failed; it is tried again where it was", "error", err, "in", refileRetry)
		select {
		case <-ctx.Done():
			return
		case <-time.After(refileRetry):
		}
	}
}

func (s *station) reportRefiling(ctx context.Context, done <-chan struct{}) {
	ticker := time.NewTicker(refileReport)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if state, err := s.store.Refiling(ctx); err == nil && state.Running() {
			s.log.Info("the topics changed: stored items are being filed anew", "done", refiledPart(state))
		}
	}
}

// refiledPart is how far a refiling has come, in per cent.
func refiledPart(r aggregator.Refiling) string {
	return fmt.Sprintf("%d%%", 100*r.Position/max(1, r.End))
}

// rules changes whenever stored items may have to be filed under other topics.
func rules(queries aggregator.Hash, forced map[aggregator.FeedID][]aggregator.TopicID) aggregator.Hash {
	parts := []string{queries.String()}
	for _, id := range slices.Sorted(maps.Keys(forced)) {
		for _, t := range forced[id] {
			parts = append(parts, string(id), string(t))
		}
	}
	return aggregator.HashOf(parts...)
}

// forcedTopics are the topics that feeds force on their items: as the config says for its own feeds, as the store has it
// for those that the config no longer names, whose items stay where they are.
func (s *station) forcedTopics(ctx context.Context) (map[aggregator.FeedID][]aggregator.TopicID, error) {
	forced := make(map[aggregator.FeedID][]aggregator.TopicID)
	for status, err := range s.store.Feeds(ctx) {
		if err != nil {
			return nil, err
		}
		if len(status.Feed.Topics) > 0 {
			forced[status.Feed.ID] = status.Feed.Topics
		}
	}
	for _, f := range s.config.Feeds {
		delete(forced, f.ID)
		if len(f.Topics) > 0 {
			forced[f.ID] = f.Topics
		}
	}
	return forced, nil
}
