package publish_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
)

func unpacked(t *testing.T, coding string, body io.Reader) string {
	t.Helper()
	switch coding {
	case "gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = r
	case "br":
		body = brotli.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", coding, err)
	}
	return string(text)
}

func TestEncodings(t *testing.T) {
	h := handler(t, sample())
	plain := get(t, h, "/all.rss").Body.String()
	tags := map[string]string{}
	for accept, want := range map[string]string{
		"gzip": "gzip", "GZIP;q=0.5": "gzip", "deflate, gzip;q=1.0, *;q=0.5": "gzip", "x-gzip": "gzip", "*": "br",
		"br": "br", "gzip, deflate, br, zstd": "br", "br;q=0.5, gzip": "gzip", "gzip;q=0.8,br;q=0.9": "br", "*, br;q=0": "gzip",
		"gzip;q=0.5, identity": "", "gzip;q=0.001": "gzip", "identity;q=0.5, *;q=0.1": "", "identity;q=0, gzip;q=0.001": "gzip",
		"": "", "identity": "", "gzip;q=0": "", "gzip;q=0.000, deflate": "", "zstd": "", "*;q=0": "", "gzip;q=x": "",
		"gzip;q=2": "", "br;q=NaN": "", ",;,=;q": "", "identity;q=0": "",
	} {
		w := get(t, h, "/all.rss", "Accept-Encoding", accept)
		coding := w.Header().Get("Content-Encoding")
		if coding != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: %q, Vary %q, want %q", accept, coding, w.Header().Get("Vary"), want)
		}
		if got := w.Header().Get("Content-Length"); got != fmt.Sprint(w.Body.Len()) {
			t.Errorf("Accept-Encoding %q: Content-Length %q of %d bytes", accept, got, w.Body.Len())
		}
		if coding != "" && w.Body.Len() >= len(plain) {
			t.Errorf("%s takes %d bytes, %d without", coding, w.Body.Len(), len(plain))
		}
		if tag := w.Header().Get("ETag"); tags[coding] == "" {
			tags[coding] = tag
		} else if tags[coding] != tag {
			t.Errorf("two entity tags for one encoding: %s and %s", tag, tags[coding])
		}
		if got := unpacked(t, coding, w.Body); got != plain {
			t.Errorf("Accept-Encoding %q: other bytes", accept)
		}
	}
	if len(tags) != 3 || tags[""] == tags["gzip"] || tags["gzip"] == tags["br"] || tags[""] == tags["br"] {
		t.Errorf("entity tags %v: want one for each encoding", tags)
	}
	if got := get(t, h, "/all.rss", "Accept-Encoding", "br;q=0", "Accept-Encoding", "gzip").Header().Get("Content-Encoding"); got != "gzip" {
		t.Errorf("in two lines: %q", got)
	}
}

func TestManyReadersOfAllEncodingsAtOnce(t *testing.T) {
	src := big()
	h := handler(t, src)
	var readers sync.WaitGroup
	bodies := make([][]byte, 24)
	for i := range bodies {
		readers.Go(func() {
			w := get(t, h, "/all.json", "Accept-Encoding", []string{"", "gzip", "br"}[i%3])
			if bodies[i] = w.Body.Bytes(); w.Code != http.StatusOK {
				t.Errorf("answer %d", w.Code)
			}
		})
	}
	readers.Wait()
	for i := range bodies {
		if !bytes.Equal(bodies[i], bodies[i%3]) {
			t.Error("two answers in one encoding differ")
		}
	}
	if n := src.reads.Load(); n != 1 {
		t.Errorf("rendered %d times", n)
	}
}

func TestARangeOfWhatIsCompressed(t *testing.T) {
	h := handler(t, sample())
	whole := get(t, h, "/all.atom", "Accept-Encoding", "br")
	part := get(t, h, "/all.atom", "Accept-Encoding", "br", "Range", "bytes=10-19", "If-Range", whole.Header().Get("ETag"))
	if part.Code != http.StatusPartialContent || part.Body.String() != whole.Body.String()[10:20] {
		t.Errorf("answer %d with %d bytes", part.Code, part.Body.Len())
	}
	if w := get(t, h, "/all.atom", "If-Match", `"x"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("If-Match with a tag that nobody gave: %d", w.Code)
	}
}
