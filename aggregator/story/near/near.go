// Package near tells whether two items carry the same report in nearly the same words: wire copy under another headline,
// a copy that is cut short, one with a boilerplate around it or a few words mended.
//
// A text is its words, folded, and its shingles: each run of four words as one hash (Broder, "On the resemblance and
// containment of documents", 1997). Two texts are compared exactly, by the shingles that they share (Compare); which
// are worth comparing among many is said by short sketches of the shingles (MinHash with one permutation; Li, Owen, Zhang,
// "One permutation hashing", 2012), in an Index that is bounded in memory and time.
//
// The same words are not always the same report. A weekly digest, the notes of a release and a list of prices repeat
// most of their words, and say something else by the numbers among them; a follow-up repeats what it follows, below a
// beginning of its own; the items of a feed share what their publisher puts under each. Compare says for each of these
// why they are apart. It is symmetric, and depends on nothing but what it is given.
package near

import (
	"cmp"
	"slices"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// shingle is how many words make one.
	shingle = 4
	// MinWords is how many words a text must have to be compared.
	MinWords = 48
	// maxWords is how many words of a text are read, leadWords how many of them are its beginning.
	maxWords  = 2000
	leadWords = 48
)

// Text is what of an item is compared. It is made by Read and does not change.
type Text struct {
	// Words counts the words of the item's text, up to 2000; in scripts without spaces each letter is one.
	Words int
	// Language is the primary subtag of the item's language, empty where that is not known.
	Language string

	shingles []uint64 // sorted, each once; so is lead, those of the first words
	lead     []uint64
	numbers  []number
	// title has the numbers and the words for months and days in the title.
	title []uint64
}

// number is a number in a text, by the two words on one side of it.
type number struct{ context, value uint64 }

// Read reads the text of an item: its content, or its summary where it has none.
func Read(it *aggregator.Item) *Text {
	language, _, _ := strings.Cut(strings.ToLower(it.Language), "-")
	t := &Text{Language: language}
	words := make([]word, 0, 512)
	for w := range wordsOf(plain(it), false) {
		words = append(words, w)
	}
	t.Words = len(words)
	t.numbers = numbersOf(words)
	t.shingles = shinglesOf(words)
	t.lead = slices.Clone(t.shingles[:max(0, min(len(t.shingles), leadWords-shingle+1))])
	t.shingles, t.lead = sorted(t.shingles), sorted(t.lead)
	for w := range wordsOf(it.Title, true) {
		if w.number || w.time {
			t.title = append(t.title, w.hash)
		}
	}
	t.title = sorted(t.title)
	return t
}

// Comparable reports whether the text is long enough to be compared at all, and does not say the same again and again.
func (t *Text) Comparable() bool { return t.Words >= MinWords && len(t.shingles) >= minShingles }

func sorted(hashes []uint64) []uint64 {
	slices.Sort(hashes)
	return slices.Compact(hashes)
}

// anyNumber stands for a number beside another one; afterwards tells the words after a number from those before one.
const (
	anyNumber  = 1
	afterwards = 0xA5A5A5A5
)

// numbersOf are the numbers by the two words before each, and again by the two after it.
func numbersOf(words []word) []number {
	at := func(i int) uint64 {
		switch {
		case i < 0 || i >= len(words):
			return 0
		case words[i].number:
			return anyNumber
		}
		return words[i].hash
	}
	var numbers []number
	for i, w := range words {
		if w.number {
			numbers = append(numbers,
				number{mix(at(i-2)*hashFactor + at(i-1)), w.hash},
				number{mix(at(i+1)*hashFactor+at(i+2)) ^ afterwards, w.hash})
		}
	}
	slices.SortFunc(numbers, func(a, b number) int {
		return cmp.Or(cmp.Compare(a.context, b.context), cmp.Compare(a.value, b.value))
	})
	return slices.Compact(numbers)
}

func shinglesOf(words []word) []uint64 {
	hashes := make([]uint64, 0, len(words))
	var last run4
	for _, w := range words {
		if h, ok := last.add(w.hash); ok {
			hashes = append(hashes, h)
		}
	}
	return hashes
}

// run4 is a run of words that moves along a text.
type run4 struct {
	words [shingle]uint64
	n     int
}

// add adds a word; it gives the hash of the last four as soon as there are so many.
func (r *run4) add(word uint64) (hash uint64, ok bool) {
	r.words[0], r.words[1], r.words[2], r.words[3] = r.words[1], r.words[2], r.words[3], word
	if r.n++; r.n < shingle {
		return 0, false
	}
	return mix(((r.words[0]*hashFactor+r.words[1])*hashFactor+r.words[2])*hashFactor + word), true
}

// mix spreads the bits of a hash (the end of SplitMix64).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
	h = (h ^ h>>27) * 0x94D049BB133111EB
	return h ^ h>>31
}
