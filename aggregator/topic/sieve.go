package topic

import (
	"encoding/binary"
	"unicode/utf8"
)

// sieve tells words that are certainly none of those that are compared as a whole: a Bloom filter of one hash, which stays
// near the processor where the index does not.
type sieve struct {
	bits  []uint64
	shift uint // what is left of a hash in it
}

// bitsForWord is how many bits of the sieve there are for each word: of the words that are not there, at most one in this
// number is looked for.
const bitsForWord = 16

func newSieve(words map[string]pattern) sieve {
	v := sieve{shift: 64 - 10}
	for 1<<(64-v.shift) < bitsForWord*len(words) {
		v.shift--
	}
	v.bits = make([]uint64, 1<<(64-v.shift)/64)
	for word := range words {
		if len(word) < longestPlain {
			var room plainWord
			at := room.hash(copy(room[:], word)) >> v.shift
			v.bits[at/64] |= 1 << (at % 64)
		}
	}
	return v
}

func (v *sieve) holds(hash uint64) bool {
	at := hash >> v.shift
	return v.bits[at/64]&(1<<(at%64)) != 0
}

// plainWord has a word in ASCII without signs, as most are, folded. What is behind its end has no meaning.
type plainWord [longestPlain]byte

// longestPlain is one more than the length of the longest word that is read as a plain one.
const longestPlain = 64

// hash is one of the word's ends and its length.
func (w *plainWord) hash(size int) uint64 {
	const factor = 0x9E3779B97F4A7C15
	h := binary.LittleEndian.Uint64(w[:8])
	if size < 8 {
		h &= 1<<(8*size) - 1
	} else {
		h ^= binary.LittleEndian.Uint64(w[size-8:size]) * factor
	}
	h = (h ^ uint64(size)) * factor
	return (h ^ h>>32) * factor
}

// plainWords hands over the plain words from the place on, up to where there is anything else, and gives the place of
// that. No word is open at either place. A word ends at an ASCII character, across which NFKC changes nothing.
func (s *scanner) plainWords(text string, at int) int {
	var word plainWord
	for at < len(text) {
		size := 0
		for at+size < len(text) && size < len(word) {
			c := asciiFold[text[at+size]]
			if c == 0 {
				break
			}
			word[size] = c
			size++
		}
		end := at + size
		switch {
		case size == 0 && isBetween(text, at):
			at++
		case size == 0, size == len(word),
			end < len(text) && (text[end] >= utf8.RuneSelf || text[end] == '+' || text[end] == '#'):
			return at
		default:
			s.plain.plain(&word, size, text[at:end])
			at = end
		}
	}
	return at
}

// isBetween reports whether what is no letter or digit there, with no word open, means nothing to the words behind it.
func isBetween(text string, at int) bool {
	last := at+1 == len(text)
	switch c := text[at]; {
	case c == ' ':
		return true
	case c == '\n', c >= utf8.RuneSelf, !last && text[at+1] >= utf8.RuneSelf:
		return false
	case c == '.', c == '#', c == '@': // a sign, where a word follows
		return last || text[at+1] <= ' '
	}
	return true
}
