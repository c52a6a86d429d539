package topic

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// class says what a character does to the words around it.
type class uint8

const (
	// separator parts words.
	separator class = iota
	// line parts words and ends a phrase.
	line
	// invisible is as if it were not there.
	invisible
	// mark belongs to the letter before it.
	mark
	// letter is a letter or digit of a script that parts its words.
	letter
	// hangul is kept apart from other letters because Korean particles follow foreign words without a space.
	hangul
	// single is a letter that is a word of its own because its script does not part words.
	single
)

// glyph is a character as words are compared: its class and what it is folded to.
type glyph struct {
	// fold is manyRunes where the character folds to more than one.
	fold  rune
	class class
}

const manyRunes = -1

// glyphs holds the characters that nearly all text outside Han, kana and Hangul consists of. It is made at first use:
// a text in ASCII never needs it.
var glyphs = sync.OnceValue(func() *[0x2000]glyph {
	var table [0x2000]glyph
	for r := range table {
		table[r] = classify(rune(r))
	}
	return &table
})

// glyphOf is classify with shortcuts. The character must come from text in NFKC.
func glyphOf(table *[0x2000]glyph, r rune) glyph {
	switch {
	case r < 0x2000:
		return table[r]
	case r >= 0x3400 && r <= 0x4DBF, r >= 0x4E00 && r <= 0x9FFF, // Han
		r >= 0x3041 && r <= 0x3096, r >= 0x30A1 && r <= 0x30FA: // Hiragana, Katakana
		return glyph{r, single}
	case r >= 0xAC00 && r <= 0xD7A3:
		return glyph{r, hangul}
	}
	return classify(r)
}

func classify(r rune) glyph {
	switch {
	case r == '\n', r == 0x85, r == 0x2028, r == 0x2029:
		return glyph{r, line}
	case r == 0x200B, r >= 0x02B9 && r <= 0x02BF:
		// The zero width space is where a word may end (UAX #29 breaks there too); the modifier letters are used as
		// apostrophes (Ukrainian, Hawaiian) and have to do what apostrophes do.
		return glyph{r, separator}
	case isInvisible(r):
		return glyph{r, invisible}
	case unicode.Is(unicode.M, r):
		return glyph{r, mark}
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Nl, r):
		return letterGlyph(r)
	}
	return glyph{r, separator}
}

func letterGlyph(r rune) glyph {
	g := glyph{r, letter}
	switch folded := foldLetter(r); {
	case utf8.RuneCountInString(folded) != 1:
		g.fold = manyRunes
	default:
		g.fold, _ = utf8.DecodeRuneInString(folded)
	}
	switch {
	case g.fold < utf8.RuneSelf: // digits of all scripts too
	case unicode.Is(unicode.Hangul, r):
		g.class = hangul
	case r == 0x30FC, unicode.Is(unicode.Ideographic, r), unicode.In(r, unicode.Han, unicode.Hiragana,
		unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tai_Le,
		unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet, unicode.Ahom):
		// Beside Han, kana and their lengthening mark, these are the letters of line breaking class SA (UAX #14),
		// which are those that UAX #29 leaves to dictionaries.
		g.class = single
	}
	return g
}

func isInvisible(r rune) bool {
	return r == 0x0640 || // tatweel
		unicode.In(r, unicode.Cf, unicode.Me, unicode.Variation_Selector, diacritics)
}

// diacritics are the marks that are not compared: those of Latin, Greek and Cyrillic letters, the vowel marks of Hebrew
// and Arabic, the nukta of Devanagari.
var diacritics = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0300, Hi: 0x036F, Stride: 1},
	{Lo: 0x0483, Hi: 0x0487, Stride: 1},
	{Lo: 0x0591, Hi: 0x05BD, Stride: 1},
	{Lo: 0x05BF, Hi: 0x05BF, Stride: 1},
	{Lo: 0x05C1, Hi: 0x05C2, Stride: 1},
	{Lo: 0x05C4, Hi: 0x05C5, Stride: 1},
	{Lo: 0x05C7, Hi: 0x05C7, Stride: 1},
	{Lo: 0x0610, Hi: 0x061A, Stride: 1},
	{Lo: 0x064B, Hi: 0x065F, Stride: 1},
	{Lo: 0x0670, Hi: 0x0670, Stride: 1},
	{Lo: 0x06D6, Hi: 0x06DC, Stride: 1},
	{Lo: 0x06DF, Hi: 0x06E4, Stride: 1},
	{Lo: 0x06E7, Hi: 0x06E8, Stride: 1},
	{Lo: 0x06EA, Hi: 0x06ED, Stride: 1},
	{Lo: 0x08CA, Hi: 0x08E1, Stride: 1},
	{Lo: 0x08E3, Hi: 0x08FF, Stride: 1},
	{Lo: 0x093C, Hi: 0x093C, Stride: 1},
	{Lo: 0x1AB0, Hi: 0x1AFF, Stride: 1},
	{Lo: 0x1DC0, Hi: 0x1DFF, Stride: 1},
	{Lo: 0x20D0, Hi: 0x20FF, Stride: 1},
	{Lo: 0xFB1E, Hi: 0xFB1E, Stride: 1},
	{Lo: 0xFE20, Hi: 0xFE2F, Stride: 1},
}}

// bases are the small letters whose fold no decomposition gives.
var bases = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ħ': "h", 'ŧ': "t",
	'ı': "i", 'ȷ': "j", 'ŋ': "n", 'ĸ': "k", 'ς': "σ",
	'ё': "е", 'ѐ': "е", 'ѝ': "и",
	'ٱ': "ا", 'ى': "ی", 'ي': "ی", 'ك': "ک", 'ہ': "ه", 'ە': "ه", 'ة': "ه", 'ۃ': "ه",
}

// foldLetter folds a letter or digit of text in NFKC, in which a letter and its marks are one character where Unicode
// has it.
func foldLetter(r rune) string {
	if r >= 0x80 && unicode.IsDigit(r) {
		return string(asciiDigit(r))
	}
	r = unicode.ToLower(r)
	if base, ok := bases[r]; ok {
		return base
	}
	if !unicode.In(r, unicode.Latin, unicode.Greek, unicode.Arabic, unicode.Hebrew) {
		return string(r)
	}
	decomposed := norm.NFD.PropertiesString(string(r)).Decomposition()
	if decomposed == nil {
		return string(r)
	}
	var folded []byte
	for len(decomposed) > 0 {
		part, size := utf8.DecodeRune(decomposed)
		decomposed = decomposed[size:]
		if base, ok := bases[part]; ok {
			folded = append(folded, base...)
		} else if !isInvisible(part) {
			folded = utf8.AppendRune(folded, part)
		}
	}
	if len(folded) == 0 {
		return string(r)
	}
	return string(folded)
}

// asciiDigit is the value of a decimal digit of any script. Unicode promises that such digits come in tens, zero first;
// neighbouring tens may share a range of the table.
func asciiDigit(r rune) rune {
	for _, table := range unicode.Nd.R16 {
		if rune(table.Lo) <= r && r <= rune(table.Hi) {
			return '0' + (r-rune(table.Lo))%10
		}
	}
	for _, table := range unicode.Nd.R32 {
		if rune(table.Lo) <= r && r <= rune(table.Hi) {
			return '0' + (r-rune(table.Lo))%10
		}
	}
	return r
}

// appendFold writes what r, whose glyph is g, is compared as.
func appendFold(dst []byte, g glyph, r rune) []byte {
	if g.fold == manyRunes {
		return append(dst, foldLetter(r)...)
	}
	return utf8.AppendRune(dst, g.fold)
}
