package parse

import (
	"slices"
	"strings"

	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/mmcdole/gofeed/rss"
	"github.com/topicwire/topicwire/aggregator"
)

// fromRSS is the document that gofeed read as RSS of any version.
func fromRSS(feed *rss.Feed, s *survey, b *builder) {
	dc := feed.Extensions["dc"]
	b.root = &s.root
	b.scope.declared = s.root.base
	link := rssLink(feed.Links, feed.Extensions, b.scope)
	if u := resolveURL(nil, link); link != "" {
		b.scope.home = u
	}
	b.doc.Title = plainTitle(firstOf(feed.Title, value(dc, "title")))
	b.doc.Link = link
	b.doc.Language = language(firstOf(feed.Language, value(dc, "language"), s.root.lang))
	b.doc.Description = b.scope.html(firstOf(s.root.summary.html(), value(feed.Extensions["itunes"], "summary", "subtitle")), link)
	b.doc.ID = firstOf(s.root.about, s.root.id)
	b.offers(atomLinks(atomIn(feed.Extensions, "link")))
	b.doc.Rights = plainTitle(firstOf(feed.Copyright, value(dc, "rights")))
	b.doc.Hints = Hints{
		TTL: ttl(feed.TTL), SkipHours: skipHours(feed.SkipHours), SkipDays: skipDays(feed.SkipDays),
		UpdatePeriod: updatePeriod(feed.Extensions["sy"]), UpdateBase: updateBase(feed.Extensions["sy"]),
	}
	b.dates = newDateReader(b.seen, b.doc.Language, b.scope.page, s.dates)
	b.doc.Items = slices.Grow(b.doc.Items, len(feed.Items))
	for i, item := range feed.Items {
		b.add(rssItem(item, s.items[i], b), s.items[i])
	}
}

func rssItem(in *rss.Item, f *facts, b *builder) aggregator.Item {
	where := b.scope.within(f.base)
	dc, itunes := in.Extensions["dc"], in.Extensions["itunes"]
	var it aggregator.Item
	it.GUID = f.id
	if in.GUID != nil {
		it.GUID = firstOf(in.GUID.Value, it.GUID)
	}
	it.GUID = strings.TrimSpace(firstOf(it.GUID, f.about, value(dc, "identifier")))
	it.URL = rssItemLink(in, f, where)

	files := files{scope: where}
	var categories labels
	for _, c := range in.Categories {
		categories.add(c.Value)
	}
	rssFiles(in, &files)
	mediaTitle, mediaDescription := files.media(in.Extensions["media"], &categories)
	files.pictureAmongEnclosures()
	files.last(value(itunes, "duration"))
	for _, e := range in.Extensions["podcast"]["transcript"] {
		files.add(e.Attrs["url"], e.Attrs["type"], "", "")
	}
	it.Enclosures, it.Image = files.list, files.image

	it.Title = f.title.plain(in.Title)
	if it.Title == "" {
		it.Title = plainTitle(firstOf(value(dc, "title"), mediaTitle, value(itunes, "title")))
	}
	rssTexts(&it, in, f, where, mediaDescription)
	it.Authors = rssAuthors(in, f)
	it.Comments, it.CommentCount = rssComments(in, where)
	if in.Source != nil {
		it.Source = aggregator.ItemSource{Title: plainTitle(in.Source.Title), URL: where.url(in.Source.URL)}
	}
	categories.addList(value(itunes, "keywords"))
	for _, subject := range values(dc, "subject") {
		categories.add(subject)
	}
	for _, c := range itunes["category"] {
		categories.add(c.Attrs["text"])
	}
	for _, c := range atomIn(in.Extensions, "category") {
		categories.add(firstOf(c.Attrs["label"], c.Attrs["term"]))
	}
	it.Categories = categories.list
	it.Language = language(firstOf(value(dc, "language"), in.Custom["language"]))
	if it.Language == "" && f.lang != b.root.lang {
		it.Language = language(f.lang)
	}
	return it
}

