package publish

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const opmlType = "text/x-opml; charset=utf-8"

type opmlDocument struct {
	XMLName xml.Name      `xml:"opml"`
	Version string        `xml:"version,attr"`
	Title   string        `xml:"head>title"`
	Created string        `xml:"head>dateCreated"`
	Docs    string        `xml:"head>docs"`
	Feeds   []opmlOutline `xml:"body>outline"`
}

// opmlOutline is a subscription of OPML 2.0. Its type is "rss" for every kind of feed.
type opmlOutline struct {
	Type        string `xml:"type,attr,omitempty"`
	Text        string `xml:"text,attr"`
	Title       string `xml:"title,attr"`
	Description string `xml:"description,attr,omitempty"`
	Category    string `xml:"category,attr,omitempty"`
	XMLURL      string `xml:"xmlUrl,attr,omitempty"`
	HTMLURL     string `xml:"htmlUrl,attr,omitempty"`
}

// opml writes the list of the merged feeds as OPML 2.0, for a reader to subscribe to them all: each topic once, in
// Atom, which says most of the XML formats. The feed of everything is not among them: it would repeat each story.
func (s *site) opml() ([]byte, error) {
	doc := opmlDocument{
		Version: "2.0", Title: s.options.Title, Created: s.born.UTC().Format(time.RFC1123Z), Docs: "http://opml.org/spec2.opml",
	}
	for _, c := range s.topics() {
		doc.Feeds = append(doc.Feeds, opmlOutline{
			Type: "rss", Text: c.title, Title: c.title, Description: c.description,
			XMLURL: s.base + c.path + ".atom", HTMLURL: s.pageURL(c.path),
		})
	}
	if len(doc.Feeds) == 0 { // a body must have an outline
		c := s.channels[aggregator.AllTopics]
		doc.Feeds = []opmlOutline{{Type: "rss", Text: c.title, Title: c.title, XMLURL: s.base + c.path + ".atom", HTMLURL: s.pageURL(c.path)}}
	}
	return doc.bytes()
}

func (doc *opmlDocument) bytes() ([]byte, error) {
	body, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write OPML: %w", err)
	}
	return slices.Concat([]byte(xml.Header), body, []byte("\n")), nil
}

// sourcesPath is where the list of the sources is.
const sourcesPath = "/sources.opml"

// sourcesReread is for how long the list of the sources is not read anew.
const sourcesReread = time.Minute

// sourcesOPML writes the list of the feeds that are polled, with the operator's tags. It leaves out those whose URL is
// nobody's to know.
func (s *site) sourcesOPML(ctx context.Context) ([]byte, error) {
	doc := opmlDocument{
		Version: "2.0", Title: "The sources of " + s.options.Title, Created: s.born.UTC().Format(time.RFC1123Z), Docs: "http://opml.org/spec2.opml",
	}
	for status, err := range s.src.Feeds(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read feeds: %w", err)
		}
		src := s.source(status)
		if !status.Active || src.url == "" {
			continue
		}
		o := opmlOutline{Type: "rss", Text: src.title, Title: src.title, XMLURL: src.url, HTMLURL: src.home}
		for _, tag := range status.Feed.Tags {
			// A comma is between categories, a slash between the parts of one.
			o.Category = strings.TrimPrefix(o.Category+","+strings.NewReplacer(",", " ", "/", " ").Replace(oneLine(tag, maxName)), ",")
		}
		doc.Feeds = append(doc.Feeds, o)
	}
	if len(doc.Feeds) == 0 { // a body must have an outline
		doc.Feeds = []opmlOutline{{Text: "No feeds", Title: "No feeds"}}
	}
	return doc.bytes()
}

// topics are the channels of the topics, in the operator's order.
func (s *site) topics() []channel {
	var out []channel
	for _, t := range s.options.Topics {
		out = append(out, s.channels[t.ID])
	}
	return out
}
