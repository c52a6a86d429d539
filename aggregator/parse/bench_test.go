package parse_test

import (
	"bytes"
	"testing"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// BenchmarkCaptured compares, over all captured feeds, the whole door with the scanner alone and with gofeed alone.
// The feeds that gofeed cannot read are left out everywhere.
func BenchmarkCaptured(b *testing.B) {
	var bodies [][]byte
	var size int64
	items := 0
	for _, body := range specimen.Feeds(b) {
		feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
		if err != nil {
			continue
		}
		bodies = append(bodies, body)
		size += int64(len(body))
		items += len(feed.Items)
	}
	run := func(name string, read func(body []byte) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				for _, body := range bodies {
					if err := read(body); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(items), "ns/item")
		})
	}
	run("gofeed", func(body []byte) error {
		_, err := gofeed.NewParser().Parse(bytes.NewReader(body))
		return err
	})
	run("scan", func(body []byte) error {
		_, err := scan.Scan(body, "", scan.DefaultLimits())
		return err
	})
	run("parse", func(body []byte) error {
		_, err := parse.Parse(body, parse.Source{URL: "https://feeds.example/feed", Seen: seen})
		return err
	})
}
