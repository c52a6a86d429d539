package parse

import (
	"encoding/base64"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator/markup"
)

// plainTitle is what a reader sees of a title that may hold HTML. A tag counts as markup only where HTML has it and a
// title may: formatting, or an element that is closed again. What else follows a '<' was meant to be read ("Vec<T>",
// "5 < 6", "the <canvas> element").
func plainTitle(title string) string {
	if strings.IndexByte(title, '<') < 0 {
		return foldSpace(decodeEntities(title))
	}
	if len(title) <= longestTitle {
		title = escapeMeant(title)
	}
	return strings.ReplaceAll(markup.PlainText(title), "\n", " ")
}

// longestTitle is up to where a title is looked at tag by tag. What is longer is an article in the wrong place.
const longestTitle = 16 << 10

// titleTag is the beginning of what could be a tag or a comment.
var titleTag = regexp.MustCompile(`</?([A-Za-z][A-Za-z0-9]*)(?:[\s/][^<>]*)?>|<!--[^<>]*-->`)

// formatting are the elements that titles are formatted with; they are markup even where they are not closed.
var formatting = []string{
	"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "br", "center", "cite", "code", "del", "dfn", "em", "font", "i", "img",
	"ins", "kbd", "mark", "nobr", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
	"sup", "tt", "u", "var", "wbr",
}

// closable are further elements of HTML, which are markup where they are closed again.
var closable = []string{
	"article", "aside", "blockquote", "div", "dd", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header",
	"iframe", "li", "main", "object", "ol", "p", "pre", "script", "section", "style", "table", "tbody", "td", "th", "time",
	"title", "tr", "ul",
}

// escapeMeant escapes each '<' of the title that is no markup.
func escapeMeant(title string) string {
	lower := strings.ToLower(title)
	var b strings.Builder
	pos := 0
	for _, m := range titleTag.FindAllStringSubmatchIndex(title, -1) {
		b.WriteString(strings.ReplaceAll(title[pos:m[0]], "<", "&lt;"))
		pos = m[1]
		if m[2] >= 0 && !isTitleMarkup(strings.ToLower(title[m[2]:m[3]]), title[m[0]+1] == '/', lower, m[0], m[1]) {
			b.WriteString("&lt;" + title[m[0]+1:m[1]])
			continue
		}
		b.WriteString(title[m[0]:m[1]])
	}
	b.WriteString(strings.ReplaceAll(title[pos:], "<", "&lt;"))
	return b.String()
}

func isTitleMarkup(name string, closing bool, lower string, start, end int) bool {
	if slices.Contains(formatting, name) {
		return true
	}
	if !slices.Contains(closable, name) || start >= len(lower) || end > len(lower) {
		return false
	}
	if closing {
		return strings.Contains(lower[:start], "<"+name)
	}
	return start == 0 || strings.Contains(lower[end:], "</"+name)
}

// foldSpace trims s and makes every run of white space in it one space.
func foldSpace(s string) string {
	if !strings.ContainsAny(s, "\t\r\n\u00a0\u2028\u2029") && !strings.Contains(s, "  ") && s == strings.TrimSpace(s) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// textHTML is plain text as HTML: paragraphs where there are empty lines, line breaks kept.
func textHTML(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return ""
	}
	escaped := html.EscapeString(text)
	if !strings.Contains(escaped, "\n") {
		return escaped
	}
	var b strings.Builder
	for paragraph := range strings.SplitSeq(escaped, "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			b.WriteString("<p>" + strings.ReplaceAll(paragraph, "\n", "<br>\n") + "</p>\n")
		}
	}
	return strings.TrimSpace(b.String())
}

// looksLikeHTML tells text that its publisher labelled as plain but that holds markup.
func looksLikeHTML(text string) bool { return usualTag.MatchString(text) }

var (
	usualTag = regexp.MustCompile(`(?i)</(?:a|b|i|p|em|div|span|strong|ul|ol|li|h[1-6]|table|blockquote|figure|pre|code)>|` +
		`<(?:br|p|hr)\s*/?>|<img\s[^<>]+>`)
	anyTag = regexp.MustCompile(`<[A-Za-z/!]`)
)

// text is the element's character data.
func (c *construct) text() string {
	if c.given != "" {
		return c.given
	}
	return elementText(c.raw)
}

// html is the text as HTML. Where no type says what it is, it is HTML if it can be.
func (c *construct) html() string {
	switch {
	case c.xhtml && (strings.Contains(c.kind, "xhtml") || c.mode == "xml"):
		return fromXHTML(string(c.raw))
	case c.xhtml:
		return ""
	case c.mode == "base64" || isBinary(c.kind):
		return fromBase64(c.text(), c.kind)
	}
	text := c.text()
	switch {
	case c.kind == "text" || c.kind == "text/plain":
		if !looksLikeHTML(text) {
			return html.EscapeString(text)
		}
	case c.kind == "" && c.mode == "":
		if !anyTag.MatchString(text) && decodeEntities(text) == text {
			return html.EscapeString(text)
		}
	}
	return text
}

