package scan_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// capturedFeeds are the bodies of real feeds, by file name.
func capturedFeeds(t testing.TB) map[string][]byte {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared", "feeds")
	entries, err := os.ReadDir(dir)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the captured feeds are missing: %v", err)
		}
		t.Skipf("THE CAPTURED FEEDS ARE MISSING, NOTHING IS TESTED: %v", err)
	}
	feeds := make(map[string][]byte)
	for _, e := range entries {
		if e.Name() == "README.md" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		feeds[e.Name()] = body
	}
	return feeds
}

func compress(b []byte) []byte { return gzipped(b, gzip.BestSpeed) }

// stored is a gzip file whose bytes do not depend on the compressor: it has none of its work in it.
func stored(b []byte) []byte { return gzipped(b, gzip.NoCompression) }

func gzipped(b []byte, level int) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		panic(err) // the level is one of the two above
	}
	w.Write(b) // a bytes.Buffer does not fail
	w.Close()
	return out.Bytes()
}

// itemsOf counts the items of a feed as the parser reads them, by title, link and date.
func itemsOf(body []byte) (map[string]int, int, error) {
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	items := make(map[string]int)
	for _, it := range feed.Items {
		items[fmt.Sprintf("%s\n%s\n%v\n%v", it.Title, it.Link, it.PublishedParsed, it.UpdatedParsed)]++
	}
	return items, len(feed.Items), nil
}

func lost(before, after map[string]int) int {
	n := 0
	for key, times := range before {
		n += max(0, times-after[key])
	}
	return n
}

// middle is the place of the item in the middle of the feed.
func middle(feed []byte) (place, int) {
	starts := itemStart.FindAllIndex(feed, -1)
	if len(starts) < 5 {
		return place{}, len(starts)
	}
	at := len(starts) / 2
	p := place{start: starts[at][0], end: starts[at+1][0]}
	ends := endOfItem.FindAllIndex(feed[:p.end], -1)
	p.end = ends[len(ends)-1][1]
	title := titleStart.FindIndex(feed[p.start:p.end])
	if title == nil {
		return place{}, 0
	}
	p.title = p.start + title[1]
	p.titleEnd = p.title + bytes.Index(feed[p.title:], []byte("</title>"))
	return p, len(starts)
}

// TestFaults puts each fault into each captured feed and counts the cases in which more than one item is lost.
func TestFaults(t *testing.T) {
	cases, good, silent := 0, 0, 0
	failures := make(map[string][]string)
	for name, body := range capturedFeeds(t) {
		p, n := middle(body)
		if n < 5 {
			continue
		}
		clean, err := scan.Scan(body, "", scan.DefaultLimits())
		if err != nil {
			t.Errorf("%s without a fault: %v", name, err)
			continue
		}
		want, listed, err := itemsOf(clean.Data)
		if err != nil || listed != len(clean.Items) {
			t.Errorf("%s without a fault: %d items, want %d: %v", name, listed, len(clean.Items), err)
			continue
		}
		for i, f := range faults {
			if slowness > 1 && (i+len(body))%3 > 0 {
				continue // a third of the cases is enough for the race detector
			}
			cases++
			mutated := f.put(body, p)
			if strings.HasPrefix(f.name, "UTF-16") {
				// These faults take their input for UTF-8.
				mutated = f.put(clean.Data, place{})
			}
			r, err := scan.Scan(mutated, "", scan.DefaultLimits())
			if err != nil {
				failures[f.name] = append(failures[f.name], name+": "+err.Error())
				continue
			}
			got, n, err := itemsOf(r.Data)
			gone := lost(want, got)
			if err != nil || gone > 1 {
				failures[f.name] = append(failures[f.name], fmt.Sprintf("%s: %d of %d lost, %v, %q", name, gone, listed, err, r.Repairs))
			} else {
				good++
			}
			if err == nil && n != len(r.Items) {
				t.Errorf("%s with %s: the parser reads %d items where there are %d", name, f.name, n, len(r.Items))
			}
			if n < listed && len(r.Repairs) == 0 {
				silent++
				t.Errorf("%s with %s: %d items lost in silence", name, f.name, gone)
			}
		}
	}
	t.Logf("%d of %d cases (%.1f%%) lose at most one item, %d are silent", good, cases, 100*float64(good)/float64(cases), silent)
	for name, list := range failures {
		t.Logf("%s: %d\n\t%s", name, len(list), strings.Join(list, "\n\t"))
	}
	if good*100 < cases*97 && slowness == 1 {
		t.Errorf("%d of %d cases lose at most one item, want 97%%", good, cases)
	}
}
