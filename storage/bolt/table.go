package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"

	"go.etcd.io/bbolt"
)

// A table is an index whose keys are hashes. A B+tree serves such keys badly: each of them changes a page of its own.
// Here the entries that a transaction adds are one more run, sorted and packed, and runs of about the same size become
// one, as the digits of a binary number do. An entry is copied some ten times in its life, always in sequence, and a
// look-up asks as many runs as that number has ones. What a later run says takes the place of what an earlier one does.
//
// A run is cut into segments by the first bits of the keys, so that a look-up knows which one to ask, and so that a large
// run is made a few segments at a time (see merging).
type table struct {
	bucket []byte
	// key and value are the widths of those in bytes; a key has at least eight.
	key, value int
	// forgets says that an entry whose value is a zero byte says that its key is gone.
	forgets bool
}

// tableLimits are how a table is divided and how fast its runs become one. They are the same for all tables, and smaller
// in tests; what was written with others stays readable.
type tableLimits struct {
	// segment is how many entries a segment has at most, on average.
	segment uint64
	// once is how many entries are merged in the transaction that finds them worth merging. What is more is merged by and
	// by.
	once uint64
	// each is how many entries of a merging are dealt with for each one that is added, so that it ends long before the next
	// one is due; least how many by a transaction that adds few.
	each, least uint64
	// leastFilter is for how many keys a filter is made at least.
	leastFilter int
}

func usualLimits() tableLimits {
	return tableLimits{segment: 1024, once: 64 << 10, each: 32, least: 256, leastFilter: 64 << 10}
}

// space is one more than the greatest number that the first four bytes of a key can be.
const space = 1 << 32

// runsKey is where a table's bucket has its list of runs. Keys of segments are longer.
var runsKey = []byte{0}

func (t *table) width() int { return t.key + t.value }

// run is a sorted list of entries, each key once.
type run struct {
	number  uint64
	entries uint64
	// bits is by how many bits of the key it is cut.
	bits uint8
}

func (l tableLimits) newRun(number, entries uint64) run {
	r := run{number: number, entries: entries}
	for entries>>r.bits > l.segment {
		r.bits++
	}
	return r
}

// entriesOf counts the entries of runs; a key that several have counts for each.
func entriesOf(runs []run) (n uint64) {
	for _, r := range runs {
		n += r.entries
	}
	return n
}

// step is how far apart the segments are.
func (r run) step() uint64 { return space >> r.bits }

// index is a table as a transaction sees it.
type index struct {
	*table
	limits tableLimits
	b      *bbolt.Bucket
	// next is the number of the next run, runs are in the order of their numbers, the oldest first.
	next uint64
	runs []run
	// merging is of some of runs; its out is nil where there is none.
	merging *merging
	// memory is that of who adds to it.
	memory *tableMemory
	// sums says to hold each segment against its checksum.
	sums bool
	// seen has the last segment that was asked of each run, and behind them that of the one that is being made.
	seen []segment
}

type segment struct {
	no      uint64
	there   bool
	entries []byte
}

func (r *reader) openTable(t *table) (*index, error) {
	b := r.bucket(t.bucket)
	x := &index{table: t, limits: r.tables, b: b}
	v := b.Get(runsKey)
	if v == nil {
		return x, nil
	}
	body, ok := unsealed(v)
	const each = 17
	if !ok || len(body) < 9 || (len(body)-9)%each != 0 {
		return nil, fmt.Errorf("%s: %w: the list of runs is spoiled", t.bucket, errRecord)
	}
	x.next = binary.BigEndian.Uint64(body)
	merges := body[8] == 1
	for body = body[9:]; len(body) > 0; body = body[each:] {
		x.runs = append(x.runs, run{binary.BigEndian.Uint64(body), binary.BigEndian.Uint64(body[8:]), body[16]})
	}
	if merges {
		// The last two are the run that is being made, and where that is.
		n := len(x.runs) - 2
		if n < 0 {
			return nil, fmt.Errorf("%s: %w: the list of runs is too short", t.bucket, errRecord)
		}
		at := x.runs[n+1]
		x.merging = &merging{from: int(at.entries >> 32), to: int(at.entries & (space - 1)), out: x.runs[n], pos: at.number}
		x.runs = x.runs[:n:n]
		if m := x.merging; m.from >= m.to || m.to > n {
			return nil, fmt.Errorf("%s: %w: the list of runs is spoiled", t.bucket, errRecord)
		}
	}
	x.seen = make([]segment, len(x.runs)+1)
	return x, nil
}

// save stores the list of runs.
func (x *index) save() error {
	body := binary.BigEndian.AppendUint64(nil, x.next)
	runs := x.runs
	if m := x.merging; m != nil {
		body = append(body, 1)
		runs = append(runs[:len(runs):len(runs)], m.out, run{number: m.pos, entries: uint64(m.from)<<32 | uint64(m.to)})
	} else {
		body = append(body, 0)
	}
	for _, r := range runs {
		body = binary.BigEndian.AppendUint64(body, r.number)
		body = binary.BigEndian.AppendUint64(body, r.entries)
		body = append(body, r.bits)
	}
	x.seen = make([]segment, len(x.runs)+1)
	return x.b.Put(runsKey, sealed(body))
}

func segmentKey(number, no uint64) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(make([]byte, 0, 12), number), uint32(no))
}

