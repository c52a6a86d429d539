package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// stateChange is the state of an active feed that takes the place of another.
type stateChange struct {
	id []byte
	// key is that of the state.
	key, record []byte
	// before and after are the feed's keys in the bucket due, entry is what is stored there, empty where that stays.
	before, after, entry []byte
	// moves says that the feed was or is polled at another URL than its own: its entry is made anew.
	moves   bool
	movedTo string
}

// putState notes the state of an active feed that takes the place of one with the head old, and moves its due time.
func (w *writer) putState(id []byte, old stateHead, next *aggregator.FeedState) {
	made := ready(next)
	w.putReady(placeOf(id), id, old, &made, next.Items)
}

// putReady is putState of a feed with the given place and so many items.
func (w *writer) putReady(place uint32, id []byte, old stateHead, next *readyState, items int) {
	ch := stateChange{id: id, record: next.finish(items), moves: old.moved || next.movedTo != "", movedTo: next.movedTo}
	ch.key = w.room.stateKey(place, id)
	ch.before = w.room.dueKey(old.due, id)
	ch.after = ch.before
	if old.due != next.due {
		ch.after = w.room.dueKey(next.due, id)
	}
	if w.changed == nil {
		w.changed, w.room.changed = w.room.changed, nil
	}
	w.changed = append(w.changed, ch)
}

// flushStates stores the states of feeds and then their due times, each in the order of its keys: what follows each other
// is on the same page.
func (w *writer) flushStates() error {
	if len(w.changed) == 0 {
		return nil
	}
	changed := w.room.changes[:0]
	for i := range w.changed {
		changed = append(changed, &w.changed[i])
	}
	states := w.bucket(statesBucket)
	slices.SortFunc(changed, func(a, b *stateChange) int { return bytes.Compare(a.key, b.key) })
	for _, ch := range changed {
		if err := states.Put(ch.key, ch.record); err != nil {
			return err
		}
	}
	slices.SortFunc(changed, func(a, b *stateChange) int { return bytes.Compare(a.before, b.before) })
	at := w.bucket(dueBucket).Cursor()
	for _, ch := range changed {
		if err := w.leaveDue(at, ch); err != nil {
			return err
		}
	}
	due := w.bucket(dueBucket)
	slices.SortFunc(changed, func(a, b *stateChange) int { return bytes.Compare(a.after, b.after) })
	if end, _ := last(at); bytes.Compare(changed[0].after, end) > 0 {
		// Between these nothing comes that has the same interval. Where others do, full pages would be divided time and again.
		due.FillPercent = itemFill
	}
	for _, ch := range changed {
		if len(ch.entry) == 0 {
			continue
		}
		if err := due.Put(ch.after, ch.entry); err != nil {
			return err
		}
	}
	w.room.keep(w.changed, changed)
	w.changed = nil
	return nil
}

// leaveDue takes a feed out of its place in the bucket due, unless it stays there.
func (w *writer) leaveDue(c *bbolt.Cursor, ch *stateChange) error {
	key, entry := c.Seek(ch.before)
	found := bytes.Equal(key, ch.before)
	_, _, spoiled := entryFields(entry)
	stays := bytes.Equal(ch.before, ch.after)
	switch {
	case ch.moves, !found, spoiled != nil:
		rec, _, err := w.feedRecord(ch.id)
		if err != nil {
			return err
		}
		ch.entry = rec.entry(ch.id, ch.movedTo)
	case !stays:
		ch.entry = w.room.copy(entry) // it is on a page that is about to change
	}
	if found && !stays {
		return c.Delete()
	}
	return nil
}

// room is memory for what one transaction stores, which has to stay as it is until the end of that. It is used again for
// the next.
type room struct {
	// blocks are what there is, rest is what is left of the last that is used.
	blocks [][]byte
	used   int
	rest   []byte
	// changed and changes are empty slices.
	changed []stateChange
	changes []*stateChange
}

// roomSize is how much is made at once. Of that, roomKept are kept for the next transaction.
const (
	roomSize = 64 << 10
	roomKept = 32
)

// begin is an empty slice with room for at least n bytes, which the caller appends to and then keeps with end.
func (r *room) begin(n int) []byte {
	switch {
	case cap(r.rest) >= n:
	case n > roomSize:
		return make([]byte, 0, n)
	default:
		if r.used == len(r.blocks) {
			r.blocks = append(r.blocks, make([]byte, 0, roomSize))
		}
		r.rest = r.blocks[r.used]
		r.used++
	}
	return r.rest[:0]
}

func (r *room) end(made []byte) []byte {
	if len(made) > 0 && cap(r.rest) > 0 && &made[0] == &r.rest[:1][0] {
		r.rest = r.rest[len(made):len(made)]
	}
	return made[:len(made):len(made)]
}

// keep has the slices used again.
func (r *room) keep(changed []stateChange, changes []*stateChange) {
	if cap(changed) > 2*maxBatchPolls {
		return
	}
	clear(changed)
	clear(changes)
	r.changed, r.changes = changed[:0], changes[:0]
}

// reset is called at the end of the transaction, when nothing refers to what is in the room.
func (r *room) reset() {
	r.blocks = r.blocks[:min(len(r.blocks), roomKept)]
	clear(r.blocks[len(r.blocks):cap(r.blocks)])
	r.used, r.rest = 0, nil
}

func (r *room) text(s string) []byte { return r.end(append(r.begin(len(s)), s...)) }

func (r *room) copy(b []byte) []byte { return r.end(append(r.begin(len(b)), b...)) }

func (r *room) dueKey(at instant, id []byte) []byte {
	return r.end(append(at.appendTo(r.begin(instantLen+len(id))), id...))
}

func (r *room) stateKey(place uint32, id []byte) []byte {
	return r.end(append(binary.BigEndian.AppendUint32(r.begin(placeLen+len(id)), place), id...))
}

func (r *room) chunk(c *chunk) []byte { return r.end(c.append(r.begin(c.mostBytes()))) }
