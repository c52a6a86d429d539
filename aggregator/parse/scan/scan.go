package scan

import (
	"bytes"
	"fmt"
	"strings"
)

// Kind is what a document is written in.
type Kind string

// The kinds of documents. The Data of a Result is RSS for CDF and Sitemap, and of the named kind otherwise.
const (
	// RSS is any version with an <rss> root, or a bare <channel> or <item>.
	RSS Kind = "RSS"
	// RDF is RSS 0.90, 1.0 and 1.1, with an <rdf:RDF> root.
	RDF Kind = "RDF"
	// Atom is RFC 4287 and Atom 0.3, or a bare <entry>.
	Atom Kind = "Atom"
	// CDF is the Channel Definition Format of 1997, translated to RSS 2.0.
	CDF Kind = "CDF"
	// JSON is JSON Feed.
	JSON Kind = "JSON Feed"
	// Sitemap is a sitemap with news entries (Google News), translated to RSS 2.0.
	Sitemap Kind = "news sitemap"
)

// Span is where something is in Result.Data: Data[Start:End].
type Span struct{ Start, End int }

// Result is a document that a feed parser can be given.
type Result struct {
	Kind Kind
	// Data is UTF-8. For JSON it is valid by RFC 8259; otherwise it is well-formed XML 1.0 with namespaces, as
	// encoding/xml accepts it in strict mode, its root no further than 4,096 bytes from the start. Where nothing had
	// to be done it is the body, or a part of it (a byte order mark, white space or junk around the document are left
	// out); then it shares the body's memory.
	Data []byte
	// Items says where each item is in Data, from the '<' of its start tag (or its '{') to the end of its end tag, in
	// the order of Data. They do not overlap.
	Items []Span
	// Repairs lists what was mended or left out, a short phrase each, in the order of first occurrence. It is empty
	// exactly when there was no defect; a transcoding or translation is none.
	Repairs []string
	// Truncated means that the document ended before its end: what was complete is in Data.
	Truncated bool
	// LeftOut counts the items that began in the body and are not in Data.
	LeftOut int
	// Charset is the encoding that the body was read in, by its WHATWG name.
	Charset string
}

// Limits bound what is let through to a parser, and what Scan itself does; the zero value lets nothing through. The
// default ones are chosen so that the worst document within any of them costs a parser less than a second and about
// 100 MB; no captured feed comes near one.
type Limits struct {
	// Size is how many bytes the document may have, decompressed and in UTF-8.
	Size int
	// Depth is how deep elements (or JSON values) may nest.
	Depth int
	// Attributes is how many attributes an element may have.
	Attributes int
	// Namespaces is how many namespace declarations may be in scope of an element, Bindings how many that may be in
	// sum over all elements (a parser copies them for each).
	Namespaces, Bindings int
	// Bases is how many xml:base attributes the document may have, BaseDepth how many may be in scope of an element,
	// BaseLength how many bytes each may have.
	Bases, BaseDepth, BaseLength int
	// Text is how many bytes an element's text or markup may have.
	Text int
	// Copies is how many bytes of text a parser may have to copy that puts the runs of text of an element together
	// one by one.
	Copies int
	// Elements is how many elements there may be that are not markup inside of a title, summary or content.
	Elements int
	// Items is how many items there may be.
	Items int
}

// DefaultLimits are the limits for a body of up to 16 MiB.
func DefaultLimits() Limits {
	return Limits{
		Size:       32 << 20,
		Depth:      256,
		Attributes: 256,
		Namespaces: 128,
		Bindings:   6_000_000,
		Bases:      20_000,
		BaseDepth:  8,
		BaseLength: 2048,
		Text:       8 << 20,
		Copies:     1 << 30,
		Elements:   250_000,
		Items:      20_000,
	}
}

// NotFeedError says that a body is no feed at all.
type NotFeedError struct {
	// What says what the body is instead: "a web page", "empty", "plain text", ...
	What string
	// Alternates are the feeds that a web page names with <link rel="alternate">, in its order.
	Alternates []Alternate
}

