package topic

import (
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// Words are the folded words of a text with the signs around them, | where a phrase may not go on.
func Words(text string) []string {
	var l list
	s := scanner{sink: &l}
	s.text(text)
	return l.words
}

// WordsNormalised is Words without shortcuts: all of the text is put into NFKC and read by character classes.
func WordsNormalised(text string) []string {
	var l list
	s := scanner{sink: &l}
	s.other(text, 0)
	s.end()
	return l.words
}

// Spans are the words of a text as it spells them.
func Spans(text string) []string {
	var l list
	s := scanner{sink: &l}
	s.text(text)
	for i, span := range l.spans {
		l.words[i] = text[span[0]:span[1]]
	}
	return l.words
}

type list struct {
	words []string
	spans [][2]int
}

func (l *list) word(t *token) {
	l.words = append(l.words, strings.TrimPrefix(string(t.bytes), "\x00"))
	l.spans = append(l.spans, [2]int{t.start, t.end})
}

func (l *list) gap() {
	l.words = append(l.words, "|")
	l.spans = append(l.spans, [2]int{})
}

// Remembered is how many bytes of the items' spellings are kept when their words have been looked for by their stems.
func Remembered(m *Matcher, items ...*aggregator.Item) (size int) {
	s := newScratch(m)
	for _, it := range items {
		d := newDocument(it, everywhere)
		s.lookups = m.index.stems.lookups(d.language(), s.made)
		d.scan(&s.scanner, func(where place, text string) { s.where, s.text = where, text })
	}
	for _, l := range s.made {
		for spelling := range l.known {
			size += len(spelling)
		}
	}
	return size
}
