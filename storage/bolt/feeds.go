package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// What one transaction changes, or one step of a sequence reads, at most.
const (
	feedsPerWrite = 10_000
	feedsPerRead  = 256
)

// feedChange is what SyncFeeds has to do about one feed.
type feedChange struct {
	id []byte
	// record is what is to be stored, value the same encoded.
	record feedRecord
	value  []byte
	// wasActive, moved (its URL changed), unread (its document is to be read again), rescheduled (it needs a due time)
	// compare with what is stored.
	wasActive, moved, unread, rescheduled bool
}

// SyncFeeds makes feeds the active ones; see storage.FeedStore. It reads all feeds once and writes those that differ, in
// transactions of some thousand feeds each: when it fails half-way what it has done stays done, and the next call does
// the rest.
func (s *Store) SyncFeeds(
	ctx context.Context, feeds []aggregator.Feed, due func(aggregator.Feed, aggregator.FeedState) time.Time,
) error {
	wanted, err := sortFeeds(feeds)
	if err != nil {
		return fmt.Errorf("sync feeds: %w", err)
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	var changes []feedChange
	err = s.view(func(r *reader) error {
		changes, err = r.compareFeeds(wanted)
		return err
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(changes, feedsPerWrite) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.changeFeeds(chunk, due); err != nil {
			return err
		}
	}
	return nil
}

func sortFeeds(feeds []aggregator.Feed) ([]aggregator.Feed, error) {
	sorted := slices.SortedFunc(slices.Values(feeds), func(a, b aggregator.Feed) int {
		return strings.Compare(string(a.ID), string(b.ID))
	})
	for i, f := range sorted {
		switch {
		case f.ID == "":
			return nil, fmt.Errorf("the feed %s has no id", f.URL)
		case len(f.ID) > maxName:
			return nil, fmt.Errorf("feed id of %d bytes: at most %d are stored", len(f.ID), maxName)
		case i > 0 && sorted[i-1].ID == f.ID:
			return nil, fmt.Errorf("two feeds have the id %q", f.ID)
		}
	}
	return sorted, nil
}

// compareFeeds walks over the stored feeds and the wanted ones, both by id, and collects the differences.
func (r *reader) compareFeeds(wanted []aggregator.Feed) ([]feedChange, error) {
	var changes []feedChange
	c := r.bucket(feedsBucket).Cursor()
	k, v := c.First()
	for k != nil || len(wanted) > 0 {
		order := 0
		switch {
		case k == nil:
			order = 1
		case len(wanted) == 0:
			order = -1
		default:
			order = strings.Compare(string(k), string(wanted[0].ID))
		}
		change, differs, err := r.compareFeed(order, k, v, wanted)
		if err != nil {
			return nil, err
		}
		if differs {
			changes = append(changes, change)
		}
		if order <= 0 {
			k, v = c.Next()
		}
		if order >= 0 {
			wanted = wanted[1:]
		}
	}
	return changes, nil
}

// compareFeed compares the stored feed k, v with the first of wanted: a negative order means that k is not wanted, a
// positive one that the wanted one is new, zero that they are the same feed.
func (r *reader) compareFeed(order int, k, v []byte, wanted []aggregator.Feed) (change feedChange, differs bool, err error) {
	if order >= 0 {
		change.record = feedRecordOf(wanted[0])
		if change.value = encodeFeed(&change.record); order == 0 && bytes.Equal(change.value, v) {
			return change, false, nil // the usual case
		}
	}
	var old feedRecord
	if order <= 0 {
		if err := r.decodeFeed(v, &old); err != nil {
			return change, false, fmt.Errorf("feed %q: %w", k, err)
		}
		change.id, change.wasActive = bytes.Clone(k), !old.Inactive
	}
	if order < 0 {
		change.record = old
		change.record.Inactive = true
		change.value = encodeFeed(&change.record)
	} else {
		change.id = []byte(wanted[0].ID)
		change.moved = order == 0 && old.URL != change.record.URL
		change.unread = order == 0 && old.MaxAge != change.record.MaxAge
		change.rescheduled = order > 0 || change.moved || old.Schedule != change.record.Schedule
	}
	return change, order > 0 || !bytes.Equal(change.value, v), nil
}

// changeFeeds writes some of the changes. due is asked between two transactions, so that a bug in it is no damage here.
func (s *Store) changeFeeds(changes []feedChange, due func(aggregator.Feed, aggregator.FeedState) time.Time) error {
	// States are many times as large as the rest of a change: those of a million feeds are never there at once.
	states := make([]struct{ old, next aggregator.FeedState }, len(changes))
	err := s.view(func(r *reader) (err error) {
		for i := range changes {
			if states[i].old, err = r.state(changes[i].id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var broken []aggregator.FeedID
	for i := range changes {
		c, state := &changes[i], &states[i]
		state.next = state.old
		switch {
		case c.moved:
			state.next = state.old.Moved()
		case c.unread:
			state.next = state.old.Unread()
		}
		if c.rescheduled {
			state.next.Due = due(c.record.feed(aggregator.FeedID(c.id)), state.next)
		}
		if c.moved || c.unread || c.record.Inactive {
			broken = append(broken, aggregator.FeedID(c.id))
		}
	}
	err = s.update(func(w *writer) error {
		for i := range changes {
			if err := w.changeFeed(&changes[i], &states[i].old, &states[i].next); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.leases.breakAll(broken)
	}
	return err
}

func (w *writer) changeFeed(c *feedChange, old, next *aggregator.FeedState) error {
	if err := w.bucket(feedsBucket).Put(c.id, c.value); err != nil {
		return err
	}
	if err := w.bucket(statesBucket).Put(stateKey(c.id), encodeState(next)); err != nil {
		return err
	}
	if c.moved || c.unread {
		if err := w.putListing(c.id, nil); err != nil {
			return err
		}
	}
	if c.wasActive {
		w.leaveDue(dueFeed{due: instantOf(old.Due), id: c.id})
	}
	if !c.record.Inactive {
		w.enterDue(dueFeed{instantOf(next.Due), c.id, c.record.entry(c.id, next.MovedTo)})
	}
	return nil
}

// status is the feed with its state, or aggregator.ErrNotFound.
func (r *reader) status(id []byte) (status aggregator.FeedStatus, err error) {
	err = r.readStatus(id, &status)
	return status, err
}

// readStatus is status, into the given one, which is zero after an error.
func (r *reader) readStatus(id []byte, status *aggregator.FeedStatus) error {
	rec, ok, err := r.feedRecord(id)
	if err == nil && !ok {
		err = fmt.Errorf("feed %q: %w", id, aggregator.ErrNotFound)
	}
	if err == nil {
		status.Feed, status.Active = rec.feed(aggregator.FeedID(id)), !rec.Inactive
		err = r.readState(placeOf(id), id, &status.State)
	}
	if err != nil {
		*status = aggregator.FeedStatus{}
	}
	return err
}

// listed is the status of a feed whose id another record names: it must be there.
func (r *reader) listed(id []byte) (aggregator.FeedStatus, error) {
	status, err := r.status(id)
	if errors.Is(err, aggregator.ErrNotFound) {
		err = fmt.Errorf("feed %q is missing: %w", id, errRecord)
	}
	return status, err
}

// Feed is the feed with the given id; see storage.FeedStore.
func (s *Store) Feed(ctx context.Context, id aggregator.FeedID) (status aggregator.FeedStatus, err error) {
	if err := ctx.Err(); err != nil {
		return status, err
	}
	err = s.view(func(r *reader) error {
		status, err = r.status([]byte(id))
		return err
	})
	return status, err
}

// Feeds yields all feeds by id; see storage.FeedStore.
func (s *Store) Feeds(ctx context.Context) iter.Seq2[aggregator.FeedStatus, error] {
	return sequence(ctx, func(after []byte) (batch []aggregator.FeedStatus, last []byte, err error) {
		err = s.view(func(r *reader) error {
			c := r.bucket(feedsBucket).Cursor()
			for k, _ := seekAfter(c, nil, after); k != nil && len(batch) < feedsPerRead; k, _ = c.Next() {
				status, err := r.listed(k)
				if err != nil {
					return err
				}
				batch, last = append(batch, status), bytes.Clone(k)
			}
			return nil
		})
		return batch, last, err
	})
}

// MakeDue sets due times that are later than at; see storage.FeedStore. It works in transactions of some thousand feeds
// each: when it fails half-way what it has done stays done.
func (s *Store) MakeDue(ctx context.Context, at time.Time) error {
	for after := (dueFeed{due: instantOf(at)}); ; {
		late, err := s.makeSomeDue(ctx, instantOf(at), after)
		if err != nil || len(late) == 0 {
			return err
		}
		after = late[len(late)-1]
	}
}

// makeSomeDue does so for some feeds that are due after the given one, and gives those.
func (s *Store) makeSomeDue(ctx context.Context, at instant, after dueFeed) (late []dueFeed, err error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	err = s.view(func(r *reader) error {
		return r.dueAfter(after, func(f dueFeed) (bool, error) {
			if f.due != at {
				late = append(late, dueFeed{due: f.due, id: bytes.Clone(f.id)})
			}
			return len(late) < feedsPerWrite, nil
		})
	})
	if err != nil || len(late) == 0 {
		return nil, err
	}
	defer s.leases.rescan()
	return late, s.update(func(w *writer) error {
		for _, f := range late {
			state, err := w.state(f.id)
			if err != nil {
				return err
			}
			if state.Pace.Stopped != "" {
				continue
			}
			old := headOf(&state)
			old.due, state.Due = f.due, at.time()
			if state.Pace.NotBefore.After(state.Due) {
				state.Due = state.Pace.NotBefore
			}
			w.putState(f.id, old, &state)
		}
		return nil
	})
}