// segment is that of the i-th run, or of the run that is being made where i is behind the last.
func (x *index) segment(i int, no uint64) ([]byte, error) {
	seen := &x.seen[i]
	if seen.there && seen.no == no {
		return seen.entries, nil
	}
	r := x.run(i)
	v := x.b.Get(segmentKey(r.number, no))
	entries := v
	if v != nil {
		n := len(v) - crc32.Size
		if n < 0 || n%x.width() != 0 {
			return nil, fmt.Errorf("%s: run %d, segment %d: %w", x.bucket, r.number, no, errRecord)
		}
		if x.sums {
			if _, ok := unsealed(v); !ok {
				return nil, fmt.Errorf("%s: run %d, segment %d: %w: its checksum is wrong", x.bucket, r.number, no, errRecord)
			}
		}
		entries = v[:n]
	}
	*seen = segment{no: no, there: true, entries: entries}
	return entries, nil
}

func (x *index) run(i int) run {
	if i == len(x.runs) {
		return x.merging.out
	}
	return x.runs[i]
}

// sources calls f with the runs, the newest first, that say what there is at the given place.
func (x *index) sources(at uint64, f func(i int) (more bool, err error)) error {
	for i := len(x.runs) - 1; i >= 0; i-- {
		from := i
		if m := x.merging; m != nil && i == m.to-1 && at < m.pos {
			i, from = m.from, len(x.runs)
		}
		if more, err := f(from); err != nil || !more {
			return err
		}
	}
	return nil
}

// get is the value of a key.
func (x *index) get(key []byte) (value []byte, err error) {
	err = x.find(key, func(entries []byte) bool {
		value = entries[x.key:x.width():x.width()]
		return false
	})
	return value, err
}

// find calls f with the entries whose keys begin with prefix, of at least eight bytes: for each run that has some, with all of
// them, later runs first.
func (x *index) find(prefix []byte, f func(entries []byte) (more bool)) error {
	at := uint64(binary.BigEndian.Uint32(prefix))
	return x.sources(at, func(i int) (bool, error) {
		r := x.run(i)
		entries, err := x.segment(i, at/r.step())
		if err != nil {
			return false, err
		}
		w := x.width()
		from := x.search(entries, r.bits, prefix) * w
		to := from
		for to < len(entries) && bytes.HasPrefix(entries[to:], prefix) {
			to += w
		}
		return from == to || f(entries[from:to:to]), nil
	})
}

// search is the number of the first entry that is not below prefix. Keys are hashes: where it is can be guessed.
func (t *table) search(entries []byte, cut uint8, prefix []byte) int {
	w := t.width()
	n := len(entries) / w
	if n == 0 {
		return 0
	}
	first := binary.BigEndian.Uint64(prefix)
	below := func(i int) bool {
		e := binary.BigEndian.Uint64(entries[i*w:])
		return e < first || e == first && bytes.Compare(entries[i*w+8:i*w+len(prefix)], prefix[8:]) < 0
	}
	guess, _ := bits.Mul64(first<<cut, uint64(n))
	low, high := 0, n
	if i := int(guess); below(i) {
		low = i + 1
		for step := 4; low+step < n; step *= 2 {
			if !below(low + step) {
				high = low + step
				break
			}
			low += step + 1
		}
	} else {
		high = i
		for step := 4; high-step > 0; step *= 2 {
			if below(high - step) {
				low = high - step + 1
				break
			}
			high -= step
		}
	}
	for low < high {
		if middle := (low + high) / 2; below(middle) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// finest is how far apart the segments of the most finely cut run are.
func (x *index) finest() uint64 {
	step := uint64(space)
	for _, r := range x.runs {
		step = min(step, r.step())
	}
	if x.merging != nil {
		step = min(step, x.merging.out.step())
	}
	return step
}

// part is the entries of the i-th run from low up to high, which lie in one segment.
func (x *index) part(i int, low, high uint64) ([]byte, error) {
	r := x.run(i)
	no := low / r.step()
	entries, err := x.segment(i, no)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	from, to := 0, len(entries)
	if low > no*r.step() {
		from = x.width() * x.search(entries, r.bits, binary.BigEndian.AppendUint64(nil, low<<32))
	}
	if high < (no+1)*r.step() {
		to = x.width() * x.search(entries, r.bits, binary.BigEndian.AppendUint64(nil, high<<32))
	}
	return entries[from:max(from, to)], nil
}

// entriesIn adds to dst what the table has from low up to high, which is no more than the finest step.
func (x *index) entriesIn(dst []byte, low, high uint64) ([]byte, error) {
	var parts [][]byte
	err := x.sources(low, func(i int) (bool, error) {
		part, err := x.part(i, low, high)
		parts = append(parts, part)
		return true, err
	})
	return x.merge(dst, parts, true), err
}

// scanTable calls f for each entry of the table by its key, in short transactions. What f is given is valid until it
// returns.
func (s *Store) scanTable(ctx context.Context, t *table, f func(r *reader, key, value []byte) error) error {
	for pos := uint64(0); pos < space; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.view(func(r *reader) error {
			x, err := r.openTable(t)
			if err != nil {
				return err
			}
			x.sums = true
			var entries []byte
			step := x.finest()
			for n := 0; pos < space && n < scannedPerRead; n += 1 + len(entries)/x.width() {
				// Runs may have become one since the last transaction, and be cut otherwise.
				next := (pos/step + 1) * step
				if entries, err = x.entriesIn(entries[:0], pos, next); err != nil {
					return err
				}
				for e := entries; len(e) > 0; e = e[x.width():] {
					if err := f(r, e[:x.key], e[x.key:x.width()]); err != nil {
						return err
					}
				}
				pos = next
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
