package bolt

import (
	"bytes"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// stateChange is the state of an active feed that takes the place of another.
type stateChange struct {
	id, record []byte
	// before and after are the feed's keys in the bucket due, url is what is stored there. It is empty where the one that
	// is there stays, which a feed that was or is polled at another URL than its own must not rely on.
	before, after, url []byte
	fromFeed           bool
}

// putState notes the state of an active feed that takes the place of one with the head old, and moves its due time.
func (w *writer) putState(id []byte, old stateHead, next *aggregator.FeedState) {
	due := headOf(next).due
	ch := &stateChange{id: id, record: w.room.state(next), fromFeed: old.moved && next.MovedTo == ""}
	ch.before = w.room.dueKey(old.due, id)
	ch.after = ch.before
	if old.due != due {
		ch.after = w.room.dueKey(due, id)
	}
	if next.MovedTo != "" {
		ch.url = []byte(next.MovedTo)
	}
	w.changed = append(w.changed, ch)
}

// flushStates stores the states of feeds and then their due times, each in the order of its keys: what follows each other
// is on the same page.
func (w *writer) flushStates() error {
	if len(w.changed) == 0 {
		return nil
	}
	states := w.bucket(statesBucket)
	slices.SortFunc(w.changed, func(a, b *stateChange) int { return bytes.Compare(a.id, b.id) })
	for i := range w.changed {
		if err := states.Put(w.changed[i].id, w.changed[i].record); err != nil {
			return err
		}
	}
	slices.SortFunc(w.changed, func(a, b *stateChange) int { return bytes.Compare(a.before, b.before) })
	at := w.bucket(dueBucket).Cursor()
	for i := range w.changed {
		if err := w.leaveDue(at, w.changed[i]); err != nil {
			return err
		}
	}
	due := w.bucket(dueBucket)
	slices.SortFunc(w.changed, func(a, b *stateChange) int { return bytes.Compare(a.after, b.after) })
	for i := range w.changed {
		if len(w.changed[i].url) == 0 {
			continue
		}
		if err := due.Put(w.changed[i].after, w.changed[i].url); err != nil {
			return err
		}
	}
	w.changed = nil
	return nil
}

// leaveDue takes a feed out of its place in the bucket due, unless it stays there. Its url is empty then if that does too.
func (w *writer) leaveDue(c *bbolt.Cursor, ch *stateChange) error {
	key, url := c.Seek(ch.before)
	found := bytes.Equal(key, ch.before)
	stays := bytes.Equal(ch.before, ch.after)
	switch {
	case len(ch.url) > 0:
	case ch.fromFeed, !found, len(url) == 0:
		rec, _, err := w.feedRecord(ch.id)
		if err != nil {
			return err
		}
		ch.url = []byte(rec.URL)
	case !stays:
		ch.url = w.room.copy(url) // it is on a page that is about to change
	}
	if found && !stays {
		return c.Delete()
	}
	return nil
}

// room is memory for what one transaction stores, which has to stay as it is until the end of that.
type room []byte

// roomSize is how much is made at once, roomForState more than most states need.
const (
	roomSize     = 64 << 10
	roomForState = 1 << 10
)

// begin is an empty slice with room for at least n bytes, which the caller appends to and then keeps with end.
func (r *room) begin(n int) []byte {
	if cap(*r) < n {
		*r = make([]byte, 0, max(roomSize, n))
	}
	return (*r)[:0]
}

func (r *room) end(made []byte) []byte {
	if len(made) <= cap(*r) {
		*r = (*r)[len(made):len(made)]
	}
	return made[:len(made):len(made)]
}

func (r *room) copy(b []byte) []byte { return r.end(append(r.begin(len(b)), b...)) }

func (r *room) dueKey(at instant, id []byte) []byte {
	return r.end(append(at.appendTo(r.begin(instantLen+len(id))), id...))
}

func (r *room) state(s *aggregator.FeedState) []byte {
	return r.end(appendState(r.begin(roomForState), s))
}
