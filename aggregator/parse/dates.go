package parse

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// dateReader reads the dates of one document. What a single date leaves open (is 03/04/2026 in March or in April, is
// IST in India or in Israel) it decides by the other dates, the language and the place of the feed.
type dateReader struct {
	seen time.Time
	lang string
	// places are the feed's region and language, lower-case, the more telling first.
	places []string
	// offsets are those, in minutes, that dates of the document are written with.
	offsets   map[int]bool
	order     dayOrder
	locations map[string]*time.Location
	tokens    [maxDateTokens]dateToken
}

// dayOrder says which comes first in dates like 03/04/2026.
type dayOrder int

const (
	orderUnknown dayOrder = iota
	dayFirst
	monthFirst
)

// newDateReader learns from all dates of the document, in the document's order.
func newDateReader(seen time.Time, language string, page *url.URL, dates []string) *dateReader {
	r := &dateReader{seen: seen, offsets: map[int]bool{}}
	tag := strings.Split(strings.ToLower(language), "-")
	r.lang = tag[0]
	for _, sub := range tag[1:] {
		if len(sub) == 2 {
			r.places = append(r.places, sub)
		}
	}
	if page != nil {
		host := page.Hostname()
		if top := host[strings.LastIndexByte(host, '.')+1:]; len(top) == 2 {
			r.places = append(r.places, strings.ToLower(top))
		}
	}
	r.places = append(r.places, r.lang)
	r.learn(dates)
	return r
}

// learn finds the offsets in use and the order of day and month.
func (r *dateReader) learn(dates []string) {
	var open []string
	first, second := 0, 0
	for _, d := range dates {
		if _, ok := readCommon(strings.TrimSpace(d)); ok {
			r.noteOffset(d)
			continue
		}
		if len(d) > longestDate {
			continue
		}
		tokens, _ := lexDate(d, r.tokens[:])
		for _, t := range tokens {
			if t.kind == dateOffset {
				r.offsets[t.value] = true
			}
		}
		switch a, b, ok := numericOrder(tokens); {
		case !ok:
		case a > 12 && b <= 12:
			first++
		case b > 12 && a <= 12:
			second++
		case a != b && a <= 12 && b <= 12:
			open = append(open, d)
		}
	}
	switch {
	case first > second:
		r.order = dayFirst
	case second > first:
		r.order = monthFirst
	case len(open) > 0:
		r.order = r.likelier(open)
	}
}

// noteOffset remembers the offset at the end of a date in a common form.
func (r *dateReader) noteOffset(d string) {
	d = strings.TrimSpace(d)
	if i := strings.LastIndexAny(d, "+-"); i >= 0 && len(d)-i >= 5 && len(d)-i <= 6 {
		digits := strings.ReplaceAll(d[i+1:], ":", "")
		if n, err := strconv.Atoi(digits); err == nil && len(digits) == 4 {
			minutes := n/100*60 + n%100
			if d[i] == '-' {
				minutes = -minutes
			}
			r.offsets[minutes] = true
		}
	}
}

// numericOrder is the first two numbers of a date like 3/4/2026, where no month is named.
func numericOrder(tokens []dateToken) (a, b int, ok bool) {
	var n []dateToken
	for _, t := range tokens {
		if t.kind == dateNumber {
			n = append(n, t)
		}
	}
	if len(n) < 3 || n[0].digits > 2 || n[1].digits > 2 || n[2].digits != 4 && n[2].digits != 2 {
		return 0, 0, false
	}
	if sep := n[0].after; sep != n[1].after || sep != '/' && sep != '-' {
		return 0, 0, false
	}
	return n[0].value, n[1].value, true
}

// likelier is the order in which the dates make more sense: none in the future, weekdays as they are named, newest
// first or oldest first throughout; else as the place or the language has it.
func (r *dateReader) likelier(dates []string) dayOrder {
	score := map[dayOrder]int{}
	for _, order := range []dayOrder{dayFirst, monthFirst} {
		r.order = order
		var previous time.Time
		rising, falling := 0, 0
		for i, d := range dates {
			t, ok := r.read(d)
			if !ok {
				score[order] -= 3
				continue
			}
			if !r.seen.IsZero() && t.After(r.seen.Add(24*time.Hour)) {
				score[order] -= 3
			}
			if named, ok := weekdayNamed(d); ok && named != t.Weekday() {
				score[order] -= 3
			}
			if i > 0 && t.After(previous) {
				rising++
			} else if i > 0 && t.Before(previous) {
				falling++
			}
			previous = t
		}
		score[order] -= min(rising, falling)
	}
	r.order = orderUnknown
	switch {
	case score[dayFirst] > score[monthFirst]:
		return dayFirst
	case score[monthFirst] > score[dayFirst]:
		return monthFirst
	}
	return orderUnknown
}

