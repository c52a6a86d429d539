package near

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
)

// word is a word of a text.
type word struct {
	hash uint64
	// number says that it has a digit, time that it names a month or a day of the week.
	number, time bool
}

// wordsOf yields up to 2000 words of a plain text: letters in lower case, marks and digits. A point, comma or colon between
// two digits is part of a number; characters that are not seen are part of nothing. Only in a title it is asked which words
// name times.
func wordsOf(text string, title bool) iter.Seq[word] {
	return func(yield func(word) bool) {
		left := words{text: text, title: title}
		for w, ok := left.next(); ok && yield(w); w, ok = left.next() {
		}
	}
}

// words are those of a text that are still to be read.
type words struct {
	text  string
	title bool
	at    int // where to go on
	count int // of those that were read
}

// next reads a word. It reports false where there is none.
func (t *words) next() (w word, ok bool) {
	if t.count == maxWords {
		return w, false
	}
	var spelled [12]byte // the word's letters, where it may be the name of a month or a day
	var h hasher
	text, i, length, digit := t.text, t.at, 0, false
	for i < len(text) {
		c := text[i]
		if folded := wordByte[c]; folded != 0 {
			i++
			if digit = folded <= '9'; digit {
				w.number = true
			}
			if t.title && length < len(spelled) {
				spelled[length] = folded
			}
			length++
			h = h.byte(folded)
			continue
		}
		if c < utf8.RuneSelf {
			inside := digit && (c == '.' || c == ',' || c == ':') && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9'
			if !inside && length > 0 {
				break
			}
			if i++; inside {
				length++
				h = h.byte(c)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		r = unicode.ToLower(r)
		kind := kindOf(r)
		if length > 0 && (kind == separator || kind == alone) {
			break
		}
		if i += size; kind == separator || kind == unseen {
			continue
		}
		if digit = kind == numeral; digit {
			w.number = true
		}
		if kind == alone {
			length = len(spelled) // no name
		} else if t.title && length < len(spelled) {
			spelled[length] = byte(r)
		}
		length++
		h = h.rune(r)
	}
	if t.at = i; length == 0 {
		return w, false
	}
	t.count++
	w.hash = h.sum()
	w.time = t.title && length <= len(spelled) && isTime(string(spelled[:length]))
	return w, true
}

// wordByte is what an ASCII letter or digit is compared as, 0 for every other byte.
var wordByte = func() (table [256]byte) {
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

// hasher makes the hash of a word's characters, eight bytes at a time: most words need one step.
type hasher struct {
	hash, bytes uint64
	n           int
}

const hashFactor = 0x9E3779B97F4A7C15

func (h hasher) byte(c byte) hasher {
	h.bytes = h.bytes<<8 | uint64(c)
	if h.n++; h.n == 8 {
		return h.step()
	}
	return h
}

func (h hasher) step() hasher { return hasher{hash: (h.hash ^ h.bytes) * hashFactor} }

// rune adds any character.
func (h hasher) rune(r rune) hasher {
	if r < utf8.RuneSelf {
		return h.byte(byte(r))
	}
	if h.n > 0 {
		h = h.step()
	}
	h.bytes = 1<<32 | uint64(r) // no bytes of ASCII are that
	return h.step()
}

func (h hasher) sum() uint64 { return h.step().hash }

// plain is the item's text as words are read from: without markup, where it has some.
func plain(it *aggregator.Item) string {
	text := it.Text()
	if it.Plain != "" || strings.IndexByte(text, '<') >= 0 || strings.IndexByte(text, '&') >= 0 {
		return markup.PlainOf(it)
	}
	return text
}

// characterKind says what a character does to a word.
type characterKind uint8

const (
	separator characterKind = iota
	unseen                  // part of nothing
	letter
	numeral
	alone // a letter that is a word
)

// kindOf is the kind of a character that is no ASCII, or was none before it was made lower case.
func kindOf(r rune) characterKind {
	switch {
	case r < utf8.RuneSelf: // of İ and the sign for Kelvin
		return letter
	case unicode.IsDigit(r):
		return numeral
	case isAlone(r):
		return alone
	case unicode.In(r, unicode.L, unicode.M):
		return letter
	case unicode.Is(unicode.Cf, r):
		return unseen
	}
	return separator
}

// isAlone reports whether the letter is of a script without spaces between words, where each is taken for a word.
func isAlone(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
		!unicode.Is(unicode.M, r)
}

// isTime reports whether the word names a month or a day of the week, in the languages that most feeds are in. The English
// May is left out: it is more often a verb.
func isTime(w string) bool {
	switch w {
	case "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
		"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
		"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
		"diciembre", "lunes", "martes", "jueves", "viernes", "domingo",
		"janvier", "mars", "avril", "mai", "juin", "juillet", "septembre", "octobre", "novembre",
		"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
		"januar", "februar", "juni", "juli", "oktober", "dezember",
		"montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag":
		return true
	}
	return false
}
