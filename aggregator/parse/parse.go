// Package parse makes items of a feed's bytes: RSS 0.90 to 2.0, Atom 0.3 and 1.0, JSON Feed 1.0 and 1.1, and what the
// scanner turns into one of them, in any encoding.
//
// gofeed is the parser. Around it stands what it cannot do:
//
//	bytes -> scan (repairs, limits) -> look (what gofeed would lose) -> gofeed -> normalise -> Document
//
// The scanner makes the bytes well-formed UTF-8 within limits that the parser can bear, or refuses them. The survey
// then walks the same bytes once, at a small part of the parser's cost, and notes what gofeed loses or spoils: what
// items inherit (xml:base, xml:lang, rdf:about), ids before they are taken for links, dates as they are written, texts
// with their types, the simple elements of items. It keeps from gofeed what is read here, so that nothing is parsed twice;
// gofeed reads the rest, the structure and every other field. What comes of both is put together field by field: links by RFC 3986, titles as
// plain text, texts as HTML, people, files, dates.
//
// A caller that remembers the hashes of the last poll's items gets only those that are new or changed, and only for
// those is the parser asked.
//
// A date is what its publisher wrote and never invented: where there is none that can be read it stays zero. The
// dates of a document are read together (see dateReader), because one alone may be ambiguous. Names of the IANA time
// zone database in dates need that database: programs import time/tzdata where the machine may lack it.
//
// Nothing is lost without a word: whatever was repaired, left out or could not be read is a phrase in
// Document.Repairs.
package parse

import (
	"bytes"
	"fmt"
	"net/url"
	"time"

	"github.com/mmcdole/gofeed/atom"
	"github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"
	"github.com/topicwire/topicwire/aggregator"
)

// Source says where a body comes from.
type Source struct {
	// URL is the absolute URL of the final answer: what relative links are resolved against in the end.
	URL string
	// ContentType is the header field of that name, empty where there was none.
	ContentType string
	// Seen is when the body was fetched. It completes dates that leave the century or the year out, and helps to read
	// those that can be read in two ways; dates in its future are given as they are.
	Seen time.Time
	// Known, where it is not nil, says whether an item was already there when the feed was last read, by a hash of
	// Document.Hashes of then. Such an item is counted and not read: only what is new or changed is in Items. An item's
	// hash covers its bytes, what it takes over from the document around it, and URL.
	Known func(aggregator.Hash) bool
}

// Document is a feed as its publisher serves it.
type Document struct {
	// Title and Rights (RSS's copyright) are plain text, Description HTML, Link the absolute URL of the home page, Language
	// a BCP 47 tag, ID Atom's id or rdf:about as given; all may be empty.
	Title, Link, Language, Description, ID, Rights string
	Hints                                          Hints
	// Hubs are the absolute URLs of the hubs that the document offers to subscribe at, Self that of what to subscribe to
	// there (WebSub section 4: the links rel=hub and rel=self; JSON Feed's hubs and feed_url).
	Hubs []string
	Self string
	// Items are the document's, in its order. Of aggregator.Item are set: GUID, URL, Title, Summary, Content, Authors,
	// Categories, Language, Enclosures, Image, Published and Updated; the rest is zero. Published and Updated are in
	// UTC and zero where the publisher gave no date that can be read.
	Items []aggregator.Item
	// Repairs lists what was mended and what could not be read, a short phrase each.
	Repairs []string
	// Listed counts the items in the bytes, whether or not they could be read.
	Listed int
	// Hashes are those of Items, one for each, and Skipped those of the items that Source.Known knew. There are none
	// where Source.Known is nil or the document cannot be told apart item by item.
	Hashes, Skipped []aggregator.Hash
}

// Parse reads a feed. The body is not changed and not kept.
//
// The error is a *NotFeedError where the body is no feed, a *LimitError where it is more than can be read in bounded
// time and memory; any other means that the parser could not read what the scanner let through.
func Parse(body []byte, src Source) (doc *Document, err error) {
	// The parser reads what strangers send. A panic in it costs one poll, not the daemon.
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	in, err := scanBody(body, src.ContentType)
	if err != nil {
		return nil, err
	}
	b := &builder{doc: &Document{Repairs: in.repairs, Listed: in.items + in.leftOut}, seen: src.Seen, known: src.Known, url: src.URL}
	if u, err := url.Parse(src.URL); err == nil && u.IsAbs() {
		b.scope.page = u
	}
	if err := b.read(in); err != nil {
		return nil, fmt.Errorf("read %s: %w", in.name, err)
	}
	b.finish(in)
	return b.doc, nil
}

// builder puts a Document together.
type builder struct {
	doc   *Document
	seen  time.Time
	known func(aggregator.Hash) bool
	url   string
	// fresh are the hashes of the items that are left to read, in their order; nil where they are not known.
	fresh []aggregator.Hash
	scope scope
	root  *facts
	dates *dateReader
	// parsed counts gofeed's items, empty those that said nothing, undated those whose dates cannot be read (unreadable
	// is one of them), early those dated well after they were seen.
	parsed, empty, undated, early int
	unreadable                    string
}

