package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A date as it is written falls into words, numbers, clock times and offsets.
type dateTokenKind int

const (
	dateWord dateTokenKind = iota
	dateNumber
	dateClock
	dateOffset
)

type dateToken struct {
	kind dateTokenKind
	// word is a word without the full stop after it, as written.
	word string
	// value and digits are a number's, after the rune that follows it at once, before whether an apostrophe leads it.
	value, digits int
	after         rune
	apostrophe    bool
	// hour, minute, second and nano are a clock time's; an offset has its minutes in value.
	hour, minute, second, nano int
}

// maxDateTokens and longestDate bound what can be a date.
const (
	maxDateTokens = 24
	longestDate   = 120
)

// dateLexer cuts a date into tokens. It never fails: what is nothing of all that separates.
type dateLexer struct {
	s      string
	pos    int
	tokens []dateToken
	clocks int
	// comment is what stands in parentheses.
	comment string
}

func lexDate(s string, buffer []dateToken) (tokens []dateToken, comment string) {
	x := dateLexer{s: asciiDigits(s), tokens: buffer[:0]}
	for x.pos < len(x.s) && len(x.tokens) < maxDateTokens {
		x.next()
	}
	return x.tokens, x.comment
}

func (x *dateLexer) next() {
	c := x.s[x.pos]
	switch {
	case c >= '0' && c <= '9':
		x.number()
	case c == '(':
		end := strings.IndexByte(x.s[x.pos:], ')')
		if end < 0 {
			end = len(x.s) - x.pos
		}
		x.comment = x.s[x.pos+1 : x.pos+end]
		x.pos = min(x.pos+end+1, len(x.s))
	case c == '+' || c == '-':
		if !x.offset() {
			x.pos++
		}
	case c < utf8.RuneSelf && !isLetter(c):
		x.pos++
	default:
		r, size := utf8.DecodeRuneInString(x.s[x.pos:])
		if r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r)) {
			x.wordToken()
			return
		}
		x.pos += size
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// digitsAt reads the digits at pos.
func (x *dateLexer) digitsAt(pos int) (value, digits int) {
	for pos < len(x.s) && x.s[pos] >= '0' && x.s[pos] <= '9' {
		if digits < 18 {
			value = value*10 + int(x.s[pos]-'0')
		}
		digits++
		pos++
	}
	return value, digits
}

func (x *dateLexer) at(pos int) byte {
	if pos >= 0 && pos < len(x.s) {
		return x.s[pos]
	}
	return 0
}

func (x *dateLexer) number() {
	value, digits := x.digitsAt(x.pos)
	start := x.pos
	end := x.pos + digits
	if c := x.at(end); digits <= 2 && (c == ':' || (c == 'h' || c == 'H')) {
		if x.clock(value, end) {
			return
		}
	}
	// Basic ISO 8601: 20260310T090000Z.
	if before := x.at(start - 1); (before == 'T' || before == 't') && (digits == 4 || digits == 6) && x.clocks == 0 {
		t := dateToken{kind: dateClock, hour: value / 100, minute: value % 100}
		if digits == 6 {
			t = dateToken{kind: dateClock, hour: value / 10000, minute: value / 100 % 100, second: value % 100}
		}
		x.pos = end
		x.add(t)
		return
	}
	after, _ := utf8.DecodeRuneInString(x.s[end:])
	t := dateToken{kind: dateNumber, value: value, digits: digits, after: after}
	t.apostrophe = start > 0 && (x.s[start-1] == '\'' || strings.HasSuffix(x.s[:start], "’"))
	x.pos = end
	if unit := strings.IndexRune("年年년月월日일号時时시点點分분秒초", after); unit >= 0 && after != utf8.RuneError && end < len(x.s) {
		x.pos += utf8.RuneLen(after)
	}
	x.add(t)
}

// clock reads h:mm, h:mm:ss, h:mm:ss.fff or 14h30; end is where the hour's digits end.
func (x *dateLexer) clock(hour, end int) bool {
	minute, digits := x.digitsAt(end + 1)
	if digits == 0 || digits > 2 {
		return false
	}
	t := dateToken{kind: dateClock, hour: hour, minute: minute}
	end += 1 + digits
	if second, n := x.digitsAt(end + 1); x.at(end) == ':' && n > 0 && n <= 2 {
		t.second = second
		end += 1 + n
		if fraction, n := x.digitsAt(end + 1); (x.at(end) == '.' || x.at(end) == ',') && n > 0 {
			end += 1 + n
			for ; n < 9; n++ {
				fraction *= 10
			}
			for ; n > 9; n-- {
				fraction /= 10
			}
			t.nano = fraction
		}
		// "15:04:05:00" has a part too many.
		if _, n := x.digitsAt(end + 1); x.at(end) == ':' && n > 0 {
			end += 1 + n
		}
	}
	x.pos = end
	x.add(t)
	return true
}

