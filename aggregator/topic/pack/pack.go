// Package pack has the topics that come ready-made: queries in many languages for the fields that policy researchers
// follow. They are data, one file a pack in the folder data, and nothing but topics: an operator switches them on in the
// config, or copies a query and goes on from there.
//
// # Files
//
// A pack's file is named by its id. It begins with a line "title: ..." and a line "description: ..."; after an empty line
// comes the query, in the language that package topic describes. A line of the query that begins with # is a comment.
// Queries are sorted by language, so that who reads one of them can mend it.
//
// # How good they are
//
// testdata holds short items in the style of news, each with the packs that it belongs to, split at random into a half on
// which the queries were tuned and a half that only their quality is measured on. The tests report precision, recall and
// F1 of each pack on both halves and demand them on the second.
package pack

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

//go:embed data/*.txt
var files embed.FS

// All are the packs, sorted by id, as topics that can be matched and published as they are. An error means that the
// program was built from a broken file, which it names.
func All() ([]aggregator.Topic, error) {
	entries, err := files.ReadDir("data")
	if err != nil {
		return nil, fmt.Errorf("list packs: %w", err)
	}
	topics := make([]aggregator.Topic, 0, len(entries))
	for _, entry := range entries {
		text, err := files.ReadFile(path.Join("data", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read pack: %w", err)
		}
		topic, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("read pack %s: %w", entry.Name(), err)
		}
		topic.ID = aggregator.TopicID(strings.TrimSuffix(entry.Name(), ".txt"))
		topics = append(topics, topic)
	}
	slices.SortFunc(topics, func(a, b aggregator.Topic) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return topics, nil
}

// parse reads the text of a pack's file.
func parse(text string) (aggregator.Topic, error) {
	var t aggregator.Topic
	head, query, _ := strings.Cut(text, "\n\n")
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); key {
		case "title":
			t.Title = value
		case "description":
			t.Description = value
		default:
			return t, fmt.Errorf("line %q before the query is neither a title: nor a description: one", strings.TrimSpace(line))
		}
	}
	var b strings.Builder
	for line := range strings.Lines(query) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	t.Query = strings.TrimSpace(b.String())
	if t.Title == "" || t.Description == "" || t.Query == "" {
		return t, fmt.Errorf("title, description and query are all needed")
	}
	return t, nil
}
