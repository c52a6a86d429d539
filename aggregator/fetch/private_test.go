package fetch_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/fetch"
)

// TestMovedToPrivateIsSaid redirects for good with the guard down, to a public name and to a private one.
func TestMovedToPrivateIsSaid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to, ok := strings.CutPrefix(r.URL.Path, "/to/"); ok {
			http.Redirect(w, r, "http://"+to+"/feed", http.StatusMovedPermanently)
			return
		}
		_, _ = w.Write([]byte("<rss/>"))
	}))
	defer server.Close()
	resolver := lookup{"old.example": "93.184.216.34", "new.example": "93.184.216.35", "inside.example": "10.0.0.1"}
	client := fetch.New(fetch.Options{
		AllowPrivate: true, Resolver: resolver,
		Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
	defer client.Close()
	for to, want := range map[string]bool{"new.example": false, "inside.example": true, "127.0.0.1": true, "93.184.216.36": false} {
		resp, err := client.Get(t.Context(), fetch.Request{URL: "http://old.example/to/" + to})
		if err != nil {
			t.Fatal(err)
		}
		if resp.Moved != "http://"+to+"/feed" || resp.Private != want {
			t.Errorf("to %s: moved to %q, private %v, want %v", to, resp.Moved, resp.Private, want)
		}
	}
}

type lookup map[string]string

func (l lookup) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr(l[host])}, nil
}
