package publish

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// kind is what a resource is, as logs show it.
type kind string

const (
	kindIndex kind = "index"
	kindPage  kind = "page"
	kindAtom  kind = "atom"
	kindRSS   kind = "rss"
	kindJSON  kind = "json"
	kindOPML  kind = "opml"
	// The list of the feeds that are polled.
	kindSources kind = "sources"
	// The pages of a story and of the feeds' health.
	kindStory  kind = "story"
	kindStatus kind = "status"
)

// resource is what can be asked for; as a cache's key it holds all that the bytes depend on but the store's state.
type resource struct {
	kind  kind
	topic aggregator.TopicID
	// feed is set for the feed of a single source, and for no topic's.
	feed aggregator.FeedID
	// cut is what the reader asked for of a feed.
	cut cutting
	// part is which part of the first page is asked for.
	part int
	// view is what is asked for of a page: which stories, or which story.
	view string
	// page is set for a page of the archive.
	page pageAddress
}

// isFeed reports whether it is a merged feed, not a page of its archive.
func (r resource) isFeed() bool {
	return r.page.number == 0 && (r.kind == kindAtom || r.kind == kindRSS || r.kind == kindJSON)
}
func (r resource) isPage() bool {
	return r.kind == kindIndex || r.kind == kindPage || r.kind == kindStory || r.kind == kindStatus
}

// ServeHTTP answers one request; New lists what there is.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["X-Content-Type-Options"] = s.fields.nosniff
	path := r.URL.Path
	if rest, ok := strings.CutPrefix(path, s.mount); ok && strings.HasPrefix(rest, "/") {
		path = rest
	}
	file := s.files[path]
	res, found := s.route(path)
	if !found && file == nil && path != "/healthz" {
		if canonical, ok := s.canonical(path); ok {
			header.Set("Cache-Control", "public, max-age=86400")
			http.Redirect(w, r, canonical, http.StatusMovedPermanently)
			return
		}
		if !s.serveMoved(w, r, path) {
			s.notFound(w, r)
		}
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		s.message(w, r, http.StatusMethodNotAllowed, "Only to be read", "This address answers GET and HEAD.")
		return
	}
	switch {
	case path == "/healthz":
		s.health(w, r)
	case file != nil:
		s.serveFile(w, r, file)
	case res.isPage():
		s.servePage(w, r, res)
	case res.page.number > 0:
		s.serveArchive(w, r, res)
	default:
		s.serve(w, r, res)
	}
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	s.message(w, r, http.StatusNotFound, "Nothing here",
		"There is no page or feed under this address. The first page lists all that there are.")
}

// route says what a path below the base names.
func (s *site) route(path string) (resource, bool) {
	switch path {
	case "/":
		return resource{kind: kindIndex}, true
	case "/opml":
		return resource{kind: kindOPML}, true
	case sourcesPath:
		return resource{kind: kindSources}, true
	case "/all":
		return resource{kind: kindPage}, true
	case "/status":
		return resource{kind: kindStatus}, true
	}
	if id, ok := storyIn(path); ok {
		return resource{kind: kindStory, view: storyPath(id)}, true
	}
	name, isTopic := strings.CutPrefix(path, "/topics/")
	known := func(name string) (aggregator.TopicID, bool) {
		if !isTopic {
			return aggregator.AllTopics, name == "/all"
		}
		_, ok := s.channels[aggregator.TopicID(name)]
		return aggregator.TopicID(name), ok && name != ""
	}
	if id, ok := known(name); ok {
		return resource{kind: kindPage, topic: id}, true
	}
	for _, k := range []kind{kindAtom, kindRSS, kindJSON} {
		stem, ok := strings.CutSuffix(name, "."+string(k))
		if id, there := known(stem); ok && there {
			return resource{kind: k, topic: id}, true
		}
		if id, isSource := strings.CutPrefix(stem, "/feeds/"); ok && isSource && id != "" {
			return resource{kind: k, feed: aggregator.FeedID(id)}, true // whether there is such a one is not known yet
		}
	}
	if channel, k, page, ok := archiveRoute(path); ok {
		res, there := s.route(channel)
		return resource{kind: k, topic: res.topic, page: page}, there && res.kind == kindPage
	}
	return resource{}, false
}

// canonical is where a path leads that differs from a known one only by a slash at its end. The address of the site has
// one, since its pages are below it.
func (s *site) canonical(path string) (string, bool) {
	if path == s.mount || path == "" || path == "/topics" || path == "/topics/" {
		return s.prefix + "/", true
	}
	trimmed := strings.TrimSuffix(path, "/")
	res, ok := s.route(trimmed)
	if !ok {
		return "", false
	}
	switch {
	case res.kind == kindOPML:
		return s.prefix + "/opml", true
	case res.kind == kindSources:
		return s.prefix + sourcesPath, true
	case res.feed != "":
		return s.prefix + sourcePath(res.feed) + "." + string(res.kind), true
	case res.kind == kindStatus || res.kind == kindStory:
		return s.prefix + trimmed, true
	case res.page.number > 0:
		return s.prefix + archivePath(s.channels[res.topic].path, res.page.generation, res.page.number) + "." + string(res.kind), true
	case res.isFeed():
		return s.prefix + s.channels[res.topic].path + "." + string(res.kind), true
	}
	return s.prefix + s.channels[res.topic].path, true
}

