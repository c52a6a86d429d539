package quickzstd

import "encoding/binary"

// bitBuffer has numbers of some bits, one behind the other, the first in the lowest bits.
type bitBuffer struct {
	held uint64
	bits uint8
}

// add adds the lowest n bits of v. There is room for 56 bits between two flushes.
func (b bitBuffer) add(v uint64, n uint8) bitBuffer {
	return bitBuffer{b.held | v&(1<<(n&63)-1)<<(b.bits&63), b.bits + n}
}

// flush writes whole bytes to dst, which has room for eight, and gives the place behind them.
func (b bitBuffer) flush(dst []byte, at int) (bitBuffer, int) {
	binary.LittleEndian.PutUint64(dst[at:], b.held)
	return bitBuffer{b.held >> (b.bits & 56), b.bits & 7}, at + int(b.bits>>3)
}

// end writes all bits, and gives dst up to them.
func (b bitBuffer) end(dst []byte, at int) []byte {
	b, at = b.flush(dst, at)
	if b.bits > 0 {
		at++
	}
	return dst[:at]
}
