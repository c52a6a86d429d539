package publish_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

// discard is a ResponseWriter that keeps nothing but the header.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// big is a store of fifty stories with four kilobytes of text each.
func big() *memory {
	src := sample()
	src.stories = nil
	for n := range 50 {
		it := item("courier", fmt.Sprint(n), n, "cloud")
		it.Content = strings.Repeat("<p>Some <b>text</b> of a <a href=\"https://courier.example/x\">story</a>.</p>", 55)
		src.stories = append(src.stories, aggregator.Story{ID: aggregator.NewStoryID("n", it.GUID), Items: []aggregator.Item{it}})
	}
	return src
}

// BenchmarkServe compares a request for a feed that is kept with net/http writing the same bytes, which is the limit,
// and with rendering anew.
func BenchmarkServe(b *testing.B) {
	src := big()
	h := handler(b, src)
	w := get(b, h, "/all.atom", "Accept-Encoding", "gzip")
	body, etag := w.Body.Bytes(), w.Header().Get("ETag")
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	})
	run := func(name string, h http.Handler, before func(), header ...string) {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/all.atom", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			for i := 0; i+1 < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			b.ReportAllocs()
			for b.Loop() {
				before()
				h.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
	run("bare", bare, func() {})
	run("kept", h, func() {})
	run("not-modified", h, func() {}, "If-None-Match", etag)
	run("rendered", h, func() { src.version.Seq++ })
}
