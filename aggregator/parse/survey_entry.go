package parse

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"

	"github.com/mmcdole/gofeed/atom"
)

// plainEntry is what plain is, for Atom: title, id, links, authors and categories of an entry.
type plainEntry struct {
	atom.Entry
	kept
	// linked says that a content is elsewhere: where, is for gofeed to read, and to forget when another content follows.
	linked bool
}

// openEntry decides whether the child of an entry is read here.
func (s *surveyor) openEntry(c *child, prefix []byte, name string) {
	e, t := s.entry, c.tag
	switch name {
	case "title", "id", "link", "author", "category":
		switch {
		case len(prefix) > 0:
			e.odd = e.odd || s.mayBeOwn(prefix, t)
		case bytes.Contains(t.attrs, []byte("xmlns")), c.want == wantMarkup:
			e.odd = true
		default:
			c.plain = name
			e.odd = !e.takeAttributes(t, name) || e.odd
		}
	case "content":
		e.linked = e.linked || t.attr("src") != ""
	}
	e.others = e.others || e.linked || c.plain == "" && !c.cuts()
}

// takeAttributes notes what an element says in its attributes. It reports false where gofeed may see something else in them.
func (e *plainEntry) takeAttributes(t tag, name string) bool {
	var at map[string]string
	if name == "link" || name == "category" {
		at = make(map[string]string, 4)
	}
	for pos := 0; at != nil; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			break
		}
		pos = a.end
		prefix, local := split(a.name)
		switch string(local) {
		case "href", "hreflang", "type", "length", "title", "rel", "term", "label":
			if len(prefix) > 0 || bytes.Contains(a.value, []byte("&#")) || bytes.IndexByte(a.value, '\r') >= 0 {
				return false
			}
			at[string(local)] = decodeEntities(string(a.value))
		}
	}
	switch name {
	case "link":
		e.Links = append(e.Links, &atom.Link{
			Href: normalURL(at["href"]), Hreflang: at["hreflang"], Type: at["type"], Length: at["length"], Title: at["title"],
			Rel: cmp.Or(at["rel"], "alternate"),
		})
	case "category":
		e.Categories = append(e.Categories, &atom.Category{Term: at["term"], Label: at["label"]})
	}
	return true
}

// normalURL is a URL as gofeed gives it where no xml:base is known to it.
func normalURL(s string) string {
	if u, err := url.Parse(strings.TrimLeft(s, " ")); err == nil {
		return u.String()
	}
	return s
}

// take notes the text of a plain element.
func (e *plainEntry) take(c *child, raw []byte, whole span) {
	switch c.plain {
	case "title":
		e.Title = givenText(raw)
	case "author":
		person, ok := plainPerson(raw)
		e.Authors = append(e.Authors, person)
		e.odd = e.odd || !ok
	}
	e.cuts = append(e.cuts, whole)
}

// plainPerson reads an Atom person whose elements have no attributes and nothing but text in them.
func plainPerson(raw []byte) (person *atom.Person, ok bool) {
	person = &atom.Person{}
	for pos := 0; ; {
		t, more := nextTag(raw, pos)
		if !more {
			return person, true
		}
		pos = t.end
		text := ""
		if !t.empty {
			end, more := nextTag(raw, t.end)
			if !more || !end.closing {
				return person, false
			}
			text, pos = givenText(raw[t.end:end.start]), end.end
		}
		if t.closing || len(t.attrs) > 0 {
			return person, false
		}
		switch strings.ToLower(string(t.name)) {
		case "name":
			person.Name = text
		case "email":
			person.Email = text
		case "uri":
			person.URI = normalURL(text)
		default:
			return person, false
		}
	}
}

// giveTo puts what was kept from gofeed into what it made of the rest.
func (e *plainEntry) giveTo(entry *atom.Entry) {
	entry.Title = cmp.Or(e.Title, entry.Title)
	entry.Links, entry.Authors = append(e.Links, entry.Links...), append(e.Authors, entry.Authors...)
	entry.Categories = append(e.Categories, entry.Categories...)
}

// completeAtom is completeRSS for Atom.
func (s *survey) completeAtom(feed *atom.Feed) bool {
	entries, ok := complete(s, feed.Entries, func(f *facts) *atom.Entry { return &f.entry.Entry }, func(f *facts, e *atom.Entry) {
		if f.entry != nil {
			f.entry.giveTo(e)
		}
	})
	if ok {
		feed.Entries = entries
	}
	return ok
}
