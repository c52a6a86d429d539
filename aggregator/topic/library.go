package topic

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Library holds the named queries that others refer to by @name. It does not change and may be used by many goroutines at
// once; a nil one has no names.
type Library struct {
	named map[string]*namedQuery
}

// namedQuery is a query of a library; until it was read, it has neither a root nor an error.
type namedQuery struct {
	text string
	root *node
	err  *SyntaxError
	// deepest is how deep its parentheses are nested, terms how many terms it has, with those of the queries that it refers to.
	deepest, terms int
	// cycle is the names that lead back to the first of them where that is what is wrong.
	cycle []string
}

// NewLibrary makes a library of queries by their names. Those that are wrong are in it, too: Err tells.
func NewLibrary(queries map[string]string) *Library {
	l := &Library{named: make(map[string]*namedQuery, len(queries))}
	for name, text := range queries {
		l.named[name] = &namedQuery{text: text}
	}
	r := resolver{library: l}
	for _, name := range slices.Sorted(maps.Keys(l.named)) {
		r.resolve(name)
	}
	return l
}

// Err is what is wrong with the named query, a *SyntaxError; nil where nothing is, or where there is no query of the name.
func (l *Library) Err(name string) error {
	if named, ok := l.named[name]; ok && named.err != nil {
		return named.err
	}
	return nil
}

// Parse reads a query that may refer to those of the library. The error is a *SyntaxError.
func (l *Library) Parse(query string) (*Query, error) {
	p := parser{names: l.within, query: query}
	root, err := p.whole()
	if err != nil {
		return nil, err
	}
	return &Query{root}, nil
}

// within is the named query that the lexeme stands for, within a field and with stems where these are not empty.
func (l *Library) within(ref lexeme, field, stem string) (*namedQuery, error) {
	var known map[string]*namedQuery
	if l != nil {
		known = l.named
	}
	named, ok := known[ref.text]
	switch {
	case !ok:
		mend := "write it under queries: in the config"
		if near := nearestOf(ref.text, slices.Sorted(maps.Keys(known))); near != "" {
			mend = fmt.Sprintf("did you mean @%s?", near)
		}
		return nil, syntaxError(ref.at, mend+`; to search for the words, put them in quotes`, "no query has the name %s", shown(ref.text))
	case named.err != nil:
		wrong := syntaxError(ref.at, "mend that query", "@%s, which this refers to, is wrong: %s", ref.text, named.err.Text)
		wrong.Named = ref.text
		return nil, wrong
	case field == "" && stem == "":
		return named, nil
	}
	p := parser{names: l.within, query: named.text, field: field, stem: stem}
	root, err := p.whole()
	if err != nil {
		what, _, _ := strings.Cut(err.Error(), "; ")
		return nil, syntaxError(ref.at, "write the fields at the terms, or the terms out", "@%s cannot be within %s:: %s", ref.text, field, what)
	}
	return &namedQuery{root: root, deepest: p.deepest, terms: p.terms}, nil
}

// resolver reads the queries of a library, each after those that it refers to.
type resolver struct {
	library *Library
	// path are the names that lead to the one that is being read.
	path []string
}

func (r *resolver) resolve(name string) {
	named := r.library.named[name]
	if named.root != nil || named.err != nil {
		return
	}
	r.path = append(r.path, name)
	p := parser{names: r.within, query: named.text}
	root, err := p.whole()
	r.path = r.path[:len(r.path)-1]
	if err != nil {
		errors.As(err, &named.err)
		return
	}
	named.root, named.deepest, named.terms = root, p.deepest, p.terms
}

// within is Library.within for a query that is being read itself.
func (r *resolver) within(ref lexeme, field, stem string) (*namedQuery, error) {
	if start := slices.Index(r.path, ref.text); start >= 0 {
		return nil, r.leadsBack(ref, slices.Clone(r.path[start:]))
	}
	named, ok := r.library.named[ref.text]
	if !ok {
		return r.library.within(ref, field, stem)
	}
	r.resolve(ref.text)
	if self := r.path[len(r.path)-1]; slices.Contains(named.cycle, self) {
		return nil, r.leadsBack(ref, named.cycle)
	}
	return r.library.within(ref, field, stem)
}

// leadsBack is the error of a reference that is part of a cycle.
func (r *resolver) leadsBack(ref lexeme, cycle []string) error {
	r.library.named[r.path[len(r.path)-1]].cycle = cycle
	return syntaxError(ref.at, "leave one of the references out", "@%s leads back here: @%s, @%s", ref.text, strings.Join(cycle, ", @"), cycle[0])
}
