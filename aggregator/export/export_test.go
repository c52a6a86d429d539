package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/export"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sequence yields the items, and err after them where there is one.
func sequence(err error, items ...aggregator.Item) iter.Seq2[aggregator.Item, error] {
	return func(yield func(aggregator.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
		if err != nil {
			yield(aggregator.Item{}, err)
		}
	}
}

// samples hold, between them, what can go wrong in a cell.
func samples() []aggregator.Item {
	at := time.Date(2026, 1, 31, 12, 30, 15, 987654321, time.FixedZone("PKT", 5*3600))
	full := aggregator.Item{
		ID: aggregator.NewItemID("dawn", "guid", "1"), Feed: "dawn", Story: aggregator.NewStoryID("url", "e.org/1"),
		Seq: 7, Revision: 2, GUID: "urn:1", URL: "https://e.org/1?utm_source=rss", CanonicalURL: "https://e.org/1",
		Title:   `A "cloud", a bill & 5 < 6`,
		Content: "<p>First line,</p>\r\n<p>second &amp; last; ڈیٹا کا تحفظ</p>",
		Summary: "not exported beside content",
		Authors: []aggregator.Author{
			{Name: "Amna Ali", Email: "amna@e.org"}, {Email: "only@e.org"}, {Name: "desk@e.org"}, {Name: "@handle@social.example"},
		},
		Categories: []string{"Law", `"quoted", <b>`}, Language: "en-PK",
		Published: at, Updated: at.Add(time.Hour), FirstSeen: at.Add(time.Minute), Revised: at.Add(time.Hour),
		DateSource: aggregator.DateFromFeed, Topics: []aggregator.TopicID{"cloud", "data-protection"},
		Comments: "https://e.org/1#comments", Source: aggregator.ItemSource{Title: "The Wire, Ltd.", URL: "https://wire.example/feed"},
		Hash: aggregator.HashOf("all"), TextHash: aggregator.HashOf("text"),
	}
	bare := aggregator.Item{
		ID: aggregator.NewItemID("f", "text", "2"), Feed: "f", Seq: 8, Revision: 1,
		FirstSeen: at, Published: at, DateSource: aggregator.DateFromFirstSeen,
	}
	awkward := aggregator.Item{
		ID: aggregator.NewItemID("f", "guid", "3"), Feed: "f", Seq: 9, Revision: 1,
		GUID: "-3", Title: "=1+1", Summary: " <br>@home\x00 \xff and \u2028 more", URL: "https://e.org/+",
		Authors: []aggregator.Author{{Name: "+x"}}, Updated: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC),
		Published: at, FirstSeen: at, DateSource: aggregator.DateFromFeed,
	}
	return []aggregator.Item{full, bare, awkward}
}

func TestGolden(t *testing.T) {
	for name, tc := range map[string]struct {
		format  export.Format
		options export.Options
	}{
		"items.jsonl":           {format: export.JSONL},
		"items.csv":             {format: export.CSV},
		"items-spreadsheet.csv": {format: export.CSV, options: export.Options{BOM: true, FormulaGuard: true}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			n, err := export.Write(t.Context(), &b, tc.format, sequence(nil, samples()...), tc.options)
			if n != 3 || err != nil {
				t.Fatalf("Write = %d, %v; want 3 rows", n, err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("bytes (-want +got); run with -update if that is meant:\n%s", diff)
			}
		})
	}
}

