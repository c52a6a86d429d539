package parse_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// seen is when the tests' feeds are fetched.
var seen = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// sourceOf is the source that a golden feed names in a comment "source: URL", with its own file name's extension for a
// content type.
func sourceOf(body []byte, name string) parse.Source {
	src := parse.Source{URL: "https://feeds.example/dir/" + filepath.Base(name), Seen: seen}
	if m := regexp.MustCompile(`source: (\S+)`).FindSubmatch(body); m != nil {
		src.URL = string(m[1])
	}
	if m := regexp.MustCompile(`content-type: ([^\n]+?)\s*(?:-->|"|\n)`).FindSubmatch(body); m != nil {
		src.ContentType = string(m[1])
	}
	return src
}

// outcome is what a golden file holds: the document, less what is empty, or the error.
type outcome struct {
	Document *parse.Document `json:",omitempty"`
	Error    string          `json:",omitempty"`
}

// TestGolden parses each small feed of testdata, which says in a comment why it exists.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.feed")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden feeds: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".feed"), func(t *testing.T) {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(body, []byte("why: ")) && !strings.Contains(name, "encoded") {
				t.Errorf("%s does not say why it exists", name)
			}
			var got outcome
			got.Document, err = parse.Parse(body, sourceOf(body, name))
			if err != nil {
				got.Error = err.Error()
			}
			compareGolden(t, strings.TrimSuffix(name, ".feed")+".golden.json", got)
		})
	}
}

func compareGolden(t *testing.T, name string, got outcome) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(prune(t, got)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the document differs from %s (-want +got):\n%s", name, diff)
	}
}

// prune is v as JSON has it, without empty fields, so that a golden file shows what there is.
func prune(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	return pruned(tree)
}

func pruned(v any) any {
	zeroID := strings.Repeat("0", 32)
	switch v := v.(type) {
	case map[string]any:
		// Hashes are not the parser's to set.
		delete(v, "Hash")
		delete(v, "TextHash")
		for key, value := range v {
			value = pruned(value)
			switch value {
			case nil, "", 0.0, zeroID, "0001-01-01T00:00:00Z":
				delete(v, key)
				continue
			}
			v[key] = value
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	}
	return v
}

// countItems counts the items in the bytes by other means than the parser's.
func countItems(t *testing.T, name string, body []byte) int {
	t.Helper()
	if strings.HasSuffix(name, ".json") {
		var feed struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(body, &feed); err != nil {
			t.Fatal(err)
		}
		return len(feed.Items)
	}
	return len(regexp.MustCompile(`<(?:item|entry)[\s>]`).FindAll(body, -1))
}

// TestCapturedFeeds parses real feeds: every item is there, with what makes it readable, and clean.
func TestCapturedFeeds(t *testing.T) {
	// These feeds have items whose publishers gave no date that means anything.
	undated := map[string]bool{"InvalidDateFormat.xml": true}
	for name, body := range specimen.Feeds(t) {
		t.Run(name, func(t *testing.T) {
			doc, err := parse.Parse(body, parse.Source{URL: "https://feeds.example/" + name, Seen: seen})
			if err != nil {
				t.Fatal(err)
			}
			if want := countItems(t, name, body); len(doc.Items) != want || doc.Listed != want {
				t.Errorf("%d items read, %d listed, want %d; repairs: %q", len(doc.Items), doc.Listed, want, doc.Repairs)
			}
			if doc.Title == "" {
				t.Error("the document has no title")
			}
			for i, it := range doc.Items {
				if it.URL == "" || it.Title == "" && it.Text() == "" {
					t.Errorf("item %d lacks a link or a text: %q %q", i, it.URL, it.Title)
				}
				if it.Published.IsZero() && it.Updated.IsZero() && !undated[name] {
					t.Errorf("item %d (%s) has no date", i, it.URL)
				}
				for _, s := range []string{it.Title, it.Summary, it.Content} {
					if !utf8.ValidString(s) {
						t.Errorf("item %d holds invalid UTF-8", i)
					}
				}
			}
		})
	}
}
