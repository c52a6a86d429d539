package fetch_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
)

// BenchmarkGet compares a Get with what net/http needs for the same request when it does nothing else with the answer.
func BenchmarkGet(b *testing.B) {
	plain := []byte(document + strings.Repeat("<item><title>An item like many others</title></item>\n", 2000))
	zipped := gzipOf(plain)
	s := serve(b, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"1"`)
		switch {
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		case r.URL.Path == "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped)
		default:
			_, _ = w.Write(plain)
		}
	})
	bare := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer bare.CloseIdleConnections()
	c := newClient(b, fetch.Options{})
	for _, kind := range []struct{ name, path, etag string }{
		{"304", "/", `"1"`}, {"200", "/", ""}, {"200-gzip", "/gzip", ""},
	} {
		b.Run(kind.name+"/bare", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL+kind.path, nil)
					if err != nil {
						b.Error(err)
						return
					}
					if kind.etag != "" {
						req.Header.Set("If-None-Match", kind.etag)
					}
					resp, err := bare.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					var body bytes.Buffer
					if _, err := io.Copy(&body, resp.Body); err != nil {
						b.Error(err)
					}
					resp.Body.Close()
				}
			})
		})
		b.Run(kind.name+"/fetch", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, err := c.Get(b.Context(), fetch.Request{
						URL: s.URL + kind.path, Validators: aggregator.Validators{ETag: kind.etag},
					})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
