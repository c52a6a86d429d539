package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

type noteKey struct{ space, key string }

// Notes yields the notes of a space; see storage.NoteStore.
func (s *Store) Notes(ctx context.Context, space string) iter.Seq2[aggregator.Note, error] {
	return func(yield func(aggregator.Note, error) bool) {
		if err := s.begin(ctx); err != nil {
			yield(aggregator.Note{}, err)
			return
		}
		var notes []aggregator.Note
		for k, v := range s.notes {
			if k.space == space {
				notes = append(notes, aggregator.Note{Space: space, Key: k.key, Value: bytes.Clone(v)})
			}
		}
		s.mu.Unlock()
		slices.SortFunc(notes, func(a, b aggregator.Note) int { return cmp.Compare(a.Key, b.Key) })
		for _, n := range notes {
			if err := ctx.Err(); err != nil {
				yield(aggregator.Note{}, err)
				return
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

// Note is the note with the given space and key; see storage.NoteStore.
func (s *Store) Note(ctx context.Context, space, key string) (aggregator.Note, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.Note{}, err
	}
	defer s.mu.Unlock()
	value, ok := s.notes[noteKey{space, key}]
	if !ok {
		return aggregator.Note{}, fmt.Errorf("note %q of %q: %w", key, space, aggregator.ErrNotFound)
	}
	return aggregator.Note{Space: space, Key: key, Value: bytes.Clone(value)}, nil
}

// PutNotes stores and removes notes; see storage.NoteStore.
func (s *Store) PutNotes(ctx context.Context, notes ...aggregator.Note) error {
	for _, n := range notes {
		if len(n.Space) > 512 || len(n.Key) > 512 || n.Key == "" {
			return errors.New("store note: its space and its key have up to 512 bytes, and its key at least one")
		}
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, n := range notes {
		if len(n.Value) == 0 {
			delete(s.notes, noteKey{n.Space, n.Key})
			continue
		}
		s.notes[noteKey{n.Space, n.Key}] = bytes.Clone(n.Value)
	}
	return nil
}
