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

// isOwn reports whether elements without a prefix are RSS's own inside the tag.
func isOwn(t tag) bool { return slices.Contains(rssSpaces[:], t.attr("xmlns")) }

// noteRoom notes whether items are where gofeed looks for them, and their elements of the vocabulary that it looks for.
func (s *surveyor) noteRoom(t tag, prefix, local []byte) {
	switch {
	case s.depth == 1:
		s.foreign = !isOwn(t)
	case s.depth == 2 && strings.EqualFold(string(local), "channel"):
		// Of several channels gofeed keeps the last one.
		s.foreign = s.foreign || s.channel || !isOwn(t) || len(prefix) > 0
		s.channel = true
	}
	if s.depth == 2 {
		s.inChannel = strings.EqualFold(string(local), "channel")
	}
}

// usual reports whether the item is one that gofeed lists.
func (s *surveyor) usual(m mark, t tag) bool {
	return !s.atom && !s.foreign && m.listed && isOwn(t) && strings.EqualFold(string(t.name), "item")
}

// openPlain decides whether the child of an item is read here.
func (s *surveyor) openPlain(c *child, prefix []byte, name string) {
	p, t := s.plain, c.tag
	switch name {
	case "title", "link", "guid", "author", "category", "comments":
		switch {
		case len(prefix) > 0:
			// A prefix may stand for RSS's own namespace.
			p.odd = p.odd || slices.Contains(rssSpaces[:], strings.TrimSpace(s.spaces[string(prefix)])) ||
				s.family(prefix) == "" || bytes.Contains(t.attrs, []byte("xmlns"))
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
	p := s.plain
	s.plain = nil
	switch {
	case p == nil || p.odd:
		return
	case p.others:
		s.cuts = append(s.cuts, p.cuts...)
	default:
		s.cut(f.at)
		f.whole = true
	}
	f.plain = p
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

// complete puts the items that gofeed gives together with what was kept from it. It reports false where those are not the
// survey's.
func (s *survey) complete(feed *rss.Feed) bool {
	whole := 0
	for _, f := range s.items {
		if f.whole {
			whole++
		}
	}
	if len(feed.Items)+whole != len(s.items) {
		return false
	}
	items, rest := make([]*rss.Item, len(s.items)), feed.Items
	for i, f := range s.items {
		switch {
		case f.whole:
			items[i] = &f.plain.Item
			continue
		case f.plain != nil:
			f.plain.giveTo(rest[0])
		}
		items[i], rest = rest[0], rest[1:]
	}
	feed.Items = items
	return true
}
