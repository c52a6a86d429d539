package fetch_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/topicwire/topicwire/aggregator/fetch"
)

func TestLinksOfAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		links []string
		hubs  []string
		self  string
	}{
		"none":          {},
		"two headers":   {[]string{`<https://hub.example/>; rel="hub"`, `<https://x.example/feed>; rel=self`}, []string{"https://hub.example/"}, "https://x.example/feed"},
		"one header":    {[]string{`<https://a.example/>;rel=hub, <https://b.example/,;>; title="a, <b>; \"c\""; rel="next HUB", </feed>;rel="self"`}, []string{"https://a.example/", "https://b.example/,;"}, "HOST/feed"},
		"twice":         {[]string{`<https://a.example/>; rel=hub, <https://a.example/>; rel=hub`, `</1>; rel=self, </2>; rel=self`}, []string{"https://a.example/"}, "HOST/1"},
		"other links":   {[]string{`<https://a.example/>; rel=next, <https://b.example/>`}, nil, ""},
		"first rel":     {[]string{`<https://a.example/>; rel=next; rel=hub`}, nil, ""},
		"other context": {[]string{`<https://a.example/>; rel=hub; anchor="/other"`}, nil, ""},
		"no web":        {[]string{`<mailto:hub@example.org>; rel=hub, <>; rel=hub, <http://%zz/>; rel=self, <javascript:1>; rel=self`}, nil, ""},
		"broken":        {[]string{`rel=hub`, `<https://a.example/; rel=hub`, `<https://b.example/>; rel="hub`, `;;=,,<`}, []string{"https://b.example/"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			origin := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Link"] = c.links
				_, _ = w.Write([]byte("x"))
			})
			resp, err := fetch.New(fetch.Options{UserAgent: "t", AllowPrivate: true}).Get(t.Context(), fetch.Request{URL: origin.URL + "/some/feed"})
			if err != nil {
				t.Fatal(err)
			}
			if c.self != "" && c.self[0] == 'H' {
				c.self = origin.URL + c.self[len("HOST"):]
			}
			if !slices.Equal(resp.Hubs, c.hubs) || resp.Self != c.self {
				t.Errorf("hubs %q, self %q, want %q and %q", resp.Hubs, resp.Self, c.hubs, c.self)
			}
		})
	}
}
