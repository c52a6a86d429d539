package config

import (
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// locate is where the byte at offset in the value's raw text stands in the file.
//
// The value and its source differ in white space (folding, indentation) and, within quotes, in escapes; the other
// characters are the same and in the same order. So it is enough to count those.
func (r *reader) locate(s scalar, offset int) place {
	at := r.index(s.at)
	quoted := byte(0)
	switch n := s.node.(type) {
	case *ast.LiteralNode:
		// The text begins on the line after the indicator.
		end := strings.IndexByte(r.source[at:], '\n')
		if end < 0 {
			return s.at
		}
		at += end + 1
	case *ast.StringNode:
		if n.Token.Type == token.DoubleQuoteType || n.Token.Type == token.SingleQuoteType {
			quoted = '\''
			if n.Token.Type == token.DoubleQuoteType {
				quoted = '"'
			}
			if at >= len(r.source) || r.source[at] != quoted {
				return s.at
			}
			at++
		}
	}
	ahead := 0
	for _, c := range s.raw[:min(offset, len(s.raw))] {
		if !unicode.IsSpace(c) {
			ahead++
		}
	}
	end := at
	for at < len(r.source) {
		c, size := sourceChar(r.source[at:], quoted)
		if !unicode.IsSpace(c) {
			if ahead == 0 && offset < len(s.raw) {
				return r.placeAt(at)
			}
			if ahead--; ahead < 0 {
				break
			}
			end = at + size
		}
		at += size
		if ahead == 0 && offset >= len(s.raw) {
			break
		}
	}
	return r.placeAt(end)
}

// sourceChar is the character that the source begins with, as it is in the value, and its length in the source. In
// quotes, an escape is one character.
func sourceChar(source string, quoted byte) (rune, int) {
	c, size := utf8.DecodeRuneInString(source)
	switch {
	case quoted == '\'' && strings.HasPrefix(source, "''"):
		return '\'', 2
	case quoted != '"' || c != '\\' || len(source) < 2:
		return c, size
	}
	digits := 0
	switch source[1] {
	case 't', 'n', 'v', 'f', 'r', ' ', '\t', '\n', '_', 'N', 'L', 'P':
		return ' ', 2
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		_, size = utf8.DecodeRuneInString(source[1:])
		return '\\', 1 + size
	}
	length := min(2+digits, len(source))
	code, err := strconv.ParseUint(source[2:length], 16, 32)
	if err != nil {
		return '\\', length
	}
	return rune(code), length
}

// lines are the offsets of the starts of lines.
func (r *reader) lines() []int {
	if r.lineStarts == nil {
		r.lineStarts = []int{0}
		for i := range len(r.source) {
			if r.source[i] == '\n' {
				r.lineStarts = append(r.lineStarts, i+1)
			}
		}
	}
	return r.lineStarts
}

// line is the text of a line, counted from 1, without its end.
func (r *reader) line(number int) string {
	starts := r.lines()
	if number < 1 || number > len(starts) {
		return ""
	}
	text, _, _ := strings.Cut(r.source[starts[number-1]:], "\n")
	return strings.TrimSuffix(text, "\r")
}

// index is the offset of a place in the source.
func (r *reader) index(at place) int {
	starts := r.lines()
	if at.line > len(starts) {
		return len(r.source)
	}
	i := starts[at.line-1]
	for range at.column - 1 {
		_, size := utf8.DecodeRuneInString(r.source[i:])
		i += size
	}
	return i
}

// placeAt is the place of an offset in the source.
func (r *reader) placeAt(i int) place {
	starts := r.lines()
	line := sort.Search(len(starts), func(k int) bool { return starts[k] > i })
	return place{line, utf8.RuneCountInString(r.source[starts[line-1]:i]) + 1}
}
