package publish_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The rules of the W3C feed validator, as far as it calls breaking them an error, and some of its warnings.

// node is an element of an XML document; names are "namespace name".
type node struct {
	name  string
	attrs map[string]string
	text  string
	kids  []*node
}

func (n *node) all(name string) []*node {
	var out []*node
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

type checker struct {
	t     testing.TB
	where string
}

func (c checker) errorf(format string, args ...any) {
	c.t.Helper()
	c.t.Errorf(c.where+": "+format, args...)
}

func (c checker) in(where string) checker { return checker{c.t, c.where + " " + where} }

// one is the text of the only element of the name.
func (c checker) one(n *node, name string) string {
	c.t.Helper()
	found := n.all(name)
	if len(found) != 1 {
		c.errorf("%d elements %q, want 1", len(found), name)
		return ""
	}
	return found[0].text
}

func (c checker) atMostOne(n *node, names ...string) {
	c.t.Helper()
	for _, name := range names {
		if found := n.all(name); len(found) > 1 {
			c.errorf("%d elements %q, want at most 1", len(found), name)
		}
	}
}

func (c checker) parse(body []byte) *node {
	c.t.Helper()
	if !bytes.HasPrefix(body, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)) {
		c.errorf("no XML declaration: %.60q", body)
	}
	c.characters(string(body))
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = true
	root := &node{}
	stack := []*node{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			c.t.Fatalf("%s: not well-formed: %v\n%s", c.where, err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: full(token.Name), attrs: map[string]string{}}
			for _, a := range token.Attr {
				n.attrs[full(a.Name)] = a.Value
			}
			stack[len(stack)-1].kids = append(stack[len(stack)-1].kids, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			stack[len(stack)-1].text += string(token)
		}
	}
	if len(root.kids) != 1 {
		c.t.Fatalf("%s: %d root elements", c.where, len(root.kids))
	}
	return root.kids[0]
}

func full(n xml.Name) string { return strings.TrimSpace(n.Space + " " + n.Local) }

func (c checker) characters(s string) {
	c.t.Helper()
	if !utf8.ValidString(s) {
		c.errorf("not UTF-8")
	}
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r >= 0x7F && r <= 0x9F || r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE {
			c.errorf("character %U", r)
			return
		}
	}
}

