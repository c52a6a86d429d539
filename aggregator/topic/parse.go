package topic

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The limits of a query. They are far above what is written by hand and keep what comes from outside from costing much.
const (
	maxBytes = 64 << 10
	maxTerms = 4000
	maxDepth = 60
	maxParts = 64 // words in a phrase
)

// Parse reads a query in the language that the package comment describes. The error is a *SyntaxError.
func Parse(query string) (*Query, error) {
	if len(query) > maxBytes {
		return nil, syntaxError(maxBytes, "split the topic in two", "the query is longer than %d bytes", maxBytes)
	}
	lexemes, err := lex(query)
	if err != nil {
		return nil, err
	}
	p := parser{query: query, lexemes: lexemes}
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
	return &Query{root}, nil
}

type parser struct {
	query   string
	lexemes []lexeme
	next    int
	depth   int
	terms   int
	// field is the one that the present term or group is within.
	field string
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
		case lexEnd, lexClose, lexOr:
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
		return p.term()
	}
	p.take()
	if next := p.peek(); next.kind == lexNot || next.kind == lexMinus {
		return nil, syntaxError(next.at, "leave out both, or one of them", "a negation of a negation")
	}
	kid, err := p.term()
	if err != nil {
		return nil, err
	}
	if kid.op == opNot { // NOT (NOT x)
		return kid.kids[0], nil
	}
	return &node{op: opNot, kids: []*node{kid}, at: l.at}, nil
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
	switch {
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
	if p.depth++; p.depth > maxDepth {
		return nil, syntaxError(open.at, "leave out parentheses that are not needed",
			"parentheses are nested more than %d deep", maxDepth)
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	p.depth--
	if p.take().kind != lexClose {
		return nil, syntaxError(open.at, "write ) behind the group", "the ( is not closed")
	}
	return n, nil
}

func (p *parser) leaf(l lexeme) (*node, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, syntaxError(l.at, "split the topic in two", "the query has more than %d terms", maxTerms)
	}
	t := &term{field: p.field, text: foldSpace(l.text)}
	at := l.at
	if l.kind == lexPhrase {
		at++
	}
	if err := checkStars(l.text, at); err != nil {
		return nil, err
	}
	var err error
	switch t.field {
	case "feed":
		err = t.compileFeed(l)
	case "lang":
		err = t.compileLang(l)
	default:
		err = t.compileText(l)
	}
	if err != nil {
		return nil, err
	}
	return &node{op: opTerm, term: t, at: l.at}, nil
}

// checkStars finds a * that is not at the end of a word. The text begins at the given offset of the query.
func checkStars(text string, at int) error {
	for i, r := range text {
		if r != '*' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+1:])
		switch {
		case !inWord(before) && !inWord(after):
			return syntaxError(at+i, "write it directly behind the beginning of a word, such as cloud*", "a * that stands alone")
		case !inWord(before), inWord(after):
			return syntaxError(at+i, "write it behind a word's beginning, such as cloud*; list the other forms with OR",
				"a * that is not at the end of a word")
		}
	}
	return nil
}

// inWord reports whether the character can be within a word; utf8.RuneError, for none, cannot.
func inWord(r rune) bool {
	c := classify(r).class
	return c != separator && c != line
}

// compileText sets the parts of a term that is looked for in text.
func (t *term) compileText(l lexeme) error {
	c := partCollector{text: t.text}
	s := scanner{sink: &c}
	s.text(t.text)
	t.parts = c.parts
	switch {
	case len(t.parts) == 0 && strings.Trim(t.text, "&") == "" && t.text != "":
		return syntaxError(l.at, "write AND, or nothing, between terms that must both occur", "%s has no meaning", t.text)
	case len(t.parts) == 0:
		return syntaxError(l.at, "write letters or digits, or leave it out", "there is no word in %q", shown(t.text))
	case len(t.parts) > maxParts:
		return syntaxError(l.at, "shorten it, or join shorter phrases by AND", "a phrase has more than %d words", maxParts)
	}
	return nil
}

// partCollector makes parts of the words of a query's term.
type partCollector struct {
	text  string
	parts []part
}

func (c *partCollector) gap() {}

// word adds a part. The sign before the word counts only where a space is in front of it: in Node.js it parts
// words as any other.
func (c *partCollector) word(t *token) {
	spelling := t.bytes
	if !t.before || t.start >= 2 && c.text[t.start-2] != ' ' {
		spelling = spelling[1:]
	}
	p := part{word: string(spelling)}
	switch t.class {
	case hangul:
		p.prefix = true
	case letter:
		p.prefix = strings.HasPrefix(c.text[t.end:], "*")
	case single: // found inside a run as it is
	}
	c.parts = append(c.parts, p)
}

// compileFeed reads a feed's id or the beginning of one.
func (t *term) compileFeed(l lexeme) error {
	id, isPrefix := strings.CutSuffix(t.text, "*")
	if id == "" || strings.ContainsAny(id, " *") {
		return syntaxError(l.at, "write one id, or the beginning of ids with a * behind it: feed:aws*", "%q is not the id of a feed", shown(t.text))
	}
	t.value = part{strings.ToLower(id), isPrefix}
	return nil
}

// compileLang reads a language tag.
func (t *term) compileLang(l lexeme) error {
	tag := foldLang(t.text)
	for i, subtag := range strings.Split(tag, "-") {
		plain := !strings.ContainsFunc(subtag, func(r rune) bool { return (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') })
		if !plain || len(subtag) < 1 || len(subtag) > 8 || i == 0 && (len(subtag) < 2 || len(subtag) > 3) {
			return syntaxError(l.at, "write a tag such as en, ur or pt-BR; lang:en finds en-GB too", "%q is not a language tag", shown(t.text))
		}
	}
	t.value = part{word: tag}
	return nil
}

// foldLang folds a language tag: tags are compared without regard to case (RFC 5646 section 2.1.1), and publishers
// write _ for -.
func foldLang(tag string) string { return strings.ReplaceAll(strings.ToLower(tag), "_", "-") }
