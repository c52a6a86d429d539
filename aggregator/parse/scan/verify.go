package scan

import (
	"bytes"
	"unicode/utf8"
)

// verifier reads a document from its root on and finds out whether it is well-formed XML 1.0 with namespaces, the
// structure of a feed, and within the limits. It allocates for the stack and the items, not for tags, and looks at
// runs of text by searching in them.
//
// It is told that the text is UTF-8 without illegal characters.
type verifier struct {
	b      []byte
	limits *Limits
	mended bool // the text is the mender's

	stack []frame
	ns    []declaration
	names [][]byte // of the attributes of the current tag
	base  bool     // the current tag has an xml:base

	// items and the names without a declaration are what is found out beside defects.
	items      []Span
	undeclared [][]byte
	entries    int // how many of the items are called entry
	channels   int

	itemStart, elements, bindings, bases, copied int

	// defect says what is wrong at the place where run stopped, limit which limit is broken there.
	defect string
	limit  *LimitError
}

// frame is an open element.
type frame struct {
	name  []byte
	role  role
	ns    int // how many declarations were in scope of its parent
	bases int // how many xml:base are in scope
	start int // where its content begins
	text  int // how much text of its own it had so far
}

type declaration struct{ prefix []byte }

// role is how a parser treats an element.
type role uint8

const (
	roleOther     role = iota
	roleRoot           // rss, rdf:RDF, feed
	roleChannel        // channel
	roleItem           // item, entry
	roleText           // markup inside counts as text
	roleExtension      // each element inside becomes a node with its text put together run by run
)

const stopped = -1

func (v *verifier) fail(what string) int {
	v.defect = what
	return stopped
}

func (v *verifier) refuse(name string, limit int) int {
	v.limit = &LimitError{name, limit}
	return stopped
}

// run verifies the document whose root begins at b[at], a '<', and returns where the root ends. It returns stopped
// where there is a defect or a limit is broken.
func (v *verifier) run(at int) (end int) {
	b := v.b
	for {
		if at+1 >= len(b) {
			return v.fail("end inside a tag")
		}
		switch c := b[at+1]; {
		case c == '/':
			if at = v.endTag(at); at == stopped {
				return stopped
			}
			if len(v.stack) == 0 {
				return at
			}
		case c == '!':
			at = v.declarationLike(at)
		case c == '?':
			at = v.instruction(at)
		default:
			if at = v.startTag(at); at != stopped && len(v.stack) == 0 {
				return at
			}
		}
		if at == stopped {
			return stopped
		}
		n := bytes.IndexByte(b[at:], '<')
		if n < 0 {
			return v.fail("end inside the root")
		}
		if n > 0 {
			if !v.textRun(b[at : at+n]) {
				return stopped
			}
			at += n
		}
	}
}

// textRun verifies text between tags. ("]]>" may not be in it: section 2.4.)
func (v *verifier) textRun(text []byte) bool {
	if len(text) < 24 && onlySpace(text) {
		return v.count(len(text))
	}
	if i := bytes.IndexByte(text, '&'); i >= 0 && !validReferences(text[i:]) {
		v.fail("reference")
		return false
	}
	for rest := text; ; {
		i := bytes.IndexByte(rest, '>')
		if i < 0 {
			break
		}
		if i >= 2 && rest[i-1] == ']' && rest[i-2] == ']' {
			v.fail("end of CDATA in text")
			return false
		}
		rest = rest[i+1:]
		if len(rest) == 0 {
			break
		}
	}
	return v.count(len(text))
}

func onlySpace(text []byte) bool {
	for _, c := range text {
		if classes[c]&spaceByte == 0 {
			return false
		}
	}
	return true
}

// count adds a run of text to the innermost element.
func (v *verifier) count(n int) bool {
	top := &v.stack[len(v.stack)-1]
	if top.text > 0 && top.role == roleExtension {
		if v.copied += top.text; v.copied > v.limits.Copies {
			v.refuse("bytes of text in pieces", v.limits.Copies)
			return false
		}
	}
	if top.text += n; top.text > v.limits.Text {
		v.refuse("bytes of text in an element", v.limits.Text)
		return false
	}
	return true
}