// rssTexts sets the summary and the content.
func rssTexts(it *aggregator.Item, in *rss.Item, f *facts, where scope, mediaDescription string) {
	content, base := f.content.html(), f.content.base
	for _, better := range []construct{f.body, f.encoded} {
		if text := better.html(); text != "" {
			content, base = text, better.base
		}
	}
	content = firstOf(content, in.Custom["fullitem"])
	var atomSummary string
	for _, e := range atomIn(in.Extensions, "summary") {
		atomSummary = firstOf(atomSummary, e.Value)
	}
	itunes := in.Extensions["itunes"]
	summary := firstOf(f.summary.html(), atomSummary, value(in.Extensions["dc"], "description"), in.Custom["summary"],
		value(itunes, "summary"), mediaDescription, value(itunes, "subtitle"), value(in.Extensions["dcterms"], "abstract"))
	it.Content = where.within(base).html(content, it.URL)
	it.Summary = where.within(f.summary.base).html(summary, it.URL)
	if it.Summary == it.Content {
		it.Summary = ""
	}
}

// rssLink is the home page: the first link that is one, else an Atom link to it.
func rssLink(links []string, extensions ext.Extensions, where scope) string {
	for _, l := range links {
		if u := where.url(l); u != "" {
			return u
		}
	}
	return alternate(atomLinks(atomIn(extensions, "link")), where)
}

func rssItemLink(in *rss.Item, f *facts, where scope) string {
	if original := firstWebURL(where, value(in.Extensions["feedburner"], "origLink"), value(in.Extensions["pheedo"], "origLink")); original != "" {
		return original
	}
	if u := rssLink(in.Links, in.Extensions, where.within(f.linkBase)); u != "" {
		return u
	}
	if in.GUID != nil && !strings.EqualFold(in.GUID.IsPermalink, "false") && isWebURL(in.GUID.Value) {
		return webURL(nil, in.GUID.Value)
	}
	for _, other := range []string{f.about, f.id, value(in.Extensions["dc"], "identifier")} {
		if isWebURL(other) {
			return webURL(nil, other)
		}
	}
	return ""
}

func firstWebURL(where scope, candidates ...string) string {
	for _, c := range candidates {
		if u := where.url(c); u != "" {
			return u
		}
	}
	return ""
}

func rssFiles(in *rss.Item, files *files) {
	for _, e := range in.Enclosures {
		files.add(e.URL, e.Type, e.Length, "")
	}
	for _, l := range atomLinks(atomIn(in.Extensions, "link")) {
		if l.rel == "enclosure" {
			files.add(l.href, l.kind, l.length, "")
		}
	}
	for _, e := range in.Extensions["itunes"]["image"] {
		files.picture(firstOf(e.Attrs["href"], e.Attrs["url"], e.Value))
	}
	for _, e := range in.Extensions["podcast"]["image"] {
		files.picture(e.Attrs["href"])
	}
}

// rssAuthors are those of the item's own elements, the more telling kind first: names, then addresses.
func rssAuthors(in *rss.Item, f *facts) []aggregator.Author {
	var p people
	dc := in.Extensions["dc"]
	for _, name := range values(dc, "creator") {
		p.addText(name)
	}
	for _, name := range values(dc, "author") {
		p.addText(name)
	}
	for _, a := range atomIn(in.Extensions, "author") {
		p.add(aggregator.Author{
			Name: firstOf(value(a.Children, "name"), strings.TrimSpace(a.Value)), Email: value(a.Children, "email"),
			URL: webURL(nil, value(a.Children, "uri", "url")),
		})
	}
	named := len(p.list) > 0
	authors := f.authors
	if len(authors) == 0 && in.Author != "" {
		authors = []string{in.Author}
	}
	for _, text := range authors {
		name, email := splitPerson(plainTitleOfPerson(text))
		if named && name == "" {
			// An address beside a name is the same person's where there is one of each.
			if len(p.list) == 1 && p.list[0].Email == "" {
				p.list[0].Email = email
			}
			continue
		}
		p.add(aggregator.Author{Name: name, Email: email})
	}
	if len(p.list) == 0 {
		p.addText(firstOf(value(in.Extensions["itunes"], "author"), value(in.Extensions["googleplay"], "author")))
	}
	if len(p.list) == 0 {
		for _, e := range in.Extensions["podcast"]["person"] {
			p.add(aggregator.Author{Name: e.Value, URL: webURL(nil, e.Attrs["href"])})
		}
	}
	return p.list
}
