package scan_test

import (
	"bytes"
	"testing"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// BenchmarkScan reads all captured feeds once; BenchmarkParser hands the same bytes to the parser alone.
func BenchmarkScan(b *testing.B) {
	feeds, size := benchmarkFeeds(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, body := range feeds {
			if _, err := scan.Scan(body, "", scan.DefaultLimits()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkParser(b *testing.B) {
	feeds, size := benchmarkFeeds(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, body := range feeds {
			if _, err := gofeed.NewParser().Parse(bytes.NewReader(body)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchmarkFeeds are the captured feeds that are in order.
func benchmarkFeeds(b *testing.B) (feeds [][]byte, size int64) {
	for _, body := range specimen.Feeds(b) {
		r, err := scan.Scan(body, "", scan.DefaultLimits())
		if err != nil || len(r.Repairs) > 0 || r.Kind == scan.JSON {
			continue
		}
		feeds = append(feeds, body)
		size += int64(len(body))
	}
	return feeds, size
}
