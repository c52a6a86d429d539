package publish

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"github.com/topicwire/topicwire/aggregator"
)

const rssType = "application/rss+xml; charset=utf-8"

// rssFeed is RSS 2.0 with the modules that it takes to say what Atom says: content for the full text, dc for authors
// that have no mail address and for rights, atom for the link to itself; and, where there are any, slash for the number of
// comments, itunes for how long a recording takes, and media for pictures and for files beyond the first.
type rssFeed struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Content string     `xml:"xmlns:content,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Slash   string     `xml:"xmlns:slash,attr,omitempty"`
	ITunes  string     `xml:"xmlns:itunes,attr,omitempty"`
	History string     `xml:"xmlns:fh,attr,omitempty"`
	Media   string     `xml:"xmlns:media,attr,omitempty"`
	Channel rssChannel `xml:"channel"`
}

// FeedXml makes it a feeds.XmlFeed.
func (f *rssFeed) FeedXml() any { return f }

type rssChannel struct {
	feeds.RssFeed
	Archive *struct{} `xml:"fh:archive"`
	Links   []rssLink `xml:"atom:link"`
	Items   []rssItem `xml:"item"`
}

type rssLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
}

type rssItem struct {
	feeds.RssItem
	Creators   []string   `xml:"dc:creator"`
	Categories []string   `xml:"category"`
	Source     *rssSource `xml:"source"`
	Comments   string     `xml:"comments,omitempty"`
	Replies    int        `xml:"slash:comments,omitempty"`
	Duration   int64      `xml:"itunes:duration,omitempty"` // in seconds
	Language   string     `xml:"dc:language,omitempty"`
	Rights     string     `xml:"dc:rights,omitempty"`
	Thumbnail  *mediaThumbnail
	Files      []mediaContent
}

// mediaNamespace is that of Media RSS, which both XML formats take.
const mediaNamespace = "http://search.yahoo.com/mrss/"

type mediaThumbnail struct {
	XMLName xml.Name `xml:"media:thumbnail"`
	URL     string   `xml:"url,attr"`
}

type mediaContent struct {
	XMLName  xml.Name `xml:"media:content"`
	URL      string   `xml:"url,attr"`
	Type     string   `xml:"type,attr,omitempty"`
	Size     int64    `xml:"fileSize,attr,omitempty"`
	Duration int64    `xml:"duration,attr,omitempty"` // in seconds
}

func thumbnailOf(e *entry) *mediaThumbnail {
	if e.image == "" {
		return nil
	}
	return &mediaThumbnail{URL: e.image}
}

type rssSource struct {
	URL   string `xml:"url,attr"`
	Title string `xml:",chardata"`
}

// rss writes the document as RSS 2.0. query is that of the request, as far as the feed depends on it.
func (s *site) rss(d *document, query string) ([]byte, error) {
	feed := &rssFeed{
		Version: "2.0",
		Content: "http://purl.org/rss/1.0/modules/content/",
		DC:      "http://purl.org/dc/elements/1.1/",
		Atom:    atomNamespace,
		Channel: rssChannel{
			RssFeed: feeds.RssFeed{
				Title: rssText(d.title), Link: d.page, Description: rssText(d.description), Language: d.language,
				LastBuildDate: rfc822(d.updated), Generator: strings.TrimSpace(s.options.Generator + " " + s.options.Version),
				Docs: "https://www.rssboard.org/rss-specification", Ttl: max(1, int(s.options.MaxAge/time.Minute)),
			},
			Links: []rssLink{{Href: d.self + ".rss" + query, Rel: "self", Type: "application/rss+xml"}},
		},
	}
	if d.history.archive {
		feed.History, feed.Channel.Archive = historyNamespace, &struct{}{}
	}
	for _, l := range d.history.links(kindRSS) {
		feed.Channel.Links = append(feed.Channel.Links, rssLink{Href: l.href, Rel: l.rel, Type: "application/rss+xml"})
	}
	for _, hub := range s.hubs(d, query) {
		feed.Channel.Links = append(feed.Channel.Links, rssLink{Href: hub, Rel: "hub"})
	}
	if d.description == "" { // the element is required
		feed.Channel.Description = feed.Channel.Title
	}
	for i := range d.entries {
		item := rssItemOf(&d.entries[i], d.language)
		if item.Replies > 0 {
			feed.Slash = "http://purl.org/rss/1.0/modules/slash/"
		}
		if item.Duration > 0 {
			feed.ITunes = "http://www.itunes.com/dtds/podcast-1.0.dtd"
		}
		if item.Thumbnail != nil || len(item.Files) > 0 {
			feed.Media = mediaNamespace
		}
		feed.Channel.Items = append(feed.Channel.Items, item)
	}
	var b bytes.Buffer
	if err := feeds.WriteXML(feed, &b); err != nil {
		return nil, fmt.Errorf("write RSS: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// rssItemOf is the entry in a channel of the given language.
func rssItemOf(e *entry, language string) rssItem {
	src := e.reports[0].source
	out := rssItem{
		RssItem: feeds.RssItem{
			Title: rssText(e.title), Link: e.link, Description: e.summary, PubDate: rfc822(e.published),
			Guid:    &feeds.RssGuid{Id: e.id, IsPermaLink: "false"},
			Content: &feeds.RssContent{Content: e.content},
		},
		Comments: e.comments, Replies: e.replies, Rights: rssText(src.rights), Thumbnail: thumbnailOf(e),
	}
	if e.language != language {
		out.Language = e.language
	}
	if e.summary == "" {
		if out.Description = html.EscapeString(e.excerpt); e.excerpt == "" {
			out.Description = html.EscapeString(e.title)
		}
	}
	for _, a := range e.authors {
		out.Creators = append(out.Creators, a.Name)
	}
	for _, c := range e.categories {
		out.Categories = append(out.Categories, rssText(c))
	}
	if where := cmp.Or(src.url, src.home); where != "" { // the attribute is required
		out.Source = &rssSource{URL: where, Title: rssText(src.title)}
	}
	for _, f := range e.files {
		if enclosure := rssEnclosure(f); enclosure != nil && out.Enclosure == nil {
			out.Enclosure = enclosure // RSS has room for one
			out.Duration = seconds(f.Duration)
			continue
		}
		out.Files = append(out.Files, mediaContent{URL: f.URL, Type: f.Type, Size: f.Length, Duration: seconds(f.Duration)})
	}
	return out
}

// enclosureHost matches the links that validators accept in an enclosure: with a host of several labels, and a path.
var enclosureHost = regexp.MustCompile(`^https?://([A-Za-z0-9-]+\.)+[A-Za-z0-9][A-Za-z0-9-]*(:[0-9]+)?(/|$)`)

