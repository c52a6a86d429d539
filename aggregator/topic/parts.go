package topic

import (
	"strings"
	"unicode/utf8"
)

// partCollector makes parts of the words of a query's term.
type partCollector struct {
	text, stem string
	parts      []part
	// made has for each part what it was made of; end is where the last word ends, -1 where no * can go on with it.
	made []madeOf
	end  int
	// mixed is behind a * between words that can never be one, 0 where there is none.
	mixed int
}

// madeOf is the class of a part's letters and the place behind its first *, 0 for none.
type madeOf struct {
	class class
	star  int
}

func (c *partCollector) gap() {}

// word adds a part, or goes on with one where nothing but a * is in between. The sign before a word counts only where a
// space is in front of it: in Node.js it parts words as any other.
func (c *partCollector) word(t *token) {
	spelling := t.bytes
	if !t.before || t.start >= 2 && c.text[t.start-2] != ' ' {
		spelling = spelling[1:]
	}
	p := part{word: string(spelling)}
	signs := len(t.bytes) > 1+t.size
	open := !signs && strings.HasPrefix(c.text[t.end:], "*") // behind a sign it is the next word's
	leading := t.start > 0 && c.text[t.start-1] == '*'
	last := len(c.parts) - 1
	joined := leading && last >= 0 && c.end == t.start-1
	made := madeOf{class: t.class}
	switch {
	case t.class == single:
		if leading {
			c.mixed = t.start
		}
	case joined && (c.made[last].class != t.class || signs):
		c.mixed = t.start
	case joined:
		p.word = strings.TrimSuffix(c.parts[last].word, "*") + "*" + p.word
		p.glob = true
		made.star = c.made[last].star
		c.parts, c.made = c.parts[:last], c.made[:last]
	case leading:
		p.word, p.glob, made.star = "*"+p.word, true, t.start
	}
	if open && made.star == 0 {
		made.star = t.end + 1
	}
	if t.class == hangul && !signs || t.class == letter && open {
		if p.glob {
			p.word += "*"
		} else {
			p.prefix = true
		}
	}
	if c.stem != "" && t.class == letter && !p.prefix && !p.glob && !signs && p.word == string(t.word()) {
		p.stem, p.spelling = c.stem, c.text[t.start:t.end]
	}
	c.parts, c.made = append(c.parts, p), append(c.made, made)
	c.end = t.end
	if signs {
		c.end = -1
	}
}

// The least letters side by side in a word with a * in front or inside: with fewer it would be in any text.
const (
	leastLetters = 3
	leastHangul  = 2
)

// wrongStar finds a * that cannot be meant: the offset behind it, what is wrong with it and how to mend it.
func (c *partCollector) wrongStar() (at int, what, mend string) {
	if c.mixed > 0 {
		return c.mixed, "a * between letters that are never one word",
			"leave it out, or write NEAR/5 in place of it: words of scripts without spaces are found inside longer runs"
	}
	for i, p := range c.parts {
		if !p.glob {
			continue
		}
		least := leastLetters
		if c.made[i].class == hangul {
			least = leastHangul
		}
		if piece, _ := anchor(p.word); utf8.RuneCountInString(piece) < least {
			return c.made[i].star, "a * that leaves too little of a word",
				"with a * in front or inside, a word needs three letters side by side, such as *ware or wom*n"
		}
	}
	return 0, "", ""
}

// starAt is the place in the query of the last * before the given offset of the lexeme's text, in which white space is
// folded.
func starAt(l lexeme, offset int) int {
	stars := strings.Count(foldSpace(l.text)[:offset], "*")
	at := l.at
	if l.kind == lexPhrase {
		at++
	}
	for i := range len(l.text) {
		if l.text[i] == '*' {
			if stars--; stars == 0 {
				return at + i
			}
		}
	}
	return at
}
