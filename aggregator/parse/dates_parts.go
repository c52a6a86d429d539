package parse

import (
	"slices"
	"strings"
	"time"
)

// dateParts are what the tokens of a date say.
type dateParts struct {
	numbers   []dateToken
	month     time.Month
	beside    bool // the month's name stands next to a number
	clock     dateToken
	hasClock  bool
	pm, am    bool
	zone      zone
	yearKnown int // from units like 年
	dayKnown  int
	thai      bool
	weekISO   bool
}

func (r *dateReader) readTokens(s string) (time.Time, bool) {
	tokens, comment := lexDate(s, r.tokens[:])
	p, ok := r.parts(tokens)
	if !ok {
		return time.Time{}, false
	}
	if !p.zone.known && comment != "" {
		if z, ok := r.zoneNamed(strings.TrimSpace(comment)); ok {
			p.zone = z
		}
	}
	year, month, day, ok := r.date(&p)
	if !ok {
		return time.Time{}, false
	}
	if p.pm && p.clock.hour < 12 {
		p.clock.hour += 12
	} else if p.am && p.clock.hour == 12 {
		p.clock.hour = 0
	}
	return instant(year, month, day, p.clock, p.zone)
}

// parts sorts the tokens by what they mean.
func (r *dateReader) parts(tokens []dateToken) (p dateParts, ok bool) {
	unknown := 0
	for i, t := range tokens {
		switch t.kind {
		case dateClock:
			// Some publishers write two: the first is midnight.
			if !p.hasClock || p.clock.hour == 0 && p.clock.minute == 0 {
				p.clock, p.hasClock = t, true
			}
		case dateOffset:
			p.addOffset(tokens, i)
		case dateNumber:
			p.addNumber(tokens, i)
		case dateWord:
			if !r.addWord(&p, tokens, i) {
				unknown++
			}
		}
	}
	// A date has a weekday's name and a few words around it; more of them are a sentence.
	return p, unknown <= 4
}

// addOffset takes an offset for the zone. The signs of Etc/GMT+5 are the other way round.
func (p *dateParts) addOffset(tokens []dateToken, i int) {
	minutes := tokens[i].value
	if i > 0 && tokens[i-1].kind == dateWord && strings.HasPrefix(strings.ToLower(tokens[i-1].word), "etc/") {
		minutes = -minutes
	}
	p.zone = zone{minutes: minutes, known: true}
}

func (p *dateParts) addNumber(tokens []dateToken, i int) {
	t := tokens[i]
	switch t.after {
	case '年', '년':
		p.yearKnown = t.value
	case '月', '월':
		p.month = time.Month(t.value)
	case '日', '일', '号':
		p.dayKnown = t.value
	case '時', '时', '시', '点', '點':
		p.clock.hour, p.hasClock = t.value, true
	case '分', '분':
		p.clock.minute = t.value
	case '秒', '초':
		p.clock.second = t.value
	default:
		p.numbers = append(p.numbers, t)
	}
}

// addWord reports whether the word has a meaning in a date.
func (r *dateReader) addWord(p *dateParts, tokens []dateToken, i int) bool {
	word := strings.TrimSuffix(strings.ToLower(tokens[i].word), ".")
	if later, ok := afternoon[word]; ok && nextToClock(tokens, i) {
		p.pm, p.am = later, !later
		return true
	}
	if p.hasClock || i == len(tokens)-1 {
		if z, ok := r.zoneWord(tokens, i); ok {
			// An offset in figures is the better word, before or after the letters.
			if !p.zone.known || p.zone.minutes == 0 && p.zone.location == nil && !hasOffset(tokens[:i]) {
				p.zone = z
			}
			return true
		}
	}
	switch word {
	case "tháng", "thang", "thg":
		if i+1 < len(tokens) && tokens[i+1].kind == dateNumber && tokens[i+1].value <= 12 {
			p.month, p.beside = time.Month(tokens[i+1].value), true
			tokens[i+1] = dateToken{kind: dateWord}
		}
		return true
	case "w":
		p.weekISO = true
		return true
	}
	month, thai := r.monthNamed(word)
	if month == 0 {
		return word == ""
	}
	// A word like "mar" before all numbers can be a weekday's; the month stands beside a number.
	beside := i > 0 && tokens[i-1].kind == dateNumber || i+1 < len(tokens) && tokens[i+1].kind == dateNumber
	if p.month == 0 || beside {
		p.month, p.beside, p.thai = month, beside, thai
	}
	return true
}

