package fetch

import (
	"net/http"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Response is an answer that is worth reading: a 200 (or 203) with its body, a 226 with what is new, or a 304.
type Response struct {
	// URL is where the answer came from, after redirects; without user name, password and fragment.
	URL string
	// Moved is the same URL where there were redirects and every one of them was permanent (301 or 308); empty where
	// there was none, or any of another kind. It is one answer's word: whether to follow it for good is for the caller
	// to decide, after more than one. The request's credentials, if any, are not in it.
	Moved string
	// Private says that Moved is at an address that is not public.
	Private bool
	Status  int
	// ContentType is the header as it came, empty where there was none.
	ContentType string
	// Body is the decompressed document, the caller's to keep; nil after a 304.
	Body []byte
	// Hubs are those that the answer's Link headers offer to subscribe at, Self is what to subscribe to there: absolute
	// URLs, none after a 304.
	Hubs []string
	Self string
	// Bytes counts the body as it came over the network.
	Bytes int64
	// Validators are those to ask with next time: after a document or a difference what the answer has and nothing
	// else, after a 304 the request's with what the answer has in their place (RFC 9111 section 4.3.4).
	Validators aggregator.Validators
	// NotModified says that the publisher's document is the one that the request's validators came with.
	NotModified bool
	// Delta says that Body is a difference to that document (226, RFC 3229): a feed of the entries that are new or
	// changed. What it does not list is not gone.
	Delta bool
	// Freshness is what the answer says about how long it holds.
	Freshness Freshness
	// RetryAfter is the latest time before which a redirect on the way asked not to be repeated, zero for none. A
	// redirect is followed all the same: the wait is for the next poll.
	RetryAfter time.Time
}

// answer makes the response or the error of an answer that is no redirect. It closes the answer's body.
func (g *get) answer(resp *http.Response) (*Response, error) {
	g.header = resp.Header
	out := &g.response
	*out = Response{URL: g.where(), Status: resp.StatusCode, Freshness: freshnessOf(resp.Header), RetryAfter: g.retryAfter}
	if len(g.visited) > 0 && !g.temporary {
		out.Moved = out.URL
		out.Private = (g.client.options.AllowPrivate || g.request.AllowPrivate) && g.client.names.private(&g.watch, g.at.Hostname())
	}
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
	case http.StatusIMUsed:
		if err := g.checkDelta(resp.Header); err != nil {
			discard(resp)
			return nil, err
		}
		out.Delta = true
		fallthrough
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		body, err := g.body(resp)
		if err != nil {
			return nil, err
		}
		out.Body, out.Bytes = body, g.bytes
		out.ContentType = resp.Header.Get("Content-Type")
		out.Hubs, out.Self = offered(resp.Header["Link"], g.at)
		out.Validators = validatorsOf(resp.Header)
		return out, nil
	}
	g.retryAfter = latest(g.retryAfter, retryAfter(resp.Header, g.client.options.Now()))
	discard(resp)
	return nil, explainStatus(resp.StatusCode, g.retryAfter)
}

// where is the URL of the hop under way. It is the one that was asked for, as it is, where that is fit to be shown.
func (g *get) where() string {
	if len(g.visited) == 0 && strings.IndexByte(g.request.URL, '@') < 0 && strings.IndexByte(g.request.URL, '#') < 0 {
		return g.request.URL
	}
	return g.at.String()
}

// deltaFeed is the instance manipulation that a feed of only the new entries is (RFC 3229 section 10.5.3 for the header,
// the name in the IANA registry of instance manipulations).
const deltaFeed = "feed"

// checkDelta is an error unless the difference is of the kind that the request allowed, which the IM header says (RFC
// 3229 section 10.5.2).
func (g *get) checkDelta(h http.Header) error {
	if !g.delta {
		return because("answered with a difference (226) that was not asked for: the publisher's server is broken")
	}
	isFeed := false
	for _, line := range h["Im"] {
		for token := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(token, ";")
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case deltaFeed:
				isFeed = true
			case "", "identity":
			default:
				return because("answered with a difference (226) of the kind %q, which was not asked for: the publisher's "+
					"server is broken", clip(name))
			}
		}
	}
	if !isFeed {
		return because("answered with a difference (226) without saying of what kind: the publisher's server is broken")
	}
	return nil
}

// validatorsOf are the answer's validators, byte for byte. One that could not be sent back is as good as none.
func validatorsOf(h http.Header) aggregator.Validators {
	var v aggregator.Validators
	if lines := h["Etag"]; len(lines) > 0 && sendable(lines[0]) {
		v.ETag = lines[0]
	}
	if lines := h["Last-Modified"]; len(lines) > 0 && sendable(lines[0]) {
		v.LastModified = lines[0]
	}
	return v
}

// maxValidator bounds a validator, which is stored with its feed and sent with every request.
const maxValidator = 4 << 10

// sendable reports whether s may be the value of a request header (RFC 9110 section 5.5): no control characters but
// tab; bytes above ASCII are allowed.
func sendable(s string) bool {
	if len(s) > maxValidator {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
