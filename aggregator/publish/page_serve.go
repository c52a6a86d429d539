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

// storyIn is the id of the story whose page is at the path.
func storyIn(path string) (aggregator.StoryID, bool) {
	name, ok := strings.CutPrefix(path, "/stories/")
	if !ok {
		return aggregator.StoryID{}, false
	}
	id, err := aggregator.ParseItemID(name)
	return aggregator.StoryID(id), err == nil && id.String() == name
}

// servePage answers a request for a page.
func (s *site) servePage(w http.ResponseWriter, r *http.Request, res resource) {
	s.pageHeaders(w.Header())
	query := r.URL.Query()
	switch res.kind {
	case kindStory:
		s.serveStory(w, r, res)
		return
	case kindStatus:
		s.serveStatus(w, r, res, query)
		return
	case kindIndex:
		number, err := strconv.Atoi(query.Get("page"))
		if _, parts := s.topicsOnPart(1); query.Get("page") != "" && (err != nil || number < 1 || number > parts) {
			s.message(w, r, http.StatusNotFound, "Nothing here", "There is no such part of the list of topics.")
			return
		}
		res.part = max(1, number)
	case kindPage:
		view, err := topicViewOf(query)
		switch {
		case err != nil:
			s.message(w, r, http.StatusBadRequest, "Nothing to show", sentence(err.Error())+".")
			return
		case view.query != "":
			s.serveSearch(w, r, res, view)
			return
		}
		if !view.behind.IsZero() {
			noIndex(w.Header())
		}
		res.view = view.key()
	}
	s.sendPage(w, r, res)
}

// sendPage sends a page that is kept in the cache until what it shows changes.
func (s *site) sendPage(w http.ResponseWriter, r *http.Request, res resource) {
	asked := s.options.Now()
	rendered, err := s.rendering(r.Context(), res)
	if err != nil {
		s.fail(w, r, res, err)
		return
	}
	s.send(w, r, rendered, asked, s.maxAge(r.Context(), rendered, asked))
}

// noIndex keeps a page out of search engines: there is no end of such pages.
func noIndex(header http.Header) { header.Set("X-Robots-Tag", "noindex") }

// pageVersion tells the states of what the page shows apart.
func (s *site) pageVersion(ctx context.Context, res resource) (string, error) {
	topics := []aggregator.TopicID{res.topic}
	if res.kind == kindIndex {
		shown, _ := s.topicsOnPart(res.part)
		for _, c := range shown {
			topics = append(topics, c.topic)
		}
	}
	version, err := s.versionOf(ctx, topics)
	if err != nil {
		return "", err
	}
	notice, err := s.refiling(ctx)
	if err != nil {
		return "", err
	}
	until, err := s.today(ctx)
	return version + " " + notice + until.Format(time.DateOnly), err
}

// renderPage writes the page as of the store's present state.
func (s *site) renderPage(ctx context.Context, res resource) ([]byte, error) {
	switch {
	case res.kind == kindIndex:
		return s.indexPage(ctx, s.links(), res.part)
	case res.view == "":
		return s.latestPage(ctx, res.topic)
	}
	q, err := url.ParseQuery(res.view)
	if err != nil {
		return nil, fmt.Errorf("read view: %w", err)
	}
	view, err := topicViewOf(q)
	if err != nil {
		return nil, err
	}
	view.until = q.Get("until")
	return s.olderPage(ctx, res.topic, view)
}

func (s *site) serveStory(w http.ResponseWriter, r *http.Request, res resource) {
	asked := s.options.Now()
	id, _ := storyIn(res.view)
	story, err := s.src.Story(r.Context(), id)
	if errors.Is(err, aggregator.ErrNotFound) {
		s.message(w, r, http.StatusNotFound, "Nothing here", "There is no such story, or it is no longer kept.")
		return
	}
	if err != nil {
		s.fail(w, r, res, fmt.Errorf("read story %s: %w", id, err))
		return
	}
	rendered, err := s.cached(r.Context(), res, version{rest: storyVersion(&story)}, func(ctx context.Context) (draft, error) {
		body, err := s.storyPage(ctx, s.links(), &story)
		return draft{mediaType: pageType, body: body}, err
	})
	if err != nil {
		s.fail(w, r, res, err)
		return
	}
	s.send(w, r, rendered, asked, s.maxAge(r.Context(), rendered, asked))
}

// serveSearch answers a search. It is not kept: there is no end of queries.
func (s *site) serveSearch(w http.ResponseWriter, r *http.Request, res resource, view topicView) {
	noIndex(w.Header())
	if s.options.ParseQuery == nil {
		s.message(w, r, http.StatusNotFound, "No search", "This site has no search.")
		return
	}
	body, status, err := s.searchPage(r.Context(), res.topic, view)
	switch {
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "10")
		s.message(w, r, http.StatusServiceUnavailable, "Too many searches", "Many are searching just now. Please try again in a moment.")
	case err != nil && errors.Is(err, context.DeadlineExceeded):
		s.message(w, r, http.StatusServiceUnavailable, "The search took too long", "Please try again in a moment, or search a topic with fewer stories.")
	case err != nil:
		s.fail(w, r, res, err)
	case status != http.StatusOK:
		w.Header().Set("Content-Type", pageType)
		w.Header().Set("Cache-Control", "no-cache")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // a reader that is gone needs no answer
		}
	default:
		now := s.options.Now()
		rendered := newRendering(s.packers, draft{mediaType: pageType, body: body}, version{}, now)
		s.send(w, r, rendered, now, 0)
	}
}
