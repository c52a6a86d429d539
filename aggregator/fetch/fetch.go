// Package fetch makes one polite, bounded, conditional HTTP GET.
//
// Polite: a request says who asks (User-Agent with the operator's contact), sends back the publisher's validators byte
// for byte so that an unchanged feed costs a 304 (RFC 9110 section 13), asks for compression, and carries nothing else:
// no cookie, no Referer, no parameter that the URL does not have. When to ask, and how often a host may be asked, is not
// decided here; what the publisher says about it (Retry-After, 429, 410) comes back in the answer or the error.
//
// Bounded: one time limit covers the whole poll from the name look-up to the last byte, redirects included. Within it,
// connecting, the wait for headers and the pace of the body have limits of their own, so that a host that is dead, silent
// or drips frees its worker long before one that is merely slow would have to. The body is limited as it comes over the
// network and again after decompression, whatever its headers claim, and buffers grow with what has come, not with what
// was announced. Response headers, redirects, stacked encodings and the windows of decoders are limited too.
//
// Contained: no connection is made to an address that is not public, unless the config allows it. Names are looked up
// here, once for the polls of the next minutes, and connections are made to addresses: the check is made on the very
// address that the socket then connects to, for every redirect too; a name that changes its address between check and use
// gains nothing. Requests that may reach private addresses have a pool
// of connections of their own, so that one that may not never finds such a connection open. HTTP_PROXY and its kin are
// not honoured: the check cannot see past a proxy, which would connect wherever it is asked to.
//
// Redirects are followed by hand, because each hop needs rules that a plain client does not have: never from https to
// http, credentials only to the origin they were given for, and validators with care (see Request.Validators).
//
// An error is written for the operator who reads it beside the feed: what was wrong and, where there is something to
// do, what.
package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Client makes requests over shared connections. It is made by New and safe for use by many goroutines.
type Client struct {
	options Options
	// guarded refuses addresses that are not public; open does not. They are two pools, so that no request finds an
	// open connection that it could not have made.
	guarded, open *http.Transport
	names         *names
	decoders      decoders
	scratch       scratchPool
	running       running

	// The values of headers that are the same in every request, made once.
	userAgent, accept, acceptEncoding, acceptDelta []string
}

// New makes a client.
func New(o Options) *Client {
	o = o.withDefaults()
	names := newNames(o)
	c := &Client{
		options:   o,
		names:     names,
		open:      newTransport(o, newDialer(o, names, nil)),
		userAgent: []string{o.UserAgent},
		accept: []string{"application/atom+xml, application/rss+xml;q=0.9, application/feed+json;q=0.9, " +
			"application/rdf+xml;q=0.8, application/xml;q=0.7, text/xml;q=0.7, */*;q=0.1"},
		acceptEncoding: []string{"gzip, br, zstd"},
		acceptDelta:    []string{deltaFeed},
	}
	c.guarded = c.open
	if !o.AllowPrivate {
		c.guarded = newTransport(o, newDialer(o, names, refusePrivate("allow_private on the feed")))
	}
	return c
}

// Close drops the connections that are idle. Requests under way go on, and the client stays usable.
func (c *Client) Close() {
	c.guarded.CloseIdleConnections()
	c.open.CloseIdleConnections()
}

// Request is what to get.
type Request struct {
	// URL is http or https. A user name and password in it are sent as Basic credentials (RFC 7617) to its origin
	// and to no other, and never appear in a Response or an error.
	URL string
	// Parsed is the URL as url.Parse reads it, where that is known. It is not changed.
	Parsed *url.URL
	// Validators, when set, make the request conditional: ETag is sent as If-None-Match, LastModified as
	// If-Modified-Since, both as they are.
	//
	// Validators speak of one resource (RFC 9110 section 8.8), and section 15.4 wants a redirected request to have
	// those of its own target. Which URL of a chain gave them is not recorded, but the stored ones come from the last
	// hop, so they are sent along: an ETag to every hop, since one that belongs elsewhere does not match and costs
	// nothing. A lone date is sent to the first hop only, since any older document at a new target would answer it with
	// a 304 and never be read.
	//
	// With an ETag goes A-IM: feed (RFC 3229), which lets a publisher answer with the new entries alone.
	Validators aggregator.Validators
	// Header has headers of the request's own, such as credentials. They go to the URL's origin and to no other.
	Header map[string]string
	// AllowPrivate lets this request connect to addresses that are not public.
	AllowPrivate bool
}

