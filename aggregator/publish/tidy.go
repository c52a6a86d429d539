package publish

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds how deep elements are nested: readers build trees of them, often by recursion.
const maxDepth = 64

// tidy closes what is open in sanitised HTML and drops what closes nothing, so that text can be put after it; it
// cleans links, takes out those that src keeps secret, and pictures without a source or of at most one pixel. The
// fragment is bluemonday's output: attributes are quoted, and "<" only begins a tag.
func tidy(fragment string, src *source) string {
	t := tidier{src: src}
	for fragment != "" {
		start := strings.IndexByte(fragment, '<')
		if start < 0 {
			t.text(fragment)
			break
		}
		t.text(fragment[:start])
		end := strings.IndexByte(fragment[start:], '>')
		if end < 0 {
			break
		}
		t.tag(fragment[start+1 : start+end])
		fragment = fragment[start+end+1:]
	}
	for len(t.open) > 0 {
		t.pop()
	}
	if !t.visible {
		return ""
	}
	return strings.TrimSpace(t.out.String())
}

type tidier struct {
	src     *source
	out     strings.Builder
	open    []string
	visible bool
}

func (t *tidier) text(s string) {
	t.visible = t.visible || strings.TrimSpace(strings.ReplaceAll(s, "\u00A0", " ")) != ""
	t.out.WriteString(s)
}

func (t *tidier) pop() {
	name := t.open[len(t.open)-1]
	t.open = t.open[:len(t.open)-1]
	t.out.WriteString("</" + name + ">")
}

func (t *tidier) tag(tag string) {
	if name, closing := strings.CutPrefix(tag, "/"); closing {
		t.closeTo(name, scopeOf(name))
		return
	}
	name, rest, _ := strings.Cut(strings.TrimSuffix(tag, "/"), " ")
	attrs := attributes(rest, t.src)
	switch name {
	case "a":
		if attr(attrs, "href") == "" {
			return
		}
	case "img":
		if attr(attrs, "src") == "" || isTracker(attrs) {
			return
		}
	case "source", "track":
		if attr(attrs, "src") == "" && attr(attrs, "srcset") == "" || !t.inside("audio", "video", "picture") {
			return
		}
	case "audio", "video":
		attrs = append(attrs, attribute{"controls", ""}) // or nobody could start it
	}
	t.closeImplied(name)
	if needsTable(name) && !t.inside("table") || !isVoid(name) && len(t.open) >= maxDepth {
		return
	}
	t.out.WriteString("<" + name)
	for _, a := range attrs {
		if a.name != "style" {
			t.out.WriteString(" " + a.name + `="` + html.EscapeString(a.value) + `"`)
		}
	}
	t.out.WriteString(">")
	t.visible = t.visible || isMedia(name)
	if !isVoid(name) {
		t.open = append(t.open, name)
	}
}

func isMedia(name string) bool { return name == "img" || name == "audio" || name == "video" }

func (t *tidier) inside(names ...string) bool {
	return slices.ContainsFunc(t.open, func(open string) bool { return slices.Contains(names, open) })
}

// closeTo closes the innermost open element of the name and all in it, unless one of scope is in between.
func (t *tidier) closeTo(name string, scope []string) {
	for i := len(t.open) - 1; i >= 0; i-- {
		if t.open[i] == name {
			for len(t.open) > i {
				t.pop()
			}
			return
		}
		if slices.Contains(scope, t.open[i]) {
			return
		}
	}
}

// The elements that an end tag, given or implied, does not reach out of (HTML standard, section 13.2.4.2).
var (
	tableScope = []string{"table"}
	cellScope  = []string{"table", "td", "th", "caption"}
	listScope  = []string{"table", "td", "th", "caption", "ul", "ol", "dl"}
	rowScope   = []string{"table", "tr"}
)

func scopeOf(name string) []string {
	switch name {
	case "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup":
		return tableScope
	}
	return cellScope
}

