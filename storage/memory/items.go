package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// find is the item with the given id or alias.
func (s *Store) find(id aggregator.ItemID) (aggregator.Item, bool) {
	it, ok := s.items[id]
	if _, gone := s.pruned[id]; !ok && !gone {
		it, ok = s.items[s.aliases[id]]
	}
	return it, ok
}

// Resolve says which ids are stored; see storage.PollStore.
func (s *Store) Resolve(ctx context.Context, ids []aggregator.ItemID) ([]aggregator.KnownItem, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	known := make([]aggregator.KnownItem, len(ids))
	for i, id := range ids {
		known[i].ID = id
		if it, ok := s.find(id); ok {
			known[i] = aggregator.KnownItem{ID: it.ID, Hash: it.Hash, Found: true}
		} else if own, ok := s.findPruned(id); ok {
			known[i] = aggregator.KnownItem{ID: own, Hash: s.pruned[own], Found: true}
		}
	}
	return known, nil
}

// Item is the item with the given id or alias; see storage.PollStore.
func (s *Store) Item(ctx context.Context, id aggregator.ItemID) (aggregator.Item, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.Item{}, err
	}
	defer s.mu.Unlock()
	it, ok := s.find(id)
	if !ok {
		return aggregator.Item{}, fmt.Errorf("item %v: %w", id, aggregator.ErrNotFound)
	}
	return cleanItem(it), nil
}

// Commit applies the poll whole; see storage.PollStore.
func (s *Store) Commit(ctx context.Context, poll aggregator.Poll) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if held, ok := s.leases[poll.Feed]; !ok || held.token != poll.Token {
		return fmt.Errorf("commit poll of feed %q: %w", poll.Feed, aggregator.ErrLeaseLost)
	}
	for _, it := range poll.Items {
		if (it.ID == aggregator.ItemID{}) || (it.Story == aggregator.StoryID{}) || it.Feed != poll.Feed {
			return fmt.Errorf("commit poll of feed %q: %w: item %v (%q) lacks its id, story or feed", poll.Feed, aggregator.ErrRefused, it.ID, it.Title)
		}
	}
	status := s.feeds[poll.Feed]
	state := cleanState(poll.State)
	state.Items = status.State.Items
	for i, it := range poll.Items {
		again := func(o aggregator.Item) bool { return o.ID == it.ID }
		if slices.ContainsFunc(poll.Items[i+1:], again) {
			continue
		}
		if _, gone := s.pruned[it.ID]; gone {
			s.pruned[it.ID] = it.Hash
			continue
		}
		if _, known := s.items[it.ID]; !known {
			state.Items++
		}
		s.store(cleanItem(it))
	}
	status.State = state
	s.feeds[poll.Feed] = status
	if poll.Relist {
		s.listings[poll.Feed] = cleanSlice(poll.Listing)
	}
	delete(s.leases, poll.Feed)
	return nil
}

// prepared is a poll without items.
type prepared struct{ poll aggregator.Poll }

func (p *prepared) Feed() aggregator.FeedID { return p.poll.Feed }
func (p *prepared) Due() time.Time          { return p.poll.State.Due }

// Prepare makes a poll of the state; see storage.PollStore.
func (s *Store) Prepare(feed aggregator.FeedID, token uint64, state *aggregator.FeedState) aggregator.Prepared {
	return &prepared{aggregator.Poll{Feed: feed, Token: token, State: *state}}
}

// CommitPrepared commits one after the other; see storage.PollStore.
func (s *Store) CommitPrepared(ctx context.Context, all []aggregator.Prepared) []error {
	errs := make([]error, len(all))
	for i, p := range all {
		errs[i] = s.Commit(ctx, p.(*prepared).poll)
	}
	return errs
}

// CommitEach commits one poll after the other; see storage.PollStore.
func (s *Store) CommitEach(ctx context.Context, polls []*aggregator.Poll) []error {
	errs := make([]error, len(polls))
	for i, poll := range polls {
		errs[i] = s.Commit(ctx, *poll)
	}
	return errs
}

