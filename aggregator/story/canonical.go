package story

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// maxURL bounds what Canonical reads, in bytes. Browsers and servers give up on much less.
const maxURL = 16 << 10

// maxNested bounds how many redirectors in a row Canonical undoes: each costs a reading of the rest.
const maxNested = 8

// Canonical is the URL without what does not identify the page: fit to be shown, linked to and, through Key, compared.
// It is "" for anything but an absolute http or https URL with a valid host (RFC 3986 section 4.3), and for one of more
// than 16 KiB or with more than eight redirectors around it. Canonical(Canonical(u)) is Canonical(u).
//
// The scheme stays as it is; scheme and host are in lower case, an international host in its ASCII form (UTS 46), without
// userinfo, default port and final dot. The path has no dot segments, no session id and no slash at its end: the root is
// "https://example.org". Percent-encoding is normalised (RFC 3986 section 6.2.2). Parameters that only track are left
// out (tracking-parameters.txt); those that remain are sorted by name, equal names in the order given. The fragment is
// left out unless it begins with "!", where it names a page. Links of redirectors and caches that hold their target are
// replaced by it, without any network (redirectors.txt, AMP caches, the older links of Google News).
func Canonical(rawURL string) string {
	u, ok := parseURL(rawURL)
	if !ok {
		return ""
	}
	for range maxNested + 1 {
		inner, ok := parseURL(u.target())
		if ok {
			u = inner
			continue
		}
		if canonical := u.String(); len(canonical) <= maxURL {
			return canonical
		}
		return ""
	}
	return ""
}

// address is a URL in canonical form, in its parts.
type address struct {
	scheme string
	host   string // with the port, where it is not the default
	path   string // "" or "/..." with no slash at its end
	params []param
	bang   string // the fragment from its "!" on, or ""
}

// param is one parameter of a query, percent-encoding normalised.
type param struct {
	name, value string
	bare        bool // written without "="
}

func (u address) String() string {
	if len(u.params) == 0 && u.bang == "" {
		return u.scheme + "://" + u.host + u.path
	}
	var b strings.Builder
	b.WriteString(u.scheme + "://" + u.host + u.path)
	for i, p := range u.params {
		if i == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		if !p.bare {
			b.WriteString("=" + p.value)
		}
	}
	if u.bang != "" {
		b.WriteString("#" + u.bang)
	}
	return b.String()
}

// parseURL reads a URL more leniently than net/url, which refuses a stray "%" that every browser follows.
func parseURL(raw string) (address, bool) {
	if len(raw) > maxURL {
		return address{}, false
	}
	// The URL standard's basic parser drops these before it looks at anything.
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(raw, "\t\n\r") {
		raw = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(raw)
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return address{}, false
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	authority, path := rest, ""
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, path = rest[:slash], rest[slash:]
	}
	u := address{scheme: scheme, path: cleanPath(path)}
	if u.host, ok = cleanAuthority(scheme, authority); !ok {
		return address{}, false
	}
	if fragment = normalise(fragment); strings.HasPrefix(fragment, "!") && fragment != "!" {
		u.bang = fragment
	}
	u.params = cleanQuery(query, hostname(u.host))
	return u, true
}

// lookup maps host names to ASCII as browsers do, except for the ban on hyphens in the third and fourth place, which
// real hosts of video and cloud services ignore.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.StrictDomainName(false), idna.CheckHyphens(false))

// cleanAuthority gives the host in canonical form, with the port where it is not the scheme's default.
func cleanAuthority(scheme, authority string) (string, bool) {
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	host, port := authority, ""
	if colon := strings.LastIndexByte(authority, ':'); colon > strings.LastIndexByte(authority, ']') {
		host, port = authority[:colon], authority[colon+1:]
	}
	host, ok := cleanHost(host)
	if !ok {
		return "", false
	}
	if port == "" {
		return host, true
	}
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || number == 0:
		return "", false
	case scheme == "http" && number == 80, scheme == "https" && number == 443:
		return host, true
	}
	return host + ":" + strconv.FormatUint(number, 10), true
}

func cleanHost(host string) (string, bool) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !strings.HasSuffix(inner, "]") || !addr.Is6() || addr.Zone() != "" {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	ascii := host
	if !isPlainHost(host) {
		var ok bool
		if ascii, ok = asciiHost(host); !ok {
			return "", false
		}
	}
	ascii = strings.TrimSuffix(ascii, ".")
	if len(ascii) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	return ascii, true
}

// isPlainHost reports whether the host is in its ASCII form already, as nearly all are.
func isPlainHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return !strings.Contains(host, "xn--")
}

// asciiHost is the host as the name service has it.
func asciiHost(host string) (string, bool) {
	host, err := url.PathUnescape(host)
	if err != nil {
		return "", false
	}
	ascii, err := lookup.ToASCII(host)
	if err != nil {
		return "", false
	}
	// What encodes to a name that is none: bytes that are no text, for one.
	again, err := lookup.ToASCII(ascii)
	return ascii, err == nil && again == ascii
}

// hostname is the host without its port.
func hostname(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		return host[:colon]
	}
	return host
}

// cleanPath removes session ids, dot segments (RFC 3986 section 5.2.4) and the slashes at the end.
func cleanPath(path string) string {
	path = normalise(path)
	if !strings.Contains(path, "/.") && !strings.HasSuffix(path, "/") && strings.IndexByte(path, ';') < 0 {
		return path
	}
	var kept []string
	segments := strings.Split(path, "/")
	for _, s := range segments[1:] {
		if at := strings.Index(strings.ToLower(s), ";jsessionid="); at >= 0 {
			s = s[:at]
		}
		switch s {
		case ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, s)
		}
	}
	for len(kept) > 0 && kept[len(kept)-1] == "" {
		kept = kept[:len(kept)-1]
	}
	if len(kept) == 0 {
		return ""
	}
	return "/" + strings.Join(kept, "/")
}

// cleanQuery gives the parameters that do not just track, sorted by name.
func cleanQuery(query, host string) []param {
	var params []param
	for piece := range strings.SplitSeq(normalise(query), "&") {
		// A link that was escaped for XML once too often.
		for strings.HasPrefix(piece, "amp;") {
			piece = piece[len("amp;"):]
		}
		if piece == "" {
			continue
		}
		name, value, assigned := strings.Cut(piece, "=")
		if p := (param{name, value, !assigned}); !tracking.has(p, host) {
			params = append(params, p)
		}
	}
	slices.SortStableFunc(params, func(a, b param) int { return strings.Compare(a.name, b.name) })
	return params
}

// normalise gives the percent-encoding of a path, query or fragment its one form (RFC 3986 section 6.2.2): hexadecimal
// digits in upper case, unreserved characters bare, and encoded whatever may not stand in a URL.
func normalise(s string) string {
	const digits = "0123456789ABCDEF"
	if isNormal(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c, encoded := s[i], false
		if c == '%' {
			if n, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8); err == nil && i+2 < len(s) {
				c, encoded = byte(n), true
				i += 2
			}
		}
		if isUnreserved(c) || !encoded && isReserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func isNormal(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isUnreserved(c) && !isReserved(c) {
			return false
		}
	}
	return true
}

func isReserved(c byte) bool { return strings.IndexByte(":/?#[]@!$&'()*+,;=", c) >= 0 }

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
