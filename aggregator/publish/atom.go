package publish

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/gorilla/feeds"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	atomNamespace = "http://www.w3.org/2005/Atom"
	atomType      = "application/atom+xml; charset=utf-8"
	// historyNamespace is that of RFC 5005.
	historyNamespace = "http://purl.org/syndication/history/1.0"
)

// atomFeed is gorilla's feed with what RFC 4287 has beyond it: several links, a generator, entries with several
// authors and categories and with a source.
type atomFeed struct {
	feeds.AtomFeed
	Threading string         `xml:"xmlns:thr,attr,omitempty"`
	History   string         `xml:"xmlns:fh,attr,omitempty"`
	Archive   *struct{}      `xml:"fh:archive"`
	Media     string         `xml:"xmlns:media,attr,omitempty"`
	Generator *atomGenerator `xml:"generator"`
	Links     []atomLink     `xml:"link"`
	Entries   []atomEntry    `xml:"entry"`
}

// FeedXml makes it a feeds.XmlFeed.
func (f *atomFeed) FeedXml() any { return f }

type atomGenerator struct {
	Version string `xml:"version,attr,omitempty"`
	Name    string `xml:",chardata"`
}

type atomLink struct {
	feeds.AtomLink
	Title string `xml:"title,attr,omitempty"`
	Count int    `xml:"thr:count,attr,omitempty"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

// atomSource is RFC 4287 section 4.2.11.
type atomSource struct {
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated string     `xml:"updated"`
	Rights  string     `xml:"rights,omitempty"`
	Links   []atomLink `xml:"link"`
}

type atomEntry struct {
	Language string `xml:"xml:lang,attr,omitempty"`
	feeds.AtomEntry
	Authors    []feeds.AtomPerson `xml:"author"`
	Categories []atomCategory     `xml:"category"`
	Links      []atomLink         `xml:"link"`
	Thumbnail  *mediaThumbnail    `xml:"media:thumbnail"`
	Source     atomSource         `xml:"source"`
}

func link(rel, href, mediaType, title string) atomLink {
	return atomLink{AtomLink: feeds.AtomLink{Rel: rel, Href: href, Type: mediaType}, Title: title}
}

// atom writes the document as Atom 1.0 (RFC 4287). query is that of the request, as far as the feed depends on it.
func (s *site) atom(d *document, query string) ([]byte, error) {
	feed := &atomFeed{
		AtomFeed: feeds.AtomFeed{
			Xmlns: atomNamespace, Title: d.title, Subtitle: d.description, Id: d.id, Updated: rfc3339(d.updated),
			// Entries have authors of their own; a feed without entries must have one (RFC 4287 section 4.1.1).
			Author: &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: s.options.Title, Uri: s.base + "/"}},
		},
		Generator: &atomGenerator{Version: s.options.Version, Name: s.options.Generator},
		Links: []atomLink{
			link("self", d.self+".atom"+query, "application/atom+xml", ""),
			link("alternate", d.page, "text/html", ""),
		},
	}
	if d.history.archive {
		feed.History, feed.Archive = historyNamespace, &struct{}{}
	}
	for _, l := range d.history.links(kindAtom) {
		feed.Links = append(feed.Links, link(l.rel, l.href, "application/atom+xml", ""))
	}
	for _, hub := range s.hubs(d, query) {
		feed.Links = append(feed.Links, link("hub", hub, "", ""))
	}
	for i := range d.entries {
		e := &d.entries[i]
		if e.comments != "" && e.replies > 0 {
			feed.Threading = "http://purl.org/syndication/thread/1.0"
		}
		if e.image != "" {
			feed.Media = mediaNamespace
		}
		feed.Entries = append(feed.Entries, atomEntryOf(e))
	}
	var b bytes.Buffer
	if err := feeds.WriteXML(feed, &b); err != nil {
		return nil, fmt.Errorf("write Atom: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func atomEntryOf(e *entry) atomEntry {
	src := e.reports[0].source
	out := atomEntry{
		Language: e.language,
		AtomEntry: feeds.AtomEntry{
			Id: e.id, Title: e.title, Published: rfc3339(e.published), Updated: rfc3339(e.updated),
			Content: &feeds.AtomContent{Type: "html", Content: e.content},
		},
		Links:     []atomLink{link("alternate", e.link, "", "")},
		Thumbnail: thumbnailOf(e),
		// The feed's own updated is not known here; that of the entry is a time at which it had changed, and does not
		// move with each poll.
		Source: atomSource{ID: src.id, Title: src.title, Updated: rfc3339(e.updated), Rights: src.rights},
	}
	if e.summary != "" {
		out.Summary = &feeds.AtomSummary{Type: "html", Content: e.summary}
	}
	for _, a := range e.authors {
		out.Authors = append(out.Authors, feeds.AtomPerson{Name: a.Name, Uri: a.URL, Email: a.Email})
	}
	for _, c := range e.categories {
		out.Categories = append(out.Categories, atomCategory{c})
	}
	if e.comments != "" {
		l := link("replies", e.comments, "text/html", "")
		l.Count = e.replies // RFC 4685 section 4
		out.Links = append(out.Links, l)
	}
	for _, r := range otherReports(e.reports) {
		if where := r.where(); where != "" {
			out.Links = append(out.Links, link("related", where, "", relatedTitle(&r)))
		}
	}
	for _, f := range e.files {
		out.Links = append(out.Links, enclosureLink(f))
	}
	if src.url != "" {
		out.Source.Links = append(out.Source.Links, link("self", src.url, "", ""))
	}
	if src.home != "" {
		out.Source.Links = append(out.Source.Links, link("alternate", src.home, "", ""))
	}
	return out
}

// relatedTitle names another report: by its source, and by its title where it has one.
func relatedTitle(r *report) string {
	if r.title == "" {
		return r.source.title
	}
	return r.source.title + ": " + r.title
}

func enclosureLink(f aggregator.Enclosure) atomLink {
	l := link("enclosure", f.URL, f.Type, "")
	if f.Length > 0 {
		l.Length = strconv.FormatInt(f.Length, 10)
	}
	return l
}

func rfc3339(t time.Time) string { return t.Format(time.RFC3339) }
