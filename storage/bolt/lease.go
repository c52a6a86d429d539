package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// leases are who polls what.
type leases struct {
	mu   sync.Mutex
	held map[aggregator.FeedID]*lease
	last uint64
	// taken is a feed that was due: all up to it, and itself, have leases that stand until takenUntil at least. So a
	// claim begins there, and does not look at all that are leased again and again.
	taken      dueFeed
	takenUntil time.Time
}

type lease struct {
	token uint64
	until time.Time
	// committing leases do not run out: their outcome is being written.
	committing bool
	place      uint32
	// feed is the feed as it was when the store had made so many changes; it is zero where that is not known.
	feed    aggregator.Feed
	changes uint64
	// state is of the state that was read last of the feed.
	state knownHead
}

// knownHead is the head of a state that was read when the store had made so many changes, if at all.
type knownHead struct {
	stateHead
	read    bool
	changes uint64
}

// holds reports whether it is that of the stored state, now that there are so many changes.
func (k *knownHead) holds(changes uint64) bool { return k.read && k.changes == changes }

// is reports whether it is the given lease. Nil is none.
func (l *lease) is(given *aggregator.Lease) bool { return l != nil && l.token == given.Token }

func (l *lease) holds(now time.Time) bool { return l.committing || now.Before(l.until) }

// newLeases gives out tokens above the given one, which differs from one start to the next.
func newLeases(above uint64) leases {
	return leases{held: make(map[aggregator.FeedID]*lease), last: above}
}

// begin reports whether the lease of a poll still stands, and keeps it until end. place is the feed's, old what the lease
// knows of the state.
func (l *leases) begin(feed aggregator.FeedID, token uint64) (place uint32, old knownHead, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held[feed]
	if held == nil || held.token != token || held.committing {
		return 0, old, false
	}
	held.committing = true
	return held.place, held.state, true
}

// end gives up the lease of a poll that was stored, and is due then; one that was not may be committed again.
func (l *leases) end(feed aggregator.FeedID, due instant, stored bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !stored {
		if held := l.held[feed]; held != nil {
			held.committing = false
		}
		l.taken = dueFeed{} // it may have run out meanwhile
		return
	}
	delete(l.held, feed)
	if (dueFeed{due: due, id: []byte(feed)}).compare(l.taken) <= 0 {
		l.taken = dueFeed{}
	}
}

// rescan has the next claim look at all feeds that are due. It is called after a change to due times or to leases.
func (l *leases) rescan() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = dueFeed{}
}

// breakAll takes the leases of the feeds away from whoever has them.
func (l *leases) breakAll(feeds []aggregator.FeedID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = dueFeed{}
	for _, id := range feeds {
		delete(l.held, id)
	}
}

// Claim leases feeds that are due; see storage.PollStore. It reads what is due of as many feeds as are leased or
// asked for, and writes nothing.
func (s *Store) Claim(ctx context.Context, now time.Time, duration time.Duration, limit int) ([]aggregator.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The transaction begins with the table locked: a poll whose lease is gone from it has its new due time in there.
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	if !now.Before(s.leases.takenUntil) {
		s.leases.taken = dueFeed{}
	}
	var claimed []aggregator.Lease
	var held []*lease
	until := now.Add(duration)
	changes := s.changes.Load() // before the transaction, which sees what was changed before
	err := s.view(func(r *reader) error {
		claimed, held = make([]aggregator.Lease, 0, min(limit, batchOfLeases)), make([]*lease, 0, min(limit, batchOfLeases))
		soonest, err := r.unleased(s.leases.taken, now, func(f dueFeed) (bool, error) {
			at := f.due.time()
			if len(claimed) >= limit || at.After(now) {
				return false, nil
			}
			l, h := aggregator.Lease{Feed: aggregator.FeedID(f.id), Due: at}, &lease{until: now.Add(duration), changes: changes}
			if entry, err := decodeEntry(f.entry, f.id); err == nil {
				l.URL, h.place, h.feed = entry.url(), entry.place, entry.feed.feed(l.Feed)
			} else {
				// Whoever begins to poll the feed is told what is wrong, if it cannot be polled all the same.
				status, _ := r.status(f.id)
				l.URL, h.place = status.URL(), placeOf(f.id)
			}
			claimed, held = append(claimed, l), append(held, h)
			return true, nil
		})
		until = earliest(until, soonest)
		return err
	})
	if err != nil || len(claimed) == 0 {
		return nil, err
	}
	for i := range claimed {
		s.leases.last++
		claimed[i].Token, held[i].token = s.leases.last, s.leases.last
		s.leases.held[claimed[i].Feed] = held[i]
	}
	if s.leases.taken.id != nil {
		until = earliest(until, s.leases.takenUntil)
	}
	last := claimed[len(claimed)-1]
	s.leases.taken, s.leases.takenUntil = dueFeed{due: instantOf(last.Due), id: []byte(last.Feed)}, until
	return claimed, nil
}