func hasOffset(tokens []dateToken) bool {
	return slices.ContainsFunc(tokens, func(t dateToken) bool { return t.kind == dateOffset })
}

func nextToClock(tokens []dateToken, i int) bool {
	if i > 0 && tokens[i-1].kind == dateClock || i+1 < len(tokens) && tokens[i+1].kind == dateClock {
		return true
	}
	// "오후 11시", "3 pm"
	hour := func(t dateToken) bool {
		return t.kind == dateNumber && (strings.ContainsRune("時时시点點", t.after))
	}
	return i > 0 && hour(tokens[i-1]) || i+1 < len(tokens) && hour(tokens[i+1])
}

// zoneWord is the zone that the word names. Letters that are words as well count in capitals only.
func (r *dateReader) zoneWord(tokens []dateToken, i int) (zone, bool) {
	word := tokens[i].word
	if len(word) == 1 && i+1 < len(tokens) && tokens[i+1].kind == dateNumber {
		return zone{}, false
	}
	if len(word) <= 3 && len(word) > 1 && word != strings.ToUpper(word) {
		if lower := strings.ToLower(word); lower != "gmt" && lower != "utc" && lower != "ut" {
			return zone{}, false
		}
	}
	if strings.HasPrefix(strings.ToLower(word), "etc/") {
		word = word[4:]
	}
	return r.zoneNamed(word)
}

// monthNamed is the month that a word names: in the feed's language, else in any.
func (r *dateReader) monthNamed(word string) (month time.Month, thai bool) {
	if own, ok := months[r.lang]; ok && r.lang != "" {
		if m := own[word]; m != 0 {
			return m, r.lang == "th"
		}
	}
	if m := months[""][word]; m != 0 {
		return m, months["th"][word] == m
	}
	return 0, false
}

// date works out year, month and day.
func (r *dateReader) date(p *dateParts) (year int, month time.Month, day int, ok bool) {
	n := p.numbers
	switch {
	case p.yearKnown > 0 || p.dayKnown > 0:
		year, day = p.yearKnown, p.dayKnown
		for _, t := range n {
			if t.digits == 4 && year == 0 {
				year = t.value
			} else if day == 0 {
				day = t.value
			}
		}
		if day == 0 && !p.hasClock {
			day = 1
		}
		return r.century(year, 4), p.month, day, year > 0 && p.month > 0
	case p.month > 0:
		return r.namedMonth(p)
	case p.weekISO && len(n) >= 2 && n[0].digits == 4:
		return isoWeek(n)
	case len(n) >= 1 && n[0].digits == 8:
		v := n[0].value
		return v / 10000, time.Month(v / 100 % 100), v % 100, true
	case len(n) >= 2 && n[0].digits == 4 && n[1].digits == 3:
		t := time.Date(n[0].value, 1, n[1].value, 0, 0, 0, 0, time.UTC)
		return t.Year(), t.Month(), t.Day(), t.Year() == n[0].value
	case len(n) >= 3:
		return r.numeric(n, p)
	case len(n) == 2 && n[0].digits == 4 && n[1].digits == 2 && !p.hasClock:
		return n[0].value, time.Month(n[1].value), 1, true
	case len(n) == 1 && n[0].digits == 4 && !p.hasClock:
		return n[0].value, 1, 1, true
	}
	return 0, 0, 0, false
}

// isoWeek reads 2026-W10-2 (ISO 8601).
func isoWeek(n []dateToken) (year int, month time.Month, day int, ok bool) {
	weekday := 1
	if len(n) > 2 {
		weekday = n[2].value
	}
	if n[1].value < 1 || n[1].value > 53 || weekday < 1 || weekday > 7 {
		return 0, 0, 0, false
	}
	// The fourth of January is in the first week.
	t := time.Date(n[0].value, 1, 4, 0, 0, 0, 0, time.UTC)
	monday := t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	t = monday.AddDate(0, 0, (n[1].value-1)*7+weekday-1)
	return t.Year(), t.Month(), t.Day(), true
}

