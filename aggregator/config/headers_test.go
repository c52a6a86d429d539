package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

func TestHeadersOfAFeedMakeItPrivate(t *testing.T) {
	text := "feeds:\n - {id: a, url: https://a.example/, headers: {authorization: 'Bearer ${SECRET}', X-Key: 12}}\n - {id: b, url: https://b.example/, headers: {}}\n"
	c, err := config.Parse(file, []byte(text), options())
	if err != nil {
		t.Fatal(err)
	}
	want := map[aggregator.FeedID]map[string]string{"a": {"Authorization": "Bearer hunter2 hunter2", "X-Key": "12"}}
	if diff := cmp.Diff(want, c.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if !c.Feeds[0].Private || c.Feeds[1].Private {
		t.Errorf("private: %v and %v, want the first alone", c.Feeds[0].Private, c.Feeds[1].Private)
	}
	if _, err := config.RemoveFeed(file, []byte(text), "a", options()); err != nil {
		t.Error(err)
	}
}