// earliest is the earlier of two times; a zero one is none.
func earliest(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// batchOfLeases is for how many leases room is made at once.
const batchOfLeases = 1024

// unleased calls f with the feeds that are not leased at now, in the order in which they are due, from behind the given one
// on, until f has enough. soonest is when the first of the leases that it passes over runs out; one that is committing does
// not. The table of leases is locked.
func (r *reader) unleased(after dueFeed, now time.Time, f func(dueFeed) (more bool, err error)) (soonest time.Time, err error) {
	err = r.dueAfter(after, func(feed dueFeed) (bool, error) {
		if held, ok := r.leases.held[aggregator.FeedID(feed.id)]; ok && held.holds(now) {
			if !held.committing && (soonest.IsZero() || held.until.Before(soonest)) {
				soonest = held.until
			}
			return true, nil
		}
		return f(feed)
	})
	return soonest, err
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
		claimed = aggregator.Lease{Feed: id, URL: status.URL(), Due: status.State.Due}
		return nil
	})
	if err != nil {
		return aggregator.Lease{}, err
	}
	s.leases.last++
	claimed.Token = s.leases.last
	s.leases.held[id] = &lease{token: s.leases.last, until: now.Add(duration), place: placeOf([]byte(id))}
	return claimed, nil
}

// Leased is the leased feed as it now is; see storage.PollStore.
func (s *Store) Leased(ctx context.Context, given aggregator.Lease) (status aggregator.FeedStatus, err error) {
	err = s.LeasedEach(ctx, []aggregator.Lease{given}, []*aggregator.FeedStatus{&status})[0]
	return status, err
}

// LeasedEach reads many leased feeds in one transaction; see storage.PollStore.
func (s *Store) LeasedEach(ctx context.Context, given []aggregator.Lease, statuses []*aggregator.FeedStatus) []error {
	errs := make([]error, len(given))
	changes := s.changes.Load() // before the transaction, which sees what was changed before
	places := s.describe(given, statuses, changes)
	err := ctx.Err()
	if err == nil {
		err = s.view(func(r *reader) error {
			r.states.inOrder = true
			for i, id := range given {
				if id := []byte(id.Feed); statuses[i].Active {
					errs[i] = r.readState(places[i], id, &statuses[i].State)
				} else {
					errs[i] = r.readStatus(id, statuses[i])
				}
			}
			return nil
		})
	}
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	for i := range given {
		g, held := &given[i], s.leases.held[given[i].Feed]
		// A feed that moves loses its lease right after its URL has changed: who reads in between sees the one or the other.
		switch {
		case err != nil:
			errs[i] = err
		case errors.Is(errs[i], aggregator.ErrNotFound), errs[i] == nil && (statuses[i].URL() != g.URL || !held.is(g)):
			errs[i] = fmt.Errorf("feed %q: %w", g.Feed, aggregator.ErrLeaseLost)
		}
		if errs[i] != nil {
			*statuses[i] = aggregator.FeedStatus{}
			continue
		}
		held.state = knownHead{headOf(&statuses[i].State), true, changes}
	}
	return errs
}

// describe puts down the feeds of the leases, and says that they are active, where that has not changed since they were
// leased. It gives the places of all.
func (s *Store) describe(given []aggregator.Lease, statuses []*aggregator.FeedStatus, changes uint64) (places []uint32) {
	places = make([]uint32, len(given))
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	for i := range given {
		statuses[i].Active = false
		if held := s.leases.held[given[i].Feed]; held.is(&given[i]) && held.feed.ID != "" && held.changes == changes {
			statuses[i].Feed, statuses[i].Active, places[i] = held.feed, true, held.place
		}
	}
	return places
}

// Listing has the items of the feed's last document; see storage.PollStore.
func (s *Store) Listing(ctx context.Context, id aggregator.FeedID) (listed []aggregator.ListedItem, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(r *reader) error {
		listed = listingIn(r.bucket(listingsBucket).Get([]byte(id)))
		return nil
	})
	return listed, err
}

// Postpone gives leases back with another due time; see storage.PollStore. All of them are one transaction.
func (s *Store) Postpone(ctx context.Context, given ...aggregator.Lease) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	var standing []aggregator.Lease
	for _, g := range given {
		if _, _, ok := s.leases.begin(g.Feed, g.Token); ok {
			standing = append(standing, g)
		}
	}
	if len(standing) == 0 {
		return s.view(func(*reader) error { return nil }) // a closed store says so
	}
	err := s.update(func(w *writer) error {
		for _, g := range standing {
			state, err := w.state([]byte(g.Feed))
			if err != nil {
				return err
			}
			old := headOf(&state)
			state.Due = g.Due
			w.putState([]byte(g.Feed), old, &state)
		}
		return nil
	})
	for _, g := range standing {
		s.leases.end(g.Feed, instantOf(g.Due), err == nil)
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
	s.leases.taken = dueFeed{}
	for _, g := range given {
		if held, ok := s.leases.held[g.Feed]; ok && held.token == g.Token && !held.committing {
			delete(s.leases.held, g.Feed)
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
		_, err := r.unleased(dueFeed{}, now, func(f dueFeed) (bool, error) {
			next = f.due.time()
			return false, nil
		})
		return err
	})
	return next, err
}
