package parse_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
)

// hashes gives the hashes of a document's items and what was read of them.
func hashes(t testing.TB, body []byte, name string, known map[aggregator.Hash]bool) *parse.Document {
	t.Helper()
	doc, err := parse.Parse(body, parse.Source{
		URL: "https://feeds.example/" + name, Seen: seen, Known: func(h aggregator.Hash) bool { return known[h] },
	})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestKnownItemsAreSkipped reads captured feeds of which every other item is known: the rest comes out as if all had
// been read.
func TestKnownItemsAreSkipped(t *testing.T) {
	for name, body := range specimen.Feeds(t) {
		t.Run(name, func(t *testing.T) {
			all := hashes(t, body, name, nil)
			if len(all.Hashes) != len(all.Items) || len(all.Skipped) != 0 {
				t.Fatalf("%d hashes and %d skipped for %d items", len(all.Hashes), len(all.Skipped), len(all.Items))
			}
			known := map[aggregator.Hash]bool{}
			var want []aggregator.Item
			for i, it := range all.Items {
				if i%2 == 0 {
					known[all.Hashes[i]] = true
				} else {
					want = append(want, it)
				}
			}
			some := hashes(t, body, name, known)
			if diff := cmp.Diff(want, some.Items); diff != "" {
				t.Errorf("the items that are not known read otherwise (-all +some):\n%s", diff)
			}
			if len(some.Skipped) != len(known) || some.Listed != all.Listed {
				t.Errorf("%d skipped of %d, want %d of %d", len(some.Skipped), some.Listed, len(known), all.Listed)
			}
			if diff := cmp.Diff(all.Repairs, some.Repairs); diff != "" {
				t.Errorf("other repairs (-all +some):\n%s", diff)
			}
			if len(some.Hashes) != len(some.Items) {
				t.Fatalf("%d hashes for %d items", len(some.Hashes), len(some.Items))
			}
			for i, h := range all.Hashes {
				if i%2 == 0 && some.Skipped[i/2] != h || i%2 == 1 && some.Hashes[i/2] != h {
					t.Errorf("item %d has another hash", i)
				}
			}
			for _, h := range all.Hashes {
				known[h] = true
			}
			if none := hashes(t, body, name, known); len(none.Items) != 0 || none.Title != all.Title || none.Link != all.Link {
				t.Errorf("all are known and %d were read, title %q, link %q", len(none.Items), none.Title, none.Link)
			}
		})
	}
}

// TestKnownItemsChange reads a document again after a change: what the change touches is read, and nothing else.
func TestKnownItemsChange(t *testing.T) {
	const rss = `<rss version="2.0"><channel><title>T</title><link>https://site.example/</link><language>en</language>
<lastBuildDate>Mon, 09 Mar 2026 08:00:00 GMT</lastBuildDate><item><title>one</title><link>1</link></item>
<item><title>two</title><link>2</link></item></channel></rss>`
	const atom = `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>T</title><id>urn:f</id><updated>2026-03-09T08:00:00Z</updated>
<author><name>A</name></author><entry><title>one</title><id>1</id></entry><entry><title>two</title><id>2</id></entry></feed>`
	const json = `{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","title":"one"},{"id":"2","title":"two"}]}`
	for name, tc := range map[string]struct {
		body, old, new, want string
	}{
		"a title":              {rss, "two", "too", "too"},
		"a new item":           {rss, "<item><title>one", "<item><title>zero</title></item><item><title>one", "zero"},
		"a build date":         {rss, "08:00:00", "09:00:00", ""},
		"the feed's title":     {rss, "<title>T", "<title>U", ""},
		"the feed's link":      {rss, "site.example", "other.example", "one two"},
		"the feed's language":  {rss, ">en<", ">ur<", "one two"},
		"a base on the root":   {rss, `<rss`, `<rss xml:base="https://b.example/"`, "one two"},
		"an Atom title":        {atom, "two", "too", "too"},
		"an Atom feed's date":  {atom, "T08:00", "T09:00", ""},
		"the Atom feed's name": {atom, "<name>A", "<name>B", "one two"},
		"an Atom language":     {atom, `xml:lang="en"`, `xml:lang="ur"`, "one two"},
		"a JSON title":         {json, "two", "too", "too"},
		"a new JSON item":      {json, `{"id":"1"`, `{"id":"0","title":"zero"},{"id":"1"`, "zero"},
		"nothing":              {rss, "zzz", "", ""},
		"nothing in JSON":      {json, "zzz", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			known := map[aggregator.Hash]bool{}
			for _, h := range hashes(t, []byte(tc.body), name, nil).Hashes {
				known[h] = true
			}
			doc := hashes(t, []byte(strings.Replace(tc.body, tc.old, tc.new, 1)), name, known)
			var titles []string
			for _, it := range doc.Items {
				titles = append(titles, it.Title)
			}
			if got := strings.Join(titles, " "); got != tc.want {
				t.Errorf("read %q, want %q", got, tc.want)
			}
		})
	}
}

// TestDatesAreReadWithThoseOfKnownItems reads a new item whose date can be read in two ways: those of the items beside it
// tell, though they are known.
func TestDatesAreReadWithThoseOfKnownItems(t *testing.T) {
	const head = `<rss version="2.0"><channel><title>T</title><link>https://site.example/</link>`
	old := func(date string) string {
		return "<item><title>old " + date + "</title><pubDate>" + date + "</pubDate></item>"
	}
	for name, tc := range map[string]struct {
		old, want string
	}{
		"day first":   {old("25/02/2026 10:00") + old("20/02/2026 09:00"), "2026-02-03T10:00:00Z"},
		"month first": {old("02/25/2026 10:00") + old("02/20/2026 09:00"), "2026-03-02T10:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			known := map[aggregator.Hash]bool{}
			for _, h := range hashes(t, []byte(head+tc.old+"</channel></rss>"), name, nil).Hashes {
				known[h] = true
			}
			fresh := "<item><title>new</title><pubDate>03/02/2026 10:00</pubDate></item>"
			doc := hashes(t, []byte(head+fresh+tc.old+"</channel></rss>"), name, known)
			if len(doc.Items) != 1 || len(doc.Skipped) != 2 || doc.Items[0].Published.Format(time.RFC3339) != tc.want {
				t.Errorf("%d skipped, read %+v, want one item of %s", len(doc.Skipped), doc.Items, tc.want)
			}
		})
	}
}
