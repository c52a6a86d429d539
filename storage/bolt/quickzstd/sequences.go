package quickzstd

import "math/bits"

// Numbers of literals and lengths of matches have codes: one for each of the small ones, and for the others one for each range,
// in which some bits say where (RFC 8878 section 3.1.1.3.2.1.1). The code of an offset is how many bits say where.
var (
	literalBits = []uint8{
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	}
	matchBits = []uint8{
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	}
)

const (
	leastMatch = 3
	// From these on the ranges are powers of two, and the code is so much more than the exponent.
	wideLiterals, wideLiteralsCode = 64, 19
	wideMatch, wideMatchCode       = 128, 36
)

// How likely the codes are in items of news feeds, as shares of a power of two; below one share is -1. They are those of captured
// feeds and of texts by Zipf's law, half and half, from which either is a tenth of a bit away. A frame says which shares it was
// coded with: these may be changed, and all frames stay readable.
var (
	literalShares = []int16{
		92, 24, 15, 15, 14, 9, 8, 7, 6, 6, 5, 5, 4, 3, 3, 3, 6, 4, 3, 2, 3, 2, 3, 2, 2, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	}
	matchShares = []int16{
		-1, 2, -1, 63, 36, 24, 20, 17, 14, 11, 11, 8, 5, 4, 2, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		1, -1, -1, -1, -1, -1, 1, -1, 1, -1, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	}
	offsetShares = []int16{10, -1, -1, -1, -1, 2, 4, 5, 7, 9, 12, 16, 19, 20, 15, 4, -1}
)

// coders are those of the three parts of a sequence, and what a frame says of them.
type coders struct {
	literal, match, offset coder
	literalCode, matchCode [128]uint8
	said                   []byte
}

func newCoders() (c coders) {
	c.literal, c.match, c.offset = newCoder(literalShares), newCoder(matchShares), newCoder(offsetShares)
	fill(c.literalCode[:wideLiterals], literalBits)
	fill(c.matchCode[:wideMatch], matchBits)
	for _, shares := range [][]int16{literalShares, offsetShares, matchShares} {
		c.said = appendShares(c.said, shares)
	}
	return c
}

// fill gives each number its code.
func fill(codes []uint8, bits []uint8) {
	for code, n := 0, 0; n < len(codes); code++ {
		for range min(1<<bits[code], len(codes)-n) {
			codes[n] = uint8(code)
			n++
		}
	}
}

func (c *coders) codes(s sequence) (literal, match, offset uint8) {
	if s.literals < wideLiterals {
		literal = c.literalCode[s.literals]
	} else {
		literal = uint8(bits.Len16(s.literals) - 1 + wideLiteralsCode)
	}
	if n := s.match - leastMatch; n < wideMatch {
		match = c.matchCode[n]
	} else {
		match = uint8(bits.Len16(n) - 1 + wideMatchCode)
	}
	return literal, match, uint8(bits.Len32(s.offset) - 1)
}

// mostOfSequence is more bytes than a sequence is coded in.
const mostOfSequence = 10

// appendSequences adds the section of sequences (section 3.1.1.3.2), which are read from its end: what comes last is written
// first.
func (c *coders) appendSequences(dst []byte, sequences []sequence) []byte {
	n := len(sequences)
	if n < 128 {
		dst = append(dst, byte(n))
	} else { // There are no 32512 in what a frame is made of.
		dst = append(dst, byte(n>>8|128), byte(n))
	}
	if n == 0 {
		return dst
	}
	const saidOfEach = 2<<6 | 2<<4 | 2<<2
	dst = append(append(dst, saidOfEach), c.said...)
	at := len(dst)
	dst = append(dst, make([]byte, mostOfSequence*n+16)...)
	var b bitBuffer
	var literals, matches, offsets uint32
	for i := n - 1; i >= 0; i-- {
		s := sequences[i]
		literal, match, offset := c.codes(s)
		if i == n-1 {
			literals, matches, offsets = c.literal.first(literal), c.match.first(match), c.offset.first(offset)
		} else {
			b, offsets = c.offset.next(b, offsets, offset)
			b, matches = c.match.next(b, matches, match)
			b, literals = c.literal.next(b, literals, literal)
		}
		b = b.add(uint64(s.literals), literalBits[literal])
		b, at = b.flush(dst, at)
		b = b.add(uint64(s.match-leastMatch), matchBits[match])
		b = b.add(uint64(s.offset), offset)
		b, at = b.flush(dst, at)
	}
	b = b.add(uint64(matches), c.match.bits)
	b = b.add(uint64(offsets), c.offset.bits)
	b = b.add(uint64(literals), c.literal.bits)
	b = b.add(1, 1)
	return b.end(dst, at)
}
