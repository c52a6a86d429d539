// Package memory is a store in memory: the fake that other packages test with, and the model that the backends are
// compared with. It does everything the plain way, by looking at all there is, and is meant for thousands of items.
//
// It keeps the promises of storage.Store but for durability, and for Backup, which it does not support. It gives and
// takes copies only.
package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

var errClosed = errors.New("store is closed")

// Store is a store in memory. New makes one.
type Store struct {
	*data
	// leases and closed are of this opening of the store.
	leases map[aggregator.FeedID]lease
	closed bool
}

// data is what would be on a disk. Its mutex guards the fields of Store too.
type data struct {
	mu        sync.Mutex
	now       func() time.Time
	token     uint64
	seq       uint64
	feeds     map[aggregator.FeedID]aggregator.FeedStatus
	listings  map[aggregator.FeedID][]aggregator.ListedItem
	items     map[aggregator.ItemID]aggregator.Item
	aliases   map[aggregator.ItemID]aggregator.ItemID
	revisions map[aggregator.ItemID][]aggregator.Revision
	// pruned has the hash of what is no longer among items.
	pruned    map[aggregator.ItemID]aggregator.Hash
	versions  map[aggregator.TopicID]aggregator.Version
	notes     map[noteKey][]byte
	authority *string
	rules     *aggregator.Hash
}

type lease struct {
	token uint64
	until time.Time
}

// New makes an empty store. now dates the Versions of topics; nil is time.Now.
func New(now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{
		data: &data{
			now:       now,
			feeds:     make(map[aggregator.FeedID]aggregator.FeedStatus),
			listings:  make(map[aggregator.FeedID][]aggregator.ListedItem),
			items:     make(map[aggregator.ItemID]aggregator.Item),
			aliases:   make(map[aggregator.ItemID]aggregator.ItemID),
			revisions: make(map[aggregator.ItemID][]aggregator.Revision),
			pruned:    make(map[aggregator.ItemID]aggregator.Hash),
			versions:  make(map[aggregator.TopicID]aggregator.Version),
			notes:     make(map[noteKey][]byte),
		},
		leases: make(map[aggregator.FeedID]lease),
	}
}

// Reopen gives a store with the same data and no leases, as a process has it that starts after this one ended.
func (s *Store) Reopen() *Store {
	return &Store{data: s.data, leases: make(map[aggregator.FeedID]lease)}
}

// Close makes all further calls fail.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// begin locks the store for a call.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	return nil
}

// SyncFeeds makes feeds the active ones; see storage.FeedStore.
func (s *Store) SyncFeeds(
	ctx context.Context, feeds []aggregator.Feed, due func(aggregator.Feed, aggregator.FeedState) time.Time,
) error {
	wanted := make(map[aggregator.FeedID]bool, len(feeds))
	for _, f := range feeds {
		if f.ID == "" || wanted[f.ID] {
			return fmt.Errorf("sync feeds: the feed id %q is empty or not the only one", f.ID)
		}
		wanted[f.ID] = true
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for id, status := range s.feeds {
		if !wanted[id] {
			status.Active = false
			s.feeds[id] = status
			delete(s.leases, id)
		}
	}
	for _, f := range feeds {
		f = cleanFeed(f)
		old, known := s.feeds[f.ID]
		state := old.State
		switch {
		case known && old.Feed.URL != f.URL:
			state = state.Moved()
			delete(s.leases, f.ID)
			delete(s.listings, f.ID)
		case known && old.Feed.MaxAge != f.MaxAge:
			state = state.Unread()
			delete(s.leases, f.ID)
			delete(s.listings, f.ID)
		}
		if !known || old.Feed.URL != f.URL || old.Feed.Schedule != f.Schedule {
			state.Due = clean(due(cleanFeed(f), cleanState(state)))
		}
		s.feeds[f.ID] = aggregator.FeedStatus{Feed: f, State: state, Active: true}
	}
	return nil
}

// Feeds yields all feeds by id; see storage.FeedStore.
func (s *Store) Feeds(ctx context.Context) iter.Seq2[aggregator.FeedStatus, error] {
	return sequence(ctx, func() ([]aggregator.FeedStatus, error) {
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
		defer s.mu.Unlock()
		var all []aggregator.FeedStatus
		for _, id := range slices.Sorted(maps.Keys(s.feeds)) {
			all = append(all, cleanStatus(s.feeds[id]))
		}
		return all, nil
	})
}

// Feed is the feed with the given id; see storage.FeedStore.
func (s *Store) Feed(ctx context.Context, id aggregator.FeedID) (aggregator.FeedStatus, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.FeedStatus{}, err
	}
	defer s.mu.Unlock()
	status, ok := s.feeds[id]
	if !ok {
		return status, fmt.Errorf("feed %q: %w", id, aggregator.ErrNotFound)
	}
	return cleanStatus(status), nil
}

