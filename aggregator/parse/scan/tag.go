package scan

import (
	"bytes"
	"unicode/utf8"
)

// tag is a start tag as it was found, or as much of one as there is.
type tag struct {
	name       []byte
	attributes []attribute
	start, end int // tag is in[start:end]
	empty      bool
	mended     bool // the tag broke a rule
}

type attribute struct {
	name, value []byte
	quote       byte // 0 where the value had none
}

// readTag reads the start tag at in[at], a '<', with forgiveness: values without quotes, attributes without values, values
// whose closing quote is missing, a tag that the next one cuts off. It is false where the '<' does not begin a tag.
// The attributes are appended to space.
func readTag(in []byte, at int, space []attribute) (t tag, ok bool) {
	t = tag{start: at, attributes: space[:0]}
	i := at + 1
	for i < len(in) && (classes[in[i]]&nameByte != 0 || in[i] >= utf8.RuneSelf) {
		i++
	}
	t.name = in[at+1 : i]
	if i >= len(in) || !isName(t.name) {
		return t, false
	}
	switch in[i] {
	case ' ', '\t', '\n', '\r', '>', '/', '<':
	default:
		return t, false
	}
	for i < len(in) {
		switch c := in[i]; {
		case classes[c]&spaceByte != 0:
			i++
		case c == '>':
			t.end = i + 1
			return t, true
		case c == '<':
			// Only a name that feeds have is a tag without its '>'; in text "a<b<c" is none.
			t.end, t.mended = i, true
			return t, isFeedName(t.name)
		case c == '/':
			i++
			if i < len(in) && in[i] == '>' {
				t.empty = true
			} else {
				t.mended = true
			}
		default:
			i = t.readAttribute(in, i)
		}
	}
	return t, false
}

// readAttribute reads the attribute at in[i], or passes over bytes that begin none, and returns where it ends.
func (t *tag) readAttribute(in []byte, i int) int {
	start := i
	for i < len(in) && classes[in[i]]&spaceByte == 0 && bytes.IndexByte([]byte("=></\"'"), in[i]) < 0 {
		i++
	}
	name := in[start:i]
	if len(name) == 0 {
		t.mended = true
		return i + 1
	}
	valueAt := i
	for valueAt < len(in) && classes[in[valueAt]]&spaceByte != 0 {
		valueAt++
	}
	if valueAt >= len(in) || in[valueAt] != '=' {
		t.mended = true
		t.add(attribute{name, name, 0})
		return i
	}
	i = valueAt + 1
	for i < len(in) && classes[in[i]]&spaceByte != 0 {
		i++
	}
	if i >= len(in) {
		return i
	}
	if q := in[i]; q == '"' || q == '\'' {
		if n := quotedLength(in[i+1:], q); n >= 0 {
			t.add(attribute{name, in[i+1 : i+1+n], q})
			return i + n + 2
		}
		i++ // the closing quote is missing
	}
	t.mended = true
	start = i
	for i < len(in) && classes[in[i]]&spaceByte == 0 && in[i] != '>' && in[i] != '<' {
		if in[i] == '/' && i+1 < len(in) && in[i+1] == '>' {
			break
		}
		i++
	}
	t.add(attribute{name, bytes.Trim(in[start:i], `"'`), 0})
	return i
}

// quotedLength is how long a quoted value is, -1 where its closing quote is missing: then what seems to be it opens
// another value, or a tag lies between.
func quotedLength(in []byte, q byte) int {
	// No value of a feed is longer.
	const most = 1 << 16
	n := bytes.IndexByte(in[:min(len(in), most)], q)
	if n < 0 {
		return -1
	}
	value := in[:n]
	if bytes.IndexByte(value, '<') < 0 {
		// a="b c="d": the quote that closes is followed by a name.
		if n+1 < len(in) && classes[in[n+1]]&nameByte != 0 && bytes.IndexByte(value, '=') >= 0 && value[n-1] == '=' {
			return -1
		}
		return n
	}
	for rest := value; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			return n
		}
		rest = rest[i+1:]
		name := bytes.TrimPrefix(rest, []byte("/"))
		end := 0
		for end < len(name) && classes[name[end]]&nameByte != 0 {
			end++
		}
		if isFeedName(name[:end]) {
			return -1
		}
	}
}

// mostAttributes is how many attributes of a tag are looked at; one with more breaks any sensible limit.
const mostAttributes = 1000

// add takes an attribute, unless its name is not one or the tag has it already: the first one counts, as in HTML.
func (t *tag) add(a attribute) {
	if !isName(a.name) || len(a.value) == 0 && bytes.HasPrefix(a.name, []byte("xmlns:")) {
		t.mended = true
		return
	}
	if len(t.attributes) == mostAttributes {
		return
	}
	for _, other := range t.attributes {
		if bytes.Equal(other.name, a.name) {
			t.mended = true
			return
		}
	}
	t.attributes = append(t.attributes, a)
}

// attribute is the value of the attribute with the given lower-case name, nil where there is none.
func (t *tag) attribute(name string) []byte {
	for _, a := range t.attributes {
		if foldIs(a.name, name) {
			return a.value
		}
	}
	return nil
}

// readEndTag reads the end tag at in[at], "</". It is false where this is none.
func readEndTag(in []byte, at int) (name []byte, end int, ok bool) {
	i := at + 2
	for i < len(in) && (classes[in[i]]&nameByte != 0 || in[i] >= utf8.RuneSelf) {
		i++
	}
	name = in[at+2 : i]
	if !isName(name) {
		return nil, at, false
	}
	n := bytes.IndexAny(in[i:min(len(in), i+256)], "<>")
	if n < 0 {
		return name, at, false
	}
	if in[i+n] == '<' {
		return name, i, true
	}
	return name, i + n + 1, true
}