// plain is the text of a title, of which gofeed made what is given.
func (c *construct) plain(given string) string {
	switch {
	case c.xhtml:
		return strings.ReplaceAll(markup.PlainText(fromXHTML(string(c.raw))), "\n", " ")
	case c.mode == "base64":
		return plainTitle(fromBase64(given, "text/html"))
	case c.kind == "text" || c.kind == "text/plain":
		return foldSpace(given)
	}
	return plainTitle(given)
}

// isBinary tells the media types whose text is base64 (RFC 4287 section 4.1.3.3).
func isBinary(kind string) bool {
	return strings.Contains(kind, "/") && !strings.HasPrefix(kind, "text/") && !isXML(kind) && !strings.Contains(kind, "html")
}

// fromBase64 is the text that was encoded, where it is one: a picture in a feed is no text.
func fromBase64(given, kind string) string {
	if kind != "" && isBinary(kind) && !strings.Contains(kind, "json") {
		return ""
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(given), ""))
	if err != nil {
		return given
	}
	if !utf8.Valid(decoded) {
		return ""
	}
	if kind == "text/plain" {
		return textHTML(string(decoded))
	}
	return string(decoded)
}

// prefixedTag is a tag whose name has a prefix, as XHTML may have it and HTML must not.
var prefixedTag = regexp.MustCompile(`<(/?)[A-Za-z_][\w.-]*:([A-Za-z][\w-]*)`)

// hasPrefixedTag may say yes where there is none.
func hasPrefixedTag(s string) bool {
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			return false
		}
		s = s[i+1:]
		if end := strings.IndexAny(s, ": \t\r\n<>"); end >= 0 && s[end] == ':' {
			return true
		}
	}
}

// fromXHTML is the HTML of XHTML markup: without the one div around it (RFC 4287 section 3.1.1.3), without prefixes of
// element names, and with CDATA sections as text.
func fromXHTML(xhtml string) string {
	s := strings.TrimSpace(xhtml)
	for strings.HasPrefix(s, "<!--") {
		_, after, found := strings.Cut(s, "-->")
		if !found {
			break
		}
		s = strings.TrimSpace(after)
	}
	if strings.HasPrefix(s, "<![CDATA[") {
		// Markup in a CDATA section is HTML that was mislabelled.
		return elementText([]byte(s))
	}
	if hasPrefixedTag(s) {
		s = prefixedTag.ReplaceAllString(s, "<$1$2")
	}
	if inner, ok := insideDiv(s); ok {
		s = inner
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<![CDATA[")
		b.WriteString(before)
		if !found {
			return expandEmpty(b.String())
		}
		inside, after, _ := strings.Cut(rest, "]]>")
		b.WriteString(html.EscapeString(inside))
		s = after
	}
}

// insideDiv is what is inside the div that holds all of s.
func insideDiv(s string) (string, bool) {
	data := []byte(s)
	first, ok := nextTag(data, 0)
	if !ok || first.start != 0 || first.closing || string(first.name) != "div" {
		return "", false
	}
	if first.empty {
		return strings.TrimSpace(s[first.end:]), true
	}
	depth := 1
	for t := first; ; {
		if t, ok = nextTag(data, t.end); !ok {
			return "", false
		}
		switch {
		case t.closing:
			depth--
		case !t.empty:
			depth++
		}
		if depth == 0 {
			return strings.TrimSpace(s[first.end:t.start]), strings.TrimSpace(s[t.end:]) == ""
		}
	}
}

// emptyElement is an element that XML may close in its own start tag.
var emptyElement = regexp.MustCompile(`<([A-Za-z][\w-]*)((?:\s[^<>]*)?)/>`)

// expandEmpty gives elements that are empty in XML the end tag that HTML needs: a browser reads "<a id='x'/>" as open.
func expandEmpty(s string) string {
	if !strings.Contains(s, "/>") {
		return s
	}
	return emptyElement.ReplaceAllStringFunc(s, func(tag string) string {
		m := emptyElement.FindStringSubmatch(tag)
		switch strings.ToLower(m[1]) {
		case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr":
			return tag
		}
		return "<" + m[1] + strings.TrimRight(m[2], " ") + "></" + m[1] + ">"
	})
}

// clean is s without what may not be in any of our outputs: bytes that are no UTF-8, control characters and
// noncharacters that XML forbids (XML 1.0 section 2.2).
func clean(s string) string {
	if isClean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return r
		case r < 0x20 || r == 0x7f || r == 0xFFFE || r == 0xFFFF:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func isClean(s string) bool {
	for i := markup.Printable(s); i < len(s); i += markup.Printable(s[i:]) {
		switch c := s[i]; {
		case c == '\n', c == '\t', c == '\r':
			i++
		case c < utf8.RuneSelf:
			return false
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				return false
			}
			i += size
		}
	}
	return true
}