func rssEnclosure(f aggregator.Enclosure) *feeds.RssEnclosure {
	if !enclosureHost.MatchString(f.URL) {
		return nil
	}
	e := &feeds.RssEnclosure{Url: f.URL, Length: strconv.FormatInt(f.Length, 10), Type: f.Type}
	if e.Type == "" { // the attribute is required
		e.Type = "application/octet-stream"
	}
	return e
}

// looksLikeMarkup matches what a reader that takes plain text for HTML would not show as it is.
var looksLikeMarkup = regexp.MustCompile(`<[A-Za-z/!?]|&(#|[A-Za-z][A-Za-z0-9]*;)`)

// rssText is plain text as an RSS element holds it. RSS does not say whether the content of its plain elements is text
// or HTML, and readers differ. Text that is the same both ways is left alone; text that HTML would swallow or change,
// such as "<b>" in a title, is escaped as HTML, which most readers expect.
func rssText(s string) string {
	if looksLikeMarkup.MatchString(s) {
		return html.EscapeString(s)
	}
	return s
}

// rfc822 is the date as RSS wants it: RFC 822 with the four-digit year of RFC 2822 and a numeric zone.
func rfc822(t time.Time) string { return t.Format(time.RFC1123Z) }

// seconds is a duration in whole seconds, as feeds have it: at least one where it is not zero.
func seconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return max(1, int64(d.Round(time.Second)/time.Second))
}
