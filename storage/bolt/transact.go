package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/topicwire/topicwire/aggregator"
)

// guard makes an error of a panic or of a fault on the memory map.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (%v)", errDamaged, p)
		}
	}()
	return f()
}

// view reads in one short transaction. No bytes of the file may leave f.
func (s *Store) view(f func(*reader) error) error {
	s.using.RLock()
	defer s.using.RUnlock()
	err := guard(func() error {
		return s.file.db.View(func(tx *bbolt.Tx) error { return f(&reader{Store: s, tx: tx, pack: s.file.pack}) })
	})
	return s.wrap("read", err)
}

// update writes in one transaction. Who calls it holds writing.
func (s *Store) update(f func(*writer) error) error {
	defer s.changes.Add(1) // after the transaction, which who reads before it does not see
	return s.transact(f)
}

// transact is update for what changes no states but those of feeds whose leases it ends where it succeeds.
func (s *Store) transact(f func(*writer) error) error {
	if err := s.writable(); err != nil {
		return err
	}
	var id int
	err := guard(func() error {
		return s.database().Update(func(tx *bbolt.Tx) error {
			id = tx.ID()
			w := &writer{reader: reader{Store: s, tx: tx, pack: s.pack()}, now: instantOf(s.now()), collected: &s.collected}
			if err := f(w); err != nil {
				return err
			}
			return w.flush()
		})
	})
	if err != nil {
		s.changes.Add(1) // a disk that failed at the end may have it all the same
	}
	s.versions.forget(s.collected.moved, id) // also where it failed: what is in the file is read again
	s.collected.reset()
	if errors.Is(err, errDamaged) {
		s.damaged.Store(true)
	}
	if errors.Is(err, syscall.EIO) {
		err = s.diskFailed(err)
	}
	return s.wrap("write", err)
}

// diskFailed has the store take no more writes, and is the error for that.
func (s *Store) diskFailed(err error) error {
	s.failed.Store(true)
	return fmt.Errorf("%w (%w)", errDisk, err)
}

// writable is the error with which the store takes no more writes, if any.
func (s *Store) writable() error {
	switch {
	case s.damaged.Load():
		return s.wrap("write", errDamaged)
	case s.failed.Load():
		return s.wrap("write", errDisk)
	}
	return nil
}

// database and pack are of the file that is open now. It stays the same for who holds writing or maintaining.
func (s *Store) database() *bbolt.DB {
	s.using.RLock()
	defer s.using.RUnlock()
	return s.file.db
}

func (s *Store) pack() *packer {
	s.using.RLock()
	defer s.using.RUnlock()
	return s.file.pack
}

// swap changes the file while nobody reads. Who calls it holds writing.
func (s *Store) swap(change func(*file)) {
	defer s.leases.rescan() // a repair changes due times
	defer s.changes.Add(1)
	s.using.Lock()
	defer s.using.Unlock()
	change(&s.file)
	s.versions.reset()
}

func (s *Store) wrap(verb string, err error) error {
	switch {
	case err == nil, errors.Is(err, aggregator.ErrNotFound):
		return err
	case errors.Is(err, bbolterrors.ErrDatabaseNotOpen):
		err = errClosed
	case errors.Is(err, errRecord), errors.Is(err, errMissing):
		err = fmt.Errorf("%w (%w)", errDamaged, err)
	}
	return fmt.Errorf("%s store %s: %w", verb, s.path, err)
}

// lock waits for the right to write; unlock gives it back.
func (s *Store) lock(ctx context.Context) error { return take(ctx, s.writing) }

func (s *Store) unlock() { <-s.writing }

// maintain waits for the right to do what only one may do at a time; maintained gives it back.
func (s *Store) maintain(ctx context.Context) error { return take(ctx, s.maintaining) }

func (s *Store) maintained() { <-s.maintaining }

func take(ctx context.Context, right chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case right <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
