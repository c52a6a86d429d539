package topic

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError is what is wrong with a query and how to mend it.
type SyntaxError struct {
	// At is where in the query, in bytes from its start.
	At int
	// Text says what is wrong, Mend what to write instead; neither begins with a capital or ends in a full stop.
	Text, Mend string
}

// Error gives what is wrong and how to mend it, without the place.
func (e *SyntaxError) Error() string { return e.Text + "; " + e.Mend }

// Offset is At, for callers that point at the place and do not know this package.
func (e *SyntaxError) Offset() int { return e.At }

func syntaxError(at int, mend, format string, args ...any) *SyntaxError {
	return &SyntaxError{At: at, Text: fmt.Sprintf(format, args...), Mend: mend}
}

// lexeme is a piece of a query.
type lexeme struct {
	kind lexemeKind
	// text is the field's name, the word as written, or what is between the quotes.
	text string
	// at and end are where it is in the query; of a phrase, the quotes included.
	at, end int
}

type lexemeKind uint8

const (
	lexEnd lexemeKind = iota
	lexOpen
	lexClose
	lexAnd
	lexOr
	lexNot
	lexMinus
	lexField
	lexWord
	lexPhrase
)

// lookalikes are characters that word processors and input methods write in place of those that have a meaning.
var lookalikes = map[rune]string{
	'“': `"`, '”': `"`, '„': `"`, '‟': `"`, '«': `"`, '»': `"`, '「': `"`, '」': `"`, '『': `"`, '』': `"`, '＂': `"`,
	'（': "(", '）': ")", '：': ":", '＊': "*",
}

// dashes are lookalikes of the minus sign where one stands in front of a word.
const dashes = "‐‑‒–—−－"

// meaningless maps the characters that have no meaning outside quotes to what was perhaps meant by them.
var meaningless = map[rune]string{
	',': "write OR or AND between the terms", '，': "write OR or AND between the terms",
	'、': "write OR or AND between the terms", ';': "write OR or AND between the terms",
	'|': "write OR", '!': "write NOT", '^': "", '~': "", '[': "write (", ']': "write )", '{': "write (", '}': "write )",
	'<': "", '>': "", '=': "", '\\': "", '?': "", '@': "",
}

// lexer cuts a query into lexemes.
type lexer struct {
	query   string
	at      int
	lexemes []lexeme
}

// lex cuts the query into lexemes, the last of which is its end.
func lex(query string) ([]lexeme, error) {
	if !utf8.ValidString(query) {
		at := len(query) - len(strings.TrimLeftFunc(query, func(r rune) bool { return r != utf8.RuneError }))
		return nil, syntaxError(at, "save the query as UTF-8", "the query is not UTF-8 text")
	}
	l := lexer{query: query}
	for l.at < len(query) {
		r, size := utf8.DecodeRuneInString(query[l.at:])
		var err error
		switch {
		case unicode.IsSpace(r):
			l.at += size
		case r == '(':
			l.add(lexOpen, "", l.at, l.at+1)
		case r == ')':
			l.add(lexClose, "", l.at, l.at+1)
		case r == '"':
			err = l.phrase()
		case r == '-':
			err = l.minus()
		default:
			err = l.word()
		}
		if err != nil {
			return nil, err
		}
	}
	l.add(lexEnd, "", len(query), len(query))
	return l.lexemes, nil
}

func (l *lexer) add(kind lexemeKind, text string, at, end int) {
	l.lexemes = append(l.lexemes, lexeme{kind, text, at, end})
	l.at = end
}

// last is the lexeme before the present place if nothing, not even a space, is between them.
func (l *lexer) last() lexeme {
	if n := len(l.lexemes); n > 0 && l.lexemes[n-1].end == l.at {
		return l.lexemes[n-1]
	}
	return lexeme{}
}

func (l *lexer) phrase() error {
	if last := l.last(); last.kind == lexWord || last.kind == lexPhrase {
		return syntaxError(l.at, "put a space in front of it, or close the quote that it should close",
			"a quote directly behind %s", shown(l.query[last.at:last.end]))
	}
	length := strings.IndexByte(l.query[l.at+1:], '"')
	if length < 0 {
		return syntaxError(l.at, `write " behind the last word of the phrase`, "the quote is not closed")
	}
	end := l.at + 1 + length + 1
	l.add(lexPhrase, l.query[l.at+1:end-1], l.at, end)
	return nil
}

func (l *lexer) minus() error {
	switch l.last().kind {
	case lexField:
		return syntaxError(l.at, "put the - in front of the field, such as -title:word", "a - behind a field's colon")
	case lexPhrase:
		return syntaxError(l.at, "put a space in front of it, or all of the word inside the quotes", "a - directly behind a quote")
	}
	rest := l.query[l.at+1:]
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case rest == "", unicode.IsSpace(next), next == ')':
		return syntaxError(l.at, "write it directly in front of the term, such as -sport", "a - that stands alone")
	case next == '-':
		return syntaxError(l.at, "write one -", "more than one - in front of a term")
	}
	l.add(lexMinus, "-", l.at, l.at+1)
	return nil
}

