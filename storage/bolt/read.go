package bolt

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// What one step of a sequence holds at most. The last value of a step may go over bytesPerRead.
const (
	storiesPerRead = 64
	itemsPerRead   = 256
	bytesPerRead   = 4 << 20
	// scannedPerRead bounds the items that a step looks at when few of them are asked for.
	scannedPerRead = 8192
)

// sequence yields what step reads, a batch at a time. step is given the last key of the batch before, and gives a nil
// key when there is nothing more.
func sequence[T any](ctx context.Context, step func(after []byte) ([]T, []byte, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for after := []byte(nil); ; {
			if err := ctx.Err(); err != nil {
				yield(none, err)
				return
			}
			batch, last, err := step(after)
			if err != nil {
				yield(none, err)
				return
			}
			for _, v := range batch {
				if !yield(v, nil) {
					return
				}
			}
			if last == nil {
				return
			}
			after = last
		}
	}
}

// seekAfter is the first pair whose key is greater than after, or not below from where after is nil.
func seekAfter(c *bbolt.Cursor, from, after []byte) (k, v []byte) {
	if after == nil {
		return c.Seek(from)
	}
	k, v = c.Seek(after)
	if bytes.Equal(k, after) {
		return c.Next()
	}
	return k, v
}

// Resolve says which ids are stored; see storage.PollStore.
func (s *Store) Resolve(ctx context.Context, ids []aggregator.ItemID) ([]aggregator.KnownItem, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	known := make([]aggregator.KnownItem, len(ids))
	err := s.view(func(r *reader) error {
		for i, id := range ids {
			known[i].ID = id
			if own, at, ok := r.find(id); ok {
				known[i] = aggregator.KnownItem{ID: own, Hash: at.hash, Found: true}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return known, nil
}

// Item is the item with the given id or alias; see storage.PollStore.
func (s *Store) Item(ctx context.Context, id aggregator.ItemID) (it aggregator.Item, err error) {
	if err := ctx.Err(); err != nil {
		return it, err
	}
	err = s.view(func(r *reader) error {
		_, at, ok := r.find(id)
		if !ok || at.pruned() {
			return fmt.Errorf("item %v: %w", id, aggregator.ErrNotFound)
		}
		it, err = r.item(at.seq)
		return err
	})
	return it, err
}

// Stories yields the stories of a topic; see storage.ReadStore. A story that changes its place in the topic while the
// sequence is read can be met twice or not at all.
func (s *Store) Stories(ctx context.Context, q aggregator.StoryQuery) iter.Seq2[aggregator.Story, error] {
	left := func(yielded int) int {
		if q.Limit <= 0 {
			return storiesPerRead
		}
		return min(storiesPerRead, q.Limit-yielded)
	}
	return func(yield func(aggregator.Story, error) bool) {
		yielded := 0
		var from []byte
		if !q.Behind.IsZero() && len(q.Topic) <= maxName {
			from = listKey(q.Topic, instantOf(q.Behind.Time), q.Behind.Story)
		}
		sequence(ctx, func(after []byte) ([]aggregator.Story, []byte, error) {
			if after == nil {
				after = from
			}
			batch, last, err := s.stories(q.Topic, after, left(yielded))
			yielded += len(batch)
			if left(yielded) == 0 {
				last = nil
			}
			return batch, last, err
		})(yield)
	}
}

// Story is the story with the given id; see storage.ReadStore.
func (s *Store) Story(ctx context.Context, id aggregator.StoryID) (story aggregator.Story, err error) {
	if err := ctx.Err(); err != nil {
		return story, err
	}
	err = s.view(func(r *reader) error {
		found, _, err := r.story(id, aggregator.AllTopics)
		if err == nil && len(found.Items) == 0 {
			return fmt.Errorf("story %v: %w", id, aggregator.ErrNotFound)
		}
		story = found
		return err
	})
	return story, err
}

// stories are up to limit of the topic's stories after the given key of lists.
func (s *Store) stories(topic aggregator.TopicID, after []byte, limit int) (batch []aggregator.Story, last []byte, err error) {
	prefix := topicKey(topic)
	if len(topic) > maxName {
		return nil, nil, nil
	}
	err = s.view(func(r *reader) error {
		size := 0
		c := r.bucket(listsBucket).Cursor()
		for k, _ := seekAfter(c, prefix, after); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			id := k[len(prefix):]
			if len(id) != instantLen+16 {
				return fmt.Errorf("lists %x: %w", k, errRecord)
			}
			story, n, err := r.story(aggregator.StoryID(id[instantLen:]), topic)
			if err != nil {
				return err
			}
			batch = append(batch, story)
			if size += n; size >= bytesPerRead || len(batch) >= limit {
				last = bytes.Clone(k)
				return nil
			}
		}
		return nil
	})
	return batch, last, err
}

// Items yields items by Seq; see storage.ReadStore. An item that changes while the sequence is read moves behind its
// end.
func (s *Store) Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error] {
	return func(yield func(aggregator.Item, error) bool) {
		var end uint64
		err := s.view(func(r *reader) error {
			end = r.bucket(itemsBucket).Sequence()
			return nil
		})
		if err != nil {
			yield(aggregator.Item{}, err)
			return
		}
		sequence(ctx, func(after []byte) ([]aggregator.Item, []byte, error) {
			return s.items(q, after, end)
		})(yield)
	}
}

// items are some of the items that the query asks for, after the given key and up to the Seq end.
func (s *Store) items(q aggregator.ItemQuery, after []byte, end uint64) (batch []aggregator.Item, last []byte, err error) {
	if after == nil {
		after = seqKey(q.After)
	}
	err = s.view(func(r *reader) error {
		size, scanned := 0, 0
		c := r.bucket(itemsBucket).Cursor()
		for k, v := seekAfter(c, nil, after); k != nil && seqIn(k) <= end; k, v = c.Next() {
			ok, err := r.matches(q, v)
			if err != nil {
				return fmt.Errorf("item %d: %w", seqIn(k), err)
			}
			if ok {
				var rec itemRecord
				if err := r.decode(v, &rec); err != nil {
					return fmt.Errorf("item %d: %w", seqIn(k), err)
				}
				it := rec.item(seqIn(k))
				batch, size = append(batch, it), size+textSize(&it)
			}
			scanned++
			if size >= bytesPerRead || len(batch) >= itemsPerRead || scanned >= scannedPerRead {
				last = bytes.Clone(k)
				return nil
			}
		}
		return nil
	})
	return batch, last, err
}

// matches reports whether the query asks for the item, and decodes no more of it than needed.
func (r *reader) matches(q aggregator.ItemQuery, value []byte) (bool, error) {
	if q.Topic == aggregator.AllTopics && q.Since.IsZero() && q.Until.IsZero() {
		return true, nil
	}
	var f itemFilter
	if err := r.decode(value, &f); err != nil {
		return false, err
	}
	published := f.Published.time()
	return (q.Topic == aggregator.AllTopics || slices.Contains(f.Topics, q.Topic)) &&
		(q.Since.IsZero() || !published.Before(q.Since)) &&
		(q.Until.IsZero() || published.Before(q.Until)), nil
}

// Volume counts items by day and feed; see storage.ReadStore.
func (s *Store) Volume(ctx context.Context, q aggregator.VolumeQuery) ([]aggregator.DayVolume, error) {
	since, until := q.Days()
	counts := make(map[aggregator.DayVolume]int)
	for it, err := range s.Items(ctx, aggregator.ItemQuery{Topic: q.Topic, Since: since, Until: until}) {
		if err != nil {
			return nil, err
		}
		counts[aggregator.DayVolume{Day: it.Published.Truncate(24 * time.Hour), Feed: it.Feed}]++
	}
	var volume []aggregator.DayVolume
	for v, n := range counts {
		v.Items = n
		volume = append(volume, v)
	}
	slices.SortFunc(volume, func(a, b aggregator.DayVolume) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Feed, b.Feed))
	})
	return volume, nil
}