// weekdayNamed is the day that an English name in the date says.
func weekdayNamed(d string) (time.Weekday, bool) {
	lower := strings.ToLower(d)
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.Contains(lower, strings.ToLower(day.String()[:3])) {
			return day, true
		}
	}
	return 0, false
}

// read is the instant that a date of the document means, in UTC. It is false for what is no date.
func (r *dateReader) read(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > longestDate {
		return time.Time{}, false
	}
	t, ok := readCommon(s)
	if !ok {
		t, ok = readDigits(s)
	}
	if !ok {
		t, ok = r.readTokens(s)
	}
	// The first instants of a clock are what software writes that has no date.
	if !ok || t.Year() <= 1901 || t.Year() > 9999 || t.Unix() == 0 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// readCommon reads what most feeds have, RFC 3339 and RFC 822 with an offset or in GMT, at once.
func readCommon(s string) (time.Time, bool) {
	if len(s) >= 20 && s[4] == '-' && s[10] == 'T' {
		t, err := time.Parse(time.RFC3339, s)
		return t, err == nil
	}
	if len(s) < 29 || s[3] != ',' || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' || s[19] != ':' || s[22] != ':' || s[25] != ' ' {
		return time.Time{}, false
	}
	day, year := number(s[5:7]), number(s[12:16])
	hour, minute, second := number(s[17:19]), number(s[20:22]), number(s[23:25])
	month := months["en"][strings.ToLower(s[8:11])]
	if min(day, year, hour, minute, second, int(month)-1) < 0 {
		return time.Time{}, false
	}
	offset := 0
	switch zone := s[26:]; {
	case zone == "GMT" || zone == "UTC":
	case len(zone) == 5 && (zone[0] == '+' || zone[0] == '-'):
		n := number(zone[1:])
		if n < 0 || n/100 > 14 || n%100 > 59 {
			return time.Time{}, false
		}
		offset = n/100*60 + n%100
		if zone[0] == '-' {
			offset = -offset
		}
	default:
		return time.Time{}, false
	}
	return instant(year, month, day, dateToken{hour: hour, minute: minute, second: second}, zone{minutes: offset})
}

// number is the value of s, which must be digits; -1 where it is not.
func number(s string) int {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// readDigits reads dates that are digits only: seconds or milliseconds since 1970, or a date without separators.
func readDigits(s string) (time.Time, bool) {
	whole, _, fraction := strings.Cut(s, ".")
	n := number(whole)
	if n < 0 || len(whole) > 16 || fraction && number(s[len(whole)+1:]) < 0 {
		return time.Time{}, false
	}
	switch len(whole) {
	case 9, 10:
		return time.Unix(int64(n), 0), true
	case 13:
		return time.UnixMilli(int64(n)), true
	case 16:
		return time.UnixMicro(int64(n)), true
	case 8:
		return instant(n/10000, time.Month(n/100%100), n%100, dateToken{}, zone{})
	case 12, 14:
		if len(whole) == 12 {
			n *= 100
		}
		day := n / 1000000
		return instant(day/10000, time.Month(day/100%100), day%100,
			dateToken{hour: n / 10000 % 100, minute: n / 100 % 100, second: n % 100}, zone{})
	}
	return time.Time{}, false
}

// instant is a date and time of the calendar; false where the calendar has none such. 24:00:00 is the next day's
// midnight, a 60th second the next minute.
func instant(year int, month time.Month, day int, clock dateToken, z zone) (time.Time, bool) {
	if month < 1 || month > 12 || day < 1 || day > time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, false
	}
	midnight := clock.hour == 24 && clock.minute == 0 && clock.second == 0
	if clock.hour > 23 && !midnight || clock.minute > 59 || clock.second > 60 {
		return time.Time{}, false
	}
	if z.minutes < -15*60 || z.minutes > 15*60 {
		return time.Time{}, false
	}
	location := time.UTC
	if z.location != nil {
		location = z.location
	}
	t := time.Date(year, month, day, clock.hour, clock.minute, clock.second, clock.nano, location)
	return t.UTC().Add(-time.Duration(z.minutes) * time.Minute), true
}
