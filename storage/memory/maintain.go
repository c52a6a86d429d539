package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Authority is the name that published ids are built on; see storage.MaintenanceStore.
func (s *Store) Authority(ctx context.Context, proposed string) (string, error) {
	if err := s.begin(ctx); err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	if s.authority == nil {
		s.authority = &proposed
	}
	return *s.authority, nil
}

// Backup is errors.ErrUnsupported: there is no file.
func (s *Store) Backup(context.Context, io.Writer) error {
	return fmt.Errorf("back up a store in memory: %w", errors.ErrUnsupported)
}

// Refiling is always zero: Refile leaves nothing unfinished.
func (s *Store) Refiling(ctx context.Context) (aggregator.Refiling, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.Refiling{}, err
	}
	defer s.mu.Unlock()
	return aggregator.Refiling{}, nil
}

// Stats counts what is there; see storage.MaintenanceStore. There is no disk and there are no buckets.
func (s *Store) Stats(ctx context.Context) (aggregator.StoreStats, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.StoreStats{}, err
	}
	defer s.mu.Unlock()
	stats := aggregator.StoreStats{
		Items: len(s.items), Pruned: len(s.pruned), LastSeq: s.seq,
		Feeds: make(map[aggregator.FeedID]int), Topics: make(map[aggregator.TopicID]int),
	}
	for _, it := range s.items {
		stats.Feeds[it.Feed]++
		for _, topic := range it.Topics {
			stats.Topics[topic]++
		}
	}
	for _, revisions := range s.revisions {
		stats.Revisions += len(revisions)
	}
	return stats, nil
}

// Prune removes what keep lets go; see storage.MaintenanceStore.
func (s *Store) Prune(ctx context.Context, keep aggregator.Retention, now time.Time) (aggregator.PruneReport, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.PruneReport{}, err
	}
	defer s.mu.Unlock()
	var newest []aggregator.Item
	for _, it := range s.items {
		newest = append(newest, it)
	}
	slices.SortFunc(newest, func(a, b aggregator.Item) int { return cmp.Compare(b.Seq, a.Seq) })
	feeds, topics := make(map[aggregator.FeedID]int), make(map[aggregator.TopicID]int)
	var report aggregator.PruneReport
	for _, it := range newest {
		goes := letsGo(keep, it, now, feeds[it.Feed], topics)
		feeds[it.Feed]++
		for _, topic := range it.Topics {
			topics[topic]++
		}
		if goes {
			report.Items++
			report.Revisions += len(s.revisions[it.ID])
			s.prune(it)
		}
	}
	return report, nil
}

// letsGo reports whether each rule that applies to the item lets it go. feed and topics count the items after it.
func letsGo(
	keep aggregator.Retention, it aggregator.Item, now time.Time, feed int, topics map[aggregator.TopicID]int,
) bool {
	lets := func(k aggregator.Keep, after int) bool {
		age := min(now.Sub(it.FirstSeen), now.Sub(it.Revised))
		return k.Age > 0 && age > k.Age || k.Items > 0 && after >= k.Items
	}
	var verdicts []bool
	if k, ok := keep.Feeds[it.Feed]; ok {
		verdicts = append(verdicts, lets(k, feed))
	}
	for _, topic := range it.Topics {
		if k, ok := keep.Topics[topic]; ok {
			verdicts = append(verdicts, lets(k, topics[topic]))
		}
	}
	if len(verdicts) == 0 {
		return lets(keep.General, feed)
	}
	return !slices.Contains(verdicts, false)
}

// prune removes the item but for its identity.
func (s *Store) prune(it aggregator.Item) {
	s.seq++
	s.move(s.topicsOf(it.Story), s.seq)
	delete(s.items, it.ID)
	delete(s.revisions, it.ID)
	s.pruned[it.ID] = it.Hash
	status := s.feeds[it.Feed]
	status.State.Items--
	s.feeds[it.Feed] = status
}

// findPruned is the id of the item with the given id or alias, where only that is left of it.
func (s *Store) findPruned(id aggregator.ItemID) (aggregator.ItemID, bool) {
	if _, gone := s.pruned[id]; gone {
		return id, true
	}
	own := s.aliases[id]
	_, gone := s.pruned[own]
	return own, gone
}

// Check finds nothing: there is nothing that could disagree.
func (s *Store) Check(ctx context.Context, _ bool) (aggregator.CheckReport, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.CheckReport{}, err
	}
	defer s.mu.Unlock()
	return aggregator.CheckReport{Items: len(s.items)}, nil
}

// Compact does nothing.
func (s *Store) Compact(ctx context.Context) (aggregator.CompactReport, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.CompactReport{}, err
	}
	defer s.mu.Unlock()
	return aggregator.CompactReport{}, nil
}