// validReferences reports whether every '&' begins a character reference or one of XML's own entities (sections 4.1
// and 4.6).
func validReferences(text []byte) bool {
	for {
		n := referenceLength(text)
		if n == 0 {
			return false
		}
		text = text[n:]
		i := bytes.IndexByte(text, '&')
		if i < 0 {
			return true
		}
		text = text[i:]
	}
}

// referenceLength is the length of the reference at the start of text, 0 where it is none that XML knows.
func referenceLength(text []byte) int {
	if len(text) < 4 {
		return 0
	}
	switch text[1] {
	case '#':
		r, n := characterReference(text)
		if !isCharacter(r) {
			return 0
		}
		return n
	case 'l', 'g':
		if text[2] == 't' && text[3] == ';' {
			return 4
		}
	case 'a':
		if len(text) >= 5 && text[2] == 'm' && text[3] == 'p' && text[4] == ';' {
			return 5
		}
		if len(text) >= 6 && string(text[2:6]) == "pos;" {
			return 6
		}
	case 'q':
		if len(text) >= 6 && string(text[2:6]) == "uot;" {
			return 6
		}
	}
	return 0
}

// characterReference reads "&#65;" or "&#x41;". The character is -1 where it is too big, the length 0 where it is no
// reference.
func characterReference(text []byte) (r rune, length int) {
	const most = 16
	i, base := 2, rune(10)
	if i < len(text) && text[i] == 'x' {
		i, base = 3, 16
	}
	first := i
	for ; i < len(text) && i < first+most; i++ {
		var digit rune
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			digit = rune(c - '0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			digit = rune(c|0x20-'a') + 10
		case c == ';' && i > first:
			return r, i + 1
		default:
			return -1, 0
		}
		if r = r*base + digit; r > utf8.MaxRune {
			r = utf8.MaxRune + 1
		}
	}
	return -1, 0
}

// isCharacter is the Char production of XML 1.0 (section 2.2).
func isCharacter(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return r >= 0xE000 && r <= utf8.MaxRune && r != 0xFFFE && r != 0xFFFF
}

// declarationLike verifies a comment or a CDATA section; nothing else that begins with "<!" may be inside the root.
func (v *verifier) declarationLike(at int) int {
	rest := v.b[at:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		n := bytes.Index(rest[4:], []byte("--"))
		if n < 0 || n+6 >= len(rest) || rest[n+6] != '>' {
			return v.fail("comment")
		}
		return at + n + 7
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		text := rest[9:]
		n := bytes.Index(text, []byte("]]>"))
		if n < 0 {
			return v.fail("CDATA without end")
		}
		// An opening inside of one is what a section that lacks its end looks like; the mender tells.
		if !v.mended && bytes.Contains(text[:n], []byte("[CDATA[")) {
			return v.fail("CDATA in CDATA")
		}
		if n > 0 && !v.count(n) {
			return stopped
		}
		return at + n + 12
	}
	return v.fail("declaration inside the root")
}

func (v *verifier) instruction(at int) int {
	i := at + 2
	for i < len(v.b) && (classes[v.b[i]]&nameByte != 0 || v.b[i] >= utf8.RuneSelf) {
		i++
	}
	target := v.b[at+2 : i]
	if !isName(target) || foldIs(target, "xml") {
		return v.fail("processing instruction")
	}
	n := bytes.Index(v.b[i:], []byte("?>"))
	if n < 0 {
		return v.fail("processing instruction without end")
	}
	return i + n + 2
}

func (v *verifier) endTag(at int) int {
	b := v.b
	top := &v.stack[len(v.stack)-1]
	i := at + 2 + len(top.name)
	if i >= len(b) || string(b[at+2:i]) != string(top.name) {
		return v.fail("end tag of another element")
	}
	for i < len(b) && classes[b[i]]&spaceByte != 0 {
		i++
	}
	if i >= len(b) || b[i] != '>' {
		return v.fail("end tag")
	}
	if top.role == roleText && at-top.start > v.limits.Text {
		return v.refuse("bytes of markup in an element", v.limits.Text)
	}
	v.pop(i + 1)
	return i + 1
}

// pop closes the innermost element, whose end tag ends at end.
func (v *verifier) pop(end int) {
	top := &v.stack[len(v.stack)-1]
	if top.role == roleItem {
		v.items = append(v.items, Span{v.itemStart, end})
	}
	v.ns = v.ns[:top.ns]
	v.stack = v.stack[:len(v.stack)-1]
}
