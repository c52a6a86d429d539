// Package fetch makes one polite, bounded, conditional HTTP GET.
//
// Polite: a request says who asks (User-Agent with the operator's contact), sends back the publisher's validators byte
// for byte so that an unchanged feed costs a 304 (RFC 9110 section 13), asks for compression, and carries nothing else:
// no cookie, no Referer, no parameter that the URL does not have. When to ask, and how often a host may be asked, is not
// decided here; what the publisher says about it (Retry-After, 429, 410) comes back in the answer or the error.
//
// Bounded: one time limit covers the whole poll from the name look-up to the last byte, redirects included, so that a
// server that drips ends as surely as one that is silent. The body is limited as it comes over the network and again
// after decompression, whatever its headers claim, and buffers grow with what has come, not with what was announced.
// Response headers, redirects, stacked encodings and the windows of decoders have limits of their own.
//
// Contained: no connection is made to an address that is not public, unless the config allows it. The check is made on
// the address itself, after the name was looked up and as the socket is about to connect, for every redirect too; a name
// that changes its address between check and use gains nothing. Requests that may reach private addresses have a pool
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
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// The defaults of Options.
const (
	DefaultTimeout      = 30 * time.Second
	DefaultMaxBody      = 16 << 20
	DefaultMaxRedirects = 10
)

// Options are what a Client works with. The zero value of a field is its default.
type Options struct {
	// UserAgent is sent as it is, by convention "topicwire/VERSION (+CONTACT)". Default "topicwire".
	UserAgent string
	// Timeout bounds a Get from beginning to end.
	Timeout time.Duration
	// MaxBody bounds a body in bytes, once as it comes over the network and once decompressed.
	MaxBody int64
	// MaxRedirects is how many redirects one Get follows.
	MaxRedirects int
	// AllowPrivate lets every request connect to addresses that are not public.
	AllowPrivate bool
	// Now is the clock that a Retry-After in seconds counts from. Default time.Now.
	Now func() time.Time
}

// Client makes requests over shared connections. It is made by New and safe for use by many goroutines.
type Client struct {
	options Options
	// guarded refuses addresses that are not public; open does not. They are two pools, so that no request finds an
	// open connection that it could not have made.
	guarded, open *http.Transport
	decoders      decoders
	scratch       scratchPool

	// The values of headers that are the same in every request, made once.
	userAgent, accept, acceptEncoding []string
}

