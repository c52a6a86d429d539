package publish

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/gorilla/feeds"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	jsonFeedType = "application/feed+json"
	// extensionAbout is where the _topicwire extension is described.
	extensionAbout = "https://github.com/topicwire/topicwire/blob/main/docs/feeds.md"
)

// jsonFeed is gorilla's feed with items and an extension of its own.
type jsonFeed struct {
	feeds.JSONFeed
	Items     []jsonItem    `json:"items"`
	Topicwire jsonFeedExtra `json:"_topicwire"`
}

type jsonFeedExtra struct {
	About     string             `json:"about"`
	ID        string             `json:"id"`
	Topic     aggregator.TopicID `json:"topic,omitempty"`
	Feed      aggregator.FeedID  `json:"feed,omitempty"`
	Updated   string             `json:"updated"`
	Generator string             `json:"generator"`
	Version   string             `json:"version,omitempty"`
	// Archive, Current and Next are those of a page of the archive.
	Archive bool   `json:"archive,omitempty"`
	Current string `json:"current_url,omitempty"`
	Next    string `json:"newer_url,omitempty"`
}

type jsonItem struct {
	feeds.JSONItem
	Language    string           `json:"language,omitempty"`
	Attachments []jsonAttachment `json:"attachments,omitempty"`
	Topicwire   jsonItemExtra    `json:"_topicwire"`
}

// jsonAttachment has room for sizes beyond the 2 GiB of gorilla's.
type jsonAttachment struct {
	URL      string `json:"url"`
	Type     string `json:"mime_type"`
	Size     int64  `json:"size_in_bytes,omitempty"`
	Duration int64  `json:"duration_in_seconds,omitempty"`
}

type jsonItemExtra struct {
	Story    aggregator.StoryID   `json:"story"`
	Revision int                  `json:"revision"`
	Topics   []aggregator.TopicID `json:"topics"`
	Sources  []jsonSource         `json:"sources"`
}

type jsonSource struct {
	Item       aggregator.ItemID     `json:"item"`
	Feed       aggregator.FeedID     `json:"feed"`
	FeedTitle  string                `json:"feed_title"`
	FeedURL    string                `json:"feed_url,omitempty"`
	HomePage   string                `json:"home_page_url,omitempty"`
	Rights     string                `json:"rights,omitempty"`
	Title      string                `json:"title"`
	URL        string                `json:"url,omitempty"`
	Published  string                `json:"published"`
	DateSource aggregator.DateSource `json:"date_source,omitempty"`
	FirstSeen  string                `json:"first_seen"`
}

// jsonFeed writes the document as JSON Feed 1.1. query is that of the request, as far as the feed depends on it.
func (s *site) jsonFeed(d *document, query string) ([]byte, error) {
	feed := jsonFeed{
		JSONFeed: feeds.JSONFeed{
			Version: "https://jsonfeed.org/version/1.1", Title: d.title, Description: d.description, Language: d.language,
			HomePageUrl: d.page, FeedUrl: d.self + ".json" + query,
		},
		Items: make([]jsonItem, 0, len(d.entries)),
		Topicwire: jsonFeedExtra{
			About: extensionAbout, ID: d.id, Topic: d.topic, Feed: d.feed, Updated: rfc3339(d.updated),
			Generator: s.options.Generator, Version: s.options.Version,
		},
	}
	for _, l := range d.history.links(kindJSON) {
		switch l.rel {
		case relPrevious:
			feed.NextUrl = l.href // the next older items, where RFC 5005 says previous
		case relCurrent:
			feed.Topicwire.Current = l.href
		case relNext:
			feed.Topicwire.Next = l.href
		}
	}
	feed.Topicwire.Archive = d.history.archive
	for _, hub := range s.hubs(d, query) {
		feed.Hubs = append(feed.Hubs, &feeds.JSONHub{Type: "WebSub", Url: hub})
	}
	for i := range d.entries {
		feed.Items = append(feed.Items, jsonItemOf(&d.entries[i]))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the document is not HTML, and its content is sanitised
	enc.SetIndent("", " ")
	if err := enc.Encode(feed); err != nil {
		return nil, fmt.Errorf("write JSON Feed: %w", err)
	}
	return b.Bytes(), nil
}

func jsonItemOf(e *entry) jsonItem {
	out := jsonItem{
		JSONItem: feeds.JSONItem{
			Id: e.id, Url: e.link, Title: e.title, ContentHTML: e.content, Summary: e.excerpt, Image: e.image,
			PublishedDate: &e.published, ModifiedDate: &e.updated, Tags: e.categories,
		},
		Language:  e.language,
		Topicwire: jsonItemExtra{Story: e.story, Revision: e.revision, Topics: append([]aggregator.TopicID{}, e.topics...)},
	}
	if e.reports[0].url != "" {
		out.ExternalUrl = e.link
	}
	for _, a := range e.authors {
		out.Authors = append(out.Authors, &feeds.JSONAuthor{Name: a.Name, Url: a.URL})
	}
	for _, f := range e.files {
		if f.Type == "" { // the member is required
			f.Type = "application/octet-stream"
		}
		out.Attachments = append(out.Attachments, jsonAttachment{URL: f.URL, Type: f.Type, Size: f.Length, Duration: seconds(f.Duration)})
	}
	for i := range e.reports {
		out.Topicwire.Sources = append(out.Topicwire.Sources, jsonSourceOf(&e.reports[i]))
	}
	return out
}

func jsonSourceOf(r *report) jsonSource {
	return jsonSource{
		Item: r.item, Feed: r.source.feed, FeedTitle: r.source.title, FeedURL: r.source.url, HomePage: r.source.home, Rights: r.source.rights,
		Title: r.title, URL: r.url, Published: rfc3339(r.published), DateSource: r.dateSource, FirstSeen: rfc3339(r.firstSeen),
	}
}
