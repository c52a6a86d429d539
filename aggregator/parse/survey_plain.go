package parse

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/mmcdole/gofeed/rss"
)

// plain is what an RSS item says in elements of the format's own that hold a text and no more: title, link, guid, author,
// category, comments. They are read here as gofeed reads them, and kept from it, which works many times as long on each.
type plain struct {
	rss.Item
	guid  rss.GUID
	links [1]string
	kept
}

// kept is what is kept from gofeed of an item.
type kept struct {
	// cuts are the elements.
	cuts []span
	// others says that the item has other elements, odd that one is written in a way that only gofeed reads: then it reads
	// them all.
	others, odd bool
}

// rssSpaces are the namespaces that gofeed takes for RSS's own.
var rssSpaces = [...]string{
	"http://purl.org/rss/1.0/", "http://channel.netscape.com/rdf/simple/0.9/", "http://my.netscape.com/rdf/simple/0.9/",
	"http://www.w3.org/1999/02/22-rdf-syntax-ns#", "",
}

// atomSpaces are those that it takes for Atom's.
var atomSpaces = [...]string{"http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#", ""}

// isOwn reports whether the namespace is the format's own for gofeed.
func (s *surveyor) isOwn(space string) bool {
	if space = strings.TrimSpace(space); s.atom {
		return slices.Contains(atomSpaces[:], space)
	}
	return slices.Contains(rssSpaces[:], space)
}

// mayBeOwn reports whether the element with a prefix may be of the format's own namespace.
func (s *surveyor) mayBeOwn(prefix []byte, t tag) bool {
	return s.isOwn(s.spaces[string(prefix)]) || s.ownPrefixes[string(prefix)] || s.family(prefix) == "" ||
		bytes.Contains(t.attrs, []byte("xmlns"))
}

// noteRoom notes whether items are where gofeed looks for them, and their elements of the vocabulary that it looks for.
func (s *surveyor) noteRoom(t tag, prefix, local []byte) {
	switch {
	case s.depth == 1:
		s.foreign = !s.isOwn(t.attr("xmlns"))
	case s.depth == 2 && !s.atom && strings.EqualFold(string(local), "channel"):
		// Of several channels gofeed keeps the last one.
		s.foreign = s.foreign || s.channel || !s.isOwn(t.attr("xmlns")) || len(prefix) > 0
		s.channel = true
	}
	if s.depth == 2 {
		s.inChannel = strings.EqualFold(string(local), "channel")
	}
}

// usual reports whether the item is one that gofeed lists.
func (s *surveyor) usual(m mark, t tag) bool {
	name := "item"
	if s.atom {
		name = "entry"
	}
	return !s.foreign && m.listed && s.isOwn(t.attr("xmlns")) && strings.EqualFold(string(t.name), name)
}

// openPlain decides whether the child of an item is read here.
func (s *surveyor) openPlain(c *child, prefix []byte, name string) {
	p, t := s.plain, c.tag
	switch name {
	case "title", "link", "guid", "author", "category", "comments":
		switch {
		case len(prefix) > 0:
			p.odd = p.odd || s.mayBeOwn(prefix, t)
		case c.want == wantMarkup, bytes.Contains(t.attrs, []byte("xmlns")), name == "link" && len(t.attrs) > 0:
			p.odd = true
		case name == "guid":
			var ok bool
			p.guid.IsPermalink, ok = permalink(t)
			p.odd = p.odd || !ok
			c.plain = name
		default:
			c.plain = name
		}
	}
	p.others = p.others || c.plain == "" && !c.cuts()
}

// permalink is the one attribute that RSS's guid has, as gofeed gives it. It is not ok where the guid has others.
func permalink(t tag) (value string, ok bool) {
	a, found := nextAttribute(t.attrs, 0)
	if !found {
		return "true", len(bytes.TrimSpace(t.attrs)) == 0
	}
	if name := string(a.name); name != "isPermaLink" && name != "isPermalink" || len(bytes.TrimSpace(t.attrs[a.end:])) > 0 {
		return "", false
	}
	if len(a.value) == 0 {
		return "true", true
	}
	return string(a.value), bytes.IndexByte(a.value, '&') < 0
}

