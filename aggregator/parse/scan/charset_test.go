package scan_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// language is titles in a language, and the encodings that feeds in it come in.
type language struct {
	tag       string
	encodings []string
	titles    []string
}

func languages(t testing.TB) []language {
	t.Helper()
	data, err := os.ReadFile("testdata/titles.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []language
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if head, ok := strings.CutPrefix(line, "# "); ok {
			words := strings.Fields(head)
			all = append(all, language{tag: words[0], encodings: words[1:]})
			continue
		}
		l := &all[len(all)-1]
		l.titles = append(l.titles, line)
	}
	return all
}

// feedOf is a feed of the titles as a publisher writes it who says nothing of the encoding.
func feedOf(titles []string) string {
	var b strings.Builder
	b.WriteString("<rss version=\"2.0\"><channel><title>News</title><link>https://news.example/</link>\n")
	for i, title := range titles {
		fmt.Fprintf(&b, "<item><title>%s</title><link>https://news.example/articles/%d.html</link>"+
			"<pubDate>Mon, 09 Mar 2026 09:%02d:00 +0000</pubDate></item>\n", title, i, i)
	}
	b.WriteString("</channel></rss>")
	return b.String()
}

// TestGuessedCharsets guesses at the encoding of feeds that say nothing of it. Three short titles are enough for all of
// them; of a single one hardly more can be asked than to be right as a rule.
func TestGuessedCharsets(t *testing.T) {
	cases, wrong := map[int]int{}, map[int]int{}
	for _, l := range languages(t) {
		for _, encoding := range l.encodings {
			enc, err := htmlindex.Get(encoding)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{1, 3, 20} {
				for i := 0; i+size <= len(l.titles); i += size {
					feed := feedOf(l.titles[i : i+size])
					body, err := enc.NewEncoder().String(feed)
					if err != nil {
						t.Fatalf("%s in %s: %v", l.tag, encoding, err)
					}
					if isASCII(body) && encoding != "iso-2022-jp" {
						continue
					}
					cases[size]++
					r, err := scan.Scan([]byte(body), "", scan.DefaultLimits())
					if err != nil {
						t.Fatalf("%s in %s: %v", l.tag, encoding, err)
					}
					if string(r.Data) != feed {
						wrong[size]++
						t.Logf("%s in %s, %d titles from number %d, taken for %s", l.tag, encoding, size, i, r.Charset)
					}
				}
			}
		}
	}
	t.Logf("wrong: %d of %d single titles, %d of %d feeds of three, %d of %d of twenty", wrong[1], cases[1], wrong[3], cases[3], wrong[20], cases[20])
	if wrong[20] > 0 || wrong[3] > 0 || wrong[1]*100 > cases[1]*5 {
		t.Error("want none wrong of the feeds, and at most 5% of the single titles")
	}
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f }) }