// namedMonth finds day and year among the numbers around a month's name.
func (r *dateReader) namedMonth(p *dateParts) (year int, month time.Month, day int, ok bool) {
	n := p.numbers
	at := slices.IndexFunc(n, func(t dateToken) bool { return t.digits == 4 || t.apostrophe })
	switch {
	case len(n) == 0:
		return 0, 0, 0, false
	case at >= 0:
		year = r.century(n[at].value, n[at].digits)
		rest := slices.Delete(slices.Clone(n), at, at+1)
		p.hourAlone(rest)
		if len(rest) == 0 {
			return r.buddhist(year, p), p.month, 1, !p.hasClock
		}
		return r.buddhist(year, p), p.month, rest[0].value, true
	case len(n) == 1:
		return r.lastYear(p.month, n[0].value), p.month, n[0].value, n[0].digits <= 2 && p.beside
	case n[0].value > 31:
		return r.century(n[0].value, n[0].digits), p.month, n[1].value, n[0].digits == 2
	}
	p.hourAlone(n[1:])
	return r.century(n[1].value, n[1].digits), p.month, n[0].value, n[1].digits == 2
}

// hourAlone takes what follows the date for the clock, where none was found: "15 +0200", "15.04".
func (p *dateParts) hourAlone(rest []dateToken) {
	if p.hasClock || len(rest) < 2 {
		return
	}
	p.clock.hour, p.hasClock = rest[1].value, true
	if len(rest) > 2 && rest[1].after == '.' {
		p.clock.minute = rest[2].value
	}
}

func (r *dateReader) buddhist(year int, p *dateParts) int {
	if (p.thai || r.lang == "th") && year > 2400 {
		return year - 543
	}
	return year
}

// century completes a year of two digits: the latest that is not after the next.
func (r *dateReader) century(year, digits int) int {
	if digits > 2 || year > 99 {
		return year
	}
	now := r.seen.Year()
	if r.seen.IsZero() {
		now = 2068
	}
	if year += 2000; year > now+1 {
		year -= 100
	}
	return year
}

// lastYear is the latest year in which the day of the month was not after the feed was seen.
func (r *dateReader) lastYear(month time.Month, day int) int {
	year := r.seen.Year()
	if time.Date(year, month, day, 0, 0, 0, 0, time.UTC).After(r.seen.Add(24 * time.Hour)) {
		year--
	}
	return year
}

// numeric reads three numbers.
func (r *dateReader) numeric(n []dateToken, p *dateParts) (year int, month time.Month, day int, ok bool) {
	a, b, c := n[0], n[1], n[2]
	if !p.hasClock && len(n) == 5 && n[3].after == '.' {
		p.clock.hour, p.clock.minute, p.hasClock = n[3].value, n[4].value, true
	}
	switch {
	case a.digits == 4:
		return r.buddhist(a.value, p), time.Month(b.value), c.value, b.digits <= 2 && c.digits <= 2
	case a.digits > 2 || b.digits > 2 || c.digits != 4 && c.digits != 2:
		return 0, 0, 0, false
	case c.digits == 2 && (a.value > 31 || a.after == '-' && c.value <= 31):
		// 03-12-31 is a short ISO date.
		return r.century(a.value, 2), time.Month(b.value), c.value, a.digits == 2
	}
	year = r.buddhist(r.century(c.value, c.digits), p)
	if r.dayComesFirst(a, b) {
		return year, time.Month(b.value), a.value, true
	}
	return year, time.Month(a.value), b.value, true
}

func (r *dateReader) dayComesFirst(a, b dateToken) bool {
	switch {
	case a.value > 12 || b.value > 12:
		return a.value > 12
	case a.after == '.':
		return true
	case r.order != orderUnknown:
		return r.order == dayFirst
	}
	for _, place := range r.places {
		switch place {
		case "us", "ph", "en", "":
			return false
		case "ai", "co", "eu", "fm", "io", "ly", "me", "tv":
			// Top-level domains that say nothing about where their names are used.
		default:
			return true
		}
	}
	return false
}
