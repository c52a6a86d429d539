package publish_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// TestWhichReportStandsForAStory: the one that is preferred among those that the topic has, in the place that the story had,
// with the others named in it.
func TestWhichReportStandsForAStory(t *testing.T) {
	day := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	report := func(feed, title string, hour int, topics ...aggregator.TopicID) aggregator.Item {
		at := day.Add(time.Duration(hour) * time.Hour)
		return aggregator.Item{
			ID: aggregator.NewItemID(aggregator.FeedID(feed), "test", title), Feed: aggregator.FeedID(feed), Title: title, Topics: topics,
			URL: "https://" + feed + ".example/" + title, Published: at, FirstSeen: at, Revised: at, OrderTime: at, Revision: 1,
		}
	}
	story := aggregator.Story{ID: aggregator.StoryID{1}, Items: []aggregator.Item{
		report("a", "plain", 0, "t"), report("b", "preferred-elsewhere", 1), report("c", "preferred", 2, "t"),
	}}
	between := aggregator.Story{ID: aggregator.StoryID{2}, Items: []aggregator.Item{report("d", "between", 1, "t")}}
	src := &memory{stories: []aggregator.Story{story, between}, version: aggregator.Version{Seq: 1, Changed: day}}
	handler, err := publish.New(src, publish.Options{
		BaseURL: "https://wire.example.org", Authority: "wire.example.org,2026-11-23", Topics: []aggregator.Topic{{ID: "t", Title: "T"}},
		Represent: func(a, b *aggregator.Item) int {
			return -cmp.Compare(strings.Count(a.Title, "preferred")+strings.Count(a.Title, "elsewhere"), strings.Count(b.Title, "preferred")+strings.Count(b.Title, "elsewhere"))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/topics/t.atom": "preferred", "/all.atom": "preferred-elsewhere", "/topics/t": "preferred", "/all": "preferred-elsewhere"} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		body := rec.Body.String()
		if strings.HasSuffix(path, ".atom") {
			if !strings.Contains(body, ">"+want+"</title>") || strings.Contains(body, "<title>plain</title>") {
				t.Errorf("%s: want the story under %q:\n%s", path, want, body)
			}
			if !strings.Contains(body, "https://a.example/plain") {
				t.Errorf("%s does not name the other report", path)
			}
			if strings.Index(body, "between") > strings.Index(body, want) {
				t.Errorf("%s: the story has moved", path)
			}
			continue
		}
		if !strings.Contains(body, ">"+want+"<") {
			t.Errorf("%s: want the story under %q:\n%s", path, want, body)
		}
	}
	if src.stories[0].Items[0].Title != "plain" {
		t.Error("the source's own story was changed")
	}
}
