package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxDepth is far above what the file's keys need (five) and far below where the recursive parser would hurt.
	maxDepth = 32
	// maxBlankLines in a row: the lexer's time grows with their square inside of a text block.
	maxBlankLines = 1000
)

// document is the file's one document, or a problem that ends the reading. A nil node is an empty file.
func (r *reader) document() (root ast.Node, ok bool) {
	if !r.readable() {
		return nil, false
	}
	if b, long := r.findFeedBlock(); long && !r.whole {
		if root, ok := r.documentAround(b); ok {
			r.block = &b
			return root, true
		}
	}
	file, err := parseYAML(r.source)
	if err != nil {
		r.syntaxProblem(err)
		return nil, false
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); doc.Body != nil && !directive {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil, true
	case 1:
		r.findAnchors(bodies[0])
		return bodies[0], true
	}
	r.problem(placeOf(bodies[1]), "a second YAML document begins here",
		"remove the line --- before it: a config is one document")
	return nil, false
}

// readable refuses what is no text, and what the lexer would be busy with for too long.
func (r *reader) readable() bool {
	if len(r.source) > MaxBytes {
		r.problem(place{1, 1}, fmt.Sprintf("the file is larger than %d MiB", MaxBytes>>20), "is it the right file?")
		return false
	}
	line, lineStart, blank := 1, 0, 0
	for i := 0; i < len(r.source); {
		c := r.source[i]
		if c == '\n' {
			if blank++; strings.TrimSpace(r.source[lineStart:i]) != "" {
				blank = 0
			}
			if blank > maxBlankLines {
				r.problem(place{line, 1}, fmt.Sprintf("more than %d empty lines in a row", maxBlankLines), "remove them")
				return false
			}
			line, lineStart = line+1, i+1
		}
		size := 1
		bad := c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f
		if c >= utf8.RuneSelf {
			var char rune
			char, size = utf8.DecodeRuneInString(r.source[i:])
			bad = char == utf8.RuneError && size == 1
		}
		if c == '\r' && !strings.HasPrefix(r.source[i+1:], "\n") {
			r.problem(place{line, 1}, "a carriage return that ends no line", "save the file with Unix or Windows line ends")
			return false
		}
		if bad {
			at := place{line, utf8.RuneCountInString(r.source[lineStart:i]) + 1}
			r.problem(at, fmt.Sprintf("the byte 0x%02x is no part of a UTF-8 text", c), "save the file as UTF-8")
			return false
		}
		i += size
	}
	return true
}

// parseYAML is the YAML parser behind what it needs to be safe: bounded nesting and no tags.
func parseYAML(source string) (file *ast.File, err error) {
	// The parser is not ours, and whatever is in the file must end in a message.
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, errors.New("the YAML cannot be read")
		}
	}()
	tokens := lexer.Tokenize(source)
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	// Keys that are given twice are ours to report, so that they do not hide other problems.
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// checkTokens bounds the nesting, since the parser is recursive and its time grows with the square of the depth. In
// flow style the depth is that of the brackets; in block style whatever is nested stands further to the right.
func checkTokens(tokens token.Tokens) error {
	flow := 0
	var columns []int
	for _, tk := range tokens {
		switch tk.Type {
		case token.TagType:
			return &yaml.SyntaxError{Token: tk, Message: tagMessage}
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow > 0 {
				continue
			}
			column := tk.Position.Column
			if tk.Type == token.MappingValueType && tk.Prev != nil {
				column = tk.Prev.Position.Column
			}
			for len(columns) > 0 && columns[len(columns)-1] >= column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, column)
		default:
			continue
		}
		if flow+len(columns) > maxDepth {
			return &yaml.SyntaxError{Token: tk, Message: depthMessage}
		}
	}
	return nil
}

const (
	tagMessage   = "type tags (!name) are not read"
	depthMessage = "lists and settings are nested too deeply"
)

// syntaxProblem notes an error of the parser, with what is most likely meant.
func (r *reader) syntaxProblem(err error) {
	at, message := place{1, 1}, ""
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		message = err.Error()
	} else {
		// Its Error would print the lines around the place, which may hold secrets and be long.
		message = syntax.GetMessage()
		if tk := syntax.GetToken(); tk != nil && tk.Position != nil {
			at = place{max(1, tk.Position.Line), max(1, tk.Position.Column)}
		}
	}
	switch {
	case message == tagMessage:
		r.problem(at, message, "remove it; put the value in quotes if it begins with !")
		return
	case message == depthMessage:
		r.problem(at, message, "no setting needs more than a few levels: check the brackets and the indentation")
		return
	case strings.Contains(message, "tab character"), strings.Contains(message, "'\\t'"), strings.Contains(message, "'\t'"):
		r.problem(at, "a tab in the indentation", "YAML is indented with spaces only: put spaces in its place")
		return
	}
	line := r.line(at.line)
	line = line[:min(len(line), 10_000)]
	for _, h := range syntaxHints {
		if m := h.pattern.FindStringSubmatchIndex(line); m != nil {
			at.column = utf8.RuneCountInString(line[:m[2]]) + 1
			r.problem(at, h.text, h.mend)
			return
		}
	}
	mend := "check the quotes, brackets and indentation here and in the lines before"
	for _, h := range messageHints {
		if strings.Contains(message, h.part) {
			mend = h.mend
		}
	}
	r.problem(at, "not valid YAML: "+message, mend)
}

// syntaxHints are the ways in which values go wrong that stand without quotes and should not. The first group is where
// the fault is.
var syntaxHints = []struct {
	pattern    *regexp.Regexp
	text, mend string
}{
	{
		regexp.MustCompile(`(?:[:,\[{]\s|^\s*-\s)\s*(\*)(?:[^A-Za-z]|$)`),
		"a value cannot begin with * in YAML", `put it in quotes, as in schedule: "*/30 * * * *"`,
	},
	{
		regexp.MustCompile("(?:[:,\\[{]\\s|^\\s*-\\s)\\s*([@`%])"),
		"a value cannot begin with @, % or ` in YAML", `put it in quotes, as in schedule: "@hourly"`,
	},
	{
		regexp.MustCompile(`[:,\[{]\s+(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s+([^\s#,\]}:])`),
		"text follows the closing quote", `put the whole value in single quotes, as in query: '"cloud computing" OR aws'`,
	},
	{
		regexp.MustCompile(`[{\[].*[:,]\s+[^"'\s,]*(\$\{)`),
		"a brace cannot stand without quotes inside of { } or [ ]", `put the value in quotes, as in url: "${NAME}"`,
	},
	{
		regexp.MustCompile(`^[^"'#]*:\s+[^"'#\s\[{][^"'#]*?(:)\s`),
		"a colon and a space inside of a value", "put the value in quotes",
	},
}

// messageHints say more on what the parser says.
var messageHints = []struct{ part, mend string }{
	{"quoted text", "close the quote that opens here"},
	{"must be specified", "close the bracket, or put the value in quotes if it holds one"},
	{"end token", "close the bracket that opens here"},
	{"non-map value", "a setting is written as name: value, with a space after the colon"},
	{"unexpected key name", "a setting is written as name: value, with a space after the colon"},
	{"value is not allowed in this context", "indent this line like its neighbours; quote a value that goes on after a quote"},
	{"mapping value is not allowed",
		"indent this line like its neighbours; put a value that holds a colon and a space in quotes"},
	{"block sequence entries", "begin the list on the line below, each entry with - before it"},
	{"unknown escape", `write \\ for a backslash, or use single quotes`},
	{"alias name", "put a value that begins with * in quotes"},
	{"anchor name", "put a value that begins with & in quotes"},
}
