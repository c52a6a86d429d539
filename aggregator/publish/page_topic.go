package publish

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// topicPage is a page with stories of a channel.
type topicPage struct {
	frame
	Listing listing
	// Chart is on the page of the latest stories alone.
	Chart *volumeChart
	// Searchable says that there are forms for searching and for going to a day, which ask for Action. Everything is set
	// on the page of all stories.
	Searchable, Everything bool
	Action                 string
	// Query is what is searched for; Until is the day that was asked for, UntilDay the same in words.
	Query, Until, UntilDay string
	// Latest leads to the latest stories where these are others, Older and Newer to the stories beside them.
	Latest, Older, Newer string
	// Found says how a search went, Mistake what is wrong with its query.
	Found   string
	Mistake *queryMistake
}

func (s *site) newTopicPage(l links, c channel) topicPage {
	page := topicPage{
		frame: s.frame(l, c.path, c.title, c.description), Listing: s.listing(l, c, nil), Action: l.page(c.path),
		Searchable: !l.static && s.options.ParseQuery != nil, Everything: c.topic == aggregator.AllTopics,
	}
	page.Feeds = page.Listing.Feeds
	return page
}

// latestPage has a channel's latest stories.
func (s *site) latestPage(ctx context.Context, topic aggregator.TopicID) ([]byte, error) {
	l, c := s.links(), s.channels[topic]
	page := s.newTopicPage(l, c)
	entries, more, err := s.someStories(ctx, topic, aggregator.StoryPlace{})
	if err != nil {
		return nil, err
	}
	page.Listing = s.listing(l, c, entries)
	if more {
		page.Older = l.page(c.path) + "?" + placeQuery(placeOf(&entries[len(entries)-1]))
	}
	if page.Chart, err = s.chartOf(ctx, l, c, entries); err != nil {
		return nil, err
	}
	if page.Notice, err = s.refiling(ctx); err != nil {
		return nil, err
	}
	return s.execute("topic.html", page)
}

// olderPage has the stories behind a place.
func (s *site) olderPage(ctx context.Context, topic aggregator.TopicID, view topicView) ([]byte, error) {
	l, c := s.links(), s.channels[topic]
	page := s.newTopicPage(l, c)
	page.Latest, page.Canonical, page.Until = l.page(c.path), "", view.until
	if day, err := time.Parse(time.DateOnly, view.until); err == nil {
		page.UntilDay = day.Format(dayForm)
	}
	page.Title += ": older stories"
	entries, more, err := s.someStories(ctx, topic, view.behind)
	if err != nil {
		return nil, err
	}
	page.Listing = s.listing(l, c, entries)
	if more {
		page.Older = l.page(c.path) + "?" + placeQuery(placeOf(&entries[len(entries)-1]))
	}
	if page.Notice, err = s.refiling(ctx); err != nil {
		return nil, err
	}
	return s.execute("topic.html", page)
}

// someStories are a page of stories behind a place; more says that there are others behind them.
func (s *site) someStories(ctx context.Context, topic aggregator.TopicID, behind aggregator.StoryPlace) (some []entry, more bool, err error) {
	entries, err := s.outlines(ctx, topic, behind, pageStories+1)
	if err != nil {
		return nil, false, err
	}
	if len(entries) > pageStories {
		return entries[:pageStories], true, nil
	}
	return entries, false, nil
}

// topicView is what is asked for of a channel's page. Its zero value is the latest stories.
type topicView struct {
	behind aggregator.StoryPlace
	// until is the day that was asked for, "" where none was.
	until string
	query string
}

// maxQuery bounds a query that anybody may send, in bytes.
const maxQuery = 500

// topicViewOf reads the parameters of a channel's page. What is wrong is in the error, in words for the reader.
func topicViewOf(q url.Values) (view topicView, err error) {
	if view.query, err = queryOf(q); err != nil {
		return view, err
	}
	switch before, until := q.Get("before"), q.Get("until"); {
	case before != "":
		if view.behind, err = parsePlace(before); err != nil {
			return view, fmt.Errorf("this address is not complete: %w", err)
		}
	case until != "":
		day, err := time.Parse(time.DateOnly, until)
		if err != nil {
			return view, fmt.Errorf("a day is written as in 2026-11-24, not as %q", until)
		}
		view.until = until
		// Behind the last place of the day.
		view.behind = aggregator.StoryPlace{Time: day.Add(aDay), Story: aggregator.StoryID([]byte(strings.Repeat("\xff", 16)))}
	}
	return view, nil
}

// queryOf is what is searched for.
func queryOf(q url.Values) (string, error) {
	query := strings.TrimSpace(closeDirections(clean(cutBytes(q.Get("q"), 4*maxQuery))))
	if len(query) > maxQuery {
		return "", fmt.Errorf("a search may have up to %d letters", maxQuery)
	}
	return query, nil
}

// key tells views apart.
func (v topicView) key() string {
	if v.behind.IsZero() {
		return ""
	}
	return placeQuery(v.behind) + "&until=" + v.until
}

// placeOf is where the entry stands in its list.
func placeOf(e *entry) aggregator.StoryPlace {
	return aggregator.StoryPlace{Time: e.order, Story: e.story}
}

// placeQuery is the place as the parameter of an address: seconds, nanoseconds and the story's id.
func placeQuery(p aggregator.StoryPlace) string {
	return fmt.Sprintf("before=%d.%09d.%s", p.Time.Unix(), p.Time.Nanosecond(), p.Story)
}

func parsePlace(text string) (p aggregator.StoryPlace, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return p, fmt.Errorf("%q is no place in a list", text)
	}
	seconds, err1 := strconv.ParseInt(parts[0], 10, 64)
	nanoseconds, err2 := strconv.ParseUint(parts[1], 10, 30)
	id, err3 := hex.DecodeString(parts[2])
	if err1 != nil || err2 != nil || err3 != nil || len(id) != len(p.Story) {
		return p, fmt.Errorf("%q is no place in a list", text)
	}
	return aggregator.StoryPlace{Time: time.Unix(seconds, int64(nanoseconds)).UTC(), Story: aggregator.StoryID(id)}, nil
}
