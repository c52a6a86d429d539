// Package labelled measures topics against items of which a person has said what topics they belong to.
//
// # Files
//
// A labelled file is JSON Lines (UTF-8, one object a line):
//
//	{"title": "...", "text": "...", "language": "en", "topics": ["cloud"]}
//
// topics is needed, and empty for an item that belongs to none. title and text are plain text. feed, url, author, categories
// and published (RFC 3339, or a day) may be there for queries that ask for them. Anything else is an error, and so are empty
// files: a measure of nothing would be a perfect one.
package labelled

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Item is an item with the topics that it belongs to.
type Item struct {
	Title      string               `json:"title"`
	Text       string               `json:"text"`
	Language   string               `json:"language"`
	Feed       aggregator.FeedID    `json:"feed"`
	URL        string               `json:"url"`
	Author     string               `json:"author"`
	Categories []string             `json:"categories"`
	Published  Date                 `json:"published"`
	Topics     []aggregator.TopicID `json:"topics"`
}

// Date is a time, written as one of RFC 3339 or as a day of UTC.
type Date time.Time

// UnmarshalText reads a date.
func (d *Date) UnmarshalText(text []byte) error {
	for _, layout := range [...]string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			*d = Date(at.UTC())
			return nil
		}
	}
	return fmt.Errorf("%q is no date; write 2026-01-31 or 2026-01-31T12:00:00Z", text)
}

// Item is what topics are asked about.
func (i *Item) Item() *aggregator.Item {
	it := &aggregator.Item{
		Feed: i.Feed, URL: i.URL, Title: i.Title, Content: "<p>" + html.EscapeString(i.Text) + "</p>", Language: i.Language,
		Categories: i.Categories, Published: time.Time(i.Published),
	}
	if i.Author != "" {
		it.Authors = []aggregator.Author{{Name: i.Author}}
	}
	return it
}

// maxLine bounds a line of a labelled file, in bytes.
const maxLine = 4 << 20

// Read reads a labelled file. An error names the line.
func Read(r io.Reader) ([]Item, error) {
	var items []Item
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(line) == 0 {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var item Item
		if err := decoder.Decode(&item); err != nil {
			return nil, fmt.Errorf("read line %d: %w", number, err)
		}
		if decoder.More() {
			return nil, fmt.Errorf("read line %d: more than one object; write one a line", number)
		}
		if item.Topics == nil {
			return nil, fmt.Errorf("read line %d: no topics; write \"topics\": [] for an item that belongs to none", number)
		}
		items = append(items, item)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read line %d: %w", number+1, err)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("read labelled items: there are none")
	}
	return items, nil
}

// Score counts what a topic finds: Right is what it should, Wrong what it should not, Missed what it should and does not.
type Score struct{ Right, Wrong, Missed int }

// Precision is the share of what it finds that is right, 1 where it finds nothing.
func (s Score) Precision() float64 { return share(s.Right, s.Right+s.Wrong) }

// Recall is the share of what it should find that it does, 1 where there is nothing to find.
func (s Score) Recall() float64 { return share(s.Right, s.Right+s.Missed) }

// F1 is the harmonic mean of the two.
func (s Score) F1() float64 { return share(2*s.Right, 2*s.Right+s.Wrong+s.Missed) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Mistake is an item that a topic gets wrong: it finds it and should not, or else misses it.
type Mistake struct {
	Topic aggregator.TopicID
	// Item is its place among the items, from 0.
	Item  int
	Found bool
}

// Measure holds what match says of the items against their labels: the score of each of the topics, in their order, and the
// mistakes in the order of the items.
func Measure(items []Item, topics []aggregator.TopicID, match func(*aggregator.Item) []aggregator.TopicID) ([]Score, []Mistake) {
	scores := make([]Score, len(topics))
	var mistakes []Mistake
	for n := range items {
		found := match(items[n].Item())
		for i, id := range topics {
			got, want := slices.Contains(found, id), slices.Contains(items[n].Topics, id)
			switch {
			case got && want:
				scores[i].Right++
			case got:
				scores[i].Wrong++
			case want:
				scores[i].Missed++
			}
			if got != want {
				mistakes = append(mistakes, Mistake{id, n, got})
			}
		}
	}
	return scores, mistakes
}
