package parse_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
)

// FuzzParse hands any bytes to the door: what comes out is an error or a document that is fit for all outputs, and
// never a panic, not even one that was caught; within a second, and without holding more than 64 MB and eight times the
// input at once.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*.feed")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "")
	}
	f.Add([]byte("<rss><channel><item><pubDate>mar, 16 nov 22 00:38 GMT+1</pubDate><title>&lt;b&gt;"), "text/xml; charset=windows-1252")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		doc, err := affordable(t, body, parse.Source{URL: "https://feeds.example/dir/feed", ContentType: contentType, Seen: seen}, time.Second)
		if err != nil {
			var notFeed *parse.NotFeedError
			var limit *parse.LimitError
			if strings.Contains(err.Error(), "gave up") || !errors.As(err, &notFeed) && !errors.As(err, &limit) {
				t.Errorf("what the scanner let through could not be read: %v", err)
			}
			return
		}
		if len(doc.Items) > doc.Listed {
			t.Errorf("%d items of %d", len(doc.Items), doc.Listed)
		}
		checkText(t, doc.Title, doc.Link, doc.Language, doc.Description, doc.ID, doc.Rights)
		checkText(t, doc.Repairs...)
		for _, it := range doc.Items {
			checkText(t, it.GUID, it.URL, it.Title, it.Summary, it.Content, it.Language, it.Image, it.Comments, it.Source.Title, it.Source.URL)
			checkText(t, it.Categories...)
			for _, a := range it.Authors {
				checkText(t, a.Name, a.Email, a.URL)
				if a.Name == "" && a.Email == "" && a.URL == "" {
					t.Error("an empty author")
				}
			}
			if it.CommentCount < 0 {
				t.Errorf("%d comments", it.CommentCount)
			}
			checkWeb(t, it.URL, it.Image, it.Comments, it.Source.URL)
			for _, e := range it.Enclosures {
				checkText(t, e.URL, e.Type)
				if e.URL == "" || e.Length < 0 || e.Duration < 0 {
					t.Errorf("enclosure %+v", e)
				}
				checkWeb(t, e.URL)
			}
			for _, d := range []time.Time{it.Published, it.Updated} {
				if d.Location() != time.UTC || !d.IsZero() && (d.Year() < 1900 || d.Year() > 10000) {
					t.Errorf("date %s", d)
				}
			}
		}
	})
}

// checkText fails on what no output may hold.
func checkText(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) {
			t.Errorf("invalid UTF-8 in %q", s)
		}
		if strings.ContainsFunc(s, func(r rune) bool {
			return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
		}) {
			t.Errorf("a character that XML forbids in %q", s)
		}
	}
}

// checkWeb fails on links that are neither empty nor absolute web addresses.
func checkWeb(t *testing.T, links ...string) {
	t.Helper()
	for _, l := range links {
		if l != "" && !strings.HasPrefix(strings.ToLower(l), "http://") && !strings.HasPrefix(strings.ToLower(l), "https://") {
			t.Errorf("link %q", l)
		}
	}
}

// affordable parses, and fails where that takes longer than it may, or more memory than 64 MB and eight times the body.
// What is too long is tried again, because the machine may have had other things to do. Of memory, all that is allocated
// is measured first, which is more than what is held at once; only where that is too much is the latter measured, and not
// under the race detector, which adds its own.
func affordable(t *testing.T, body []byte, src parse.Source, longest time.Duration) (*parse.Document, error) {
	t.Helper()
	longest *= specimen.Slowness
	most := 64<<20 + 8*uint64(len(body))
	before := allocated()
	began := time.Now()
	doc, err := parse.Parse(body, src)
	took, bytes := time.Since(began), allocated()-before
	for range 2 {
		if took > longest {
			began = time.Now()
			parse.Parse(body, src)
			took = min(took, time.Since(began))
		}
	}
	if took > longest {
		t.Errorf("%d bytes took %s", len(body), took)
	}
	t.Logf("%d bytes: %s, %d MB allocated, error: %v", len(body), took.Round(time.Millisecond), bytes>>20, err)
	if specimen.Slowness > 1 {
		return doc, err
	}
	// How much garbage is there besides depends on what else the machine does.
	for range 3 {
		if bytes > most {
			bytes = held(func() { parse.Parse(body, src) })
		}
	}
	if bytes > most {
		t.Errorf("%d bytes took %d MB of memory", len(body), bytes>>20)
	}
	return doc, err
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// held is how many bytes of the heap f holds at most, measured every millisecond while garbage is collected whenever there
// is a tenth of it.
func held(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	objects := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	base := objects()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for most := base; ; {
		select {
		case <-done:
			return max(most, objects()) - base
		case <-time.After(time.Millisecond):
			most = max(most, objects())
		}
	}
}
