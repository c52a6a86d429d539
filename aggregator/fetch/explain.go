package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Error is why a Get brought nothing to read.
type Error struct {
	// URL is the hop that failed, without user name and password.
	URL string
	// Status is the HTTP status of the last answer, 0 where there was none.
	Status int
	// RetryAfter is the time before which the publisher asked not to be asked again, zero where it named none. It is
	// as the publisher says, however far off.
	RetryAfter time.Time
	// Freshness is what the last answer says about how long it holds; zero where there was none.
	Freshness Freshness
	// Unreached says that no connection was made: the host's name could not be looked up, or no address of it could be
	// connected to. Where that happens to many hosts at once, it is this machine that has no network. A refusal to
	// connect to an address that is not public is not among it.
	Unreached bool
	// Bytes counts what was read of a body, as it came over the network.
	Bytes int64
	// Err says what was wrong and what to do, in words for the operator.
	Err error
}

func (e *Error) Error() string { return "get " + e.URL + ": " + e.Err.Error() }

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// reason is an error in plain words, with what was behind it where there was anything.
type reason struct {
	text string
	err  error
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.err }

// because makes a reason that has nothing behind it.
func because(format string, args ...any) error { return &reason{fmt.Sprintf(format, args...), nil} }

// failure makes an Error of whatever ended the Get.
func (g *get) failure(err error) *Error {
	e := &Error{
		URL: publicURL(g.request.URL), Status: g.status, RetryAfter: g.retryAfter, Freshness: freshnessOf(g.header), Bytes: g.bytes, Err: err,
	}
	if g.at != nil {
		e.URL = clip(g.at.String())
	}
	var (
		plain   *reason
		dialled *dialError
		private *privateError
	)
	if errors.As(err, &plain) {
		e.Err = plain
		return e
	}
	limit := g.watch.limit(err)
	if limit != nil {
		e.Err = &reason{limit.Error(), err}
		e.Unreached = limit.phase == lookingUp || limit.phase == dialling
	} else {
		e.Err = &reason{g.client.explain(err, g.at != nil && g.at.Scheme == "https"), err}
		e.Unreached = errors.As(err, &dialled) && dialled.at != handshaking && !errors.As(err, &private)
	}
	return e
}

// explain puts what the network, TLS and HTTP layers report into plain words, where it knows any.
func (c *Client) explain(err error, https bool) string {
	var (
		private *privateError
		dns     *net.DNSError
	)
	switch {
	case errors.As(err, &private):
		return private.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the host name %q does not exist: check its spelling, or look for the feed's new URL",
			clip(dns.Name))
	case errors.As(err, &dns):
		return fmt.Sprintf("the address of host %q could not be looked up: check this machine's DNS", clip(dns.Name))
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the host refuses connections: its server is down, or the URL has the wrong port"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "the host cannot be reached: check this machine's network (IPv6 included)"
	}
	if text := explainTLS(err); text != "" {
		return text
	}
	// The rest has no types to tell it by.
	switch text := err.Error(); {
	case strings.Contains(text, "headers exceeded"), strings.Contains(text, "header list"):
		return fmt.Sprintf("the answer's headers are above the limit fetch.max_header (%s): the publisher's server is broken",
			size(c.options.MaxHeader))
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP: check the URL's port" + schemeHint(https)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), strings.Contains(text, "server closed idle connection"),
		strings.Contains(text, "client connection lost"), strings.Contains(text, "http2: server sent GOAWAY"),
		strings.Contains(text, "stream error"):
		return "the host closed the connection without a full answer: nothing to do unless it lasts"
	default:
		return clip(strings.Map(printable, text))
	}
}

func schemeHint(https bool) string {
	if https {
		return ""
	}
	return ", or use https"
}

// explainTLS is "" for an error that is not TLS's.
func explainTLS(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		remote   *net.OpError
		verify   *tls.CertificateVerificationError
	)
	const theirs = "; the publisher has to mend it"
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the host's TLS certificate has expired or is not valid yet" + theirs +
			", unless this machine's clock is wrong"
	case errors.As(err, &hostname):
		return "the host's TLS certificate is for another name" + theirs + ", or the URL's host is misspelt"
	case errors.As(err, &unknown):
		return "the host's TLS certificate is signed by nobody this machine trusts" + theirs +
			", or install the authority's certificate (Debian: ca-certificates)"
	case errors.As(err, &verify), errors.As(err, &invalid):
		return "the host's TLS certificate cannot be verified" + theirs
	case errors.As(err, &record):
		return "the host does not speak TLS on this port: check the URL's port, or use http"
	case strings.Contains(err.Error(), "protocol version not supported"),
		strings.Contains(err.Error(), "unsupported protocol version"):
		return "the host speaks only a version of TLS that is not safe" + theirs
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fmt.Sprintf("the host refuses the TLS handshake (%s)%s", clip(remote.Err.Error()), theirs)
	case strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "the host does not speak TLS on this port: check the URL's port, or use http"
	}
	return ""
}

// explainStatus is the error of an answer that has nothing to read.
func explainStatus(status int, wait time.Time) error {
	text := statusText(status)
	if !wait.IsZero() {
		text += "; asks to wait until " + wait.UTC().Format("2006-01-02 15:04:05 MST")
	}
	return because("%s", text)
}

func statusText(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "asks for a user name and password (401): put them into the URL (https://NAME:PASSWORD@host/...), or use " +
			"the URL that the publisher gives to subscribers"
	case http.StatusForbidden:
		return "access refused (403): the publisher may not want feed readers, or block this machine's address; ask it, " +
			"or poll more rarely"
	case http.StatusNotFound:
		return "not found (404): look for the feed's new URL on the publisher's site"
	case http.StatusGone:
		return "gone (410): the publisher removed this feed; look for another one, or remove it here"
	case http.StatusTooManyRequests:
		return "too many requests (429): poll this host more rarely"
	case http.StatusUnavailableForLegalReasons:
		return "withheld for legal reasons (451): the publisher may not show it to this machine's country"
	}
	name := http.StatusText(status)
	if name != "" {
		name = " " + name
	}
	switch {
	case status < 300:
		return fmt.Sprintf("answered without a document (%d%s): look at the URL in a browser", status, name)
	case status < 400:
		return fmt.Sprintf("answered with a choice instead of a document (%d%s): look at the URL in a browser", status, name)
	case status < 500:
		return fmt.Sprintf("request refused (%d%s): look at the URL in a browser", status, name)
	}
	return fmt.Sprintf("the publisher's server failed (%d%s): nothing to do unless it lasts", status, name)
}
