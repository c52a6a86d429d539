package config

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A syntax tree takes a hundred times the memory of its text, and a file may list a million feeds. A long list of feeds is
// therefore cut out of the file and read a piece at a time, between what is before it and what is after it. That is only
// done where nothing of it can be seen: whatever is unusual in the list (an alias, an anchor, what cannot be parsed) has the
// file read whole.

const (
	// longList is how many bytes of feeds are worth it, pieceBytes about how many of them are parsed at once.
	longList   = 64 << 10
	pieceBytes = 16 << 10
)

// feedBlock is the list under the key feeds, as lines of the file: from the first to before the last, counted from 1.
type feedBlock struct {
	from, to int
	// dash is what each entry begins with: the white space before it and the dash.
	dash string
}

// findFeedBlock finds the list of feeds in a file that is laid out as most are: the key on a line of its own at the left
// edge, and below it entries, each with its dash at the same column.
func (r *reader) findFeedBlock() (b feedBlock, long bool) {
	if len(r.source) < longList {
		return b, false
	}
	starts := r.lines()
	for line := 1; line <= len(starts); line++ {
		text := r.line(line)
		comment := strings.HasPrefix(strings.TrimLeft(text, " "), "#") || strings.TrimSpace(text) == ""
		switch {
		case b.from == 0:
			if key, rest, _ := strings.Cut(text, ":"); key == "feeds" && isBlankOrComment(rest) {
				b.from = line + 1
			}
		case comment:
		case b.dash == "":
			indent := len(text) - len(strings.TrimLeft(text, " "))
			if b.dash = text[:indent] + "-"; !startsEntry(text, b.dash) {
				return b, false
			}
		case strings.HasPrefix(text, b.dash[:len(b.dash)-1]+" "), startsEntry(text, b.dash):
			// more of an entry, or the next
		default:
			b.to = line
		}
		if b.to > 0 {
			break
		}
	}
	if b.dash == "" {
		return b, false
	}
	if b.to == 0 {
		b.to = len(starts) + 1
	}
	return b, r.lineIndex(b.to)-r.lineIndex(b.from) >= longList
}

func isBlankOrComment(s string) bool {
	s = strings.TrimLeft(s, " ")
	return s == "" || s[0] == '#'
}

func startsEntry(line, dash string) bool {
	rest, ok := strings.CutPrefix(line, dash)
	return ok && (rest == "" || rest[0] == ' ')
}

// lineIndex is the offset of the start of a line, or of the end of the source for the line behind the last.
func (r *reader) lineIndex(line int) int {
	if starts := r.lines(); line <= len(starts) {
		return starts[line-1]
	}
	return len(r.source)
}

// documentAround is the file's document with nothing under feeds. It is not ok where the file has to be read whole.
func (r *reader) documentAround(b feedBlock) (root ast.Node, ok bool) {
	head, ok := r.part(1, b.from)
	if !ok || len(head) == 0 {
		return nil, false
	}
	tail, ok := r.part(b.to, len(r.lines())+1)
	if !ok {
		return nil, false
	}
	whole := ast.Mapping(head[0].GetToken(), false, append(head, tail...)...)
	r.findAnchors(whole)
	return whole, true
}

// part is the entries of the mapping that some lines of the file are.
func (r *reader) part(from, to int) (values []*ast.MappingValueNode, ok bool) {
	node, ok := r.parseLines(from, to)
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, ok && !n.IsFlowStyle
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, ok
	}
	return nil, ok && node == nil
}

// parseLines parses some lines of the file by themselves, as one document. Places in it are those of the file.
func (r *reader) parseLines(from, to int) (root ast.Node, ok bool) {
	// The parser is not ours, and whatever is in the file must end in a message.
	defer func() {
		if recover() != nil {
			root, ok = nil, false
		}
	}()
	tokens := lexer.Tokenize(r.source[r.lineIndex(from):r.lineIndex(to)])
	for _, tk := range tokens {
		tk.Position.Line += from - 1
		if tk.Type == token.DocumentEndType || tk.Type == token.DocumentHeaderType && from > 1 {
			return nil, false
		}
	}
	if checkTokens(tokens) != nil {
		return nil, false
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil || len(file.Docs) > 1 {
		return nil, false
	}
	if len(file.Docs) == 0 {
		return nil, true
	}
	_, directive := file.Docs[0].Body.(*ast.DirectiveNode)
	return file.Docs[0].Body, !directive
}

// piece is the entries of the list of feeds that begin on some lines.
func (r *reader) piece(from, to int) ([]ast.Node, bool) {
	node, ok := r.parseLines(from, to)
	list, isList := node.(*ast.SequenceNode)
	if !ok || !isList || list.IsFlowStyle {
		return nil, false
	}
	usual := true
	for tk := list.Start; tk != nil && usual; tk = tk.Next {
		switch tk.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			usual = false
		}
	}
	return list.Values, usual
}

// eachPiece calls do for the entries of the list of feeds. It reports whether it came to the end of them.
func (r *reader) eachPiece(do func(i int, n ast.Node)) bool {
	b := r.block
	entries := 0
	for from := b.from; from < b.to; {
		to, end := from+1, r.lineIndex(from)+pieceBytes
		for to < b.to && (r.lineIndex(to) < end || !startsEntry(r.line(to), b.dash)) {
			to++
		}
		nodes, ok := r.piece(from, to)
		if !ok {
			r.whole = true
			return false
		}
		for _, n := range nodes {
			if r.full() || !r.spend(placeOf(n), 1) {
				return false
			}
			r.push("[" + strconv.Itoa(entries) + "]")
			do(entries, n)
			r.pop()
			entries++
		}
		from = to
	}
	return true
}
