package topic

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word as the scanner finds it. Its bytes are only there during the call that hands it over.
type token struct {
	// bytes is one byte for the sign before the word, the folded word, and the signs after it.
	bytes []byte
	// size is the length of the folded word, before tells whether there is a sign before it.
	size   int
	before bool
	class  class
	// start and end are where the word is in the text, the signs after it included.
	start, end int
}

// word is the folded word.
func (t *token) word() []byte { return t.bytes[1 : 1+t.size] }

// spellings calls f with each way in which a query may name the word: bare first, then with the sign before it, those
// after it, both. beginning tells whether the prefix of a query is compared with this spelling too.
func (t *token) spellings(f func(spelling []byte, beginning bool)) {
	f(t.word(), true)
	after := len(t.bytes) > 1+t.size
	if t.before {
		f(t.bytes[:1+t.size], true)
	}
	if after {
		f(t.bytes[1:], false)
	}
	if t.before && after {
		f(t.bytes, false)
	}
}

// sink takes what the scanner finds.
type sink interface {
	word(t *token)
	// gap is called where a phrase may not go on.
	gap()
}

// maxSigns is how many signs after a word are told apart: C++ needs two.
const maxSigns = 2

// scanner finds the words of texts. It reads ASCII, which most text is, by a table; the rest in NFKC by its classes.
type scanner struct {
	sink  sink
	table *[0x2000]glyph
	iter  norm.Iter

	// kind is the class of the open word's letters, separator where no word is open.
	kind class
	tok  token
	// bare is the open word's end without the signs after it.
	bare int
	// sign is the character directly before the next word if it is one that a query may ask for, else 0.
	sign byte

	// plain, where it is not nil, is the sink as one that takes plain words without a token around them.
	plain *scratch
}

// asciiFold is what an ASCII letter or digit is folded to, 0 for all other bytes.
var asciiFold = func() (table [256]byte) {
	for c := range byte(utf8.RuneSelf) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			table[c] = c
		case c >= 'A' && c <= 'Z':
			table[c] = c + 'a' - 'A'
		}
	}
	return table
}()

// text hands over the words of one text, which has to be UTF-8. NFKC never changes or combines anything across ASCII white space, so
// each stretch between two such is read in the cheapest way that it allows.
func (s *scanner) text(text string) {
	for i := 0; i < len(text); {
		if s.plain != nil && s.kind == separator && s.sign == 0 {
			if i = s.plainWords(text, i); i == len(text) {
				break
			}
		}
		if text[i] <= ' ' {
			s.space(text[i])
			i++
			continue
		}
		end := i
		var all byte
		for end < len(text) && text[end] > ' ' {
			all |= text[end]
			end++
		}
		switch stretch := text[i:end]; {
		case all < utf8.RuneSelf:
			s.ascii(stretch, i)
		case norm.NFKC.QuickSpanString(stretch) == len(stretch):
			s.normal(stretch, i)
		default:
			s.other(stretch, i)
		}
		i = end
	}
	s.end()
}

// end ends the open word.
func (s *scanner) end() {
	s.close()
	s.sign = 0
}

func (s *scanner) space(c byte) {
	s.end()
	if c == '\n' {
		s.sink.gap()
	}
}

// ascii reads a stretch of ASCII that begins at the given offset.
func (s *scanner) ascii(stretch string, at int) {
	for i := 0; i < len(stretch); {
		c := asciiFold[stretch[i]]
		if c == 0 {
			s.separator(rune(stretch[i]), at+i+1)
			i++
			continue
		}
		if s.kind != letter || s.signs() > 0 {
			s.open(letter, at+i)
		}
		for c != 0 {
			s.tok.bytes = append(s.tok.bytes, c)
			i++
			if i == len(stretch) {
				break
			}
			c = asciiFold[stretch[i]]
		}
		s.tok.end = at + i
	}
}

// normal reads a stretch that is in NFKC as it is.
func (s *scanner) normal(stretch string, at int) {
	for i := 0; i < len(stretch); {
		r, size := utf8.DecodeRuneInString(stretch[i:])
		s.rune(r, at+i, at+i+size)
		i += size
	}
}

// other reads any stretch.
func (s *scanner) other(stretch string, at int) {
	s.iter.InitString(norm.NFKC, stretch)
	for !s.iter.Done() {
		start := at + s.iter.Pos()
		segment := s.iter.Next()
		end := at + s.iter.Pos()
		for len(segment) > 0 {
			r, size := utf8.DecodeRune(segment)
			s.rune(r, start, end)
			segment = segment[size:]
		}
	}
}

func (s *scanner) rune(r rune, start, end int) {
	if s.table == nil {
		s.table = glyphs()
	}
	g := glyphOf(s.table, r)
	switch g.class {
	case invisible:
		if s.kind != separator && s.signs() == 0 {
			s.tok.end = end
		}
	case mark:
		if s.kind != separator && s.signs() == 0 {
			s.tok.bytes = utf8.AppendRune(s.tok.bytes, r)
			s.tok.end = end
		}
	case separator:
		s.separator(r, end)
	case line:
		s.end()
		s.sink.gap()
	default:
		if g.class != s.kind || g.class == single || s.signs() > 0 {
			s.open(g.class, start)
		}
		s.tok.bytes = appendFold(s.tok.bytes, g, r)
		s.tok.end = end
	}
}

// separator takes a character that parts words, which may be a sign that belongs to the word before or after it.
func (s *scanner) separator(r rune, end int) {
	s.sign = 0
	if r == '.' || r == '#' || r == '@' {
		s.sign = byte(r)
	}
	if s.kind == separator {
		return
	}
	if r != '+' && r != '#' {
		s.close()
		return
	}
	if s.signs() == 0 {
		s.tok.size, s.bare = len(s.tok.bytes)-1, s.tok.end
	}
	if s.signs() < maxSigns {
		s.tok.bytes = append(s.tok.bytes, byte(r))
		s.tok.end = end
	}
}

// signs counts those after the open word. While there are none, its size is not set yet.
func (s *scanner) signs() int {
	if s.kind == separator || s.tok.size == 0 {
		return 0
	}
	return len(s.tok.bytes) - 1 - s.tok.size
}

// open begins a word, which ends the one before it. Signs between two words (1+1, C#x) are not the first one's.
func (s *scanner) open(kind class, start int) {
	if s.signs() > 0 {
		s.tok.bytes, s.tok.end = s.tok.bytes[:1+s.tok.size], s.bare
	}
	s.close()
	s.kind = kind
	s.tok = token{bytes: append(s.tok.bytes[:0], s.sign), before: s.sign != 0, class: kind, start: start}
	s.sign = 0
}

// close hands over the open word, if there is one.
func (s *scanner) close() {
	if s.kind == separator {
		return
	}
	if s.tok.size == 0 {
		s.tok.size = len(s.tok.bytes) - 1
	}
	s.kind = separator
	s.sink.word(&s.tok)
}
