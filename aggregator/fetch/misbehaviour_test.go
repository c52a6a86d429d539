package fetch_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/fetch"
)

// raw serves connections with behave, after the request was read, and gives their http URL.
func raw(t testing.TB, behave func(net.Conn)) string {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			behave(conn)
		}
	})
}

// listen serves connections with behave and gives their http URL.
func listen(t testing.TB, behave func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				behave(conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// says serves the same bytes to everyone, whatever they are.
func says(t testing.TB, answer string) string {
	return raw(t, func(conn net.Conn) { _, _ = io.WriteString(conn, answer) })
}

// status serves an answer of the given status, with a body to discard.
func status(t testing.TB, code int) string {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		if code >= 200 && code != 204 && code != 304 {
			fmt.Fprint(w, strings.Repeat("<p>sorry</p>", 100))
		}
	}).URL
}

func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// TestRareAnswers is what the chaos origin has no host for.
func TestRareAnswers(t *testing.T) {
	https := func(url string) string { return strings.Replace(url, "http:", "https:", 1) }
	for name, c := range map[string]struct {
		url    string
		status int
		want   string
	}{
		"418": {status(t, 418), 418, "request refused (418 I'm a teapot): look at the URL in a browser"},
		"451": {status(t, 451), 451, "withheld for legal reasons (451)"},
		"599": {status(t, 599), 599, "the publisher's server failed (599): nothing to do"},
		"202": {status(t, 202), 202, "answered without a document (202 Accepted)"},
		"206": {status(t, 206), 206, "answered without a document (206 Partial Content)"},
		"300": {status(t, 300), 300, "a choice instead of a document (300 Multiple Choices)"},

		"a header line of nonsense": {says(t, "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), 0, "the answer is not HTTP"},

		"a name that is none": {"http://" + strings.Repeat("a", 64) + ".test/", 0, "does not exist: check its spelling"},
		"TLS to a plain port": {https(status(t, 200)), 0, "does not speak TLS on this port: check the URL's port, or use http"},
	} {
		t.Run(name, func(t *testing.T) {
			// The secret must not show, whatever goes wrong.
			url := strings.Replace(c.url, "://", "://reader:s3cret@", 1)
			failure := fails(t, newClient(t, fetch.Options{}), fetch.Request{URL: url})
			text := failure.Error()
			if want := "get " + c.url + ": "; !strings.HasPrefix(text, want) || !strings.Contains(text, c.want) {
				t.Errorf("error %q, want %q... %q", text, want, c.want)
			}
			if failure.Status != c.status || failure.URL != c.url {
				t.Errorf("status %d of %s, want %d of %s", failure.Status, failure.URL, c.status, c.url)
			}
			if all := fmt.Sprintf("%v %+v %q", failure, *failure, failure.Unwrap()); strings.Contains(all, "s3cret") {
				t.Errorf("the password shows: %s", all)
			}
		})
	}
}

func TestURLsThatCannotBeFetched(t *testing.T) {
	c := newClient(t, fetch.Options{})
	for url, want := range map[string]string{
		"":                                   "no scheme: begin it with https://",
		"example.org/feed":                   "no scheme",
		"//example.org/feed":                 "no scheme",
		"file:///etc/passwd":                 "file URLs are not fetched: only http and https are",
		"ftp://me:s3cret@example.org/":       "ftp URLs are not fetched",
		"gopher://example.org/":              "gopher URLs are not fetched",
		"https:///feed":                      "names no host",
		"http://:8080/":                      "names no host",
		"http://exa mple.org/":               "not a valid URL (invalid character",
		"http://example.org/%zz":             "not a valid URL (invalid URL escape",
		"http://me:s3cret@example.org/%zz":   "get ...@example.org/%zz: not a valid URL: correct it",
		"http://me:s3cret@example.org:port/": "not a valid URL: correct it",
		"http://me:s3c@ret@exa mple.org/":    "not a valid URL: correct it",
		"http://me:s3cret\x00@example.org/":  "not a valid URL: correct it",
		"http://example.org/\n":              "get http://example.org/?: not a valid URL",
	} {
		text := fails(t, c, fetch.Request{URL: url}).Error()
		if !strings.Contains(text, want) || strings.Contains(text, "s3c") {
			t.Errorf("Get(%q) = %q, want %q", url, text, want)
		}
	}
}

func TestLongURLsAreCutInErrors(t *testing.T) {
	text := fails(t, newClient(t, fetch.Options{}), fetch.Request{URL: status(t, 404) + "/" + strings.Repeat("x", 5000)}).Error()
	if len(text) > 600 {
		t.Errorf("an error of %d bytes", len(text))
	}
}

func TestTimeoutsSayWhatTookSoLong(t *testing.T) {
	silent := raw(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	deaf := listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	handshake := strings.Replace(deaf, "http:", "https:", 1)
	drip := func(opening string) string {
		return raw(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, opening)
			ticks := time.NewTicker(5 * time.Millisecond)
			defer ticks.Stop()
			for range ticks.C {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		})
	}
	for name, c := range map[string]struct {
		url, want string
		status    int
	}{
		"TLS":              {handshake, "the TLS handshake took longer than fetch.timeout (150ms) allows: raise it", 0},
		"silence":          {silent, "waiting for an answer took longer than fetch.timeout (150ms)", 0},
		"dripping headers": {drip("HTTP/1.1 200 OK\r\nX: "), "waiting for an answer took longer than fetch.timeout", 0},
		"a dripping body":  {drip("HTTP/1.1 200 OK\r\n\r\n<rss>"), "bytes so far) took longer than fetch.timeout (150ms)", 200},
		"a stalled body": {raw(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<rss>")
			_, _ = io.Copy(io.Discard, conn)
		}), "reading the answer (5 bytes so far) took longer", 200},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, fetch.Options{Timeout: 150 * time.Millisecond})
			began := time.Now()
			failure := fails(t, client, fetch.Request{URL: c.url})
			if !strings.Contains(failure.Error(), c.want) || failure.Status != c.status {
				t.Errorf("status %d, %q; want %d, %q", failure.Status, failure, c.status, c.want)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestTheWaitForHeadersBeginsBehindTLS(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ended := make(chan struct{})
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				<-ended
			}
		}))
		s.EnableHTTP2 = http2
		s.StartTLS()
		c := newClient(t, fetch.Options{Roots: rootsOf(s), Timeout: 5 * time.Second, HeaderTimeout: 150 * time.Millisecond})
		for _, when := range []string{"a new connection", "one that is open"} {
			failure := fails(t, c, fetch.Request{URL: s.URL + "/silent"})
			if want := "waiting for an answer took longer than fetch.header_timeout (150ms)"; !strings.Contains(failure.Error(), want) || failure.Unreached {
				t.Errorf("HTTP/2 %t, on %s: %q, want %q", http2, when, failure, want)
			}
			if _, err := c.Get(t.Context(), fetch.Request{URL: s.URL}); err != nil {
				t.Error(err)
			}
		}
		close(ended)
		s.Close()
	}
}

