package fetch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
)

// maxFuzzBody is the limit in fuzzing, small enough to be met.
const maxFuzzBody = 64 << 10

// check gets an answer of the given bytes, whatever they are, and checks what a Get promises in any case.
func check(t *testing.T, c *fuzzed, answer []byte) {
	t.Helper()
	c.answer = answer
	defer c.Close()
	resp, err := c.Get(t.Context(), fetch.Request{
		URL: "http://me:s3cret@wire.example/feed", Validators: aggregator.Validators{ETag: `"1"`},
	})
	if err != nil {
		var failure *fetch.Error
		if !errors.As(err, &failure) {
			t.Fatalf("%v is no *fetch.Error", err)
		}
		// The answer has an end, so nothing may wait for one.
		if text := err.Error(); strings.Contains(text, "fetch.timeout") || strings.Contains(text, "s3cret") || len(text) > 2000 || strings.ContainsAny(text, "\n\x00") {
			t.Fatalf("error %q", text)
		}
		return
	}
	switch {
	case len(resp.Body) > maxFuzzBody || resp.Bytes > maxFuzzBody:
		t.Fatalf("%d bytes of body from %d", len(resp.Body), resp.Bytes)
	case resp.NotModified != (resp.Status == 304) || resp.NotModified != (resp.Body == nil):
		t.Fatalf("status %d, not modified %t, body %q", resp.Status, resp.NotModified, resp.Body)
	case strings.Contains(resp.URL, "s3cret"):
		t.Fatalf("URL %q", resp.URL)
	}
	for _, u := range append(resp.Hubs, resp.Self) {
		if u != "" && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") {
			t.Fatalf("link %q", u)
		}
	}
}

// fuzzed is a client whose every connection gets the same answer, whatever the host.
type fuzzed struct {
	*fetch.Client
	answer []byte
}

func fuzzClient() *fuzzed {
	c := new(fuzzed)
	c.Client = fetch.New(fetch.Options{
		MaxBody: maxFuzzBody, Now: now, Resolver: c, Connect: c.connect,
		// It is for answers that redirect for ever, not for any that are slow.
		Timeout: 10 * time.Second,
	})
	return c
}

// LookupNetIP implements fetch.Resolver.
func (c *fuzzed) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("93.184.0.1")}, nil
}

func (c *fuzzed) connect(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	answer := c.answer
	go func() {
		defer theirs.Close()
		if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
			_, _ = theirs.Write(answer)
		}
	}()
	return ours, nil
}

func FuzzAnswer(f *testing.F) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nEtag: W/\"1\"\r\n\r\n<rss>",
		"HTTP/1.1 304 Not Modified\r\nEtag: \x80\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: //me:you@other.example:99/%zz?#\r\nRetry-After: 99999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nLink: </hub>;rel=\"hub\\\" x\", <a>; rel=self;,;=\r\n\r\n",
		"HTTP/1.1 429 Slow Down\r\nRetry-After: Sunday, 06-Nov-94 08:49:37 GMT\r\nDate: never\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Encoding: gzip, br\r\n\r\n\x1f\x8b\x08",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 226 IM Used\r\n\r\n",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) { check(t, fuzzClient(), answer) })
}

func FuzzEncoding(f *testing.F) {
	for label, encode := range encoders {
		f.Add(label, encode([]byte(document)))
	}
	f.Add("deflate", flateOf([]byte(document)))
	f.Add("gzip, br", brotliOf(gzipOf([]byte(document))))
	f.Add("gzip", gzipOf(make([]byte, 2*maxFuzzBody)))
	// One client for all, so that decoders are used again after every kind of failure.
	c := fuzzClient()
	good := gzipOf([]byte(document))
	f.Fuzz(func(t *testing.T, label string, body []byte) {
		if strings.ContainsAny(label, "\r\n") {
			t.Skip("not one header")
		}
		answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n", label, len(body))
		check(t, c, append(answer, body...))
		c.answer = []byte("HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + string(good))
		resp, err := c.Get(t.Context(), fetch.Request{URL: "http://wire.example/"})
		if err != nil || string(resp.Body) != document {
			t.Fatalf("the answer that follows is wrong: %v", err)
		}
	})
}
