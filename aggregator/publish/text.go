package publish

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds on what one item may put into a document, in characters.
const (
	maxTitle    = 500
	maxName     = 200
	maxText     = 2000
	maxExcerpt  = 320
	maxCategory = 64
	maxAuthors  = 32
	maxFiles    = 32
	maxReports  = 64
	// maxURL is in bytes: what browsers and servers agree on is about 8000.
	maxURL = 8000
)

// clean leaves of s what XML 1.0 (section 2.2) may carry and a reader can show: no control characters, those of the
// upper range (U+0080 to U+009F) included, and no noncharacters. Bytes that are no UTF-8 become U+FFFD.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return r
		case r < 0x20, r == 0x7F, r >= 0x80 && r <= 0x9F && r != 0x85:
			return -1
		case r == 0x85: // NEL, a line break of EBCDIC
			return '\n'
		case r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
			return -1
		}
		return r
	}, s)
}

// oneLine is s as a title shows it: clean, on one line, at most limit characters, and with no direction of writing
// left open, which would turn around what comes after it.
func oneLine(s string, limit int) string {
	s = cutBytes(s, 16*limit)
	return closeDirections(cut(strings.Join(strings.FieldsFunc(clean(s), isSpace), " "), limit))
}

func isSpace(r rune) bool {
	// U+200B and the like have no width but join or part words; they are no space.
	return unicode.IsSpace(r) || r == 0x2028 || r == 0x2029
}

// cutBytes bounds the work on s before it is looked at by character.
func cutBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// cut shortens s to at most limit characters, an ellipsis included, at the end of a word where one is near.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit-1 {
			s = s[:i]
			break
		}
		n++
	}
	if i := strings.LastIndexByte(s, ' '); i > len(s)*3/4 {
		s = s[:i]
	}
	return strings.TrimRightFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:–-", r) }) + "…"
}

// The characters that open and close a run of another direction (Unicode Standard Annex 9, section 2).
const (
	popFormatting = '\u202C'
	popIsolate    = '\u2069'
)

func closeDirections(s string) string {
	if !strings.ContainsAny(s, "\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069") {
		return s
	}
	var b strings.Builder
	var open []rune // what closes each open run
	for _, r := range s {
		switch r {
		case '\u202A', '\u202B', '\u202D', '\u202E':
			open = append(open, popFormatting)
		case '\u2066', '\u2067', '\u2068':
			open = append(open, popIsolate)
		case popFormatting, popIsolate:
			if len(open) == 0 || open[len(open)-1] != r {
				continue
			}
			open = open[:len(open)-1]
		}
		b.WriteRune(r)
	}
	for i := len(open) - 1; i >= 0; i-- {
		b.WriteRune(open[i])
	}
	return b.String()
}

// webURI is what a published http or https link looks like: a subset of RFC 3986 that the older RFC 2396, which
// readers and validators still use, allows as well. In a host only letters of other scripts may be escaped.
var webURI = regexp.MustCompile(`^https?://(?:[A-Za-z0-9._~-]|%[89A-Fa-f][0-9A-Fa-f])+(?::[0-9]*)?(?:[/?#][A-Za-z0-9;/?:@&=+$._!~*'()%,#-]*)?$`)

// webLink is the absolute http or https URI that raw stands for, in ASCII and without a user's name or password, or
// "" where it is none.
func webLink(raw string) string {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxURL {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Opaque != "" {
		return ""
	}
	u.User = nil
	link := escapeURI(u.String())
	if !webURI.MatchString(link) {
		return ""
	}
	return link
}

var mailURI = regexp.MustCompile(`^mailto:[A-Za-z0-9;/?:@&=+$._!~*'()%,-]+$`)

// anyLink is webLink, and mailto links as well (RFC 6068).
func anyLink(raw string) string {
	if raw = strings.TrimSpace(raw); len(raw) > 7 && strings.EqualFold(raw[:7], "mailto:") {
		if link := escapeURI("mailto:" + raw[7:]); len(link) <= maxURL && mailURI.MatchString(link) {
			return link
		}
		return ""
	}
	return webLink(raw)
}

// escapeURI percent-encodes each byte that a URI cannot hold where it stands (RFC 3986 section 2).
func escapeURI(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	fragment := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		keep := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(";/?:@&=+$-_.!~*'(),", c) >= 0
		switch {
		case c == '%':
			keep = i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
		case c == '#':
			keep, fragment = !fragment, true
		}
		if keep {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

var mailForm = regexp.MustCompile(`^[A-Za-z0-9_+.'-]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9][A-Za-z0-9-]*$`)

// mailAddress is the bare address in s (RFC 5322 addr-spec, as far as the web uses it), or "".
func mailAddress(s string) string {
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"))
	if len(s) > 254 {
		return ""
	}
	a, err := mail.ParseAddress(s)
	if err != nil || !mailForm.MatchString(a.Address) {
		return ""
	}
	return a.Address
}

// mediaForm is type/subtype of RFC 6838 section 4.2, without parameters.
var mediaForm = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$`)

// mediaType is the media type in s without its parameters, or "".
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if s = strings.ToLower(strings.TrimSpace(s)); mediaForm.MatchString(s) {
		return s
	}
	return ""
}

// earliest and latest are the dates that four-digit years allow.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// firstTime is the first of times that is known, as a date that every format can write: in UTC, in whole seconds.
func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if t.IsZero() {
			continue
		}
		t = t.UTC().Truncate(time.Second)
		switch {
		case t.Before(earliest):
			return earliest
		case t.After(latest):
			return latest
		}
		return t
	}
	return earliest
}
