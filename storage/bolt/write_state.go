package bolt

import (
	"bytes"
	"hash/crc32"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// stateChange is the state of an active feed that takes the place of another.
type stateChange struct {
	id []byte
	// key is that of the state.
	key, record   []byte
	before, after instant
	// moves says that the feed was or is polled at another URL than its own: its entry in due is made anew.
	moves   bool
	movedTo string
}

// putState notes the state of an active feed that takes the place of one with the head old, and moves its due time.
func (w *writer) putState(id []byte, old stateHead, next *aggregator.FeedState) {
	made := readyIn(roomForState(), next)
	w.putReady(placeOf(id), id, old, &made, next.Items)
}

// putReady is putState of a feed with the given place and so many items.
func (w *writer) putReady(place uint32, id []byte, old stateHead, next *readyState, items int) {
	ch := stateChange{
		id: id, key: w.room.stateKey(place, id), record: next.finish(items), before: old.due, after: next.due,
		moves: old.moved || next.movedTo != "", movedTo: next.movedTo,
	}
	w.changed = append(w.changed, ch)
}

// flushStates stores the states of feeds, in the order of their keys: what follows each other is on the same page. It notes
// what that changes of what is due.
func (w *writer) flushStates() error {
	if len(w.changed) == 0 {
		return nil
	}
	changed := w.ordered[:0]
	for i := range w.changed {
		changed = append(changed, &w.changed[i])
	}
	w.ordered = changed
	states := w.bucket(statesBucket)
	slices.SortFunc(changed, func(a, b *stateChange) int { return bytes.Compare(a.key, b.key) })
	for _, ch := range changed {
		if err := states.Put(ch.key, ch.record); err != nil {
			return err
		}
	}
	slices.SortFunc(changed, func(a, b *stateChange) int {
		return dueFeed{due: a.before, id: a.id}.compare(dueFeed{due: b.before, id: b.id})
	})
	return w.moveDue(changed)
}

// moveDue notes where feeds are due and no longer are. They come in the order in which they were due.
func (w *writer) moveDue(changed []*stateChange) error {
	c := w.bucket(dueBucket).Cursor()
	var spare, block []dueFeed
	for _, ch := range changed {
		was := dueFeed{due: ch.before, id: ch.id}
		if len(block) == 0 || block[len(block)-1].compare(was) < 0 {
			if k, v, inner := dueIndex.blockOf(c, 0, was); inner {
				var err error
				if spare, _, err = dueIndex.open(spare, k, v); err != nil {
					return err
				}
				block = spare
			}
		}
		for len(block) > 0 && block[0].compare(was) < 0 {
			block = block[1:]
		}
		found := len(block) > 0 && block[0].compare(was) == 0
		if found {
			was.entry = block[0].entry
		}
		next := dueFeed{ch.after, ch.id, was.entry}
		_, _, spoiled := entryFields(was.entry, ch.id)
		anew := ch.moves || spoiled != nil
		if anew {
			rec, _, err := w.feedRecord(ch.id)
			if err != nil {
				return err
			}
			next.entry = rec.entry(ch.id, ch.movedTo)
		}
		moves := ch.before != ch.after
		if found && moves {
			w.leaveDue(dueFeed{due: ch.before, id: ch.id})
		}
		if moves || anew {
			w.enterDue(next)
		}
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

// reset is called at the end of the transaction, when nothing refers to what is in the room.
func (r *room) reset() {
	r.blocks = r.blocks[:min(len(r.blocks), roomKept)]
	clear(r.blocks[len(r.blocks):cap(r.blocks)])
	r.used, r.rest = 0, nil
}

func (r *room) text(s string) []byte { return r.end(append(r.begin(len(s)), s...)) }

func (r *room) stateKey(place uint32, id []byte) []byte {
	return r.end(appendStateKey(r.begin(placeLen+len(id)), place, id))
}

func (r *room) chunk(c *chunk) []byte { return r.end(c.append(r.begin(c.mostBytes()))) }

func (r *room) sealed(b []byte) []byte {
	return r.end(appendSum(append(r.begin(len(b)+crc32.Size), b...)))
}
