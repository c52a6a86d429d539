package scan_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

func TestNotFeeds(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want scan.NotFeedError
	}{
		"nothing":                  {"", scan.NotFeedError{What: "empty"}},
		"white space":              {" \r\n\t", scan.NotFeedError{What: "empty"}},
		"a byte order mark alone":  {"\ufeff", scan.NotFeedError{What: "empty"}},
		"control bytes":            {"\x00\x01\x02", scan.NotFeedError{What: "nothing but control characters"}},
		"a line of text":           {"Service unavailable", scan.NotFeedError{What: "plain text"}},
		"text with signs":          {"1 < 2 & 3 > 2", scan.NotFeedError{What: "plain text"}},
		"a picture":                {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", scan.NotFeedError{What: "binary data"}},
		"an archive":               {"PK\x03\x04\x14\x00", scan.NotFeedError{What: "binary data"}},
		"a document to print":      {"%PDF-1.4\n%\xe2\xe3\xcf\xd3", scan.NotFeedError{What: "binary data"}},
		"an error in JSON":         {`{"error":"not found"}`, scan.NotFeedError{What: "JSON, but no feed"}},
		"a list in JSON":           {`[{"title":"x","items":[]}]`, scan.NotFeedError{What: "JSON, but no feed"}},
		"a search result in JSON":  {`{"total":1,"items":[{"id":1,"name":"x"}]}`, scan.NotFeedError{What: "JSON, but no feed"}},
		"half of something":        {`{"error":"not fo`, scan.NotFeedError{What: "broken JSON"}},
		"a style sheet":            {"{color:red}", scan.NotFeedError{What: "broken JSON"}},
		"a list of feeds":          {`<?xml version="1.0"?><opml version="2.0"><body/></opml>`, scan.NotFeedError{What: "an OPML list of feeds"}},
		"a list of sitemaps":       {`<sitemapindex><sitemap/></sitemapindex>`, scan.NotFeedError{What: "a list of sitemaps"}},
		"a sitemap of pages":       {`<urlset><url><loc>https://example.org/</loc></url></urlset>`, scan.NotFeedError{What: "a sitemap without news"}},
		"an error in XML":          {`<Error><Code>AccessDenied</Code></Error>`, scan.NotFeedError{What: "an XML document of another kind (its root is <Error>)"}},
		"broken gzip":              {"\x1f\x8b\x08\x00junk", scan.NotFeedError{What: "broken gzip data"}},
		"a page":                   {"<!doctype html><title>x</title><p>y", scan.NotFeedError{What: "a web page"}},
		"a page about feeds":       {"<html><body><pre>&lt;rss version='2.0'></pre><script>x = '<rss version=\"2.0\">'</script>", scan.NotFeedError{What: "a web page"}},
		"a page that shows a feed": {"<html><body><p>use <channel> and <item>", scan.NotFeedError{What: "a web page"}},
		"a page that names feeds": {`<html><head><link rel="stylesheet" type="text/css" href="a.css">
			<link rel="alternate" type="application/rss+xml" title="x" href="/feed?a=1&amp;b=2"><LINK href=atom.xml type=application/atom+xml rel="Alternate home">
			<link rel=alternate hreflang=de href=/de><link rel="alternate" type="application/json+oembed" href="/oembed">`,
			scan.NotFeedError{What: "a web page", Alternates: []scan.Alternate{
				{URL: "/feed?a=1&b=2", Type: "application/rss+xml", Title: "x"}, {URL: "atom.xml", Type: "application/atom+xml"},
			}}},
		"a page with a base": {`<html><head><base href="https://example.org/blog/"><link rel=alternate type="application/feed+json" href="feed.json">`,
			scan.NotFeedError{What: "a web page", Alternates: []scan.Alternate{
				{URL: "https://example.org/blog/feed.json", Type: "application/feed+json"},
			}}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := scan.Scan([]byte(tc.body), "", scan.DefaultLimits())
			var got *scan.NotFeedError
			if !errors.As(err, &got) {
				t.Fatalf("Scan = %+v, %v", r, err)
			}
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLimits sets one limit at a time to just what a document has, and to one less.
func TestLimits(t *testing.T) {
	rss := func(items string) string {
		return `<rss xmlns:a="urn:a" xmlns:b="urn:b"><channel>` + items + `</channel></rss>`
	}
	for name, tc := range map[string]struct {
		body  string
		set   func(l *scan.Limits, n int)
		holds int
	}{
		"bytes":               {rss(one), func(l *scan.Limits, n int) { l.Size = n }, len(rss(one))},
		"depth":               {rss("<item><x><y/></x></item>"), func(l *scan.Limits, n int) { l.Depth = n }, 5},
		"depth of markup":     {rss("<item><title><i><b/></i></title></item>"), func(l *scan.Limits, n int) { l.Depth = n }, 6},
		"depth of JSON":       {`{"version":"https://jsonfeed.org/version/1","x":[[1]]}`, func(l *scan.Limits, n int) { l.Depth = n }, 3},
		"attributes":          {rss(`<item a="" b="" c=""/>`), func(l *scan.Limits, n int) { l.Attributes = n }, 3},
		"namespaces":          {rss(`<item xmlns="urn:c"/><item xmlns:d="urn:d"/>`), func(l *scan.Limits, n int) { l.Namespaces = n }, 3},
		"bindings":            {rss(`<item/>`), func(l *scan.Limits, n int) { l.Bindings = n }, 6},
		"bases":               {rss(`<item xml:base="x"/><item xml:base="y"/>`), func(l *scan.Limits, n int) { l.Bases = n }, 2},
		"bases in each other": {rss(`<item xml:base="x"><x xml:base="y"/></item>`), func(l *scan.Limits, n int) { l.BaseDepth = n }, 2},
		"length of a base":    {rss(`<item xml:base="abcd"/>`), func(l *scan.Limits, n int) { l.BaseLength = n }, 4},
		"text":                {rss(`<item><x>abcd<![CDATA[efgh]]></x></item>`), func(l *scan.Limits, n int) { l.Text = n }, 8},
		"markup":              {rss(`<item><title>a<b>c</b></title></item>`), func(l *scan.Limits, n int) { l.Text = n }, 9},
		"text of JSON":        {`{"version":"https://jsonfeed.org/version/1","items":[{"title":"` + strings.Repeat("x", 50) + `"}]}`, func(l *scan.Limits, n int) { l.Text = n }, 50},
		"copies":              {rss(`<item><a:x>abcd<b/>efgh<b/>i</a:x></item>`), func(l *scan.Limits, n int) { l.Copies = n }, 12},
		"elements":            {rss(`<item><title>a<b>c</b></title></item>`), func(l *scan.Limits, n int) { l.Elements = n }, 4},
		"items":               {rss(`<item/><item/>`), func(l *scan.Limits, n int) { l.Items = n }, 2},
		"items of JSON":       {`{"version":"https://jsonfeed.org/version/1","items":[{},{}]}`, func(l *scan.Limits, n int) { l.Items = n }, 2},
		"decompressed bytes":  {string(compress([]byte(rss(one)))), func(l *scan.Limits, n int) { l.Size = n }, len(rss(one))},
		"items of a sitemap":  {`<urlset><url><loc>a</loc><news/></url><url><loc>b</loc><news/></url></urlset>`, func(l *scan.Limits, n int) { l.Items = n }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			limits := scan.DefaultLimits()
			tc.set(&limits, tc.holds)
			if _, err := scan.Scan([]byte(tc.body), "", limits); err != nil {
				t.Errorf("at the limit of %d: %v", tc.holds, err)
			}
			tc.set(&limits, tc.holds-1)
			_, err := scan.Scan([]byte(tc.body), "", limits)
			var limit *scan.LimitError
			if !errors.As(err, &limit) {
				t.Fatalf("above the limit of %d: %v", tc.holds-1, err)
			}
			if limit.Limit != tc.holds-1 || limit.Name == "" {
				t.Errorf("the error is %+v, want the limit of %d", limit, tc.holds-1)
			}
		})
	}
}

// TestCharsets reads one text in many encodings.
func TestCharsets(t *testing.T) {
	const text = "Zur\u00fcck \u4e2d\u6587\u7684\u65b0\u95fb\u662f\u5728\u8fd9\u4e2a\u56fd\u5bb6"
	feed := `<rss version="2.0"><channel><title>` + text + `</title></channel></rss>`
	wide16 := func(low bool) string {
		var out []byte
		for _, u := range utf16.Encode([]rune(feed)) {
			if low {
				out = append(out, byte(u), byte(u>>8))
			} else {
				out = append(out, byte(u>>8), byte(u))
			}
		}
		return string(out)
	}
	wide32 := func(low bool) string {
		var out []byte
		for _, r := range feed {
			if low {
				out = append(out, byte(r), byte(r>>8), byte(r>>16), 0)
			} else {
				out = append(out, 0, byte(r>>16), byte(r>>8), byte(r))
			}
		}
		return string(out)
	}
	chinese, err := simplifiedchinese.GB18030.NewEncoder().String(feed)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ body, contentType, charset string }{
		"UTF-8":                         {feed, "", "utf-8"},
		"UTF-8 with BOM":                {"\ufeff" + feed, "", "utf-8"},
		"a BOM beats the header":        {"\ufeff" + feed, "text/xml; charset=gb18030", "utf-8"},
		"UTF-16LE with BOM":             {"\xff\xfe" + wide16(true), "", "utf-16le"},
		"UTF-16BE with BOM":             {"\xfe\xff" + wide16(false), "", "utf-16be"},
		"UTF-16LE without":              {wide16(true), "", "utf-16le"},
		"UTF-16BE without":              {wide16(false), "text/xml; charset=utf-8", "utf-16be"},
		"UTF-32LE with BOM":             {"\xff\xfe\x00\x00" + wide32(true), "", "utf-32le"},
		"UTF-32BE with BOM":             {"\x00\x00\xfe\xff" + wide32(false), "", "utf-32be"},
		"UTF-32LE without":              {wide32(true), "", "utf-32le"},
		"UTF-32BE without":              {wide32(false), "", "utf-32be"},
		"the header":                    {chinese, `text/xml; charset="GB18030"`, "gb18030"},
		"a broken header":               {chinese, `charset=gb18030; text/xml`, "gb18030"},
		"the declaration":               {`<?xml version="1.0" encoding='gb18030'?>` + chinese, "", "gb18030"},
		"the header beats it":           {`<?xml version="1.0" encoding="koi8-r"?>` + chinese, "text/xml; charset=gb18030", "gb18030"},
		"a wrong header beats nothing":  {`<?xml version="1.0" encoding="gb18030"?>` + chinese, "text/xml; charset=utf-8", "gb18030"},
		"a guess":                       {chinese, "", "gb18030"},
		"UTF-8 that is declared UTF-16": {`<?xml version="1.0" encoding="utf-16"?>` + feed, "", "utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := scan.Scan([]byte(tc.body), tc.contentType, scan.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if r.Charset != tc.charset {
				t.Errorf("read as %s, want %s", r.Charset, tc.charset)
			}
			if !bytes.Contains(r.Data, []byte(text)) {
				t.Errorf("the text is lost: %q", r.Data)
			}
			check(t, []byte(tc.body), r)
		})
	}
}