func (b *builder) read(in *input) error {
	if in.kind == inputJSON {
		feed, err := (&json.Parser{}).Parse(bytes.NewReader(b.freshJSON(in)))
		if err != nil {
			return err
		}
		fromJSON(feed, in.data, b)
		return nil
	}
	s := look(in.data, in.kind == inputAtom, b.scope.page, in.spans, b.knownXML())
	fresh := len(s.items)
	if b.known != nil {
		for _, f := range s.items {
			b.fresh = append(b.fresh, f.hash)
		}
	}
	if in.kind == inputAtom {
		feed, err := readAtom(in.data, &s)
		if err != nil {
			return err
		}
		fromAtom(feed, &s, b)
	} else {
		feed, err := readRSS(in.data, &s)
		if err != nil {
			return err
		}
		fromRSS(feed, &s, b)
	}
	if len(s.items) != fresh {
		// All were read after all.
		b.fresh, b.doc.Skipped = nil, nil
	}
	return nil
}

// readRSS reads what the survey left for gofeed. Should the two not agree on the items, what the survey says of one may
// be another's: then gofeed reads it all, and what it says counts.
func readRSS(data []byte, s *survey) (*rss.Feed, error) {
	feed, err := (&rss.Parser{}).Parse(&remainder{data: data, cuts: s.cuts})
	if err != nil || s.completeRSS(feed) {
		return feed, err
	}
	if feed, err = (&rss.Parser{}).Parse(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	s.items = s.items[:0]
	for _, item := range feed.Items {
		f := &facts{}
		s.items = append(s.items, f)
		f.summary.given, f.encoded.given = item.Description, item.Content
		f.published.offer(firstOf(item.PubDate, value(item.Extensions["dc"], "date")), 1)
	}
	return feed, nil
}

// readAtom is readRSS for Atom.
func readAtom(data []byte, s *survey) (*atom.Feed, error) {
	feed, err := (&atom.Parser{}).Parse(&remainder{data: data, cuts: s.cuts})
	if err != nil || s.completeAtom(feed) {
		return feed, err
	}
	if feed, err = (&atom.Parser{}).Parse(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	s.items = s.items[:0]
	for _, entry := range feed.Entries {
		f := &facts{}
		s.items = append(s.items, f)
		f.title.kind, f.summary.kind, f.content.kind = "html", "html", "html"
		f.summary.given = entry.Summary
		if entry.Content != nil {
			f.content.given = entry.Content.Value
		}
		f.published.offer(entry.Published, 1)
		f.updated.offer(entry.Updated, 1)
	}
	return feed, nil
}

// add completes an item by its dates and adds it to the document, unless it says nothing.
func (b *builder) add(it aggregator.Item, f *facts) {
	b.parsed++
	if it.Title == "" && it.URL == "" && it.Content == "" && it.Summary == "" && len(it.Enclosures) == 0 {
		b.empty++
		return
	}
	it.Published = b.date(f.published)
	it.Updated = b.date(f.updated)
	if !b.seen.IsZero() && it.Published.After(b.seen.Add(wrongClock)) {
		b.early++
	}
	if it.Language == "" {
		it.Language = b.doc.Language
	}
	cleanItem(&it)
	b.doc.Items = append(b.doc.Items, it)
	if b.fresh != nil {
		b.doc.Hashes = append(b.doc.Hashes, b.fresh[b.parsed-1])
	}
}

func (b *builder) date(written writtenDate) time.Time {
	for _, text := range []string{written.text, written.other} {
		if t, ok := b.dates.read(text); ok {
			return t
		}
	}
	if written.text != "" {
		b.undated++
		b.unreadable = firstOf(b.unreadable, written.text)
	}
	return time.Time{}
}

// finish cleans the head and says what is missing.
func (b *builder) finish(in *input) {
	d := b.doc
	for _, s := range []*string{&d.Title, &d.Link, &d.Language, &d.Description, &d.ID, &d.Rights} {
		*s = clean(*s)
	}
	read := b.parsed + len(d.Skipped)
	// gofeed takes some misspelt names for an item's that the scanner does not: what was read was listed.
	d.Listed = max(d.Listed, read+in.leftOut)
	if read < in.items {
		d.Repairs = append(d.Repairs, fmt.Sprintf("%d of %s could not be read", in.items-read, count(in.items, "item")))
	}
	if b.empty > 0 {
		d.Repairs = append(d.Repairs, fmt.Sprintf("%d of %s without title, link or text left out", b.empty, count(d.Listed, "item")))
	}
	if b.undated > 0 {
		d.Repairs = append(d.Repairs, fmt.Sprintf("%s not read, such as %q", count(b.undated, "date"), clip(clean(b.unreadable), 40)))
	}
	if b.early > 0 {
		d.Repairs = append(d.Repairs, fmt.Sprintf("%s dated in the future", count(b.early, "item")))
	}
	for i, phrase := range d.Repairs {
		d.Repairs[i] = foldSpace(clean(phrase))
	}
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// wrongClock is how far a date may be in the future before it is more than a clock that is fast.
const wrongClock = time.Hour

// clip cuts a text to at most n runes.
func clip(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// cleanItem takes out what no output may have.
func cleanItem(it *aggregator.Item) {
	for _, s := range []*string{&it.GUID, &it.URL, &it.Title, &it.Summary, &it.Content, &it.Language, &it.Image,
		&it.Comments, &it.Source.Title, &it.Source.URL} {
		*s = clean(*s)
	}
	for i := range it.Authors {
		a := &it.Authors[i]
		a.Name, a.Email, a.URL = clean(a.Name), clean(a.Email), clean(a.URL)
	}
	for i := range it.Categories {
		it.Categories[i] = clean(it.Categories[i])
	}
	for i := range it.Enclosures {
		e := &it.Enclosures[i]
		e.URL, e.Type = clean(e.URL), clean(e.Type)
	}
}
