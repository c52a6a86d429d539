package parse_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed/atom"
	"github.com/mmcdole/gofeed/rss"

	"github.com/topicwire/topicwire/aggregator/parse"
)

// samePlain fails where an element that was kept from gofeed was read in another way, and counts the items with such ones.
func samePlain(t *testing.T, body []byte) (items int) {
	t.Helper()
	ours, kept, theirs := parse.PlainItems(body)
	items = samePlainItems(t, body, ours, theirs, kept, func(it *rss.Item) []any {
		var categories []string
		for _, c := range it.Categories {
			categories = append(categories, c.Value)
		}
		return []any{it.Title, strings.Join(it.Links, "\n"), it.GUID, it.Author, categories, it.Comments}
	})
	entries, kept, theirEntries := parse.PlainEntries(body)
	return items + samePlainItems(t, body, entries, theirEntries, kept, func(e *atom.Entry) []any {
		var of []any
		for _, l := range e.Links {
			of = append(of, *l)
		}
		for _, p := range e.Authors {
			of = append(of, *p)
		}
		for _, c := range e.Categories {
			of = append(of, c.Term, c.Label)
		}
		return append(of, e.Title)
	})
}

func samePlainItems[T any](t *testing.T, body []byte, ours, theirs []*T, kept []bool, plain func(*T) []any) (items int) {
	t.Helper()
	if len(ours) != len(theirs) {
		t.Fatalf("%d items, gofeed has %d, of %q", len(ours), len(theirs), body)
	}
	for i, it := range ours {
		if !kept[i] {
			continue
		}
		items++
		if got, want := plain(it), plain(theirs[i]); !reflect.DeepEqual(got, want) {
			t.Fatalf("item %d is %q, gofeed reads %q, of %q", i, got, want, body)
		}
	}
	return items
}

// TestPlainElements: the formats' own elements are read as gofeed reads them, or left to it, in whatever way they are written.
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
		items += samePlain(t, []byte(oddFeed(any))) + samePlain(t, []byte(oddAtom(any)))
	}
	t.Logf("%d items with elements that were read here", items)
	if items < 4000 {
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

// oddAtom is oddFeed for Atom.
func oddAtom(any func(of string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<feed%s xmlns:a="%s" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:thr="http://purl.org/syndication/thread/1.0"><title>t</title>`,
		any(` xmlns="http://www.w3.org/2005/Atom"| xmlns="http://www.w3.org/2005/Atom"| xmlns="http://purl.org/atom/ns#"|| xmlns="urn:x"`),
		any("urn:a|http://www.w3.org/2005/Atom"))
	for range len(any("1|12|123")) {
		fmt.Fprintf(&b, "<entry%s>", any(`||| xml:lang="de"| xmlns="urn:i"`))
		for range len(any("1|12|123|1234|12345")) {
			name := any("title|id|link|link|author|category|content|summary|published|dc:creator|a:link|a:title|source|rights|LINK")
			text := any("| |word|a &amp; b|<![CDATA[<b>x</b> &amp; y]]>|&lt;b&gt;|<b>in</b>|&#x3b; &#59;|x <![CDATA[ c ]]> y")
			attributes := any(`|||||| xmlns="urn:x"| xmlns:a="http://www.w3.org/2005/Atom"| xml:base="http://own.example/"| src="/c"`)
			switch name {
			case "link", "LINK", "a:link":
				attributes += any(`| href="http://l.example/a%zz b"| href=" /x?y=1&amp;z=2" rel="replies" thr:count="3"| href="https://é.example/é" rel=""| href="&#104;ttp://n.example"| a:href="http://f.example/"| type="text/html" length="12" title="T"`)
			case "category":
				attributes += any(`| term="law"| term="a &amp; b" label="L"| a:term="y"`)
			case "author", "source":
				text = any("<name>Jo &amp; B</name>|<name>Jo</name><email>j@x.example</email>|<uri>http://x.example/a b</uri>|<name/>|<a:name>x</a:name>|" +
					`<name type="html">x</name>|<name><b>x</b></name>|<homepage>h</homepage>|text|`)
			}
			fmt.Fprintf(&b, "<%s%s>%s</%[1]s>", name, attributes, text)
		}
		b.WriteString("</entry>")
	}
	return b.String() + "</feed>"
}
