package bolt

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// Refile files the stored items anew; see storage.MaintenanceStore. Polls are held up for the time of one small
// transaction, again and again. classify must not write to the store.
func (s *Store) Refile(
	ctx context.Context, rules aggregator.Hash, classify func(aggregator.Item) []aggregator.TopicID,
) (changed int, err error) {
	var last []byte
	err = s.view(func(r *reader) error {
		last = bytes.Clone(r.bucket(metaBucket).Get(rulesKey))
		return nil
	})
	if err != nil || bytes.Equal(last, rules[:]) {
		return 0, err
	}
	for after, more := []byte(nil), true; more; {
		var n int
		if n, after, err = s.refileSome(ctx, after, rules, classify); err != nil {
			return changed, err
		}
		changed += n
		more = after != nil
	}
	return changed, nil
}

// refileSome files some items after the given key anew. When there are none left it remembers the rules, and the key
// that it gives is nil.
func (s *Store) refileSome(
	ctx context.Context, after []byte, rules aggregator.Hash, classify func(aggregator.Item) []aggregator.TopicID,
) (changed int, last []byte, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, nil, err
	}
	defer s.unlock()
	items, last, err := s.items(aggregator.ItemQuery{}, after, ^uint64(0))
	if err != nil {
		return 0, nil, err
	}
	var differ []aggregator.Item
	for _, it := range items {
		topics, err := tidyTopics(classify(it))
		if err != nil {
			return 0, nil, fmt.Errorf("refile item %v: %w", it.ID, err)
		}
		if !slices.Equal(topics, it.Topics) {
			it.Topics = topics
			differ = append(differ, it)
		}
	}
	if len(differ) == 0 && last != nil {
		return 0, last, nil
	}
	err = s.update(func(w *writer) error {
		if err := w.refile(differ); err != nil || last != nil {
			return err
		}
		return w.bucket(metaBucket).Put(rulesKey, rules[:])
	})
	return len(differ), last, err
}

// refile stores the items where they are. The Versions of their topics get a sequence number that no item has.
func (w *writer) refile(items []aggregator.Item) error {
	if len(items) == 0 {
		return nil
	}
	seq, err := w.bucket(itemsBucket).NextSequence()
	if err != nil {
		return err
	}
	for i := range items {
		if err := w.putPacked(itemsBucket, seqKey(items[i].Seq), itemRecordOf(&items[i])); err != nil {
			return err
		}
		if err := w.file(&items[i], seq); err != nil {
			return err
		}
	}
	return nil
}

// Authority is the name that published ids are built on; see storage.MaintenanceStore.
func (s *Store) Authority(ctx context.Context, proposed string) (string, error) {
	if err := s.lock(ctx); err != nil {
		return "", err
	}
	defer s.unlock()
	var name []byte
	err := s.view(func(r *reader) error {
		name = bytes.Clone(r.bucket(metaBucket).Get(authorityKey))
		return nil
	})
	if err != nil || name != nil {
		return string(name), err
	}
	err = s.update(func(w *writer) error {
		return w.bucket(metaBucket).Put(authorityKey, []byte(proposed))
	})
	if err != nil {
		return "", err
	}
	return proposed, nil
}

// Backup writes a copy of the file as of one instant; see storage.MaintenanceStore.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	if err := s.maintain(ctx); err != nil {
		return err
	}
	defer s.maintained()
	out := &watched{ctx: ctx, w: w}
	// Not by view: what waits to swap the file must not wait for a slow writer, and all readers for it.
	db := s.database()
	err := guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			_, err := tx.WriteTo(out)
			return err
		})
	})
	err = s.wrap("read", err)
	if out.err != nil {
		// bbolt gives no more than the text of the writer's error.
		err = out.err
	}
	if err != nil {
		return fmt.Errorf("back up store %s: %w", s.path, err)
	}
	return nil
}

// watched writes until its context ends, and keeps the error that it ended with.
type watched struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (o *watched) Write(p []byte) (n int, err error) {
	if o.err = o.ctx.Err(); o.err == nil {
		n, o.err = o.w.Write(p)
	}
	return n, o.err
}
