package publish

import (
	"encoding/xml"
	"fmt"
	"slices"
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
	Type        string `xml:"type,attr"`
	Text        string `xml:"text,attr"`
	Title       string `xml:"title,attr"`
	Description string `xml:"description,attr,omitempty"`
	XMLURL      string `xml:"xmlUrl,attr"`
	HTMLURL     string `xml:"htmlUrl,attr"`
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
	body, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write OPML: %w", err)
	}
	return slices.Concat([]byte(xml.Header), body, []byte("\n")), nil
}

// topics are the channels of the topics, in the operator's order.
func (s *site) topics() []channel {
	var out []channel
	for _, t := range s.options.Topics {
		out = append(out, s.channels[t.ID])
	}
	return out
}
