package topic

import (
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

// anchor is the longest piece of the glob, which every word that fits has in it; front says that it begins with it.
func anchor(glob string) (piece string, front bool) {
	for i, p := range strings.Split(glob, "*") {
		if utf8.RuneCountInString(p) > utf8.RuneCountInString(piece) {
			piece, front = p, i == 0
		}
	}
	return piece, front
}

// globPattern is a glob and its number.
type globPattern struct {
	glob   string
	number pattern
}

// globIndex finds the globs that a word fits by their anchors: a word without any of them costs hardly anything.
type globIndex struct {
	// front holds the anchors that words begin with, inside those that are anywhere in them. Both lead to patterns.
	front, inside trie
	patterns      [][]globPattern
}

func newGlobIndex() globIndex { return globIndex{front: newTrie(), inside: newTrie()} }

// number is the pattern of the glob, which becomes the given one if it had none.
func (x *globIndex) number(glob string, fresh pattern) pattern {
	piece, front := anchor(glob)
	t := &x.inside
	if front {
		t = &x.front
	}
	end := t.end(piece)
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
	if x.patterns == nil {
		return
	}
	try := func(anchor pattern) {
		for _, p := range x.patterns[anchor] {
			if globs(p.glob, word) {
				f(p.number)
			}
		}
	}
	x.front.beginnings(word, try)
	for i := range word {
		x.inside.beginnings(word[i:], try)
	}
}
