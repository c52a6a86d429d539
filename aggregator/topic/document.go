package topic

import (
	"strings"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
)

// maxText is how many bytes of an item's text are looked at, a long book's worth. What comes after is not matched.
const maxText = 2 << 20

// place is a part of an item that terms are looked for in.
type place uint8

const (
	inTitle place = 1 << iota
	inText
	inCategory
)

func (p place) String() string {
	switch p {
	case inTitle:
		return "title"
	case inText:
		return "text"
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
	}
	return inTitle | inText | inCategory
}

// document is what a query is asked about.
type document struct {
	title string
	// texts are the plain text of the content and of the summary, the latter only where it says something else.
	texts      [2]string
	categories []string
	// feed and lang are folded as the values of terms are.
	feed, lang string
}

func newDocument(item *aggregator.Item) document {
	d := document{
		title:      item.Title,
		texts:      [2]string{markup.PlainText(item.Content)},
		categories: item.Categories,
		feed:       strings.ToLower(string(item.Feed)),
		lang:       foldLang(item.Language),
	}
	if item.Summary != item.Content {
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

// cut shortens the text to what is left and takes it from there. The scanner needs UTF-8, which nothing promises
// and a cut can spoil.
func cut(text string, left *int) string {
	text = strings.ToValidUTF8(text[:min(len(text), *left)], " ")
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
}

// isOf reports whether the document's feed or language is what the term of such a field asks for.
func (d *document) isOf(t *term) bool {
	if t.field == "feed" {
		return d.feed == t.value.word || t.value.prefix && strings.HasPrefix(d.feed, t.value.word)
	}
	rest, ok := strings.CutPrefix(d.lang, t.value.word)
	return ok && (rest == "" || rest[0] == '-')
}
