package scan

import (
	"bytes"
	"html"
	"strings"
)

// text writes text between tags: references that XML knows stay, those that HTML or the document type know are
// replaced by what they stand for, and any other '&' is escaped.
func (m *mender) text(text []byte) {
	for !m.full() {
		i := bytes.IndexAny(text, "&>")
		if i < 0 {
			m.out = append(m.out, text...)
			return
		}
		m.out = append(m.out, text[:i]...)
		if text[i] == '&' {
			text = text[i+m.reference(text[i:]):]
			continue
		}
		if n := len(m.out); n >= 2 && m.out[n-1] == ']' && m.out[n-2] == ']' {
			m.notes.add("']]>' in text escaped")
			m.out = append(m.out, "&gt;"...)
		} else {
			m.out = append(m.out, '>')
		}
		text = text[i+1:]
	}
}

// reference writes what begins with the '&' at the start of text and returns how much of it that was.
func (m *mender) reference(text []byte) int {
	if n := referenceLength(text); n > 0 {
		m.out = append(m.out, text[:n]...)
		return n
	}
	if len(text) > 2 && text[1] == '#' {
		if n := m.numericReference(text); n > 0 {
			return n
		}
	} else if n := m.namedReference(text); n > 0 {
		return n
	}
	m.notes.add("stray '&' escaped")
	m.out = append(m.out, "&amp;"...)
	return 1
}

func (m *mender) numericReference(text []byte) int {
	if text[2] == 'X' {
		lower := append([]byte("&#x"), text[3:min(len(text), 20)]...)
		r, n := characterReference(lower)
		if n == 0 {
			return 0
		}
		if isCharacter(r) {
			m.notes.add("character references mended")
			m.out = append(m.out, lower[:n]...)
			return n
		}
	}
	_, n := characterReference(text)
	if n == 0 && text[2] == 'X' {
		return 0
	}
	if n > 0 {
		m.notes.add("references to illegal characters left out")
	}
	return n
}

func (m *mender) namedReference(text []byte) int {
	// The longest name in HTML has 31 letters.
	const most = 40
	end := 1
	for end < min(len(text), most) && classes[text[end]]&nameByte != 0 {
		end++
	}
	if end < 2 || end == len(text) || text[end] != ';' {
		return 0
	}
	name := string(text[1:end])
	if _, declared := m.entities[name]; declared {
		value, ok := m.expand(name)
		if !ok {
			delete(m.entities, name)
			return 0
		}
		m.notes.add("entities of the document type replaced")
		m.plain(value)
		return end + 1
	}
	whole := "&" + name + ";"
	value := html.UnescapeString(whole)
	if value == whole || name != "semi" && strings.HasSuffix(value, ";") {
		return 0
	}
	m.notes.add("HTML entities replaced")
	m.plain(value)
	return end + 1
}

// plain writes a string as text that stands for itself.
func (m *mender) plain(s string) {
	for i := range len(s) {
		switch s[i] {
		case '<':
			m.out = append(m.out, "&lt;"...)
		case '>':
			m.out = append(m.out, "&gt;"...)
		case '&':
			m.out = append(m.out, "&amp;"...)
		case '"':
			m.out = append(m.out, "&quot;"...)
		case '\'':
			m.out = append(m.out, "&apos;"...)
		default:
			m.out = append(m.out, s[i])
		}
	}
}

// expand is the replacement text of an entity, entities inside of it expanded too. It is false for one that is
// inside of itself or grows out of all proportion.
func (m *mender) expand(name string) (string, bool) {
	var b strings.Builder
	ok := m.expandInto(&b, name, 0)
	return b.String(), ok
}

func (m *mender) expandInto(b *strings.Builder, name string, depth int) bool {
	const mostDepth, mostBytes = 8, 1 << 16
	rest := m.entities[name]
	for {
		before, after, found := strings.Cut(rest, "&")
		b.WriteString(before)
		if b.Len() > mostBytes || depth > mostDepth {
			return false
		}
		if !found {
			return true
		}
		inner, behind, closed := strings.Cut(after, ";")
		if _, declared := m.entities[inner]; closed && declared {
			if !m.expandInto(b, inner, depth+1) {
				return false
			}
			rest = behind
			continue
		}
		if closed && len(inner) < 40 {
			if value := html.UnescapeString("&" + inner + ";"); !strings.HasPrefix(value, "&"+inner) {
				b.WriteString(stripped(value))
				rest = behind
				continue
			}
		}
		b.WriteByte('&')
		rest = after
	}
}

