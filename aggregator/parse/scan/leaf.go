package scan

import (
	"bytes"
	"strings"
)

// extent says where a leaf's content ends and where to read on behind it.
type extent struct {
	end, next int
	balanced  bool // the markup inside is well-formed, as far as tags go
	closed    bool // by its own end tag
	ragged    bool // that end tag is misspelt
	cut       bool // the document ended inside of it
}

// leaf writes an element that is no container, or one that is in order.
func (m *mender) leaf(t *tag, x extent) {
	if t.empty {
		m.writeTag(t)
		m.pos = t.end
		return
	}
	if x.ragged {
		m.notes.add("end tags mended")
	}
	if x.cut {
		m.cutLeaf = true
		m.pos = len(m.in)
		return
	}
	if !x.closed {
		m.notes.add("missing </" + string(t.name) + "> added")
	}
	xhtml := !x.balanced && m.kind == Atom && bytes.Contains(bytes.ToLower(t.attribute("type")), []byte("xhtml"))
	m.writeTag(t)
	switch {
	case x.balanced:
		m.content(t.end, x.end, false)
	case xhtml:
		m.notes.add("markup that is not well-formed balanced")
		m.balance(t.end, x.end)
	default:
		if bytes.IndexByte(m.in[t.end:x.end], '<') >= 0 {
			m.notes.add("markup that is not well-formed escaped")
		}
		m.content(t.end, x.end, true)
	}
	m.writeEnd(t.name)
	m.pos = x.next
}

// endSearch is the state of looking for a leaf's end.
type endSearch struct {
	m                 *mender
	leaf              []byte
	balanced          bool
	sibling, boundary int  // the first tag that may be, and that is, outside of the leaf; -1 where there was none
	stray             Span // the last end tag that closes nothing
}

// findEnd looks for the end of the leaf whose content begins at in[from]. This is its own end tag, unless the end of
// what the leaf is in comes before. Then it ends where a feed element begins.
func (m *mender) findEnd(from int, leaf []byte) extent {
	s := endSearch{m: m, leaf: leaf, balanced: true, sibling: -1, boundary: -1}
	m.inline = m.inline[:0]
	i := from
	for {
		if m.budget < i-from && s.sibling >= 0 {
			return s.unclosed(i)
		}
		n := bytes.IndexByte(m.in[i:], '<')
		if n < 0 {
			x := s.unclosed(len(m.in))
			x.cut = s.sibling < 0 && s.boundary < 0
			return x
		}
		i += n
		rest := m.in[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("</")):
			name, end, ok := readEndTag(m.in, i)
			if !ok {
				i += 2
				continue
			}
			if x, found := s.endTag(name, i, end); found {
				return x
			}
			i = end
		case bytes.HasPrefix(rest, []byte("<!--")):
			if end := m.comments.next(i + 4); end < len(m.in) {
				i = end + 3
			} else {
				i += 4
			}
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			if i = s.section(i); i < 0 {
				x := s.unclosed(len(m.in))
				x.cut = true
				return x
			}
		case bytes.HasPrefix(rest, []byte("<!")), bytes.HasPrefix(rest, []byte("<?")):
			i += 2
		default:
			i = s.startTag(i)
		}
		if s.boundary >= 0 && !s.balanced {
			return s.unclosed(i)
		}
	}
}

func (s *endSearch) endTag(name []byte, at, end int) (x extent, found bool) {
	m := s.m
	if n := len(m.inline); n > 0 && bytes.EqualFold(m.inline[n-1], name) {
		m.inline = m.inline[:n-1]
		return extent{}, false
	}
	if bytes.EqualFold(name, s.leaf) {
		if s.boundary >= 0 && len(m.inline) > 0 {
			return s.unclosed(at), true
		}
		ragged := !bytes.Equal(name, s.leaf) || m.in[end-1] != '>'
		return extent{end: at, next: end, balanced: s.balanced && len(m.inline) == 0, closed: true, ragged: ragged}, true
	}
	if m.find(name) >= 0 {
		return s.unclosed(at), true
	}
	s.balanced = false
	s.stray = Span{at, end}
	return extent{}, false
}

func (s *endSearch) startTag(i int) int {
	m := s.m
	t, ok := m.readInline(m.in, i)
	if !ok {
		return i + 1
	}
	key := m.key(t.name)
	if s.boundary < 0 && (key == "item" || key == "entry") {
		s.boundary = i
	}
	if s.sibling < 0 && isFeedName(t.name) {
		s.sibling = i
	}
	if !t.empty {
		if len(m.inline)+len(m.open) < m.limits.Depth-8 {
			m.inline = append(m.inline, t.name)
		} else {
			s.balanced = false
		}
	}
	return t.end
}

// section passes over the CDATA section at i. It is -1 where the document ends in it. A section whose end seems to
// lie in another one lacks its own, and then ends where the leaf does.
func (s *endSearch) section(i int) int {
	m := s.m
	end := m.sections.next(i + 9)
	if end < len(m.in) && !bytes.Contains(m.in[i+9:end], []byte("<![CDATA[")) {
		return end + 3
	}
	if m.budget > 0 && len(m.inline) == 0 {
		at := m.endInSection(i+9, end, s.leaf)
		m.budget -= end - i
		if at >= 0 {
			return at
		}
	}
	if end == len(m.in) {
		return -1
	}
	return end + 3
}

