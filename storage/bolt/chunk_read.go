package bolt

import (
	"fmt"
	"slices"
)

// chunkOf is the chunk that has the item if any has, nil for none. It stays good until the items are changed.
func (r *reader) chunkOf(seq uint64) (*chunk, error) {
	if c := r.chunk; c != nil && seq <= c.key && seq >= r.chunkFrom {
		return c, nil
	}
	k, v := r.bucket(itemsBucket).Cursor().Seek(seqKey(seq))
	if k == nil {
		return nil, nil
	}
	c, err := parseChunk(k, v)
	if err != nil {
		return nil, err
	}
	r.chunk, r.chunkFrom, r.unpackedFrame = c, seq, -1
	return c, nil
}

// find is which item of which frame has the Seq.
func (c *chunk) find(seq uint64) (frame, item int, ok bool) {
	for i := range c.frames {
		if n := slices.Index(c.frames[i].seqs, seq); n >= 0 {
			return i, n, true
		}
	}
	return 0, 0, false
}

// itemCBOR is the item with the given Seq. It is errMissing where there is none.
func (r *reader) itemCBOR(seq uint64) (cbor []byte, err error) {
	if r.passing {
		cbor, err = r.nextCBOR(seq)
	} else if k, v := r.bucket(itemsBucket).Cursor().Seek(seqKey(seq)); k != nil {
		f, i, ok, frameErr := frameIn(k, v, seq)
		if err = frameErr; ok {
			cbor, err = r.pack.remembered(f, i)
		}
	}
	if err == nil && cbor == nil {
		err = errMissing
	}
	if err != nil {
		return nil, fmt.Errorf("item %d: %w", seq, err)
	}
	return cbor, nil
}

// nextCBOR is the item for who asks for one after the other, nil where there is none.
func (r *reader) nextCBOR(seq uint64) ([]byte, error) {
	c, err := r.chunkOf(seq)
	if c == nil || err != nil {
		return nil, err
	}
	n, i, ok := c.find(seq)
	if !ok {
		return nil, nil
	}
	if r.unpackedFrame != n {
		if r.unpacked, err = r.pack.unpacked(c.frames[n]); err != nil {
			return nil, err
		}
		r.unpackedFrame = n
	}
	return r.unpacked[i], nil
}

// chunks calls f for the chunks that may have items with a Seq from the given one on, until f has enough.
func (r *reader) chunks(from uint64, f func(*chunk) (more bool, err error)) error {
	cur := r.bucket(itemsBucket).Cursor()
	for k, v := cur.Seek(seqKey(from)); k != nil; k, v = cur.Next() {
		c, err := parseChunk(k, v)
		if err != nil {
			return err
		}
		if more, err := f(c); err != nil || !more {
			return err
		}
	}
	return nil
}

// frameIn is the frame of a pair of the bucket items that has the Seq, and which of its items that is; ok is false where
// there is none.
func frameIn(k, value []byte, seq uint64) (f frame, item int, ok bool, err error) {
	key := seqIn(k)
	r := varints{rest: value}
	before, length, total := 0, 0, 0
	for range r.count(len(value)) {
		items, size := r.count(len(value)), r.count(len(value))
		begin := r
		for i := range items {
			if key-r.next() == seq && !ok {
				item, ok = i, true
				before, length = total, size
				f = begin.frame(key, items)
			}
			r.next()
		}
		total += size
	}
	records, err := r.records(key, value, total)
	if err != nil || !ok {
		return f, 0, false, err
	}
	f.record = records[before : before+length : before+length]
	return f, item, true, nil
}

// remembered is the i-th item of a frame that is likely to be asked for again.
func (p *packer) remembered(f frame, i int) ([]byte, error) {
	all := p.cache.get(f)
	if all == nil {
		var err error
		if all, err = p.cbor(f.record); err != nil {
			return nil, err
		}
		if f.record[0] == packed { // Others are parts of the file, and cost nothing to read.
			p.cache.put(f, all)
		}
	}
	for _, n := range f.sizes[:i] {
		all = all[min(n, len(all)):]
	}
	if f.sizes[i] > len(all) {
		return nil, errShort
	}
	return all[:f.sizes[i]], nil
}
