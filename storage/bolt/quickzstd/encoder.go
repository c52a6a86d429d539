// Package quickzstd makes zstd frames (RFC 8878) of short texts, in about two thirds of the time that a general encoder takes
// and with about as much of their length left as that leaves at its fastest level. It can do less: a frame has one block of up to
// 64 KiB and no dictionary, matches are taken where they are found, and sequences are coded by tables that were made of news
// once, in place of tables for each frame. Any zstd decoder reads what it makes.
package quickzstd

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/huff0"
)

// MinSize and MaxSize are of how many bytes a frame can be made, and Overhead is how much longer than these it can be.
const (
	MinSize  = 256
	MaxSize  = 1<<16 - 1
	Overhead = 14
)

// Encoder makes frames, one after the other, in the same memory, about 200 KB. The zero Encoder is not ready for use.
type Encoder struct {
	matcher matcher
	huffman huff0.Scratch
	coders  coders
}

// NewEncoder is an encoder with its tables.
func NewEncoder() *Encoder { return &Encoder{coders: newCoders()} }

// magic begins a frame (RFC 8878 section 3.1.1).
const magic = 0xfd2fb528

// The bits of a frame's header (section 3.1.1.1.1): the size of the text is given in two bytes, which count from MinSize, and is
// that of the window, and behind the block comes a checksum.
const (
	sizeOfTwoBytes = 1 << 6
	singleSegment  = 1 << 5
	hasChecksum    = 1 << 2
)

// The types of blocks (section 3.1.1.2.2) and of sections of literals (section 3.1.1.3.1.1).
const (
	rawBlock        = 0
	compressedBlock = 2

	rawLiterals        = 0
	compressedLiterals = 2
)

// Append adds to dst a frame of src, with its checksum. It panics where src is not of MinSize to MaxSize bytes.
func (e *Encoder) Append(dst, src []byte) []byte {
	if len(src) < MinSize || len(src) > MaxSize {
		panic("quickzstd: no frame is made of so few or so many bytes")
	}
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	dst = append(dst, sizeOfTwoBytes|singleSegment|hasChecksum)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(src)-MinSize))
	header := len(dst)
	dst = append(dst, 0, 0, 0)
	block := len(dst)
	e.matcher.divide(src)
	dst = e.appendLiterals(dst)
	dst = e.coders.appendSequences(dst, e.matcher.sequences)
	kind := compressedBlock
	if len(dst)-block >= len(src) {
		kind, dst = rawBlock, append(dst[:block], src...)
	}
	const last = 1
	appendInt(dst[:header], last|uint64(kind)<<1|uint64(len(dst)-block)<<3, 3)
	return binary.LittleEndian.AppendUint32(dst, uint32(xxhash.Sum64(src)))
}

// appendInt adds the lowest n bytes of a number, the lowest first.
func appendInt(dst []byte, v uint64, n int) []byte {
	for range n {
		dst, v = append(dst, byte(v)), v>>8
	}
	return dst
}

// Literals are worth a code of their own from so many on, and are coded in four streams from so many on.
const (
	leastLiterals  = 64
	leastOfStreams = 1024
)

// appendLiterals adds the section of literals (section 3.1.1.3.1).
func (e *Encoder) appendLiterals(dst []byte) []byte {
	literals := e.matcher.literals()
	n := uint64(len(literals))
	if n < leastLiterals {
		return appendRaw(dst, literals)
	}
	e.huffman.Reuse = huff0.ReusePolicyNone
	code := huff0.Compress4X
	if n < leastOfStreams {
		code = huff0.Compress1X
	}
	coded, _, err := code(literals, &e.huffman)
	if err != nil { // They would not be shorter.
		return appendRaw(dst, literals)
	}
	// The size and the coded size are of ten, fourteen or eighteen bits each.
	size := uint64(len(coded))
	switch {
	case n < leastOfStreams:
		dst = appendInt(dst, compressedLiterals|n<<4|size<<14, 3)
	case n < 1<<14:
		dst = appendInt(dst, compressedLiterals|2<<2|n<<4|size<<18, 4)
	default:
		dst = appendInt(dst, compressedLiterals|3<<2|n<<4|size<<22, 5)
	}
	return append(dst, coded...)
}

// appendRaw adds a section of literals that are not coded. Their number is of five, twelve or twenty bits.
func appendRaw(dst, literals []byte) []byte {
	n := uint64(len(literals))
	switch {
	case n < 1<<5:
		dst = appendInt(dst, rawLiterals|n<<3, 1)
	case n < 1<<12:
		dst = appendInt(dst, rawLiterals|1<<2|n<<4, 2)
	default:
		dst = appendInt(dst, rawLiterals|3<<2|n<<4, 3)
	}
	return append(dst, literals...)
}