func (s *site) serve(w http.ResponseWriter, r *http.Request, res resource) {
	asked := s.options.Now()
	if res.isFeed() {
		var err error
		if res.cut, err = s.cutOf(r.URL.RawQuery, asked); err != nil {
			s.failFeed(w, r, res, err)
			return
		}
	}
	rendered, err := s.rendering(r.Context(), res)
	if err != nil {
		s.failFeed(w, r, res, err)
		return
	}
	s.linkHubs(w.Header(), res)
	switch res.kind { // for the name under which a browser saves it
	case kindOPML:
		w.Header().Set("Content-Disposition", `inline; filename="topics.opml"`)
	case kindSources:
		w.Header().Set("Content-Disposition", `inline; filename="sources.opml"`)
	}
	s.send(w, r, rendered, asked, s.maxAge(r.Context(), rendered, asked))
}

// fail answers a request for what could not be rendered. A reader that is gone is no failure.
func (s *site) fail(w http.ResponseWriter, r *http.Request, res resource, err error) {
	if r.Context().Err() == nil {
		s.options.Log.ErrorContext(r.Context(), "could not publish", slog.String("kind", string(res.kind)),
			slog.String("topic", string(res.topic)), slog.Any("error", err))
	}
	w.Header().Set("Retry-After", "60")
	s.message(w, r, http.StatusServiceUnavailable, "Not available just now",
		"The stories cannot be read at the moment. Please try again in a minute.")
}

// rendering is the resource as of the store's present state.
func (s *site) rendering(ctx context.Context, res resource) (*rendering, error) {
	v, err := s.version(ctx, res)
	if err != nil {
		return nil, err
	}
	return s.cached(ctx, res, v, func(ctx context.Context) (draft, error) { return s.render(ctx, res) })
}

// cached is the resource's rendering for the version, made by render where it is not kept.
func (s *site) cached(ctx context.Context, res resource, v version, render func(context.Context) (draft, error)) (*rendering, error) {
	return s.cacheOf(res).get(ctx, res, v, func(ctx context.Context) (*rendering, error) {
		made := s.options.Now()
		d, err := render(ctx)
		if err != nil {
			return nil, err
		}
		return newRendering(s.packers, d, v, made), nil
	})
}

// cacheOf is where the resource is kept. What readers cut out of feeds is without end: it has a part of the memory of its
// own, so that nobody's cuts take the place of the feeds that everybody reads.
func (s *site) cacheOf(res resource) *cache {
	if res.feed != "" || !res.cut.isZero() {
		return s.cuts
	}
	return s.cache
}

// version tells the states of the resource apart. It is asked for before the stories are, so that what is rendered is
// of that state or later: at worst the same is rendered once more.
func (s *site) version(ctx context.Context, res resource) (version, error) {
	switch {
	case res.kind == kindOPML:
		return version{}, nil
	case res.kind == kindSources: // titles change with polls, and nothing says when
		return version{changed: s.options.Now().Truncate(sourcesReread).UnixNano()}, nil
	case res.isPage():
		rest, err := s.pageVersion(ctx, res)
		return version{rest: rest}, err
	case res.feed != "":
		return s.sourceVersion(ctx, res.feed)
	}
	v, err := s.src.Version(ctx, res.topic)
	if err != nil {
		return version{}, fmt.Errorf("read version of topic %q: %w", res.topic, err)
	}
	rest := ""
	if s.options.Archive != nil {
		rest, err = s.options.Archive.state(ctx, res.topic)
	}
	return version{seq: v.Seq, changed: v.Changed.UnixNano(), rest: rest}, err
}

// versionOf tells the states of the topics apart.
func (s *site) versionOf(ctx context.Context, topics []aggregator.TopicID) (string, error) {
	var text strings.Builder
	for _, topic := range topics {
		v, err := s.version(ctx, resource{kind: kindAtom, topic: topic})
		if err != nil {
			return "", err
		}
		text.WriteString(strconv.FormatUint(v.seq, 36) + "." + strconv.FormatInt(v.changed, 36) + " ")
	}
	return text.String(), nil
}

func (s *site) render(ctx context.Context, res resource) (draft, error) {
	switch {
	case res.isPage():
		body, err := s.renderPage(ctx, res)
		return draft{mediaType: pageType, body: body}, err
	case res.kind == kindOPML:
		body, err := s.opml()
		return draft{mediaType: opmlType, body: body}, err
	case res.kind == kindSources:
		body, err := s.sourcesOPML(ctx)
		return draft{mediaType: opmlType, body: body}, err
	}
	doc, err := s.document(ctx, res)
	if err != nil {
		return draft{}, err
	}
	query := res.cut.String()
	if res.feed == "" && res.cut.isZero() {
		if err := s.withHistory(ctx, doc); err != nil {
			return draft{}, err
		}
	}
	d := draft{feeds: doc.feeds}
	switch res.kind {
	case kindAtom:
		d.mediaType = atomType
		d.body, err = s.atom(doc, query)
	case kindRSS:
		d.mediaType = rssType
		d.body, err = s.rss(doc, query)
	default:
		d.mediaType = jsonFeedType
		d.body, err = s.jsonFeed(doc, query)
	}
	return d, err
}

// healthTimeout is how long the store may take to be called healthy.
const healthTimeout = 5 * time.Second

func (s *site) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	_, err := s.src.Refiling(ctx) // a small thing that a store reads and does not remember
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	text := "ok\n"
	if err != nil {
		s.options.Log.ErrorContext(r.Context(), "store is not healthy", slog.Any("error", err))
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "the store does not answer\n"
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write([]byte(text)) // a reader that is gone needs no answer
	}
}