func (x *dateLexer) add(t dateToken) {
	if t.kind == dateClock {
		x.clocks++
	}
	x.tokens = append(x.tokens, t)
}

// offset reads a zone's offset at a sign: after a clock time or the letters of a zone, or four digits that end it all.
func (x *dateLexer) offset() bool {
	pos := x.pos
	negative := x.s[pos] == '-'
	for x.at(pos) == '-' || x.at(pos) == '+' {
		pos++
	}
	spaced := x.at(pos) == ' '
	for x.at(pos) == ' ' {
		pos++
	}
	first, digits := x.digitsAt(pos)
	if digits == 0 {
		return false
	}
	end := pos + digits
	minutes, colon := first*60, false
	switch {
	case digits <= 2 && x.at(end) == ':':
		m, n := x.digitsAt(end + 1)
		if n != 2 {
			return false
		}
		colon = true
		minutes += m
		end += 1 + n
		if _, n := x.digitsAt(end + 1); x.at(end) == ':' && n == 2 {
			end += 3
		}
	case digits == 3 || digits == 4:
		minutes = first/100*60 + first%100
	case digits == 6:
		minutes = first/10000*60 + first/100%100
	case digits > 2:
		return false
	}
	if c := x.at(end); c == '/' || c == '-' || c == '.' {
		return false
	}
	last := strings.TrimRight(x.s[end:], " ") == ""
	switch {
	case spaced && !(x.clocks > 0 && colon && last):
		return false
	case x.clocks == 0 && !x.afterZone() && !(digits == 4 && last && x.at(x.pos-1) == ' '):
		return false
	case x.clocks > 0 && digits == 4 && first >= 1900 && !x.afterClock():
		// "15:04 2-Jan-2006" ends in a year.
		return false
	}
	if negative {
		minutes = -minutes
	}
	x.pos = end
	x.add(dateToken{kind: dateOffset, value: minutes})
	return true
}

// afterClock reports whether only a clock time, the half of the day or a zone comes before the present place.
func (x *dateLexer) afterClock() bool {
	n := len(x.tokens)
	return n > 0 && (x.tokens[n-1].kind == dateClock || x.tokens[n-1].kind == dateWord)
}

func (x *dateLexer) afterZone() bool {
	n := len(x.tokens)
	if n == 0 || x.tokens[n-1].kind != dateWord {
		return false
	}
	_, zone := zoneMinutes[strings.ToUpper(x.tokens[n-1].word)]
	return zone && len(x.tokens[n-1].word) > 1
}

func (x *dateLexer) wordToken() {
	start := x.pos
	if c := x.s[start] | 0x20; c == 't' && start > 0 && isDigit(x.s[start-1]) && isDigit(x.at(start+1)) {
		x.pos++
		return
	}
	end := start
	for end < len(x.s) {
		r, size := utf8.DecodeRuneInString(x.s[end:])
		if r == utf8.RuneError {
			break
		}
		// A stop, a slash or a line inside a word belongs to it ("a.m.", "Asia/Karachi"), one after it does not.
		if r == '.' || r == '/' || r == '_' || r == '\u200c' {
			next, _ := utf8.DecodeRuneInString(x.s[end+size:])
			if !unicode.IsLetter(next) || r == '.' && end-start > 6 {
				break
			}
		} else if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			break
		}
		end += size
	}
	x.pos = max(end, start+1)
	x.add(dateToken{kind: dateWord, word: x.s[start:end]})
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// asciiDigits is s with the digits of other scripts, no-break spaces, full-width colons and real minus signs as ASCII.
func asciiDigits(s string) string {
	for i := 0; ; i++ {
		if i == len(s) {
			return s
		}
		if s[i] >= utf8.RuneSelf {
			break
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Nd, r):
			// The digits of a script are ten in a row, the zero's code point ends in 0 or 6.
			zero := r
			for zero > r-9 && unicode.Is(unicode.Nd, zero-1) {
				zero--
			}
			if r-zero <= 9 && (zero&0xF == 0 || zero&0xF == 6) {
				return '0' + (r - zero)
			}
			return r
		case unicode.IsSpace(r):
			return ' '
		case r == '\u2212':
			return '-'
		case r == '\uff1a':
			return ':'
		case r == '\u200e' || r == '\u200f':
			return -1
		}
		return r
	}, s)
}
