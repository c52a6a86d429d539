package topic

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/topicwire/topicwire/aggregator/topic/stem"
)

// stemOf is what two spellings of words have in common if they are compared by their stems, folded. Stems are taken of what is
// written, since the algorithms go by accents that are folded away.
func stemOf(language, spelling string) string {
	word := norm.NFKC.String(spelling)
	if language == "tr" {
		word = strings.ToLowerSpecial(unicode.TurkishCase, word)
	} else {
		word = strings.ToLower(word)
	}
	f := folder{}
	s := scanner{sink: &f}
	s.text(stem.Of(language, word))
	return string(f.folded)
}

// folder folds a text without what is between its words.
type folder struct{ folded []byte }

func (f *folder) word(t *token) { f.folded = append(f.folded, t.word()...) }
func (f *folder) gap()          {}

// spellingOf is the word as the text has it, without the signs behind it.
func spellingOf(t *token, text string) string {
	return strings.TrimRight(text[t.start:t.end], "+#＋＃")
}

// stemIndex finds the patterns whose word, or its stem, is that of a given one.
type stemIndex struct {
	numbers map[part]pattern
	exact   map[string][]pattern
	// tables has for each way of stemming, a language or stemByItem, the parts that ask for it.
	tables map[string]*stemTable
}

// stemTable holds parts by their stems in each language, made when it is first needed: most languages never are.
type stemTable struct {
	parts   []stemPart
	lock    sync.Mutex
	byStems map[string]map[string][]pattern
}

type stemPart struct {
	spelling string
	number   pattern
}

func newStemIndex() stemIndex {
	return stemIndex{numbers: map[part]pattern{}, exact: map[string][]pattern{}, tables: map[string]*stemTable{}}
}

// number is the pattern of the part, which becomes the given one if it had none.
func (x *stemIndex) number(p part, fresh pattern) pattern {
	if number, ok := x.numbers[p]; ok {
		return number
	}
	x.numbers[p] = fresh
	x.exact[p.word] = append(x.exact[p.word], fresh)
	table := x.tables[p.stem]
	if table == nil {
		table = &stemTable{byStems: map[string]map[string][]pattern{}}
		x.tables[p.stem] = table
	}
	table.parts = append(table.parts, stemPart{p.spelling, fresh})
	return fresh
}

// in are the patterns of the table by their stems in the language.
func (t *stemTable) in(language string) map[string][]pattern {
	t.lock.Lock()
	defer t.lock.Unlock()
	byStem, ok := t.byStems[language]
	if !ok {
		byStem = make(map[string][]pattern, len(t.parts))
		for _, p := range t.parts {
			key := stemOf(language, p.spelling)
			byStem[key] = append(byStem[key], p.number)
		}
		t.byStems[language] = byStem
	}
	return byStem
}

// lookup finds the patterns of an item's words by their stems in one language. It is for one goroutine.
type lookup struct {
	language string
	byStem   map[string][]pattern
	// known has the patterns of spellings that were met before: most words of a text are in any other, too.
	known map[string][]pattern
}

// maxKnown is how many spellings a lookup remembers, longestKnown how long they are in bytes: no word of a language is longer.
const maxKnown, longestKnown = 1 << 14, 100

// lookups are those for an item in the given language, each made at most once and kept in made.
func (x *stemIndex) lookups(language string, made map[string]*lookup) []*lookup {
	lookups := make([]*lookup, 0, len(x.tables))
	for way, table := range x.tables {
		// What a publisher may call a language has no bounds, what it comes to here has.
		in := stemmingLanguage(way, language)
		l := made[way+" "+in]
		if l == nil {
			l = &lookup{language: in, byStem: table.in(in), known: map[string][]pattern{}}
			made[way+" "+in] = l
		}
		lookups = append(lookups, l)
	}
	return lookups
}

// stemmingLanguage is the language in which words are stemmed in an item of the given one, empty where they are not.
func stemmingLanguage(way, language string) string {
	if way != stemByItem {
		return way
	}
	if stem.Known(language) {
		return language
	}
	return ""
}

// matching calls f with the patterns that have the stem of the word.
func (l *lookup) matching(spelling string, f func(pattern)) {
	patterns, ok := l.known[spelling]
	if !ok {
		patterns = l.byStem[stemOf(l.language, spelling)]
		if len(l.known) < maxKnown && len(spelling) <= longestKnown {
			l.known[strings.Clone(spelling)] = patterns
		}
	}
	for _, p := range patterns {
		f(p)
	}
}
