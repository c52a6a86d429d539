// Package chaos is an origin for tests that misbehaves in every way that publishers' servers do, one host for each, with
// what must become of a fetch from it.
//
// Start opens the hosts. Cases lists them: what each does, in words for the manual, and what one GET after the other must
// come to, in values that a test can check. The hosts are reached in two ways. Through Origin.Network they have names and
// public addresses, so that a client is tested with its guard up; directly they are ports of this machine, which is what
// a program that is tested from outside can reach. What only shows with the guard up is marked (Case.Guarded).
//
// The package knows nothing of the client that is tested, and is imported by tests only.
package chaos

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Case is one way to misbehave.
type Case struct {
	// Name is the first label of the host's name.
	Name string
	// Does says what the host does, Outcome what must become of it, for the manual.
	Does, Outcome string
	// Gets are what one GET after the other must come to, each with the validators that the one before it left, and an
	// hour later.
	Gets []Want
	// Limit is the key of the limit that ends the GET by time; a test that does not want to wait makes it short.
	Limit string
	// Guarded says that the outcome shows only to a client that reaches the host through Origin.Network and connects to
	// no private address.
	Guarded bool

	host host
}

// Want is what one GET must come to.
type Want struct {
	// Error is part of the error's text; empty where there must be none.
	Error string
	// Status is that of the last answer, 0 where there must have been none.
	Status int
	// RetryAfter is how long the publisher asks to wait.
	RetryAfter time.Duration
	// NotModified and Delta are how there is no whole document.
	NotModified, Delta bool
	// Moved is the path that the feed has permanently moved to.
	Moved string
	// Unreached says that no connection must have been made.
	Unreached bool
}

// host is how a case is served. Exactly one of its fields is set.
type host struct {
	// http is a handler, made anew for each origin.
	http func(*Origin) http.Handler
	// tls is a handler behind a certificate.
	tls *certificate
	// conn behaves on a connection from its beginning; answer does so when the request has been read.
	conn, answer func(net.Conn)
	// network is for what goes wrong before there is a connection. It may return the address of a listener.
	network func(o *Origin, name string)
}

// Origin is the hosts of all cases. It is made by Start.
type Origin struct {
	// Network has the hosts as NAME.chaos.example.
	Network *Network
	// Roots has the authority that the good certificates are signed by.
	Roots *x509.CertPool

	authority *authority
	direct    map[string]string
	// trap is the address of a server on this machine that nobody must reach, trapped counts who does.
	trap    string
	trapped atomic.Int64
}

// Domain is what the names of the hosts end in.
const Domain = ".chaos.example"

// Start opens an origin for as long as the test takes.
func Start(t testing.TB) *Origin {
	t.Helper()
	o := &Origin{Network: NewNetwork(), direct: make(map[string]string)}
	var err error
	if o.authority, err = newAuthority(); err != nil {
		t.Fatal(err)
	}
	o.Roots = x509.NewCertPool()
	o.Roots.AddCert(o.authority.cert)
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { o.trapped.Add(1) }))
	t.Cleanup(trap.Close)
	o.trap = trap.Listener.Addr().String()
	for _, c := range Cases() {
		o.open(t, c)
	}
	return o
}

// URL is the case's feed by name, for a client that uses the origin's Network.
func (o *Origin) URL(c Case) string { return c.scheme() + "://" + c.Name + Domain + "/feed" }

// Direct is the case's feed on this machine, empty for a case that has no port of its own.
func (o *Origin) Direct(c Case) string {
	if o.direct[c.Name] == "" {
		return ""
	}
	return c.scheme() + "://" + o.direct[c.Name] + "/feed"
}

// Trapped is how many requests reached a server that only a client without a guard reaches.
func (o *Origin) Trapped() int { return int(o.trapped.Load()) }

func (c Case) scheme() string {
	if c.host.tls != nil || strings.HasPrefix(c.Name, "tls-") {
		return "https"
	}
	return "http"
}

// open serves a case.
func (o *Origin) open(t testing.TB, c Case) {
	t.Helper()
	name := c.Name + Domain
	switch h := c.host; {
	case h.network != nil:
		h.network(o, name)
		return
	case h.http != nil:
		o.direct[c.Name] = serve(t, h.http(o))
	case h.tls != nil:
		s := unstarted(h.tls.handler(o))
		config, err := h.tls.config(o.authority, name)
		if err != nil {
			t.Fatal(err)
		}
		s.TLS = config
		s.StartTLS()
		t.Cleanup(func() { closeServer(s) })
		o.direct[c.Name] = s.Listener.Addr().String()
	case h.conn != nil:
		o.direct[c.Name] = listen(t, h.conn)
	default:
		o.direct[c.Name] = listen(t, afterRequest(h.answer))
	}
	o.Network.Host(name, o.direct[c.Name])
}

// serve is a plain HTTP server.
func serve(t testing.TB, handler http.Handler) (address string) {
	s := unstarted(handler)
	s.Start()
	t.Cleanup(func() { closeServer(s) })
	return s.Listener.Addr().String()
}

func unstarted(handler http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(handler)
	// What clients do to it is no news.
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// closeServer does not wait for handlers that write for as long as they are read.
func closeServer(s *httptest.Server) {
	s.CloseClientConnections()
	s.Close()
}

// listen serves connections with behave.
func listen(t testing.TB, behave func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				unhook := context.AfterFunc(ctx, func() { conn.Close() })
				defer unhook()
				defer conn.Close()
				behave(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// Table is the cases as a table in Markdown, for the manual.
func Table() string {
	var b strings.Builder
	b.WriteString("| host | what it does | what becomes of the fetch |\n|---|---|---|\n")
	for _, c := range Cases() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, c.Does, c.Outcome)
	}
	return b.String()
}

// RootPEM is the authority that the good certificates are signed by, for programs that read it from a file.
func (o *Origin) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.authority.cert.Raw})
}