// Get makes one request and reads its answer. Any error but the end of ctx is an *Error.
func (c *Client) Get(ctx context.Context, req Request) (*Response, error) {
	g := &get{client: c, request: req, transport: c.guarded}
	if req.AllowPrivate {
		g.transport = c.open
	}
	g.watch.start(ctx, c)
	defer g.watch.stop()
	resp, err := g.run()
	if err == nil {
		return resp, nil
	}
	var ours *limitError
	if cause := g.watch.ended(); cause != nil && !errors.As(cause, &ours) {
		// The caller gave up, which says nothing about the feed.
		return nil, cause
	}
	return nil, g.failure(err)
}

// get is one Get under way.
type get struct {
	client    *Client
	request   Request
	transport *http.Transport
	watch     watch
	// ifNoneMatch is the header's value, made with the rest; so is the response, which keeps all of that for as long.
	ifNoneMatch [1]string
	response    Response

	// origin is the URL that was asked for, with its credentials; at is the hop under way, without any. Both are
	// parsed without a fragment.
	origin, at *url.URL
	// visited are the hops so far.
	visited []string
	// temporary says that one of the redirects so far was not a permanent one.
	temporary bool
	// conditional says that the hop under way was asked with validators, delta that it may answer with a difference.
	conditional, delta bool
	// status and header are the last answer's, bytes counts its body as it came.
	status     int
	header     http.Header
	bytes      int64
	retryAfter time.Time
}

// run goes from hop to hop until there is an answer.
func (g *get) run() (*Response, error) {
	origin, err := g.request.parse()
	if err != nil {
		return nil, err
	}
	g.origin = origin
	g.at = withoutUser(origin)
	for {
		g.status, g.header = 0, nil
		resp, err := g.transport.RoundTrip(g.newRequest())
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusNotModified { // which has nothing to read
			g.watch.set(reading)
		}
		g.status = resp.StatusCode
		next, err := g.redirect(resp)
		switch {
		case err != nil:
			discard(resp)
			return nil, err
		case next == nil:
			return g.answer(resp)
		}
		discard(resp)
		g.at = next
		g.watch.set(waiting)
	}
}

// newRequest is the request of the hop under way.
func (g *get) newRequest() *http.Request {
	header := make(http.Header, 8)
	header["User-Agent"] = g.client.userAgent
	header["Accept"] = g.client.accept
	header["Accept-Encoding"] = g.client.acceptEncoding
	v := g.request.Validators
	g.delta = v.ETag != "" && sendable(v.ETag)
	if g.delta {
		g.ifNoneMatch[0] = v.ETag
		header["If-None-Match"] = g.ifNoneMatch[:]
		header["A-IM"] = g.client.acceptDelta
	}
	if v.LastModified != "" && sendable(v.LastModified) && len(g.visited) == 0 {
		header["If-Modified-Since"] = []string{v.LastModified}
	}
	g.conditional = len(header) > 3
	req := &http.Request{
		Method: http.MethodGet, URL: g.at, Host: g.at.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if user := g.origin.User; (user != nil || len(g.request.Header) > 0) && sameOrigin(g.origin, g.at) {
		for name, value := range g.request.Header {
			header.Set(name, value)
		}
		if user != nil {
			password, _ := user.Password()
			req.SetBasicAuth(user.Username(), password)
		}
	}
	return req.WithContext(&g.watch)
}