// store puts one item in.
func (s *Store) store(it aggregator.Item) {
	if old, known := s.items[it.ID]; known {
		it.Story, it.FirstSeen, it.OrderTime = old.Story, old.FirstSeen, old.OrderTime
		if it.Revision > old.Revision {
			s.revisions[it.ID] = append(s.revisions[it.ID], aggregator.Revision{
				Item: it.ID, Number: old.Revision, From: old.Revised,
				Title: old.Title, Summary: old.Summary, Content: old.Content,
			})
		}
	}
	for _, alias := range it.Aliases {
		_, taken := s.find(alias)
		_, gone := s.findPruned(alias)
		if !taken && !gone && alias != it.ID {
			s.aliases[alias] = it.ID
		}
	}
	s.seq++
	it.Seq = s.seq
	s.replace(it, s.seq)
}

// replace stores the item as it is and moves the topics that list its story, before or after.
func (s *Store) replace(it aggregator.Item, seq uint64) {
	moved := s.topicsOf(it.Story)
	s.items[it.ID] = it
	s.move(append(moved, s.topicsOf(it.Story)...), seq)
}

// move gives the topics a Version with the given seq.
func (s *Store) move(topics []aggregator.TopicID, seq uint64) {
	for _, topic := range topics {
		v := aggregator.Version{Seq: seq, Changed: clean(s.now())}
		if old := s.versions[topic].Changed; v.Changed.Before(old) {
			v.Changed = old
		}
		s.versions[topic] = v
	}
}

func (s *Store) topicsOf(story aggregator.StoryID) []aggregator.TopicID {
	var topics []aggregator.TopicID
	for _, it := range s.items {
		if it.Story == story {
			topics = append(append(topics, it.Topics...), aggregator.AllTopics)
		}
	}
	return topics
}

func inTopic(it aggregator.Item, topic aggregator.TopicID) bool {
	return topic == aggregator.AllTopics || slices.Contains(it.Topics, topic)
}

// Stories yields the stories of a topic; see storage.ReadStore.
func (s *Store) Stories(ctx context.Context, q aggregator.StoryQuery) iter.Seq2[aggregator.Story, error] {
	return sequence(ctx, func() ([]aggregator.Story, error) {
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
		defer s.mu.Unlock()
		byID := make(map[aggregator.StoryID]*aggregator.Story)
		for _, it := range s.items {
			if byID[it.Story] == nil {
				byID[it.Story] = &aggregator.Story{ID: it.Story}
			}
			byID[it.Story].Items = append(byID[it.Story].Items, cleanItem(it))
		}
		var stories []aggregator.Story
		for _, story := range byID {
			slices.SortFunc(story.Items, func(a, b aggregator.Item) int {
				return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), bytes.Compare(a.ID[:], b.ID[:]))
			})
			i := slices.IndexFunc(story.Items, func(it aggregator.Item) bool { return inTopic(it, q.Topic) })
			if i < 0 {
				continue
			}
			stands := story.Items[i]
			if place := (aggregator.StoryPlace{Time: stands.OrderTime, Story: story.ID}); !q.Behind.IsZero() && !q.Behind.Before(place) {
				continue
			}
			story.Items = slices.Insert(slices.Delete(story.Items, i, i+1), 0, stands)
			stories = append(stories, *story)
		}
		slices.SortFunc(stories, func(a, b aggregator.Story) int {
			return cmp.Or(b.Items[0].OrderTime.Compare(a.Items[0].OrderTime), bytes.Compare(a.ID[:], b.ID[:]))
		})
		if q.Limit > 0 && len(stories) > q.Limit {
			stories = stories[:q.Limit]
		}
		return stories, nil
	})
}