// MakeDue sets due times that are later than at; see storage.FeedStore.
func (s *Store) MakeDue(ctx context.Context, at time.Time) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for id, status := range s.feeds {
		if status.Active && status.State.Due.After(at) && status.State.Pace.Stopped == "" {
			status.State.Due = clean(at)
			if status.State.Pace.NotBefore.After(at) {
				status.State.Due = status.State.Pace.NotBefore
			}
			s.feeds[id] = status
		}
	}
	return nil
}

// unleased are the active feeds that are not leased at now, the longest due first.
func (s *Store) unleased(now time.Time) []aggregator.FeedStatus {
	var free []aggregator.FeedStatus
	for id, status := range s.feeds {
		held, ok := s.leases[id]
		if status.Active && (!ok || !now.Before(held.until)) {
			free = append(free, status)
		}
	}
	slices.SortFunc(free, func(a, b aggregator.FeedStatus) int {
		return cmp.Or(a.State.Due.Compare(b.State.Due), cmp.Compare(a.Feed.ID, b.Feed.ID))
	})
	return free
}

// NextDue is the earliest due time of a feed that nobody polls; see storage.FeedStore.
func (s *Store) NextDue(ctx context.Context, now time.Time) (time.Time, error) {
	if err := s.begin(ctx); err != nil {
		return time.Time{}, err
	}
	defer s.mu.Unlock()
	if free := s.unleased(now); len(free) > 0 {
		return free[0].State.Due, nil
	}
	return time.Time{}, nil
}

// Claim leases feeds that are due; see storage.PollStore.
func (s *Store) Claim(ctx context.Context, now time.Time, duration time.Duration, limit int) ([]aggregator.Lease, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var claimed []aggregator.Lease
	for _, status := range s.unleased(now) {
		if len(claimed) >= limit || status.State.Due.After(now) {
			break
		}
		claimed = append(claimed, s.lease(status, now.Add(duration)))
	}
	return claimed, nil
}

func (s *Store) lease(status aggregator.FeedStatus, until time.Time) aggregator.Lease {
	s.token++
	s.leases[status.Feed.ID] = lease{token: s.token, until: until}
	return aggregator.Lease{Feed: status.Feed.ID, URL: status.URL(), Due: status.State.Due, Token: s.token}
}

// ClaimFeed leases one feed; see storage.PollStore.
func (s *Store) ClaimFeed(ctx context.Context, id aggregator.FeedID, now time.Time, duration time.Duration) (aggregator.Lease, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.Lease{}, err
	}
	defer s.mu.Unlock()
	status, ok := s.feeds[id]
	if !ok || !status.Active {
		return aggregator.Lease{}, fmt.Errorf("feed %q: %w", id, aggregator.ErrNotFound)
	}
	if held, ok := s.leases[id]; ok && now.Before(held.until) {
		return aggregator.Lease{}, fmt.Errorf("feed %q: %w", id, aggregator.ErrLeased)
	}
	return s.lease(status, now.Add(duration)), nil
}

// Leased is the leased feed as it now is; see storage.PollStore.
func (s *Store) Leased(ctx context.Context, given aggregator.Lease) (aggregator.FeedStatus, error) {
	if err := s.begin(ctx); err != nil {
		return aggregator.FeedStatus{}, err
	}
	defer s.mu.Unlock()
	status := s.feeds[given.Feed]
	if held, ok := s.leases[given.Feed]; !ok || held.token != given.Token || status.URL() != given.URL {
		return aggregator.FeedStatus{}, fmt.Errorf("feed %q: %w", given.Feed, aggregator.ErrLeaseLost)
	}
	return cleanStatus(status), nil
}

// LeasedEach is Leased for many; see storage.PollStore.
func (s *Store) LeasedEach(ctx context.Context, given []aggregator.Lease, statuses []*aggregator.FeedStatus) []error {
	errs := make([]error, len(given))
	for i, g := range given {
		*statuses[i], errs[i] = s.Leased(ctx, g)
	}
	return errs
}

// Listing has the items of the feed's last document; see storage.PollStore.
func (s *Store) Listing(ctx context.Context, id aggregator.FeedID) ([]aggregator.ListedItem, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return cleanSlice(s.listings[id]), nil
}

// Postpone gives leases back with another due time; see storage.PollStore.
func (s *Store) Postpone(ctx context.Context, given ...aggregator.Lease) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, g := range given {
		if held, ok := s.leases[g.Feed]; ok && held.token == g.Token {
			delete(s.leases, g.Feed)
			status := s.feeds[g.Feed]
			status.State.Due = clean(g.Due)
			s.feeds[g.Feed] = status
		}
	}
	return nil
}

// Release gives leases back; see storage.PollStore.
func (s *Store) Release(ctx context.Context, given ...aggregator.Lease) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, g := range given {
		if held, ok := s.leases[g.Feed]; ok && held.token == g.Token {
			delete(s.leases, g.Feed)
		}
	}
	return nil
}
