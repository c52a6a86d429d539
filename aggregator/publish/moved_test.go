package publish_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// renamed has topics that were others before, and some that are gone.
func renamed(o *publish.Options) {
	o.Topics[0].Formerly = []aggregator.TopicID{"cloud-computing", "v1.cloud"}
	o.Removed = []aggregator.TopicID{"gone", "gone.too", "cloud"}
}

func TestATopicThatWasRenamedOrRemoved(t *testing.T) {
	h := handler(t, sample(), renamed, baseURL("https://example.org/wire"))
	for path, want := range map[string]struct {
		status   int
		location string
	}{
		"/topics/cloud-computing.atom":             {301, "/wire/topics/cloud.atom"},
		"/topics/cloud-computing.rss?limit=3":      {301, "/wire/topics/cloud.rss?limit=3"},
		"/topics/cloud-computing.json?q=a%26b":     {301, "/wire/topics/cloud.json?q=a%26b"},
		"/topics/cloud-computing":                  {301, "/wire/topics/cloud"},
		"/topics/cloud-computing?until=2026-11-20": {301, "/wire/topics/cloud?until=2026-11-20"},
		"/topics/v1.cloud":                         {301, "/wire/topics/cloud"},
		"/topics/v1.cloud.atom":                    {301, "/wire/topics/cloud.atom"},
		"/wire/topics/v1.cloud.atom":               {301, "/wire/topics/cloud.atom"},
		"/topics/v1.cloud/archive/1/2.atom":        {301, "/wire/topics/cloud/archive/1/2.atom"},
		"/topics/cloud-computing/%3Cb%3E":          {301, "/wire/topics/cloud/%3Cb%3E"},
		"/topics/gone":                             {410, ""},
		"/topics/gone.atom":                        {410, ""},
		"/topics/gone.too":                         {410, ""},
		"/topics/gone.too.json":                    {410, ""},
		"/topics/gone/archive/1/2.atom":            {410, ""},
		"/topics/cloud.atom":                       {200, ""}, // it is back
		"/topics/quiet.atom":                       {200, ""}, // it has no stories
		"/topics/never.atom":                       {404, ""},
		"/topics/gone-too":                         {404, ""},
		"/topics/v1.atom":                          {404, ""},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := do(t, h, method, path)
			if w.Code != want.status || w.Header().Get("Location") != want.location {
				t.Errorf("%s %s: %d to %q, want %d to %q", method, path, w.Code, w.Header().Get("Location"), want.status, want.location)
			}
		}
	}
	o := options()
	o.Topics[0].Formerly = []aggregator.TopicID{"quiet"}
	if _, err := publish.New(sample(), o); err == nil {
		t.Error("two topics at one address are no error")
	}
}

// Readers know a feed by its id, and would take one with another id for a new feed (RFC 4287 section 4.2.6).
func TestARenamedTopicKeepsItsID(t *testing.T) {
	before := handler(t, sample(), func(o *publish.Options) { o.Topics[0].ID = "cloud-computing" })
	after := handler(t, sample(), renamed)
	now := idsOf(t, get(t, after, "/topics/cloud.atom").Body.Bytes())
	if then := idsOf(t, get(t, before, "/topics/cloud-computing.atom").Body.Bytes()); now[0] != then[0] || slices.Contains(now[1:], then[0]) {
		t.Errorf("id %s, was %s", now[0], then[0])
	}
}
