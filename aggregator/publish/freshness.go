package publish

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// nextPoll is when a document's feeds are polled next: the earliest, zero where that is not known.
type nextPoll struct{ due, read time.Time }

const (
	// dueFeeds bounds how many feeds are asked for when they are polled next, dueReread how often while a poll is due.
	dueFeeds  = 100
	dueReread = 15 * time.Second
	// dueTimeout is how long the store may take for it.
	dueTimeout = 2 * time.Second
)

// maxAge is for how long an answer with the rendering may be used again: until the next poll of one of its feeds is due,
// within Options.MinAge and Options.MaxAge. A document without feeds may get its first at any time.
func (s *site) maxAge(ctx context.Context, r *rendering, now time.Time) time.Duration {
	least := min(s.options.MinAge, s.options.MaxAge)
	if len(r.feeds) == 0 || least == s.options.MaxAge {
		return least
	}
	next := r.next.Load()
	passed := next != nil && !next.due.IsZero() && !next.due.After(now)
	if next == nil || (passed && now.Sub(next.read) >= dueReread) {
		// Of many who ask at once one reads.
		if !r.reading.TryLock() {
			return least
		}
		next = &nextPoll{due: s.nextDue(ctx, r, now), read: now}
		r.next.Store(next)
		r.reading.Unlock()
	}
	if next.due.IsZero() {
		return s.options.MaxAge
	}
	return max(least, min(next.due.Sub(now), s.options.MaxAge))
}

// nextDue is when the first of the rendering's feeds is due: zero where none of them is polled any more, now where that
// cannot be read.
func (s *site) nextDue(ctx context.Context, r *rendering, now time.Time) (due time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dueTimeout)
	defer cancel()
	for _, id := range r.feeds[:min(len(r.feeds), dueFeeds)] {
		status, err := s.src.Feed(ctx, id)
		switch at := status.State.Due; {
		case errors.Is(err, aggregator.ErrNotFound):
		case err != nil: // no reason to answer with an error: the age is no more than a hint
			return now
		case status.Active && status.State.Pace.Stopped == "" && !at.IsZero() && (due.IsZero() || at.Before(due)):
			due = at
		}
	}
	return due
}

// control is a Cache-Control as a header holds it.
type control struct {
	seconds int64
	field   []string
}

// cacheControl says for how long an answer may be used again (RFC 9111 section 5.2.2).
func (r *rendering) cacheControl(maxAge time.Duration) []string {
	seconds := int64(maxAge / time.Second)
	if c := r.control.Load(); c != nil && c.seconds == seconds {
		return c.field
	}
	text := "public, max-age=" + strconv.FormatInt(seconds, 10)
	switch {
	case maxAge == foreverAge:
		text += ", immutable" // RFC 8246
	case seconds == 0: // max-age alone would allow an old answer where the site cannot be reached
		text += ", no-cache"
	}
	c := &control{seconds, []string{text}}
	r.control.Store(c)
	return c.field
}
