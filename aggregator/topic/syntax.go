package topic

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator/topic/stem"
)

// SyntaxError is what is wrong with a query and how to mend it.
type SyntaxError struct {
	// At is where in the query, in bytes from its start.
	At int
	// Text says what is wrong, Mend what to write instead; neither begins with a capital or ends in a full stop.
	Text, Mend string
	// Named is the named query that is truly wrong where this one only refers to it.
	Named string
}

// Error gives what is wrong and how to mend it, without the place.
func (e *SyntaxError) Error() string { return e.Text + "; " + e.Mend }

// Offset is At, for callers that point at the place and do not know this package.
func (e *SyntaxError) Offset() int { return e.At }

// InNamed is Named, for callers that do not know this package.
func (e *SyntaxError) InNamed() string { return e.Named }

func syntaxError(at int, mend, format string, args ...any) *SyntaxError {
	return &SyntaxError{At: at, Text: fmt.Sprintf(format, args...), Mend: mend}
}

// lexeme is a piece of a query.
type lexeme struct {
	kind lexemeKind
	// text is the field's name, the word as written, what is between the quotes, or the name behind an @.
	text string
	// number is the n of NEAR/n or of "n of".
	number int
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
	lexNear
	// lexCount is "n of" in front of a list in parentheses, lexComma what parts the list.
	lexCount
	lexComma
	lexQuery
	lexStem
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
	'|': "write OR", '!': "write NOT", '^': "", '~': "a ~ stands in front of a word", '[': "write (", ']': "write )", '{': "write (", '}': "write )",
	'<': "", '>': "", '=': "", '\\': "", '?': "", '@': "the name of a query begins with it",
}

// lexer cuts a query into lexemes.
type lexer struct {
	query   string
	at      int
	lexemes []lexeme
	// lists tells of each open parenthesis whether it is that of a list.
	lists []bool
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
			l.open()
		case r == ')':
			l.lists = l.lists[:max(0, len(l.lists)-1)]
			l.add(lexClose, "", l.at, l.at+1)
		case r == ',' && l.inList():
			l.add(lexComma, ",", l.at, l.at+1)
		case r == '#' && isComment(l.query[l.at:]):
			l.at += lineLength(l.query[l.at:])
		case r == '"':
			err = l.phrase()
		case r == '-':
			err = l.minus()
		case r == '~':
			err = l.stem()
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
	l.lexemes = append(l.lexemes, lexeme{kind: kind, text: text, at: at, end: end})
	l.at = end
}

// isComment reports whether the text, which begins with a #, is a comment and no hashtag.
func isComment(text string) bool {
	rest := strings.TrimLeft(text, "#")
	next, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || unicode.IsSpace(next)
}

func lineLength(text string) int {
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end
	}
	return len(text)
}

// open takes a parenthesis, which begins a list where "n of" is in front of it.
func (l *lexer) open() {
	isList := false
	if n := len(l.lexemes); n >= 2 && l.lexemes[n-1].kind == lexWord && l.lexemes[n-2].kind == lexWord && strings.EqualFold(l.lexemes[n-1].text, "of") {
		var number int
		if number, isList = plainNumber(l.lexemes[n-2].text); isList {
			count := lexeme{kind: lexCount, number: number, at: l.lexemes[n-2].at, end: l.lexemes[n-1].end}
			count.text = foldSpace(l.query[count.at:count.end])
			l.lexemes = append(l.lexemes[:n-2], count)
		}
	}
	l.lists = append(l.lists, isList)
	l.add(lexOpen, "", l.at, l.at+1)
}

func (l *lexer) inList() bool { return len(l.lists) > 0 && l.lists[len(l.lists)-1] }

// plainNumber reads a number of a few ASCII digits.
func plainNumber(text string) (int, bool) {
	if text == "" || len(text) > 5 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	number, err := strconv.Atoi(text)
	return number, err == nil
}

// last is the lexeme before the present place if nothing, not even a space, is between them.
func (l *lexer) last() lexeme {
	if n := len(l.lexemes); n > 0 && l.lexemes[n-1].end == l.at {
		return l.lexemes[n-1]
	}
	return lexeme{}
}

func (l *lexer) phrase() error {
	if last := l.last(); last.kind == lexWord || last.kind == lexPhrase || last.kind == lexQuery {
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
	if i := strings.IndexFunc(l.query[l.at:], l.endsWord); i >= 0 {
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
	if isNear(text) {
		return l.near(text, end)
	}
	if text[0] == '@' {
		return l.name(text, end)
	}
	if last := l.last(); last.kind == lexField && (last.text == "url" || last.text == "published") {
		l.add(lexWord, text, l.at, end) // whose values have signs of their own
		return nil
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

func (l *lexer) endsWord(r rune) bool {
	return unicode.IsSpace(r) || r == '(' || r == ')' || r == '"' || r == ',' && l.inList()
}

func isNear(text string) bool { return text == "NEAR" || strings.HasPrefix(text, "NEAR/") }

// near takes the operator NEAR/n.
func (l *lexer) near(text string, end int) error {
	distance, ok := plainNumber(strings.TrimPrefix(text, "NEAR/"))
	switch {
	case l.last().kind == lexField:
		return syntaxError(l.at, fmt.Sprintf("to search for the word, write %q", text), "%s is an operator", text)
	case !ok:
		return syntaxError(l.at, fmt.Sprintf("write NEAR/5 for at most five words from one to the other; to search for the word, write %q", text),
			"%s has no number behind a /", shown(text))
	case distance < 1 || distance > maxDistance:
		return syntaxError(l.at+len("NEAR/"), "the next word is at 1", "the distance %d is not from 1 to %d", distance, maxDistance)
	}
	l.add(lexNear, text, l.at, end)
	l.lexemes[len(l.lexemes)-1].number = distance
	return nil
}

// name takes the name of a query, without its @.
func (l *lexer) name(text string, end int) error {
	name := text[1:]
	if i := strings.IndexFunc(name, func(r rune) bool { return !strings.ContainsRune(nameLetters, r) }); i >= 0 || name == "" {
		return syntaxError(l.at+1+max(0, i), "write it as under queries: in the config, such as @regulators; to search for the words, put them in quotes",
			"%s names no query", shown(text))
	}
	l.add(lexQuery, name, l.at, end)
	return nil
}

// stem takes the ~ in front of a term whose words are compared by their stems, with the language if one is named: ~en:word.
func (l *lexer) stem() error {
	if last := l.last(); last.kind == lexPhrase || last.kind == lexStem {
		return syntaxError(l.at, "write it once, in front of a word, a quote or a group; for words that are near each other, write a NEAR/5 b",
			"a ~ directly behind %s", shown(l.query[last.at:last.end]))
	}
	end := l.at + 1
	language := stemByItem
	if tag, _, found := strings.Cut(l.query[end:], ":"); found && len(tag) == 2 && tag[0] >= 'a' && tag[0] <= 'z' && tag[1] >= 'a' && tag[1] <= 'z' {
		if !stem.Known(tag) {
			return syntaxError(end, "the languages are "+strings.Join(stem.Languages(), ", "), "words cannot be stemmed in the language %s", tag)
		}
		language = tag
		end += len("en:")
	}
	next, _ := utf8.DecodeRuneInString(l.query[end:])
	if end == len(l.query) || unicode.IsSpace(next) || next == ')' || next == ',' && l.inList() || next == '-' {
		return syntaxError(l.at, "write it directly in front of a word, a quote or a group, such as ~regulate", "a ~ that stands alone")
	}
	l.add(lexStem, language, l.at, end)
	return nil
}

// nameLetters are those of ids in the config.
const nameLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_."

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