// Alternate is a feed as a web page names it.
type Alternate struct {
	// URL is a reference that may be relative to the page's URL.
	URL string
	// Type is the media type without parameters, in lower case. Title may be empty.
	Type, Title string
}

func (e *NotFeedError) Error() string {
	if len(e.Alternates) > 0 {
		urls := make([]string, len(e.Alternates))
		for i, a := range e.Alternates {
			urls[i] = a.URL
		}
		return fmt.Sprintf("not a feed: %s, which names these feeds: %s", e.What, strings.Join(urls, ", "))
	}
	return "not a feed: " + e.What
}

// LimitError says that a document breaks a limit.
type LimitError struct {
	// Name says of what there is too much, Limit how much is allowed.
	Name  string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("document refused: more than %d %s", e.Limit, e.Name)
}

// Text gives the text of a document of whatever kind in UTF-8, without a byte order mark, as Scan reads that of a feed. Its
// errors are those of Scan.
func Text(body []byte, contentType string) ([]byte, error) {
	s := &scanner{limits: DefaultLimits()}
	body, err := s.inflate(body)
	if err != nil {
		return nil, err
	}
	if isBinary(body) {
		return nil, &NotFeedError{What: "binary data"}
	}
	return s.decode(body, contentType), nil
}

// Scan makes of a body what a feed parser can be given. The contentType is the value of the HTTP header, or empty.
// The body is not changed, but Result.Data may be a part of it.
//
// The error is a *NotFeedError where the body is no feed, and a *LimitError where it breaks a limit.
//
// Scan is idempotent: what it gave as Data, it gives again as it is and without repairs.
func Scan(body []byte, contentType string, limits Limits) (*Result, error) {
	s := &scanner{limits: limits}
	body, err := s.inflate(body)
	if err != nil {
		return nil, err
	}
	if isBinary(body) {
		return nil, &NotFeedError{What: "binary data"}
	}
	text := s.decode(body, contentType)
	if len(text) > limits.Size {
		return nil, &LimitError{"bytes in the document", limits.Size}
	}
	text = s.strip(text)
	switch first := bytes.TrimLeft(text, whiteSpace); {
	case len(first) == 0:
		return nil, &NotFeedError{What: emptyOf(body)}
	case first[0] == '{' || first[0] == '[':
		err = s.scanJSON(first)
	default:
		err = s.scanXML(text)
	}
	if err != nil {
		return nil, err
	}
	s.result.Repairs = s.notes.phrases()
	return &s.result, nil
}

// isBinary knows the formats that are behind a feed's address now and then by what they begin with.
func isBinary(body []byte) bool {
	for _, magic := range []string{"%PDF", "\x89PNG", "GIF8", "PK\x03\x04", "RIFF", "\xff\xd8\xff", "ID3", "\x7fELF"} {
		if bytes.HasPrefix(body, []byte(magic)) {
			return true
		}
	}
	return false
}

func emptyOf(body []byte) string {
	if len(bytes.Trim(body, whiteSpace+utf8BOM)) > 0 {
		return "nothing but control characters"
	}
	return "empty"
}

// scanner is the state of one Scan.
type scanner struct {
	limits Limits
	notes  notes
	result Result
}

// notes are the repairs, each kind with how often it was needed.
type notes struct {
	list []note
}

type note struct {
	phrase string
	times  int
}

func (n *notes) add(phrase string) { n.addTimes(phrase, 1) }

func (n *notes) addTimes(phrase string, times int) {
	for i := range n.list {
		if n.list[i].phrase == phrase {
			n.list[i].times += times
			return
		}
	}
	n.list = append(n.list, note{phrase, times})
}

func (n *notes) phrases() []string {
	var all []string
	for _, note := range n.list {
		if note.times > 1 {
			all = append(all, fmt.Sprintf("%s (%d times)", note.phrase, note.times))
			continue
		}
		all = append(all, note.phrase)
	}
	return all
}
