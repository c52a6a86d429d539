package parse_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed/rss"

	"github.com/topicwire/topicwire/aggregator/parse"
)

// samePlain fails where an element that was kept from gofeed was read in another way, and counts the items with such ones.
func samePlain(t *testing.T, body []byte) (items int) {
	t.Helper()
	ours, kept, theirs := parse.PlainItems(body)
	if len(ours) != len(theirs) {
		t.Fatalf("%d items, gofeed has %d, of %q", len(ours), len(theirs), body)
	}
	own := func(it *rss.Item) []any {
		var categories []string
		for _, c := range it.Categories {
			categories = append(categories, c.Value)
		}
		return []any{it.Title, strings.Join(it.Links, "\n"), it.GUID, it.Author, categories, it.Comments}
	}
	for i, it := range ours {
		if !kept[i] {
			continue
		}
		items++
		if got, want := own(it), own(theirs[i]); !reflect.DeepEqual(got, want) {
			t.Fatalf("item %d is %q, gofeed reads %q, of %q", i, got, want, body)
		}
	}
	return items
}

// TestPlainElements: RSS's own elements are read as gofeed reads them, or left to it, in whatever way they are written.
func TestPlainElements(t *testing.T) {
	names, err := filepath.Glob("testdata/*.feed")
	if err != nil {
		t.Fatal(err)
	}
	items := 0
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		items += samePlain(t, body)
	}
	random := rand.New(rand.NewPCG(8, 8))
	any := func(of string) string {
		all := strings.Split(of, "|")
		return all[random.IntN(len(all))]
	}
	for range 4000 {
		items += samePlain(t, []byte(oddFeed(any)))
	}
	t.Logf("%d items with elements that were read here", items)
	if items < 1000 {
		t.Errorf("%d items had elements that were kept from gofeed", items)
	}
}

// oddFeed is a feed whose elements are written in any way that XML allows.
func oddFeed(any func(of string) string) string {
	var b strings.Builder
	channel := any("channel|channel|channel|Channel|group|rss:channel")
	fmt.Fprintf(&b, `<rss version="2.0"%s xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" xmlns:x="%s"><%s>`,
		any(`||||| xmlns="urn:x"| xmlns="http://purl.org/rss/1.0/"| xmlns="http://www.w3.org/2005/Atom"`), any("urn:x|http://purl.org/rss/1.0/"), channel)
	for range 1 + len(any("|1|12|123")) {
		item := any("item|item|item|item|Item|rss:item|entry")
		fmt.Fprintf(&b, "<%s%s>", item, any(`||| xmlns="urn:i"| rdf:about="http://about.example/1"| xmlns:x="urn:y"`))
		for range len(any("1|12|123|1234|12345")) {
			name := any("title|link|guid|author|category|comments|Title|LINK|pubDate|description|dc:date|media:title|x:link|rss:title|source|language")
			fmt.Fprintf(&b, "<%s%s>%s</%s>", name,
				any(`||||| isPermaLink="false"| isPermalink="true"| isPermaLink=""| isPermaLink="&#116;rue"| isPermaLink="no" x="y"| xmlns="urn:x"| xmlns:x="http://purl.org/rss/1.0/"| href="/h"| type="xhtml"| xml:base="http://base.example/d/"`),
				any("| |word|a &amp; b|<![CDATA[<b>x</b> &amp; y]]>|&lt;b&gt;|http://u.example/a?b=1&amp;c=2| http://w.example/x y |<b>in</b>|&#x3b; &#59; &#38;amp;|x <![CDATA[ c ]]> y|<x:link>q</x:link>"), name)
		}
		fmt.Fprintf(&b, "</%s>%s", item, any("||||||text"))
	}
	fmt.Fprintf(&b, "</%s>%s</rss>", channel, any("|||<item><title>late</title></item>|<channel><item><link>http://two.example/</link></item></channel>"))
	return b.String()
}
