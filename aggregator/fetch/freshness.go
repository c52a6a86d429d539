package fetch

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Freshness is what an answer says about how long it holds, byte for byte: RFC 9111 sections 5.1 to 5.3, RFC 9110
// sections 6.6.1 and 10.2.3. A header that the answer does not have is empty, the lines of a repeated Cache-Control are
// joined by commas. What it means for the next poll is not decided here.
type Freshness struct {
	CacheControl, Age, Expires, Date, RetryAfter string
}

// maxFreshness bounds each field. A longer value is dropped rather than cut, since half a number is another number.
const maxFreshness = 1 << 10

func freshnessOf(h http.Header) Freshness {
	return Freshness{
		CacheControl: joined(h["Cache-Control"]),
		Age:          first(h["Age"]),
		Expires:      first(h["Expires"]),
		Date:         first(h["Date"]),
		RetryAfter:   first(h["Retry-After"]),
	}
}

func first(lines []string) string {
	if len(lines) == 0 || len(lines[0]) > maxFreshness {
		return ""
	}
	return lines[0]
}

func joined(lines []string) string {
	if len(lines) < 2 {
		return first(lines)
	}
	total := 0
	for _, line := range lines {
		total += len(line) + len(", ")
	}
	if total > maxFreshness {
		return ""
	}
	return strings.Join(lines, ", ")
}

// retryAfter is the time that the answer asks to wait until, zero where it asks for none that lies ahead (RFC 9110
// section 10.2.3). A date counts from the answer's own Date, so that a clock that is wrong on either side does not
// change the wait.
func retryAfter(h http.Header, now time.Time) time.Time {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return time.Time{}
	}
	// Further off than anyone means, and near enough for a time.Duration.
	const longest = 10 * 365 * 24 * time.Hour
	var wait time.Duration
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(longest/time.Second) {
			seconds = int64(longest / time.Second)
		}
		wait = time.Duration(seconds) * time.Second
	} else {
		// All three dates of RFC 9110 section 5.6.7.
		until, err := http.ParseTime(value)
		if err != nil {
			return time.Time{}
		}
		from, err := http.ParseTime(h.Get("Date"))
		if err != nil {
			from = now
		}
		wait = min(until.Sub(from), longest)
	}
	if wait <= 0 {
		return time.Time{}
	}
	return now.Add(wait).UTC()
}
