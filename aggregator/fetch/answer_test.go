package fetch_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
)

func TestFreshness(t *testing.T) {
	const date = "Mon, 02 Mar 2026 10:20:00 GMT"
	for name, c := range map[string]struct {
		header http.Header
		want   fetch.Freshness
	}{
		"all, byte for byte": {
			http.Header{"Cache-Control": {"Max-Age=060 , private"}, "Age": {" 7"}, "Expires": {"-1"}, "Retry-After": {"soon"}},
			fetch.Freshness{CacheControl: "Max-Age=060 , private", Age: "7", Expires: "-1", RetryAfter: "soon"},
		},
		"none": {nil, fetch.Freshness{}},
		"several lines of Cache-Control are one list": {
			http.Header{"Cache-Control": {"public", "max-age=60"}}, fetch.Freshness{CacheControl: "public, max-age=60"},
		},
		"of anything else the first line counts": {http.Header{"Age": {"1", "2"}}, fetch.Freshness{Age: "1"}},
		"one that is too long is none": {
			http.Header{"Cache-Control": {"max-age=" + strings.Repeat("9", 2000)}, "Age": {"1"}}, fetch.Freshness{Age: "1"},
		},
		"lines that are too long together are none": {
			http.Header{"Cache-Control": {strings.Repeat("a", 700), strings.Repeat("b", 700)}}, fetch.Freshness{},
		},
	} {
		for _, status := range []int{200, 304, 429, 500} {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/moved" {
					w.Header().Set("Cache-Control", "max-age=1") // the redirect's own, which is not the feed's
					http.Redirect(w, r, "/", http.StatusFound)
					return
				}
				w.Header().Set("Date", date)
				for key, lines := range c.header {
					w.Header()[key] = lines
				}
				w.WriteHeader(status)
			})
			want := c.want
			want.Date = date
			resp, err := newClient(t, fetch.Options{}).Get(t.Context(), fetch.Request{
				URL: s.URL + "/moved", Validators: aggregator.Validators{ETag: `"1"`},
			})
			var got fetch.Freshness
			if err != nil {
				got = err.(*fetch.Error).Freshness
			} else {
				got = resp.Freshness
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, status %d (-want +got):\n%s", name, status, diff)
			}
		}
	}
}

func TestDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		im       []string
		encoding string
		body     []byte
	}{
		"plain":                      {[]string{"feed"}, "", []byte(document)},
		"in capitals, with others":   {[]string{" Feed ; x=1, identity"}, "", []byte(document)},
		"over two lines":             {[]string{"identity", "feed"}, "", []byte(document)},
		"compressed on its way":      {[]string{"feed"}, "gzip", gzipOf([]byte(document))},
		"compressed without a label": {[]string{"feed"}, "", gzipOf([]byte(document))},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Im"] = c.im
				w.Header().Set("Etag", `"2"`)
				w.Header().Set("Content-Type", "application/atom+xml")
				if c.encoding != "" {
					w.Header().Set("Content-Encoding", c.encoding)
				}
				w.WriteHeader(http.StatusIMUsed)
				_, _ = w.Write(c.body)
			})
			got := get(t, newClient(t, fetch.Options{}), fetch.Request{
				URL: s.URL, Validators: aggregator.Validators{ETag: `"1"`, LastModified: "then"},
			})
			if !got.Delta || got.NotModified || got.Status != 226 || string(got.Body) != document || got.ContentType != "application/atom+xml" {
				t.Errorf("got %+v", got)
			}
			if want := (aggregator.Validators{ETag: `"2"`}); got.Validators != want {
				t.Errorf("validators %+v, want those of the whole, %+v", got.Validators, want)
			}
		})
	}
}