// TestLimitsAreDocumented holds the table of docs/parsing.md to the default limits.
func TestLimitsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/parsing.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []int
	for _, row := range regexp.MustCompile(`(?m)^\| [^|]* \| ([0-9,]+)( MiB| bytes)? \|$`).FindAllStringSubmatch(string(doc), -1) {
		n, err := strconv.Atoi(strings.ReplaceAll(row[1], ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		if row[2] == " MiB" {
			n <<= 20
		}
		documented = append(documented, n)
	}
	l := scan.DefaultLimits()
	want := []int{
		l.Size, l.Items, l.Elements, l.Depth, l.Text, l.Attributes, l.Namespaces, l.Bindings, l.Bases, l.BaseDepth, l.BaseLength, l.Copies,
	}
	if fields := reflect.TypeFor[scan.Limits]().NumField(); len(want) != fields || !slices.Equal(documented, want) {
		t.Errorf("documented are %v, the limits (%d) are %v", documented, fields, want)
	}
}

// TestText gives any document's text, not only a feed's.
func TestText(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"declared":    {"<?xml version='1.0' encoding='windows-1251'?><opml>\xcf\xf0\xe8\xe2\xe5\xf2</opml>", "<?xml version='1.0' encoding='windows-1251'?><opml>Привет</opml>"},
		"marked":      {"\xef\xbb\xbf<opml/>", "<opml/>"},
		"two bytes":   {"\xff\xfe<\x00a\x00/\x00>\x00", "<a/>"},
		"compressed":  {string(compress([]byte("<opml/>"))), "<opml/>"},
		"plain UTF-8": {"é", "é"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := scan.Text([]byte(tc.body), ""); err != nil || string(got) != tc.want {
				t.Errorf("Text = %q, %v; want %q", got, err, tc.want)
			}
		})
	}
	if _, err := scan.Text([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), ""); err == nil {
		t.Error("binary data is no text")
	}
}
