package topic

import (
	"iter"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Hit is a term of a query that an item has.
type Hit struct {
	// Term is the term in canonical form.
	Term string
	// Field is where it was found: title, text (summary and content), category, author, url, host, feed, lang or published.
	Field string
	// Words is how it is spelt there, each spelling once, in the order of the text, at most maxSpellings; of host, feed and
	// lang, the item's value in small letters, of published the day.
	Words []string
}

// maxSpellings keeps a term such as a* from listing a whole text.
const maxSpellings = 20

// Match reports whether the item is what the query asks for.
func (q *Query) Match(item *aggregator.Item) bool {
	return newReading(item).holds(q.root)
}

// Occurrence is a place where an item has a term of a query.
type Occurrence struct {
	// Term and Field are as in Hit.
	Term, Field string
	// Text is what the term was found in: the title, the plain text of the content or of the summary, a category, an author, a
	// link, or the value that feed:, lang:, host: or published: compares. Start and End are where it is there, in bytes.
	Text       string
	Start, End int
}

// Words is how the term is spelt there.
func (o *Occurrence) Words() string { return o.Text[o.Start:o.End] }

// Explain gives the terms that make the query match the item, in the order of the query and for each of them by
// field; terms that must not occur are not among them. It is nil where the query does not match.
func (q *Query) Explain(item *aggregator.Item) []Hit {
	var hits []Hit
	for o := range q.Occurrences(item) {
		i := len(hits) - 1
		if i < 0 || hits[i].Term != o.Term || hits[i].Field != o.Field {
			hits = append(hits, Hit{Term: o.Term, Field: o.Field})
			i++
		}
		if words := o.Words(); len(hits[i].Words) < maxSpellings && !slices.Contains(hits[i].Words, words) {
			hits[i].Words = append(hits[i].Words, words)
		}
	}
	return hits
}

// Occurrences yields all places of the terms that make the query match the item, in the order of the query and then of the
// text; of a NEAR, those where it is found. There are none where the query does not match.
func (q *Query) Occurrences(item *aggregator.Item) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		r := newReading(item)
		r.explain(q.root, nil, yield)
	}
}

// reading is a document cut into words.
type reading struct {
	document
	words []wordRead
	bytes []byte // what the words' bytes are slices of
	where place
	text  string
	at    int32
	// spoken is the document's language, nil until it is asked for.
	spoken *string
}

// wordRead is a word of a document; one without text stands where a phrase may not go on.
type wordRead struct {
	token
	where place
	text  string
	// at is its number, as spans have it.
	at int32
}

func newReading(item *aggregator.Item) *reading {
	r := &reading{document: newDocument(item, everywhere)}
	s := scanner{sink: r}
	r.scan(&s, func(where place, text string) { r.where, r.text = where, text })
	return r
}

func (r *reading) word(t *token) {
	kept := *t
	start := len(r.bytes)
	r.bytes = append(r.bytes, t.bytes...)
	kept.bytes = r.bytes[start:len(r.bytes):len(r.bytes)]
	r.at++
	r.words = append(r.words, wordRead{kept, r.where, r.text, r.at})
}

func (r *reading) gap() {
	r.at += nextLine
	r.words = append(r.words, wordRead{})
}

func (r *reading) holds(n *node) bool {
	switch n.op {
	case opNot:
		return !r.holds(n.kids[0])
	case opNear:
		return len(r.spans(n)) > 0
	case opTerm:
		if !n.term.isText() {
			return r.isOf(n.term)
		}
		return r.find(n.term, 0) >= 0
	}
	need := needed(n.op, n.number, len(n.kids), false)
	for _, kid := range n.kids {
		if r.holds(kid) {
			need--
		}
	}
	return need <= 0
}

// spans are the stretches of words that a side of NEAR is found at, or a NEAR itself, sorted.
func (r *reading) spans(n *node) []span {
	var spans []span
	switch n.op {
	case opNear:
		return near(r.spans(n.kids[0]), r.spans(n.kids[1]), int32(n.number))
	case opTerm:
		for i := r.find(n.term, 0); i >= 0; i = r.find(n.term, i+1) {
			spans = append(spans, span{r.words[i].at, r.words[i+len(n.term.parts)-1].at})
		}
		return spans
	}
	for _, kid := range n.kids {
		spans = merged(spans, r.spans(kid))
	}
	return spans
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
		if w := &r.words[at+i]; w.where == 0 || !p.fits(&w.token) && !r.sharesStem(p, w) {
			return false
		}
	}
	return true
}

// sharesStem reports whether the word has the stem of the part, if that is compared by its stem.
func (r *reading) sharesStem(p part, w *wordRead) bool {
	if p.stem == "" || w.class != letter {
		return false
	}
	if r.spoken == nil {
		language := r.language()
		r.spoken = &language
	}
	language := stemmingLanguage(p.stem, *r.spoken)
	return stemOf(language, spellingOf(&w.token, w.text)) == stemOf(language, p.spelling)
}

// explain yields the occurrences of the node's terms if it holds, of terms within a NEAR those in one of its spans. It reports
// whether to go on.
func (r *reading) explain(n *node, within []span, yield func(Occurrence) bool) bool {
	switch {
	case within == nil && (n.op == opNot || !r.holds(n)):
		return true
	case n.op == opTerm && n.term.isText():
		return r.explainText(n.term, within, yield)
	case n.op == opTerm:
		value := r.value(n.term)
		return yield(Occurrence{n.term.String(), n.term.field, value, 0, len(value)})
	case n.op == opNear && within == nil:
		within = r.spans(n)
	}
	for _, kid := range n.kids {
		if !r.explain(kid, within, yield) {
			return false
		}
	}
	return true
}

func (r *reading) explainText(t *term, within []span, yield func(Occurrence) bool) bool {
	for i := r.find(t, 0); i >= 0; i = r.find(t, i+1) {
		first, last := r.words[i], r.words[i+len(t.parts)-1]
		if within != nil && !inOne(within, span{first.at, last.at}) {
			continue
		}
		if !yield(Occurrence{t.String(), first.where.String(), first.text, first.start, last.end}) {
			return false
		}
	}
	return true
}

// value is what the item has of what the term, which it has, compares.
func (r *reading) value(t *term) string {
	switch t.field {
	case "feed":
		return r.feed
	case "host":
		return r.hosts[slices.IndexFunc(r.hosts, func(host string) bool { return isBelow(host, t.value.word) })]
	case "published":
		return r.published.UTC().Format(time.DateOnly)
	}
	return r.lang
}
