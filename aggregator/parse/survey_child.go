package parse

import (
	"bytes"
	"net/url"
	"strings"
)

// construct is what the markup says of a text (RFC 4287 section 3.1; mode is Atom 0.3's).
type construct struct {
	kind, mode string
	lang       string
	base       *url.URL
	// raw is the element's content as the document has it, xhtml whether it is to be read as markup. Where gofeed read
	// the text, given is what it made of it.
	raw   []byte
	xhtml bool
	given string
}

// openText notes the type of a text and reads all but titles here: texts are most of a document's bytes, and gofeed reads
// them several times over. It is kept from knowing the types of titles, so that it resolves their entities and does
// nothing else.
func (s *surveyor) openText(f *facts, c *child, name, family string, base *url.URL) {
	t := c.tag
	if c.into = s.textIn(f, t, name, family); c.into == nil {
		return
	}
	kind := strings.ToLower(t.attr("type"))
	if c.into == &f.body {
		kind = "xhtml"
	}
	c.text = construct{kind: kind, mode: strings.ToLower(t.attr("mode")), lang: t.attr("xml:lang"), base: base}
	switch {
	case strings.Contains(kind, "xhtml") || kind != "" && c.text.mode == "xml" || isXML(kind):
		c.want = wantMarkup
	case c.into != &f.title:
		c.want = wantText
	case s.atom:
		f.title = c.text
		s.cutAttributes(t, "type", "mode")
	}
}

// textIn is where the text of an element goes; nil where it is none of the format's texts.
func (s *surveyor) textIn(f *facts, t tag, name, family string) *construct {
	switch name {
	case "title":
		if family == "" {
			return &f.title
		}
	case "summary", "subtitle", "tagline":
		if s.atom && family == "" {
			return &f.summary
		}
	case "description":
		if !s.atom && family == "" {
			return &f.summary
		}
	case "content":
		if family == "" || family == "atom" {
			return &f.content
		}
	case "encoded":
		if !s.atom {
			return &f.encoded
		}
	case "body":
		if family == "xhtml" || t.attr("xmlns") == "http://www.w3.org/1999/xhtml" {
			return &f.body
		}
	}
	return nil
}

// isXML tells the media types of XML (RFC 4287 section 4.1.3.3).
func isXML(kind string) bool {
	return strings.HasSuffix(kind, "/xml") || strings.HasSuffix(kind, "+xml")
}

func (s *surveyor) cutAttributes(t tag, names ...string) {
	for pos := 0; ; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			return
		}
		pos = a.end
		for _, n := range names {
			if string(a.name) == n {
				s.cuts = append(s.cuts, span{t.attrsAt + a.start, t.attrsAt + a.end})
			}
		}
	}
}

// datesItems tells the vocabularies whose dates are an item's own.
func datesItems(family string) bool {
	switch family {
	case "", "atom", "dc", "dcterms", "prism":
		return true
	}
	return false
}

// dateElement says what the date in an element of that name stands for and how much it is worth beside others.
func dateElement(name string) (want, int) {
	switch name {
	case "pubdate":
		return wantPublished, 9
	case "published":
		return wantPublished, 8
	case "issued", "publicationdate":
		return wantPublished, 7
	case "date":
		return wantPublished, 6
	case "created", "dateposted", "publication_date":
		return wantPublished, 5
	case "available":
		return wantPublished, 4
	case "updated":
		return wantUpdated, 9
	case "modified", "modificationdate":
		return wantUpdated, 8
	case "lastbuilddate", "lastmod", "lastmodified", "lastupdated":
		return wantUpdated, 7
	}
	return wantNothing, 0
}

// family is a short name for the vocabulary of a prefix: empty for the format's own.
func (s *surveyor) family(prefix []byte) string {
	if len(prefix) == 0 || string(prefix) == s.own {
		return ""
	}
	family, ok := s.families[string(prefix)]
	if !ok {
		family = familyOf(string(prefix), s.spaces[string(prefix)])
		s.families[string(prefix)] = family
	}
	return family
}

func familyOf(prefix, space string) string {
	space = strings.ToLower(space)
	prefix = strings.ToLower(prefix)
	for _, known := range [...]struct{ part, family string }{
		{"purl.org/dc/terms", "dcterms"}, {"purl.org/dc/elements", "dc"}, {"w3.org/2005/atom", "atom"},
		{"purl.org/atom", "atom"}, {"1999/xhtml", "xhtml"}, {"prismstandard.org", "prism"},
		{"purl.org/rss/1.0/modules", prefix}, {"purl.org/rss/1.0", ""}, {"netscape.com/rdf/simple", ""},
	} {
		if strings.Contains(space, known.part) {
			return known.family
		}
	}
	switch prefix {
	case "a10", "atom10", "atom03":
		return "atom"
	case "rss":
		return ""
	}
	return prefix
}

// settle puts the text where it goes, unless it is empty and there is one already.
func (c *child) settle() {
	if len(bytes.TrimSpace(c.text.raw)) > 0 || len(c.into.raw) == 0 {
		*c.into = c.text
	}
}

// personText is the text of an RSS author: RSS has no elements inside it, publishers that know Atom's put a name there.
func personText(raw []byte) string {
	var name, email string
	for pos := 0; ; {
		t, ok := nextTag(raw, pos)
		if !ok {
			break
		}
		pos = t.end
		end := bytes.IndexByte(raw[pos:], '<')
		if t.closing || t.empty || end < 0 {
			continue
		}
		switch text := elementText(raw[pos : pos+end]); string(t.name) {
		case "name":
			name = text
		case "email":
			email = text
		}
	}
	switch {
	case name != "" && email != "":
		return email + " (" + name + ")"
	case name != "" || email != "":
		return name + email
	}
	return elementText(raw)
}
