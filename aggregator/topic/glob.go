package topic

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// globs reports whether the word is what the glob, in which each * stands for any letters, describes.
func globs(glob string, word []byte) bool {
	first, rest, more := strings.Cut(glob, "*")
	if !more {
		return string(word) == glob
	}
	if len(word) < len(first) || string(word[:len(first)]) != first {
		return false
	}
	word = word[len(first):]
	for {
		piece, behind, more := strings.Cut(rest, "*")
		if !more {
			return len(word) >= len(piece) && string(word[len(word)-len(piece):]) == piece
		}
		at := strings.Index(string(word), piece)
		if at < 0 {
			return false
		}
		word, rest = word[at+len(piece):], behind
	}
}

// anchor is the longest piece of the glob, which every word that fits has in it, and where.
func anchor(glob string) (piece string, at side) {
	pieces := strings.Split(glob, "*")
	for i, p := range pieces {
		if utf8.RuneCountInString(p) <= utf8.RuneCountInString(piece) {
			continue
		}
		piece, at = p, inside
		switch i {
		case 0:
			at = front
		case len(pieces) - 1:
			at = back
		}
	}
	return piece, at
}

// side is where in a word an anchor is.
type side uint8

const (
	inside side = iota
	front
	back
)

// globPattern is a glob and its number.
type globPattern struct {
	glob   string
	number pattern
}

// globIndex finds the globs that a word fits by their anchors: a word without any of them costs hardly anything.
type globIndex struct {
	// anchors are those inside words, in front and, written backwards, at the end. They lead to patterns.
	anchors  [3]trie
	patterns [][]globPattern
	// sides tells which of anchors there are.
	sides [3]bool
}

func newGlobIndex() globIndex { return globIndex{anchors: [3]trie{newTrie(), newTrie(), newTrie()}} }

// number is the pattern of the glob, which becomes the given one if it had none.
func (x *globIndex) number(glob string, fresh pattern) pattern {
	piece, at := anchor(glob)
	if at == back {
		piece = backwards(piece)
	}
	x.sides[at] = true
	end := x.anchors[at].end(piece)
	if *end == none {
		*end = pattern(len(x.patterns))
		x.patterns = append(x.patterns, nil)
	}
	globs := &x.patterns[*end]
	for _, p := range *globs {
		if p.glob == glob {
			return p.number
		}
	}
	*globs = append(*globs, globPattern{glob, fresh})
	return fresh
}

// matching calls f with the pattern of each glob that the word fits, perhaps more than once.
func (x *globIndex) matching(word []byte, f func(pattern)) {
	try := func(anchor pattern) {
		for _, p := range x.patterns[anchor] {
			if globs(p.glob, word) {
				f(p.number)
			}
		}
	}
	x.anchors[front].beginnings(word, try)
	if x.sides[back] {
		x.anchors[back].endings(word, try)
	}
	if x.sides[inside] {
		for i := range word {
			x.anchors[inside].beginnings(word[i:], try)
		}
	}
}

// backwards is the text with its bytes in the other order.
func backwards(text string) string {
	b := []byte(text)
	slices.Reverse(b)
	return string(b)
}
