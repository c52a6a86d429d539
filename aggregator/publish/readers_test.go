package publish_test

import (
	"html"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"
)

// read is what a reader shows of an entry.
type read struct {
	GUID, Title, Link, Content string
	Published                  time.Time
	Authors, Categories        []string
}

func TestAReaderReadsAllFormatsAlike(t *testing.T) {
	h := handler(t, sample())
	feeds := map[string][]read{}
	for _, format := range []string{"atom", "rss", "json"} {
		feed, err := gofeed.NewParser().ParseString(get(t, h, "/topics/cloud."+format).Body.String())
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if feed.Title != "Cloud computing" || feed.Link != "https://wire.example.org/topics/cloud" {
			t.Errorf("%s: feed %q at %q", format, feed.Title, feed.Link)
		}
		for _, it := range feed.Items {
			r := read{GUID: it.GUID, Title: it.Title, Link: it.Link, Content: it.Content, Published: it.PublishedParsed.UTC(), Categories: it.Categories}
			for _, a := range it.Authors {
				r.Authors = append(r.Authors, a.Name)
			}
			if format == "rss" { // what could be taken for markup is escaped, as most readers expect; this one does not
				r.Title = html.UnescapeString(r.Title)
			}
			if len(r.Authors) > 1 { // this reader takes one dc:creator
				r.Authors = r.Authors[:1]
			}
			feeds[format] = append(feeds[format], r)
		}
	}
	if len(feeds["atom"]) != 2 {
		t.Fatalf("%d entries, want 2: the story of two reports once, and the note", len(feeds["atom"]))
	}
	first := feeds["atom"][0]
	if first.Title != "Provider to open Karachi office & data centre as <localisation> bill nears" {
		t.Errorf("title %q", first.Title)
	}
	if diff := cmp.Diff([]string{"Amna Khan"}, first.Authors); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Cloud", "Pakistan", "R&D"}, first.Categories); diff != "" {
		t.Error(diff)
	}
	for _, format := range []string{"rss", "json"} {
		if diff := cmp.Diff(feeds["atom"], feeds[format]); diff != "" {
			t.Errorf("atom and %s differ (-atom +%s):\n%s", format, format, diff)
		}
	}
}
