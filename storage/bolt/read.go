package bolt

import (
	"bytes"
	"context"
	"fmt"
	"iter"

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
	// countedPerRead is how many members one step counts.
	countedPerRead = 1 << 20
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

// lastBefore is the last pair whose key is less than before.
func lastBefore(c *bbolt.Cursor, before []byte) (k, v []byte) {
	if k, _ = c.Seek(before); k == nil {
		return last(c)
	}
	return c.Prev()
}

// last is the last pair of a bucket. It looks for a first one before, for bbolt's Last never returns where a transaction has
// left nothing in the pages that there are.
func last(c *bbolt.Cursor) (k, v []byte) {
	if k, _ = c.First(); k == nil {
		return nil, nil
	}
	return c.Last()
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
			own, at, ok, err := r.find(id)
			if err != nil {
				return err
			}
			if ok {
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
		_, at, ok, err := r.find(id)
		if err == nil && (!ok || at.pruned()) {
			err = fmt.Errorf("item %v: %w", id, aggregator.ErrNotFound)
		}
		if err != nil {
			return err
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
		sequence(ctx, func(after []byte) ([]aggregator.Story, []byte, error) {
			batch, last, err := s.stories(q, after, left(yielded))
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
func (s *Store) stories(q aggregator.StoryQuery, after []byte, limit int) (batch []aggregator.Story, last []byte, err error) {
	if len(q.Topic) > maxName {
		return nil, nil, nil
	}
	err = s.view(func(r *reader) error {
		number, ok, err := r.topicNumber(q.Topic)
		if err != nil || !ok {
			return err
		}
		before, size := (*listed)(nil), 0
		if l, ok := listedIn(after); ok {
			before = &l
		} else if !q.Behind.IsZero() {
			before = &listed{instantOf(q.Behind.Time), q.Behind.Story}
		}
		return r.listedBefore(number, before, func(l listed) (bool, error) {
			story, n, err := r.story(l.story, q.Topic)
			if err != nil {
				return false, err
			}
			batch = append(batch, story)
			if size += n; size >= bytesPerRead || len(batch) >= limit {
				last = listKey(number, l)
				return false, nil
			}
			return true, nil
		})
	})
	return batch, last, err
}

// Revisions are an item's earlier texts; see storage.ReadStore.
func (s *Store) Revisions(ctx context.Context, id aggregator.ItemID) (revisions []aggregator.Revision, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(r *reader) error {
		own, _, ok, err := r.find(id)
		if err != nil || !ok {
			return err
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