// word takes what is up to the next white space, parenthesis or quote: an operator, a field, or a word.
func (l *lexer) word() error {
	if last := l.last(); last.kind == lexPhrase {
		if l.query[l.at] == '*' {
			return syntaxError(l.at, "put the * inside the quotes, directly behind a word", "a * behind a quote")
		}
		return syntaxError(l.at, "put a space between them", "a word directly behind a quote")
	}
	end := len(l.query)
	if i := strings.IndexFunc(l.query[l.at:], endsWord); i >= 0 {
		end = l.at + i
	}
	text := l.query[l.at:end]
	if kind, ok := operators[text]; ok {
		if l.last().kind == lexField {
			return syntaxError(l.at, fmt.Sprintf("to search for the word, write %q", text), "%s is an operator", text)
		}
		l.add(kind, text, l.at, end)
		return nil
	}
	if text == "NEAR" || strings.HasPrefix(text, "NEAR/") {
		return syntaxError(l.at, fmt.Sprintf("write a phrase or AND; to search for the word, write %q", text),
			"%s is reserved for a later version", text)
	}
	if name, ok := fieldName(text); ok {
		return l.field(name)
	}
	if err := l.check(text); err != nil {
		return err
	}
	l.add(lexWord, text, l.at, end)
	return nil
}

var operators = map[string]lexemeKind{"AND": lexAnd, "OR": lexOr, "NOT": lexNot}

func endsWord(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == ')' || r == '"' }

// fieldName is what is before the first colon if it can be meant as a field: letters alone, and no URL's scheme.
func fieldName(text string) (string, bool) {
	name, rest, found := strings.Cut(text, ":")
	if !found || name == "" || strings.HasPrefix(rest, "//") {
		return "", false
	}
	return name, !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' })
}

var fields = []string{"title", "category", "feed", "lang"}

func (l *lexer) field(name string) error {
	known := strings.ToLower(name)
	if !slices.Contains(fields, known) {
		mend := "the fields are title:, category:, feed: and lang:"
		if near := nearest(known); near != "" {
			mend = fmt.Sprintf("did you mean %s:?", near)
		}
		return syntaxError(l.at, mend+`; to search for the words, put them in quotes`, "there is no field %s:", shown(name))
	}
	if l.last().kind == lexField {
		return syntaxError(l.at, "write title:a AND category:b", "a field within a field")
	}
	end := l.at + len(name) + 1
	next, _ := utf8.DecodeRuneInString(l.query[end:])
	if end == len(l.query) || unicode.IsSpace(next) || next == ')' {
		return syntaxError(l.at, fmt.Sprintf(`write the term directly behind the colon, such as %s:word or %[1]s:(a OR b)`, known),
			"nothing directly behind %s:", known)
	}
	l.add(lexField, known, l.at, end)
	return nil
}

// check finds the characters in a word that cannot be meant as they are.
func (l *lexer) check(text string) error {
	if first, _ := utf8.DecodeRuneInString(text); strings.ContainsRune(dashes, first) {
		return syntaxError(l.at, "write - in place of it", "%c in front of a word", first)
	}
	if text[0] == '+' {
		return syntaxError(l.at, "leave it out: terms side by side must all occur", "a + in front of a word")
	}
	if i := strings.Index(text, "&&"); i >= 0 {
		return syntaxError(l.at+i, "write AND", "&& has no meaning")
	}
	for i, r := range text {
		if plain, ok := lookalikes[r]; ok {
			return syntaxError(l.at+i, fmt.Sprintf("write %s in place of it", plain), "%c has no meaning", r)
		}
		if mend, ok := meaningless[r]; ok {
			if mend != "" {
				mend += "; "
			}
			return syntaxError(l.at+i, mend+"to search for the word as it is, put it in quotes", "%c has no meaning", r)
		}
	}
	return nil
}

// nearest is the field whose name is at most two slips of the hand away, empty if there is none.
func nearest(name string) string {
	for near, known := range map[string]string{
		"tag": "category", "tags": "category", "categories": "category", "keyword": "category", "source": "feed",
		"feeds": "feed", "language": "lang", "headline": "title",
	} {
		if name == near {
			return known
		}
	}
	best, bestDistance := "", min(3, utf8.RuneCountInString(name))
	for _, known := range fields {
		if d := distance(name, known); d < bestDistance {
			best, bestDistance = known, d
		}
	}
	return best
}

// distance counts the letters to add, take away, exchange or swap with their neighbour to make a into b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	if len(from) > 2*len(to) {
		return len(from)
	}
	var before, previous []int
	current := make([]int, len(to)+1)
	for j := range current {
		current[j] = j
	}
	for i := range from {
		before, previous, current = previous, current, make([]int, len(to)+1)
		current[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			current[j+1] = min(previous[j]+cost, previous[j+1]+1, current[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				current[j+1] = min(current[j+1], before[j-1]+1)
			}
		}
	}
	return current[len(to)]
}

// shown is the text as an error quotes it, cut where it is long.
func shown(text string) string {
	const most = 40
	if i := 0; utf8.RuneCountInString(text) > most {
		for range most {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
		}
		text = text[:i] + "..."
	}
	return text
}
