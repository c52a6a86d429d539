package chaos

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// What several cases come to.
var (
	read        = Want{Status: 200}
	notModified = Want{Status: 304, NotModified: true}
)

func fails(status int, text string) []Want { return []Want{{Status: status, Error: text}} }

// Cases are all cases, in the order of the manual.
func Cases() []Case {
	return slices.Concat(sane(), bodies(), floods(), slowness(), validators(), differences(), redirects(), private(), statuses(),
		connections(), certificates(), documents())
}

func sane() []Case {
	return []Case{
		{Name: "good", Does: "nothing wrong: ETag, Last-Modified, 304", Outcome: "read, then not modified",
			Gets: []Want{read, notModified, notModified}, host: host{http: validated(`"1"`)}},
		{Name: "http-1-0", Does: "answers in HTTP/1.0, without a length, and closes the connection", Outcome: "read",
			Gets: []Want{read, read}, host: host{answer: says("HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n" + Document)}},
	}
}

func bodies() []Case {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
	const cutOff = "the answer was cut off after"
	return []Case{
		{Name: "truncated", Does: "closes the connection before the announced length", Outcome: "failed: cut off; nothing of it is kept",
			Gets: fails(200, cutOff+" 40 of 5000 bytes"), host: host{answer: says(head + "Content-Length: 5000\r\n\r\n" + Document[:40])}},
		{Name: "truncated-chunks", Does: "closes the connection before the last chunk", Outcome: "failed: cut off; nothing of it is kept",
			Gets: fails(200, cutOff), host: host{answer: says(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n")}},
		{Name: "damaged-chunks", Does: "sends chunks without valid lengths", Outcome: "failed",
			Gets: fails(200, "invalid byte in chunk length"), host: host{answer: says(head + "Transfer-Encoding: chunked\r\n\r\nhello\r\n<rss>\r\n")}},
		{Name: "short-length", Does: "announces a shorter body than it sends", Outcome: "read up to the announced length; the parser judges what is left",
			Gets: []Want{read}, host: host{answer: says(head + "Connection: close\r\nContent-Length: 200\r\n\r\n" + Document)}},
		{Name: "reset", Does: "resets the connection in the middle of the body", Outcome: "failed; nothing of it is kept",
			Gets: fails(200, "the host closed the connection without a full answer"),
			host: host{answer: resets(head + "Content-Length: 5000\r\n\r\n" + Document)}},
		{Name: "lying-charset", Does: "says windows-1252 of a document that is UTF-8 and says so", Outcome: "read; the parser finds the charset out",
			Gets: []Want{read}, host: host{http: document("Content-Type", "text/xml; charset=windows-1252")}},
		{Name: "lying-type", Does: "says image/png of a feed", Outcome: "read: the bytes count, not the label",
			Gets: []Want{read}, host: host{http: document("Content-Type", "image/png")}},
		{Name: "lying-encoding", Does: "says gzip of a body that is not compressed", Outcome: "read: the bytes count, not the label",
			Gets: []Want{read}, host: host{http: document("Content-Encoding", "gzip")}},
		{Name: "unlabelled-gzip", Does: "compresses without saying so", Outcome: "read: the bytes count, not the label",
			Gets: []Want{read}, host: host{http: body(string(zipped([]byte(Document))), "Content-Type", "text/xml")}},
		{Name: "damaged-gzip", Does: "cuts compressed data short", Outcome: "failed; nothing of it is kept",
			Gets: fails(200, "gzip data ends too early"), host: host{http: body(string(zipped([]byte(Document))[:100]), "Content-Encoding", "gzip")}},
		{Name: "unknown-encoding", Does: "encodes in a way that was not asked for", Outcome: "failed",
			Gets: fails(200, `encoded as "compress", which was not asked for`), host: host{http: body("\x1f\x9d\x90noise", "Content-Encoding", "compress")}},
	}
}

func floods() []Case {
	const head = "HTTP/1.1 200 OK\r\n"
	return []Case{
		{Name: "endless-body", Does: "sends a body without end", Outcome: "failed at `fetch.max_download`",
			Gets: fails(200, "above the limit fetch.max_"), host: host{answer: repeats(head+"\r\n<rss>", " ", 0)}},
		{Name: "huge-length", Does: "announces a tebibyte", Outcome: "failed at `fetch.max_download`, unread",
			Gets: fails(200, "above the limit fetch.max_"), host: host{answer: saysAndWaits(head + fmt.Sprintf("Content-Length: %d\r\n\r\nx", 1<<40))}},
		{Name: "bomb", Does: "sends a gigabyte as a megabyte of gzip", Outcome: "failed at `fetch.max_body`, in bounded memory",
			Gets: fails(200, "above the limit fetch.max_body"), host: host{http: func(*Origin) http.Handler { return bomb() }}},
		{Name: "endless-headers", Does: "sends headers without end", Outcome: "failed at `fetch.max_header`",
			Gets: fails(0, "above the limit fetch.max_header"), host: host{answer: repeats(head, "X-Header: again and again\r\n", 0)}},
		{Name: "endless-hints", Does: "sends interim answers (103) without end", Outcome: "failed",
			Gets: fails(0, "headers"), host: host{answer: repeats("", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", 0)}},
	}
}

func slowness() []Case {
	return []Case{
		{Name: "slow-drip", Does: "sends a byte of the body now and then", Outcome: "failed at `fetch.min_rate`", Limit: "fetch.min_rate",
			Gets: fails(200, "where fetch.min_rate is"), host: host{answer: repeats("HTTP/1.1 200 OK\r\n\r\n<rss>", " ", 10*time.Millisecond)}},
		{Name: "stall", Does: "stops in the middle of the body", Outcome: "failed at `fetch.min_rate`", Limit: "fetch.min_rate",
			Gets: fails(200, "where fetch.min_rate is"), host: host{answer: saysAndWaits("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<rss>")}},
		{Name: "header-drip", Does: "sends a byte of its headers now and then", Outcome: "failed at `fetch.header_timeout`", Limit: "fetch.header_timeout",
			Gets: fails(0, "waiting for an answer took longer than fetch.header_timeout"), host: host{answer: repeats("HTTP/1.1 200 OK\r\nX: ", "x", 10*time.Millisecond)}},
		{Name: "silent", Does: "takes the request and never answers", Outcome: "failed at `fetch.header_timeout`", Limit: "fetch.header_timeout",
			Gets: fails(0, "waiting for an answer took longer than fetch.header_timeout"), host: host{answer: saysAndWaits("")}},
		{Name: "steady", Does: "sends a body at a fair pace that never ends in time", Outcome: "failed at `fetch.timeout`", Limit: "fetch.timeout",
			Gets: fails(200, "took longer than fetch.timeout"), host: host{answer: repeats("HTTP/1.1 200 OK\r\n\r\n<rss>", string(make([]byte, 1<<10)), 10*time.Millisecond)}},
		{Name: "unreachable", Does: "has an address that never answers", Outcome: "failed at `fetch.connect_timeout`", Limit: "fetch.connect_timeout",
			Gets: []Want{{Error: "connecting to the host took longer than fetch.connect_timeout", Unreached: true}},
			host: host{network: func(o *Origin, name string) { o.Network.Host(name, "") }}},
		{Name: "tls-silent", Does: "takes the connection and never answers the TLS handshake", Outcome: "failed at `fetch.connect_timeout`", Limit: "fetch.connect_timeout",
			Gets: fails(0, "the TLS handshake took longer than fetch.connect_timeout"), host: host{conn: saysAndWaits("")}},
	}
}

func validators() []Case {
	return []Case{
		{Name: "unasked-304", Does: "answers 304 without having been asked", Outcome: "failed: its cache is broken",
			Gets: fails(304, "nothing has changed (304) and was not asked"), host: host{http: status(304)}},
		{Name: "always-304", Does: "answers 304 to any validator, whatever has changed", Outcome: "not modified; found out by the full GET that is made now and then",
			Gets: []Want{read, notModified, notModified}, host: host{http: each(func(w http.ResponseWriter, r *http.Request, n int64) {
				set(w, "Etag", fmt.Sprintf(`"%d"`, n))
				if r.Header.Get("If-None-Match") != "" {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				_, _ = fmt.Fprint(w, Document)
			})}},
		{Name: "weak-etag", Does: "has a weak ETag", Outcome: "sent back as it is; not modified",
			Gets: []Want{read, notModified}, host: host{http: validated(`W/"1"`)}},
		{Name: "odd-etag", Does: "has an ETag without quotes and a date that is none", Outcome: "sent back as they are; not modified",
			Gets: []Want{read, notModified}, host: host{http: validated(`1-gzip`)}},
		{Name: "changing-etag", Does: "sends a new ETag with each 304 and only knows the latest", Outcome: "not modified: the new one is sent back",
			Gets: []Want{read, notModified, notModified, notModified}, host: host{http: each(func(w http.ResponseWriter, r *http.Request, n int64) {
				set(w, "Etag", fmt.Sprintf(`"%d"`, n))
				if r.Header.Get("If-None-Match") == fmt.Sprintf(`"%d"`, n-1) {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				_, _ = fmt.Fprint(w, Document)
			})}},
		{Name: "etag-per-request", Does: "sends a new ETag with each answer and knows none", Outcome: "read each time; unchanged by the hash of its bytes",
			Gets: []Want{read, read, read}, host: host{http: each(func(w http.ResponseWriter, _ *http.Request, n int64) {
				set(w, "Etag", fmt.Sprintf(`"%d"`, n))
				_, _ = fmt.Fprint(w, Document)
			})}},
	}
}

func differences() []Case {
	return []Case{
		{Name: "delta", Does: "answers 226 with the new entries alone, as asked (RFC 3229)", Outcome: "read; what it does not list is not gone",
			Gets: []Want{read, {Status: 226, Delta: true}}, host: host{http: differs("feed")}},
		{Name: "unasked-delta", Does: "answers 226 without having been asked", Outcome: "failed",
			Gets: fails(226, "a difference (226) that was not asked for"), host: host{http: status(226, "Im", "feed")}},
		{Name: "other-delta", Does: "answers 226 with a difference of another kind than asked for", Outcome: "failed",
			Gets: []Want{read, {Status: 226, Error: `a difference (226) of the kind "vcdiff"`}}, host: host{http: differs("vcdiff")}},
		{Name: "unnamed-delta", Does: "answers 226 without saying what kind of difference it is", Outcome: "failed",
			Gets: []Want{read, {Status: 226, Error: "a difference (226) without saying of what kind"}}, host: host{http: differs("")}},
	}
}

func redirects() []Case {
	moved := Want{Status: 200, Moved: "/moved"}
	next := always(func(w http.ResponseWriter, r *http.Request) { set(w, "Location", r.URL.Path+"x"); w.WriteHeader(302) })
	insists := always(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	})
	loop := always(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, map[string]string{"/feed": "/pong", "/pong": "/feed"}[r.URL.Path], http.StatusMovedPermanently)
	})
	twice := always(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/feed":
			http.Redirect(w, r, "/half", http.StatusMovedPermanently)
		case "/half":
			http.Redirect(w, r, "/moved", http.StatusFound)
		default:
			_, _ = fmt.Fprint(w, Document)
		}
	})
	return []Case{
		{Name: "moved", Does: "redirects for good (301), for days", Outcome: "read; reported as moved each time",
			Gets: []Want{moved, moved, moved, moved}, host: host{http: to(path("/moved"), 301)}},
		{Name: "moved-308", Does: "redirects for good (308), for days", Outcome: "read; reported as moved each time",
			Gets: []Want{moved, moved, moved}, host: host{http: to(path("/moved"), 308)}},
		{Name: "moved-once", Does: "redirects for good (301) once and then no more", Outcome: "read; reported as moved once, then no longer",
			Gets: []Want{moved, read, read}, host: host{http: to(path("/moved"), 301, 200)}},
		{Name: "elsewhere", Does: "redirects for now (302, 303, 307)", Outcome: "read; not reported as moved",
			Gets: []Want{read, read, read}, host: host{http: to(path("/moved"), 302, 303, 307)}},
		{Name: "moved-half", Does: "redirects for good, then from there for now", Outcome: "read; not reported as moved",
			Gets: []Want{read, read}, host: host{http: twice}},
		{Name: "loop", Does: "redirects in a loop", Outcome: "failed: a loop", Gets: fails(301, "redirects in a loop, back to"), host: host{http: loop}},
		{Name: "cookie-wall", Does: "redirects to itself until a cookie comes back", Outcome: "failed: a loop",
			Gets: fails(302, "redirects in a loop, back to"), host: host{http: insists}},
		{Name: "endless-redirects", Does: "redirects again and again to new places", Outcome: "failed at `fetch.redirects`",
			Gets: fails(302, "redirects more than 10 times (fetch.redirects)"), host: host{http: next}},
		{Name: "redirect-to-nowhere", Does: "redirects without saying where to", Outcome: "failed",
			Gets: fails(302, "without saying where to"), host: host{http: status(302)}},
		{Name: "redirect-to-file", Does: "redirects to a file of this machine", Outcome: "failed: only http and https are fetched",
			Gets: fails(302, "file URLs are not fetched"), host: host{http: to(path("file:///etc/passwd"), 302)}},
		{Name: "downgrade", Does: "redirects from https to http", Outcome: "failed: not followed",
			Gets: fails(301, "redirects from https to http"), host: host{tls: &certificate{handler: to(path("http://good"+Domain+"/feed"), 301)}}},
	}
}

func private() []Case {
	trap := func(o *Origin) string { return "http://" + o.trap + "/" }
	const loopback = "is a loopback address, which is not connected to"
	return []Case{
		{Name: "redirect-to-loopback", Guarded: true, Does: "redirects to 127.0.0.1", Outcome: "failed: not connected to, unless `allow_private` is set",
			Gets: fails(0, loopback), host: host{http: to(trap, 302)}},
		{Name: "redirect-to-metadata", Guarded: true, Does: "redirects to 169.254.169.254, where clouds keep their secrets", Outcome: "failed: not connected to, unless `allow_private` is set",
			Gets: fails(0, "is a link-local address, which is not connected to"), host: host{http: to(path("http://169.254.169.254/latest/meta-data/"), 302)}},
		{Name: "loopback-name", Guarded: true, Does: "has a name whose address is 127.0.0.1", Outcome: "failed: not connected to, unless `allow_private` is set",
			Gets: fails(0, loopback), host: host{network: func(o *Origin, name string) {
				o.Network.Answer(name, []netip.Addr{netip.MustParseAddr("127.0.0.1")})
			}}},
		{Name: "rebinding", Guarded: true, Does: "changes its name's address to 127.0.0.1 between two polls", Outcome: "read, then failed: the address is checked as it is connected to",
			Gets: []Want{read, {Error: loopback}}, host: host{network: rebind}},
	}
}

// rebind is a name with a good address at first.
func rebind(o *Origin, name string) {
	host := o.Network.Host("before-"+name, o.direct["http-1-0"])
	o.Network.Answer(name, []netip.Addr{host}, []netip.Addr{netip.MustParseAddr("127.0.0.1")})
}

func statuses() []Case {
	const date, later = "Mon, 02 Mar 2026 10:20:00 GMT", "Mon, 02 Mar 2026 12:20:00 GMT"
	wait := func(status int, text string, d time.Duration) []Want {
		return []Want{{Status: status, Error: text, RetryAfter: d}}
	}
	return []Case{
		{Name: "429", Does: "answers 429 with Retry-After in seconds", Outcome: "failed; its host is left alone until then",
			Gets: wait(429, "too many requests (429)", 2*time.Hour), host: host{http: status(429, "Retry-After", "7200")}},
		{Name: "503", Does: "answers 503 with Retry-After as a date", Outcome: "failed; its host is left alone for as long as from the answer's Date to that",
			Gets: wait(503, "the publisher's server failed (503", 2*time.Hour), host: host{http: status(503, "Retry-After", later, "Date", date)}},
		{Name: "429-for-ever", Does: "answers 429 with a Retry-After of centuries", Outcome: "failed; reported as it is, honoured up to a ceiling",
			Gets: wait(429, "too many requests (429)", 10*365*24*time.Hour), host: host{http: status(429, "Retry-After", "99999999999999999999")}},
		{Name: "500", Does: "answers 500", Outcome: "failed", Gets: fails(500, "the publisher's server failed (500"), host: host{http: status(500)}},
		{Name: "401", Does: "answers 401", Outcome: "failed: asks for a user name and password", Gets: fails(401, "asks for a user name and password (401)"), host: host{http: status(401)}},
		{Name: "403", Does: "answers 403", Outcome: "failed: access refused", Gets: fails(403, "access refused (403)"), host: host{http: status(403)}},
		{Name: "404", Does: "answers 404", Outcome: "failed: not found", Gets: fails(404, "not found (404)"), host: host{http: status(404)}},
		{Name: "410", Does: "answers 410", Outcome: "failed: gone", Gets: fails(410, "gone (410)"), host: host{http: status(410)}},
		{Name: "204", Does: "answers 204, without a document", Outcome: "failed", Gets: fails(204, "answered without a document (204"), host: host{http: always(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })}},
	}
}

func connections() []Case {
	const closed = "the host closed the connection without a full answer"
	unreached := func(text string) []Want { return []Want{{Error: text, Unreached: true}} }
	return []Case{
		{Name: "no-such-name", Does: "has a name that does not exist", Outcome: "failed: check its spelling",
			Gets: unreached("does not exist: check its spelling"), host: host{network: func(*Origin, string) {}}},
		{Name: "name-server-fails", Does: "has a name whose name server fails", Outcome: "failed: could not be looked up",
			Gets: unreached("could not be looked up"), host: host{network: func(o *Origin, name string) { o.Network.Fail(name) }}},
		{Name: "refuses", Does: "refuses connections", Outcome: "failed: refuses connections",
			Gets: unreached("the host refuses connections"), host: host{network: func(o *Origin, name string) { o.Network.Host(name, closedPort()) }}},
		{Name: "hangs-up", Does: "closes the connection without an answer", Outcome: "failed", Gets: fails(0, closed), host: host{answer: says("")}},
		{Name: "resets-at-once", Does: "resets the connection instead of answering", Outcome: "failed", Gets: fails(0, closed), host: host{answer: resets("")}},
		{Name: "half-headers", Does: "closes the connection within its headers", Outcome: "failed", Gets: fails(0, closed), host: host{answer: says("HTTP/1.1 200 OK\r\nContent-Type: te")}},
		{Name: "not-http", Does: "speaks another protocol", Outcome: "failed: the answer is not HTTP", Gets: fails(0, "the answer is not HTTP"), host: host{answer: says("SSH-2.0-OpenSSH_9.2\r\n\r\n")}},
	}
}

func closedPort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:1"
	}
	defer l.Close()
	return l.Addr().String()
}

