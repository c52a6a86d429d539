package scan

import (
	"bytes"
	"encoding/binary"
)

// text reads the string at b[i]. Line ends and tabs, which strings may only have escaped, are escaped; a backslash
// that escapes nothing is left out.
func (j *jsonScanner) text(i int) int {
	if i >= len(j.b) || j.b[i] != '"' {
		return -1
	}
	start := i + 1
	quote := i // the next quotation mark, escaped or not
	for i = start; ; {
		if quote < i {
			n := bytes.IndexByte(j.b[i:], '"')
			if n < 0 {
				return -1
			}
			quote = i + n
		}
		back := bytes.IndexByte(j.b[i:quote], '\\')
		if back < 0 {
			i = quote
			break
		}
		i += back
		if i+1 >= len(j.b) {
			return -1
		}
		length := escapeLength(j.b[i:])
		if length == 0 {
			if j.tooMany() {
				return -1
			}
			j.notes.add("backslashes that escape nothing left out")
			j.edits = append(j.edits, edit{i, i + 1, ""})
			length = 1
		}
		i += length
	}
	if i-start > j.limits.Text {
		j.limit = &LimitError{"bytes of text in a JSON string", j.limits.Text}
		return -1
	}
	if hasLow(j.b[start:i]) {
		j.escapeLow(start, i)
	}
	return i + 1
}

// escapeLength is the length of the escape at the start of b (RFC 8259 section 7), 0 where it is none.
func escapeLength(b []byte) int {
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// hasLow reports whether there is a byte below 0x20.
func hasLow(b []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		if (x-ones*0x20)&^x&tops != 0 {
			return true
		}
		b = b[8:]
	}
	for _, c := range b {
		if c < 0x20 {
			return true
		}
	}
	return false
}

// escapeLow escapes the tabs and line ends in b[start:end]. Edits have to stay in the order of their places.
func (j *jsonScanner) escapeLow(start, end int) {
	at := len(j.edits)
	for at > 0 && j.edits[at-1].start >= start {
		at--
	}
	inside := append([]edit(nil), j.edits[at:]...)
	j.edits = j.edits[:at]
	for i := start; i < end && !j.tooMany(); i++ {
		for len(inside) > 0 && inside[0].start <= i {
			j.edits = append(j.edits, inside[0])
			inside = inside[1:]
		}
		var escape string
		switch j.b[i] {
		case '\t':
			escape = `\t`
		case '\n':
			escape = `\n`
		case '\r':
			escape = `\r`
		default:
			continue
		}
		j.notes.add("line ends and tabs in JSON strings escaped")
		j.edits = append(j.edits, edit{i, i + 1, escape})
	}
	j.edits = append(j.edits, inside...)
}
