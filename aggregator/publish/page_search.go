package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator"
)

// What one search looks at, at most: stories, and bytes of their text. What is found then is shown, with a link that
// goes on from there.
const (
	searchStories = 5000
	searchBytes   = 64 << 20
	// searchTimeout is how long a search may wait for others and then take.
	searchTimeout = 10 * time.Second
)

// errBusy says that there are too many searches at once.
var errBusy = errors.New("too many searches at once")

// queryMistake points at what is wrong in a query.
type queryMistake struct {
	Text string
	// Before, At and After are the query; At is empty where something is missing at its end.
	Before, At, After string
	// Place counts the characters up to At, itself included.
	Place int
}

// offset is an error that knows where in a query it is.
type offset interface{ Offset() int }

func mistakeOf(query string, err error) *queryMistake {
	m := &queryMistake{Text: sentence(err.Error()), Before: query}
	var placed offset
	if !errors.As(err, &placed) {
		return m
	}
	at := max(0, min(placed.Offset(), len(query)))
	for at > 0 && at < len(query) && !utf8.RuneStart(query[at]) {
		at--
	}
	end := at
	for end < len(query) {
		r, size := utf8.DecodeRuneInString(query[end:])
		if end > at && (unicode.IsSpace(r) || r == ')') {
			break
		}
		end += size
	}
	m.Before, m.At, m.After = query[:at], query[at:end], query[end:]
	m.Place = utf8.RuneCountInString(m.Before) + 1
	return m
}

// searchPage is a channel's page with the stories behind a place that match a query.
func (s *site) searchPage(ctx context.Context, topic aggregator.TopicID, view topicView) (body []byte, status int, err error) {
	l, c := s.links(), s.channels[topic]
	page := s.newTopicPage(l, c)
	page.Latest, page.Canonical, page.Query = l.page(c.path), "", view.query
	page.Title = fmt.Sprintf("Search in %s: %s", c.title, oneLine(view.query, maxName))
	search, err := s.options.ParseQuery(view.query)
	if err != nil {
		page.Mistake = mistakeOf(view.query, err)
		body, err = s.execute("topic.html", page)
		return body, http.StatusBadRequest, err
	}
	found, err := s.search(ctx, topic, view.behind, search)
	if err != nil {
		return nil, 0, err
	}
	page.Listing = s.listing(l, c, found.entries)
	page.Feeds = s.subscriptions(l, c, cutting{query: view.query})
	page.Listing.Feeds = page.Feeds
	page.Found = found.words(view)
	if found.more {
		page.Older = l.page(c.path) + "?" + url.Values{"q": {view.query}}.Encode() + "&" + placeQuery(found.last)
	}
	body, err = s.execute("topic.html", page)
	return body, http.StatusOK, err
}

// finding is what a search found.
type finding struct {
	entries []entry
	looked  int
	// last is the last story that was looked at, at is when it came; more says that there are others behind it.
	last aggregator.StoryPlace
	more bool
}

func (f *finding) words(view topicView) string {
	found := count(len(f.entries), "story", "stories")
	if len(f.entries) == 0 {
		found = "No stories"
	}
	which := "the latest "
	if !view.behind.IsZero() {
		which = ""
	}
	words := fmt.Sprintf("%s found among %s%s", found, which, count(f.looked, "story", "stories"))
	if f.more {
		words += ", back to " + firstTime(f.last.Time).Format(dayForm)
	}
	return words + "."
}

// look is what one search has looked at.
type look struct {
	match         func(*aggregator.Item) bool
	stories, size int
}

// at looks at a story, and reports whether one of its reports matches.
func (l *look) at(story *aggregator.Story) bool {
	hit := false
	for i := range story.Items {
		l.size += len(story.Items[i].Content) + len(story.Items[i].Summary)
		hit = hit || l.match(&story.Items[i])
	}
	l.stories++
	return hit
}

// over reports whether that was as much as one search looks at.
func (l *look) over() bool { return l.stories >= searchStories || l.size > searchBytes }

// search looks for matching stories behind a place, a page of them at most.
func (s *site) search(ctx context.Context, topic aggregator.TopicID, behind aggregator.StoryPlace, search Search) (*finding, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	done, err := s.searching(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	match, err := search()
	if err != nil {
		return nil, fmt.Errorf("search topic %q: %w", topic, err)
	}
	found, looked := &finding{}, look{match: match}
	sources := sourceReader{site: s, known: map[aggregator.FeedID]*source{}}
	for story, err := range s.src.Stories(ctx, aggregator.StoryQuery{Topic: topic, Behind: behind}) {
		if err != nil {
			return nil, fmt.Errorf("search topic %q: %w", topic, err)
		}
		if len(found.entries) == pageStories || looked.over() {
			found.more = true
			break
		}
		if len(story.Items) == 0 {
			continue
		}
		found.last = aggregator.StoryPlace{Time: story.Items[0].OrderTime, Story: story.ID}
		if !looked.at(&story) {
			continue
		}
		s.represent(&story, topic)
		e, err := s.outline(ctx, &sources, &story)
		if err != nil {
			return nil, err
		}
		found.entries = append(found.entries, e)
	}
	found.looked = looked.stories
	return found, nil
}
