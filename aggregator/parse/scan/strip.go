package scan

import (
	"bytes"
	"encoding/binary"
)

// strip leaves out the characters that XML 1.0 (section 2.2) has no place for: the control characters but for tab, line feed
// and carriage return, U+FFFE and U+FFFF. The same slice comes back where there are none. The text must be valid
// UTF-8, so that there are no surrogates in it.
func (s *scanner) strip(text []byte) []byte {
	i := firstIllegal(text)
	if i < 0 {
		return text
	}
	out := append(make([]byte, 0, len(text)), text[:i]...)
	removed := 0
	for i < len(text) {
		switch {
		case isControl(text[i]):
			i++
			removed++
		case text[i] == 0xEF && text[i+1] == 0xBF && text[i+2] >= 0xBE:
			i += 3
			removed++
		default:
			out = append(out, text[i])
			i++
		}
	}
	s.notes.addTimes("illegal characters left out", removed)
	return out
}

func isControl(c byte) bool { return c < 0x20 && c != '\t' && c != '\n' && c != '\r' }

// firstIllegal is where the first such character is, or -1.
func firstIllegal(b []byte) int {
	end := firstControl(b)
	from := 0
	head := b
	if end >= 0 {
		head = b[:end]
	}
	for {
		i := bytes.Index(head[from:], []byte("\xef\xbf"))
		if i < 0 {
			return end
		}
		if i += from; i+2 < len(head) && head[i+2] >= 0xBE {
			return i
		}
		from = i + 2
	}
}

// firstControl looks at eight bytes at once: a byte below 0x20 makes its top bit 1 in the expression, and others do
// only behind such a byte.
func firstControl(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		if (x-ones*0x20)&^x&tops == 0 {
			continue
		}
		for j := i; j < i+8; j++ {
			if isControl(b[j]) {
				return j
			}
		}
	}
	for ; i < len(b); i++ {
		if isControl(b[i]) {
			return i
		}
	}
	return -1
}
