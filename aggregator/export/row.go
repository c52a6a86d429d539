package export

import (
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
)

// Row is an item as it is exported. docs/export.md says what each field means; names, order and meaning stay, and new
// fields come at the end. A nil pointer is a value that is not known; lists are never nil. All text is valid UTF-8.
type Row struct {
	ID           string   `json:"id"`
	Feed         string   `json:"feed"`
	URL          *string  `json:"url"`
	CanonicalURL *string  `json:"canonical_url"`
	Title        string   `json:"title"`
	Authors      []string `json:"authors"`
	Text         string   `json:"text"`
	HTML         string   `json:"html"`
	Categories   []string `json:"categories"`
	Language     *string  `json:"language"`
	Published    *string  `json:"published"`
	Updated      *string  `json:"updated"`
	FirstSeen    *string  `json:"first_seen"`
	Topics       []string `json:"topics"`
	Revision     int      `json:"revision"`
	Story        string   `json:"story"`
	GUID         *string  `json:"guid"`
	DateSource   string   `json:"date_source"`
	Revised      *string  `json:"revised"`
	ContentHash  string   `json:"content_hash"`
	Seq          uint64   `json:"seq"`
	Comments     *string  `json:"comments"`
	Source       *string  `json:"source"`
	SourceURL    *string  `json:"source_url"`
}

// NewRow is the item's row.
func NewRow(it *aggregator.Item) Row {
	row := Row{
		ID:           it.ID.String(),
		Feed:         clean(string(it.Feed)),
		URL:          known(it.URL),
		CanonicalURL: known(it.CanonicalURL),
		Title:        clean(it.Title),
		Authors:      names(it.Authors),
		Text:         clean(markup.PlainText(it.Text())),
		HTML:         clean(it.Text()),
		Categories:   make([]string, 0, len(it.Categories)),
		Language:     known(it.Language),
		Published:    instant(it.Published),
		Updated:      instant(it.Updated),
		FirstSeen:    instant(it.FirstSeen),
		Topics:       make([]string, 0, len(it.Topics)),
		Revision:     it.Revision,
		Story:        it.Story.String(),
		GUID:         known(it.GUID),
		DateSource:   clean(string(it.DateSource)),
		Revised:      instant(it.Revised),
		ContentHash:  it.TextHash.String(),
		Seq:          it.Seq,
		Comments:     known(it.Comments),
		Source:       known(it.Source.Title),
		SourceURL:    known(it.Source.URL),
	}
	for _, c := range it.Categories {
		row.Categories = append(row.Categories, clean(c))
	}
	for _, t := range it.Topics {
		row.Topics = append(row.Topics, clean(string(t)))
	}
	return row
}

// names are the authors' names. Addresses of persons have no place in a file that is passed on, also where a publisher
// gives one for a name.
func names(authors []aggregator.Author) []string {
	list := make([]string, 0, len(authors))
	for _, a := range authors {
		if a.Name != "" && !isMailAddress(a.Name) {
			list = append(list, clean(a.Name))
		}
	}
	return list
}

// isMailAddress reports whether the name is nothing but an address. "@me" and "@me@social.example" are names.
func isMailAddress(name string) bool {
	at := strings.LastIndexByte(name, '@')
	return at > 0 && name[0] != '@' && !strings.ContainsAny(name, " \t\u00a0") && strings.Contains(name[at:], ".")
}

// clean makes the text valid UTF-8 without NUL, which readers of either format refuse.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.ReplaceAll(s, "\x00", "\ufffd")
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	s = clean(s)
	return &s
}

// instant spells a time in RFC 3339 section 5.6, to the second and in UTC, so that all values have the same width and
// sort as text. Years that it has no spelling for are not known.
func instant(t time.Time) *string {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	s := t.Format("2006-01-02T15:04:05Z")
	return &s
}
