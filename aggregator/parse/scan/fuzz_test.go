package scan_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// check holds a result to what Scan promises of every result.
func check(t *testing.T, body []byte, r *scan.Result) {
	t.Helper()
	if !utf8.Valid(r.Data) {
		t.Errorf("Data is not UTF-8: %q", r.Data)
	}
	if r.Kind == scan.JSON {
		if !json.Valid(r.Data) {
			t.Errorf("Data is not JSON: %q\nbody: %q", r.Data, body)
		}
	} else if err := strict(r.Data); err != nil {
		t.Errorf("encoding/xml does not accept Data: %v\nData: %q\nbody: %q", err, r.Data, body)
	}
	at := 0
	for _, span := range r.Items {
		if span.Start < at || span.End <= span.Start || span.End > len(r.Data) {
			t.Fatalf("items %v overlap or are not in Data, which has %d bytes", r.Items, len(r.Data))
		}
		at = span.End
		item := r.Data[span.Start:span.End]
		if first, last := item[0], item[len(item)-1]; first != '<' && first != '{' || last != '>' && last != '}' {
			t.Errorf("no item: %q", item)
		}
	}
	again, err := scan.Scan(r.Data, "", scan.DefaultLimits())
	if err != nil {
		t.Fatalf("Data is refused: %v\nData: %q\nbody: %q", err, r.Data, body)
	}
	if len(again.Repairs) > 0 || !bytes.Equal(again.Data, bytes.TrimLeft(r.Data, " \t\r\n")) {
		t.Errorf("Data is mended again: %q\n once: %q\ntwice: %q\nbody: %q", again.Repairs, r.Data, again.Data, body)
	}
}

// FuzzScan looks for bytes that break a promise.
func FuzzScan(f *testing.F) {
	for _, tc := range documents {
		f.Add([]byte(tc.body), tc.contentType)
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		given := bytes.Clone(body)
		r, err := scan.Scan(body, contentType, scan.DefaultLimits())
		if !bytes.Equal(given, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			var notFeed *scan.NotFeedError
			var limit *scan.LimitError
			if !errors.As(err, &notFeed) && !errors.As(err, &limit) {
				t.Errorf("another error than promised: %v", err)
			}
			if notFeed != nil && strings.Contains(notFeed.What, "too broken") {
				t.Errorf("%v\nbody: %q", err, body)
			}
			return
		}
		check(t, body, r)
	})
}

// FuzzWellFormed compares with encoding/xml: what that accepts has the same tokens in Data, but for the few things
// that are well-formed to it and a defect in a feed.
func FuzzWellFormed(f *testing.F) {
	for _, tc := range documents {
		f.Add([]byte(tc.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !utf8.Valid(body) || strict(body) != nil || !hasRoot(body) {
			return
		}
		r, err := scan.Scan(body, "", scan.DefaultLimits())
		if err != nil || r.Kind == scan.JSON || r.Kind == scan.CDF || r.Kind == scan.Sitemap || r.Charset != "utf-8" {
			return
		}
		for _, repair := range r.Repairs {
			if !slices.ContainsFunc(wellFormedDefects, func(d string) bool { return strings.HasPrefix(repair, d) }) {
				t.Errorf("encoding/xml accepts it, and yet: %q\nbody: %q", r.Repairs, body)
			}
		}
		if len(r.Repairs) > 0 {
			return
		}
		if !slices.Equal(tokens(t, r.Data), tokens(t, bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n"))) {
			t.Errorf("other tokens than in the body\nbody: %q\nData: %q", body, r.Data)
		}
	})
}

// hasRoot reports whether encoding/xml finds the root of a feed, which it does not where quotation marks in a document
// type swallow all of it.
func hasRoot(body []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if e, ok := token.(xml.StartElement); ok {
			return slices.Contains([]string{"rss", "RDF", "feed"}, e.Name.Local)
		}
	}
}

// wellFormedDefects are the repairs of what encoding/xml lets pass.
var wellFormedDefects = []string{
	"undeclared prefix", "wrong feed namespace", "a second channel", "a second document", "junk b", "a long comment",
	"the root is missing", "missing </item>", "missing </entry>", "tags mended", "<entry> in RSS", "<item> in an Atom feed",
	"illegal characters", "references to illegal", "stray '<'", "end tags", "declarations left out", "markup that", "cut off", "missing </",
	"CDATA sections without end", "unknown charset",
}

func tokens(t *testing.T, b []byte) []string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	var all []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := xmlText(token)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
}

func xmlText(token xml.Token) (string, error) {
	var b strings.Builder
	switch e := token.(type) {
	case xml.StartElement:
		b.WriteString("<" + e.Name.Space + " " + e.Name.Local)
		for _, a := range e.Attr {
			b.WriteString(" " + a.Name.Space + " " + a.Name.Local + "=" + a.Value)
		}
	case xml.EndElement:
		b.WriteString("</" + e.Name.Space + " " + e.Name.Local)
	case xml.CharData:
		b.Write(e)
	case xml.Comment:
		b.WriteString("<!--" + string(e))
	case xml.ProcInst:
		b.WriteString("<?" + e.Target + string(e.Inst))
	case xml.Directive:
		b.WriteString("<!" + string(e))
	}
	return b.String(), nil
}

// FuzzFaults puts arbitrary bytes into a real structure; whatever they are, the other items come out.
func FuzzFaults(f *testing.F) {
	for _, s := range []string{"<b", "<![CDATA[", "<!--", "&", "]]>", "</item>", "<item>", "<title>", "\"", "<a b='", "</channel>", "<?", "</title>", "\x00\xff"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, junk []byte, cdata bool) {
		if len(junk) > 200 || bytes.Contains(bytes.ToLower(junk), []byte("<!--")) || bytes.Contains(bytes.ToLower(junk), []byte("<script")) {
			return
		}
		feed := "<rss version=\"2.0\"><channel><title>t</title>"
		for _, id := range []string{"one", "two", "three"} {
			text := "text"
			if id == "two" {
				text += string(junk)
			}
			if cdata {
				text = "<![CDATA[" + text + "]]>"
			}
			feed += "<item><title>" + id + "</title><link>https://example.org/" + id + "</link><description>" + text + "</description></item>"
		}
		feed += "</channel></rss>"
		r, err := scan.Scan([]byte(feed), "", scan.DefaultLimits())
		if err != nil {
			var notFeed *scan.NotFeedError
			if errors.As(err, &notFeed) {
				t.Errorf("%v\nbody: %q", err, feed)
			}
			return
		}
		check(t, []byte(feed), r)
		if _, err := gofeed.NewParser().Parse(bytes.NewReader(r.Data)); err != nil {
			t.Errorf("the parser: %v\nbody: %q\nData: %q", err, feed, r.Data)
		}
	})
}
