package scan

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
)

// root is where a feed begins in a body, and what was met before it.
type root struct {
	at   int // the '<' of its start tag
	end  int // behind its start tag
	kind Kind
	// bare is the element that stands alone where a root should be: "item", "entry", "channel", or empty.
	bare string
	// entities are those that the document type declares.
	entities map[string]string
	// page means that HTML came first, element is the first element that is no feed's.
	page    bool
	element string
	looks   int // how many roots behind others were looked at more closely
}

// findRoot looks for the root of a feed behind whatever is printed before it. A root that is not the first element
// must look like one.
func findRoot(text []byte) (r root, found bool) {
	comments := finder{in: text, what: "-->"}
	angles := finder{in: text, what: ">"}
	var space []attribute
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '<')
		if n < 0 {
			return r, false
		}
		i += n
		rest := text[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			if end := comments.next(i + 4); end < len(text) {
				i = end + 3
			} else {
				i += 4
			}
			continue
		case len(rest) > 9 && bytes.EqualFold(rest[:9], []byte("<!doctype")):
			i = r.doctype(text, i)
			continue
		case bytes.HasPrefix(rest, []byte("<?")):
			i = min(angles.next(i), len(text)-1) + 1
			continue
		}
		t, ok := readTag(text, i, space)
		space = t.attributes
		if !ok && !isBrokenRoot(text[i:], t.name) {
			i++
			continue
		}
		if r.take(text, i, &t) {
			return r, true
		}
		i = max(t.end, i+1)
		if foldIs(t.name, "script") || foldIs(t.name, "style") {
			if n := bytes.Index(text[i:], []byte("</")); n >= 0 {
				i = scriptEnd(text, i, t.name)
			}
		}
	}
}

// isBrokenRoot reports whether text begins with the name of a feed's element in a tag that cannot be read otherwise.
func isBrokenRoot(text, name []byte) bool {
	if !isName(name) || !isFeedName(name) || len(text) < len(name)+2 {
		return false
	}
	return classes[text[len(name)+1]]&spaceByte != 0
}

// scriptEnd is where a script or style ends whose content begins at i.
func scriptEnd(text []byte, i int, name []byte) int {
	for {
		n := bytes.Index(text[i:], []byte("</"))
		if n < 0 {
			return len(text)
		}
		i += n + 2
		if i+len(name) <= len(text) && bytes.EqualFold(text[i:i+len(name)], name) {
			return i
		}
	}
}

// take decides whether a start tag is the root.
func (r *root) take(text []byte, at int, t *tag) bool {
	first := r.element == "" && !r.page
	local := strings.ToLower(string(localOf(t.name)))
	r.at, r.end, r.bare = at, t.end, ""
	switch local {
	case "rss":
		r.kind = RSS
		return first || r.likely(text, t)
	case "rdf":
		r.kind = RDF
		return first || r.likely(text, t)
	case "feed":
		r.kind = Atom
		return first || r.likely(text, t)
	case "urlset":
		r.kind = Sitemap
		return first || r.likely(text, t)
	case "channel":
		r.kind, r.bare = RSS, local
		if isCDF(text[at:], t) {
			r.kind, r.bare = CDF, ""
		}
		return first
	case "item":
		r.kind, r.bare = RSS, local
		return first
	case "entry":
		r.kind, r.bare = Atom, local
		return first
	case "html", "head", "body", "meta", "title", "div", "p", "b", "br", "script", "font", "table", "h1", "center", "pre":
		r.page = r.page || r.element == ""
	default:
		if r.element == "" {
			r.element = string(t.name)
		}
	}
	return false
}

// likely reports whether a root that something comes before is one: it has attributes as a root has them, or a
// channel or an entry follows.
func (r *root) likely(text []byte, t *tag) bool {
	if t.attribute("version") != nil {
		return true
	}
	for _, a := range t.attributes {
		if bytes.HasPrefix(a.name, []byte("xmlns")) {
			return true
		}
	}
	const mostLooks = 100
	if r.looks++; r.looks > mostLooks {
		return false
	}
	window := bytes.ToLower(text[t.start:min(len(text), t.start+2048)])
	return bytes.Contains(window, []byte("<channel")) || bytes.Contains(window, []byte("<entry"))
}

// isCDF tells the Channel Definition Format from RSS that lost its root: links are attributes there.
func isCDF(text []byte, t *tag) bool {
	if t.attribute("href") != nil || t.attribute("base") != nil || t.attribute("lastmod") != nil {
		return true
	}
	window := bytes.ToLower(text[:min(len(text), 4096)])
	return bytes.Contains(window, []byte("<item href")) || bytes.Contains(window, []byte("<abstract"))
}

