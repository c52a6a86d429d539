package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// merging is the making of one run out of those that are runs[from:to]. All that lies before pos is in out already, and no
// longer in them.
type merging struct {
	from, to int
	out      run
	pos      uint64
}

// merge adds to dst the entries of all parts, newest first, in order and each key once. The oldest part is the oldest of
// all where last is set: there is nothing left to be forgotten.
func (t *table) merge(dst []byte, parts [][]byte, last bool) []byte {
	w := t.width()
	for {
		best := -1
		for i, p := range parts {
			if len(p) > 0 && (best < 0 || bytes.Compare(p[:t.key], parts[best][:t.key]) < 0) {
				best = i
			}
		}
		if best < 0 {
			return dst
		}
		entry := parts[best][:w]
		for i := best; i < len(parts); i++ {
			if p := parts[i]; len(p) > 0 && bytes.Equal(p[:t.key], entry[:t.key]) {
				parts[i] = p[w:]
			}
		}
		if !last || !t.forgets || entry[t.key] != 0 {
			dst = append(dst, entry...)
		}
	}
}

// add makes a run of entries that are sorted and have each key once, merges it with those before it where they are no
// larger, and goes on with what is merged by and by.
func (x *index) add(entries []byte) error {
	added := uint64(len(entries) / x.width())
	if added == 0 {
		return nil
	}
	first := 0
	if x.merging != nil {
		first = x.merging.to
	}
	from, total := len(x.runs), added
	for from > first && x.runs[from-1].entries <= total && total+x.runs[from-1].entries <= x.limits.once {
		from--
		total += x.runs[from].entries
	}
	if from < len(x.runs) {
		merged, err := x.take(from, entries)
		if err != nil {
			return err
		}
		entries = merged
	}
	if err := x.write(entries); err != nil {
		return err
	}
	if x.merging == nil {
		x.beginMerging()
	}
	if err := x.goOn(int(max(x.limits.each*added, x.limits.least))); err != nil {
		return err
	}
	return x.save()
}

// take removes the runs from the given one on, and merges what they have with newer entries.
func (x *index) take(from int, newer []byte) ([]byte, error) {
	parts := [][]byte{newer}
	size := int(entriesOf(x.runs[from:])) * x.width()
	old := slices.Grow(x.memory.old[:0], size)
	for i := len(x.runs) - 1; i >= from; i-- {
		began := len(old)
		r := x.runs[i]
		for no := range uint64(1) << r.bits {
			entries, err := x.summed(i, no)
			if err != nil {
				return nil, err
			}
			old = append(old, entries...)
			if err := x.b.Delete(segmentKey(r.number, no)); err != nil {
				return nil, err
			}
		}
		parts = append(parts, old[began:])
	}
	x.runs = x.runs[:from]
	x.memory.old = old
	x.memory.merged = x.merge(slices.Grow(x.memory.merged[:0], size+len(newer)), parts, from == 0)
	return x.memory.merged, nil
}

// summed is segment, held against its checksum: what is spoiled must not get a new one.
func (x *index) summed(i int, no uint64) ([]byte, error) {
	was := x.sums
	x.sums, x.seen[i] = true, segment{}
	entries, err := x.segment(i, no)
	x.sums = was
	return entries, err
}

// write stores entries as the newest run.
func (x *index) write(entries []byte) error {
	w := x.width()
	r := x.limits.newRun(x.next, uint64(len(entries)/w))
	x.next++
	for no := range uint64(1) << r.bits {
		to := len(entries)
		if no+1 < 1<<r.bits {
			to = 0
			for to < len(entries) && uint64(binary.BigEndian.Uint32(entries[to:])) < (no+1)*r.step() {
				to += w
			}
		}
		if err := x.putSegment(r.number, no, entries[:to]); err != nil {
			return err
		}
		entries = entries[to:]
	}
	x.runs = append(x.runs, r)
	x.seen = make([]segment, len(x.runs)+1)
	return nil
}

func (x *index) putSegment(number, no uint64, entries []byte) error {
	if len(entries) == 0 {
		return nil
	}
	x.b.FillPercent = itemFill
	return x.b.Put(segmentKey(number, no), x.memory.room.sealed(entries))
}

// beginMerging begins to merge the newest runs where the ones behind a run are together as large as that is.
func (x *index) beginMerging() {
	from := len(x.runs) - 1
	for total := uint64(0); from > 0 && x.runs[from-1].entries <= total+x.runs[from].entries; from-- {
		total += x.runs[from].entries
	}
	if from == len(x.runs)-1 {
		return
	}
	x.merging = &merging{from: from, to: len(x.runs), out: x.limits.newRun(x.next, entriesOf(x.runs[from:]))}
	x.merging.out.entries = 0
	x.next++
}

// goOn merges about so many entries of those that are being merged.
func (x *index) goOn(entries int) error {
	m := x.merging
	x.seen = make([]segment, len(x.runs)+1)
	for m != nil && entries > 0 && m.pos < space {
		merged, dealt, err := x.mergeSegment(m)
		if err != nil {
			return err
		}
		if err := x.putSegment(m.out.number, m.pos/m.out.step(), merged); err != nil {
			return err
		}
		m.out.entries += uint64(len(merged) / x.width())
		low := m.pos
		m.pos += m.out.step()
		for _, r := range x.runs[m.from:m.to] {
			for no := low / r.step(); (no+1)*r.step() <= m.pos; no++ {
				if err := x.b.Delete(segmentKey(r.number, no)); err != nil {
					return err
				}
			}
		}
		entries -= dealt + 16
	}
	if m != nil && m.pos == space {
		x.runs = append(append(x.runs[:m.from:m.from], m.out), x.runs[m.to:]...)
		x.merging = nil
		x.seen = make([]segment, len(x.runs)+1)
	}
	return nil
}

// mergeSegment makes the next segment of the run that is being made.
func (x *index) mergeSegment(m *merging) (merged []byte, dealt int, err error) {
	step := m.out.step()
	for _, r := range x.runs[m.from:m.to] {
		step = min(step, r.step())
	}
	was := x.sums
	x.sums = true
	defer func() { x.sums = was }()
	merged = x.memory.merged[:0]
	for low := m.pos; low < m.pos+m.out.step(); low += step {
		var parts [][]byte
		for i := m.to - 1; i >= m.from; i-- {
			part, err := x.part(i, low, low+step)
			if err != nil {
				return nil, 0, err
			}
			parts, dealt = append(parts, part), dealt+len(part)/x.width()
		}
		merged = x.merge(merged, parts, m.from == 0)
	}
	x.memory.merged = merged
	return merged, dealt, nil
}
