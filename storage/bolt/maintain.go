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
	if err := s.maintain(ctx); err != nil {
		return 0, err
	}
	defer s.maintained()
	state, complete, err := s.beginRefiling(ctx, rules)
	if err != nil || complete {
		return 0, err
	}
	for more := true; more; {
		var n int
		if n, state, err = s.refileSome(ctx, state, classify); err != nil {
			return changed, err
		}
		changed += n
		more = state.Position < state.End
		if report := aggregator.ProgressFor(ctx); report != nil {
			report(aggregator.Progress{What: "filing stored items anew", Done: int64(state.Position), Total: int64(state.End)})
		}
	}
	return changed, nil
}

// refilingRecord is aggregator.Refiling. It is there from the first step of a Refile to the last.
type refilingRecord struct {
	Rules    [16]byte `cbor:"1,keyasint"`
	Position uint64   `cbor:"2,keyasint,omitempty"`
	End      uint64   `cbor:"3,keyasint"`
}

func (r *reader) refiling() (state refilingRecord, running bool, err error) {
	running, err = r.get(metaBucket, refilingKey, &state)
	return state, running, err
}

// Refiling says how far an unfinished Refile has come; see storage.MaintenanceStore.
func (s *Store) Refiling(ctx context.Context) (aggregator.Refiling, error) {
	if err := ctx.Err(); err != nil {
		return aggregator.Refiling{}, err
	}
	var state refilingRecord
	err := s.view(func(r *reader) (err error) {
		state, _, err = r.refiling()
		return err
	})
	return aggregator.Refiling{Rules: state.Rules, Position: state.Position, End: state.End}, err
}

// beginRefiling finds out where to begin, and notes that it has begun before anything is filed: from then on the store is
// no longer what the earlier rules made of it.
func (s *Store) beginRefiling(ctx context.Context, rules aggregator.Hash) (state refilingRecord, complete bool, err error) {
	if err := s.lock(ctx); err != nil {
		return state, false, err
	}
	defer s.unlock()
	running := false
	err = s.view(func(r *reader) (err error) {
		if state, running, err = r.refiling(); err != nil || running {
			return err
		}
		complete = bytes.Equal(r.bucket(metaBucket).Get(rulesKey), rules[:])
		return nil
	})
	if err != nil || complete || running && state.Rules == rules {
		return state, complete, err
	}
	err = s.update(func(w *writer) error {
		state = refilingRecord{Rules: rules, End: w.bucket(itemsBucket).Sequence()}
		if state.End == 0 {
			complete = true
			return w.endRefiling(state)
		}
		return w.put(metaBucket, refilingKey, state)
	})
	return state, complete, err
}

func (w *writer) endRefiling(state refilingRecord) error {
	if err := w.bucket(metaBucket).Put(rulesKey, state.Rules[:]); err != nil {
		return err
	}
	return w.bucket(metaBucket).Delete(refilingKey)
}

// refileSome files some items behind the position anew, and moves that on. The position is noted with what it means: a
// Refile that is stopped repeats nothing that it did.
func (s *Store) refileSome(
	ctx context.Context, state refilingRecord, classify func(aggregator.Item) []aggregator.TopicID,
) (changed int, next refilingRecord, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, state, err
	}
	defer s.unlock()
	items, last, err := s.items(aggregator.ItemQuery{}, seqKey(state.Position), state.End)
	if err != nil {
		return 0, state, err
	}
	var differ []refiled
	for _, it := range items {
		topics, err := tidyTopics(classify(it))
		if err != nil {
			return 0, state, fmt.Errorf("refile item %v: %w", it.ID, err)
		}
		if !slices.Equal(topics, it.Topics) {
			next := it
			next.Topics = topics
			differ = append(differ, refiled{old: it, next: next})
		}
	}
	next = state
	if next.Position = state.End; last != nil {
		next.Position = seqIn(last)
	}
	if len(differ) == 0 && next.Position < next.End {
		// Noting the position alone is not worth an fsync: what is looked at again after a stop is unchanged still.
		return 0, next, nil
	}
	err = s.update(func(w *writer) error {
		if err := w.refile(differ); err != nil {
			return err
		}
		if next.Position >= next.End {
			return w.endRefiling(next)
		}
		return w.put(metaBucket, refilingKey, next)
	})
	if err != nil {
		return 0, state, err
	}
	return len(differ), next, nil
}

// refiled is an item before and after.
type refiled struct{ old, next aggregator.Item }

// refile stores the items where they are. The Versions of their topics get a sequence number that no item has.
func (w *writer) refile(items []refiled) error {
	if len(items) == 0 {
		return nil
	}
	seq, err := w.bucket(itemsBucket).NextSequence()
	if err != nil {
		return err
	}
	var changes []replacement
	for i := range items {
		it := &items[i]
		if err := w.file(&it.next, &it.old, seq); err != nil {
			return err
		}
		cbor, err := w.codec.cborOf(&it.next)
		if err != nil {
			return err
		}
		changes = append(changes, replacement{seq: it.next.Seq, cbor: cbor})
	}
	return w.replaceItems(changes...)
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
	out := &watched{ctx: ctx, w: w, report: aggregator.ProgressFor(ctx)}
	// Not by view: what waits to swap the file must not wait for a slow writer, and all readers for it.
	db := s.database()
	err := guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			out.Progress = aggregator.Progress{What: "copying the store", Unit: "bytes", Total: tx.Size()}
			out.tell() // the size, before the first byte
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
	// report, where it is not nil, is told of the progress.
	report func(aggregator.Progress)
	aggregator.Progress
}

func (o *watched) Write(p []byte) (n int, err error) {
	if o.err = o.ctx.Err(); o.err == nil {
		n, o.err = o.w.Write(p)
		o.Done += int64(n)
		o.tell()
	}
	return n, o.err
}

func (o *watched) tell() {
	if o.report != nil {
		o.report(o.Progress)
	}
}
