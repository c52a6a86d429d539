package quickzstd

import "math/bits"

const (
	// mostShares is the most that codes can share, as a power of two, mostCodes more codes than there are.
	mostShares = 8
	mostCodes  = 64
)

// coder is a finite state entropy coder (RFC 8878 section 4.1). Between two codes it is in one of 1<<bits states, numbered from
// 1<<bits on. To code a code is to go to one of the states that are the code's, as many as it has shares, and to write so many
// of the lowest bits of the state left behind that a decoder finds back to it.
type coder struct {
	bits  uint8
	steps [mostCodes]step
	// states are those of each code, in order, one code behind the other.
	states [1 << mostShares]uint16
}

// step says how a code is coded. Where it has n states, what a state is without its lowest bits is to be from n up to 2n, and says
// which of the n comes next. That takes one of two numbers of bits.
type step struct {
	// bits is so large that the sum with a state has in its upper half how many bits that takes.
	bits uint32
	// states is what is added to find the next state among all.
	states uint32
}

func newCoder(shares []int16) (c coder) {
	size := sum(shares)
	c.bits = uint8(bits.Len(uint(size)) - 1)
	order := spread(shares, size)
	from := 0
	var at [mostCodes]int
	for code, n := range shares {
		n := uint32(max(n, -n))
		at[code] = from
		most := uint32(c.bits)
		if n > 1 {
			most -= uint32(bits.Len32(n-1) - 1)
		}
		c.steps[code] = step{bits: most<<16 - n<<most, states: uint32(from) - n}
		from += int(n)
	}
	for i, code := range order {
		c.states[at[code]] = uint16(size + i)
		at[code]++
	}
	return c
}

// sum is that of all shares, of which -1 takes one.
func sum(shares []int16) (all int) {
	for _, n := range shares {
		all += int(max(n, -n))
	}
	return all
}

// spread is the code of each state, as a decoder finds it (section 4.1.1).
func spread(shares []int16, size int) []uint8 {
	order := make([]uint8, size)
	free := size
	for code, n := range shares {
		if n < 0 {
			free--
			order[free] = uint8(code)
		}
	}
	at := 0
	for code, n := range shares {
		for range n {
			order[at] = uint8(code)
			for {
				at = (at + size>>1 + size>>3 + 3) % size
				if at < free {
					break
				}
			}
		}
	}
	return order
}

// first is a state in which the last code is coded without a bit.
func (c *coder) first(code uint8) uint32 {
	y := c.steps[code%mostCodes]
	n := (y.bits + 1<<15) >> 16
	return c.state((n<<16-y.bits)>>n + y.states)
}

// next codes a code in a state, and gives the next state.
func (c *coder) next(b bitBuffer, state uint32, code uint8) (bitBuffer, uint32) {
	y := c.steps[code%mostCodes]
	n := (state + y.bits) >> 16
	return b.add(uint64(state), uint8(n)), c.state(state>>(n&31) + y.states)
}

func (c *coder) state(i uint32) uint32 { return uint32(c.states[i%(1<<mostShares)]) }

// appendShares adds what tells a decoder of shares, none of which is zero (section 4.1.1).
func appendShares(dst []byte, shares []int16) []byte {
	left := sum(shares)
	at := len(dst)
	dst = append(dst, make([]byte, 2*len(shares)+8)...)
	const leastBits = 5
	b := bitBuffer{}.add(uint64(bits.Len(uint(left))-1-leastBits), 4)
	for _, n := range shares {
		// Any number from 0, which is -1, to what is left can come. The lowest of them take a bit less.
		v, most := uint64(n+1), uint64(left+1)
		width := uint8(bits.Len64(most))
		short := uint64(1)<<width - 1 - most
		switch {
		case v < short:
			width--
		case v >= 1<<(width-1):
			v += short
		}
		b, at = b.add(v, width).flush(dst, at)
		left -= int(max(n, -n))
	}
	return b.end(dst, at)
}
