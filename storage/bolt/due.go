package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// dueFeed is a feed in the index of what is due.
type dueFeed struct {
	due instant
	id  []byte
	// entry is what is to be known of the feed when it falls due; see feedRecord.entry.
	entry []byte
}

func (f dueFeed) compare(o dueFeed) int {
	if c := f.due.compare(o.due); c != 0 {
		return c
	}
	return bytes.Compare(f.id, o.id)
}

// dueIndex is the bucket due-blocks: a single list, whose blocks have feeds that fall due one after the other. What is polled
// together leaves it together, and enters it together again.
var dueIndex = &blocks[dueFeed]{
	bucket: dueBucket, per: 32, compare: dueFeed.compare, append: appendDue, parse: parseDue,
	key: dueKey,
	most: func(feeds []dueFeed) int {
		n := 0
		for i := range feeds {
			n += 4*binary.MaxVarintLen64 + len(feeds[i].id) + len(feeds[i].entry)
		}
		return n
	},
	endOf: func(k []byte) (end dueFeed, ok bool) {
		if len(k) > len(topicPrefix(0)) {
			end.due, end.id, ok = instantIn(k[len(topicPrefix(0)):])
		}
		return end, ok
	},
	keep: func(f dueFeed) dueFeed { return dueFeed{f.due, bytes.Clone(f.id), bytes.Clone(f.entry)} },
}

// dueKey is the key of the block that ends with the given feed. It begins as if it were of a topic.
func dueKey(topic uint32, last dueFeed) []byte {
	key := binary.BigEndian.AppendUint32(make([]byte, 0, 64), topic)
	return append(last.due.appendTo(key), last.id...)
}

// appendDue makes a block in the room that the given slice, which is empty, has: the number of feeds, and for each by how
// many seconds it is due later than the one before (the first: than the zero instant), the nanoseconds, and its id and its
// entry with their lengths, all numbers as varints. There is no checksum of the whole: an entry has its own, and one that
// is spoiled is to keep no other feed from being polled.
func appendDue(out []byte, feeds []dueFeed) []byte {
	out = binary.AppendUvarint(out, uint64(len(feeds)))
	sec := int64(0)
	for i := range feeds {
		f := &feeds[i]
		out = binary.AppendVarint(out, f.due.Sec-sec)
		out = binary.AppendUvarint(out, uint64(f.due.Nano))
		out = append(binary.AppendUvarint(out, uint64(len(f.id))), f.id...)
		out = append(binary.AppendUvarint(out, uint64(len(f.entry))), f.entry...)
		sec = f.due.Sec
	}
	return out
}

// parseDue reads a block, see blocks.parse. The feeds' bytes are parts of v.
func parseDue(spare []dueFeed, k, v []byte) ([]dueFeed, error) {
	r := varints{rest: v}
	feeds := sized(spare, r.count(len(v)/4))
	sec := int64(0)
	for i := range feeds {
		f := &feeds[i]
		sec += r.signed()
		f.due = instant{Sec: sec, Nano: int32(r.count(1e9 - 1))}
		f.id = r.bytes(r.count(len(v)))
		f.entry = r.bytes(r.count(len(v)))
	}
	if r.bad || len(feeds) == 0 || len(r.rest) > 0 || !bytes.Equal(k, dueKey(0, feeds[len(feeds)-1])) {
		return nil, fmt.Errorf("due %x: %w", k, errRecord)
	}
	return feeds, nil
}

// dueAfter calls f with the feeds that are due after the given one, which need not be there and has no entry, in the order
// in which they are, until f has enough. What f is given is valid as long as the transaction. A block that cannot be read
// keeps no feed but its own from being polled; 'store check' finds it.
func (r *reader) dueAfter(after dueFeed, f func(dueFeed) (more bool, err error)) error {
	c := r.bucket(dueBucket).Cursor()
	var spare []dueFeed
	for k, v := c.Seek(dueKey(0, after)); k != nil; k, v = c.Next() {
		feeds, err := parseDue(spare, k, v)
		if err != nil {
			continue
		}
		spare = feeds
		for _, feed := range feeds {
			if feed.compare(after) <= 0 {
				continue
			}
			if more, err := f(feed); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// dueEntryOf is the entry of a feed, nil where it is not entered as due then.
func (r *reader) dueEntryOf(at dueFeed) ([]byte, error) {
	k, v, inner := dueIndex.blockOf(r.bucket(dueBucket).Cursor(), 0, at)
	if !inner {
		return nil, nil
	}
	feeds, err := parseDue(nil, k, v)
	for i := range feeds {
		if feeds[i].compare(at) == 0 {
			return feeds[i].entry, err
		}
	}
	return nil, err
}

// leaveDue notes that a feed is no longer due then, enterDue that it is. Of what is noted in one transaction feeds leave
// first.
func (w *writer) leaveDue(f dueFeed) {
	w.leaving = noted(w.leaving, f, true)
}

func (w *writer) enterDue(f dueFeed) {
	w.entering = noted(w.entering, f, false)
}

// flushDue stores what is due.
func (w *writer) flushDue() error {
	if len(w.leaving) == 0 && len(w.entering) == 0 {
		return nil
	}
	due := w.bucket(dueBucket)
	var spare spareBlocks[dueFeed]
	if err := dueIndex.applyTo(due, &w.room, &spare, 0, w.leaving); err != nil {
		return err
	}
	return dueIndex.applyTo(due, &w.room, &spare, 0, w.entering)
}
