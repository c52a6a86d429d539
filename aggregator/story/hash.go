package story

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
)

// hashes are the item's Hash, of every field that the publisher gives but for the number of comments, and its TextHash,
// of the title and of the text without markup, white space folded and case kept. What they are made of never changes for
// an item that says no more than before: it would make a revision of every item. So a field that comes later is added
// with its name, and only where it is set.
func hashes(it *aggregator.Item) (all, text aggregator.Hash) {
	parts := []string{
		it.GUID, it.URL, it.Title, it.Summary, it.Content, it.Language, it.Image, stamp(it.Published), stamp(it.Updated),
		strconv.Itoa(len(it.Authors)), strconv.Itoa(len(it.Categories)),
	}
	for _, a := range it.Authors {
		parts = append(parts, a.Name, a.Email, a.URL)
	}
	parts = append(parts, it.Categories...)
	for _, e := range it.Enclosures {
		parts = append(parts, e.URL, e.Type, strconv.FormatInt(e.Length, 10))
	}
	later := func(name string, values ...string) {
		if strings.Join(values, "") != "" {
			parts = append(append(parts, name), values...)
		}
	}
	later("comments", it.Comments)
	later("source", it.Source.Title, it.Source.URL)
	for _, e := range it.Enclosures {
		if e.Duration != 0 {
			later("duration", e.URL, e.Duration.String())
		}
	}
	return aggregator.HashOf(parts...), TextHash(it)
}

// TextHash is the hash of the item's title and text, without markup and white space.
func TextHash(it *aggregator.Item) aggregator.Hash {
	// The white space of plain text is folded, but for the ends of lines.
	return aggregator.HashOf(fold(it.Title), strings.ReplaceAll(markup.PlainOf(it), "\n", " "))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// textKey identifies an item that has neither a guid nor a link of its own: by title and text, or by whatever else it
// has where it has neither.
func textKey(it *aggregator.Item) string {
	if fold(it.Title) != "" || it.Text() != "" {
		return it.TextHash.String()
	}
	parts := []string{it.URL, it.Image}
	for _, e := range it.Enclosures {
		parts = append(parts, e.URL)
	}
	return aggregator.HashOf(parts...).String()
}

// fold makes all white space single spaces.
func fold(s string) string {
	if isFolded(s) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

func isFolded(s string) bool {
	space := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ':
			if space {
				return false
			}
			space = true
			continue
		case c >= '\t' && c <= '\r':
			return false
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if unicode.IsSpace(r) {
				return false
			}
			i += size - 1
		}
		space = false
	}
	return !space || s == ""
}
