package opml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth bounds the outlines around a feed that count as its folders: what is nested deeper is in the last of them.
	maxDepth = 64
	// maxText bounds titles and maxURL URLs, in bytes.
	maxText, maxURL = 1000, 16 << 10
	// maxBreaks bounds how often reading goes on behind what cannot be read: each time may cost a look at all of the rest.
	maxBreaks = 100
	// maxSkipped bounds List.Skipped.
	maxSkipped = 1000
)

// ErrNotOPML is returned by Read for a text that is no list.
var ErrNotOPML = errors.New("not an OPML file")

// Read reads a list from its text in UTF-8, whatever encoding the text itself names. Where a line cannot be read, reading
// goes on at the next outline. The error is ErrNotOPML where there is no <opml> and no outline.
func Read(text []byte) (*List, error) {
	text = readable(text)
	r := &reader{list: &List{}}
	for line, breaks := 1, 0; ; breaks++ {
		offset, failed := r.read(text, line)
		if failed == nil {
			break
		}
		line += bytes.Count(text[:offset], []byte("\n"))
		text = text[offset:]
		next := nextOutline(text)
		if !r.found && next < 0 {
			return nil, fmt.Errorf("%w: %w", ErrNotOPML, failed)
		}
		r.found = true
		r.skip(line, "cannot be read: "+reasonOf(failed))
		if next < 0 {
			break
		}
		if breaks == maxBreaks {
			r.skip(line, "the rest of the file is not read: too much before it could not be")
			break
		}
		line += bytes.Count(text[:next], []byte("\n"))
		text = text[next:]
	}
	if !r.found {
		return nil, ErrNotOPML
	}
	return r.list, nil
}

// nextOutline is where behind the first byte of text an outline begins, negative where none does.
func nextOutline(text []byte) int {
	const tag = "<outline"
	for i := 1; i < len(text); i++ {
		next := bytes.IndexByte(text[i:], '<')
		if next < 0 {
			break
		}
		i += next
		if len(text)-i >= len(tag) && strings.EqualFold(string(text[i:i+len(tag)]), tag) {
			return i
		}
	}
	return -1
}

// read reads from the start of text, which is on the given line of the file, to its end, or to something that it cannot
// read: then it says where that begins.
func (r *reader) read(text []byte, line int) (offset int64, failed error) {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.Strict = false
	decoder.Entity = xml.HTMLEntity
	decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	for {
		offset := decoder.InputOffset()
		at, _ := decoder.InputPos()
		// Tags that do not match are no reason to give up: RawToken leaves them to us.
		token, err := decoder.RawToken()
		switch {
		case err == io.EOF:
			return 0, nil
		case err != nil:
			return offset, err
		}
		r.token(token, line+at-1)
	}
}

// reasonOf is what an error of the decoder says, without the line that it repeats.
func reasonOf(err error) string {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Msg
	}
	return err.Error()
}

// readable replaces what may not stand in XML and stops the decoder.
func readable(text []byte) []byte {
	clean := func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r >= ' ' && r < 0xfffe, r > 0xffff:
			return r
		case r == '\r':
			return '\n' // a line end of its own where no \n follows; the decoder counts lines by \n
		}
		return ' '
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.Map(clean, bytes.ToValidUTF8(text, []byte("\ufffd")))
}

type reader struct {
	list *List
	// found says that there was an <opml> or an outline.
	found bool
	// open are the titles of the open outlines, "" for one that is no folder with a title; deeper counts those beyond
	// maxDepth.
	open   []string
	deeper int
	// inTitle says that the text is of the list's title.
	inTitle bool
}

func (r *reader) token(token xml.Token, line int) {
	switch t := token.(type) {
	case xml.StartElement:
		switch strings.ToLower(t.Name.Local) {
		case "opml":
			r.found = true
		case "title":
			r.inTitle = r.list.Title == ""
		case "outline":
			r.found, r.inTitle = true, false
			if folder := r.outline(t, line); len(r.open) < maxDepth {
				r.open = append(r.open, folder)
			} else {
				r.deeper++
			}
		}
	case xml.CharData:
		if r.inTitle {
			r.list.Title = oneLine(r.list.Title + string(t))
		}
	case xml.EndElement:
		switch strings.ToLower(t.Name.Local) {
		case "title":
			r.inTitle = false
		case "outline":
			if r.deeper > 0 {
				r.deeper--
			} else {
				r.open = r.open[:max(0, len(r.open)-1)]
			}
		}
	}
}

// outline reads one and returns its title as a folder.
func (r *reader) outline(element xml.StartElement, line int) (folder string) {
	attribute := func(names ...string) string {
		for _, name := range names {
			for _, a := range element.Attr {
				if value := strings.TrimSpace(a.Value); strings.EqualFold(a.Name.Local, name) && value != "" {
					return value
				}
			}
		}
		return ""
	}
	title := oneLine(attribute("text", "title"))
	kind := strings.ToLower(attribute("type"))
	url := attribute("xmlUrl", "xml-url", "feedUrl")
	if url == "" && (kind == "rss" || kind == "atom" || kind == "feed") {
		url = attribute("url")
	}
	switch {
	case len(url) > maxURL:
		r.skip(line, fmt.Sprintf("%q has a URL of %d bytes", title, len(url)))
	case url != "":
		r.list.Feeds = append(r.list.Feeds, Feed{
			Title: title, URL: url, Page: attribute("htmlUrl"),
			Folders: r.folders(), Categories: categories(oneLine(attribute("category"))), Line: line,
		})
	case kind == "include":
		r.skip(line, fmt.Sprintf("%q includes another list, which is not fetched", title))
	case kind == "rss", kind == "atom", kind == "feed":
		r.skip(line, fmt.Sprintf("%q is a feed without xmlUrl", title))
	case kind == "link":
		r.skip(line, fmt.Sprintf("%q is a link, not a feed", title))
	}
	if url != "" {
		return "" // what stands below a feed is in the feed's folder
	}
	return title
}

// folders are the titles of the outlines around the one that is being read.
func (r *reader) folders() []string {
	var folders []string
	for _, title := range r.open {
		if title != "" {
			folders = append(folders, title)
		}
	}
	return folders
}

func (r *reader) skip(line int, what string) {
	if len(r.list.Skipped) < maxSkipped {
		r.list.Skipped = append(r.list.Skipped, Skipped{line, what})
	}
}

// categories reads the attribute "category": strings with commas between, slashes between the levels of one.
func categories(attribute string) []string {
	var all []string
	for one := range strings.SplitSeq(attribute, ",") {
		if one = strings.Trim(one, "/ "); one != "" && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// oneLine is a text without white space around it or line ends within, of bounded length.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}
