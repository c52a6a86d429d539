package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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