// A request may be served over another connection than the one that was dialled for it.
func TestTheWaitForHeadersDoesNotDependOnADialThatIsNotNeeded(t *testing.T) {
	for name, end := range map[string]func() (net.Conn, error){
		"that fails": func() (net.Conn, error) { return nil, syscall.ECONNREFUSED },
		"whose host hangs up": func() (net.Conn, error) {
			ours, theirs := net.Pipe()
			theirs.Close()
			return ours, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			turn := make(chan struct{}, 1)
			begun, second, asked, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/silent" {
					close(asked)
					<-ended
				}
			}))
			s.EnableHTTP2 = true
			s.StartTLS()
			defer s.Close()
			defer close(ended)
			c := newClient(t, fetch.Options{
				Roots: rootsOf(s), Timeout: 5 * time.Second, ConnectTimeout: 4 * time.Second, HeaderTimeout: 150 * time.Millisecond,
				Connect: func(ctx context.Context, network, address string) (net.Conn, error) {
					select {
					case turn <- struct{}{}:
						close(begun)
						<-second
						return new(net.Dialer).DialContext(ctx, network, address)
					default:
						close(second)
						<-asked
						return end()
					}
				},
			})
			first := make(chan error)
			go func() {
				_, err := c.Get(t.Context(), fetch.Request{URL: s.URL})
				first <- err
			}()
			<-begun
			failure := fails(t, c, fetch.Request{URL: s.URL + "/silent"})
			if want := "waiting for an answer took longer than fetch.header_timeout (150ms)"; !strings.Contains(failure.Error(), want) || failure.Unreached {
				t.Errorf("%q, unreached %t; want %q", failure, failure.Unreached, want)
			}
			if err := <-first; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnErrorPageThatStallsStillTellsItsStatus(t *testing.T) {
	url := raw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 900\r\n\r\n<p>")
		_, _ = io.Copy(io.Discard, conn)
	})
	failure := fails(t, newClient(t, fetch.Options{Timeout: 150 * time.Millisecond}), fetch.Request{URL: url})
	if failure.Status != 404 || !strings.Contains(failure.Error(), "not found (404)") {
		t.Errorf("status %d, %q", failure.Status, failure)
	}
}
