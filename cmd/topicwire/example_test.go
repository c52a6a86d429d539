package main

import (
	"io"
	"slices"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

// TestExampleTopics files stories that an operator who starts from the example would look for.
func TestExampleTopics(t *testing.T) {
	p := &program{stdout: io.Discard, stderr: io.Discard}
	cfg, err := p.parseConfig("config.example.yaml", []byte(exampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := topic.NewLibrary(cfg.Queries).NewMatcher(cfg.Topics)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		item      aggregator.Item
		want, not []aggregator.TopicID
	}{
		"a cloud office opens while a data protection bill is pending": {
			item: aggregator.Item{
				Title: "AWS to open an office in Karachi",
				Content: `<p>Amazon Web Services will open its first office in Pakistan this year. A personal data protection
bill that asks for data localisation is still before the ministry.</p>`,
			},
			want: []aggregator.TopicID{"cloud", "data-protection"},
		},
		"an office opens": {
			item: aggregator.Item{Title: "Bank opens a branch in Karachi", Content: "<p>It has ten desks and said that clouds would not stop it.</p>"},
			not:  []aggregator.TopicID{"cloud", "data-protection"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := matcher.Match(&tc.item)
			for _, id := range tc.want {
				if !slices.Contains(got, id) {
					t.Errorf("topics %q, want %q among them", got, id)
				}
			}
			for _, id := range tc.not {
				if slices.Contains(got, id) {
					t.Errorf("topics %q, want %q not among them", got, id)
				}
			}
		})
	}
}