// stripped is value without what XML has no place for.
func stripped(value string) string {
	return strings.Map(func(r rune) rune {
		if !isCharacter(r) {
			return -1
		}
		return r
	}, value)
}

// escaped writes markup as text.
func (m *mender) escaped(raw []byte) {
	for {
		i := bytes.IndexByte(raw, '<')
		if i < 0 {
			m.text(raw)
			return
		}
		m.text(raw[:i])
		m.out = append(m.out, "&lt;"...)
		raw = raw[i+1:]
	}
}

// special writes the comment, CDATA section, processing instruction or declaration at in[i] and returns where to read
// on. What lacks its end before end is no markup.
func (m *mender) special(i, end int, escape bool) int {
	rest := m.in[i:end]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return m.comment(i, end)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return m.section(i, end)
	case bytes.HasPrefix(rest, []byte("<?")):
		if close := m.instructs.next(i + 2); close < end && !escape {
			target := rest[2 : 2+max(0, bytes.IndexAny(rest[2:], "? \t\r\n>"))]
			if isName(target) && !foldIs(target, "xml") {
				m.out = append(m.out, m.in[i:close+2]...)
				return close + 2
			}
			m.notes.add("declarations left out")
			return close + 2
		}
	}
	if close := m.angles.next(i + 2); close < end && bytes.IndexByte(rest[1:close-i], '<') < 0 {
		m.notes.add("declarations left out")
		return close + 1
	}
	m.stray()
	return i + 1
}

// comment writes a comment as it is, or leaves it out if it is not as XML wants it (section 2.5).
func (m *mender) comment(i, end int) int {
	close := m.comments.next(i + 4)
	if close >= end {
		m.notes.add("comments without end opened up")
		return i + 4
	}
	body := m.in[i+4 : close]
	if bytes.Contains(body, []byte("--")) || bytes.HasSuffix(body, []byte("-")) {
		m.notes.add("comments with '--' left out")
	} else {
		m.out = append(m.out, m.in[i:close+3]...)
	}
	return close + 3
}

// section writes a CDATA section, with an end where it has none.
func (m *mender) section(i, end int) int {
	if close := m.sections.next(i + 9); close < end {
		m.out = append(m.out, m.in[i:close+3]...)
		return close + 3
	}
	m.notes.add("CDATA sections without end closed")
	if end == len(m.in) {
		return i + 9
	}
	m.out = append(m.out, "<![CDATA["...)
	m.out = append(m.out, bytes.TrimRight(m.in[i+9:end], "]")...)
	m.out = append(m.out, "]]>"...)
	return end
}

// writeTag writes a start tag, byte for byte if it was well-formed.
func (m *mender) writeTag(t *tag) {
	if !t.mended {
		for _, a := range t.attributes {
			if a.quote == 0 || bytes.IndexByte(a.value, '<') >= 0 || !referencesIn(a.value) {
				t.mended = true
			}
		}
	}
	if !t.mended {
		m.out = append(m.out, m.in[t.start:t.end]...)
		return
	}
	m.notes.add("tags mended")
	m.out = append(m.out, '<')
	m.out = append(m.out, t.name...)
	for _, a := range t.attributes {
		q := a.quote
		if q == 0 {
			q = '"'
		}
		m.out = append(m.out, ' ')
		m.out = append(m.out, a.name...)
		m.out = append(m.out, '=', q)
		m.attributeValue(a.value, a.quote)
		m.out = append(m.out, q)
	}
	if t.empty {
		m.out = append(m.out, '/')
	}
	m.out = append(m.out, '>')
}

func referencesIn(value []byte) bool {
	i := bytes.IndexByte(value, '&')
	return i < 0 || validReferences(value[i:])
}

func (m *mender) attributeValue(value []byte, quote byte) {
	for len(value) > 0 {
		switch c := value[0]; {
		case c == '<':
			m.out = append(m.out, "&lt;"...)
		case c == '"' && quote == 0:
			m.out = append(m.out, "&quot;"...)
		case c == '&':
			value = value[m.reference(value):]
			continue
		default:
			m.out = append(m.out, c)
		}
		value = value[1:]
	}
}
