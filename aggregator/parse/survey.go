package parse

import (
	"bytes"
	"io"
	"net/url"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// survey is what gofeed loses or spoils, read from the same bytes: what items inherit (xml:base, xml:lang), ids
// before they are taken for links, dates as they are written, the types of Atom's texts. It also says which bytes to
// keep from gofeed, so that it does not join xml:base in its own way, parse what is read here, or try a hundred date
// layouts in vain.
type survey struct {
	root facts // the document element and the channel
	// items are those to be read, in the order in which gofeed lists them.
	items []*facts
	// cuts are sorted; those inside another come after it.
	cuts []span
	// inherited is the part of the head that gives items their meaning: a change in it changes them all.
	inherited []byte
	// dates are those that the document has, for the date reader to learn from.
	dates []string
}

func (s *survey) noteDates(items []*facts) {
	note := func(f *facts) {
		for _, d := range [...]string{f.published.text, f.updated.text} {
			if d != "" {
				s.dates = append(s.dates, d)
			}
		}
	}
	note(&s.root)
	for _, f := range items {
		if f != nil {
			note(f)
		}
	}
}

type span struct{ start, end int }

// facts are those of an item, or of the head of the document.
type facts struct {
	// at is where the item is, hash what it is known by.
	at   span
	hash aggregator.Hash
	// lang and base are in scope for the element; base is nil where no xml:base is declared.
	lang string
	base *url.URL
	// about is the element's rdf:about, id the text of its Atom id.
	about, id string
	// published and updated are dates as they are written, the best kind of element first.
	published, updated writtenDate
	authors            []string
	title, summary     construct
	content            construct
	// encoded is content:encoded, body an XHTML body, both in RSS.
	encoded, body construct
	// linkBase is the base of a link that declares its own.
	linkBase *url.URL
	// plain is what was kept from gofeed of an RSS item's own elements, entry that of an Atom entry's, nil where it reads
	// them; whole says that it is kept from the whole item.
	plain *plain
	entry *plainEntry
	whole bool
	// replies is how many comments an Atom link says there are (RFC 4685 section 4), the greatest number.
	replies int
}

// writtenDate is a date as the publisher wrote it. A greater rank is a better word on the matter; other is the next
// best, for when the best cannot be read.
type writtenDate struct {
	text, other string
	rank        int
}

func (d *writtenDate) offer(text string, rank int) {
	switch {
	case text == "":
	case rank > d.rank:
		*d = writtenDate{text, d.text, rank}
	case d.other == "":
		d.other = text
	}
}

// plainDates reports whether all dates of the item can be read without a look at others.
func (f *facts) plainDates() bool {
	for _, d := range [...]string{f.published.text, f.published.other, f.updated.text, f.updated.other} {
		if d = strings.TrimSpace(d); d != "" {
			if _, ok := readCommon(d); !ok {
				return false
			}
		}
	}
	return true
}

// surveyor walks the head of a document, and then each item that is asked for.
type surveyor struct {
	survey
	data []byte
	atom bool
	page *url.URL
	// spans are the items that are not reached yet, marks those that are.
	spans []span
	marks []mark
	// own is the prefix that the format's elements have, spaces the prefixes that the document declares.
	own      string
	spaces   map[string]string
	families map[string]string
	// ownPrefixes stand for the format's own namespace somewhere.
	ownPrefixes map[string]bool

	depth, itemDepth, headDepth int
	// headStart is where an element of the head begins that items inherit, 0 outside of one.
	headStart int
	item      *facts
	child     child
	// plain or entry is that of an item that is read, where gofeed need not read it all. foreign says that no item is such a one,
	// channel that there was a channel, inChannel that the place is in it.
	plain                       *plain
	entry                       *plainEntry
	foreign, channel, inChannel bool
}

// mark is an item, and how deep it is in the document; listed says that it is where gofeed looks for RSS items.
type mark struct {
	at     span
	depth  int
	listed bool
}

// child is an element of an item or the head whose text is wanted and whose end is still to come.
type child struct {
	want  want
	tag   tag
	depth int
	// text is what is known of a text, into where it goes.
	text construct
	into *construct
	rank int
	// plain is the name of an element that is one of plain's.
	plain string
}

// want is what the text of a child element is read for.
type want int

const (
	wantNothing want = iota
	wantID
	wantPublished
	wantUpdated
	wantAuthor
	wantText
	wantMarkup
)

func (s *surveyor) inherit(f *facts, t tag, base *url.URL, from *facts) {
	f.lang, f.base = from.lang, from.base
	if len(t.attrs) == 0 {
		return
	}
	if lang := t.attr("xml:lang"); lang != "" {
		f.lang = lang
	}
	if base != nil {
		f.base = base
	}
	for pos := 0; ; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			return
		}
		if _, local := split(a.name); string(local) == "about" {
			f.about = strings.TrimSpace(decodeEntities(string(a.value)))
		}
		pos = a.end
	}
}

