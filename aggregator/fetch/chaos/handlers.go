package chaos

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Document is the feed that the hosts serve that serve a good one.
const Document = `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Chaos</title><link>https://chaos.example/</link><description>A feed for tests.</description>
<item><guid isPermaLink="false">chaos-1</guid><link>https://chaos.example/1</link><title>The first story</title></item>
<item><guid isPermaLink="false">chaos-2</guid><link>https://chaos.example/2</link><title>The second story</title></item>
</channel></rss>
`

// lastModified is the date of the Document.
const lastModified = "Mon, 02 Mar 2026 08:00:00 GMT"

// items is a feed of n items, whose guids begin with prefix.
func items(prefix string, n int) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0"><channel><title>Chaos</title><link>https://chaos.example/</link>` +
		`<description>A feed for tests.</description>`)
	for i := range n {
		fmt.Fprintf(&b, `<item><guid isPermaLink="false">%s-%d</guid><link>https://chaos.example/%d</link><title>Story %d</title></item>`,
			prefix, i, i, i)
	}
	b.WriteString(`</channel></rss>`)
	return b.String()
}

// each serves every request with the handler's number of it, from 1.
func each(serve func(w http.ResponseWriter, r *http.Request, n int64)) func(*Origin) http.Handler {
	return func(*Origin) http.Handler {
		var count atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, count.Add(1)) })
	}
}

// always serves every request alike.
func always(serve http.HandlerFunc) func(*Origin) http.Handler {
	return func(*Origin) http.Handler { return serve }
}

// document serves the Document under the given headers (name, value, ...).
func document(header ...string) func(*Origin) http.Handler {
	return body(Document, header...)
}

func body(text string, header ...string) func(*Origin) http.Handler {
	return always(func(w http.ResponseWriter, _ *http.Request) {
		set(w, header...)
		_, _ = io.WriteString(w, text)
	})
}

func set(w http.ResponseWriter, header ...string) {
	for i := 0; i < len(header); i += 2 {
		w.Header()[header[i]] = []string{header[i+1]}
	}
}

// status answers with a status, its headers and a page.
func status(code int, header ...string) func(*Origin) http.Handler {
	return always(func(w http.ResponseWriter, _ *http.Request) {
		set(w, header...)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "<html><body><p>Sorry.</p></body></html>")
	})
}

// validated serves the Document with an ETag, and a 304 to who has it.
func validated(etag string) func(*Origin) http.Handler {
	return always(func(w http.ResponseWriter, r *http.Request) {
		set(w, "Etag", etag, "Last-Modified", lastModified)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, Document)
	})
}

// to redirects from the feed's path, with the n-th request's status, and serves the Document elsewhere.
func to(target func(*Origin) string, codes ...int) func(*Origin) http.Handler {
	return func(o *Origin) http.Handler {
		var count atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/feed" {
				_, _ = io.WriteString(w, Document)
				return
			}
			code := codes[min(int(count.Add(1)), len(codes))-1]
			if code == http.StatusOK {
				_, _ = io.WriteString(w, Document)
				return
			}
			w.Header()["Location"] = []string{target(o)}
			w.WriteHeader(code)
		})
	}
}

func path(p string) func(*Origin) string { return func(*Origin) string { return p } }

// afterRequest reads a request and then behaves.
func afterRequest(behave func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			behave(conn)
		}
	}
}

// says sends the same bytes to everyone and closes the connection.
func says(answer string) func(net.Conn) {
	return func(conn net.Conn) { _, _ = io.WriteString(conn, answer) }
}

// saysAndWaits sends bytes and then keeps the connection open.
func saysAndWaits(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, answer)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// repeats sends an opening and then a piece again and again, as fast as it is read or one each pause.
func repeats(opening, piece string, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := io.WriteString(conn, opening); err != nil {
			return
		}
		// What is sent with a pause is to be seen piece by piece; the rest is to be sent without much work.
		if pause == 0 {
			piece = strings.Repeat(piece, 1+32<<10/len(piece))
		}
		for {
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

// resets sends bytes and then ends the connection with a TCP reset.
func resets(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, answer)
		// The bytes must be read before the reset, which makes the reader's side forget what it has not.
		time.Sleep(50 * time.Millisecond)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
}

func zipped(data []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(data)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // a bytes.Buffer never fails
	}
	return buf.Bytes()
}

// bomb is a gigabyte of spaces as a megabyte of gzip: one file of many members.
func bomb() http.HandlerFunc {
	member := zipped(bytes.Repeat([]byte(" "), 1<<20))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Encoding"] = []string{"gzip"}
		for range 1024 {
			if _, err := w.Write(member); err != nil {
				return
			}
		}
	}
}

// differs serves the Document, and a difference to who has it.
func differs(im string) func(*Origin) http.Handler {
	return always(func(w http.ResponseWriter, r *http.Request) {
		set(w, "Etag", `"2"`)
		if r.Header.Get("If-None-Match") == "" || !strings.Contains(r.Header.Get("A-Im"), "feed") {
			_, _ = io.WriteString(w, Document)
			return
		}
		if im != "" {
			set(w, "Im", im)
		}
		w.WriteHeader(http.StatusIMUsed)
		_, _ = io.WriteString(w, items("delta", 1))
	})
}
