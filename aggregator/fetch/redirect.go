package fetch

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// parse reads the http or https URL of the request and drops its fragment, which is never sent.
func (r *Request) parse() (*url.URL, error) {
	u := r.Parsed
	if u == nil {
		var err error
		if u, err = url.Parse(r.URL); err != nil {
			// What is wrong is quoted from the URL, which may hold a password where it cannot be parsed.
			var parse *url.Error
			if errors.As(err, &parse) && !strings.Contains(r.URL, "@") {
				return nil, because("not a valid URL (%s): correct it", clip(parse.Err.Error()))
			}
			return nil, because("not a valid URL: correct it")
		}
	}
	if err := checkScheme(u); err != nil {
		return nil, err
	}
	if u.Fragment != "" || u.RawFragment != "" {
		sent := *u
		sent.Fragment, sent.RawFragment = "", ""
		u = &sent
	}
	return u, nil
}

func checkScheme(u *url.URL) error {
	switch {
	case u.Scheme == "":
		return because("the URL has no scheme: begin it with https://")
	case u.Scheme != "http" && u.Scheme != "https":
		return because("%s URLs are not fetched: only http and https are", clip(u.Scheme))
	case u.Hostname() == "":
		return because("the URL names no host: correct it")
	}
	return nil
}

// redirect is where the answer sends the request to, nil where it is no redirect (RFC 9110 section 15.4).
func (g *get) redirect(resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	g.retryAfter = latest(g.retryAfter, retryAfter(resp.Header, g.client.options.Now()))
	location := resp.Header.Get("Location")
	if location == "" {
		return nil, because("redirects (%d) without saying where to: look for the feed's new URL on the publisher's site",
			resp.StatusCode)
	}
	next, err := g.at.Parse(location)
	if err != nil {
		return nil, because("redirects (%d) to what is not a valid URL", resp.StatusCode)
	}
	// Credentials that a publisher puts into a link are not the operator's (RFC 9110 section 4.2.4).
	next.User, next.Fragment, next.RawFragment = nil, "", ""
	target := clip(next.String())
	if err := checkScheme(next); err != nil {
		return nil, because("redirects to %s: %s", target, err)
	}
	if g.at.Scheme == "https" && next.Scheme == "http" {
		return nil, because("redirects from https to http (%s), which is not followed: if the publisher really has no https, "+
			"use that URL", target)
	}
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusPermanentRedirect:
	default:
		g.temporary = true
	}
	g.visited = append(g.visited, g.at.String())
	if slices.Contains(g.visited, next.String()) {
		return nil, because("redirects in a loop, back to %s: the publisher may insist on cookies", target)
	}
	if len(g.visited) > g.client.options.MaxRedirects {
		return nil, because("redirects more than %d times (fetch.redirects), lastly to %s: look for the feed's new URL on the publisher's site",
			g.client.options.MaxRedirects, target)
	}
	return next, nil
}

// sameOrigin reports whether what is trusted to a may be sent to b: same scheme, host and port, or the same host
// reached by https instead of http, each on its default port.
func sameOrigin(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	if a.Scheme == b.Scheme {
		return port(a) == port(b)
	}
	return a.Scheme == "http" && b.Scheme == "https" && port(a) == "80" && port(b) == "443"
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

func withoutUser(u *url.URL) *url.URL {
	if u.User == nil {
		return u
	}
	public := *u
	public.User = nil
	return &public
}

// publicURL is the URL for people to read: without user name and password, and not too long.
func publicURL(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		u.User = nil
		return clip(u.String())
	}
	// What cannot be parsed still must not show what is before the last "@" that could end its credentials.
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		raw = "..." + raw[i:]
	}
	return clip(strings.ToValidUTF8(strings.Map(printable, raw), "?"))
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}

// clip bounds what is quoted from outside.
func clip(s string) string {
	const longest = 300
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "..."
}
