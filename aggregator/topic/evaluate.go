package topic

import (
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// Hit is a term of a query that an item has.
type Hit struct {
	// Term is the term in canonical form.
	Term string
	// Field is where it was found: title, text (summary and content), category, feed or lang.
	Field string
	// Words is how it is spelt there, each spelling once, in the order of the text, at most maxSpellings; of feed and
	// lang, the item's value in small letters.
	Words []string
}

// maxSpellings keeps a term such as a* from listing a whole text.
const maxSpellings = 20

// Match reports whether the item is what the query asks for.
func (q *Query) Match(item *aggregator.Item) bool {
	return newReading(item).holds(q.root)
}

// Explain gives the terms that make the query match the item, in the order of the query and for each of them by
// field; terms that must not occur are not among them. It is nil where the query does not match.
func (q *Query) Explain(item *aggregator.Item) []Hit {
	return newReading(item).explain(q.root, nil)
}

// reading is a document cut into words.
type reading struct {
	document
	words []wordRead
	bytes []byte // what the words' bytes are slices of
	where place
	text  string
}

// wordRead is a word of a document; one without text stands where a phrase may not go on.
type wordRead struct {
	token
	where place
	text  string
}

func newReading(item *aggregator.Item) *reading {
	r := &reading{document: newDocument(item)}
	s := scanner{sink: r}
	r.scan(&s, func(where place, text string) { r.where, r.text = where, text })
	return r
}

func (r *reading) word(t *token) {
	kept := *t
	start := len(r.bytes)
	r.bytes = append(r.bytes, t.bytes...)
	kept.bytes = r.bytes[start:len(r.bytes):len(r.bytes)]
	r.words = append(r.words, wordRead{kept, r.where, r.text})
}

func (r *reading) gap() { r.words = append(r.words, wordRead{}) }

func (r *reading) holds(n *node) bool {
	switch n.op {
	case opNot:
		return !r.holds(n.kids[0])
	case opAnd:
		return !slices.ContainsFunc(n.kids, func(kid *node) bool { return !r.holds(kid) })
	case opOr:
		return slices.ContainsFunc(n.kids, r.holds)
	}
	if n.term.parts == nil {
		return r.isOf(n.term)
	}
	return r.find(n.term, 0) >= 0
}

// find is the index of the word, from the given one on, where the term begins; -1 if it does not occur.
func (r *reading) find(t *term, from int) int {
	where := places(t.field)
	for i := from; i+len(t.parts) <= len(r.words); i++ {
		if r.words[i].where&where != 0 && r.begins(t, i) {
			return i
		}
	}
	return -1
}

func (r *reading) begins(t *term, at int) bool {
	for i, p := range t.parts {
		if w := &r.words[at+i]; w.where == 0 || !p.fits(&w.token) {
			return false
		}
	}
	return true
}

func (r *reading) explain(n *node, hits []Hit) []Hit {
	switch {
	case n.op == opNot, !r.holds(n):
		return hits
	case n.op != opTerm:
		for _, kid := range n.kids {
			hits = r.explain(kid, hits)
		}
		return hits
	case n.term.field == "feed":
		return append(hits, Hit{n.term.String(), "feed", []string{r.feed}})
	case n.term.field == "lang":
		return append(hits, Hit{n.term.String(), "lang", []string{r.lang}})
	}
	spelt := map[place][]string{}
	for i := r.find(n.term, 0); i >= 0; i = r.find(n.term, i+1) {
		first, last := r.words[i], r.words[i+len(n.term.parts)-1]
		words := first.text[first.start:last.end]
		if len(spelt[first.where]) < maxSpellings && !slices.Contains(spelt[first.where], words) {
			spelt[first.where] = append(spelt[first.where], words)
		}
	}
	for _, where := range []place{inTitle, inText, inCategory} {
		if spelt[where] != nil {
			hits = append(hits, Hit{n.term.String(), where.String(), spelt[where]})
		}
	}
	return hits
}
