package main

import (
	"context"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// openArchive makes the station's archive, where it has none yet.
func (s *station) openArchive(ctx context.Context) error {
	if s.archive != nil {
		return nil
	}
	if err := s.adoptAuthority(ctx); err != nil {
		return err
	}
	var private []aggregator.FeedID
	for _, f := range s.config.Feeds {
		if f.Private {
			private = append(private, f.ID)
		}
	}
	archive, err := publish.NewArchive(s.store, s.store, s.publishOptions(), publish.ArchiveOptions{
		Rules:   func(topic aggregator.TopicID) aggregator.Hash { return s.takenIn[topic] },
		Private: private,
	})
	s.archive = archive
	return err
}

// keepArchive makes pages of the archive from when the stored items are filed until ctx ends.
func (s *station) keepArchive(ctx context.Context) {
	if !s.config.Publish.Archive {
		return
	}
	select {
	case <-s.filed:
		s.archive.Run(ctx)
	case <-ctx.Done():
	}
}

// archiveOnce makes the pages that are full, for a command that ends. What could not be made is left for the next time.
func (s *station) archiveOnce(ctx context.Context) {
	if !s.config.Publish.Archive {
		return
	}
	if err := s.archive.Once(ctx); err != nil {
		s.log.Error("not all pages of the archive could be made; it is tried again the next time", "error", err)
	}
}

// trimArchive lets the pages go whose stories are gone.
func (s *station) trimArchive(ctx context.Context) error {
	if err := s.openArchive(ctx); err != nil {
		return err
	}
	return s.archive.Trim(ctx)
}

// committed is told of every poll that is stored.
func (s *station) committed(outcome *aggregator.Poll) {
	if len(outcome.Items) == 0 {
		return
	}
	s.push.committed(outcome)
	if s.archive != nil {
		s.archive.Notice()
	}
}

// archiveRefiling sees to it that the archive of each topic that a refiling changes begins anew, and no other.
type archiveRefiling struct {
	station *station
	// whole is set where the refiling looks at every item, and is not the rest of an earlier one.
	whole   bool
	changed map[aggregator.TopicID]bool
}

// beginRefiling is called before items are filed anew.
func (s *station) beginRefiling(ctx context.Context, forced map[aggregator.FeedID][]aggregator.TopicID) (*archiveRefiling, error) {
	if err := s.openArchive(ctx); err != nil {
		return nil, err
	}
	s.takenIn = takenIn(s.config.Topics, s.topics.RulesOf, forced)
	if !s.config.Publish.Archive {
		return &archiveRefiling{station: s}, s.archive.Remove(ctx)
	}
	earlier, err := s.store.Refiling(ctx)
	if err != nil {
		return nil, err
	}
	return &archiveRefiling{station: s, whole: !earlier.Running(), changed: make(map[aggregator.TopicID]bool)}, s.archive.Unsettle(ctx)
}

// note takes the topics of an item before and after.
func (r *archiveRefiling) note(before, after []aggregator.TopicID) {
	if r.changed == nil {
		return
	}
	for _, topic := range before {
		if !slices.Contains(after, topic) {
			r.changed[topic] = true
		}
	}
	for _, topic := range after {
		if !slices.Contains(before, topic) {
			r.changed[topic] = true
		}
	}
}

// end is called when all items are filed.
func (r *archiveRefiling) end(ctx context.Context) error {
	if r.changed == nil {
		return nil
	}
	return r.station.archive.Settle(ctx, func(topic aggregator.TopicID) bool { return r.whole && !r.changed[topic] })
}

// takenIn tells the states of what each topic takes in apart: its query, and the feeds that force their items into it.
func takenIn(
	topics []aggregator.Topic, rulesOf func(aggregator.TopicID) aggregator.Hash, forced map[aggregator.FeedID][]aggregator.TopicID,
) map[aggregator.TopicID]aggregator.Hash {
	feeds := make(map[aggregator.TopicID][]string)
	for feed, forcedBy := range forced {
		for _, topic := range forcedBy {
			feeds[topic] = append(feeds[topic], string(feed))
		}
	}
	rules := make(map[aggregator.TopicID]aggregator.Hash, len(topics))
	for _, t := range topics {
		slices.Sort(feeds[t.ID])
		rules[t.ID] = aggregator.HashOf(append([]string{rulesOf(t.ID).String()}, feeds[t.ID]...)...)
	}
	return rules
}
