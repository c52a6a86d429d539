package topic

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
	"github.com/topicwire/topicwire/aggregator/topic/stem"
)

// maxText is how many bytes of an item's text are looked at, a long book's worth. What comes after is not matched.
const maxText = 2 << 20

// place is a part of an item that terms are looked for in.
type place uint8

const (
	inTitle place = 1 << iota
	inText
	inCategory
	inAuthor
	inURL
	inHost

	everywhere = inTitle | inText | inCategory | inAuthor | inURL | inHost
)

func (p place) String() string {
	switch p {
	case inTitle:
		return "title"
	case inText:
		return "text"
	case inAuthor:
		return "author"
	case inURL:
		return "url"
	}
	return "category"
}

// places are where a term with the given field is looked for.
func places(field string) place {
	switch field {
	case "title":
		return inTitle
	case "category":
		return inCategory
	case "author":
		return inAuthor
	case "url":
		return inURL
	case "host":
		return inHost
	}
	return inTitle | inText | inCategory
}

// document is what a query is asked about.
type document struct {
	title string
	// texts are the plain text of the content and of the summary, the latter only where it says something else.
	texts      [2]string
	categories []string
	// authors are their names, or their addresses where they have none; urls are the item's own and its canonical one, each
	// once, readable.
	authors, urls []string
	// feed, lang and hosts, those of the URLs, are folded as the values of terms are.
	feed, lang string
	hosts      []string
	published  time.Time
}

// newDocument reads of the item what is in the given places, and what every query may ask for.
func newDocument(item *aggregator.Item, asked place) document {
	d := document{
		title:      item.Title,
		categories: item.Categories,
		feed:       strings.ToLower(string(item.Feed)),
		lang:       foldLang(item.Language),
		published:  item.Published,
	}
	if item.Content != "" {
		d.texts[0] = markup.PlainOf(item)
	}
	if asked&inAuthor != 0 {
		for _, a := range item.Authors {
			d.authors = append(d.authors, cmp.Or(a.Name, a.Email))
		}
	}
	if asked&(inURL|inHost) != 0 {
		d.addURL(item.URL)
		d.addURL(item.CanonicalURL)
	}
	switch {
	case item.Content == "":
		d.texts[1] = markup.PlainOf(item)
	case item.Summary != item.Content:
		if summary := markup.PlainText(item.Summary); !strings.Contains(d.texts[0], summary) {
			d.texts[1] = summary
		}
	}
	left := maxText
	d.title = cut(d.title, &left)
	for i, text := range d.texts {
		d.texts[i] = cut(text, &left)
	}
	return d
}

// addURL adds a URL as a reader would write it, without the escapes of other than Latin letters.
func (d *document) addURL(address string) {
	if address == "" {
		return
	}
	readable := address
	if u, err := url.Parse(address); err == nil {
		if host := foldHost(u.Hostname()); host != "" && !slices.Contains(d.hosts, host) {
			d.hosts = append(d.hosts, host)
		}
	}
	if unescaped, err := url.PathUnescape(address); err == nil {
		readable = unescaped
	}
	if !slices.Contains(d.urls, readable) {
		d.urls = append(d.urls, readable)
	}
}

// cut shortens the text to what is left and takes it from there. The scanner needs UTF-8, which nothing promises
// and a cut can spoil.
func cut(text string, left *int) string {
	if text = text[:min(len(text), *left)]; !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, " ")
	}
	*left -= len(text)
	return text
}

// scan has the scanner read the document; at is told before each text where it is from.
func (d *document) scan(s *scanner, at func(where place, text string)) {
	read := func(where place, text string) {
		if text == "" {
			return
		}
		at(where, text)
		s.text(text)
		s.sink.gap()
	}
	read(inTitle, d.title)
	for _, text := range d.texts {
		read(inText, text)
	}
	left := maxText
	for _, category := range d.categories {
		read(inCategory, cut(category, &left))
	}
	for _, author := range d.authors {
		read(inAuthor, cut(author, &left))
	}
	for _, address := range d.urls {
		read(inURL, cut(address, &left))
	}
}

// language is the primary subtag of the document's language, the one that its text seems to be in where it names none. It is
// empty where that is not sure.
func (d *document) language() string {
	if d.lang != "" {
		primary, _, _ := strings.Cut(d.lang, "-")
		return primary
	}
	return stem.Language(d.title + "\n" + d.texts[0] + "\n" + d.texts[1])
}

// isOf reports whether the document's feed, language, host or date is what the term of such a field asks for.
func (d *document) isOf(t *term) bool {
	switch t.field {
	case "feed":
		return d.feed == t.value.word || t.value.prefix && strings.HasPrefix(d.feed, t.value.word)
	case "host":
		return slices.ContainsFunc(d.hosts, func(host string) bool { return isBelow(host, t.value.word) })
	case "published":
		return !d.published.IsZero() && !d.published.Before(t.from) && (t.until.IsZero() || d.published.Before(t.until))
	}
	rest, ok := strings.CutPrefix(d.lang, t.value.word)
	return ok && (rest == "" || rest[0] == '-')
}

// isBelow reports whether the host is the given one or below it.
func isBelow(host, domain string) bool {
	rest, ok := strings.CutSuffix(host, domain)
	return ok && (rest == "" || rest[len(rest)-1] == '.')
}
