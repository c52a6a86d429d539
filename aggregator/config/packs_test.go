package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
)

func TestPacks(t *testing.T) {
	asItIs := aggregator.Topic{ID: "antitrust", Title: "Title of antitrust", Description: "All of it", Query: "antitrust"}
	own := aggregator.Topic{ID: "own", Title: "own", Query: "words"}
	for name, tc := range map[string]struct {
		text string
		want []aggregator.Topic
	}{
		"a list, which stands first wherever it is written": {
			"topics: [{id: own, query: words}]\npacks: [antitrust]", []aggregator.Topic{asItIs, own},
		},
		"a list before the topics": {"packs: [antitrust]\ntopics: [{id: own, query: words}]", []aggregator.Topic{asItIs, own}},
		"an empty list":            {"packs: []\ntopics: [{id: own, query: words}]", []aggregator.Topic{own}},
		"a topic that is a pack":   {"topics: [{pack: antitrust}]", []aggregator.Topic{asItIs}},
		"a topic without a pack":   {"topics: [{pack: , id: own, query: words}]", []aggregator.Topic{own}},
		"a topic that changes all": {
			"feeds: [{id: f, url: 'https://example.org/'}]\n" +
				"topics: [{query: sugar OR tea, title: T, id: competition, description: D, feeds: [f], pack: antitrust}]",
			[]aggregator.Topic{{
				ID: "competition", Title: "T", Description: "D", Query: "(antitrust\n)\nOR (sugar OR tea\n)", Feeds: []aggregator.FeedID{"f"},
			}},
		},
		"stems": {
			"topics: [{id: own, query: words, stem: true}, {pack: antitrust, stem: en}, {id: more, query: words, stem: false}]",
			[]aggregator.Topic{
				{ID: "own", Title: "own", Query: "~(words\n)"}, {ID: "antitrust", Title: "Title of antitrust", Description: "All of it", Query: "~en:(antitrust\n)"},
				{ID: "more", Title: "more", Query: "words"},
			},
		},
		"the same pack twice, under two ids": {
			"packs: [antitrust]\ntopics: [{pack: antitrust, id: own, title: own, description: D}]",
			[]aggregator.Topic{asItIs, {ID: "own", Title: "own", Description: "D", Query: "antitrust"}},
		},
		"a feed that is filed under a pack": {
			"packs: [antitrust]\nfeeds: [{id: f, url: 'https://example.org/', topics: [antitrust]}]", []aggregator.Topic{asItIs},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, parse(t, tc.text).Topics); diff != "" {
				t.Errorf("topics differ (-want +got):\n%s", diff)
			}
		})
	}
}
