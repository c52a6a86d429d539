package scan_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

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

// TestFaults puts each fault into each captured feed and counts the cases in which more than one item is lost.
func TestFaults(t *testing.T) {
	cases, good, silent := 0, 0, 0
	failures := make(map[string][]string)
	for name, body := range specimen.Feeds(t) {
		clean, err := scan.Scan(body, "", scan.DefaultLimits())
		if err != nil {
			t.Errorf("%s without a fault: %v", name, err)
			continue
		}
		i := 0
		for m := range specimen.Mutants(body, clean.Data) {
			if i++; specimen.Slowness > 1 && (i+len(body))%3 > 0 {
				continue // a third of the cases is enough for the race detector
			}
			cases++
			want, listed := itemsWithout(t, m)
			r, err := scan.Scan(m.With, "", scan.DefaultLimits())
			if err != nil {
				failures[m.Fault] = append(failures[m.Fault], name+": "+err.Error())
				continue
			}
			got, n, err := itemsOf(r.Data)
			gone := lost(want, got)
			if err != nil || gone > 1 {
				failures[m.Fault] = append(failures[m.Fault], fmt.Sprintf("%s: %d of %d lost, %v, %q", name, gone, listed, err, r.Repairs))
			} else {
				good++
			}
			if err == nil && n != len(r.Items) {
				t.Errorf("%s with %s: the parser reads %d items where there are %d", name, m.Fault, n, len(r.Items))
			}
			if n < listed && len(r.Repairs) == 0 {
				silent++
				t.Errorf("%s with %s: %d items lost in silence", name, m.Fault, gone)
			}
		}
	}
	t.Logf("%d of %d cases (%.1f%%) lose at most one item, %d are silent", good, cases, 100*float64(good)/float64(cases), silent)
	for name, list := range failures {
		t.Logf("%s: %d\n\t%s", name, len(list), strings.Join(list, "\n\t"))
	}
	if good*100 < cases*97 && specimen.Slowness == 1 {
		t.Errorf("%d of %d cases lose at most one item, want 97%%", good, cases)
	}
}

// itemsWithout are the items of a feed before the fault was put into it.
func itemsWithout(t *testing.T, m specimen.Mutant) (map[string]int, int) {
	t.Helper()
	clean, err := scan.Scan(m.Without, "", scan.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	items, n, err := itemsOf(clean.Data)
	if err != nil || n != len(clean.Items) {
		t.Fatalf("without %s: %d items, want %d: %v", m.Fault, n, len(clean.Items), err)
	}
	return items, n
}
