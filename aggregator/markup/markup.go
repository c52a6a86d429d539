// Package markup reads and rewrites fragments of HTML as feeds carry them: plain text for matching, hashing and
// export, and absolute links for a text that leaves its page.
//
// It is a leaf that the steps may import beside package aggregator, and the one importer of the HTML tokenizer. It
// follows the HTML standard's tokenisation, so that it sees a fragment as a browser would; it never fails.
package markup

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/topicwire/topicwire/aggregator"
)

// PlainText is what a reader sees of the fragment: text without tags, comments, scripts and styles, entities
// resolved, bytes that are no UTF-8 replaced. Block elements and line breaks end a line; other white space is folded to
// single spaces, and there is none at the start or the end of a line.
func PlainText(fragment string) string {
	if isPlain(fragment) {
		return fragment
	}
	b := lineBuilder{text: make([]byte, 0, len(fragment)*3/4), valid: utf8.ValidString(fragment)}
	if strings.IndexByte(fragment, '<') < 0 && strings.IndexByte(fragment, '&') < 0 {
		addText(&b, fragment)
		return string(b.text)
	}
	z := html.NewTokenizer(strings.NewReader(fragment))
	var hidden atom.Atom
	for {
		switch z.Next() {
		case html.ErrorToken:
			return string(b.text)
		case html.TextToken:
			if hidden == 0 {
				addText(&b, z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			if isHidden(tag) {
				hidden = tag
			}
			if isBlock(tag) {
				b.newline()
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			if tag == hidden {
				hidden = 0
			}
			if isBlock(tag) {
				b.newline()
			}
		}
	}
}

// PlainOf is the plain text of the item's Text: its Plain where that is set.
func PlainOf(it *aggregator.Item) string {
	if it.Plain != "" {
		return it.Plain
	}
	return PlainText(it.Text())
}

// isPlain reports whether the fragment is its own plain text, without looking closer at what is not ASCII.
func isPlain(fragment string) bool {
	n := len(fragment)
	return Printable(fragment) == n && strings.IndexByte(fragment, '<') < 0 && strings.IndexByte(fragment, '&') < 0 &&
		(n == 0 || fragment[0] != ' ' && fragment[n-1] != ' ' && !strings.Contains(fragment, "  "))
}

// Printable is how many bytes at the beginning of the text are printable ASCII characters, spaces among them.
func Printable(text string) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; len(text)-i >= 8; i += 8 {
		b := text[i : i+8]
		word := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// A byte of another kind has its highest bit set, or comes by it when 1 is added or when ' ' is taken off.
		if (word|(word+each)|(word-each*' '))&high != 0 {
			break
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] < 0x7f {
		i++
	}
	return i
}

// lineBuilder folds white space as PlainText promises.
type lineBuilder struct {
	text    []byte
	pending byte // 0, ' ' or '\n', to be written before the next text
	valid   bool // what is added is UTF-8
}

// addText adds a text with white space in it.
func addText[T string | []byte](b *lineBuilder, s T) {
	word := 0 // where the words begin that are being read
	for i := 0; i < len(s); {
		c := s[i]
		if c > ' ' && (c < utf8.RuneSelf || b.valid && !mayBeSpace(c)) {
			i++
			continue
		}
		if c == ' ' && i > word && i+1 < len(s) && s[i+1] > ' ' && s[i+1] < utf8.RuneSelf {
			i++ // words with one space between them are added together
			continue
		}
		r, size := rune(c), 1
		if r >= utf8.RuneSelf {
			r, size = decodeRune(s[i:])
		}
		switch {
		case r == utf8.RuneError && size == 1:
			addWord(b, s[word:i])
			addWord(b, "\uFFFD")
			word = i + size
		case unicode.IsSpace(r):
			addWord(b, s[word:i])
			if b.pending == 0 {
				b.pending = ' '
			}
			word = i + size
		}
		i += size
	}
	addWord(b, s[word:])
}

// mayBeSpace reports whether a character that begins with the byte may be white space.
func mayBeSpace(c byte) bool { return c == 0xC2 || c >= 0xE1 && c <= 0xE3 }

func decodeRune[T string | []byte](s T) (r rune, size int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

// addWord adds text without white space in it but for single spaces.
func addWord[T string | []byte](b *lineBuilder, s T) {
	if len(s) == 0 {
		return
	}
	if b.pending != 0 && len(b.text) > 0 {
		b.text = append(b.text, b.pending)
	}
	b.pending = 0
	b.text = append(b.text, s...)
}

func (b *lineBuilder) newline() { b.pending = '\n' }

func isHidden(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Iframe, atom.Object, atom.Svg, atom.Math:
		return true
	}
	return false
}

func isBlock(tag atom.Atom) bool {
	switch tag {
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Br, atom.Caption, atom.Center, atom.Dd,
		atom.Details, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Form,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Header, atom.Hr, atom.Li, atom.Main, atom.Nav,
		atom.Ol, atom.Option, atom.P, atom.Pre, atom.Section, atom.Summary, atom.Table, atom.Td, atom.Th, atom.Tr,
		atom.Ul:
		return true
	}
	return false
}

// AbsoluteLinks resolves the fragment's relative links (href, src, srcset, poster, cite, data, longdesc) against base
// by RFC 3986 section 5. A fragment without any comes back as it is, byte for byte; a link that is no URL stays.
func AbsoluteLinks(fragment string, base *url.URL) string {
	return AbsoluteLinksWithin(fragment, base, base)
}

// AbsoluteLinksWithin is AbsoluteLinks for a fragment whose own page is known: a link to a place in the same text
// ("#note-1") leads to that place on the page. Where page is nil such links stay as they are.
func AbsoluteLinksWithin(fragment string, base, page *url.URL) string {
	if base == nil || !hasRelativeLink(fragment) {
		return fragment
	}
	z := html.NewTokenizer(strings.NewReader(fragment))
	var b strings.Builder
	changed := false
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if !changed {
				return fragment
			}
			b.Write(z.Raw())
			return b.String()
		}
		raw := string(z.Raw())
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			b.WriteString(raw)
			continue
		}
		token := z.Token()
		if !resolveAttributes(token.Attr, base, page) {
			b.WriteString(raw)
			continue
		}
		changed = true
		b.WriteString(token.String())
	}
}

