package publish_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/publish"
)

// Who subscribes finds the hub and the feed's own address in the document and in the headers, and they agree with what
// FeedURLs says may be subscribed to.
func TestFeedsNameTheirHubs(t *testing.T) {
	const hub = "https://hub.example/push?a=1&b=2"
	o := options()
	o.Hubs = []string{hub, "https://other.example/"}
	handler, err := publish.New(&memory{}, o)
	if err != nil {
		t.Fatal(err)
	}
	urls, err := publish.FeedURLs(o.BaseURL, "cloud")
	if err != nil || len(urls) != 3 {
		t.Fatalf("URLs %v, %v", urls, err)
	}
	for _, u := range urls {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, u, nil))
		links := rec.Header().Values("Link")
		want := []string{"<" + hub + `>; rel="hub"`, `<https://other.example/>; rel="hub"`, "<" + u + `>; rel="self"`}
		if rec.Code != http.StatusOK || !slices.Equal(links, want) {
			t.Errorf("%s: %d, Link %q, want %q", u, rec.Code, links, want)
		}
		body := rec.Body.String()
		switch {
		case strings.HasSuffix(u, ".json"):
			var feed struct {
				URL  string `json:"feed_url"`
				Hubs []struct{ Type, URL string }
			}
			if err := json.Unmarshal([]byte(body), &feed); err != nil || feed.URL != u || len(feed.Hubs) != 2 || feed.Hubs[0].URL != hub || feed.Hubs[0].Type != "WebSub" {
				t.Errorf("%s: %+v, %v", u, feed, err)
			}
		default:
			for _, part := range []string{`rel="hub"`, `href="https://hub.example/push?a=1&amp;b=2"`, `href="` + u + `"`} {
				if !strings.Contains(body, part) {
					t.Errorf("%s has no %s:\n%.1000s", u, part, body)
				}
			}
		}
		rec = httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, u+"?limit=1", nil))
		if links := rec.Header().Values("Link"); len(links) > 0 || strings.Contains(rec.Body.String(), "hub.example") {
			t.Errorf("%s?limit=1 names a hub, where nobody may subscribe to it: %q", u, links)
		}
	}
}
