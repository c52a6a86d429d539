package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"go.etcd.io/bbolt"
)

// Items are stored in chunks, and in a chunk in frames. A chunk is as much as fills some pages of the file well, and is
// what is written. A frame is a record (pack.go) of the CBOR of a few items, one behind the other, and is what is
// compressed and read: what items have in common is stored once, and to read one of them means to unpack a few.
//
// A chunk begins with the number of its frames; for each of them the number of its items and its length in bytes; for
// each of its items how far its Seq is below the chunk's key, and the length of its CBOR. All of that is varints, with
// their CRC-32C behind them. Then come the frames.

const (
	// chunkBytes is how large chunks become. Two of them share a page of the B+tree.
	chunkBytes = 40 << 10
	// pollFrameBytes is how much CBOR of a poll is put into one frame, which is most polls' as a whole: the larger a frame,
	// the less time an item takes to be compressed. frameBytes is the same for a store that is written anew, where nobody
	// waits and what counts is that little has to be unpacked for an item. An item that is larger has a frame for itself.
	pollFrameBytes = 64 << 10
	frameBytes     = 32 << 10
	// frameItems bounds the items of a frame.
	frameItems = 32
)

// frame is some items that are packed together, with the Seqs and the lengths of each.
type frame struct {
	seqs   []uint64
	sizes  []int
	record []byte
}

// chunk is a pair of the bucket items. Its key is not below the last of its Seqs, and below the first of the next.
type chunk struct {
	key    uint64
	frames []frame
}

func (c *chunk) size() (n int) {
	for _, f := range c.frames {
		n += f.size()
	}
	return n
}

// size is about what a frame takes in a chunk.
func (f *frame) size() int { return len(f.record) + 4*len(f.seqs) + 8 }

// mostBytes is more than what append adds.
func (c *chunk) mostBytes() int {
	n := 2*binary.MaxVarintLen64 + crc32.Size
	for i := range c.frames {
		n += len(c.frames[i].record) + 2*binary.MaxVarintLen64*(1+len(c.frames[i].seqs))
	}
	return n
}

// append adds the chunk as it is stored.
func (c *chunk) append(head []byte) []byte {
	head = binary.AppendUvarint(head, uint64(len(c.frames)))
	for _, f := range c.frames {
		head = binary.AppendUvarint(head, uint64(len(f.seqs)))
		head = binary.AppendUvarint(head, uint64(len(f.record)))
		for i, seq := range f.seqs {
			head = binary.AppendUvarint(head, c.key-seq)
			head = binary.AppendUvarint(head, uint64(f.sizes[i]))
		}
	}
	head = appendSum(head)
	for _, f := range c.frames {
		head = append(head, f.record...)
	}
	return head
}

// parseChunk reads a pair of the bucket items. The records are parts of value.
func parseChunk(k, value []byte) (*chunk, error) {
	c := &chunk{key: seqIn(k)}
	r := varints{rest: value}
	c.frames = make([]frame, r.count(len(value)))
	total := 0
	for i := range c.frames {
		items, size := r.count(len(value)), r.count(len(value))
		c.frames[i] = r.frame(c.key, items)
		total += size
		// The records begin where all numbers end: keep their lengths meanwhile.
		c.frames[i].record = value[:min(size, len(value))]
	}
	records, err := r.records(c.key, value, total)
	if err != nil {
		return nil, err
	}
	for i := range c.frames {
		f := &c.frames[i]
		n := len(f.record)
		f.record, records = records[:n:n], records[n:]
	}
	return c, nil
}

// frame reads the numbers of so many items of a chunk.
func (r *varints) frame(key uint64, items int) frame {
	f := frame{seqs: make([]uint64, items), sizes: make([]int, items)}
	for i := range items {
		f.seqs[i], f.sizes[i] = key-r.next(), r.count(maxPacked<<4)
	}
	return f
}

// records is what a chunk has behind its numbers, which is to be so many bytes.
func (r *varints) records(key uint64, value []byte, total int) ([]byte, error) {
	head := len(value) - len(r.rest)
	if _, ok := unsealed(value[:min(head+4, len(value))]); r.bad || !ok || head+4+total != len(value) {
		return nil, fmt.Errorf("items up to %d: %w: their table is spoiled", key, errRecord)
	}
	return value[head+4:], nil
}

// varints reads numbers that may be spoiled.
type varints struct {
	rest []byte
	bad  bool
}

