package publish

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// FeedURLs are the addresses of a topic's merged feed, one for each format, on the site with the given base URL: those
// that may be subscribed to at a hub. An error means that the base URL cannot be read.
func FeedURLs(baseURL string, topic aggregator.TopicID) ([]string, error) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL %q: %w", baseURL, err)
	}
	stem := base.Scheme + "://" + base.Host + strings.TrimRight(base.EscapedPath(), "/") + feedPath(topic)
	var urls []string
	for _, k := range []kind{kindAtom, kindRSS, kindJSON} {
		urls = append(urls, stem+"."+string(k))
	}
	return urls, nil
}

// feedPath is where a topic's page is, below the base; its feeds have an extension beside.
func feedPath(topic aggregator.TopicID) string {
	if topic == aggregator.AllTopics {
		return "/all"
	}
	return "/topics/" + url.PathEscape(string(topic))
}

// hubs are those that a document of the given query names. One that is a reader's own cut of a feed changes unseen by any
// hub, as that of a single source does, and a page of the archive never changes.
func (s *site) hubs(d *document, query string) []string {
	if query != "" || d.feed != "" || d.history.archive {
		return nil
	}
	return s.options.Hubs
}

// linkHubs names the hubs and the feed's own address in the headers (WebSub section 4, RFC 8288), for those who
// subscribe without reading the document.
func (s *site) linkHubs(h http.Header, res resource) {
	if !res.isFeed() || res.feed != "" || !res.cut.isZero() {
		return
	}
	hubs := s.options.Hubs
	for _, hub := range hubs {
		h.Add("Link", "<"+hub+`>; rel="hub"`)
	}
	if len(hubs) > 0 {
		h.Add("Link", "<"+s.base+feedPath(res.topic)+"."+string(res.kind)+`>; rel="self"`)
	}
}
