package fetch_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
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

// secure serves https with a certificate made by change from a good one, signed by nobody.
func secure(t testing.TB, change func(*x509.Certificate)) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	change(cert)
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
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

func TestMisbehaviour(t *testing.T) {
	https := func(url string) string { return strings.Replace(url, "http:", "https:", 1) }
	for name, c := range map[string]struct {
		url    string
		status int
		want   string
	}{
		"401":         {status(t, 401), 401, "asks for a user name and password (401): put them into the URL"},
		"403":         {status(t, 403), 403, "access refused (403): the publisher may not want feed readers"},
		"404":         {status(t, 404), 404, "not found (404): look for the feed's new URL"},
		"410":         {status(t, 410), 410, "gone (410): the publisher removed this feed"},
		"418":         {status(t, 418), 418, "request refused (418 I'm a teapot): look at the URL in a browser"},
		"429":         {status(t, 429), 429, "too many requests (429): poll this host more rarely"},
		"451":         {status(t, 451), 451, "withheld for legal reasons (451)"},
		"500":         {status(t, 500), 500, "the publisher's server failed (500 Internal Server Error): nothing to do unless it lasts"},
		"599":         {status(t, 599), 599, "the publisher's server failed (599): nothing to do"},
		"202":         {status(t, 202), 202, "answered without a document (202 Accepted)"},
		"204":         {status(t, 204), 204, "answered without a document (204 No Content)"},
		"206":         {status(t, 206), 206, "answered without a document (206 Partial Content)"},
		"226":         {status(t, 226), 226, "a difference (226) that was not asked for"},
		"300":         {status(t, 300), 300, "a choice instead of a document (300 Multiple Choices)"},
		"304 unasked": {status(t, 304), 304, "nothing has changed (304) and was not asked"},

		"no answer":                 {says(t, ""), 0, "closed the connection without a full answer: nothing to do unless it lasts"},
		"half a header":             {says(t, "HTTP/1.1 200 OK\r\nContent-Type: te"), 0, "closed the connection without a full answer"},
		"not HTTP":                  {says(t, "SSH-2.0-OpenSSH_9.2\r\n\r\n"), 0, "the answer is not HTTP: check the URL's port, or use https"},
		"a header line of nonsense": {says(t, "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), 0, "the answer is not HTTP"},
		"endless headers": {raw(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("x", 1000)); err != nil {
					return
				}
			}
		}), 0, "the answer's headers are above 256 KiB"},
		"a body that is cut off": {says(t, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<rss>"), 200,
			"the answer was cut off after 5 of 5000 bytes: nothing to do unless it lasts"},
		"chunks that are cut off": {says(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n"), 200,
			"the answer was cut off after 5 bytes"},
		"chunks of nonsense": {says(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n<rss>\r\n"), 200,
			"invalid byte in chunk length"},

		"a closed port":        {closedPort(t), 0, "the host refuses connections: its server is down, or the URL has the wrong port"},
		"a name that is none":  {"http://" + strings.Repeat("a", 64) + ".test/", 0, "does not exist: check its spelling"},
		"TLS to a plain port":  {https(status(t, 200)), 0, "does not speak TLS on this port: check the URL's port, or use http"},
		"an unknown authority": {secure(t, func(*x509.Certificate) {}), 0, "signed by nobody this machine trusts"},
		"an expired certificate": {secure(t, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(1, 0, 0) }), 0,
			"certificate has expired or is not valid yet; the publisher has to mend it"},
		"another host's certificate": {secure(t, func(c *x509.Certificate) { c.IPAddresses = nil; c.DNSNames = []string{"example.org"} }), 0,
			"certificate is for another name"},
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
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
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
