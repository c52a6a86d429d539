package scan

import (
	"bytes"
	"strings"
)

// mender writes a document anew so that it is well-formed. It works on two levels. Among the containers (channel,
// item, ...) it knows the structure and closes, opens and drops tags by it. Any other element is a leaf: its end is
// looked for first, with what ends it if its own end tag does not, and its content is copied if it is well-formed and
// escaped as text if it is not, which is how the same content is written where publishers do it right.
type mender struct {
	in, out  []byte
	pos      int
	limits   *Limits
	notes    *notes
	kind     Kind
	entities map[string]string // declared in the document type

	open       []element
	attributes []attribute // of a container or leaf
	inline     [][]byte
	// inlineAttributes are those of a tag inside of a leaf.
	inlineAttributes []attribute
	rootPrefix       string

	// budget is how many bytes may still be looked at more than once.
	budget                                int
	comments, sections, instructs, angles finder

	done, truncated, cutLeaf bool
	closedItems, leftOut     int
	impliedItems, channels   int
	limit                    *LimitError
}

// element is an open container, out[start] the '<' of its start tag.
type element struct {
	name  []byte
	key   string
	start int
}

func newMender(in []byte, kind Kind, entities map[string]string, limits *Limits, notes *notes) *mender {
	return &mender{
		in: in, kind: kind, entities: entities, limits: limits, notes: notes,
		out:      make([]byte, 0, len(in)+len(in)/16+256),
		budget:   4*len(in) + 1<<16,
		comments: finder{in: in, what: "-->"}, sections: finder{in: in, what: "]]>"},
		instructs: finder{in: in, what: "?>"}, angles: finder{in: in, what: ">"},
	}
}

// finder finds the next occurrence of something; asking for one that is not there again and again costs one search.
type finder struct {
	in   []byte
	what string
	at   int // the occurrence that was found last, len(in) for none
	from int // where that search began
}

// next is where the next occurrence at or behind i is, or len(in).
func (f *finder) next(i int) int {
	if i >= len(f.in) {
		return len(f.in)
	}
	if f.from <= i && i <= f.at && f.at > 0 {
		return f.at
	}
	f.from = i
	if n := bytes.Index(f.in[i:], []byte(f.what)); n >= 0 {
		f.at = i + n
	} else {
		f.at = len(f.in)
	}
	return f.at
}

// run mends the whole document, whose root begins at in[0].
func (m *mender) run() {
	m.root()
	for !m.done && m.pos < len(m.in) && m.limit == nil {
		n := bytes.IndexByte(m.in[m.pos:], '<')
		if n < 0 {
			m.pos = len(m.in)
			break
		}
		m.text(m.in[m.pos : m.pos+n])
		m.pos += n
		m.markup()
		if m.full(); len(m.open) > m.limits.Depth {
			m.limit = &LimitError{"elements inside each other", m.limits.Depth}
		}
	}
	m.finish()
}

// full reports whether so much was written that the document consists of defects: mending adds a few bytes for each.
func (m *mender) full() bool {
	most := len(m.in) + len(m.in)/2 + 1<<20
	if len(m.out) > most && m.limit == nil {
		m.limit = &LimitError{"bytes in the mended document", most}
	}
	return m.limit != nil
}

// root reads the root's start tag, or stands in for one that cannot be read.
func (m *mender) root() {
	t, ok := readTag(m.in, 0, m.attributes)
	if !ok {
		m.notes.add("the root's tag replaced")
		stand := "<rss version=\"2.0\">"
		switch m.kind {
		case Atom:
			stand = "<feed xmlns=\"" + atom10Space + "\">"
		case RDF:
			stand = "<rdf:RDF xmlns:rdf=\"" + rdfSpace + "\" xmlns=\"" + rss10Space + "\">"
		}
		t, _ = readTag([]byte(stand), 0, nil)
		m.pos = min(m.angles.next(0)+1, len(m.in))
		m.rootPrefix = strings.ToLower(string(prefixOf(t.name)))
		m.open = append(m.open, element{t.name, m.key(t.name), 0})
		m.out = append(m.out, stand...)
		return
	}
	m.pos = t.end
	m.rootPrefix = strings.ToLower(string(prefixOf(t.name)))
	key := m.key(t.name)
	m.writeTag(&t)
	if t.empty {
		m.done = true
		return
	}
	m.open = append(m.open, element{t.name, key, 0})
}

// key is what an element is called in the tables.
func (m *mender) key(name []byte) string {
	lower := strings.ToLower(string(name))
	if prefix, local, found := strings.Cut(lower, ":"); found &&
		(prefix == m.rootPrefix || prefix == "rss" || prefix == "atom" && m.kind == Atom) {
		return local
	}
	return lower
}

func (m *mender) top() string { return m.open[len(m.open)-1].key }

// markup mends what begins at in[pos], a '<' among containers.
func (m *mender) markup() {
	rest := m.in[m.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("</")):
		m.endTag()
	case bytes.HasPrefix(rest, []byte("<!")), bytes.HasPrefix(rest, []byte("<?")):
		m.pos = m.special(m.pos, len(m.in), false)
	default:
		t, ok := readTag(m.in, m.pos, m.attributes)
		m.attributes = t.attributes
		switch {
		case ok:
			m.startTag(&t)
		case isName(t.name) && bytes.IndexByte(rest[1:], '<') < 0 && bytes.IndexByte(rest, '>') < 0:
			m.pos = len(m.in) // the document ends inside this tag
		default:
			m.stray()
			m.pos++
		}
	}
}

