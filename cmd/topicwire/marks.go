package main

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

// hitReport is a place where an item has a term of a query.
type hitReport struct {
	// Term is the term in canonical form.
	Term string `json:"term"`
	// Field is title, text, category, author, url, host, feed, lang or published.
	Field string `json:"field"`
	// Offset is where the words begin in the field's plain text, in characters from 0: of text, in that of the content or else
	// of the summary; of categories, authors and links, in the one that has them.
	Offset int `json:"offset"`
	// Words is how the term is spelt there, Before and After what is around it, at most contextLetters of each.
	Words  string `json:"words"`
	Before string `json:"before"`
	After  string `json:"after"`
}

const (
	contextLetters = 40
	// maxHits is how many places are reported of a query in an item.
	maxHits = 100
)

// hitReports are the places of the query's terms in an item that it matches.
func hitReports(query *topic.Query, item *aggregator.Item) []hitReport {
	hits := []hitReport{}
	for o := range query.Occurrences(item) {
		if len(hits) == maxHits {
			break
		}
		before, after := o.Text[:o.Start], o.Text[o.End:]
		h := hitReport{Term: o.Term, Field: o.Field, Offset: utf8.RuneCountInString(before), Words: o.Words()}
		if i := strings.LastIndexByte(before, '\n'); i >= 0 {
			before = before[i+1:]
		}
		after, _, _ = strings.Cut(after, "\n")
		h.Before, h.After = lastLetters(before, contextLetters), firstLetters(after, contextLetters)
		hits = append(hits, h)
	}
	return hits
}

// lastLetters is the end of a text, at most n letters of it, from the beginning of a word if it can be.
func lastLetters(text string, n int) string {
	start := len(text)
	for ; n > 0 && start > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	if space := strings.IndexByte(text[start:], ' '); start > 0 && space >= 0 {
		return text[start+space+1:]
	}
	return text[start:]
}

// firstLetters is the beginning of a text, as lastLetters is the end.
func firstLetters(text string, n int) string {
	end := 0
	for ; n > 0 && end < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	if space := strings.LastIndexByte(text[:end], ' '); end < len(text) && space > 0 {
		return text[:space]
	}
	return text[:end]
}

// marks are what is put around words that matched.
type marks struct{ open, shut string }

// marks are colours on a terminal (but for NO_COLOR, see no-color.org), brackets elsewhere.
func (p *program) marks() marks {
	if p.terminal && os.Getenv("NO_COLOR") == "" {
		return marks{"\x1b[1;33m", "\x1b[0m"}
	}
	return marks{"[", "]"}
}

// isTerminal reports whether what is printed is seen at once by a person.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// hit is a place with what is around it.
func (m marks) hit(h hitReport) string {
	return plain(h.Before) + m.open + plain(h.Words) + m.shut + plain(h.After)
}

// title is a title with the words marked that are in it.
func (m marks) title(title string, hits []hitReport) string {
	letters := []rune(title)
	type stretch struct{ from, to int }
	var marked []stretch
	for _, h := range hits {
		end := h.Offset + utf8.RuneCountInString(h.Words)
		if h.Field == "title" && end <= len(letters) && string(letters[h.Offset:end]) == h.Words {
			marked = append(marked, stretch{h.Offset, end})
		}
	}
	slices.SortFunc(marked, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var b strings.Builder
	end := 0
	for _, s := range marked {
		if s.from < end {
			continue // within another
		}
		b.WriteString(plain(string(letters[end:s.from])) + m.open + plain(string(letters[s.from:s.to])) + m.shut)
		end = s.to
	}
	b.WriteString(plain(string(letters[end:])))
	return strings.TrimSpace(b.String())
}

// plain is a text from a feed as a terminal may have it: on one line, without anything that could steer it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
}

// oneLine is plain, with one space for each run of them.
func oneLine(text string) string { return strings.Join(strings.Fields(plain(text)), " ") }
