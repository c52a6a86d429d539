package parse

import (
	"slices"
	"strings"

	"github.com/mmcdole/gofeed/atom"
	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/topicwire/topicwire/aggregator"
)

// fromAtom is the document that gofeed read as Atom of either version.
func fromAtom(feed *atom.Feed, s *survey, b *builder) {
	b.scope.declared = s.root.base
	link := alternate(linksOf(feed.Links), b.scope.within(s.root.linkBase))
	if link != "" {
		b.scope.home = resolveURL(nil, link)
	}
	b.doc.Title = s.root.title.plain(feed.Title)
	b.doc.Link = link
	b.doc.Language = language(firstOf(s.root.lang, value(feed.Extensions["dc"], "language")))
	b.doc.Description = b.scope.within(s.root.summary.base).html(s.root.summary.html(), link)
	b.doc.ID = firstOf(s.root.id, feed.ID)
	b.offers(linksOf(feed.Links))
	b.doc.Rights = plainTitle(firstOf(feed.Rights, value(feed.Extensions["dc"], "rights")))
	b.doc.Hints = Hints{UpdatePeriod: updatePeriod(feed.Extensions["sy"]), UpdateBase: updateBase(feed.Extensions["sy"])}
	b.dates = newDateReader(b.seen, b.doc.Language, b.scope.page, s.dates)
	b.doc.Items = slices.Grow(b.doc.Items, len(feed.Entries))
	for i, entry := range feed.Entries {
		b.add(atomItem(entry, s.items[i], feed, b), s.items[i])
	}
}

func atomItem(in *atom.Entry, f *facts, feed *atom.Feed, b *builder) aggregator.Item {
	where := b.scope.within(f.base)
	var it aggregator.Item
	it.GUID = firstOf(f.id, strings.TrimSpace(in.ID))
	it.URL = atomItemLink(in, f, where, it.GUID)

	files := files{scope: where.within(f.linkBase)}
	for _, l := range in.Links {
		if strings.EqualFold(l.Rel, "enclosure") {
			files.add(l.Href, l.Type, l.Length, "")
		}
	}
	if in.Content != nil && in.Content.Src != "" && isFile(f.content.kind) {
		files.add(in.Content.Src, f.content.kind, "", "")
	}
	var categories labels
	for _, c := range in.Categories {
		categories.add(firstOf(c.Label, c.Term))
	}
	for _, subject := range values(in.Extensions["dc"], "subject") {
		categories.add(subject)
	}
	for _, e := range in.Extensions["itunes"]["image"] {
		files.picture(e.Attrs["href"])
	}
	mediaTitle, mediaDescription := files.media(in.Extensions["media"], &categories)
	files.pictureAmongEnclosures()
	files.last(value(in.Extensions["itunes"], "duration"))
	it.Enclosures, it.Image, it.Categories = files.list, files.image, categories.list

	it.Title = firstOf(f.title.plain(in.Title), plainTitle(mediaTitle))
	it.Content = where.within(f.content.base).html(f.content.html(), it.URL)
	it.Summary = where.within(f.summary.base).html(f.summary.html(), it.URL)
	if it.Summary == "" && it.Content != mediaDescription {
		it.Summary = where.html(mediaDescription, it.URL)
	}
	if it.Summary == it.Content {
		it.Summary = ""
	}
	it.Authors = atomAuthors(in, feed, where)
	it.Comments, it.CommentCount = atomComments(in, f, where)
	it.Source = atomSource(in, where)
	it.Language = language(firstOf(f.content.lang, f.title.lang, f.lang, value(in.Extensions["dc"], "language")))
	return it
}

// isFile tells the media types of what is no text to read.
func isFile(kind string) bool {
	return strings.HasPrefix(kind, "audio/") || strings.HasPrefix(kind, "video/") || strings.HasPrefix(kind, "image/") ||
		kind == "application/pdf"
}

// atomAuthors are the entry's, else those of the feed it was taken from, else the feed's (RFC 4287 section 4.2.1).
func atomAuthors(in *atom.Entry, feed *atom.Feed, where scope) []aggregator.Author {
	var p people
	add := func(persons []*atom.Person) {
		for _, a := range persons {
			p.add(aggregator.Author{Name: a.Name, Email: a.Email, URL: where.url(a.URI)})
		}
	}
	add(in.Authors)
	for _, name := range values(in.Extensions["dc"], "creator") {
		p.addText(name)
	}
	if len(p.list) == 0 && in.Source != nil {
		add(in.Source.Authors)
	}
	if len(p.list) == 0 {
		add(feed.Authors)
	}
	return p.list
}

func atomItemLink(in *atom.Entry, f *facts, where scope, id string) string {
	if original := firstWebURL(where, value(in.Extensions["feedburner"], "origLink")); original != "" {
		return original
	}
	links := linksOf(in.Links)
	if u := alternate(links, where.within(f.linkBase)); u != "" {
		return u
	}
	if isWebURL(id) {
		return webURL(nil, id)
	}
	if in.Content != nil && in.Content.Src != "" && !isFile(f.content.kind) {
		if u := where.within(f.content.base).url(in.Content.Src); u != "" {
			return u
		}
	}
	for _, rel := range []string{"related", "via", "self"} {
		for _, l := range links {
			if l.rel == rel {
				if u := where.within(f.linkBase).url(l.href); u != "" {
					return u
				}
			}
		}
	}
	return ""
}

// link is an Atom link (RFC 4287 section 4.2.7), in whatever feed.
type link struct{ href, rel, kind, length string }

func linksOf(in []*atom.Link) []link {
	out := make([]link, 0, len(in))
	for _, l := range in {
		out = append(out, link{l.Href, relation(l.Rel), strings.ToLower(l.Type), l.Length})
	}
	return out
}

func atomLinks(in []ext.Extension) []link {
	out := make([]link, 0, len(in))
	for _, l := range in {
		out = append(out, link{
			firstOf(l.Attrs["href"], l.Value), relation(l.Attrs["rel"]), strings.ToLower(l.Attrs["type"]), l.Attrs["length"],
		})
	}
	return out
}

// relation is a link's relation in its short form: "alternate" where none is given.
func relation(rel string) string {
	rel = strings.ToLower(strings.TrimSpace(rel))
	rel = strings.TrimPrefix(rel, "http://www.iana.org/assignments/relation/")
	if rel == "" {
		return "alternate"
	}
	return rel
}

// alternate is the page that the links give: an HTML page before one of no type before any other, the first of each.
func alternate(links []link, where scope) string { return linked(links, "alternate", 0, where) }

// linked is where the links of a relation lead: an HTML page (rank 3) before one of no type (2) before any other (1), the
// first of each, of those above a rank.
func linked(links []link, rel string, rank int, where scope) string {
	best := ""
	for _, l := range links {
		if l.rel != rel {
			continue
		}
		r := 1
		switch kind, _, _ := strings.Cut(l.kind, ";"); strings.TrimSpace(kind) {
		case "text/html", "application/xhtml+xml":
			r = 3
		case "":
			r = 2
		}
		if r > rank {
			if u := where.url(l.href); u != "" {
				best, rank = u, r
			}
		}
	}
	return best
}