func certificates() []Case {
	good := document()
	bad := func(change func(*x509.Certificate)) host {
		return host{tls: &certificate{handler: good, change: change}}
	}
	const mend = "; the publisher has to mend it"
	return []Case{
		{Name: "tls-good", Does: "serves https with a good certificate", Outcome: "read", Gets: []Want{read, read}, host: bad(nil)},
		{Name: "tls-expired", Does: "has a certificate that has expired", Outcome: "failed: expired",
			Gets: fails(0, "certificate has expired or is not valid yet"+mend), host: bad(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(1, 0, 0) })},
		{Name: "tls-not-yet", Does: "has a certificate that is not valid yet", Outcome: "failed: not valid yet",
			Gets: fails(0, "certificate has expired or is not valid yet"+mend), host: bad(func(c *x509.Certificate) { c.NotBefore = c.NotAfter.AddDate(-1, 0, 0) })},
		{Name: "tls-other-name", Does: "has a certificate for another name", Outcome: "failed: for another name",
			Gets: fails(0, "certificate is for another name"+mend), host: bad(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"other.example"}, nil })},
		{Name: "tls-stranger", Does: "has a certificate of an authority that nobody knows", Outcome: "failed: signed by nobody this machine trusts",
			Gets: fails(0, "signed by nobody this machine trusts"+mend), host: host{tls: &certificate{handler: good, stranger: true}}},
		{Name: "tls-old", Does: "speaks only TLS 1.0", Outcome: "failed: the handshake",
			Gets: fails(0, "speaks only a version of TLS that is not safe"), host: host{tls: &certificate{handler: good, maxVersion: tls.VersionTLS10}}},
		{Name: "tls-wants-certificate", Does: "asks for a certificate of the client", Outcome: "failed: refuses the handshake",
			Gets: fails(0, "the host refuses the TLS handshake"), host: host{tls: &certificate{handler: good, wantsClient: true}}},
		{Name: "tls-plain", Does: "speaks plain HTTP on its https port", Outcome: "failed: does not speak TLS",
			Gets: fails(0, "does not speak TLS on this port"), host: host{conn: says("HTTP/1.1 400 Bad Request\r\n\r\n")}},
		{Name: "tls-garbage", Does: "answers the TLS handshake with noise", Outcome: "failed: does not speak TLS",
			Gets: fails(0, "does not speak TLS on this port"), host: host{conn: says("\x00\x01\x02\x03\x04\x05\x06\x07")}},
		{Name: "tls-hangs-up", Does: "closes the connection in the TLS handshake", Outcome: "failed",
			Gets: fails(0, "the host closed the connection without a full answer"), host: host{conn: says("")}},
	}
}

func documents() []Case {
	return []Case{
		{Name: "many-items", Does: "lists 10,000 items", Outcome: "read; all are stored", Gets: []Want{read}, host: host{http: body(items("many", 10000))}},
		{Name: "new-guids", Does: "gives its items new guids at each request", Outcome: "read; the links tell that the items are the same",
			Gets: []Want{read, read, read}, host: host{http: each(func(w http.ResponseWriter, _ *http.Request, n int64) {
				_, _ = fmt.Fprint(w, items(fmt.Sprintf("request-%d", n), 20))
			})}},
		{Name: "web-page", Does: "serves a web page as a feed", Outcome: "read; the parser refuses it and names the feeds that it links to",
			Gets: []Want{read}, host: host{http: body(`<!doctype html><html><head><title>Chaos</title>`+
				`<link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body><p>Welcome.</p></body></html>`, "Content-Type", "text/html")}},
		{Name: "empty", Does: "serves nothing, with status 200", Outcome: "read; the parser refuses it", Gets: []Want{read}, host: host{http: body("")}},
	}
}
