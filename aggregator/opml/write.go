package opml

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type document struct {
	XMLName xml.Name `xml:"opml"`
	Version string   `xml:"version,attr"`
	Title   string   `xml:"head>title"`
	Created string   `xml:"head>dateCreated"`
	Docs    string   `xml:"head>docs"`
	Body    outline  `xml:"body"`
}

// outline is a feed or a folder. Its attributes are in the order of the specification.
type outline struct {
	Text     string     `xml:"text,attr,omitempty"`
	Type     string     `xml:"type,attr,omitempty"`
	XMLURL   string     `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string     `xml:"htmlUrl,attr,omitempty"`
	Category string     `xml:"category,attr,omitempty"`
	Title    string     `xml:"title,attr,omitempty"`
	Outlines []*outline `xml:"outline"`
}

// Write writes a list as OPML 2.0: feeds without a folder first, then each folder once, in the order of the feeds.
// Read gives the same feeds back, but for what OPML has no place for: a category with a comma in it is several.
func Write(w io.Writer, title string, created time.Time, feeds []Feed) error {
	doc := document{
		Version: "2.0", Title: title, Created: created.UTC().Format(time.RFC1123Z), Docs: "http://opml.org/spec2.opml",
	}
	folders := map[string]*outline{"": &doc.Body}
	var loose []*outline
	for _, f := range feeds {
		o := &outline{
			Text: f.Title, Title: f.Title, Type: "rss", XMLURL: f.URL, HTMLURL: f.Page, Category: strings.Join(f.Categories, ","),
		}
		if f.Title == "" {
			o.Text = f.URL // which every outline must have
		}
		if len(f.Folders) == 0 {
			loose = append(loose, o)
			continue
		}
		in := folder(folders, f.Folders)
		in.Outlines = append(in.Outlines, o)
	}
	doc.Body.Outlines = append(loose, doc.Body.Outlines...)
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write OPML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

// folder is the outline of the given titles, made where it is not there.
func folder(made map[string]*outline, titles []string) *outline {
	in := made[""]
	for i := range titles {
		key := strings.Join(titles[:i+1], "\x00")
		next := made[key]
		if next == nil {
			next = &outline{Text: titles[i]}
			made[key] = next
			in.Outlines = append(in.Outlines, next)
		}
		in = next
	}
	return in
}
