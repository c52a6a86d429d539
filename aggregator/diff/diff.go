// Package diff finds what changed between two texts, word by word, for people to read. It is a leaf that steps and
// commands may share.
//
// The difference is the shortest (Myers, "An O(ND) difference algorithm and its variations", 1986) as long as the texts
// have most in common; texts that differ in more than a thousand or so words are one removal and one addition where they
// differ. Time and memory are bounded by that.
package diff

import (
	"slices"
	"strings"
	"unicode"
)

// Kind says what became of a piece of text.
type Kind uint8

// The kinds of pieces.
const (
	Same Kind = iota
	Removed
	Added
	// Left is a place where unchanged text was left out. Its piece has no text.
	Left
)

// Piece is a run of words. Pieces in a row but for those Added are the old text, but for those Removed the new one.
type Piece struct {
	Kind Kind
	Text string
}

const (
	// maxEdits bounds the search, maxWords the words of a text that are compared one by one.
	maxEdits = 1500
	maxWords = 50_000
)

// Core is the text without the white space at its end, Tail that white space.
func (p Piece) Core() string { return strings.TrimRightFunc(p.Text, unicode.IsSpace) }

// Tail is the white space at the end of the text.
func (p Piece) Tail() string { return p.Text[len(p.Core()):] }

// Words compares two texts. White space belongs to the word before it, and does not count at the end of a text.
func Words(before, after string) []Piece {
	a, b := split(ended(before)), split(ended(after))
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var d pieces
	d.add(Same, a[:start])
	d.middle(a[start:len(a)-end], b[start:len(b)-end])
	d.add(Same, a[len(a)-end:])
	if n := len(d); n > 0 {
		d[n-1].Text = d[n-1].Core()
	}
	return d
}

// ended is the text with one space at its end, so that its last word is the same word when others follow it.
func ended(text string) string {
	if text = strings.TrimRightFunc(text, unicode.IsSpace); text == "" {
		return ""
	}
	return text + " "
}

// split cuts a text into words, each with the white space behind it. Where a script has no spaces between words, each
// letter is one.
func split(text string) []string {
	var words []string
	start, inSpace := 0, false
	for i, r := range text {
		alone := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		space := unicode.IsSpace(r)
		if i > start && !space && (inSpace || alone && !unicode.Is(unicode.M, r)) {
			words = append(words, text[start:i])
			start = i
		}
		inSpace = space
	}
	if start < len(text) {
		words = append(words, text[start:])
	}
	return words
}

// pieces collects words; neighbours of one kind are one piece.
type pieces []Piece

func (d *pieces) add(kind Kind, words []string) {
	text := strings.Join(words, "")
	if text == "" {
		return
	}
	if n := len(*d); n > 0 && (*d)[n-1].Kind == kind {
		(*d)[n-1].Text += text
		return
	}
	*d = append(*d, Piece{kind, text})
}

// middle compares what begins and ends with different words.
func (d *pieces) middle(a, b []string) {
	if len(a) == 0 || len(b) == 0 || len(a) > maxWords || len(b) > maxWords {
		d.add(Removed, a)
		d.add(Added, b)
		return
	}
	steps, ok := search(a, b)
	if !ok {
		d.add(Removed, a)
		d.add(Added, b)
		return
	}
	i, j := 0, 0
	for n := 0; n < len(steps); {
		// Where words were replaced, what went stands before what came.
		if steps[n] == Same {
			d.add(Same, a[i:i+1])
			i, j, n = i+1, j+1, n+1
			continue
		}
		fromA, fromB := i, j
		for ; n < len(steps) && steps[n] != Same; n++ {
			if steps[n] == Removed {
				i++
			} else {
				j++
			}
		}
		d.add(Removed, a[fromA:i])
		d.add(Added, b[fromB:j])
	}
}

// search is the shortest way from a to b, word by word; ok is false where it is too long.
func search(a, b []string) (steps []Kind, ok bool) {
	var trace [][]int32
	reach := make([]int32, 2*maxEdits+3)
	const centre = maxEdits + 1
	for edits := range maxEdits + 1 {
		// The row before is all that this one is made of; of it, only what can have changed is kept.
		trace = append(trace, slices.Clone(reach[centre-edits-1:centre+edits+2]))
		for k := -edits; k <= edits; k += 2 {
			var x int32
			if k == -edits || k != edits && reach[centre+k-1] < reach[centre+k+1] {
				x = reach[centre+k+1]
			} else {
				x = reach[centre+k-1] + 1
			}
			y := int(x) - k
			for int(x) < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			reach[centre+k] = x
			if int(x) >= len(a) && y >= len(b) {
				return walkBack(trace, len(a), len(b)), true
			}
		}
	}
	return nil, false
}

// walkBack reads the way from its end.
func walkBack(trace [][]int32, x, y int) []Kind {
	var steps []Kind
	for edits := len(trace) - 1; edits >= 0; edits-- {
		row, centre := trace[edits], edits+1
		k := x - y
		before := k - 1
		if k == -edits || k != edits && row[centre+k-1] < row[centre+k+1] {
			before = k + 1
		}
		fromX := int(row[centre+before])
		fromY := fromX - before
		if edits == 0 {
			fromX, fromY = 0, 0
		}
		for x > fromX && y > fromY {
			steps = append(steps, Same)
			x, y = x-1, y-1
		}
		if edits > 0 {
			if before > k {
				steps = append(steps, Added)
			} else {
				steps = append(steps, Removed)
			}
		}
		x, y = fromX, fromY
	}
	slices.Reverse(steps)
	return steps
}

// Around shortens long unchanged pieces to so many words beside each change.
func Around(all []Piece, words int) []Piece {
	var out []Piece
	for i, p := range all {
		parts := split(p.Text)
		first, last := i == 0, i == len(all)-1
		if p.Kind != Same || len(parts) <= 2*words+2 || first && last {
			out = append(out, p)
			continue
		}
		if !first {
			out = append(out, Piece{Same, strings.Join(parts[:words], "")})
		}
		out = append(out, Piece{Kind: Left})
		if !last {
			out = append(out, Piece{Same, strings.Join(parts[len(parts)-words:], "")})
		}
	}
	return out
}