func (r *varints) next() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count is a number that is at most limit.
func (r *varints) count(limit int) int {
	v := r.next()
	if v > uint64(limit) {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(v)
}

// signed is a number that may be below zero.
func (r *varints) signed() int64 {
	zigzag := r.next()
	return int64(zigzag>>1) ^ -int64(zigzag&1)
}

// bytes are the next n.
func (r *varints) bytes(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// unpacked are the items of a frame, as CBOR.
func (p *packer) unpacked(f frame) ([][]byte, error) {
	all, err := p.cbor(f.record)
	if err != nil {
		return nil, err
	}
	return f.divide(all)
}

var errShort = fmt.Errorf("%w: it is too short", errRecord)

// divide makes items of all that is in the frame.
func (f *frame) divide(all []byte) ([][]byte, error) {
	items := make([][]byte, len(f.sizes))
	for i, n := range f.sizes {
		if n > len(all) {
			return nil, errShort
		}
		items[i], all = all[:n:n], all[n:]
	}
	return items, nil
}

// packedFrame is a frame of the given items; seqs may be set later.
func (p *packer) packedFrame(seqs []uint64, items ...[]byte) frame {
	f := frame{seqs: seqs, sizes: make([]int, len(items))}
	for i, cbor := range items {
		f.sizes[i] = len(cbor)
	}
	f.record = p.pack(bytes.Join(items, nil))
	return f
}

// framing decides what goes into a frame together: at most so many bytes, but for an item that is larger.
type framing struct{ most, items, bytes int }

// full reports whether the next item of n bytes is to begin another frame.
func (f *framing) full(n int) bool {
	if f.items > 0 && (f.bytes+n > f.most || f.items >= frameItems) {
		f.items, f.bytes = 1, n
		return true
	}
	f.items, f.bytes = f.items+1, f.bytes+n
	return false
}

// chunkWriter appends frames to the items of a file.
type chunkWriter struct {
	items *bbolt.Bucket
	// room is memory for what is written.
	room *room
	// waiting are frames that are not in the file yet.
	waiting []frame
}

// append takes a frame whose Seqs are above all that are there.
func (w *chunkWriter) append(f frame) { w.waiting = append(w.waiting, f) }

// flush puts what waits into the file: the last chunk takes as much as it has room for.
func (w *chunkWriter) flush() error {
	if len(w.waiting) == 0 {
		return nil
	}
	w.items.FillPercent = itemFill
	end := &chunk{}
	if k, v := last(w.items.Cursor()); k != nil {
		c, err := parseChunk(k, v)
		if err != nil {
			return err
		}
		if end = c; c.size()+w.waiting[0].size() <= chunkBytes {
			if err := w.items.Delete(bytes.Clone(k)); err != nil {
				return err
			}
		} else {
			end = &chunk{}
		}
	}
	for _, f := range w.waiting {
		if len(end.frames) > 0 && end.size()+f.size() > chunkBytes {
			if err := w.put(end); err != nil {
				return err
			}
			end = &chunk{}
		}
		end.frames, end.key = append(end.frames, f), f.seqs[len(f.seqs)-1]
		// The offsets of the Seqs are taken from the key when the chunk is written.
	}
	clear(w.waiting)
	w.waiting = w.waiting[:0]
	return w.put(end)
}

func (w *chunkWriter) put(c *chunk) error { return w.items.Put(seqKey(c.key), w.room.chunk(c)) }

// replacement is what an item becomes; one without CBOR is removed.
type replacement struct {
	seq  uint64
	cbor []byte
}

// replaceItems changes items where they are. Those that are not there are passed over.
func (w *writer) replaceItems(changes ...replacement) error {
	if err := w.flushItems(); err != nil {
		return err
	}
	slices.SortFunc(changes, func(a, b replacement) int { return cmp.Compare(a.seq, b.seq) })
	for len(changes) > 0 {
		c, err := w.chunkOf(changes[0].seq)
		if err != nil {
			return err
		}
		if c == nil {
			return nil
		}
		n := 0
		for n < len(changes) && changes[n].seq <= c.key {
			n++
		}
		if err := w.changeChunk(c, changes[:n]); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// changeChunk stores a chunk with changes to its items. What is left of it stays under its key.
func (w *writer) changeChunk(c *chunk, changes []replacement) error {
	w.chunk = nil
	next := &chunk{key: c.key}
	for _, f := range c.frames {
		touched := func(r replacement) bool { return slices.Contains(f.seqs, r.seq) }
		if !slices.ContainsFunc(changes, touched) {
			next.frames = append(next.frames, f)
			continue
		}
		items, err := w.pack.unpacked(f)
		if err != nil {
			return fmt.Errorf("item %d: %w", f.seqs[0], err)
		}
		var seqs []uint64
		var left [][]byte
		for i, seq := range f.seqs {
			cbor := items[i]
			if n := slices.IndexFunc(changes, func(r replacement) bool { return r.seq == seq }); n >= 0 {
				cbor = changes[n].cbor
			}
			if cbor != nil {
				seqs, left = append(seqs, seq), append(left, cbor)
			}
		}
		if len(left) > 0 {
			next.frames = append(next.frames, w.pack.packedFrame(seqs, left...))
		}
	}
	items := w.bucket(itemsBucket)
	if len(next.frames) == 0 {
		return items.Delete(seqKey(c.key))
	}
	return items.Put(seqKey(c.key), w.room.chunk(next))
}
