package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// cutting is what a reader wants of a feed, at most. Its zero value is the feed as it is.
type cutting struct {
	// limit is a number of stories, 0 where none was asked for.
	limit int
	// query is one of the language that topics are described in.
	query string
	// since is as the reader wrote it; from is the instant that this means, in seconds since 1970.
	since string
	from  int64
}

// badCut is what is wrong with a cutting, in words for the reader.
type badCut struct{ title, text string }

func (e badCut) Error() string { return e.title }

// cutOf reads a request's limit, q and since.
func (s *site) cutOf(raw string, now time.Time) (c cutting, err error) {
	if raw == "" {
		return c, nil
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return c, badCut{"Not an address", "What follows the question mark cannot be read. Write & between its parts, and %26 for an & in one."}
	}
	if c.limit, err = limitOf(q.Get("limit")); err != nil {
		return c, err
	}
	if c.since = q.Get("since"); c.since != "" {
		from, err := sinceOf(c.since, now)
		if err != nil {
			return c, err
		}
		c.from = from.Unix()
	}
	c.query, err = queryOf(q)
	if err != nil {
		return c, badCut{"Too long a search", sentence(err.Error()) + "."}
	}
	if c.query != "" {
		_, err = s.parse(c.query)
	}
	return c, err
}

// limitOf is the number of stories that is asked for. A greater one than can be had is the greatest that can.
func limitOf(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return maxStories, nil
	}
	if err != nil || n == 0 {
		return 0, badCut{"Not a number of stories", "The limit wants a number from 1 to " + strconv.Itoa(maxStories) + "."}
	}
	return int(min(n, maxStories)), nil
}

// sinceOf is the instant that a since means: a day, a time, or so long ago. What is relative is so to the full minute or,
// from a day on, to the full hour: the same feed is then the same bytes for as long, and need not be made each time.
func sinceOf(text string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		// A plus sign that is not escaped comes as a space.
		if t, err := time.Parse(form, strings.ReplaceAll(text, " ", "+")); err == nil {
			return t, nil
		}
	}
	if d, ok := durationOf(text); ok && d > 0 {
		step := time.Minute
		if d >= aDay {
			step = time.Hour
		}
		return now.Truncate(step).Add(-d), nil
	}
	return time.Time{}, badCut{"Not a time",
		"Since wants a day as in 2026-11-24, a time as in 2026-11-24T08:00:00Z, or for how long back, as in 90m, 36h, 7d or 2w."}
}

// durationOf reads a duration as the config has them: 90m, 36h, 7d, 2w.
func durationOf(text string) (time.Duration, bool) {
	for suffix, unit := range map[string]time.Duration{"d": aDay, "w": 7 * aDay} {
		if digits, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.ParseUint(digits, 10, 15)
			return time.Duration(n) * unit, err == nil
		}
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// parse reads the query. What is wrong with it is said in words for the reader.
func (s *site) parse(query string) (Search, error) {
	if s.options.ParseQuery == nil {
		return nil, badCut{"No search", "This site has no search."}
	}
	search, err := s.options.ParseQuery(query)
	if err != nil {
		m := mistakeOf(query, err)
		text := m.Text
		if m.Place > 0 {
			text += fmt.Sprintf(" (at character %d of the query)", m.Place)
		}
		return nil, badCut{"This search cannot be understood", text + "."}
	}
	return search, nil
}

// isZero reports whether the cut is the whole feed.
func (c cutting) isZero() bool { return c == cutting{} }

// String is the cut as the query of an address, with its question mark.
func (c cutting) String() string {
	if c.isZero() {
		return ""
	}
	q := url.Values{}
	if c.limit > 0 {
		q.Set("limit", strconv.Itoa(c.limit))
	}
	if c.query != "" {
		q.Set("q", c.query)
	}
	if c.since != "" {
		q.Set("since", c.since)
	}
	return "?" + q.Encode()
}

// failFeed answers a request for a feed that could not be made as it was asked for.
func (s *site) failFeed(w http.ResponseWriter, r *http.Request, res resource, err error) {
	var bad badCut
	switch {
	case errors.As(err, &bad):
		s.message(w, r, http.StatusBadRequest, bad.title, bad.text)
	case errors.Is(err, aggregator.ErrNotFound):
		s.notFound(w, r)
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "10")
		s.message(w, r, http.StatusServiceUnavailable, "Too many searches", "Many are searching just now. Please try again in a moment.")
	default:
		s.fail(w, r, res, err)
	}
}

// searching waits for the turn to look through the store; done ends it.
func (s *site) searching(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	select {
	case s.searches <- struct{}{}:
		return func() { <-s.searches }, nil
	case <-ctx.Done():
		return nil, errBusy
	}
}
