package fetch_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator/fetch"
)

// pipes is a network without sockets, so that time can be the bubble's: every name exists, and every connection leads to
// behave, which has the request read.
type pipes func(net.Conn)

// LookupNetIP implements fetch.Resolver.
func (pipes) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("93.184.0.1")}, nil
}

func (p pipes) connect(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
			p(theirs)
		}
	}()
	return ours, nil
}

// paced sends an opening and then n pieces, one each pause.
func paced(opening string, n int, piece string, pause time.Duration) pipes {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, opening)
		for range n {
			time.Sleep(pause)
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
		}
	}
}

// TestLimitsAreKeptToTheMoment fetches from hosts that are slow in one way or another, on a clock of its own.
func TestLimitsAreKeptToTheMoment(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	kilobyte := strings.Repeat("x", 1<<10)
	for name, c := range map[string]struct {
		host    pipes
		options fetch.Options
		// after is how long the Get takes, want part of its error.
		after time.Duration
		want  string
	}{
		"a body above the least rate is read": {paced(head+"\r\n", 25, kilobyte+kilobyte, time.Second), fetch.Options{}, 25 * time.Second, ""},
		"a body of bursts is judged by the window's average": {
			paced(head+"\r\n", 3, strings.Repeat(kilobyte, 20), 9*time.Second), fetch.Options{}, 27 * time.Second, "",
		},
		"a body that begins late is within the grace":   {paced(head+"\r\n", 1, strings.Repeat(kilobyte, 10), 9*time.Second), fetch.Options{}, 9 * time.Second, ""},
		"a drip ends with the first window":             {paced(head+"\r\n", 60, "x", 1100*time.Millisecond), fetch.Options{}, 10 * time.Second, "9 bytes so far, lately 0 bytes a second, where fetch.min_rate is 1 KiB"},
		"a body that becomes a drip ends a window on":   {paced(head+"\r\n"+strings.Repeat(kilobyte, 100), 60, "x", time.Second), fetch.Options{}, 20 * time.Second, "where fetch.min_rate is 1 KiB"},
		"a drip without a limit ends with the whole":    {paced(head+"\r\n", 60, "x", 1100*time.Millisecond), fetch.Options{MinRate: -1}, 30 * time.Second, "reading the answer (27 bytes so far) took longer than fetch.timeout (30s) allows"},
		"the whole is limited, however quick its parts": {paced(head+"\r\n", 60, kilobyte+kilobyte, time.Second), fetch.Options{}, 30 * time.Second, "took longer than fetch.timeout (30s)"},
		"headers may take a while":                      {paced("", 1, head+"\r\n", 19*time.Second), fetch.Options{}, 19 * time.Second, ""},
		"headers that take too long":                    {paced("", 1, head+"\r\n", 21*time.Second), fetch.Options{}, 20 * time.Second, "waiting for an answer took longer than fetch.header_timeout (20s) allows: raise it"},
		"headers that drip":                             {paced(head+"X: ", 60, "x", time.Second), fetch.Options{}, 20 * time.Second, "fetch.header_timeout"},
		"the time for headers begins anew at each hop":  {redirecting(15 * time.Second), fetch.Options{Timeout: time.Minute}, 30 * time.Second, ""},
		"no part may take longer than the whole":        {paced("", 1, head+"\r\n", 21*time.Second), fetch.Options{Timeout: 5 * time.Second}, 5 * time.Second, "waiting for an answer took longer than fetch.timeout (5s)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := c.options
				o.Resolver, o.Connect = c.host, c.host.connect
				client := fetch.New(o)
				began := time.Now()
				_, err := client.Get(t.Context(), fetch.Request{URL: "http://wire.example/feed"})
				if took := time.Since(began); took != c.after {
					t.Errorf("took %s, want %s", took, c.after)
				}
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("Get = %v, want %q", err, c.want)
				}
				client.Close()
				// The host may be asleep before its next piece.
				time.Sleep(time.Minute)
			})
		})
	}
}

// redirecting answers each request after a pause: the first one with a redirect.
func redirecting(pause time.Duration) pipes {
	hop := 0
	return func(conn net.Conn) {
		hop++
		time.Sleep(pause)
		if hop == 1 {
			_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

func TestSizesBeforeAndAfterDecompression(t *testing.T) {
	// Half a megabyte that does not compress, and half that is nothing but white space.
	noise := make([]byte, 512<<10)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	spaces := []byte("<rss>" + strings.Repeat(" ", 512<<10))
	for name, c := range map[string]struct {
		download, body int64
		encoded        []byte
		want           string
	}{
		"both fit":                         {600 << 10, 600 << 10, gzipOf(noise), ""},
		"too much to download":             {300 << 10, 900 << 10, gzipOf(noise), "the answer is above the limit fetch.max_download (300 KiB)"},
		"too much when decompressed":       {300 << 10, 300 << 10, gzipOf(spaces), "above the limit fetch.max_body (300 KiB) when decompressed"},
		"too much without any encoding":    {900 << 10, 300 << 10, spaces, "the document has 512 KiB, above the limit fetch.max_body (300 KiB)"},
		"little to download, much to read": {10 << 10, 900 << 10, gzipOf(spaces), ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, fetch.Options{MaxDownload: c.download, MaxBody: c.body})
			_, err := client.Get(t.Context(), fetch.Request{URL: encoded(t, "", c.encoded)})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Get = %v, want %q", err, c.want)
			}
		})
	}
}

func TestHeadersAreLimited(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 10<<10))
		fmt.Fprint(w, document)
	})
	get(t, newClient(t, fetch.Options{MaxHeader: 16 << 10}), fetch.Request{URL: s.URL})
	failure := fails(t, newClient(t, fetch.Options{MaxHeader: 8 << 10}), fetch.Request{URL: s.URL})
	if want := "headers are above the limit fetch.max_header (8 KiB)"; !strings.Contains(failure.Error(), want) {
		t.Errorf("%q, want %q", failure, want)
	}
}
