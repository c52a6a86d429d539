package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// reader walks the syntax tree of one file. It is used once.
type reader struct {
	file, folder string
	source       string
	lineStarts   []int // built when first asked for
	options      Options

	path     []string
	problems Problems
	reported map[string]bool

	anchors map[string]*ast.AnchorNode
	// budget is how much may still be read. Aliases make a small file stand for an enormous one.
	budget int
	// schedules are the answers of the check of schedules: most feeds share a few.
	schedules map[string]error
	// sections are the keys of all sections, for who writes one in the wrong place.
	sections []section
	// block is the list of feeds where that is read in pieces; whole says that the file has to be read whole, since that
	// could not be done.
	block *feedBlock
	whole bool
	// hints counts the ids that were compared with all others to find the one that is meant.
	hints int
}

func newReader(file, folder string, data []byte, o Options) *reader {
	source := strings.TrimPrefix(string(data), "\ufeff")
	return &reader{
		file: file, folder: folder, source: source, options: o,
		reported:  map[string]bool{},
		anchors:   map[string]*ast.AnchorNode{},
		budget:    10*len(source) + 1<<20,
		schedules: map[string]error{},
		sections:  sections(),
	}
}

// field is a key of a section and what reads its value.
type field[T any] struct {
	name string
	read func(r *reader, n ast.Node, into *T)
}

// readFields reads the section n, which may be absent, by the table of its fields. It reports whether n is a section.
func readFields[T any](r *reader, n ast.Node, what string, fields []field[T], into *T) bool {
	n, ok := r.resolve(n)
	if !ok {
		return false
	}
	if isNull(n) {
		return true
	}
	pairs, ok := r.pairs(n, what, 0)
	if !ok {
		return false
	}
	for _, p := range pairs {
		i := indexField(fields, p.key)
		if i < 0 {
			r.unknownKey(p, what, fieldNames(fields))
			continue
		}
		r.push(p.key)
		fields[i].read(r, p.value, into)
		r.pop()
	}
	return true
}

func indexField[T any](fields []field[T], name string) int {
	for i := range fields {
		if fields[i].name == name {
			return i
		}
	}
	return -1
}

func fieldNames[T any](fields []field[T]) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

func (r *reader) unknownKey(p pair, what string, known []string) {
	if len(r.path) == 0 && strings.HasPrefix(p.key, "x-") {
		return
	}
	mend := "the keys here are " + strings.Join(known, ", ")
	if elsewhere := r.sectionsWith(p.key); elsewhere != "" {
		mend = "it belongs " + elsewhere
	} else if name := nearest(p.key, known); name != "" {
		mend = fmt.Sprintf("did you mean %q?", name)
	}
	r.push(p.key)
	r.problem(p.at, fmt.Sprintf("unknown key %s in %s", quote(p.key), what), mend)
	r.pop()
}

// sectionsWith names the sections that have the key.
func (r *reader) sectionsWith(key string) string {
	var names []string
	for _, s := range r.sections {
		if slices.Contains(s.keys, key) {
			names = append(names, s.where)
		}
	}
	return strings.Join(names, " or ")
}

// pair is an entry of a mapping.
type pair struct {
	key   string
	at    place
	value ast.Node
}

// pairs are the entries of the mapping n, those that merge keys (<<) bring in last.
func (r *reader) pairs(n ast.Node, what string, depth int) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.wrongKind(n, what, wantSection)
		return nil, false
	}
	if !r.spend(placeOf(n), len(values)) {
		return nil, false
	}
	pairs := make([]pair, 0, len(values))
	var merges []ast.Node
	for _, v := range values {
		if v.Key == nil || v.Key.IsMergeKey() {
			merges = append(merges, v.Value)
			continue
		}
		key, ok := r.keyText(v.Key)
		if !ok {
			continue
		}
		p := pair{key, placeOf(v.Key), v.Value}
		if first := findPair(pairs, key); first != nil {
			r.problem(p.at, fmt.Sprintf("%s is given twice, first on line %d", quote(key), first.at.line), "keep one of them")
			continue
		}
		pairs = append(pairs, p)
	}
	for _, m := range merges {
		pairs = r.merge(pairs, m, depth+1)
	}
	return pairs, true
}