// Revisions are an item's earlier texts; see storage.ReadStore.
func (s *Store) Revisions(ctx context.Context, id aggregator.ItemID) (revisions []aggregator.Revision, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(r *reader) error {
		own, _, ok := r.find(id)
		if !ok {
			return nil
		}
		c := r.bucket(revisionsBucket).Cursor()
		for k, v := c.Seek(own[:]); len(k) == 24 && bytes.HasPrefix(k, own[:]); k, v = c.Next() {
			var rec revisionRecord
			if err := r.decode(v, &rec); err != nil {
				return fmt.Errorf("revision of item %v: %w", own, err)
			}
			revisions = append(revisions, aggregator.Revision{
				Item: own, Number: int(seqIn(k[16:])), From: rec.From.time(),
				Title: rec.Title, Summary: rec.Summary, Content: rec.Content,
			})
		}
		return nil
	})
	return revisions, err
}

// Version tells the states of a topic apart; see storage.ReadStore.
func (s *Store) Version(ctx context.Context, topic aggregator.TopicID) (v aggregator.Version, err error) {
	if err := ctx.Err(); err != nil || len(topic) > maxName {
		return v, err
	}
	err = s.view(func(r *reader) error {
		rec, err := r.version(topic)
		v = aggregator.Version{Seq: rec.Seq, Changed: rec.Changed.time()}
		return err
	})
	return v, err
}
