package scan

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// translate makes RSS of what a parser would read nothing from: Channel Definition Format, news sitemaps, and feeds
// whose items are of the other family than their root. end is where the root ends in Data.
func (s *scanner) translate(v *verifier, at, end int) error {
	switch s.result.Kind {
	case CDF, Sitemap:
		return s.toRSS()
	case RSS, RDF:
		if v.entries > 0 {
			s.notes.add("<entry> in RSS read as <item>")
			return s.rename(nil, nil)
		}
	case Atom:
		if len(v.items) > v.entries {
			s.notes.add("<item> in an Atom feed: read as RSS")
			s.result.Kind = RSS
			first, last := s.rootAsRSS(at, end)
			return s.rename(first, last)
		}
	}
	return nil
}

// rootAsRSS are the edits that make <rss><channel> of the root <feed>, those before the items and those behind.
func (s *scanner) rootAsRSS(at, end int) (first, last []edit) {
	data := s.result.Data
	t, ok := readTag(data, at, nil)
	if !ok {
		return nil, nil
	}
	first = append(first, edit{at + 1, at + 1 + len(t.name), "rss"})
	versioned := false
	for _, a := range t.attributes {
		versioned = versioned || string(a.name) == "version"
		if string(a.name) == "xmlns" {
			start := placeIn(data, a.value)
			first = append(first, edit{start, start + len(a.value), ""})
		}
	}
	if !versioned {
		first = append(first, edit{t.end - 1, t.end - 1, ` version="2.0"`})
	}
	first = append(first, edit{t.end, t.end, "<channel>"})
	close := bytes.LastIndex(data[:end], []byte("</"))
	return first, []edit{{close, end, "</channel></rss>"}}
}

// The namespaces that renamed elements bring along.
const (
	contentSpace = ` xmlns:content="http://purl.org/rss/1.0/modules/content/"`
	termsSpace   = ` xmlns:dcterms="http://purl.org/dc/terms/"`
	dublinSpace  = ` xmlns:dc="http://purl.org/dc/elements/1.1/"`
)

// rssName is what an element of an Atom entry is called in an RSS item, and what its start tag has besides.
func rssName(local string) (name, attributes string) {
	switch strings.ToLower(local) {
	case "entry":
		return "item", ""
	case "id":
		return "guid", ` isPermaLink="false"`
	case "summary":
		return "description", ""
	case "content":
		return "content:encoded", contentSpace
	case "published", "issued", "created":
		return "pubDate", ""
	case "updated", "modified":
		return "dcterms:modified", termsSpace
	}
	return "", ""
}

// rename makes items of the entries, between the edits that come first and last.
func (s *scanner) rename(first, last []edit) error {
	edits := first
	for _, item := range s.result.Items {
		data := s.result.Data[item.Start:item.End]
		t, _ := readTag(data, 0, nil)
		if !foldIs(localOf(t.name), "entry") {
			continue
		}
		more, err := entryEdits(data, item.Start)
		if err != nil {
			return fmt.Errorf("translate entry: %w", err)
		}
		edits = append(edits, more...)
	}
	s.apply(append(edits, last...))
	return nil
}

// entryEdits are the edits that make an item of an entry; offset is added to their places.
func entryEdits(entry []byte, offset int) ([]edit, error) {
	var edits []edit
	var path []string
	d := xml.NewDecoder(bytes.NewReader(entry))
	for {
		from := int(d.InputOffset())
		token, err := d.RawToken()
		if err == io.EOF {
			return edits, nil
		}
		if err != nil {
			return nil, err
		}
		to := int(d.InputOffset())
		switch e := token.(type) {
		case xml.StartElement:
			path = append(path, strings.ToLower(e.Name.Local))
			if change, ok := entryTag(path, entry[from:to], 1); ok {
				edits = append(edits, edit{offset + from + change.start, offset + from + change.end, change.text})
			}
		case xml.EndElement:
			if change, ok := entryTag(path, entry[from:to], 2); ok && from < to {
				edits = append(edits, edit{offset + from + change.start, offset + from + change.end, change.text})
			}
			path = path[:len(path)-1]
		}
	}
}

// entryTag is the edit for one tag of an entry, whose name begins at raw[at].
func entryTag(path []string, raw []byte, at int) (edit, bool) {
	name, attributes := "", ""
	switch {
	case len(path) == 2 && path[1] == "author":
		if len(raw) > 0 {
			return edit{0, len(raw), ""}, true
		}
	case len(path) == 3 && path[1] == "author" && path[2] == "name":
		name, attributes = "dc:creator", dublinSpace
	case len(path) <= 2:
		name, attributes = rssName(path[len(path)-1])
	}
	end := at
	for end < len(raw) && bytes.IndexByte([]byte(" \t\r\n/>"), raw[end]) < 0 {
		end++
	}
	if name == "" || bytes.IndexByte(raw[min(at, len(raw)):end], ':') >= 0 && len(path) > 1 {
		return edit{}, false
	}
	if at == 2 {
		attributes = ""
	}
	return edit{at, end, name + attributes}, true
}