// closeImplied closes what the start of an element of the name ends without saying so (HTML standard, section
// 13.1.2.4).
func (t *tidier) closeImplied(name string) {
	switch name {
	case "li":
		t.closeTo("li", listScope)
	case "dt", "dd":
		t.closeTo("dt", listScope)
		t.closeTo("dd", listScope)
	case "td", "th":
		t.closeTo("td", rowScope)
		t.closeTo("th", rowScope)
	case "tr":
		t.closeTo("tr", tableScope)
		t.closeTo("caption", tableScope)
		t.closeTo("colgroup", tableScope)
	case "thead", "tbody", "tfoot":
		for _, part := range []string{"caption", "colgroup", "thead", "tbody", "tfoot"} {
			t.closeTo(part, tableScope)
		}
	case "a":
		t.closeTo("a", cellScope)
	case "rt", "rp":
		t.closeTo("rt", []string{"ruby"})
		t.closeTo("rp", []string{"ruby"})
	}
	if endsParagraph(name) {
		t.closeTo("p", cellScope)
	}
}

func endsParagraph(name string) bool {
	switch name {
	case "address", "article", "aside", "blockquote", "details", "div", "dl", "dt", "dd", "figcaption", "figure",
		"footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "ul":
		return true
	}
	return false
}

func needsTable(name string) bool {
	switch name {
	case "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th":
		return true
	}
	return false
}

func isVoid(name string) bool {
	switch name {
	case "br", "col", "hr", "img", "source", "track", "wbr":
		return true
	}
	return false
}

type attribute struct{ name, value string }

func attr(attrs []attribute, name string) string {
	for _, a := range attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// attributes reads what follows a tag's name: name="value" pairs. Of two of the same name the first counts. Links are
// cleaned, and dropped where they lead nowhere.
func attributes(s string, src *source) []attribute {
	var attrs []attribute
	for {
		name, rest, ok := strings.Cut(strings.TrimLeft(s, " "), `="`)
		if !ok {
			return attrs
		}
		value, rest, ok := strings.Cut(rest, `"`)
		if !ok {
			return attrs
		}
		s = rest
		value = clean(html.UnescapeString(value))
		switch name {
		case "href":
			if value = anyLink(value); src.isSecret(value) {
				value = ""
			}
		case "src", "poster", "cite":
			value = src.link(value)
		case "srcset":
			value = cleanSrcset(value, src)
		case "lang", "srclang":
			value = languageTag(value)
		case "alt", "reversed", "open": // may be empty
			attrs = appendOnce(attrs, attribute{name, value})
			continue
		}
		if value != "" {
			attrs = appendOnce(attrs, attribute{name, value})
		}
	}
}

func appendOnce(attrs []attribute, a attribute) []attribute {
	if slices.ContainsFunc(attrs, func(b attribute) bool { return a.name == b.name }) {
		return attrs
	}
	return append(attrs, a)
}

// isTracker tells a picture that is there to be loaded, not to be seen.
func isTracker(attrs []attribute) bool {
	if attr(attrs, "style") != "" {
		return true
	}
	for _, side := range []string{"width", "height"} {
		if n, err := strconv.Atoi(attr(attrs, side)); err == nil && n <= 1 {
			return true
		}
	}
	return false
}

var srcsetDescriptor = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,4})?[wx]$`)

// cleanSrcset cleans each candidate of a srcset attribute (HTML standard, section 4.8.4.2.1): a URL, which may hold
// commas but no white space, and an optional descriptor.
func cleanSrcset(set string, src *source) string {
	var out []string
	for rest := set; len(out) < maxFiles; {
		rest = strings.TrimLeft(rest, " \t\n\r\f,")
		if rest == "" {
			break
		}
		end := strings.IndexAny(rest, " \t\n\r\f")
		if end < 0 {
			end = len(rest)
		}
		link, descriptor := rest[:end], ""
		rest = rest[end:]
		if !strings.HasSuffix(link, ",") {
			descriptor, rest, _ = strings.Cut(rest, ",")
			descriptor = strings.TrimSpace(descriptor)
		}
		// A comma at either end of the URL would be read as the candidates' separator.
		link = strings.Trim(src.link(strings.TrimRight(link, ",")), ",")
		switch {
		case link == "":
		case descriptor == "":
			out = append(out, link)
		case srcsetDescriptor.MatchString(descriptor):
			out = append(out, link+" "+descriptor)
		}
	}
	return strings.Join(out, ", ")
}
