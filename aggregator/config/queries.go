package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// queryDraft is a query and where it is. It is checked once all queries that it may refer to are known.
type queryDraft struct {
	// name is the one that others refer to it by, empty for that of a topic.
	name string
	// text is the query, empty where there is none; skipped is how much white space is before it in the value.
	text    string
	skipped int
	value   scalar
	key     string
}

// maxQueries bounds how many queries may refer to each other in a row, since reading them goes as deep.
const maxQueries = 1000

// readQueries reads the queries that others refer to by their names.
func (r *reader) readQueries(n ast.Node, d *draft) {
	n, ok := r.resolve(n)
	if !ok || isNull(n) {
		return
	}
	pairs, ok := r.pairs(n, "queries", 0)
	if !ok {
		return
	}
	if len(pairs) > maxQueries {
		r.problem(placeOf(n), fmt.Sprintf("queries has more than %d names", maxQueries), "write what one topic alone needs in its query")
		return
	}
	for _, p := range pairs {
		if r.full() {
			return
		}
		r.push(p.key)
		if what, mend := badID(p.key, "query"); what != "" {
			r.problem(p.at, "the name "+quote(p.key)+" "+what, mend)
		}
		q, given := r.readQuery(p.value)
		if !given {
			r.problem(p.at, "a named query without anything", "write a query behind the colon, or remove the name")
		}
		q.name = p.key
		d.queries = append(d.queries, q)
		r.pop()
	}
}

// commentInQuery is where the query language may see a comment.
var commentInQuery = regexp.MustCompile(`(?:^|\s)#+(?:\s|$)`)

// readQuery reads a query and reports whether there is one, right or wrong.
func (r *reader) readQuery(n ast.Node) (q queryDraft, given bool) {
	s, ok := r.scalar(n)
	if !ok {
		resolved, ok := r.resolve(n)
		return q, !ok || !isNull(resolved)
	}
	r.keepLines(&s)
	q = queryDraft{text: strings.TrimSpace(s.text), value: s, key: r.key()}
	q.skipped = max(0, strings.Index(s.raw, q.text))
	return q, q.text != ""
}

// keepLines undoes what > does to the lines of a query, which end comments. Within quotes, where escapes are in the way, a
// comment in several lines is refused.
func (r *reader) keepLines(s *scalar) {
	switch n := s.node.(type) {
	case *ast.LiteralNode:
		if n.Start.Type == token.FoldedType && !s.expanded && n.Value != nil {
			s.raw = n.Value.Token.Origin
			s.text = s.raw
		}
	case *ast.StringNode:
		quoted := n.Token.Type == token.DoubleQuoteType || n.Token.Type == token.SingleQuoteType
		if quoted && strings.Contains(strings.TrimSpace(n.Token.Origin), "\n") && commentInQuery.MatchString(s.raw) {
			r.problem(s.at, r.name()+" has a comment and is in quotes, where YAML makes one line of its lines",
				"write | after the colon, and the query on the lines below it without the quotes")
		}
	}
}

// stemDraft says how the words of a topic are compared by their stems.
type stemDraft struct {
	value scalar
	// sign is what is in front of the query, which is then in parentheses; empty where words are compared as they are.
	sign string
}

// readStem reads whether words are compared by their stems, and in which language.
func (r *reader) readStem(n ast.Node) stemDraft {
	s, ok := r.scalar(n)
	if !ok {
		return stemDraft{}
	}
	d := stemDraft{value: s}
	switch isTag := len(s.text) == 2 && s.text[0] >= 'a' && s.text[0] <= 'z' && s.text[1] >= 'a' && s.text[1] <= 'z'; {
	case s.text == "true":
		d.sign = "~"
	case isTag:
		d.sign = "~" + s.text + ":"
	case s.text != "false":
		r.wrong(s, "is neither true, false nor a language", "write true for the language of each item, or a language, as in en")
	}
	return d
}

// checkStem notes where a query that is good by itself is none with its words stemmed.
func (r *reader) checkStem(t topicDraft, check func(name, query string) error) {
	if t.stem.sign == "" {
		return
	}
	if err := check("", t.extended().Query); err != nil {
		what, mend := explain(t.stem.value, err, "leave it out")
		r.problemWith(t.key+".stem", t.stem.value.at, what, mend)
	}
}

// finishQueries checks all queries of the file.
func (r *reader) finishQueries(d *draft) {
	named := make(map[string]string, len(d.queries))
	for _, q := range d.queries {
		named[q.name] = q.text
	}
	if len(named) > 0 {
		d.Config.Queries = named
	}
	if r.options.Queries == nil {
		return
	}
	check := r.options.Queries(named)
	for _, q := range d.queries {
		if q.text != "" {
			r.checkQuery(q, check)
		}
	}
	for _, t := range d.topics {
		if t.query.text == "" || r.checkQuery(t.query, check) && r.checkExtended(t, check) {
			r.checkStem(t, check)
		}
	}
}

// checkQuery notes what is wrong with a query, and reports whether nothing is.
func (r *reader) checkQuery(q queryDraft, check func(name, query string) error) bool {
	err := check(q.name, q.text)
	if err == nil {
		return true
	}
	var elsewhere interface{ InNamed() string }
	if errors.As(err, &elsewhere) && elsewhere.InNamed() != "" {
		return false
	}
	at := q.value.at
	var located interface{ Offset() int }
	if errors.As(err, &located) && !q.value.expanded && q.value.raw == q.value.text {
		at = r.locate(q.value, q.skipped+min(max(0, located.Offset()), len(q.text)))
	}
	what, mend := explain(q.value, err, "docs/query-language.md shows how queries are written")
	r.problemWith(q.key, at, "query cannot be read: "+what, mend)
	return false
}
