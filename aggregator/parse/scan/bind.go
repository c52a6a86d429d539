package scan

import (
	"bytes"
	"strings"
)

// edit replaces Data[start:end] by text.
type edit struct {
	start, end int
	text       string
}

// bind puts the namespaces right in the root's start tag: prefixes that nothing declares are declared there, and a
// default namespace that makes a parser blind for the elements of the feed is replaced.
func (s *scanner) bind(v *verifier, at int) {
	t, ok := readTag(s.result.Data, at, nil)
	if !ok {
		return
	}
	var edits []edit
	if e, wrong := s.rightSpace(&t); wrong {
		s.notes.add("wrong feed namespace replaced")
		edits = append(edits, e)
	}
	var b strings.Builder
	for _, prefix := range v.undeclared {
		if string(prefix) == "xmlns" {
			continue // it cannot be declared
		}
		space := wellKnownSpace(string(prefix))
		switch {
		case s.result.Kind == Atom && bytes.Equal(prefix, prefixOf(t.name)):
			space = atom10Space
		case space == "":
			space = madeUpSpace + string(prefix)
		}
		s.notes.add("undeclared prefix '" + string(prefix) + "' declared")
		b.WriteString(" xmlns:" + string(prefix) + "=\"" + space + "\"")
	}
	if b.Len() > 0 {
		behindName := at + 1 + len(t.name)
		edits = append([]edit{{behindName, behindName, b.String()}}, edits...)
	}
	s.apply(edits)
}

// apply makes the edits, which are in order and do not overlap, and moves the items' places.
func (s *scanner) apply(edits []edit) {
	if len(edits) == 0 {
		return
	}
	in := s.result.Data
	grown := 0
	for _, e := range edits {
		grown += len(e.text) - (e.end - e.start)
	}
	out := make([]byte, 0, len(in)+grown)
	from, item := 0, 0
	ends := 0 // items[:ends] have their End moved
	for _, e := range append(edits, edit{len(in), len(in), ""}) {
		shift := len(out) - from
		for ; item < len(s.result.Items) && s.result.Items[item].Start < e.start; item++ {
			s.result.Items[item].Start += shift
		}
		for ; ends < len(s.result.Items) && s.result.Items[ends].End <= e.start; ends++ {
			s.result.Items[ends].End += shift
		}
		out = append(out, in[from:e.start]...)
		out = append(out, e.text...)
		from = e.end
	}
	s.result.Data = out
}

// rightSpace looks at the namespace that the root's own elements are in.
func (s *scanner) rightSpace(t *tag) (edit, bool) {
	name := "xmlns"
	if prefix := prefixOf(t.name); len(prefix) > 0 && s.result.Kind == Atom {
		name += ":" + string(prefix)
	}
	for _, a := range t.attributes {
		if string(a.name) != name {
			continue
		}
		want, ok := expectedSpace(s.result.Kind, strings.TrimSpace(string(a.value)))
		if ok {
			return edit{}, false
		}
		start := placeIn(s.result.Data, a.value)
		return edit{start, start + len(a.value), want}, true
	}
	return edit{}, false
}

// placeIn is where part begins in data, which it is a piece of: both end at the same capacity.
func placeIn(data, part []byte) int { return cap(data) - cap(part) }

// expectedSpace is the namespace that a root of that kind should have instead; ok means that it can stay.
func expectedSpace(kind Kind, space string) (want string, ok bool) {
	switch kind {
	case Atom:
		switch space {
		case "", atom10Space, atom03Space:
			return "", true
		}
		if strings.Contains(space, "purl.org/atom") {
			return atom03Space, false
		}
		return atom10Space, false
	case RDF:
		switch space {
		case "", rdfSpace, rss10Space, rss090Space, rss09Space:
			return "", true
		}
		return rss10Space, false
	case RSS:
		// A parser takes any default namespace for that of RSS, unless it knows it for another.
		return "", !isForeignSpace(space)
	}
	return "", true
}

// isForeignSpace reports whether the namespace is one of those that parsers give a meaning of their own.
func isForeignSpace(space string) bool {
	if strings.Contains(space, "w3.org/") || strings.HasPrefix(space, "http://search.yahoo.com/mrss") ||
		strings.Contains(space, "itunes.com/") ||
		strings.Contains(strings.ToLower(space), "podcast-1.0.dtd") {
		return true
	}
	switch space {
	case rss10Space:
		return false
	}
	return strings.HasPrefix(space, "http://purl.org/") || strings.HasPrefix(space, "http://www.georss.org/") ||
		strings.HasPrefix(space, "http://rssnamespace.org/") || strings.HasPrefix(space, "http://wellformedweb.org/") ||
		strings.HasPrefix(space, "http://creativecommons.org/") || strings.HasPrefix(space, "http://web.resource.org/") ||
		strings.HasPrefix(space, "http://backend.userland.com/creative") || strings.HasPrefix(space, "http://backend.userland.com/blogChannel")
}
