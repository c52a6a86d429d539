package websub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// notesPerWrite bounds what one write holds; saveRetry is how long the next is waited with after one that failed.
	notesPerWrite = 1000
	saveRetry     = 10 * time.Second
)

// saver writes notes of a space, many at once: what is put while a write is under way is the next one.
type saver struct {
	notes Notes
	space string
	log   *slog.Logger
	wake  chan struct{}

	mu sync.Mutex
	// pending are the latest values by key; an empty one removes.
	pending map[string][]byte
	waiting []chan error
}

func newSaver(notes Notes, space string, log *slog.Logger) *saver {
	return &saver{notes: notes, space: space, log: log, wake: make(chan struct{}, 1), pending: make(map[string][]byte)}
}

// put has the value written soon, nil removes what is there.
func (s *saver) put(key string, value any) {
	var text []byte
	if value != nil {
		var err error
		if text, err = json.Marshal(value); err != nil {
			panic(err) // plain structs of plain values can be written
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[key] = text
	nudge(s.wake)
}

// written returns when all that was put before is durable, or could not be made so.
func (s *saver) written(ctx context.Context) error {
	written := make(chan error, 1)
	s.mu.Lock()
	s.waiting = append(s.waiting, written)
	nudge(s.wake)
	s.mu.Unlock()
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// during writes while f runs, which ends with ctx, and then what is left.
func (s *saver) during(ctx context.Context, f func()) {
	saving, done := context.WithCancel(context.WithoutCancel(ctx))
	var run sync.WaitGroup
	run.Go(func() { s.run(saving) })
	f()
	done()
	run.Wait()
}

// run writes until ctx ends, and then what is left.
func (s *saver) run(ctx context.Context) {
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			if err := s.flush(context.WithoutCancel(ctx)); err != nil {
				s.log.Error("what push remembers could not be stored", "error", err)
			}
			return
		}
		if err := s.flush(context.WithoutCancel(ctx)); err != nil {
			s.log.Error("what push remembers could not be stored; it is tried again", "error", err, "in", saveRetry)
			sleep(ctx, saveRetry)
			nudge(s.wake)
		}
	}
}

// flush writes what there is. What could not be written is still pending.
func (s *saver) flush(ctx context.Context) error {
	s.mu.Lock()
	taken, waiting := s.pending, s.waiting
	s.pending, s.waiting = make(map[string][]byte), nil
	s.mu.Unlock()
	err := s.write(ctx, taken)
	for _, w := range waiting {
		w <- err
	}
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, value := range taken {
		if _, newer := s.pending[key]; !newer {
			s.pending[key] = value
		}
	}
	return err
}

func (s *saver) write(ctx context.Context, values map[string][]byte) error {
	var batch []aggregator.Note
	var failures []error
	put := func() {
		if err := s.notes.PutNotes(ctx, batch...); err != nil {
			failures = append(failures, err)
		}
		batch = batch[:0]
	}
	for key, value := range values {
		batch = append(batch, aggregator.Note{Space: s.space, Key: key, Value: value})
		if len(batch) == notesPerWrite {
			put()
		}
	}
	if len(batch) > 0 {
		put()
	}
	return errors.Join(failures...)
}

// load reads the space into values that f makes; a note that cannot be read is dropped, and said so.
func load[T any](ctx context.Context, s *saver, f func(key string, value T)) error {
	for n, err := range s.notes.Notes(ctx, s.space) {
		if err != nil {
			return fmt.Errorf("read what push remembers: %w", err)
		}
		var value T
		if err := json.Unmarshal(n.Value, &value); err != nil {
			s.log.Error("a note of push cannot be read, and is dropped", "space", s.space, "error", err)
			s.put(n.Key, nil)
			continue
		}
		f(n.Key, value)
	}
	return nil
}