// cuts reports whether the element is kept from gofeed because its text is read here.
func (c *child) cuts() bool {
	switch c.want {
	case wantPublished, wantUpdated, wantText, wantMarkup:
		return true
	}
	return false
}

// take notes the text of a plain element.
func (p *plain) take(c *child, raw []byte, whole span) {
	text := givenText(raw)
	switch c.plain {
	case "title":
		p.Title = text
	case "link":
		if p.Links == nil {
			p.Links = p.links[:0]
		}
		p.Links = append(p.Links, text)
	case "guid":
		p.guid.Value = text
		p.GUID = &p.guid
	case "author":
		p.Author = text
	case "category":
		p.Categories = append(p.Categories, &rss.Category{Value: text})
	case "comments":
		p.Comments = text
	}
	p.cuts = append(p.cuts, whole)
}

// giveTo puts what was kept from gofeed into what it made of the rest.
func (p *plain) giveTo(it *rss.Item) {
	it.Title, it.Author, it.Comments = cmp.Or(p.Title, it.Title), cmp.Or(p.Author, it.Author), cmp.Or(p.Comments, it.Comments)
	it.GUID = cmp.Or(p.GUID, it.GUID)
	it.Links, it.Categories = append(p.Links, it.Links...), append(p.Categories, it.Categories...)
}

// endPlain keeps from gofeed what was read of the item here.
func (s *surveyor) endPlain(f *facts) {
	p, e := s.plain, s.entry
	s.plain, s.entry = nil, nil
	switch {
	case p != nil && !p.odd:
		f.plain = p
		f.whole = s.keep(f, &p.kept)
	case e != nil && !e.odd:
		f.entry = e
		f.whole = s.keep(f, &e.kept)
	}
}

// keep makes the cuts, and reports whether the whole item is one.
func (s *surveyor) keep(f *facts, k *kept) (whole bool) {
	if k.others {
		s.cuts = append(s.cuts, k.cuts...)
		return false
	}
	s.cut(f.at)
	return true
}

// givenText is the text of an element as gofeed gives it.
func givenText(raw []byte) string {
	const open, shut = "<![CDATA[", "]]>"
	s := strings.TrimSpace(string(raw))
	if strings.IndexByte(s, '<') < 0 || !strings.Contains(s, open) {
		return decodeEntities(s)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, open)
		b.WriteString(decodeEntities(before))
		if !found {
			return b.String()
		}
		inside, after, _ := strings.Cut(rest, shut)
		b.WriteString(inside)
		s = after
	}
}

// whole counts the items that are kept from gofeed as wholes.
func (s *survey) whole() (n int) {
	for _, f := range s.items {
		if f.whole {
			n++
		}
	}
	return n
}

// complete puts the items that gofeed gives together with what was kept from it: whole is an item that was kept as one, add
// puts into another what of it was. It reports false where those are not the survey's.
func complete[T any](s *survey, given []*T, whole func(*facts) *T, add func(*facts, *T)) (items []*T, ok bool) {
	if len(given)+s.whole() != len(s.items) {
		return nil, false
	}
	items = make([]*T, len(s.items))
	for i, f := range s.items {
		if f.whole {
			items[i] = whole(f)
			continue
		}
		items[i], given = given[0], given[1:]
		add(f, items[i])
	}
	return items, true
}

// completeRSS reports false where the items that gofeed gives are not the survey's.
func (s *survey) completeRSS(feed *rss.Feed) bool {
	items, ok := complete(s, feed.Items, func(f *facts) *rss.Item { return &f.plain.Item }, func(f *facts, it *rss.Item) {
		if f.plain != nil {
			f.plain.giveTo(it)
		}
	})
	if ok {
		feed.Items = items
	}
	return ok
}
