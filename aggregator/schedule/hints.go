package schedule

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// farthest bounds what a publisher may ask for before any ceiling is applied: further off than anyone means, and near
// enough for a time.Duration.
const farthest = 10 * 365 * 24 * time.Hour

// Headers are the fields of an answer, of whatever status, that say when to ask again, as they came. Several fields of
// one name are joined with commas. Empty for those that are absent.
type Headers struct {
	CacheControl, Age, Expires, Date, RetryAfter string
}

// Asked is what the headers of one answer ask for.
type Asked struct {
	// FreshUntil is when the answer is no longer fresh (RFC 9111 section 4.2): max-age less Age, else Expires less Date
	// less Age. It is zero where the headers do not say, or say no-cache, no-store or max-age=0, which is no word about
	// when to ask again; and at most the time of the answer where its freshness was used up on the way.
	FreshUntil time.Time
	// RetryAfter is the time before which not to ask (RFC 9110 section 10.2.3), zero for none that lies ahead. It is not
	// cut to MaxRetryAfter, so that the caller can say that it will be.
	RetryAfter time.Time
}

// ReadHeaders reads the headers of an answer that came at the given time. Dates in them count from the answer's own Date,
// so that a clock that is wrong on either side does not change the wait. What cannot be read is as if it were absent.
func ReadHeaders(h Headers, now time.Time) Asked {
	var a Asked
	if wait, ok := freshFor(h, now); ok {
		a.FreshUntil = now.Add(wait).UTC()
	}
	if wait, ok := retryWait(h, now); ok && wait > 0 {
		a.RetryAfter = now.Add(wait).UTC()
	}
	return a
}

// freshFor is how much longer the answer is fresh, not negative.
func freshFor(h Headers, now time.Time) (left time.Duration, ok bool) {
	lifetime, explicit := maxAge(h.CacheControl)
	if !explicit {
		expires, ok := date(h.Expires)
		if !ok {
			return 0, false
		}
		lifetime = between(answered(h, now), expires)
	}
	if lifetime <= 0 {
		return 0, false
	}
	age, _ := seconds(h.Age)
	return max(lifetime-age, 0), true
}

// maxAge reads Cache-Control. Explicit means that the field decides, so that Expires does not count: it has a max-age,
// which a broken one makes 0 (RFC 9111 section 4.2.1), or forbids to reuse the answer unasked.
func maxAge(field string) (age time.Duration, explicit bool) {
	for field != "" {
		var directive string
		directive, field = cutDirective(field)
		name, value, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-cache", "no-store":
			return 0, true
		case "max-age":
			if !explicit { // of several the first counts
				age, _ = seconds(strings.Trim(strings.TrimSpace(value), `"`))
				explicit = true
			}
		}
	}
	return age, explicit
}

// cutDirective cuts at the first comma that is not inside a quoted string, as in private="set-cookie, x".
func cutDirective(field string) (directive, rest string) {
	quoted := false
	for i := 0; i < len(field); i++ {
		switch field[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				return field[:i], field[i+1:]
			}
		}
	}
	return field, ""
}

func retryWait(h Headers, now time.Time) (time.Duration, bool) {
	if wait, ok := seconds(h.RetryAfter); ok {
		return wait, true
	}
	until, ok := date(h.RetryAfter)
	if !ok {
		return 0, false
	}
	return between(answered(h, now), until), true
}

// answered is when the publisher's clock says that it answered.
func answered(h Headers, now time.Time) time.Time {
	if sent, ok := date(h.Date); ok {
		return sent
	}
	return now
}

// date reads any of the three dates of RFC 9110 section 5.6.7.
func date(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, false // the usual case, without the error that says so
	}
	t, err := http.ParseTime(text)
	return t, err == nil
}

// seconds reads delta-seconds (RFC 9111 section 1.2.2): a number that is too great is as great as can be.
func seconds(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > int64(farthest/time.Second) {
		return farthest, true
	}
	return time.Duration(n) * time.Second, true
}

// between is the distance from a to b, at most farthest.
func between(a, b time.Time) time.Duration { return min(b.Sub(a), farthest) }

// Document is what a document says about how often it is worth polling. Each is zero where it says nothing.
type Document struct {
	// TTL is RSS's ttl.
	TTL time.Duration
	// SkipHours are hours of the day and SkipDays days of the week, in GMT, in which it does not change (RSS 2.0).
	SkipHours []int
	SkipDays  []time.Weekday
	// UpdatePeriod is the Syndication module's updatePeriod divided by its updateFrequency, UpdateBase its updateBase.
	UpdatePeriod time.Duration
	UpdateBase   time.Time
}

// hear puts the document's hints in the place of those of the one before.
func hear(h aggregator.Hints, d Document) aggregator.Hints {
	h.TTL = min(max(d.TTL, 0), farthest)
	h.UpdatePeriod = min(max(d.UpdatePeriod, 0), farthest)
	h.UpdateBase = d.UpdateBase
	h.SkipHours, h.SkipDays = 0, 0
	for _, hour := range d.SkipHours {
		if hour >= 0 && hour < 24 {
			h.SkipHours |= 1 << hour
		}
	}
	for _, day := range d.SkipDays {
		if day >= time.Sunday && day <= time.Saturday {
			h.SkipDays |= 1 << day
		}
	}
	return h
}

// freshUntil is when a poll made now is no longer fresh by what the publisher says: by HTTP, or where that is silent, by
// the later of the document's own hints. Zero where nothing is said.
func freshUntil(h aggregator.Hints, now time.Time) time.Time {
	if !h.FreshUntil.IsZero() {
		return h.FreshUntil
	}
	var until time.Time
	if h.TTL > 0 {
		until = now.Add(h.TTL)
	}
	if h.UpdatePeriod > 0 {
		until = latest(until, nextUpdate(h, now))
	}
	return until
}

// nextUpdate is the next of the points in time that lie UpdatePeriod apart, one of which is UpdateBase.
func nextUpdate(h aggregator.Hints, now time.Time) time.Time {
	since := now.Sub(h.UpdateBase)
	// Sub stops at the bounds of a Duration: that is no base to count from.
	if h.UpdateBase.IsZero() || since < 0 || since > 200*365*24*time.Hour {
		return now.Add(h.UpdatePeriod)
	}
	return now.Add(h.UpdatePeriod - since%h.UpdatePeriod)
}

const (
	allHours = 1<<24 - 1
	allDays  = 1<<7 - 1
)

// open is the first time, at or after the given one, in an hour and on a day that the publisher does not skip. Who skips
// all hours or all days means something else.
func open(h aggregator.Hints, t time.Time) time.Time {
	hours, days := h.SkipHours&allHours, h.SkipDays&allDays
	if hours == allHours {
		hours = 0
	}
	if days == allDays {
		days = 0
	}
	if hours == 0 && days == 0 {
		return t
	}
	t = t.UTC()
	for {
		switch {
		case days&(1<<t.Weekday()) != 0:
			t = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
		case hours&(1<<t.Hour()) != 0:
			t = t.Truncate(time.Hour).Add(time.Hour)
		default:
			return t
		}
	}
}
