package topic

import (
	"fmt"
	"strings"
)

// The limits of a query. They are far above what is written by hand and keep what comes from outside from costing much.
const (
	maxBytes = 64 << 10
	maxTerms = 4000
	maxDepth = 60
	maxParts = 64 // words in a phrase
	// maxDistance is the largest n of NEAR/n, maxNears how many NEARs one may be made of.
	maxDistance = 100
	maxNears    = 16
)

// Parse reads a query in the language that the package comment describes, which refers to no named query. The error is a
// *SyntaxError.
func Parse(query string) (*Query, error) { return (*Library)(nil).Parse(query) }

// parser reads one query. Where it is that of a reference within a field, it begins with the field.
type parser struct {
	// names finds the query that a name stands for.
	names   func(ref lexeme, field, stem string) (*namedQuery, error)
	query   string
	lexemes []lexeme
	next    int
	// depth is how deep parentheses are nested at the present place, deepest what the most of it was.
	depth, deepest int
	terms          int
	// field is the one that the present term or group is within, stem how its words are stemmed.
	field, stem string
}

// whole reads all of the query.
func (p *parser) whole() (*node, error) {
	if len(p.query) > maxBytes {
		return nil, syntaxError(maxBytes, "split the topic in two", "the query is longer than %d bytes", maxBytes)
	}
	var err error
	if p.lexemes, err = lex(p.query); err != nil {
		return nil, err
	}
	if p.peek().kind == lexEnd {
		return nil, syntaxError(0, "write what the topic is about, such as cloud OR \"data centre\"", "the query is empty")
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if next := p.peek(); next.kind != lexEnd {
		return nil, syntaxError(next.at, "leave it out, or write the ( that it closes", "a ) without its (")
	}
	if open := root.openSide(false); open != nil {
		lacking := shown((&Query{open.kids[0]}).String())
		return nil, syntaxError(open.at, "write beside it, within the same parentheses, what must occur: cloud NOT sport",
			"this alone would match every item without %s", lacking)
	}
	return root, nil
}

func (p *parser) peek() lexeme { return p.lexemes[p.next] }

func (p *parser) take() lexeme {
	l := p.lexemes[p.next]
	if l.kind != lexEnd {
		p.next++
	}
	return l
}

// or reads terms joined by OR and what binds tighter.
func (p *parser) or() (*node, error) {
	return p.join(opOr, p.and, func() bool {
		if p.peek().kind != lexOr {
			return false
		}
		p.take()
		return true
	})
}

// and reads terms joined by AND or side by side.
func (p *parser) and() (*node, error) {
	return p.join(opAnd, p.not, func() bool {
		switch p.peek().kind {
		case lexAnd:
			p.take()
			return true
		case lexEnd, lexClose, lexOr, lexComma:
			return false
		}
		return true
	})
}

// join reads one part and, while more says so, further ones, and joins them by the operator.
func (p *parser) join(by op, part func() (*node, error), more func() bool) (*node, error) {
	joined := &node{op: by, at: p.peek().at}
	for {
		kid, err := part()
		if err != nil {
			return nil, err
		}
		if kid.op == by {
			joined.kids = append(joined.kids, kid.kids...)
		} else {
			joined.kids = append(joined.kids, kid)
		}
		if !more() {
			break
		}
	}
	if len(joined.kids) == 1 {
		return joined.kids[0], nil
	}
	return joined, nil
}

func (p *parser) not() (*node, error) {
	l := p.peek()
	if l.kind != lexNot && l.kind != lexMinus {
		return p.near()
	}
	p.take()
	if next := p.peek(); next.kind == lexNot || next.kind == lexMinus {
		return nil, syntaxError(next.at, "leave out both, or one of them", "a negation of a negation")
	}
	kid, err := p.near()
	if err != nil {
		return nil, err
	}
	if kid.op == opNot { // NOT (NOT x)
		return kid.kids[0], nil
	}
	return &node{op: opNot, kids: []*node{kid}, at: l.at}, nil
}

// near reads terms joined by NEAR/n, from the left.
func (p *parser) near() (*node, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	for p.peek().kind == lexNear {
		l := p.take()
		right, err := p.term()
		if err != nil {
			return nil, err
		}
		joined := &node{op: opNear, kids: []*node{left, right}, number: l.number, at: left.at}
		for _, side := range joined.kids {
			if wrong, what := side.placeless(); wrong != nil {
				return nil, syntaxError(wrong.at, "a side of NEAR is words, phrases and these joined by OR or NEAR, as in fine NEAR/5 (gdpr OR \"data protection\")",
					"%s has no place that %s could count words from", what, l.text)
			}
		}
		if joined.nears() > maxNears {
			return nil, syntaxError(l.at, "join shorter ones by AND", "more than %d NEARs are joined", maxNears)
		}
		left = joined
	}
	return left, nil
}

// list reads what is behind "n of".
func (p *parser) list(count lexeme) (*node, error) {
	n := &node{op: opOf, number: count.number, at: count.at}
	open := p.take()
	if err := p.enter(open); err != nil {
		return nil, err
	}
	for {
		kid, err := p.or()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
		if p.peek().kind != lexComma {
			break
		}
		p.take()
	}
	p.depth--
	if p.take().kind != lexClose {
		return nil, syntaxError(open.at, "write ) behind the list", "the ( is not closed")
	}
	switch {
	case n.number < 1:
		return nil, syntaxError(count.at, "write how many of them must occur: 2 of (a, b, c)", "%s is always true", count.text)
	case n.number > len(n.kids):
		return nil, syntaxError(count.at, fmt.Sprintf("write a smaller number, or commas between what is listed; to search for the words, write \"%s\"", count.text),
			"%s a list of %d can never be", count.text, len(n.kids))
	case len(n.kids) == 1:
		return n.kids[0], nil
	}
	return n, nil
}

// reference reads the query that a name stands for.
func (p *parser) reference(l lexeme) (*node, error) {
	named, err := p.names(l, p.field, p.stem)
	if err != nil {
		return nil, err
	}
	p.deepest = max(p.deepest, p.depth+1+named.deepest)
	if p.terms += named.terms; p.terms > maxTerms {
		return nil, syntaxError(l.at, "split the topic in two", "with @%s the query has more than %d terms", l.text, maxTerms)
	}
	if p.deepest > maxDepth {
		return nil, syntaxError(l.at, "leave out parentheses that are not needed, or references in between",
			"with @%s parentheses are nested more than %d deep", l.text, maxDepth)
	}
	return named.root.clone(l.at), nil
}

func (p *parser) term() (*node, error) {
	var before lexeme
	if p.next > 0 {
		before = p.lexemes[p.next-1]
	}
	switch l := p.take(); l.kind {
	case lexWord, lexPhrase:
		return p.leaf(l)
	case lexOpen:
		return p.group(l)
	case lexCount:
		return p.list(l)
	case lexQuery:
		return p.reference(l)
	case lexStem:
		outer := p.stem
		p.stem = l.text
		n, err := p.term()
		p.stem = outer
		return n, err
	case lexField:
		if p.field != "" {
			return nil, syntaxError(l.at, "close the group first, or write the fields at the terms", "the field %s: within the field %s:", l.text, p.field)
		}
		p.field = l.text
		n, err := p.term()
		p.field = ""
		return n, err
	default:
		return nil, p.unexpected(l, before)
	}
}

// unexpected is the error for the lexeme just met in the place of a term; before is the one before it.
func (p *parser) unexpected(l, before lexeme) error {
	if before.kind == lexStem {
		before.text = p.query[before.at:before.end]
	}
	switch {
	case l.kind == lexComma || before.kind == lexComma:
		at := l.at
		if l.kind != lexComma {
			at = before.at
		}
		return syntaxError(at, "write a term on both sides of it, or leave it out", "a comma with nothing on one side")
	case l.kind != lexEnd && l.kind != lexClose:
		mend := fmt.Sprintf("write a term between or leave one out; to search for the word, write %q", l.text)
		if before.text != "" && before.kind != lexWord && before.kind != lexPhrase {
			return syntaxError(l.at, mend, "%s directly behind %s", l.text, before.text)
		}
		return syntaxError(l.at, strings.Replace(mend, "between or leave one out", "in front of it", 1),
			"%s has nothing in front of it", l.text)
	case before.kind == lexOpen && l.kind == lexEnd:
		return syntaxError(before.at, "write ) behind the group", "the ( is not closed")
	case before.kind == lexOpen:
		return syntaxError(before.at, "write a term in them, or leave them out", "there is nothing in the parentheses")
	case before.text == "":
		return syntaxError(l.at, "leave it out, or write the ( that it closes", "a ) without its (")
	}
	return syntaxError(before.at, fmt.Sprintf("write a term behind it; to search for the word, write %q", before.text),
		"%s has nothing behind it", before.text)
}

func (p *parser) group(open lexeme) (*node, error) {
	if err := p.enter(open); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	p.depth--
	if p.take().kind == lexClose {
		return n, nil
	}
	return nil, syntaxError(open.at, "write ) behind the group", "the ( is not closed")
}

// enter goes one parenthesis deeper.
func (p *parser) enter(open lexeme) error {
	p.depth++
	p.deepest = max(p.deepest, p.depth)
	if p.depth > maxDepth {
		return syntaxError(open.at, "leave out parentheses that are not needed",
			"parentheses are nested more than %d deep", maxDepth)
	}
	return nil
}
