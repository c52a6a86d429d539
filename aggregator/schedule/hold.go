package schedule

import (
	"net/http"
	"time"
)

const (
	// firstHold is how long a host is left alone that answers 429 and does not say how long; each further one in a row
	// doubles it, up to maxHold.
	firstHold = 15 * time.Minute
	maxHold   = 24 * time.Hour
)

// HostHold is the time until which no feed of the host is to be asked after an answer, zero where the answer says nothing
// about the host: it is for the caller to say what a host is (a registrable domain, where there is one).
//
// A 429 is about whoever asks (RFC 6585 section 4) and a 503 with a Retry-After about the server (RFC 9110 section
// 15.6.4); so both hold. A 503 without one, 500, 502, 504 and no answer at all may be one feed's trouble, and so is a
// Retry-After with any other status.
//
// retryAfter is what the answer asks for, zero for nothing; it is honoured up to MaxRetryAfter from now. For a 429 that
// asks for nothing, throttled (429s in a row, this one included) doubles the hold and jitter, which gives a number in
// [0, 1), takes up to half of it away.
func HostHold(status int, retryAfter, now time.Time, throttled int, jitter func() float64) time.Time {
	asks := retryAfter.After(now)
	switch {
	case asks && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable):
		return earliest(retryAfter, now.Add(MaxRetryAfter)).UTC()
	case status == http.StatusTooManyRequests:
		hold := firstHold
		for ; throttled > 1 && hold < maxHold; throttled-- {
			hold *= 2
		}
		hold = min(hold, maxHold)
		return now.Add(hold - time.Duration(jitter()*float64(hold/2))).UTC()
	}
	return time.Time{}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
