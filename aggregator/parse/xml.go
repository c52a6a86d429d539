package parse

import (
	"bytes"
	"html"
	"strings"
)

// tag is one start or end tag in well-formed XML. Offsets are into the document.
type tag struct {
	start, end int // the tag with its angle brackets
	name       []byte
	attrs      []byte // what is between the name and the end of the tag
	attrsAt    int
	closing    bool // </name>
	empty      bool // <name/>
}

// nextTag finds the next element's tag at or after pos, stepping over comments, CDATA sections, processing
// instructions and declarations. It is a fraction of an XML reader: it relies on what the scanner made well-formed, and
// on other bytes it gives nonsense, never a panic.
func nextTag(data []byte, pos int) (t tag, ok bool) {
	for pos < len(data) {
		i := bytes.IndexByte(data[pos:], '<')
		if i < 0 || pos+i+1 >= len(data) {
			return tag{}, false
		}
		pos += i
		switch rest := data[pos:]; rest[1] {
		case '!':
			pos = skipDeclaration(data, pos)
		case '?':
			pos = skipPast(data, pos+2, "?>")
		default:
			return readTag(data, pos)
		}
	}
	return tag{}, false
}

func skipDeclaration(data []byte, pos int) int {
	rest := data[pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return skipPast(data, pos+9, "]]>")
	case bytes.HasPrefix(rest, []byte("<!--")):
		return skipPast(data, pos+4, "-->")
	}
	// A document type may hold declarations of its own between brackets.
	end := bytes.IndexByte(rest, '>')
	if open := bytes.IndexByte(rest, '['); open >= 0 && open < end {
		return skipPast(data, pos, "]>")
	}
	return skipPast(data, pos, ">")
}

func skipPast(data []byte, pos int, end string) int {
	if pos >= len(data) {
		return len(data)
	}
	i := bytes.Index(data[pos:], []byte(end))
	if i < 0 {
		return len(data)
	}
	return pos + i + len(end)
}

func readTag(data []byte, start int) (t tag, ok bool) {
	t.start = start
	i := start + 1
	if data[i] == '/' {
		t.closing = true
		i++
	}
	from := i
	for i < len(data) && !isSpace(data[i]) && data[i] != '>' && data[i] != '/' {
		i++
	}
	t.name, t.attrsAt = data[from:i], i
	for ; i < len(data); i++ {
		switch c := data[i]; c {
		case '"', '\'':
			q := bytes.IndexByte(data[i+1:], c)
			if q < 0 {
				return tag{}, false
			}
			i += q + 1
		case '>':
			t.end = i + 1
			t.empty = data[i-1] == '/' && !t.closing
			if t.empty {
				i--
			}
			t.attrs = data[t.attrsAt:max(i, t.attrsAt)]
			return t, true
		}
	}
	return tag{}, false
}

// attribute is one attribute of a tag. Offsets are into tag.attrs.
type attribute struct {
	name, value []byte
	start, end  int
}

// nextAttribute reads the attribute at or after pos.
func nextAttribute(attrs []byte, pos int) (a attribute, ok bool) {
	for pos < len(attrs) && isSpace(attrs[pos]) {
		pos++
	}
	a.start = pos
	for pos < len(attrs) && attrs[pos] != '=' && !isSpace(attrs[pos]) {
		pos++
	}
	a.name = attrs[a.start:pos]
	for pos < len(attrs) && (isSpace(attrs[pos]) || attrs[pos] == '=') {
		pos++
	}
	if pos >= len(attrs) || attrs[pos] != '"' && attrs[pos] != '\'' {
		return attribute{}, false
	}
	q := bytes.IndexByte(attrs[pos+1:], attrs[pos])
	if q < 0 {
		return attribute{}, false
	}
	a.value = attrs[pos+1 : pos+1+q]
	a.end = pos + q + 2
	return a, true
}

// attr is the value of the tag's attribute of exactly this name, prefix included; empty where there is none.
func (t *tag) attr(name string) string {
	for pos := 0; ; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			return ""
		}
		if string(a.name) == name {
			return strings.TrimSpace(decodeEntities(string(a.value)))
		}
		pos = a.end
	}
}

// split cuts the prefix off a name.
func split(name []byte) (prefix, local []byte) {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return nil, name
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// elementText is the character data of an element's content: CDATA sections as they are, entities outside them
// resolved, tags kept. White space around it is cut off.
func elementText(raw []byte) string {
	const open, shut = "<![CDATA[", "]]>"
	s := string(raw)
	if !strings.Contains(s, open) {
		return strings.TrimSpace(decodeEntities(s))
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, open)
		b.WriteString(decodeEntities(before))
		if !found {
			return strings.TrimSpace(b.String())
		}
		inside, after, _ := strings.Cut(rest, shut)
		b.WriteString(inside)
		s = after
	}
}

// longestEntity is longer than any named character reference of HTML.
const longestEntity = 40

// decodeEntities resolves character references that end with a semicolon. HTML's references without one are left alone:
// in "?a=1&copy=2" there is none.
func decodeEntities(s string) string {
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for amp >= 0 {
		b.WriteString(s[:amp])
		s = s[amp:]
		window := s[:min(len(s), longestEntity)]
		end := strings.IndexByte(window, ';')
		decoded := ""
		if end > 1 && isReference(window[1:end]) {
			decoded = html.UnescapeString(window[:end+1])
		}
		// A name that is no reference as a whole may begin with one ("&notit;"): it is text.
		if decoded == "" || strings.HasSuffix(decoded, ";") && decoded != ";" {
			b.WriteByte('&')
			s = s[1:]
		} else {
			b.WriteString(decoded)
			s = s[end+1:]
		}
		amp = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String()
}

func isReference(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '#' && i == 0 {
			continue
		}
		return false
	}
	return true
}