// foreignItem is an item of a format that is translated.
type foreignItem struct {
	title, link, description, date, language string
	categories                               []string
	news                                     bool
}

// foreignFeed reads a document of such a format, which the verifier has let pass.
type foreignFeed struct {
	path              []string
	text              bytes.Buffer
	title, link, base string
	description       string
	item              *foreignItem
	items             []foreignItem
}

// toRSS translates Data. A sitemap whose entries are no news is not a feed.
func (s *scanner) toRSS() error {
	var f foreignFeed
	d := xml.NewDecoder(bytes.NewReader(s.result.Data))
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("translate %s: %w", s.result.Kind, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			f.start(e)
		case xml.CharData:
			f.text.Write(e)
		case xml.EndElement:
			f.end(e)
		}
		if len(f.items) > s.limits.Items {
			return &LimitError{"items", s.limits.Items}
		}
	}
	if s.result.Kind == Sitemap {
		news := f.items[:0]
		for _, it := range f.items {
			if it.news {
				news = append(news, it)
			}
		}
		if f.items = news; len(news) == 0 {
			return &NotFeedError{What: "a sitemap without news"}
		}
	}
	s.writeRSS(&f)
	return nil
}

func (f *foreignFeed) start(e xml.StartElement) {
	name := strings.ToLower(e.Name.Local)
	f.path = append(f.path, name)
	f.text.Reset()
	if f.item == nil && (name == "item" || name == "url") && len(f.path) > 1 {
		f.item = &foreignItem{}
	}
	for _, a := range e.Attr {
		switch key := strings.ToLower(a.Name.Local); {
		case key == "href" && f.item != nil && (name == "item" || name == "a" && f.item.link == ""):
			f.item.link = a.Value
		case key == "href" && f.item == nil && (name == "channel" || name == "a") && f.link == "":
			f.link = a.Value
		case key == "base" && len(f.path) == 1:
			f.base = a.Value
		case key == "lastmod" && f.item != nil && name == "item":
			f.item.date = a.Value
		}
	}
}

func (f *foreignFeed) end(e xml.EndElement) {
	name := f.path[len(f.path)-1]
	parent := ""
	if len(f.path) > 1 {
		parent = f.path[len(f.path)-2]
	}
	f.path = f.path[:len(f.path)-1]
	text := strings.TrimSpace(f.text.String())
	f.text.Reset()
	if f.item == nil {
		switch {
		case name == "title" && len(f.path) == 1:
			f.title = text
		case name == "abstract" && len(f.path) == 1:
			f.description = text
		}
		return
	}
	it := f.item
	switch name {
	case "item", "url":
		if it.title != "" || it.link != "" {
			f.items = append(f.items, *it)
		}
		f.item = nil
	case "title":
		if parent != "image" && parent != "video" {
			it.title = text
		}
	case "abstract":
		it.description = text
	case "loc":
		if parent == "url" {
			it.link = text
		}
	case "publication_date":
		it.date, it.news = text, true
	case "news":
		it.news = true
	case "language":
		it.language = text
	case "name":
		if f.title == "" {
			f.title = text
		}
	case "keywords":
		for _, word := range strings.Split(text, ",") {
			if word = strings.TrimSpace(word); word != "" {
				it.categories = append(it.categories, word)
			}
		}
	}
}

// writeRSS makes Data of what was read.
func (s *scanner) writeRSS(f *foreignFeed) {
	var b bytes.Buffer
	element := func(name, text string) {
		if text == "" {
			return
		}
		b.WriteString("<" + name + ">")
		xml.EscapeText(&b, []byte(text)) // a bytes.Buffer does not fail
		b.WriteString("</" + strings.SplitN(name, " ", 2)[0] + ">\n")
	}
	b.WriteString(`<rss version="2.0"` + dublinSpace)
	if f.base != "" {
		b.WriteString(` xml:base="`)
		xml.EscapeText(&b, []byte(f.base))
		b.WriteString(`"`)
	}
	b.WriteString(">\n<channel>\n")
	element("title", f.title)
	element("link", f.link)
	element("description", f.description)
	s.result.Items = s.result.Items[:0]
	for _, it := range f.items {
		start := b.Len()
		b.WriteString("<item>\n")
		element("title", it.title)
		element("link", it.link)
		element("description", it.description)
		element("pubDate", it.date)
		element("dc:language", it.language)
		for _, c := range it.categories {
			element("category", c)
		}
		b.WriteString("</item>")
		s.result.Items = append(s.result.Items, Span{start, b.Len()})
		b.WriteString("\n")
	}
	b.WriteString("</channel>\n</rss>\n")
	s.result.Data = b.Bytes()
}