// endInSection finds an end tag of the leaf with what follows a leaf behind it, -1 where there is none.
func (m *mender) endInSection(from, to int, leaf []byte) int {
	for i := from; i < to; {
		n := bytes.Index(m.in[i:to], []byte("</"))
		if n < 0 {
			return -1
		}
		i += n
		name, end, ok := readEndTag(m.in, i)
		if !ok || !bytes.EqualFold(name, leaf) {
			i += 2
			continue
		}
		rest := bytes.TrimLeft(m.in[end:min(end+4096, len(m.in))], whiteSpace)
		if bytes.HasPrefix(rest, []byte("</")) {
			if name, _, ok := readEndTag(rest, 0); ok && m.find(name) >= 0 {
				return i
			}
		} else if bytes.HasPrefix(rest, []byte("<")) {
			if t, ok := readTag(rest, 0, nil); ok && isFeedName(t.name) {
				return i
			}
		}
		i = end
	}
	return -1
}

// unclosed is the extent of a leaf without its own end tag, where at is outside of it.
func (s *endSearch) unclosed(at int) extent {
	end := at
	for _, other := range []int{s.boundary, s.sibling} {
		if other >= 0 && other < end {
			end = other
		}
	}
	s.m.budget -= at - end
	x := extent{end: end, next: end}
	if s.stray.End > 0 && s.stray.End <= end && onlySpace(s.m.in[s.stray.End:end]) {
		x.end = s.stray.Start // a misspelt end tag
	}
	return x
}

// readInline is readTag for tags inside of a leaf, whose own attributes are still to be written.
func (m *mender) readInline(in []byte, at int) (tag, bool) {
	t, ok := readTag(in, at, m.inlineAttributes)
	m.inlineAttributes = t.attributes
	return t, ok
}

// content writes in[from:end], the content of a leaf, with its tags as tags or, if escape is set, as text.
func (m *mender) content(from, end int, escape bool) {
	in := m.in[:end]
	m.inline = m.inline[:0]
	for i := from; i < end && !m.full(); {
		n := bytes.IndexByte(in[i:], '<')
		if n < 0 {
			m.text(in[i:])
			return
		}
		m.text(in[i : i+n])
		i += n
		rest := in[i:]
		if bytes.HasPrefix(rest, []byte("<!")) || bytes.HasPrefix(rest, []byte("<?")) {
			i = m.special(i, end, escape)
			continue
		}
		if bytes.HasPrefix(rest, []byte("</")) {
			if name, next, ok := readEndTag(m.in, i); ok && next <= end {
				m.inlineEnd(name, in[i:next], escape)
				i = next
				continue
			}
		} else if t, ok := m.readInline(m.in, i); ok && t.end <= end {
			m.inlineStart(&t, escape)
			i = t.end
			continue
		}
		m.stray()
		i++
	}
}

func (m *mender) inlineStart(t *tag, escape bool) {
	if escape {
		m.escaped(m.in[t.start:t.end])
		return
	}
	if !t.empty {
		m.inline = append(m.inline, t.name)
	}
	m.writeTag(t)
}

func (m *mender) inlineEnd(name, raw []byte, escape bool) {
	if n := len(m.inline); !escape && n > 0 {
		m.writeEnd(m.inline[n-1])
		if !bytes.Equal(name, m.inline[n-1]) || raw[len(raw)-1] != '>' {
			m.notes.add("end tags mended")
		}
		m.inline = m.inline[:n-1]
		return
	}
	m.escaped(raw)
}

// balance writes in[from:end] as well-formed XHTML: elements of HTML that have no end are made empty, what is not
// closed is closed, and end tags without a start are left out.
func (m *mender) balance(from, end int) {
	in := m.in[:end]
	m.inline = m.inline[:0]
	for i := from; i < end && !m.full(); {
		n := bytes.IndexByte(in[i:], '<')
		if n < 0 {
			m.text(in[i:])
			break
		}
		m.text(in[i : i+n])
		i += n
		rest := in[i:]
		if bytes.HasPrefix(rest, []byte("<!")) || bytes.HasPrefix(rest, []byte("<?")) {
			i = m.special(i, end, false)
			continue
		}
		if bytes.HasPrefix(rest, []byte("</")) {
			if name, next, ok := readEndTag(m.in, i); ok && next <= end {
				m.balanceEnd(name)
				i = next
				continue
			}
		} else if t, ok := m.readInline(m.in, i); ok && t.end <= end && len(m.inline)+len(m.open) < m.limits.Depth-8 {
			if voidElements[strings.ToLower(string(t.name))] && !t.empty {
				t.empty, t.mended = true, true
			}
			m.inlineStart(&t, false)
			i = t.end
			continue
		}
		m.stray()
		i++
	}
	for i := len(m.inline) - 1; i >= 0; i-- {
		m.writeEnd(m.inline[i])
	}
}

func (m *mender) balanceEnd(name []byte) {
	for at := len(m.inline) - 1; at >= 0; at-- {
		if !bytes.EqualFold(m.inline[at], name) {
			continue
		}
		for i := len(m.inline) - 1; i >= at; i-- {
			m.writeEnd(m.inline[i])
		}
		m.inline = m.inline[:at]
		return
	}
}
