package parse_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
)

// TestHostile parses documents that are made to cost as much as they can. Each is read or refused, in bounded time and
// memory. The time is five times what is allowed on an idle machine, to hold on a busy one.
func TestHostile(t *testing.T) {
	specimen.Unraced(t)
	repeat := strings.Repeat
	rss := func(item string) string {
		return `<rss version="2.0" xmlns:x="urn:x" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>t</title><item><title>i</title>` +
			item + `</item></channel></rss>`
	}
	atom := func(entry string) string {
		return `<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><title>e</title>` + entry + `</entry></feed>`
	}
	for name, body := range map[string]string{
		"two million nested elements":       rss("<x:e>" + repeat("<a>", 2_000_000) + repeat("</a>", 2_000_000) + "</x:e>"),
		"nested xml:base":                   atom(repeat(`<a xml:base="aaaaaaaa/">`, 20_000) + repeat("</a>", 20_000)),
		"namespaces that thousands inherit": rss("<x:e" + namespaces(1000) + ">" + repeat("<a>", 5000) + repeat("</a>", 5000) + "</x:e>"),
		"namespaces that many items copy": `<rss version="2.0"><channel` + namespaces(1000) + `>` + repeat("<item><title>i</title></item>", 5000) +
			`</channel></rss>`,
		"CDATA sections by the hundred thousand": rss("<x:e>" + repeat("<![CDATA[a]]>", 400_000) + "</x:e>"),
		"CDATA sections in XHTML":                atom(`<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">` + repeat("<![CDATA[a]]>", 400_000) + `</div></content>`),
		"a title of unclosed paragraphs":         rss("<title>" + repeat("&lt;p&gt;", 500_000) + "</title>"),
		"a text of less-than signs":              rss("<description>" + repeat("&lt;", 1_000_000) + "</description>"),
		"a text of ampersands":                   rss("<description>" + repeat("&amp;", 1_000_000) + "</description>"),
		"a text of relative links":               rss("<description>" + repeat("&lt;a href=x&gt;", 200_000) + "</description>"),
		"a text of equals signs":                 rss("<description>&lt;" + repeat("=", 4_000_000) + "</description>"),
		"different categories":                   rss(numbered("<category>%d</category>", 200_000)),
		"different authors":                      rss(numbered("<dc:creator>a%d</dc:creator>", 200_000)),
		"different enclosures":                   rss(numbered(`<media:content url="https://x.example/%d"/>`, 200_000)),
		"dates of a megabyte":                    rss("<pubDate>" + repeat("1 ", 500_000) + "</pubDate>"),
		"items with dates that have no zone":     `<rss version="2.0"><channel>` + numbered("<item><title>i</title><pubDate>03/04/2025 10:00 A/B%d</pubDate></item>", 20_000) + `</channel></rss>`,
		"an empty JSON array of items":           `{"version":"https://jsonfeed.org/version/1","items":[` + repeat("{},", 500_000) + `{}]}`,
		"nested JSON":                            `{"version":"https://jsonfeed.org/version/1","x":` + repeat("[", 1_000_000) + repeat("]", 1_000_000) + `,"items":[]}`,
		"spaces":                                 repeat(" ", 16<<20),
		"entities that grow": `<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">` +
			`<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]>` + rss("<description>"+repeat("&f;", 1000)+"</description>"),
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := affordable(t, []byte(body), parse.Source{URL: "https://x.example/feed", Seen: seen}, 5*time.Second)
			var notFeed *parse.NotFeedError
			var limit *parse.LimitError
			if err != nil && !errors.As(err, &notFeed) && !errors.As(err, &limit) {
				t.Errorf("refused without saying why: %v", err)
			}
			if err == nil && doc.Listed == 0 {
				t.Error("neither an error nor an item")
			}
		})
	}
}

func namespaces(n int) string { return numbered(` xmlns:n%d="urn:n"`, n) }

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
