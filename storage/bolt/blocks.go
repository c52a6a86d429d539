package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// blocks is an index that has a sorted list for each topic, cut into blocks: a pair for each entry would take three times
// the room. A block's key begins with the number of the topic and is made of its last entry.
type blocks[E any] struct {
	bucket []byte
	// per is how many entries a block has at most.
	per     int
	compare func(a, b E) int
	// key is that of the block that ends with last.
	key func(topic uint32, last E) []byte
	// append makes a block in the room that a slice, which is empty, has: at most blockHead bytes and what most says.
	append func(out []byte, entries []E) []byte
	most   func(entries []E) int
	// parse reads a block into a slice that is no longer needed, or into a new one.
	parse func(spare []E, k, v []byte) ([]E, error)
	// endOf is the last entry of a block by its key, for an index that goes on where a block cannot be read; nil for others.
	endOf func(k []byte) (end E, ok bool)
	// keep is an entry that may be kept longer than the transaction that it was parsed in; nil where all may.
	keep func(E) E
}

// blockHead is more than a block has beside its entries.
const blockHead = 64

func (x *blocks[E]) bytes(r *room, entries []E) []byte {
	return r.end(x.append(r.begin(blockHead+x.most(entries)), entries))
}

// each is most of a block whose entries take so many bytes at most.
func each[E any](bytes int) func([]E) int {
	return func(entries []E) int { return bytes * len(entries) }
}

// change puts an entry into a list, or takes it out.
type change[E any] struct {
	entry E
	gone  bool
	// place is its own among the changes of its list.
	place int
}

// noted are the changes to a list with one more.
func noted[E any](changes []change[E], entry E, gone bool) []change[E] {
	return append(changes, change[E]{entry, gone, len(changes)})
}

func topicPrefix(topic uint32) []byte { return binary.BigEndian.AppendUint32(nil, topic) }

// spareBlocks are the last block as it was and as it became, whose memory is for the next.
type spareBlocks[E any] struct{ before, after []E }

// applyTo makes the changes to a topic's list. Of several to one entry the last counts.
func (x *blocks[E]) applyTo(b *bbolt.Bucket, r *room, spare *spareBlocks[E], topic uint32, changes []change[E]) error {
	b.FillPercent = copyFill
	c := b.Cursor()
	inOrder := func(a, b change[E]) int {
		if c := x.compare(a.entry, b.entry); c != 0 {
			return c
		}
		return cmp.Compare(a.place, b.place)
	}
	if !slices.IsSortedFunc(changes, inOrder) {
		slices.SortFunc(changes, inOrder)
	}
	for len(changes) > 0 {
		k, v, inner := x.blockOf(c, topic, changes[0].entry)
		old, end, err := x.open(spare.before, k, v)
		if err != nil {
			return err
		}
		if len(old) > 0 {
			spare.before = old
		} else {
			k = nil // One that is spoiled stays for who repairs the index, and others come in front of it.
		}
		n := 0
		for n < len(changes) && (!inner || x.compare(changes[n].entry, end) <= 0) {
			n++
		}
		spare.after = x.changed(spare.after[:0], old, changes[:n])
		if err := x.put(b, r, topic, bytes.Clone(k), spare.after, inner); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// open are the entries of a block and the last of them. There are none where there is no block, and where an index goes on
// beside one that cannot be read, whose end is known all the same.
func (x *blocks[E]) open(spare []E, k, v []byte) (entries []E, end E, err error) {
	if k == nil {
		return nil, end, nil
	}
	if entries, err = x.parse(spare, k, v); err == nil {
		return entries, entries[len(entries)-1], nil
	}
	if x.endOf != nil {
		if end, ok := x.endOf(k); ok {
			return nil, end, nil
		}
	}
	return nil, end, err
}

// blockOf is the block of the topic that has the entry if any has. Where the entry is behind all that there are it is the
// last one, which may be nil, and not inner.
func (x *blocks[E]) blockOf(c *bbolt.Cursor, topic uint32, entry E) (k, v []byte, inner bool) {
	prefix := topicPrefix(topic)
	k, v = c.Seek(x.key(topic, entry))
	if bytes.HasPrefix(k, prefix) {
		return k, v, true
	}
	if k == nil {
		k, v = last(c)
	} else {
		k, v = c.Prev()
	}
	if !bytes.HasPrefix(k, prefix) {
		return nil, nil, false
	}
	return k, v, false
}

// changed appends to next, which is empty, entries with changes, both in order.
func (x *blocks[E]) changed(next, entries []E, changes []change[E]) []E {
	next = slices.Grow(next, len(entries)+len(changes))
	for i, ch := range changes {
		for len(entries) > 0 && x.compare(entries[0], ch.entry) < 0 {
			next, entries = append(next, entries[0]), entries[1:]
		}
		if i+1 < len(changes) && x.compare(changes[i+1].entry, ch.entry) == 0 {
			continue
		}
		if len(entries) > 0 && x.compare(entries[0], ch.entry) == 0 {
			entries = entries[1:]
		}
		if !ch.gone {
			next = append(next, ch.entry)
		}
	}
	return append(next, entries...)
}

// put stores entries in the place of the block with the given key, nil for none. What is too much for one block is divided
// in equal parts where others may come between it, and else fills blocks one after the other.
func (x *blocks[E]) put(b *bbolt.Bucket, r *room, topic uint32, old []byte, entries []E, inner bool) error {
	if old != nil && (len(entries) == 0 || !bytes.Equal(old, x.key(topic, entries[len(entries)-1]))) {
		if err := b.Delete(old); err != nil {
			return err
		}
	}
	per := x.per
	if inner && len(entries) > per {
		parts := (len(entries) + per - 1) / per
		per = (len(entries) + parts - 1) / parts
	}
	for some := range slices.Chunk(entries, per) {
		if err := b.Put(x.key(topic, some[len(some)-1]), x.bytes(r, some)); err != nil {
			return err
		}
	}
	return nil
}

// copyBlocks copies an index in blocks that are full.
func copyBlocks[E any](ctx context.Context, n *newFile, x *blocks[E]) error {
	var waiting []E
	var topic uint32
	store := func() error {
		some := waiting[:min(x.per, len(waiting))]
		if len(some) == 0 {
			return nil
		}
		err := n.put(x.bucket, x.key(topic, some[len(some)-1]), x.append(nil, some))
		waiting = append(waiting[:0], waiting[len(some):]...)
		return err
	}
	err := n.scan(ctx, x.bucket, func(_ *reader, k, v []byte) error {
		entries, err := x.parse(nil, k, v)
		if err != nil {
			return err
		}
		next := binary.BigEndian.Uint32(k)
		for len(waiting) > 0 && (next != topic || len(waiting) >= x.per) {
			if err := store(); err != nil {
				return err
			}
		}
		if x.keep != nil {
			for i := range entries {
				entries[i] = x.keep(entries[i])
			}
		}
		topic, waiting = next, append(waiting, entries...)
		return nil
	})
	for err == nil && len(waiting) > 0 {
		err = store()
	}
	return err
}

// sized is a slice of the given length in the memory of the spare one, or in new where that is too short. What is in it is
// anything.
func sized[E any](spare []E, length int) []E { return slices.Grow(spare[:0], length)[:length] }