// Story is the story with the given id; see storage.ReadStore.
func (s *Store) Story(ctx context.Context, id aggregator.StoryID) (aggregator.Story, error) {
	for story, err := range s.Stories(ctx, aggregator.StoryQuery{}) {
		if err != nil || story.ID == id {
			return story, err
		}
	}
	return aggregator.Story{}, fmt.Errorf("story %v: %w", id, aggregator.ErrNotFound)
}

// Volume counts items by day and feed; see storage.ReadStore.
func (s *Store) Volume(ctx context.Context, q aggregator.VolumeQuery) ([]aggregator.DayVolume, error) {
	since, until := q.Days()
	var volume []aggregator.DayVolume
	for it, err := range s.Items(ctx, aggregator.ItemQuery{Topic: q.Topic, Since: since, Until: until}) {
		if err != nil {
			return nil, err
		}
		v := aggregator.DayVolume{Day: it.Published.Truncate(24 * time.Hour), Feed: it.Feed}
		i, found := slices.BinarySearchFunc(volume, v, func(a, b aggregator.DayVolume) int {
			return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Feed, b.Feed))
		})
		if !found {
			volume = slices.Insert(volume, i, v)
		}
		volume[i].Items++
	}
	return volume, nil
}

// Items yields items by Seq; see storage.ReadStore.
func (s *Store) Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error] {
	return sequence(ctx, func() ([]aggregator.Item, error) {
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
		defer s.mu.Unlock()
		var items []aggregator.Item
		for _, it := range s.items {
			if it.Seq > q.After && inTopic(it, q.Topic) &&
				(q.Since.IsZero() || !it.Published.Before(q.Since)) &&
				(q.Until.IsZero() || it.Published.Before(q.Until)) {
				items = append(items, cleanItem(it))
			}
		}
		slices.SortFunc(items, func(a, b aggregator.Item) int { return cmp.Compare(a.Seq, b.Seq) })
		return items, nil
	})
}

// LatestItems are a feed's items that changed last; see storage.ReadStore.
func (s *Store) LatestItems(ctx context.Context, feed aggregator.FeedID, limit int) ([]aggregator.Item, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var items []aggregator.Item
	for _, it := range s.items {
		if it.Feed == feed {
			items = append(items, cleanItem(it))
		}
	}
	slices.SortFunc(items, func(a, b aggregator.Item) int { return cmp.Compare(b.Seq, a.Seq) })
	if len(items) > limit {
		items = slices.Clip(items[:max(limit, 0)])
	}
	return items, nil
}

// Revisions are an item's earlier texts; see storage.ReadStore.
func (s *Store) Revisions(ctx context.Context, id aggregator.ItemID) ([]aggregator.Revision, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	it, ok := s.find(id)
	if !ok {
		return nil, nil
	}
	return slices.Clone(s.revisions[it.ID]), nil
}

// Version tells the states of a topic apart; see storage.ReadStore.
func (s *Store) Version(ctx context.Context, topic aggregator.TopicID) (aggregator.Version, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.Version{}, err
	}
	defer s.mu.Unlock()
	return s.versions[topic], nil
}

// Refile files the stored items anew; see storage.MaintenanceStore. classify must not call the store.
func (s *Store) Refile(
	ctx context.Context, rules aggregator.Hash, classify func(aggregator.Item) []aggregator.TopicID,
) (changed int, err error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if s.rules != nil && *s.rules == rules {
		return 0, nil
	}
	for _, it := range s.items {
		topics := cleanTopics(classify(cleanItem(it)))
		if slices.Equal(topics, it.Topics) {
			continue
		}
		it.Topics = topics
		s.seq++
		s.replace(it, s.seq)
		changed++
	}
	s.rules = &rules
	return changed, nil
}

// sequence yields what list gives when the sequence begins.
func sequence[T any](ctx context.Context, list func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		all, err := list()
		if err != nil {
			yield(none, err)
			return
		}
		for _, v := range all {
			if err := ctx.Err(); err != nil {
				yield(none, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
