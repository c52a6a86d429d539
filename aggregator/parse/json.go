package parse

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mmcdole/gofeed/json"
	"github.com/topicwire/topicwire/aggregator"
)

// fromJSON is the document that gofeed read as JSON Feed 1.0 or 1.1.
func fromJSON(feed *json.Feed, data []byte, b *builder) {
	home := b.scope.url(feed.HomePageURL)
	if home != "" {
		b.scope.home = resolveURL(nil, home)
	}
	b.doc.Title = foldSpace(decodeEntities(feed.Title))
	b.doc.Link = home
	b.doc.Language = language(feed.Language)
	b.doc.Description = textHTML(feed.Description)
	b.doc.ID = feed.FeedURL
	b.offers(append(hubLinks(data), link{href: feed.FeedURL, rel: "self"}))
	var s survey
	for _, item := range feed.Items {
		f := &facts{}
		if item != nil {
			f.published.offer(item.DatePublished, 1)
			f.updated.offer(item.DateModified, 1)
		}
		s.items = append(s.items, f)
	}
	s.noteDates(s.items)
	b.dates = newDateReader(b.seen, b.doc.Language, b.scope.page, s.dates)
	b.doc.Items = slices.Grow(b.doc.Items, len(feed.Items))
	for i, item := range feed.Items {
		if item == nil {
			item = &json.Item{}
		}
		b.add(jsonItem(item, feed, b.scope), s.items[i])
	}
}

func jsonItem(in *json.Item, feed *json.Feed, where scope) aggregator.Item {
	it := aggregator.Item{GUID: strings.TrimSpace(in.ID), Language: language(in.Language)}
	it.URL = firstWebURL(where, in.URL, in.ExternalURL)
	if it.URL == "" && isWebURL(it.GUID) {
		it.URL = webURL(nil, it.GUID)
	}
	// Titles are plain text by the specification, and many generators put references into them all the same.
	it.Title = foldSpace(decodeEntities(in.Title))
	it.Content = where.html(in.ContentHTML, it.URL)
	if it.Content == "" {
		it.Content = textHTML(in.ContentText)
	}
	if it.Summary = textHTML(in.Summary); it.Summary == it.Content {
		it.Summary = ""
	}
	files := files{scope: where}
	if in.Attachments != nil {
		for _, a := range *in.Attachments {
			files.add(a.URL, a.MimeType, strconv.FormatInt(a.SizeInBytes, 10), strconv.FormatInt(a.DurationInSeconds, 10))
		}
	}
	files.picture(in.Image)
	files.picture(in.BannerImage)
	files.pictureAmongEnclosures()
	it.Enclosures, it.Image = files.list, files.image
	var categories labels
	for _, tag := range in.Tags {
		categories.add(tag)
	}
	it.Categories = categories.list
	it.Authors = jsonAuthors(in, feed, where)
	return it
}

// jsonAuthors are the item's, else the feed's; the single author of version 1.0 counts where there is no list.
func jsonAuthors(in *json.Item, feed *json.Feed, where scope) []aggregator.Author {
	for _, list := range [][]*json.Author{in.Authors, {in.Author}, feed.Authors, {feed.Author}} {
		var p people
		for _, a := range list {
			if a != nil {
				p.add(aggregator.Author{Name: a.Name, URL: where.url(a.URL)})
			}
		}
		if len(p.list) > 0 {
			return p.list
		}
	}
	return nil
}
