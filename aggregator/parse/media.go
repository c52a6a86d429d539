package parse

import (
	"strconv"
	"strings"

	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/topicwire/topicwire/aggregator"
)

// files collects enclosures, none twice, and the item's picture.
type files struct {
	scope scope
	list  []aggregator.Enclosure
	image string
}

// add takes a file as the publisher describes it; all but the URL may be empty.
func (f *files) add(url, kind, length, lasts string) {
	kind = strings.TrimSpace(kind)
	if url = f.scope.url(url); url == "" || len(f.list) >= longestList {
		return
	}
	bytes, err := strconv.ParseInt(strings.TrimSpace(length), 10, 64)
	if err != nil || bytes < 0 {
		bytes = 0
	}
	for i, known := range f.list {
		if known.URL == url {
			if known.Type == "" {
				f.list[i].Type = kind
			}
			if known.Length == 0 {
				f.list[i].Length = bytes
			}
			if known.Duration == 0 {
				f.list[i].Duration = duration(lasts)
			}
			return
		}
	}
	f.list = append(f.list, aggregator.Enclosure{URL: url, Type: kind, Length: bytes, Duration: duration(lasts)})
}

// last gives the length of an episode to the recordings of it that have none of their own.
func (f *files) last(lasts string) {
	for i, e := range f.list {
		if e.Duration == 0 && (e.Type == "" || strings.HasPrefix(e.Type, "audio/") || strings.HasPrefix(e.Type, "video/")) {
			f.list[i].Duration = duration(lasts)
		}
	}
}

// picture is the item's image unless there is one already.
func (f *files) picture(url string) {
	if f.image == "" {
		f.image = f.scope.url(url)
	}
}

// pictureAmongEnclosures takes an image that is enclosed for the item's picture where it has no other.
func (f *files) pictureAmongEnclosures() {
	for _, e := range f.list {
		if strings.HasPrefix(e.Type, "image/") {
			f.picture(e.URL)
		}
	}
}

// media reads Media RSS (version 1.5.1): what is in the item itself, in groups and in contents. It gives the title and
// the description, as HTML, that are in there.
func (f *files) media(elements map[string][]ext.Extension, c *labels) (title, description string) {
	if len(elements) == 0 {
		return "", ""
	}
	note := func(in map[string][]ext.Extension) {
		for _, e := range in["title"] {
			title = firstOf(title, e.Value)
		}
		for _, e := range in["description"] {
			text := e.Value
			if e.Attrs["type"] != "html" && !looksLikeHTML(text) {
				text = textHTML(text)
			}
			description = firstOf(description, text)
		}
		for _, e := range in["keywords"] {
			c.addList(e.Value)
		}
		for _, e := range in["category"] {
			c.add(firstOf(e.Attrs["label"], e.Value))
		}
	}
	levels := []map[string][]ext.Extension{elements}
	for _, g := range elements["group"] {
		levels = append(levels, g.Children)
	}
	for _, level := range levels {
		note(level)
		for _, t := range level["thumbnail"] {
			f.picture(firstOf(t.Attrs["url"], t.Value))
		}
		for _, content := range level["content"] {
			f.mediaContent(content)
			note(content.Children)
		}
	}
	return title, description
}

func (f *files) mediaContent(content ext.Extension) {
	for _, t := range content.Children["thumbnail"] {
		f.picture(t.Attrs["url"])
	}
	url, kind, medium := content.Attrs["url"], content.Attrs["type"], content.Attrs["medium"]
	if strings.HasPrefix(kind, "image/") || medium == "image" || kind == "" && medium == "" && isImageName(url) {
		f.picture(url)
		return
	}
	f.add(url, kind, content.Attrs["fileSize"], content.Attrs["duration"])
}

func isImageName(url string) bool {
	path, _, _ := strings.Cut(strings.ToLower(url), "?")
	for _, suffix := range [...]string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"} {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}

// firstOf is the first of the texts that is not empty.
func firstOf(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// values are the texts of the extension elements of that name.
func values(elements map[string][]ext.Extension, name string) []string {
	var out []string
	for _, e := range elements[name] {
		if e.Value != "" {
			out = append(out, e.Value)
		}
	}
	return out
}

// value is the first text of an extension element of one of the names.
func value(elements map[string][]ext.Extension, names ...string) string {
	for _, name := range names {
		for _, e := range elements[name] {
			if e.Value != "" {
				return e.Value
			}
		}
	}
	return ""
}

// atomIn are the Atom elements inside a feed of another kind.
func atomIn(e ext.Extensions, name string) []ext.Extension {
	var out []ext.Extension
	for _, prefix := range [...]string{"atom", "a10", "atom10", "atom03"} {
		out = append(out, e[prefix][name]...)
	}
	return out
}
