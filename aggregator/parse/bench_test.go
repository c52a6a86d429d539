package parse_test

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// benchFeed is a feed with what is known of it from the poll before: all of its items, or all but one in twenty.
type benchFeed struct {
	name       string
	body       []byte
	hash       aggregator.Hash
	items      int
	all, older map[aggregator.Hash]bool
}

// BenchmarkParse compares ways to read feeds with gofeed alone on the same bytes. Each way and gofeed take turns, and
// "x-gofeed" is the median over the rounds of how many times faster the way is: so it holds on a machine that has other
// things to do. Feeds that gofeed cannot read are left out.
func BenchmarkParse(b *testing.B) {
	known := func(which func(*benchFeed) map[aggregator.Hash]bool) func(f *benchFeed) {
		return func(f *benchFeed) {
			src := parse.Source{URL: "https://feeds.example/" + f.name, Seen: seen}
			if which != nil {
				hashes := which(f)
				src.Known = func(h aggregator.Hash) bool { return hashes[h] }
			}
			if _, err := parse.Parse(f.body, src); err != nil {
				b.Fatalf("%s: %v", f.name, err)
			}
		}
	}
	for _, set := range []struct {
		name  string
		feeds []benchFeed
	}{
		{"captured", benchFeeds(b, specimen.Feeds(b))},
		{"synthetic", benchFeeds(b, syntheticFeeds())},
	} {
		for _, way := range []struct {
			name string
			read func(f *benchFeed)
		}{
			{"gofeed", parseAlone},
			{"scanner", func(f *benchFeed) {
				if _, err := scan.Scan(f.body, "", scan.DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}},
			{"all-new", known(nil)},
			{"unchanged", func(f *benchFeed) {
				if aggregator.HashOf(f.body) != f.hash {
					b.Fatal("another hash")
				}
			}},
			{"one-new-of-twenty", known(func(f *benchFeed) map[aggregator.Hash]bool { return f.older })},
			{"none-new", known(func(f *benchFeed) map[aggregator.Hash]bool { return f.all })},
		} {
			b.Run(set.name+"/"+way.name, func(b *testing.B) { compare(b, set.feeds, way.read) })
		}
	}
}

func parseAlone(f *benchFeed) {
	if _, err := gofeed.NewParser().Parse(bytes.NewReader(f.body)); err != nil {
		panic(err) // it could before
	}
}

// compare reports how the way to read the feeds compares with gofeed.
func compare(b *testing.B, feeds []benchFeed, read func(*benchFeed)) {
	var size, items int
	for _, f := range feeds {
		size += len(f.body)
		items += f.items
	}
	var ratios, speeds []float64
	for b.Loop() {
		its, mine := elapsed(feeds, parseAlone), elapsed(feeds, read)
		ratios = append(ratios, its.Seconds()/mine.Seconds())
		speeds = append(speeds, float64(size)/1e6/mine.Seconds())
	}
	before := mallocs()
	for i := range feeds {
		read(&feeds[i])
	}
	b.ReportMetric(float64(mallocs()-before)/float64(items), "allocs/item")
	b.ReportMetric(median(speeds), "MB/s")
	b.ReportMetric(median(ratios), "x-gofeed")
	b.ReportMetric(0, "ns/op") // both together: of no interest
}

// elapsed is how long it takes to read all feeds, collecting the garbage of it but none that was there before.
func elapsed(feeds []benchFeed, read func(*benchFeed)) time.Duration {
	runtime.GC()
	began := time.Now()
	for i := range feeds {
		read(&feeds[i])
	}
	return time.Since(began)
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func benchFeeds(b *testing.B, bodies map[string][]byte) []benchFeed {
	var feeds []benchFeed
	n := 0
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		body := bodies[name]
		feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
		if err != nil {
			continue
		}
		f := benchFeed{name: name, body: body, hash: aggregator.HashOf(body), items: len(feed.Items)}
		f.all, f.older = map[aggregator.Hash]bool{}, map[aggregator.Hash]bool{}
		for _, h := range hashes(b, body, name, nil).Hashes {
			f.all[h] = true
			if n++; n%20 > 0 {
				f.older[h] = true
			}
		}
		feeds = append(feeds, f)
	}
	return feeds
}

// syntheticFeeds are feeds without surprises: of few and of many items, with short and with long texts, as each format has
// them.
func syntheticFeeds() map[string][]byte {
	paragraph := "<p>The ministry put the <b>bill</b> before the house &amp; said that <a href=\"/data\">data</a> would stay in the country.</p>\n"
	date := func(i int) time.Time { return seen.Add(-time.Duration(i) * time.Hour) }
	rss := func(items, paragraphs int) []byte {
		var s strings.Builder
		s.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" ` +
			`xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title><link>https://n.example/</link><description>All</description>` + "\n")
		for i := range items {
			fmt.Fprintf(&s, "<item><title>Story number %d &amp; what came of it</title><link>https://n.example/%d</link><guid>https://n.example/%d</guid>"+
				"<dc:creator>Amna Khan</dc:creator><pubDate>%s</pubDate><category>Law</category><description>A short word on it.</description>"+
				"<content:encoded><![CDATA[%s]]></content:encoded></item>\n", i, i, i, date(i).Format(time.RFC1123), strings.Repeat(paragraph, paragraphs))
		}
		return []byte(s.String() + "</channel></rss>")
	}
	atom := func(items, paragraphs int) []byte {
		var s strings.Builder
		s.WriteString(`<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>News</title><id>urn:n</id><link href="https://n.example/"/>` + "\n")
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(paragraph)
		for i := range items {
			fmt.Fprintf(&s, "<entry><title>Story number %d</title><id>urn:n:%d</id><link rel=\"alternate\" href=\"https://n.example/%d\"/><author><name>Jo</name></author>"+
				"<published>%s</published><updated>%[4]s</updated><content type=\"html\">%[5]s</content></entry>\n", i, i, i, date(i).Format(time.RFC3339),
				strings.Repeat(escaped, paragraphs))
		}
		return []byte(s.String() + "</feed>")
	}
	return map[string][]byte{
		"rss-short": rss(100, 0), "rss-usual": rss(20, 5), "rss-long": rss(40, 100), "rss-many": rss(2000, 1),
		"atom-usual": atom(20, 5), "atom-long": atom(40, 100),
	}
}
