package publish

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// maxHTML bounds the HTML of one item, in bytes. What is beyond is on the publisher's page.
const maxHTML = 512 << 10

// hiddenStyle matches the styles by which a picture is kept from being seen.
var hiddenStyle = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden|(^|[;\s])(width|height)\s*:\s*[01](px)?\s*($|[;!])`)

// newPolicy says what of a publisher's HTML is kept: what carries meaning. What runs, what styles, what identifies a
// place in the publisher's own page and what calls a third party without being content is not. Links are held to
// their schemes here and put in order by tidy.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(
		"p", "div", "pre", "blockquote", "hr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "address", "section",
		"article", "aside", "header", "footer", "figure", "figcaption", "details", "summary",
		"ul", "ol", "li", "dl", "dt", "dd",
		"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th",
		"abbr", "acronym", "b", "bdi", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp",
		"small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "ruby", "rt", "rp",
	)
	web := regexp.MustCompile(`(?i)^\s*https?://`)
	p.AllowAttrs("href").Matching(regexp.MustCompile(`(?i)^\s*(https?://|mailto:)`)).OnElements("a")
	p.AllowAttrs("cite").Matching(web).OnElements("blockquote", "q", "del", "ins")
	p.AllowAttrs("src").Matching(web).OnElements("img", "audio", "video", "source", "track")
	p.AllowAttrs("poster").Matching(web).OnElements("video")
	p.AllowAttrs("srcset").OnElements("img", "source")
	p.AllowNoAttrs().OnElements("a", "img", "picture", "audio", "video", "source", "track") // tidy knows which need one

	number := regexp.MustCompile(`^[0-9]{1,5}$`)
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(number).OnElements("img", "video")
	p.AllowAttrs("style").Matching(hiddenStyle).OnElements("img") // a mark for tidy, which takes the picture out
	p.AllowAttrs("sizes").Matching(regexp.MustCompile(`^[a-zA-Z0-9 ().,:%-]{1,500}$`)).OnElements("img", "source")
	p.AllowAttrs("media").Matching(regexp.MustCompile(`^[a-zA-Z0-9 ().,:%-]{1,500}$`)).OnElements("source")
	p.AllowAttrs("type").Matching(regexp.MustCompile(`^[a-z]+/[a-zA-Z0-9.+-]+(; *codecs="?[a-zA-Z0-9., ]+"?)?$`)).OnElements("source")
	p.AllowAttrs("kind", "srclang", "label").Matching(regexp.MustCompile(`^[\p{L}\p{N} ()-]{1,100}$`)).OnElements("track")

	p.AllowAttrs("dir").Matching(regexp.MustCompile(`(?i)^(ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)).Globally()
	p.AllowAttrs("title").Globally()
	p.AllowAttrs("datetime").Matching(regexp.MustCompile(`^[0-9TZPDHMSW:., +-]{1,40}$`)).OnElements("time", "del", "ins")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^-?[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("type").Matching(regexp.MustCompile(`^[1aAiI]$`)).OnElements("ol")
	p.AllowAttrs("reversed").Matching(regexp.MustCompile(`^(reversed)?$`)).OnElements("ol")
	p.AllowAttrs("value").Matching(regexp.MustCompile(`^-?[0-9]{1,9}$`)).OnElements("li")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^(open)?$`)).OnElements("details")
	p.AllowAttrs("colspan", "rowspan").Matching(number).OnElements("td", "th")
	p.AllowAttrs("scope").Matching(regexp.MustCompile(`^(row|col|rowgroup|colgroup)$`)).OnElements("th")
	p.AllowAttrs("span").Matching(number).OnElements("col", "colgroup")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("td", "th", "tr", "col", "colgroup")

	p.AllowElementsContent("object", "frame", "frameset") // what is in an object stands in for it
	p.SkipElementsContent("svg", "template", "select")
	return p
}

// noscript matches the tags around what is there for readers without scripts: often the very picture that a script
// would load otherwise. The tokenizer would take what is between them for text.
var noscript = regexp.MustCompile(`(?i)</?noscript[^>]*>`)

// sanitise is the item's HTML as the documents carry it: of the elements and attributes that policy allows, balanced,
// with absolute links, without pictures that are there to count readers and links to a private feed itself. It is ""
// where nothing is left to see.
func sanitise(policy *bluemonday.Policy, fragment string, src *source) string {
	fragment = noscript.ReplaceAllString(cutBytes(fragment, maxHTML), "")
	// Cleaned last: the policy has resolved character references, such as &#xFFFE;, by then.
	return tidy(clean(policy.Sanitize(fragment)), src)
}
