package topic

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Query is a parsed query. It does not change and may be used by many goroutines at once.
type Query struct {
	root *node
}

// String is the query in canonical form: all operators written out, fields at each term, only the parentheses that are
// needed. Words stay as they were written. Parse of it gives the same query, unless it has grown beyond the limit of
// length.
func (q *Query) String() string {
	var b strings.Builder
	q.root.write(&b)
	return b.String()
}

// node is a part of a query. Neither an AND nor an OR has one of its own kind among its kids, and no NOT negates a NOT.
type node struct {
	op     op
	kids   []*node // one for a NOT, two for a NEAR, two or more for the others
	number int     // the n of NEAR/n and of "n of"
	term   *term   // for a term
	at     int     // where in the query it begins
}

type op uint8

// The operators in the order in which they bind.
const (
	opOr op = iota
	opAnd
	opNot
	opNear
	opOf
	opTerm
)

// needed is how many of the kids have to be true for the node to be, or false for its negation to be. It is for AND, OR
// and "n of", which are the same but for that number.
func needed(by op, number, kids int, negated bool) int {
	need := number
	switch by {
	case opAnd:
		need = kids
	case opOr:
		need = 1
	}
	if negated {
		need = kids - need + 1
	}
	return need
}

// term is what is looked for.
type term struct {
	field string // empty where there is none
	// stem is how words are stemmed before they are compared: not at all (empty), in the language of the item (stemByItem), or
	// in the language that it names.
	stem string
	text string // as written, without quotes, white space folded
	// parts are the words of a term that is looked for in text, a phrase if there are several.
	parts []part
	// value is what a term of feed:, lang: or host: is compared with, from and until bound what published: accepts.
	value       part
	from, until time.Time
}

// isText reports whether the term is looked for among words.
func (t *term) isText() bool { return t.parts != nil }

// part is one word of a term, folded.
type part struct {
	word   string
	prefix bool
	// glob says that each * in word stands for any letters.
	glob bool
	// stem is that of the term, spelling the word as the query spells it, where it is compared by its stem, too.
	stem, spelling string
}

// stemByItem is in place of a language where it is the item's.
const stemByItem = "item"

// fits reports whether the word is what the part looks for, without regard to stems.
func (p part) fits(t *token) bool {
	fit := false
	t.spellings(func(spelling []byte, beginning bool) {
		switch {
		case p.glob:
			fit = fit || globs(p.word, spelling)
		case p.prefix && beginning && strings.HasPrefix(string(spelling), p.word), string(spelling) == p.word:
			fit = true
		}
	})
	return fit
}

func (n *node) write(b *strings.Builder) {
	switch n.op {
	case opTerm:
		n.term.write(b)
	case opNot:
		b.WriteString("NOT ")
		n.kids[0].writeWithin(b, opNot)
	case opNear:
		if left := n.kids[0]; left.op == opNear {
			left.write(b)
		} else {
			left.writeWithin(b, opNear)
		}
		fmt.Fprintf(b, " NEAR/%d ", n.number)
		n.kids[1].writeWithin(b, opNear)
	case opOf:
		fmt.Fprintf(b, "%d of (", n.number)
		for i, kid := range n.kids {
			if i > 0 {
				b.WriteString(", ")
			}
			kid.write(b)
		}
		b.WriteByte(')')
	default:
		for i, kid := range n.kids {
			if i > 0 {
				b.WriteString([...]string{opOr: " OR ", opAnd: " AND "}[n.op])
			}
			kid.writeWithin(b, n.op)
		}
	}
}

func (n *node) writeWithin(b *strings.Builder, outer op) {
	if n.op > outer {
		n.write(b)
		return
	}
	b.WriteByte('(')
	n.write(b)
	b.WriteByte(')')
}

func (t *term) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *term) write(b *strings.Builder) {
	if t.isText() && t.stem != "" {
		b.WriteByte('~')
		if t.stem != stemByItem {
			b.WriteString(t.stem + ":")
		}
	}
	if t.field != "" {
		b.WriteString(t.field)
		b.WriteByte(':')
	}
	if t.isBare() || t.field == "published" {
		b.WriteString(t.text)
		return
	}
	b.WriteByte('"')
	b.WriteString(t.text)
	b.WriteByte('"')
}

// isBare reports whether the term means the same without quotes.
func (t *term) isBare() bool {
	if _, ok := operators[t.text]; ok || isNear(t.text) {
		return false
	}
	for i, r := range t.text {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '*':
		case i > 0 && (unicode.Is(unicode.M, r) || strings.ContainsRune("-'’._&+#", r)):
		default:
			return false
		}
	}
	// One & between letters is a name; two would be an operator of other languages.
	return !strings.Contains(t.text, "&&")
}

// openSide is the first NOT that makes n (or its negation, for negated) true of whatever lacks something, nil if n asks
// for at least one thing to occur.
func (n *node) openSide(negated bool) *node {
	switch {
	case (n.op == opTerm || n.op == opNear) && negated:
		return n
	case n.op == opTerm, n.op == opNear:
		return nil
	case n.op == opNot:
		open := n.kids[0].openSide(!negated)
		if open != nil && !negated {
			return n
		}
		return open
	}
	var first *node
	missing := needed(n.op, n.number, len(n.kids), negated)
	for _, kid := range n.kids {
		open := kid.openSide(negated)
		if open == nil {
			continue
		}
		missing--
		if first == nil {
			first = open
		}
	}
	if missing > 0 {
		return nil // something else must occur
	}
	return first
}

// clone is a copy of the node with all that is below it, which begins at the given place.
func (n *node) clone(at int) *node {
	copied := *n
	copied.at = at
	copied.kids = make([]*node, len(n.kids))
	for i, kid := range n.kids {
		copied.kids[i] = kid.clone(at)
	}
	return &copied
}

// foldSpace folds white space as terms have it.
func foldSpace(text string) string { return strings.Join(strings.Fields(text), " ") }

// OneLine is the query as it is written, on one line: without its comments. One that cannot be read stays as it is.
func OneLine(query string) string {
	lexemes, err := lex(query)
	if err != nil {
		return query
	}
	var b strings.Builder
	end, opened := 0, true
	for _, l := range lexemes {
		if l.at > end && !opened && l.kind != lexClose && l.kind != lexComma && l.kind != lexEnd {
			b.WriteByte(' ')
		}
		b.WriteString(foldSpace(query[l.at:l.end]))
		end, opened = l.end, l.kind == lexOpen
	}
	return b.String()
}
