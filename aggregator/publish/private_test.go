package publish_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

const token = "s3cr3t-t0ken"

// privateSource has one story, of a private feed at the URL whose document calls itself home; the item says what a
// publisher may say, which here names the URL wherever a link can stand.
func privateSource(url, home string) *memory {
	it := item("courier", "note", 1, "cloud")
	it.Content = fmt.Sprintf(`<p>Text<a href="%[1]s#note-1">1</a></p><blockquote cite="%[1]s">q</blockquote>`+
		`<img src="%[1]s" alt="a"><img src="https://courier.example/b.png" alt="b" srcset="%[1]s 2x"><video poster="%[1]s" src="%[1]s"></video>`, url)
	it.Summary = fmt.Sprintf(`In short: <a href="%s#note-2">2</a>.`, url)
	it.URL, it.Image = url+"#note", url
	it.Authors = []aggregator.Author{{Name: "Jo Bell", URL: url}}
	it.Enclosures = []aggregator.Enclosure{{URL: url, Type: "audio/mpeg"}}
	other := item("agency", "note", 2, "cloud")
	status := aggregator.FeedStatus{
		Feed: aggregator.Feed{ID: "courier", URL: url, Private: true},
		State: aggregator.FeedState{
			Title: "The Courier", Link: home, DocumentID: url, MovedTo: url + "/moved", Move: aggregator.Move{Refused: "moved permanently to " + url},
			LastPoll: aggregator.PollRecord{At: noon, Outcome: aggregator.OutcomeFailed, Error: "get " + url + ": refused at " + url},
		},
		Active: true,
	}
	return &memory{
		// The second story has the private feed among its other reports.
		stories: []aggregator.Story{story(it), story(other, it)},
		feeds:   map[aggregator.FeedID]aggregator.FeedStatus{"courier": status, "agency": feed("agency", "News & Agency")},
	}
}

func TestAPrivateFeedIsNamedWithoutItsURL(t *testing.T) {
	const plain = "https://courier.example/"
	for name, tc := range map[string]struct{ url, home, wantHome string }{
		"a token in the query":                 {"https://courier.example/feed?token=" + token, plain, plain},
		"in the path":                          {"https://courier.example/" + token + "/feed.xml", plain, plain},
		"in the path of the home page as well": {"https://courier.example/" + token + "/feed.xml", "https://courier.example/" + token + "/", ""},
		"in the query of the home page":        {"https://courier.example/feed/" + token, "https://courier.example/?t=" + token, ""},
		"in both, in other letters":            {"https://courier.example/feed?t=" + token, "https://courier.example/" + strings.ToUpper(token), ""},
		"in the user information":              {"https://reader:" + token + "@courier.example/feed", plain, plain},
		"for a home page that names itself":    {"https://reader:" + token + "@courier.example/feed", "https://courier.example/u/" + token, ""},
		"the feed calls itself its home page":  {"https://courier.example/?token=" + token, "https://courier.example/?token=" + token, ""},
		"the secret is the host":               {"https://" + token + ".example", "https://" + token + ".example/", ""},
		"there is no home page":                {"https://courier.example/feed?token=" + token, "", ""},
		"no home page that can be linked":      {"https://courier.example/feed?token=" + token, "javascript:x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			src := privateSource(tc.url, tc.home)
			checkAll(t, src)
			h := handler(t, src, searchable)
			for _, path := range []string{
				"/status", "/status?sort=rate", "/all?q=title", "/all?until=2026-11-22",
				"/stories/" + src.stories[0].ID.String(), "/stories/" + src.stories[1].ID.String(),
				"/", "/topics/cloud", "/all", "/all.atom", "/all.rss", "/all.json", "/topics/cloud.atom", "/topics/cloud.rss", "/topics/cloud.json", "/opml",
			} {
				body := get(t, h, path).Body.String()
				if strings.Contains(strings.ToLower(body), token) {
					t.Errorf("GET %s shows the secret:\n%s", path, body)
				}
			}
			atom, rss, json := get(t, h, "/all.atom").Body.String(), get(t, h, "/all.rss").Body.String(), get(t, h, "/all.json").Body.String()
			for _, want := range []struct{ body, home string }{
				{atom, `<link href="` + tc.wantHome + `" rel="alternate"></link>`},
				{rss, `<source url="` + tc.wantHome + `">The Courier</source>`},
				{json, `"home_page_url": "` + tc.wantHome + `"`},
			} {
				if got := strings.Contains(want.body, want.home); got != (tc.wantHome != "") {
					t.Errorf("%s is there: %v, want it unless there is none to show:\n%s", want.home, got, want.body)
				}
			}
			if !strings.Contains(atom, "The Courier") || !strings.Contains(json, `"feed": "courier"`) {
				t.Errorf("the source is not named:\n%s%s", atom, json)
			}
		})
	}
}

// What is secret is the URL and not what the feed brings.
func TestAPrivateFeedsItemsKeepTheirLinks(t *testing.T) {
	src := privateSource("https://courier.example/feed?token="+token, "https://courier.example/")
	it := &src.stories[0].Items[0]
	it.URL = "https://courier.example/feed/1"
	it.Content = `<p><a href="https://courier.example/feed?other">more</a></p>`
	body := get(t, handler(t, src), "/all.atom").Body.String()
	for _, want := range []string{`href="https://courier.example/feed/1"`, "https://courier.example/feed?other"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not there:\n%s", want, body)
		}
	}
}
