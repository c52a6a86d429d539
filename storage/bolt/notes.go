package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/topicwire/topicwire/aggregator"
)

// errNote is what keeps a note from being stored.
var errNote = errors.New("its space and its key have up to 512 bytes, and its key at least one")

// noteRecord is the value of a note, with what tells damage.
type noteRecord struct {
	Value []byte `cbor:"1,keyasint"`
}

// spaceKey begins the keys of a space.
func spaceKey(space string) []byte { return topicKey(aggregator.TopicID(space)) }

// Notes yields the notes of a space; see storage.NoteStore.
func (s *Store) Notes(ctx context.Context, space string) iter.Seq2[aggregator.Note, error] {
	return func(yield func(aggregator.Note, error) bool) {
		prefix, after := spaceKey(space), []byte(nil)
		for more := true; more; {
			var notes []aggregator.Note
			err := ctx.Err()
			if err == nil {
				notes, after, err = s.someNotes(space, prefix, after)
			}
			if err != nil {
				yield(aggregator.Note{}, fmt.Errorf("read notes of %q: %w", space, err))
				return
			}
			for _, n := range notes {
				if !yield(n, nil) {
					return
				}
			}
			more = after != nil
		}
	}
}

// someNotes are notes behind the given key; last is the key of the last of them, nil where there are no more.
func (s *Store) someNotes(space string, prefix, after []byte) (notes []aggregator.Note, last []byte, err error) {
	err = s.view(func(r *reader) error {
		notes, last = nil, nil
		c := r.bucket(notesBucket).Cursor()
		size := 0
		for k, v := seekAfter(c, prefix, after); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var rec noteRecord
			if err := r.decode(v, &rec); err != nil {
				return fmt.Errorf("note %q: %w", k, err)
			}
			notes = append(notes, aggregator.Note{Space: space, Key: string(k[len(prefix):]), Value: rec.Value})
			if size += len(k) + len(v); len(notes) >= scannedPerRead || size >= bytesPerRead {
				last = bytes.Clone(k)
				return nil
			}
		}
		return nil
	})
	return notes, last, err
}

// Note is the note with the given space and key; see storage.NoteStore.
func (s *Store) Note(ctx context.Context, space, key string) (aggregator.Note, error) {
	var rec noteRecord
	err := ctx.Err()
	if err == nil && (len(space) > maxName || len(key) > maxName) {
		err = aggregator.ErrNotFound
	}
	if err == nil {
		err = s.view(func(r *reader) error {
			there, err := r.get(notesBucket, append(spaceKey(space), key...), &rec)
			if err == nil && !there {
				err = aggregator.ErrNotFound
			}
			return err
		})
	}
	if err != nil {
		return aggregator.Note{}, fmt.Errorf("read note %q of %q: %w", key, space, err)
	}
	return aggregator.Note{Space: space, Key: key, Value: rec.Value}, nil
}

// PutNotes stores and removes notes in one transaction; see storage.NoteStore.
func (s *Store) PutNotes(ctx context.Context, notes ...aggregator.Note) error {
	for _, n := range notes {
		if len(n.Space) > maxName || len(n.Key) > maxName || n.Key == "" {
			return fmt.Errorf("store note %q of %q: %w", n.Key, n.Space, errNote)
		}
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if len(notes) == 0 {
		return s.view(func(*reader) error { return nil }) // a closed store says so
	}
	err := s.update(func(w *writer) error {
		for _, n := range notes {
			key := append(spaceKey(n.Space), n.Key...)
			var err error
			if len(n.Value) == 0 {
				err = w.bucket(notesBucket).Delete(key)
			} else {
				err = w.put(notesBucket, key, noteRecord{n.Value})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %d notes: %w", len(notes), err)
	}
	return nil
}

// note finds notes that cannot be read.
func (c *check) note(r *reader, k, v []byte) error {
	var rec noteRecord
	if err := r.decode(v, &rec); err != nil {
		c.problem("note %q: %v", k, err)
	}
	return nil
}

// notes keeps those that can be read.
func (n *rebuilding) notes(ctx context.Context) error {
	there := false
	err := n.view(func(r *reader) error {
		there = r.bucket(notesBucket) != nil
		return nil
	})
	if err != nil || !there { // Earlier formats have none, or have them without saying so.
		return err
	}
	return n.scan(ctx, notesBucket, func(r *reader, k, v []byte) error {
		var rec noteRecord
		if r.decode(v, &rec) != nil {
			return nil
		}
		return n.putRecord(notesBucket, k, rec)
	})
}