// merge adds the entries of the mapping (or of the list of mappings) n, but for keys that are there already.
func (r *reader) merge(pairs []pair, n ast.Node, depth int) []pair {
	at := placeOf(n)
	n, ok := r.resolve(n)
	if !ok || r.budget <= 0 {
		return pairs
	}
	if depth > maxDepth {
		r.problem(at, "merge keys (<<) lead to each other without an end", "merge a section that does not merge this one")
		return pairs
	}
	if list, isList := n.(*ast.SequenceNode); isList {
		for _, v := range list.Values {
			pairs = r.merge(pairs, v, depth+1)
		}
		return pairs
	}
	more, _ := r.pairs(n, "what << merges", depth)
	for _, p := range more {
		if findPair(pairs, p.key) == nil {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

func findPair(pairs []pair, key string) *pair {
	for i := range pairs {
		if pairs[i].key == key {
			return &pairs[i]
		}
	}
	return nil
}

func (r *reader) keyText(n ast.MapKeyNode) (string, bool) {
	var key ast.Node = n
	if k, ok := key.(*ast.MappingKeyNode); ok {
		key = k.Value
	}
	if a, ok := key.(*ast.AnchorNode); ok {
		key = a.Value
	}
	if text, _, ok := scalarText(key); ok {
		return text, true
	}
	r.problem(placeOf(n), "a key that is no text", "a setting is written as name: value")
	return "", false
}

// each calls do for the entries of the list n, which may be absent. It reports whether n is a list.
func (r *reader) each(n ast.Node, what string, do func(i int, n ast.Node)) bool {
	n, ok := r.resolve(n)
	if !ok {
		return false
	}
	if isNull(n) {
		return true
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrongKind(n, what, wantList)
		return false
	}
	for i, v := range list.Values {
		if r.full() || !r.spend(placeOf(n), 1) {
			return false
		}
		r.push("[" + strconv.Itoa(i) + "]")
		do(i, v)
		r.pop()
	}
	return true
}

// The kinds of values, in words.
const (
	wantText    = "a single value"
	wantList    = "a list"
	wantSection = "a section of keys with values"
)

// wrongKind notes that n is not of the kind that is wanted.
func (r *reader) wrongKind(n ast.Node, what, want string) {
	mends := map[string]string{
		wantText:    "write one value after the colon, in quotes if it holds brackets",
		wantList:    "write [a, b], or each entry on a line of its own after a dash",
		wantSection: "write its keys below it, indented, each as name: value with a space after the colon",
	}
	r.problem(placeOf(n), fmt.Sprintf("%s must be %s and is %s", what, want, kindOf(n)), mends[want])
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a section"
	case *ast.SequenceNode:
		return wantList
	case nil, *ast.NullNode:
		return "empty"
	}
	return wantText
}

func isNull(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	return n == nil || null
}

// resolve follows anchors and aliases to what they stand for.
func (r *reader) resolve(n ast.Node) (ast.Node, bool) {
	for range maxDepth {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			name, _, _ := scalarText(v.Value)
			anchor, at := r.anchors[name], placeOf(v)
			if anchor == nil || !before(placeOf(anchor), at) {
				r.problem(at, fmt.Sprintf("the alias *%s has no anchor &%s before it", name, name),
					"define the anchor further up, or put a value that begins with * in quotes")
				return nil, false
			}
			n = anchor.Value
		default:
			return n, true
		}
	}
	r.problem(placeOf(n), "an alias that leads to itself", "remove it")
	return nil, false
}

// findAnchors notes where anchors stand. One name for two of them is refused: it is easily misread.
func (r *reader) findAnchors(root ast.Node) {
	if !strings.Contains(r.source, "&") {
		return
	}
	ast.Walk(anchorVisitor(func(a *ast.AnchorNode) {
		name, _, _ := scalarText(a.Name)
		if first := r.anchors[name]; first != nil {
			r.problem(placeOf(a), fmt.Sprintf("the anchor &%s is defined twice, first on line %d", name, placeOf(first).line),
				"give it another name")
			return
		}
		r.anchors[name] = a
	}), root)
}

type anchorVisitor func(*ast.AnchorNode)

// Visit implements ast.Visitor.
func (v anchorVisitor) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		v(a)
	}
	return v
}

// spend takes cost from the budget and reports whether there was enough.
func (r *reader) spend(at place, cost int) bool {
	if r.budget <= 0 {
		return false
	}
	if r.budget -= cost; r.budget <= 0 {
		r.problem(at, "aliases and variables make this file stand for far more than it holds", "write out what they stand for")
		return false
	}
	return true
}

func (r *reader) push(segment string) { r.path = append(r.path, segment) }
func (r *reader) pop()                { r.path = r.path[:len(r.path)-1] }

// key is the path of what is being read, as Problem.Key shows it.
func (r *reader) key() string {
	return strings.ReplaceAll(strings.Join(r.path, "."), ".[", "[")
}

// placeOf is where a node begins. The parser's own notion for a mapping is its first colon, and for what is absent the
// place where it might be.
func placeOf(n ast.Node) place {
	switch v := n.(type) {
	case nil:
		return place{1, 1}
	case *ast.MappingNode:
		if v.Start != nil && v.Start.Type == token.MappingStartType || len(v.Values) == 0 {
			break
		}
		return placeOf(v.Values[0])
	case *ast.MappingValueNode:
		if v.Key != nil {
			return placeOf(v.Key)
		}
	}
	tk := n.GetToken()
	if tk == nil || tk.Position == nil {
		return place{1, 1}
	}
	return place{max(1, tk.Position.Line), max(1, tk.Position.Column)}
}

func before(a, b place) bool {
	return a.line < b.line || a.line == b.line && a.column < b.column
}