// The columns of CSV are the keys of JSONL, in the same order, which the issue fixes for the first fifteen.
func TestFieldsAreTheSameInAllFormats(t *testing.T) {
	var jsonl, table bytes.Buffer
	for format, w := range map[export.Format]io.Writer{export.JSONL: &jsonl, export.CSV: &table} {
		if _, err := export.Write(t.Context(), w, format, sequence(nil, samples()[1]), export.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	header, _, _ := strings.Cut(table.String(), "\r\n")
	var keys []string
	for _, match := range regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(jsonl.String(), -1) {
		keys = append(keys, match[1])
	}
	if diff := cmp.Diff(header, strings.Join(keys, ",")); diff != "" {
		t.Errorf("CSV's columns and JSON's keys (-csv +jsonl):\n%s", diff)
	}
	const contract = "id,feed,url,canonical_url,title,authors,text,html,categories,language,published,updated,first_seen,topics,revision,"
	if !strings.HasPrefix(header, contract) {
		t.Errorf("header %q: want it to begin with %q", header, contract)
	}
}

func TestNoItemsIsAValidFile(t *testing.T) {
	for format, want := range map[export.Format]int{export.JSONL: 0, export.CSV: 1} {
		var b bytes.Buffer
		n, err := export.Write(t.Context(), &b, format, sequence(nil), export.Options{})
		if n != 0 || err != nil || strings.Count(b.String(), "\n") != want {
			t.Errorf("%s: Write = %d, %v with %q; want %d lines", format, n, err, b.String(), want)
		}
	}
}

func TestParseFormat(t *testing.T) {
	if f, err := export.ParseFormat("JSONL"); f != export.JSONL || err != nil {
		t.Errorf("ParseFormat(JSONL) = %q, %v", f, err)
	}
	_, err := export.ParseFormat("xlsx")
	if err == nil || !strings.Contains(err.Error(), `"xlsx"`) || !strings.Contains(err.Error(), "jsonl, csv") {
		t.Errorf("ParseFormat(xlsx): %v; want an error that names it and the formats there are", err)
	}
	if _, err := export.Write(t.Context(), io.Discard, "xlsx", sequence(nil), export.Options{}); err == nil {
		t.Error("Write in an unknown format went well")
	}
}

func TestWriteStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	var b bytes.Buffer
	n, err := export.Write(t.Context(), &b, export.JSONL, sequence(broken, samples()...), export.Options{})
	if n != 3 || !errors.Is(err, broken) {
		t.Errorf("Write = %d, %v; want 3 rows and the error of the sequence", n, err)
	}
	if strings.Count(b.String(), "\n") != 3 || !strings.HasSuffix(b.String(), "}\n") {
		t.Errorf("written %q; want three whole lines", b.String())
	}
	_, err = export.Write(t.Context(), failingWriter{broken}, export.CSV, sequence(nil, samples()...), export.Options{})
	if !errors.Is(err, broken) {
		t.Errorf("Write to a failing writer: %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriteStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	endless := func(yield func(aggregator.Item, error) bool) {
		for i := 0; ; i++ {
			if i == 10 {
				cancel()
			}
			if !yield(samples()[0], nil) {
				return
			}
		}
	}
	n, err := export.Write(ctx, io.Discard, export.JSONL, endless, export.Options{})
	if n != 10 || !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %d, %v; want 10 rows and context.Canceled", n, err)
	}
}

// Thirty thousand rows, 15 MB, are written in the memory that a few need.
func TestMemoryDoesNotGrowWithRows(t *testing.T) {
	const rows = 30_000
	for _, format := range export.Formats() {
		var early, late uint64
		items := func(yield func(aggregator.Item, error) bool) {
			it := samples()[1]
			for i := range rows {
				it.Seq = uint64(i)
				it.Content = fmt.Sprintf("<p>%d %s", i, strings.Repeat("x", 200))
				switch i {
				case 1000:
					early = heap()
				case rows - 1:
					late = heap()
				}
				if !yield(it, nil) {
					return
				}
			}
		}
		n, err := export.Write(t.Context(), io.Discard, format, items, export.Options{})
		if n != rows || err != nil {
			t.Fatalf("%s: Write = %d, %v", format, n, err)
		}
		if late > early+1<<20 {
			t.Errorf("%s: the heap grew from %d to %d bytes", format, early, late)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What goes into a cell comes out of encoding/csv, which reads CRLF as LF.
func FuzzCSV(f *testing.F) {
	for _, it := range samples() {
		f.Add(it.Title, it.Text(), it.GUID)
	}
	f.Add("\r\n", "\"", `\.`)
	f.Fuzz(func(t *testing.T, title, text, guid string) {
		it := aggregator.Item{Title: title, Summary: text, GUID: guid, Categories: []string{title, text}}
		var b bytes.Buffer
		if _, err := export.Write(t.Context(), &b, export.CSV, sequence(nil, it, it), export.Options{}); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(records) != 3 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		row := export.NewRow(&it)
		lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
		guidCell := ""
		if row.GUID != nil {
			guidCell = *row.GUID
		}
		for column, want := range map[string]string{"title": row.Title, "text": row.Text, "html": row.HTML, "guid": guidCell} {
			if got := records[2][columnOf(records[0], column)]; got != lf(want) {
				t.Errorf("%s %q came back as %q", column, want, got)
			}
		}
		var categories []string
		if err := json.Unmarshal([]byte(records[1][columnOf(records[0], "categories")]), &categories); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(categories, row.Categories) {
			t.Errorf("categories %q came back as %q", row.Categories, categories)
		}
	})
}

func columnOf(header []string, name string) int {
	for i, h := range header {
		if h == name {
			return i
		}
	}
	return -1
}

// Each line is one object, and holds what the row holds.
func FuzzJSONL(f *testing.F) {
	for _, it := range samples() {
		f.Add(it.Title, it.Text(), it.URL)
	}
	f.Fuzz(func(t *testing.T, title, text, link string) {
		it := aggregator.Item{Title: title, Content: text, URL: link, Categories: []string{title}, Authors: []aggregator.Author{{Name: text}}}
		var b bytes.Buffer
		if _, err := export.Write(t.Context(), &b, export.JSONL, sequence(nil, it), export.Options{}); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b.Bytes()) || strings.Count(b.String(), "\n") != 1 {
			t.Fatalf("not one line of UTF-8: %q", b.String())
		}
		var got export.Row
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(export.NewRow(&it), got); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
		if utf8.ValidString(title) && !strings.Contains(title, "\x00") && got.Title != title {
			t.Errorf("title %q became %q", title, got.Title)
		}
	})
}