// hasRelativeLink looks at what follows each '=' without tokenising, because most fragments have absolute links only.
// It may say yes where the answer is no.
func hasRelativeLink(fragment string) bool {
	if strings.IndexByte(fragment, '<') < 0 {
		return false
	}
	for rest := fragment; ; {
		i := strings.IndexByte(rest, '=')
		if i < 0 {
			return false
		}
		name := strings.TrimRight(rest[:i], " \t\n\r\f")
		rest = strings.TrimLeft(rest[i+1:], " \t\n\r\f")
		quote := " \t\n\r\f>"
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			quote, rest = rest[:1], strings.TrimLeft(rest[1:], " \t\n\r\f")
		}
		switch {
		case hasSuffixFold(name, "srcset"):
			if !allAbsolute(rest, quote) {
				return true
			}
		case hasSuffixFold(name, "href"), hasSuffixFold(name, "src"), hasSuffixFold(name, "poster"),
			hasSuffixFold(name, "cite"), hasSuffixFold(name, "data"), hasSuffixFold(name, "longdesc"):
			if !hasScheme(rest) {
				return true
			}
		}
	}
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// allAbsolute reports whether each candidate of a srcset that ends before the quote is an absolute URL.
func allAbsolute(value, quote string) bool {
	if end := strings.IndexAny(value, quote); end >= 0 {
		value = value[:end]
	}
	for candidate := range strings.SplitSeq(value, ",") {
		if !hasScheme(strings.TrimLeft(candidate, " \t\n\r\f")) {
			return false
		}
	}
	return true
}

// hasScheme reports whether s begins with a scheme (RFC 3986 section 3.1).
func hasScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return i > 0 && c == ':'
		}
	}
	return false
}

func resolveAttributes(attrs []html.Attribute, base, page *url.URL) (changed bool) {
	for i, a := range attrs {
		value := a.Val
		switch a.Key {
		case "href", "src", "poster", "cite", "data", "longdesc":
			value = resolve(a.Val, base, page)
		case "srcset":
			value = resolveSrcset(a.Val, base)
		}
		if value != a.Val {
			attrs[i].Val = value
			changed = true
		}
	}
	return changed
}

func resolve(ref string, base, page *url.URL) string {
	trimmed := strings.TrimSpace(ref)
	if strings.HasPrefix(trimmed, "#") {
		base = page
	}
	u, err := url.Parse(trimmed)
	if err != nil || u.IsAbs() || trimmed == "" || base == nil {
		return ref
	}
	return base.ResolveReference(u).String()
}

// resolveSrcset resolves each candidate of a srcset attribute (HTML standard, section 4.8.4.2.1): a URL, which may
// hold commas but no white space, and an optional descriptor up to the next comma.
func resolveSrcset(set string, base *url.URL) string {
	var out []string
	for rest := strings.TrimLeft(set, " \t\n\r\f,"); rest != ""; rest = strings.TrimLeft(rest, " \t\n\r\f,") {
		end := strings.IndexAny(rest, " \t\n\r\f")
		if end < 0 {
			end = len(rest)
		}
		link, descriptor := rest[:end], ""
		rest = rest[end:]
		if trimmed := strings.TrimRight(link, ","); trimmed != link {
			link = trimmed
		} else {
			descriptor, rest, _ = strings.Cut(rest, ",")
		}
		out = append(out, strings.TrimSpace(resolve(link, base, base)+" "+strings.TrimSpace(descriptor)))
	}
	return strings.Join(out, ", ")
}
