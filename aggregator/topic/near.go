package topic

import (
	"cmp"
	"slices"
)

// span is a stretch of words, by their numbers, both ends included. Numbers jump by more than maxDistance where a phrase may
// not go on, so that no NEAR does.
type span struct{ first, last int32 }

// nextLine is how far numbers jump.
const nextLine = maxDistance + 1

// near are the shortest stretches that hold one of each side with at most distance from the one to the other: 1 where
// they are side by side. A stretch that holds another is not among them. Both sides and the result are sorted.
func near(left, right []span, distance int32) []span {
	longest := int32(0)
	for _, r := range right {
		longest = max(longest, r.last-r.first)
	}
	var found []span
	for _, l := range left {
		behind, _ := slices.BinarySearchFunc(right, l.last+1, startsAt)
		best := int32(-1)
		for _, r := range right[behind:] {
			if r.first > l.last+distance {
				break
			}
			if best < 0 || r.last < best {
				best = r.last
			}
		}
		if best >= 0 {
			found = append(found, span{l.first, best})
		}
		ahead, _ := slices.BinarySearchFunc(right, l.first, startsAt)
		for i := ahead - 1; i >= 0 && right[i].first >= l.first-distance-longest; i-- {
			if r := right[i]; r.last < l.first && r.last >= l.first-distance {
				found = append(found, span{r.first, l.last})
				break
			}
		}
	}
	return shortest(found)
}

// merged is the spans of both, which are sorted, each once: of many terms in an OR, spans are as many as there are words.
func merged(a, b []span) []span {
	if len(a) == 0 {
		return b
	}
	both := make([]span, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compareSpans(a[0], b[0]); {
		case c < 0:
			both, a = append(both, a[0]), a[1:]
		case c > 0:
			both, b = append(both, b[0]), b[1:]
		default:
			both, a, b = append(both, a[0]), a[1:], b[1:]
		}
	}
	return append(append(both, a...), b...)
}

func startsAt(s span, at int32) int { return cmp.Compare(s.first, at) }

func compareSpans(a, b span) int {
	return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last))
}

// shortest leaves out spans that hold another, and those that are there twice.
func shortest(spans []span) []span {
	slices.SortFunc(spans, compareSpans)
	kept := spans[:0]
	for _, s := range spans {
		// One that begins further on and ends no later makes those before it too long.
		for len(kept) > 0 && kept[len(kept)-1].last >= s.last {
			if kept[len(kept)-1].first == s.first {
				break
			}
			kept = kept[:len(kept)-1]
		}
		if len(kept) == 0 || kept[len(kept)-1].first != s.first {
			kept = append(kept, s)
		}
	}
	return kept
}

// inOne reports whether one of the shortest stretches holds the span.
func inOne(stretches []span, s span) bool {
	// They begin and end in the same order: the first that ends far enough begins first, too.
	i, _ := slices.BinarySearchFunc(stretches, s.last, func(stretch span, last int32) int { return cmp.Compare(stretch.last, last) })
	return i < len(stretches) && stretches[i].first <= s.first
}

// placeless is the first part of a side of NEAR that has no place among the words, and what it is.
func (n *node) placeless() (*node, string) {
	switch n.op {
	case opAnd:
		return n, "AND"
	case opNot:
		return n, "NOT"
	case opOf:
		return n, "n of (...)"
	case opTerm:
		if !n.term.isText() {
			return n, n.term.field + ":"
		}
	}
	for _, kid := range n.kids {
		if wrong, what := kid.placeless(); wrong != nil {
			return wrong, what
		}
	}
	return nil, ""
}

// nears counts the NEARs of the node.
func (n *node) nears() int {
	count := 0
	if n.op == opNear {
		count = 1
	}
	for _, kid := range n.kids {
		count += kid.nears()
	}
	return count
}