// New makes a client.
func New(o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "topicwire"
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxRedirects <= 0 {
		o.MaxRedirects = DefaultMaxRedirects
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Client{
		options:   o,
		open:      newTransport(o.Timeout, nil),
		userAgent: []string{o.UserAgent},
		accept: []string{"application/atom+xml, application/rss+xml;q=0.9, application/feed+json;q=0.9, " +
			"application/rdf+xml;q=0.8, application/xml;q=0.7, text/xml;q=0.7, */*;q=0.1"},
		acceptEncoding: []string{"gzip, br, zstd"},
	}
	c.guarded = c.open
	if !o.AllowPrivate {
		c.guarded = newTransport(o.Timeout, refusePrivate)
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
	// Validators, when set, make the request conditional: ETag is sent as If-None-Match, LastModified as
	// If-Modified-Since, both as they are.
	//
	// Validators speak of one resource (RFC 9110 section 8.8), and section 15.4 wants a redirected request to have
	// those of its own target. Which URL of a chain gave them is not recorded, but the stored ones come from the last
	// hop, so they are sent along: an ETag to every hop, since one that belongs elsewhere does not match and costs
	// nothing. A lone date is sent to the first hop only, since any older document at a new target would answer it with
	// a 304 and never be read.
	Validators aggregator.Validators
	// AllowPrivate lets this request connect to addresses that are not public.
	AllowPrivate bool
}

// Response is an answer that is worth reading: a 200 (or 203) with its body, or a 304.
type Response struct {
	// URL is where the answer came from, after redirects; without user name, password and fragment.
	URL    string
	Status int
	// ContentType is the header as it came, empty where there was none.
	ContentType string
	// Body is the decompressed document, the caller's to keep; nil after a 304.
	Body []byte
	// Bytes counts the body as it came over the network.
	Bytes int64
	// Validators are those to ask with next time: after a 200 what the answer has and nothing else, after a 304 the
	// request's with what the answer has in their place (RFC 9111 section 4.3.4).
	Validators aggregator.Validators
	// NotModified says that the publisher's document is the one that the request's validators came with.
	NotModified bool
	// RetryAfter is the latest time before which a redirect on the way asked not to be repeated, zero for none. A
	// redirect is followed all the same: the wait is for the next poll.
	RetryAfter time.Time
}

// Get makes one request and reads its answer. Any error but the end of ctx is an *Error.
func (c *Client) Get(ctx context.Context, req Request) (*Response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeout)
	defer cancel()
	g := &get{client: c, request: req, transport: c.guarded}
	if req.AllowPrivate {
		g.transport = c.open
	}
	g.ctx = g.progress.track(ctx)
	resp, err := g.run()
	if err == nil {
		return resp, nil
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errTimeout) {
		// The caller gave up, which says nothing about the feed.
		return nil, cause
	}
	return nil, g.failure(err)
}

// get is one Get under way.
type get struct {
	client    *Client
	ctx       context.Context
	request   Request
	transport *http.Transport
	progress  progress

	// origin is the URL that was asked for, with its credentials; at is the hop under way, without any. Both are
	// parsed without a fragment.
	origin, at *url.URL
	// visited are the hops so far.
	visited []string
	// conditional says that the hop under way was asked with validators.
	conditional bool
	// status is the last answer's, bytes counts its body as it came.
	status     int
	bytes      int64
	retryAfter time.Time
}

// run goes from hop to hop until there is an answer.
func (g *get) run() (*Response, error) {
	origin, err := parseURL(g.request.URL)
	if err != nil {
		return nil, err
	}
	g.origin = origin
	g.at = withoutUser(origin)
	for {
		g.progress.set(connecting)
		g.status = 0
		resp, err := g.transport.RoundTrip(g.newRequest())
		if err != nil {
			return nil, err
		}
		g.progress.set(reading)
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
	}
}

// newRequest is the request of the hop under way.
func (g *get) newRequest() *http.Request {
	header := make(http.Header, 6)
	header["User-Agent"] = g.client.userAgent
	header["Accept"] = g.client.accept
	header["Accept-Encoding"] = g.client.acceptEncoding
	v := g.request.Validators
	if v.ETag != "" && sendable(v.ETag) {
		header["If-None-Match"] = []string{v.ETag}
	}
	if v.LastModified != "" && sendable(v.LastModified) && len(g.visited) == 0 {
		header["If-Modified-Since"] = []string{v.LastModified}
	}
	g.conditional = len(header) > 3
	req := &http.Request{
		Method: http.MethodGet, URL: g.at, Host: g.at.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if user := g.origin.User; user != nil && sameOrigin(g.origin, g.at) {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	return req.WithContext(g.ctx)
}

// answer makes the response or the error of an answer that is no redirect. It closes the answer's body.
func (g *get) answer(resp *http.Response) (*Response, error) {
	out := &Response{URL: g.at.String(), Status: resp.StatusCode, RetryAfter: g.retryAfter}
	switch resp.StatusCode {
	case http.StatusNotModified:
		discard(resp)
		if !g.conditional {
			return nil, because("says that nothing has changed (304) and was not asked: the publisher's cache is broken")
		}
		out.NotModified = true
		out.Validators = g.request.Validators
		if v := validatorsOf(resp.Header); v != (aggregator.Validators{}) {
			if v.ETag != "" {
				out.Validators.ETag = v.ETag
			}
			if v.LastModified != "" {
				out.Validators.LastModified = v.LastModified
			}
		}
		return out, nil
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		body, err := g.body(resp)
		if err != nil {
			return nil, err
		}
		out.Body, out.Bytes = body, g.bytes
		out.ContentType = resp.Header.Get("Content-Type")
		out.Validators = validatorsOf(resp.Header)
		return out, nil
	}
	g.retryAfter = latest(g.retryAfter, retryAfter(resp.Header, g.client.options.Now()))
	discard(resp)
	return nil, explainStatus(resp.StatusCode, g.retryAfter)
}

// validatorsOf are the answer's validators, byte for byte. One that could not be sent back is as good as none.
func validatorsOf(h http.Header) aggregator.Validators {
	var v aggregator.Validators
	if etag := h.Get("Etag"); sendable(etag) {
		v.ETag = etag
	}
	if modified := h.Get("Last-Modified"); sendable(modified) {
		v.LastModified = modified
	}
	return v
}

// maxValidator bounds a validator, which is stored with its feed and sent with every request.
const maxValidator = 4 << 10

// sendable reports whether s may be the value of a request header (RFC 9110 section 5.5): no control characters but
// tab; bytes above ASCII are allowed.
func sendable(s string) bool {
	return len(s) <= maxValidator &&
		strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