var (
	uriForm  = regexp.MustCompile(`^[a-zA-Z][0-9a-zA-Z+.-]*:(//)?[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#]+$`)
	httpForm = regexp.MustCompile(`^https?://[^/].*`)
	tagForm  = regexp.MustCompile(`^tag:([a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(-\d{2}(-\d{2})?)?:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,]+$`)
	urnForm  = regexp.MustCompile(`(?i)^urn:[a-z0-9][a-z0-9-]{1,31}:([a-z0-9()+,.:=@;$_!*'-]|%[0-9a-f]{2})+$`)
	uuidForm = regexp.MustCompile(`(?i)^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	mailForm = regexp.MustCompile(`(?i)^([A-Z0-9_\-+.']+)@(([A-Z0-9-]+\.)+)([A-Z0-9][-A-Z0-9]*)$`)
	mimeForm = regexp.MustCompile(`^[^\s()<>,;:\\"/[\]?=]+/[^\s()<>,;:\\"/[\]?=]+$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})*$`)
	fileForm = regexp.MustCompile(`(?i)^https?://(([A-Z0-9-]+\.)+)([A-Z0-9][-A-Z0-9]*)(:\d+)?(/|$)`)
	escaped  = regexp.MustCompile(`%([^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)`)
	rfc3339  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	rfc822   = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d [+-]\d{4}$`)
)

func (c checker) link(s string) {
	c.t.Helper()
	u, err := url.Parse(s)
	if err != nil || !uriForm.MatchString(s) || !httpForm.MatchString(s) || u.Host == "" || escaped.MatchString(s) || strings.Count(s, "#") > 1 {
		c.errorf("link %q is no absolute URI: %v", s, err)
	} else if u.User != nil {
		c.errorf("link %q holds a user", s)
	}
}

func (c checker) tag(s string) {
	c.t.Helper()
	if !tagForm.MatchString(s) {
		c.errorf("id %q is no tag URI", s)
	}
}

// id holds an id to what the validator accepts, by scheme.
func (c checker) id(s string) {
	c.t.Helper()
	scheme, _, _ := strings.Cut(s, ":")
	switch strings.ToLower(scheme) {
	case "http", "https":
		c.link(s)
	case "urn":
		isUUID := strings.HasPrefix(strings.ToLower(s), "urn:uuid:")
		if !urnForm.MatchString(s) || isUUID && !uuidForm.MatchString(s) || escaped.MatchString(s) {
			c.errorf("id %q is no URN", s)
		}
	default:
		c.tag(s)
		if escaped.MatchString(s) {
			c.errorf("id %q has a broken escape", s)
		}
	}
}

func (c checker) language(s string) {
	c.t.Helper()
	if !langForm.MatchString(s) {
		c.errorf("language %q", s)
	}
}

func (c checker) date(s string) {
	c.t.Helper()
	if _, err := time.Parse(time.RFC3339, s); err != nil || !rfc3339.MatchString(s) {
		c.errorf("date %q: %v", s, err)
	}
}

func (c checker) mailDate(s string) {
	c.t.Helper()
	d, err := time.Parse(time.RFC1123Z, s)
	if err != nil || !rfc822.MatchString(s) || d.Format("Mon") != s[:3] {
		c.errorf("date %q: %v", s, err)
	}
}

func (c checker) text(s string) {
	c.t.Helper()
	if strings.TrimSpace(s) == "" || s != strings.TrimSpace(s) {
		c.errorf("text %q is blank or not trimmed", s)
	}
	depth := 0
	for _, r := range s {
		switch r {
		case '\u202A', '\u202B', '\u202D', '\u202E', '\u2066', '\u2067', '\u2068':
			depth++
		case '\u202C', '\u2069':
			depth--
		}
	}
	if depth != 0 {
		c.errorf("text %q leaves a direction open", s)
	}
}

var (
	voidTag   = regexp.MustCompile(`<(br|col|hr|img|source|track|wbr)((?: [a-z]+="[^"]*")*)>`)
	htmlTags  = strings.Fields("p div pre blockquote hr br h1 h2 h3 h4 h5 h6 address section article aside header footer figure figcaption details summary ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr td th abbr acronym b bdi cite code del dfn em i ins kbd mark q s samp small span strong sub sup time tt u var wbr ruby rt rp a img picture audio video source track")
	htmlAttrs = strings.Fields("href cite src poster srcset alt width height sizes media type kind srclang label dir lang title datetime start reversed value open colspan rowspan scope span align controls")
)

// html checks a sanitised fragment: balanced, of known elements and attributes, with absolute links.
func (c checker) html(s string) {
	c.t.Helper()
	c.characters(s)
	d := xml.NewDecoder(strings.NewReader("<x>" + voidTag.ReplaceAllString(s, "<$1$2/>") + "</x>"))
	depth := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			c.errorf("HTML is not balanced: %v\n%s", err, s)
			return
		}
		if _, ok := token.(xml.EndElement); ok {
			depth--
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if depth++; depth == 1 {
			continue
		}
		if depth > 80 {
			c.errorf("HTML is nested %d deep", depth)
		}
		if !slices.Contains(htmlTags, full(start.Name)) {
			c.errorf("HTML has <%s>", full(start.Name))
		}
		for _, a := range start.Attr {
			c.htmlAttribute(start.Name.Local, full(a.Name), a.Value)
		}
	}
}

func (c checker) htmlAttribute(tag, name, value string) {
	c.t.Helper()
	if !slices.Contains(htmlAttrs, name) {
		c.errorf("HTML has <%s %s=%q>", tag, name, value)
	}
	switch name {
	case "href":
		if !strings.HasPrefix(value, "mailto:") {
			c.link(value)
		}
	case "src", "poster", "cite":
		c.link(value)
	case "srcset":
		for _, candidate := range strings.Split(value, ", ") {
			link, _, _ := strings.Cut(candidate, " ")
			c.link(link)
		}
	case "lang":
		c.language(value)
	}
}

const (
	atom    = "http://www.w3.org/2005/Atom "
	content = "http://purl.org/rss/1.0/modules/content/ encoded"
	creator = "http://purl.org/dc/elements/1.1/ creator"
)

func checkAtom(t testing.TB, self string, body []byte) {
	t.Helper()
	c := checker{t, "atom"}
	feed := c.parse(body)
	if feed.name != atom+"feed" {
		t.Fatalf("root element %q", feed.name)
	}
	c.tag(c.one(feed, atom+"id"))
	c.text(c.one(feed, atom+"title"))
	c.date(c.one(feed, atom+"updated"))
	c.atomLinks(feed, true)
	c.history(feed)
	if got := linksOf(feed, "self"); len(got) != 1 || got[0] != self {
		c.errorf("links to itself %q, want %q", got, self)
	}
	if len(feed.all(atom+"entry")) == 0 {
		c.atomPeople(feed)
	}
	newest := ""
	ids := map[string]bool{}
	for i, e := range feed.all(atom + "entry") {
		c := c.in(fmt.Sprintf("entry %d", i))
		id := c.one(e, atom+"id")
		c.tag(id)
		if ids[id] {
			c.errorf("id %q twice", id)
		}
		ids[id] = true
		c.text(c.one(e, atom+"title"))
		c.date(c.one(e, atom+"published"))
		newest = max(newest, c.one(e, atom+"updated"))
		c.date(c.one(e, atom+"updated"))
		c.html(c.one(e, atom+"content"))
		c.atMostOne(e, atom+"summary", atom+"rights")
		for _, s := range e.all(atom + "summary") {
			c.html(s.text)
		}
		if lang, ok := e.attrs["http://www.w3.org/XML/1998/namespace lang"]; ok {
			c.language(lang)
		}
		c.atomLinks(e, true)
		c.atomPeople(e)
		c.atomSource(e)
	}
	if len(ids) > 0 && c.one(feed, atom+"updated") != newest {
		c.errorf("updated %q, newest entry %q", c.one(feed, atom+"updated"), newest)
	}
}

func (c checker) atomPeople(e *node) {
	c.t.Helper()
	authors := e.all(atom + "author")
	if len(authors) == 0 {
		c.errorf("no author")
	}
	for _, a := range authors {
		c.text(c.one(a, atom+"name"))
		c.atMostOne(a, atom+"uri", atom+"email")
		for _, u := range a.all(atom + "uri") {
			c.link(u.text)
		}
		for _, m := range a.all(atom + "email") {
			if !mailForm.MatchString(m.text) {
				c.errorf("email %q", m.text)
			}
		}
	}
	seen := map[string]bool{}
	for _, cat := range e.all(atom + "category") {
		c.text(cat.attrs["term"])
		if seen[cat.attrs["term"]] {
			c.errorf("category %q twice", cat.attrs["term"])
		}
		seen[cat.attrs["term"]] = true
	}
}

func (c checker) atomSource(e *node) {
	c.t.Helper()
	sources := e.all(atom + "source")
	if len(sources) != 1 {
		c.errorf("%d sources", len(sources))
		return
	}
	c = c.in("source")
	c.id(c.one(sources[0], atom+"id"))
	c.text(c.one(sources[0], atom+"title"))
	c.date(c.one(sources[0], atom+"updated"))
	c.atMostOne(sources[0], atom+"rights")
	for _, r := range sources[0].all(atom + "rights") {
		c.text(r.text)
	}
	c.media(e)
	c.atomLinks(sources[0], false)
}

// media checks what is of Media RSS.
func (c checker) media(n *node) {
	c.t.Helper()
	const media = "http://search.yahoo.com/mrss/ "
	c.atMostOne(n, media+"thumbnail")
	for _, m := range append(n.all(media+"thumbnail"), n.all(media+"content")...) {
		c.link(m.attrs["url"])
		if mime, ok := m.attrs["type"]; ok && !mimeForm.MatchString(mime) {
			c.errorf("media type %q", mime)
		}
		for _, name := range []string{"fileSize", "duration"} {
			if number, ok := m.attrs[name]; ok {
				c.length(number)
			}
		}
	}
}

func linksOf(n *node, rel string) []string {
	var out []string
	for _, l := range n.all(atom + "link") {
		if l.attrs["rel"] == rel {
			out = append(out, l.attrs["href"])
		}
	}
	return out
}

func (c checker) atomLinks(n *node, alternate bool) {
	c.t.Helper()
	alternates := 0
	for _, l := range n.all(atom + "link") {
		c.link(l.attrs["href"])
		switch rel := l.attrs["rel"]; rel {
		case "alternate":
			alternates++
		case "self", "related", "enclosure":
		case "current", "prev-archive", "next-archive":
			if n.name != atom+"feed" {
				c.errorf("link relation %q in %s", rel, n.name)
			}
		case "replies":
			if count, ok := l.attrs["http://purl.org/syndication/thread/1.0 count"]; ok {
				c.length(count)
			}
		default:
			c.errorf("link relation %q", rel)
		}
		if mime, ok := l.attrs["type"]; ok && !mimeForm.MatchString(mime) {
			c.errorf("media type %q", mime)
		}
		if title, ok := l.attrs["title"]; ok {
			c.text(title)
		}
		if length, ok := l.attrs["length"]; ok {
			c.length(length)
		}
	}
	if alternates > 1 || alternate && alternates == 0 {
		c.errorf("%d alternate links", alternates)
	}
}

// history is RFC 5005 section 4: a page of an archive says so and leads to the feed; a feed leads back only.
func (c checker) history(feed *node) {
	c.t.Helper()
	links := map[string][]string{}
	for _, rel := range []string{"self", "current", "prev-archive", "next-archive", "hub"} {
		links[rel] = linksOf(feed, rel)
		if rel == "hub" {
			continue
		}
		for _, l := range links[rel] {
			c.link(l)
		}
		if len(links[rel]) > 1 {
			c.errorf("links %s %q, want at most 1", rel, links[rel])
		}
	}
	const archive = "http://purl.org/syndication/history/1.0 archive"
	c.atMostOne(feed, archive)
	switch page := len(feed.all(archive)) > 0; {
	case page && (len(links["current"]) != 1 || links["current"][0] == links["self"][0] || len(links["hub"]) > 0):
		c.errorf("a page of an archive with the links %q", links)
	case !page && len(links["current"])+len(links["next-archive"]) > 0:
		c.errorf("no page of an archive with the links %q", links)
	}
}

func (c checker) length(s string) {
	c.t.Helper()
	if n, err := strconv.ParseInt(s, 10, 64); err != nil || n < 0 {
		c.errorf("length %q", s)
	}
}

func checkRSS(t testing.TB, self string, body []byte) {
	t.Helper()
	c := checker{t, "rss"}
	root := c.parse(body)
	channels := root.all("channel")
	if root.name != "rss" || root.attrs["version"] != "2.0" || len(channels) != 1 {
		t.Fatalf("no RSS 2.0: %q", body)
	}
	channel := channels[0]
	c.text(c.one(channel, "title"))
	c.text(c.one(channel, "description"))
	c.link(c.one(channel, "link"))
	c.mailDate(c.one(channel, "lastBuildDate"))
	c.length(c.one(channel, "ttl"))
	c.atMostOne(channel, "language", "generator", "docs", "image", "pubDate")
	for _, l := range channel.all("language") {
		c.language(l.text)
	}
	if got := linksOf(channel, "self"); len(got) != 1 || got[0] != self {
		c.errorf("links to itself %q, want %q", got, self)
	}
	c.history(channel)
	ids := map[string]bool{}
	for i, it := range channel.all("item") {
		c := c.in(fmt.Sprintf("item %d", i))
		c.rssItem(it)
		id := c.one(it, "guid")
		if ids[id] {
			c.errorf("guid %q twice", id)
		}
		ids[id] = true
	}
}

func (c checker) rssItem(it *node) {
	c.t.Helper()
	c.text(c.one(it, "title"))
	c.link(c.one(it, "link"))
	c.html(c.one(it, "description"))
	c.html(c.one(it, content))
	c.mailDate(c.one(it, "pubDate"))
	c.tag(c.one(it, "guid"))
	c.media(it)
	const dc = "http://purl.org/dc/elements/1.1/ "
	c.atMostOne(it, dc+"rights", dc+"language")
	for _, r := range it.all(dc + "rights") {
		c.text(r.text)
	}
	for _, l := range it.all(dc + "language") {
		c.language(l.text)
	}
	if it.all("guid")[0].attrs["isPermaLink"] != "false" {
		c.errorf("guid poses as a link")
	}
	if len(it.all("author")) > 0 {
		c.errorf("author, which wants a mail address")
	}
	c.atMostOne(it, "enclosure", "source", "comments")
	for _, n := range it.all("comments") {
		c.link(n.text)
	}
	for _, name := range []string{"http://purl.org/rss/1.0/modules/slash/ comments", "http://www.itunes.com/dtds/podcast-1.0.dtd duration"} {
		c.atMostOne(it, name)
		for _, n := range it.all(name) {
			c.length(n.text)
		}
	}
	for _, n := range append(it.all(creator), it.all("category")...) {
		c.text(n.text)
	}
	for _, s := range it.all("source") {
		c.text(s.text)
		c.link(s.attrs["url"])
	}
	for _, e := range it.all("enclosure") {
		c.link(e.attrs["url"])
		c.length(e.attrs["length"])
		if !fileForm.MatchString(e.attrs["url"]) || !mimeForm.MatchString(e.attrs["type"]) {
			c.errorf("enclosure %q", e.attrs)
		}
	}
}

func checkJSON(t testing.TB, self string, body []byte) {
	t.Helper()
	c := checker{t, "json"}
	var feed struct {
		Version, Title, Language string
		Home                     string `json:"home_page_url"`
		Feed                     string `json:"feed_url"`
		Items                    []struct {
			ID, URL, Title, Summary, Image, Language string
			External                                 string `json:"external_url"`
			HTML                                     string `json:"content_html"`
			Published                                string `json:"date_published"`
			Modified                                 string `json:"date_modified"`
			Tags                                     []string
			Authors                                  []struct{ Name, URL string }
			Attachments                              []struct {
				URL  string
				Type string `json:"mime_type"`
			}
			Extra struct {
				Story   string
				Topics  []string
				Sources []struct{ Item, Feed, Published string }
			} `json:"_topicwire"`
		}
		Extra struct{ About string } `json:"_topicwire"`
	}
	if err := json.Unmarshal(body, &feed); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	if feed.Version != "https://jsonfeed.org/version/1.1" || feed.Feed != self || feed.Items == nil {
		c.errorf("version %q, feed_url %q, want %q; items %v", feed.Version, feed.Feed, self, feed.Items)
	}
	c.text(feed.Title)
	c.link(feed.Home)
	c.link(feed.Extra.About)
	ids := map[string]bool{}
	for i, it := range feed.Items {
		c := c.in(fmt.Sprintf("item %d", i))
		c.tag(it.ID)
		if ids[it.ID] {
			c.errorf("id %q twice", it.ID)
		}
		ids[it.ID] = true
		c.text(it.Title)
		c.html(it.HTML)
		c.date(it.Published)
		c.date(it.Modified)
		for _, link := range []string{it.URL, it.External, it.Image} {
			if link != "" {
				c.link(link)
			}
		}
		if it.Language != "" {
			c.language(it.Language)
		}
		for _, a := range it.Authors {
			c.text(a.Name)
		}
		for _, f := range it.Attachments {
			c.link(f.URL)
			if !mimeForm.MatchString(f.Type) {
				c.errorf("attachment of type %q", f.Type)
			}
		}
		if it.HTML == "" || it.URL == "" || len(it.Authors) == 0 || len(it.Extra.Sources) == 0 || len(it.Extra.Story) != 32 {
			c.errorf("incomplete: %+v", it)
		}
	}
}

// checkPage checks that a page is well-formed and that what came from outside does nothing in it.
func checkPage(t testing.TB, body []byte) {
	t.Helper()
	c := checker{t, "page"}
	c.characters(string(body))
	s := strings.TrimPrefix(string(body), "<!DOCTYPE html>")
	s = regexp.MustCompile(`<(meta|link|input)((?: [a-z-]+="[^"]*")*)>`).ReplaceAllString(s, "<$1$2/>")
	d := xml.NewDecoder(strings.NewReader(s))
	d.Entity = map[string]string{}
	allowed := strings.Fields("html head meta title link body a header div nav main h1 h2 h3 p section ol ul li span bdi time article footer " +
		"form label input button figure figcaption svg path rect line text g details summary table caption thead tbody tr th td " +
		"dl dt dd code mark del ins h4 b")
	ids := map[string]bool{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			c.t.Fatalf("page is not well-formed: %v\n%s", err, body)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(allowed, start.Name.Local) {
			c.errorf("page has <%s>", start.Name.Local)
		}
		for _, a := range start.Attr {
			switch name := a.Name.Local; {
			case name == "id":
				if ids[a.Value] {
					c.errorf("id %q twice", a.Value)
				}
				ids[a.Value] = true
			case name == "href" && !strings.HasPrefix(a.Value, "/") && !strings.HasPrefix(a.Value, "#"):
				c.link(a.Value)
			case name == "style" || strings.HasPrefix(name, "on"):
				c.errorf("page has <%s %s=%q>", start.Name.Local, name, a.Value)
			}
		}
	}
}

func checkOPML(t testing.TB, body []byte) {
	t.Helper()
	c := checker{t, "opml"}
	root := c.parse(body)
	if root.name != "opml" || root.attrs["version"] != "2.0" || len(root.all("head")) != 1 || len(root.all("body")) != 1 {
		t.Fatalf("no OPML 2.0: %s", body)
	}
	c.mailDate(c.one(root.all("head")[0], "dateCreated"))
	outlines := root.all("body")[0].all("outline")
	if len(outlines) == 0 {
		c.errorf("no outline")
	}
	for _, o := range outlines {
		c.text(o.attrs["text"])
		c.link(o.attrs["xmlUrl"])
		c.link(o.attrs["htmlUrl"])
	}
}

// checkAll checks everything that the handler publishes of the topic.
func checkAll(t testing.TB, src *memory) {
	t.Helper()
	newCheckedSite(t).check(t, src)
}

// checkedSite is a site that shows one store after the other: to make a site takes as long as to check one.
type checkedSite struct {
	src *memory
	h   http.Handler
}

func newCheckedSite(t testing.TB) checkedSite {
	src := &memory{}
	return checkedSite{src, handler(t, src)}
}

func (s checkedSite) check(t testing.TB, src *memory) {
	t.Helper()
	version := s.src.version.Seq + 1
	s.src.stories, s.src.feeds, s.src.revisions, s.src.version = src.stories, src.feeds, src.revisions, src.version
	s.src.version.Seq = version
	h := s.h
	for _, path := range []string{"/topics/cloud", "/all"} {
		self := "https://wire.example.org" + path
		checkAtom(t, self+".atom", get(t, h, path+".atom").Body.Bytes())
		checkRSS(t, self+".rss", get(t, h, path+".rss").Body.Bytes())
		checkJSON(t, self+".json", get(t, h, path+".json").Body.Bytes())
	}
	checkPage(t, get(t, h, "/topics/cloud").Body.Bytes()) // the others are of the same parts
	for _, s := range src.stories[:min(1, len(src.stories))] {
		checkPage(t, get(t, h, "/stories/"+s.ID.String()).Body.Bytes())
	}
	checkOPML(t, get(t, h, "/opml").Body.Bytes())
}

// idsOf are the ids in an Atom document, in its order.
func idsOf(t testing.TB, body []byte) []string {
	t.Helper()
	var ids []string
	for _, m := range regexp.MustCompile(`<id>([^<]*)</id>`).FindAllSubmatch(body, -1) {
		ids = append(ids, string(m[1]))
	}
	return ids
}
