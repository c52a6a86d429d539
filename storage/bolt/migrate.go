package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
)

// formatOf is the format of the open file.
func (s *Store) formatOf() (n uint32, err error) {
	err = s.view(func(r *reader) error {
		n = binary.BigEndian.Uint32(r.bucket(metaBucket).Get(formatKey))
		return nil
	})
	return n, err
}

// migrate brings a file of an earlier format forward. Where the layout of items is another one the store is written anew:
// until that is done, and when it fails, the old file is there as it was. From format 4 on it is only feeds that move, and
// those move in the file itself, so many in a transaction; where that ends half-way the next start goes on with it.
func (s *Store) migrate() error {
	n, err := s.formatOf()
	if err != nil {
		return err
	}
	if n >= 4 {
		if err := s.moveFeeds(); err != nil {
			return fmt.Errorf("bring feeds forward to format %d: %w; the next start goes on with it", format, err)
		}
		return nil
	}
	err = s.rewrite(context.Background(), s.keepDictionary, func(f *newFile, ctx context.Context) error {
		r := newRebuilding(f, formatTwo{s})
		r.strict = true
		return r.all(ctx)
	})
	if err != nil {
		return fmt.Errorf("bring format %d forward to %d: %w; the file is as it was: the topicwire that wrote it still opens it", n, format, err)
	}
	return nil
}

// moveFeeds has the states of feeds by their places, and what is due in blocks, with what the feeds are.
func (s *Store) moveFeeds() error {
	moved := false
	err := s.view(func(r *reader) error {
		moved = r.bucket(idStatesBucket) == nil && r.bucket(dueTimesBucket) == nil
		return nil
	})
	if err != nil || moved {
		return err
	}
	err = s.update(func(w *writer) error {
		for _, bucket := range [][]byte{statesBucket, dueBucket} {
			if _, err := w.tx.CreateBucketIfNotExists(bucket); err != nil {
				return err
			}
		}
		return w.bucket(metaBucket).Put(formatKey, numberKey(format))
	})
	if err == nil {
		err = s.moveAll(idStatesBucket, (*writer).moveState)
	}
	if err == nil {
		err = s.moveAll(dueTimesBucket, (*writer).moveDueTime)
	}
	return err
}

// moveAll calls move for the pairs of a bucket, takes them out of it, so many in a transaction, and removes the bucket.
func (s *Store) moveAll(bucket []byte, move func(w *writer, k, v []byte) error) error {
	for more := true; more; {
		err := s.update(func(w *writer) error {
			old := w.bucket(bucket)
			if more = old != nil; !more {
				return nil
			}
			var keys [][]byte
			c := old.Cursor()
			for k, v := c.First(); k != nil && len(keys) < feedsPerWrite; k, v = c.Next() {
				k := bytes.Clone(k)
				if err := move(w, k, v); err != nil {
					return err
				}
				keys = append(keys, k)
			}
			if len(keys) == 0 {
				return w.tx.DeleteBucket(bucket)
			}
			for _, k := range keys {
				if err := old.Delete(k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) moveState(id, record []byte) error {
	return w.bucket(statesBucket).Put(stateKey(id), bytes.Clone(record))
}

// moveDueTime enters a feed as due. Where the feed cannot be read its entry is empty, for who polls it or checks the store
// to see.
func (w *writer) moveDueTime(key, url []byte) error {
	due, id, ok := instantIn(key)
	if !ok {
		return nil
	}
	var entry []byte
	if rec, there, err := w.feedRecord(id); err == nil && there {
		movedTo := string(url)
		if len(url) == 0 { // as format 2 had it
			state, _ := w.state(id)
			movedTo = state.MovedTo
		}
		if movedTo == rec.URL {
			movedTo = ""
		}
		entry = rec.entry(id, movedTo)
	}
	w.enterDue(dueFeed{due, id, entry})
	return nil
}

// formatTwo is a store of format 1 or 2, as a source: a record for each item in items, by Seq; for each id in identity, its
// value being Seq and Hash; for each alias in aliases.
type formatTwo struct{ *Store }

func (s formatTwo) identities(ctx context.Context, f func(aggregator.ItemID, identity) error) error {
	err := s.scan(ctx, identityBucket, func(_ *reader, k, v []byte) error {
		if len(k) != 16 || len(v) != 24 {
			return fmt.Errorf("identity %x: %w", k, errRecord)
		}
		at := identity{seq: binary.BigEndian.Uint64(v), hash: [16]byte(v[8:])}
		if !at.pruned() {
			return nil
		}
		return f(aggregator.ItemID(k), at)
	})
	if err != nil {
		return err
	}
	return s.scan(ctx, []byte("aliases"), func(_ *reader, k, v []byte) error {
		if len(k) != 16 || len(v) != 16 {
			return fmt.Errorf("alias %x: %w", k, errRecord)
		}
		return f(aggregator.ItemID(k), identity{seq: isAlias, hash: [16]byte(v)})
	})
}

func (s formatTwo) items(ctx context.Context, f func([]aggregator.Item, int) error) error {
	return s.scan(ctx, itemsBucket, func(r *reader, k, v []byte) error {
		var rec itemRecord
		if err := r.decode(v, &rec); err != nil {
			return fmt.Errorf("item %d: %w", seqIn(k), err)
		}
		return f([]aggregator.Item{rec.item(seqIn(k))}, 0)
	})
}

// keepDictionary is the latest dictionary of the store, for a new file.
func (s *Store) keepDictionary() (number uint32, dictionary []byte, err error) {
	err = s.view(func(r *reader) error {
		number = r.pack.number
		if b := r.bucket(dictionariesBucket); b != nil {
			dictionary = append(dictionary, b.Get(numberKey(number))...)
		}
		return nil
	})
	return number, dictionary, err
}
