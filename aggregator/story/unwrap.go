package story

import (
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strings"
)

// target is the URL that a link of a redirector, an AMP cache or Google News holds, "" where it holds none.
func (u address) target() string {
	host := hostname(u.host)
	for _, r := range redirectors {
		if u.path != r.path || !matchHost(r.host, host) {
			continue
		}
		if target := u.held(r.params); target != "" {
			return target
		}
	}
	switch {
	case strings.HasSuffix(host, ".cdn.ampproject.org"):
		for _, kind := range []string{"/c/", "/v/", "/wp/"} {
			if rest, ok := strings.CutPrefix(u.path, kind); ok {
				return u.cached(rest)
			}
		}
	case strings.HasPrefix(strings.TrimPrefix(host, "www."), "google.") && strings.HasPrefix(u.path, "/amp/"):
		return u.cached(u.path[len("/amp/"):])
	case host == "news.google.com":
		for _, folder := range []string{"/rss/articles/", "/articles/", "/__i/rss/rd/articles/"} {
			if code, ok := strings.CutPrefix(u.path, folder); ok {
				return newsTarget(code)
			}
		}
	}
	return ""
}

// held is the first of the named parameters that holds a web address.
func (u address) held(names []string) string {
	for _, name := range names {
		for _, p := range u.params {
			if p.name != name {
				continue
			}
			if value, err := url.QueryUnescape(p.value); err == nil && isWeb(value) {
				return value
			}
		}
	}
	return ""
}

// cached is the target of an AMP cache's link: "s/host/path" for https, "host/path" for http.
func (u address) cached(rest string) string {
	inner := address{scheme: "http", host: rest, params: u.params, bang: u.bang}
	if secure, ok := strings.CutPrefix(rest, "s/"); ok {
		inner.scheme, inner.host = "https", secure
	}
	host, _, _ := strings.Cut(inner.host, "/")
	if !strings.Contains(host, ".") {
		return ""
	}
	return inner.String()
}

// newsTarget decodes the older links of Google News: base64 of a message whose field 4 is the target. Newer links hold
// a number in its place, which only Google can resolve.
func newsTarget(code string) string {
	message, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(code, "="))
	if err != nil {
		return ""
	}
	const head = "\x08\x13\x22" // field 1 is 19, field 4 is a string
	rest, ok := strings.CutPrefix(string(message), head)
	if !ok {
		return ""
	}
	length, n := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
	if n <= 0 || length > uint64(len(rest)-n) {
		return ""
	}
	if target := rest[n : n+int(length)]; isWeb(target) {
		return target
	}
	return ""
}

func isWeb(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}