func (m *mender) stray() {
	m.notes.add("stray '<' escaped")
	m.out = append(m.out, "&lt;"...)
}

// startTag mends a start tag among containers.
func (m *mender) startTag(t *tag) {
	key := m.key(t.name)
	if !m.makeRoom(key, t) {
		m.pos = t.end
		return
	}
	if !frames[key] || t.empty {
		var x extent
		if !t.empty {
			x = m.findEnd(t.end, t.name)
		}
		if !containers[key] || t.empty || x.balanced && x.closed {
			m.leaf(t, x)
			return
		}
		m.budget -= x.next - t.end
	}
	m.open = append(m.open, element{t.name, key, len(m.out)})
	m.writeTag(t)
	m.pos = t.end
}

// makeRoom closes what cannot hold the element. It is false for a tag that is left out.
func (m *mender) makeRoom(key string, t *tag) bool {
	switch key {
	case "rss", "rdf", "feed":
		if m.kind == CDF || m.kind == Sitemap {
			return true
		}
		m.notes.add("a second document inside of the first: its root left out")
		m.closeTo(m.lowest("item", "entry"), true)
		return false
	case "channel":
		if m.kind == CDF {
			return true
		}
		if m.channels++; m.channels > 1 || m.kind == Atom {
			m.notes.add("a second channel read as part of the first")
			m.closeTo(m.lowest("item", "entry"), true)
			return false
		}
		return true
	case "item", "entry", "url":
		if key == "url" && m.kind != Sitemap {
			break
		}
		at := len(m.open)
		for at > 1 && m.open[at-1].key != "channel" && m.open[at-1].key != "urlset" && m.open[at-1].key != m.open[0].key {
			at--
		}
		m.closeTo(at, true)
		return true
	}
	for len(m.open) > 1 {
		allowed, known := inside[m.top()]
		if !known || allowed[key] || !isFeedName(t.name) || strings.Contains(key, ":") {
			break
		}
		m.closeTo(len(m.open)-1, true)
	}
	return true
}

// lowest is the place of the first open element with one of the keys, len(open) where there is none.
func (m *mender) lowest(keys ...string) int {
	for i, e := range m.open {
		for _, k := range keys {
			if e.key == k {
				return i
			}
		}
	}
	return len(m.open)
}

// closeTo writes the end tags of the open elements from the innermost down to open[at].
func (m *mender) closeTo(at int, implied bool) {
	for len(m.open) > at {
		e := m.open[len(m.open)-1]
		m.open = m.open[:len(m.open)-1]
		m.writeEnd(e.name)
		if e.key == "item" || e.key == "entry" {
			m.closedItems++
			if implied {
				m.impliedItems++
			}
		}
		if implied {
			m.notes.add("missing </" + string(e.name) + "> added")
		}
	}
}

func (m *mender) writeEnd(name []byte) {
	m.out = append(m.out, "</"...)
	m.out = append(m.out, name...)
	m.out = append(m.out, '>')
}

// endTag mends an end tag among containers.
func (m *mender) endTag() {
	name, end, ok := readEndTag(m.in, m.pos)
	if !ok {
		if len(name) > 0 && bytes.IndexByte(m.in[m.pos+1:], '<') < 0 {
			m.pos = len(m.in) // the document ends inside this tag
			return
		}
		m.stray()
		m.pos++
		return
	}
	at := m.find(name)
	if at < 0 || at == 0 && itemFollows(m.in[end:]) {
		m.notes.add("end tags without a start left out")
		m.pos = end
		return
	}
	m.closeTo(at+1, true)
	if !bytes.Equal(m.open[at].name, name) || m.in[end-1] != '>' {
		m.notes.add("end tags mended")
	}
	m.closeTo(at, false)
	m.pos = end
	m.done = at == 0
}

// find is the place of the innermost open container that the end tag closes, -1 where there is none. A wrong prefix
// or case is forgiven.
func (m *mender) find(name []byte) int {
	key := m.key(name)
	for i := len(m.open) - 1; i >= 0; i-- {
		if m.open[i].key == key {
			return i
		}
	}
	return -1
}

// itemFollows reports whether the text begins with an item, so that an end tag of the root before it is not the end.
func itemFollows(text []byte) bool {
	text = bytes.TrimLeft(text, whiteSpace)
	if len(text) == 0 || text[0] != '<' {
		return false
	}
	t, ok := readTag(text, 0, nil)
	return ok && isItemName(localOf(t.name))
}

// finish ends a document that lacks its end. An item that was cut off is left out, since it would be stored as if
// this was all of it; only in a feed that does not close its items the last one may be whole.
func (m *mender) finish() {
	if len(m.open) == 0 {
		return
	}
	if at := m.lowest("item", "entry", "url"); at < len(m.open) && (m.cutLeaf || m.impliedItems == 0 || m.impliedItems < m.closedItems) {
		m.out = m.out[:m.open[at].start]
		m.open = m.open[:at]
		m.leftOut++
		m.truncated = true
		m.notes.add("cut off: the last item was incomplete and left out")
	}
	if len(m.open) > 1 || m.open[0].key == "feed" || m.cutLeaf {
		m.truncated = true
		m.notes.add("cut off: the end of the document is missing")
	} else {
		m.notes.add("missing </" + string(m.open[0].name) + "> added")
	}
	for i := len(m.open) - 1; i >= 0; i-- {
		m.writeEnd(m.open[i].name)
	}
	m.open = nil
}
