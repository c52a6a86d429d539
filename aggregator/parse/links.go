package parse

import (
	"net/url"
	"strings"

	"github.com/topicwire/topicwire/aggregator/markup"
)

// longestURL bounds what is taken for a URL: more than any server accepts.
const longestURL = 8 << 10

// resolveURL resolves ref against base by RFC 3986 section 5; nil where it is no URL.
func resolveURL(base *url.URL, ref string) *url.URL {
	ref = tidyURL(ref)
	if len(ref) > longestURL {
		return nil
	}
	u, err := url.Parse(ref)
	if err != nil {
		return nil
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	return u
}

// webURL is the absolute http or https URL that ref means where base is in scope; empty where there is none. One that
// is absolute already comes back as it was written, so that a publisher's own escaping is never second-guessed.
func webURL(base *url.URL, ref string) string {
	ref = tidyURL(ref)
	if ref == "" || len(ref) > longestURL {
		return ""
	}
	if strings.HasPrefix(ref, "www.") {
		ref = "http://" + ref
	}
	u, err := url.Parse(ref)
	if err != nil {
		return ""
	}
	if !u.IsAbs() {
		if base == nil {
			return ""
		}
		u = base.ResolveReference(u)
		ref = u.String()
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return ref
}

// tidyURL does what a browser does before it reads a URL: white space around it and line breaks inside go, backslashes
// are slashes, spaces and lone percent signs are escaped.
func tidyURL(ref string) string {
	ref = strings.TrimSpace(ref)
	if !strings.ContainsAny(ref, " \t\r\n%\\<>\"") {
		return ref
	}
	if path, rest := ref, ""; strings.Contains(ref, `\`) {
		if i := strings.IndexAny(ref, "?#"); i >= 0 {
			path, rest = ref[:i], ref[i:]
		}
		ref = strings.ReplaceAll(path, `\`, "/") + rest
	}
	ref = strings.NewReplacer("\t", "", "\r", "", "\n", "", " ", "%20", "<", "%3C", ">", "%3E", `"`, "%22").Replace(ref)
	if !strings.Contains(ref, "%") {
		return ref
	}
	var b strings.Builder
	for i := 0; i < len(ref); i++ {
		b.WriteByte(ref[i])
		if ref[i] == '%' && !(i+2 < len(ref) && isHex(ref[i+1]) && isHex(ref[i+2])) {
			b.WriteString("25")
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// isWebURL reports whether s itself is an absolute http or https URL.
func isWebURL(s string) bool {
	return (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && webURL(nil, s) != ""
}

// scope says what relative links mean in a place of the document.
type scope struct {
	// declared is the xml:base in scope, home the feed's link, page the URL of the feed itself.
	declared, home, page *url.URL
}

// base is what relative links are resolved against: xml:base, else the feed's link, else its URL.
func (s scope) base() *url.URL {
	switch {
	case s.declared != nil:
		return s.declared
	case s.home != nil:
		return s.home
	}
	return s.page
}

// within is the scope inside an element that may declare a base of its own.
func (s scope) within(base *url.URL) scope {
	if base != nil {
		s.declared = base
	}
	return s
}

func (s scope) url(ref string) string { return webURL(s.base(), ref) }

// html is the fragment with absolute links. Links to a place in the text itself lead to the item's page.
func (s scope) html(fragment, page string) string {
	fragment = strings.TrimSpace(fragment)
	if fragment == "" {
		return ""
	}
	own, _ := url.Parse(page)
	if page == "" {
		own = nil
	}
	return markup.AbsoluteLinksWithin(fragment, s.base(), own)
}
