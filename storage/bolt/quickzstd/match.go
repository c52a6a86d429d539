package quickzstd

import (
	"encoding/binary"
	"math/bits"
)

// sequence is some literals, and behind them so many bytes as there were some way back (RFC 8878 section 3.1.1.3.2).
type sequence struct {
	literals, match uint16
	// offset is 1 for the way back of the sequence before, and else three more than the way back.
	offset uint32
}

const (
	// hashBits is how many places are remembered, as a power of two: as many as the fastest memory has room for.
	hashBits = 14
	// leastFound is the shortest match that is taken, and hashed how many bytes are to be the same where one is looked for.
	leastFound, hashed = 4, 6
	// margin is how many bytes at the end are not looked at, so that as many can be read at once before it.
	margin = 16
	// patience is how many bytes without a match, as a power of two, make the steps longer by one.
	patience = 5
)

// matcher finds what of a text was there before.
type matcher struct {
	places [1 << hashBits]uint16
	text   window
	// held are the literals, of which there are many.
	held      window
	many      int
	sequences []sequence
}

// window is bytes with room behind them. Places in it are masked: the compiler then sees that they are in it, and leaves out
// checks that would take a fifth of the time.
type window [1<<16 + margin]byte

const mask = 1<<16 - 1

func (w *window) eight(at int) uint64 { return binary.LittleEndian.Uint64(w[at&mask : at&mask+8]) }
func (w *window) four(at int) uint32  { return binary.LittleEndian.Uint32(w[at&mask : at&mask+4]) }

// same is how many bytes up to end are the same at two places, of which from is the first.
func (w *window) same(from, at, end int) (n int) {
	for at+8 <= end {
		if d := w.eight(at) ^ w.eight(from); d != 0 {
			return n + bits.TrailingZeros64(d)>>3
		}
		from, at, n = from+8, at+8, n+8
	}
	for at < end && w[at&mask] == w[from&mask] {
		from, at, n = from+1, at+1, n+1
	}
	return n
}

// hash is that of the first bytes that v was read from.
func hash(v uint64) uint64 {
	const factor = 0x9e3779b97f4a7c15
	return v << (64 - 8*hashed) * factor >> (64 - hashBits)
}

func (m *matcher) literals() []byte { return m.held[:m.many] }

// divide divides a text, of MaxSize bytes at most, into literals and sequences. Where no place is remembered the first one is
// looked at, which is as good as any other.
func (m *matcher) divide(text []byte) {
	clear(m.places[:])
	w := &m.text
	copy(w[:], text)
	m.many, m.sequences = 0, m.sequences[:0]
	// What comes before done is in the sequences, at is what is looked at, back the way back of the last match.
	done, at, back := 0, 1, 1
	end := len(text) - margin
text:
	for at < end {
		var from int
		for {
			next := w.eight(at)
			first, second := &m.places[hash(next)], &m.places[hash(next>>8)]
			before, beforeSecond := int(*first), int(*second)
			*first, *second = uint16(at), uint16(at+1)
			if w.four(at+2-back) == uint32(next>>16) {
				from, at = at+2-back, at+2
				break
			}
			if w.four(before) == uint32(next) {
				from = before
				break
			}
			if w.four(beforeSecond) == uint32(next>>8) {
				from, at = beforeSecond, at+1
				break
			}
			if at += 2 + (at-done)>>patience; at >= end {
				break text
			}
		}
		length := leastFound + w.same(from+leastFound, at+leastFound, len(text))
		for from > 0 && at > done && w[(from-1)&mask] == w[(at-1)&mask] {
			from, at, length = from-1, at-1, length+1
		}
		s := sequence{literals: uint16(at - done), match: uint16(length), offset: 1}
		// Without literals the way back is another one, since a match goes as far as it can, and 1 would mean the one before.
		if at-from != back || at == done {
			back = at - from
			s.offset = uint32(back) + 3
		}
		m.sequences = append(m.sequences, s)
		m.hold(done, at)
		at += length
		done = at
	}
	m.hold(done, len(text))
}

// hold adds literals. Most are few: to copy margin of them always is faster than to copy as many as there are.
func (m *matcher) hold(from, to int) {
	if to-from <= margin {
		*(*[margin]byte)(m.held[m.many&mask:]) = [margin]byte(m.text[from&mask:])
	} else {
		copy(m.held[m.many:], m.text[from:to])
	}
	m.many += to - from
}
