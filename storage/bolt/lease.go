package bolt

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// leases are who polls what.
type leases struct {
	mu   sync.Mutex
	held map[aggregator.FeedID]lease
	last uint64
}

type lease struct {
	token uint64
	until time.Time
	// committing leases do not run out: their outcome is being written.
	committing bool
}

func (l lease) holds(now time.Time) bool { return l.committing || now.Before(l.until) }

// newLeases gives out tokens above the given one, which differs from one start to the next.
func newLeases(above uint64) leases {
	return leases{held: make(map[aggregator.FeedID]lease), last: above}
}

// begin reports whether the lease of a poll still stands, and keeps it until end.
func (l *leases) begin(p aggregator.Poll) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, ok := l.held[p.Feed]
	if !ok || held.token != p.Token || held.committing {
		return false
	}
	held.committing = true
	l.held[p.Feed] = held
	return true
}

// end gives up the lease of a poll that was stored; one that was not may be committed again.
func (l *leases) end(p aggregator.Poll, stored bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stored {
		delete(l.held, p.Feed)
		return
	}
	held := l.held[p.Feed]
	held.committing = false
	l.held[p.Feed] = held
}

// breakAll takes the leases of the feeds away from whoever has them.
func (l *leases) breakAll(feeds []aggregator.FeedID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range feeds {
		delete(l.held, id)
	}
}

// Claim leases feeds that are due; see storage.PollStore. It reads as many keys as feeds are leased or asked for and
// writes nothing.
func (s *Store) Claim(ctx context.Context, now time.Time, duration time.Duration, limit int) ([]aggregator.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The transaction begins with the table locked: a poll whose lease is gone from it has its new due time in there.
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	var claimed []aggregator.Lease
	err := s.view(func(r *reader) error {
		claimed = nil
		return r.unleased(now, func(due instant, id []byte) (bool, error) {
			if len(claimed) >= limit || due.time().After(now) {
				return false, nil
			}
			status, err := r.listed(id)
			if err != nil {
				return false, err
			}
			claimed = append(claimed, aggregator.Lease{Feed: status.Feed, State: status.State})
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range claimed {
		s.leases.last++
		claimed[i].Token = s.leases.last
		s.leases.held[claimed[i].Feed.ID] = lease{token: s.leases.last, until: now.Add(duration)}
	}
	return claimed, nil
}

// unleased calls f for the due times of the feeds that are not leased at now, earliest first, until f has enough. The
// table of leases is locked.
func (r *reader) unleased(now time.Time, f func(due instant, id []byte) (more bool, err error)) error {
	c := r.bucket(dueBucket).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		due, id, ok := instantIn(k)
		if !ok {
			return fmt.Errorf("due %x: %w", k, errRecord)
		}
		if held, ok := r.leases.held[aggregator.FeedID(id)]; ok && held.holds(now) {
			continue
		}
		if more, err := f(due, id); err != nil || !more {
			return err
		}
	}
	return nil
}

// ClaimFeed leases one feed; see storage.PollStore.
func (s *Store) ClaimFeed(
	ctx context.Context, id aggregator.FeedID, now time.Time, duration time.Duration,
) (claimed aggregator.Lease, err error) {
	if err := ctx.Err(); err != nil {
		return claimed, err
	}
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	err = s.view(func(r *reader) error {
		status, err := r.status([]byte(id))
		switch {
		case err != nil:
			return err
		case !status.Active:
			return fmt.Errorf("feed %q: %w", id, aggregator.ErrNotFound)
		}
		if held, ok := r.leases.held[id]; ok && held.holds(now) {
			return fmt.Errorf("feed %q: %w", id, aggregator.ErrLeased)
		}
		claimed = aggregator.Lease{Feed: status.Feed, State: status.State}
		return nil
	})
	if err != nil {
		return aggregator.Lease{}, err
	}
	s.leases.last++
	claimed.Token = s.leases.last
	s.leases.held[id] = lease{token: s.leases.last, until: now.Add(duration)}
	return claimed, nil
}

// Postpone gives leases back with another due time; see storage.PollStore. All of them are one transaction.
func (s *Store) Postpone(ctx context.Context, given ...aggregator.Lease) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	var standing []aggregator.Poll
	for _, g := range given {
		if p := (aggregator.Poll{Feed: g.Feed.ID, Token: g.Token, State: g.State}); s.leases.begin(p) {
			standing = append(standing, p)
		}
	}
	if len(standing) == 0 {
		return s.view(func(*reader) error { return nil }) // a closed store says so
	}
	err := s.update(func(w *writer) error {
		for _, p := range standing {
			old, err := w.stateRecord([]byte(p.Feed))
			if err != nil {
				return err
			}
			next := old
			next.Due = instantOf(p.State.Due)
			if err := w.putState([]byte(p.Feed), old, next, true, true); err != nil {
				return err
			}
		}
		return nil
	})
	for _, p := range standing {
		s.leases.end(p, err == nil)
	}
	if err != nil {
		return fmt.Errorf("postpone %d feeds: %w", len(standing), err)
	}
	return nil
}

// Release gives leases back; see storage.PollStore.
func (s *Store) Release(ctx context.Context, given ...aggregator.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	for _, g := range given {
		if held, ok := s.leases.held[g.Feed.ID]; ok && held.token == g.Token && !held.committing {
			delete(s.leases.held, g.Feed.ID)
		}
	}
	return nil
}

// NextDue is the earliest due time of a feed that nobody polls; see storage.FeedStore.
func (s *Store) NextDue(ctx context.Context, now time.Time) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	var next time.Time
	err := s.view(func(r *reader) error {
		return r.unleased(now, func(due instant, _ []byte) (bool, error) {
			next = due.time()
			return false, nil
		})
	})
	return next, err
}