// takeBase is the base that the tag declares, resolved against the one in scope around it, and keeps the attribute
// from gofeed.
func (s *surveyor) takeBase(t tag) *url.URL {
	if len(t.attrs) < len("xml:base") || !bytes.Contains(t.attrs, []byte("xml:base")) {
		return nil
	}
	for pos := 0; ; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			return nil
		}
		pos = a.end
		if string(a.name) != "xml:base" {
			continue
		}
		s.cuts = append(s.cuts, span{t.attrsAt + a.start, t.attrsAt + a.end})
		around := s.page
		switch {
		case s.item != nil && s.item.base != nil:
			around = s.item.base
		case s.root.base != nil:
			around = s.root.base
		}
		return resolveURL(around, decodeEntities(string(a.value)))
	}
}

func (s *surveyor) declare(t tag) {
	for pos := 0; ; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			return
		}
		if prefix, local := split(a.name); string(prefix) == "xmlns" {
			if space := string(a.value); s.spaces[string(local)] != space {
				s.spaces[string(local)] = space
				delete(s.families, string(local))
				if s.isOwn(space) {
					if s.ownPrefixes == nil {
						s.ownPrefixes = map[string]bool{}
					}
					s.ownPrefixes[string(local)] = true
				}
			}
		}
		pos = a.end
	}
}

// openChild decides what is wanted of a child of f.
func (s *surveyor) openChild(f *facts, t tag, base *url.URL) {
	prefix, local := split(t.name)
	name := strings.ToLower(string(local))
	c := child{tag: t, depth: s.depth}
	switch name {
	case "id":
		if s.family(prefix) == "" || s.family(prefix) == "atom" {
			c.want = wantID
		}
	case "title", "summary", "subtitle", "tagline", "content", "description", "body", "encoded":
		s.openText(f, &c, name, s.family(prefix), base)
	case "author":
		if !s.atom && s.family(prefix) == "" {
			c.want = wantAuthor
		}
	case "link":
		if base != nil {
			f.linkBase = base
		}
		if s.atom && bytes.Contains(t.attrs, []byte("replies")) {
			f.replies = max(f.replies, replies(t))
		}
	default:
		if c.want, c.rank = dateElement(name); c.want != wantNothing && !datesItems(s.family(prefix)) {
			c.want = wantNothing
		}
	}
	switch {
	case s.plain != nil:
		s.openPlain(&c, prefix, name)
	case s.entry != nil:
		s.openEntry(&c, prefix, name)
	}
	if c.want != wantNothing || c.plain != "" {
		s.child = c
	}
}

// leave ends what began at the present depth.
func (s *surveyor) leave(end tag) {
	if s.item == nil && s.depth == s.headDepth && s.headStart > 0 {
		s.inherited = append(s.inherited, s.data[s.headStart:end.start]...)
		s.headStart = 0
	}
	if s.child.depth == s.depth && s.depth > 0 {
		s.closeChild(end)
		s.child = child{}
	}
}

func (s *surveyor) closeChild(end tag) {
	c := s.child
	inner := span{c.tag.end, max(end.start, c.tag.end)}
	raw := s.data[inner.start:inner.end]
	whole := inner
	f := s.item
	if f == nil {
		f = &s.root
	} else if c.into != &f.title && (!s.atom || c.into != &f.content || s.entry != nil && !s.entry.linked) {
		whole = span{c.tag.start, max(end.end, c.tag.end)}
	}
	switch {
	case c.plain == "":
	case s.entry != nil:
		s.entry.take(&c, raw, whole)
	default:
		s.plain.take(&c, raw, whole)
	}
	switch c.want {
	case wantID:
		if f.id == "" {
			f.id = elementText(raw)
		}
	case wantPublished:
		f.published.offer(elementText(raw), c.rank)
		s.cut(whole)
	case wantUpdated:
		f.updated.offer(elementText(raw), c.rank)
		s.cut(whole)
	case wantAuthor:
		f.authors = append(f.authors, personText(raw))
	case wantText:
		c.text.raw = raw
		c.settle()
		s.cut(whole)
	case wantMarkup:
		c.text.raw, c.text.xhtml = raw, true
		c.settle()
		s.cut(whole)
	}
}

// cut keeps the bytes from gofeed. Cuts inside it are part of it.
func (s *surveyor) cut(c span) {
	for n := len(s.cuts); n > 0 && s.cuts[n-1].start >= c.start; n = len(s.cuts) {
		s.cuts = s.cuts[:n-1]
	}
	if c.start < c.end {
		s.cuts = append(s.cuts, c)
	}
}

// remainder reads the data less the cuts, which are sorted.
type remainder struct {
	data []byte
	cuts []span
	pos  int
}

func (r *remainder) Read(p []byte) (n int, err error) {
	for n < len(p) {
		for len(r.cuts) > 0 && r.cuts[0].start < r.pos { // inside the last one
			r.cuts = r.cuts[1:]
		}
		end := len(r.data)
		if len(r.cuts) > 0 {
			end = r.cuts[0].start
		}
		if m := copy(p[n:], r.data[r.pos:end]); m > 0 {
			n, r.pos = n+m, r.pos+m
			continue
		}
		if len(r.cuts) == 0 {
			break
		}
		r.pos, r.cuts = r.cuts[0].end, r.cuts[1:]
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