// doctype reads a document type declaration at text[i] and returns where it ends.
func (r *root) doctype(text []byte, i int) int {
	// No document type that declares entities is longer.
	const most = 1 << 16
	window := text[i:min(len(text), i+most)]
	end := bytes.IndexByte(window, '>')
	if end < 0 {
		return i + 2
	}
	if len(window) > 15 && bytes.EqualFold(bytes.TrimLeft(window[9:15], whiteSpace)[:4], []byte("html")) {
		r.page = true
	}
	open := bytes.IndexByte(window[:end], '[')
	if open < 0 {
		return i + end + 1
	}
	end = subsetEnd(window, open+1)
	if end < 0 {
		return i + 2
	}
	r.entities = entitiesOf(string(window[open+1 : end]))
	close := bytes.IndexByte(window[end:], '>')
	if close < 0 {
		return i + end
	}
	return i + end + close + 1
}

// subsetEnd is where the ']' is that ends an internal subset, quoted ones passed over; -1 where there is none.
func subsetEnd(text []byte, i int) int {
	var q byte
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case q != 0:
			if c == q {
				q = 0
			}
		case c == '"' || c == '\'':
			q = c
		case c == ']':
			return i
		}
	}
	return -1
}

// entitiesOf reads the declarations of internal general entities (XML 1.0 section 4.2.1).
func entitiesOf(subset string) map[string]string {
	const most = 1000
	all := make(map[string]string)
	for len(all) < most {
		_, rest, found := strings.Cut(subset, "<!ENTITY")
		if !found {
			break
		}
		subset = rest
		rest = strings.TrimLeft(rest, whiteSpace)
		end := strings.IndexAny(rest, whiteSpace+">")
		if end <= 0 || rest[0] == '%' {
			continue
		}
		name, rest := rest[:end], strings.TrimLeft(rest[end:], whiteSpace)
		if rest == "" || rest[0] != '"' && rest[0] != '\'' {
			continue
		}
		value, _, closed := strings.Cut(rest[1:], rest[:1])
		if _, again := all[name]; closed && !again {
			all[name] = value
		}
	}
	return all
}

// longestProlog is how long a prolog may be so that a parser that looks at 4,096 bytes finds the root behind it.
const longestProlog = 3000

// prologIsClean reports whether what is outside of the root can stay there: a parser takes it, and it is no longer
// than most.
func prologIsClean(prolog []byte, most int) bool {
	if len(prolog) == 0 {
		return true
	}
	if len(prolog) > most || prolog[0] != '<' || bytes.Count(prolog, []byte("<?xml ")) > 1 {
		return false
	}
	if i := bytes.Index(prolog, []byte("<?xml ")); i > 0 {
		return false
	}
	if label := declaredEncoding(prolog); label != "" && !strings.EqualFold(label, utf8Name) {
		return false
	}
	d := xml.NewDecoder(bytes.NewReader(prolog))
	for {
		t, err := d.Token()
		if err == io.EOF {
			return true
		}
		if err != nil {
			return false
		}
		if text, ok := t.(xml.CharData); ok && !onlySpace(text) {
			return false
		}
	}
}

// notFeed says what a body without a root is.
func (r *root) notFeed(text []byte) error {
	switch name := strings.ToLower(r.element); {
	case r.page:
		return &NotFeedError{What: "a web page", Alternates: alternates(text)}
	case name == "":
		return &NotFeedError{What: "plain text"}
	case name == "opml":
		return &NotFeedError{What: "an OPML list of feeds"}
	case name == "sitemapindex":
		return &NotFeedError{What: "a list of sitemaps"}
	}
	return &NotFeedError{What: fmt.Sprintf("an XML document of another kind (its root is <%s>)", strings.Trim(quote(r.element), `"`))}
}

// alternates are the feeds that a page names (HTML standard, section 4.6.7.1), resolved against its <base>.
func alternates(page []byte) []Alternate {
	const mostBytes, mostLinks = 1 << 20, 50
	page = page[:min(len(page), mostBytes)]
	var all []Alternate
	var base *url.URL
	var space []attribute
	for i := 0; len(all) < mostLinks; {
		n := bytes.IndexByte(page[i:], '<')
		if n < 0 {
			break
		}
		i += n
		t, ok := readTag(page, i, space)
		space = t.attributes
		i++
		switch {
		case !ok:
		case foldIs(t.name, "base") && base == nil:
			base, _ = url.Parse(html.UnescapeString(string(t.attribute("href"))))
		case foldIs(t.name, "link"):
			if link := feedLink(&t); link.URL != "" {
				all = append(all, link)
			}
		}
	}
	if base != nil && base.IsAbs() {
		for i, link := range all {
			if u, err := base.Parse(link.URL); err == nil {
				all[i].URL = u.String()
			}
		}
	}
	return all
}

// feedLink is the feed that a <link> names; its URL is empty where it names none.
func feedLink(t *tag) Alternate {
	rel := " " + strings.ToLower(string(t.attribute("rel"))) + " "
	if !strings.Contains(rel, " alternate ") {
		return Alternate{}
	}
	kind, _, _ := strings.Cut(strings.ToLower(string(t.attribute("type"))), ";")
	switch kind = strings.TrimSpace(kind); kind {
	case "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "text/xml", "application/xml":
		text := func(name string) string { return strings.TrimSpace(html.UnescapeString(string(t.attribute(name)))) }
		return Alternate{URL: text("href"), Type: kind, Title: text("title")}
	}
	return Alternate{}
}
