package parse

import (
	"strconv"
	"strings"

	"github.com/mmcdole/gofeed/atom"
	"github.com/mmcdole/gofeed/rss"
	"github.com/topicwire/topicwire/aggregator"
)

// untypedLink is the rank of links that may lead anywhere; those above it lead to a page, as far as they say.
const untypedLink = 1

// rssComments are the page with an item's comments (RSS 2.0's comments, else an Atom link) and their number (the Slash
// module, else RFC 4685).
func rssComments(in *rss.Item, where scope) (page string, count int) {
	links := atomIn(in.Extensions, "link")
	// A number is no page: some publishers write how many there are.
	if number(strings.TrimSpace(in.Comments)) < 0 {
		page = where.url(in.Comments)
	}
	if page == "" {
		page = linked(atomLinks(links), "replies", untypedLink, where)
	}
	if count = counted(firstOf(value(in.Extensions["slash"], "comments"), value(in.Extensions["thr"], "total"))); count == 0 {
		for _, l := range links {
			if relation(l.Attrs["rel"]) == "replies" {
				count = max(count, counted(l.Attrs["count"]))
			}
		}
	}
	return page, count
}

// atomComments is rssComments for Atom, where the comments are linked (RFC 4685 section 4) and counted (section 5).
func atomComments(in *atom.Entry, f *facts, where scope) (page string, count int) {
	page = linked(linksOf(in.Links), "replies", untypedLink, where.within(f.linkBase))
	count = counted(firstOf(value(in.Extensions["thr"], "total"), value(in.Extensions["slash"], "comments")))
	if count == 0 {
		count = f.replies
	}
	return page, count
}

// replies is the number of comments that the tag of a link to them has in an attribute of the threading extension.
func replies(t tag) int {
	if relation(t.attr("rel")) != "replies" {
		return 0
	}
	for pos := 0; ; {
		a, ok := nextAttribute(t.attrs, pos)
		if !ok {
			return 0
		}
		if prefix, local := split(a.name); len(prefix) > 0 && string(local) == "count" {
			return counted(string(a.value))
		}
		pos = a.end
	}
}

// counted is a number of things as a publisher writes it, 0 for what is none.
func counted(s string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// atomSource is the feed that an entry was taken from (RFC 4287 section 4.2.11).
func atomSource(in *atom.Entry, where scope) aggregator.ItemSource {
	if in.Source == nil {
		return aggregator.ItemSource{}
	}
	links := linksOf(in.Source.Links)
	return aggregator.ItemSource{
		Title: plainTitle(in.Source.Title),
		URL:   firstOf(linked(links, "self", 0, where), alternate(links, where)),
	}
}
