package scan_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// pieces are what feeds are made of, whole and broken.
var pieces = []string{
	"<rss version=\"2.0\">", "<rss>", "</rss>", "<channel>", "</channel>", "<item>", "<item >", "</item>", "<title>", "</title>", "<title/>",
	"<link>", "</link>", "<description>", "</description>", "<feed xmlns=\"http://www.w3.org/2005/Atom\">", "<feed>", "</feed>", "<entry>", "</entry>",
	"<content type=\"xhtml\">", "<content type=\"html\">", "</content>", "<author>", "<name>", "</name>", "</author>", "<div>", "</div>", "<b>", "</b>",
	"<i>", "</i>", "<br>", "<br/>", "<img src=x>", "<p class='a'>", "</p>", "<![CDATA[", "]]>", "]]", "<!--", "-->", "--", "<!- x ->", "<?xml version=\"1.0\"?>",
	"<?php x ?>", "<?", "?>", "<!DOCTYPE html>", "<!DOCTYPE r [<!ENTITY x \"y&z;\">", "]>", "&", "&amp;", "&x;", "&nbsp;", "&#8;", "&#X41;", "&#65;", "<", ">",
	"\"", "'", " a=\"b\"", " a='", "=", "<a b=", "<a b=\"c", "<a b=c/>", "<a a=1 a=2>", "</a>", "<media:group>", "</media:group>", "<media:title>", "</media:title>",
	"<dc:date>", "</dc:date>", "<q:x xmlns:q=\"u\">", "</q:x>", " xmlns=\"x\"", "text", " ", "\n", "\x00", "\x08", "\xff", "\ufeff", "\u00e9", "\xef\xbf\xbe",
	"<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\">", "</rdf:RDF>", "<image>", "</image>", "<url>", "</url>",
	"<CHANNEL HREF=\"x\">", "</CHANNEL>", "<ITEM>", "</ITEM>", "<atom:entry>", "</atom:entry>", "<rss:item>", "</rss:item>", "<a:b:c>", "<:x>", "<x:>", "<\u0434>", "</\u0434>",
	"<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">", "</urlset>", "<loc>", "</loc>", "<news:news>", "</news:news>", "<script>", "</script>", "<html>", "</html>",
	"{", "}", "[", "]", ",", ":", "\"items\"", "</b", "</title", "<title", "<b", "</item", "~", "\"version\":\"https://jsonfeed.org/version/1\"", "\"tags\"", "\"title\"", "1", "null", "\\u00", "\\",
}

// TestSoup holds Scan to its promises on documents made of such pieces at random.
func TestSoup(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	feeds := 0
	for range 30_000 {
		var b strings.Builder
		if rng.IntN(3) > 0 {
			start := []string{head, atom, head + one, pieces[0] + pieces[3], `{"version":"https://jsonfeed.org/version/1","items":[`}
			b.WriteString(start[rng.IntN(len(start))])
		}
		for range rng.IntN(30) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		r, err := scan.Scan([]byte(b.String()), "", scan.DefaultLimits())
		if err != nil {
			var notFeed *scan.NotFeedError
			if errors.As(err, &notFeed) && strings.Contains(notFeed.What, "too broken") {
				t.Errorf("%v\nbody: %q", err, b.String())
			}
			continue
		}
		feeds++
		check(t, []byte(b.String()), r)
		if t.Failed() {
			return
		}
	}
	if feeds < 10_000 {
		t.Errorf("only %d documents were feeds", feeds)
	}
}
