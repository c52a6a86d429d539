package bolt

import (
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

// migrate brings a file of an earlier format forward. One of format 4 is read as it is. Where the layout of items is
// another one the store is written anew: until that is done, and when it fails, the old file is there as it was.
func (s *Store) migrate() error {
	n, err := s.formatOf()
	if err != nil || n == format {
		return err
	}
	if n == 4 {
		err = s.update(func(w *writer) error { return w.bucket(metaBucket).Put(formatKey, numberKey(format)) })
		if err != nil {
			return fmt.Errorf("bring format %d forward to %d: %w", n, format, err)
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
