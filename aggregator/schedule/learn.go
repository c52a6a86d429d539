package schedule

import (
	"fmt"
	"net/http"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Answer is what a poll brought, as far as it tells when to ask again.
type Answer struct {
	// At is when the poll ended. Previous is when the last successful poll before it did, zero for none.
	At, Previous time.Time
	// OK says that the poll succeeded: a document was read, or is still the same (304, or byte for byte).
	OK bool
	// Status is the HTTP status of the final answer, 0 where there was none.
	Status int
	// Headers are the final answer's, whatever its status.
	Headers Headers
	// RetryAfter is a time before which not to ask that is not in Headers: that of a redirect on the way. Zero for none.
	RetryAfter time.Time
	// Document is what the document says, nil where none was read: then what the last one said still holds.
	Document *Document
	// Arrivals are the publication dates of the items that are new, zero for one that is not known. Listed counts all
	// items of the document, known ones too.
	Arrivals []time.Time
	Listed   int
}

// Learn is the feed's pace with what the answer adds to it. A poll of which nothing is to be counted (Outage) is not to
// be learnt from.
//
// A second 410 at least a day after the first, without a success between them, stops the feed.
func Learn(p aggregator.Pace, a Answer) aggregator.Pace {
	said := ReadHeaders(a.Headers, a.At)
	p.Hints.FreshUntil = said.FreshUntil
	p.NotBefore = honoured(latest(said.RetryAfter, a.RetryAfter), a.At)
	if a.Document != nil {
		p.Hints = hear(p.Hints, *a.Document)
	}
	if a.Status == http.StatusTooManyRequests {
		p.Throttled = min(p.Throttled+1, 1<<20)
	} else if a.Status != 0 {
		p.Throttled = 0
	}
	if a.OK {
		p.Gone = time.Time{}
		p.Rhythm = observe(p.Rhythm, look{at: a.At, previous: a.Previous, fresh: a.Arrivals, listed: a.Listed})
		return p
	}
	if a.Status == http.StatusGone && p.Stopped == "" {
		switch {
		case p.Gone.IsZero():
			p.Gone = a.At.UTC()
		case a.At.Sub(p.Gone) >= goneAgain:
			p.Stopped = fmt.Sprintf("the publisher has withdrawn the feed: it answered 410 (Gone) on %s and again on %s",
				p.Gone.Format(time.DateOnly), a.At.UTC().Format(time.DateOnly))
		}
	}
	return p
}

// Resume is the pace of a feed that is polled again although it was stopped. What was learnt stays; the publisher is
// asked as if for the first time.
func Resume(p aggregator.Pace) aggregator.Pace {
	p.Stopped, p.Gone, p.Throttled, p.NotBefore = "", time.Time{}, 0, time.Time{}
	return p
}

// Failures counts the polls in a row that failed, from what they were before. A 429 says nothing of the feed and leaves
// them as they were.
func Failures(before int, a Answer) int {
	switch {
	case a.OK:
		return 0
	case a.Status == http.StatusTooManyRequests:
		return before
	}
	return min(max(before, 0)+1, 1<<20)
}
