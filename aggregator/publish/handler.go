package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
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
	// The pages of a story and of the feeds' health.
	kindStory  kind = "story"
	kindStatus kind = "status"
)

// resource is what can be asked for; as a cache's key it holds all that the bytes depend on but the store's state.
type resource struct {
	kind  kind
	topic aggregator.TopicID
	// limit is the number of stories that the reader asked for, 0 where it did not; of the first page, which part of it.
	limit int
	// view is what is asked for of a page: which stories, or which story.
	view string
}

func (r resource) isFeed() bool { return r.kind == kindAtom || r.kind == kindRSS || r.kind == kindJSON }
func (r resource) isPage() bool {
	return r.kind == kindIndex || r.kind == kindPage || r.kind == kindStory || r.kind == kindStatus
}

// ServeHTTP answers one request; New lists what there is.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
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
		s.message(w, r, http.StatusNotFound, "Nothing here",
			"There is no page or feed under this address. The first page lists all that there are.")
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
	default:
		s.serve(w, r, res)
	}
}

// route says what a path below the base names.
func (s *site) route(path string) (resource, bool) {
	switch path {
	case "/":
		return resource{kind: kindIndex}, true
	case "/opml":
		return resource{kind: kindOPML}, true
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
	case res.kind == kindStatus || res.kind == kindStory:
		return s.prefix + trimmed, true
	case res.isFeed():
		return s.prefix + s.channels[res.topic].path + "." + string(res.kind), true
	}
	return s.prefix + s.channels[res.topic].path, true
}

func (s *site) serve(w http.ResponseWriter, r *http.Request, res resource) {
	if res.isFeed() {
		limit, ok := limitOf(r.URL)
		if !ok {
			s.message(w, r, http.StatusBadRequest, "Not a number of stories",
				"The limit wants a number from 1 to "+strconv.Itoa(maxStories)+".")
			return
		}
		res.limit = limit
	}
	asked := s.options.Now()
	rendered, err := s.rendering(r.Context(), res)
	if err != nil {
		s.fail(w, r, res, err)
		return
	}
	s.linkHubs(w.Header(), res)
	if res.kind == kindOPML { // for the name under which a browser saves it
		w.Header().Set("Content-Disposition", `inline; filename="topics.opml"`)
	}
	s.send(w, r, rendered, asked, s.options.MaxAge)
}

// limitOf is the query's limit, 0 where there is none, and whether it is a number. A greater one than can be had is the
// greatest that can.
func limitOf(u *url.URL) (int, bool) {
	raw := u.Query().Get("limit")
	if raw == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(raw, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return maxStories, true
	}
	return int(min(n, maxStories)), err == nil && n > 0
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
	version, err := s.version(ctx, res)
	if err != nil {
		return nil, err
	}
	return s.cache.get(ctx, res, version, func(ctx context.Context) (*rendering, error) {
		made := s.options.Now()
		mediaType, body, err := s.render(ctx, res)
		if err != nil {
			return nil, err
		}
		out, err := newRendering(mediaType, body)
		if err != nil {
			return nil, err
		}
		out.version, out.made = version, made
		return out, nil
	})
}

// version tells the states of the resource apart. It is asked for before the stories are, so that what is rendered is
// of that state or later: at worst the same is rendered once more.
func (s *site) version(ctx context.Context, res resource) (string, error) {
	switch {
	case res.kind == kindOPML:
		return "", nil
	case res.isPage():
		return s.pageVersion(ctx, res)
	}
	return s.versionOf(ctx, []aggregator.TopicID{res.topic})
}

// versionOf tells the states of the topics apart.
func (s *site) versionOf(ctx context.Context, topics []aggregator.TopicID) (string, error) {
	var version strings.Builder
	for _, topic := range topics {
		v, err := s.src.Version(ctx, topic)
		if err != nil {
			return "", fmt.Errorf("read version of topic %q: %w", topic, err)
		}
		version.WriteString(strconv.FormatUint(v.Seq, 36) + "." + strconv.FormatInt(v.Changed.UnixNano(), 36) + " ")
	}
	return version.String(), nil
}

func (s *site) render(ctx context.Context, res resource) (mediaType string, body []byte, err error) {
	switch {
	case res.isPage():
		body, err = s.renderPage(ctx, res)
		return pageType, body, err
	case res.kind == kindOPML:
		body, err = s.opml()
		return opmlType, body, err
	}
	d, err := s.document(ctx, res.topic, res.limit)
	if err != nil {
		return "", nil, err
	}
	query := ""
	if res.limit > 0 {
		query = "?limit=" + strconv.Itoa(res.limit)
	}
	switch res.kind {
	case kindAtom:
		body, err = s.atom(d, query)
		return atomType, body, err
	case kindRSS:
		body, err = s.rss(d, query)
		return rssType, body, err
	}
	body, err = s.jsonFeed(d, query)
	return jsonFeedType, body, err
}

// send answers with the rendering in the encoding that the request prefers; what the request's conditions ask for
// (RFC 9110 section 13), HEAD and ranges are net/http's to see to. asked is a time before the rendering was looked up.
func (s *site) send(w http.ResponseWriter, r *http.Request, rendered *rendering, asked time.Time, maxAge time.Duration) {
	v := rendered.identity
	header := w.Header()
	header.Set("Vary", "Accept-Encoding")
	header.Set("Content-Type", rendered.mediaType)
	header.Set("Cache-Control", cacheControl(maxAge))
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		v = rendered.gzip
		header.Set("Content-Encoding", "gzip")
		if r.Header.Get("Range") == "" { // net/http leaves it out where there is an encoding
			header.Set("Content-Length", strconv.Itoa(len(v.body)))
		}
	}
	header.Set("ETag", v.etag)
	shown, modified := rendered.dates(asked)
	header.Set("Last-Modified", shown.Format(http.TimeFormat))
	http.ServeContent(w, conditions(r, modified), "", modified, bytes.NewReader(v.body))
}

// conditions is the request with its conditions in the form in which net/http takes them for what they are. The field
// If-None-Match is a list, which may be sent in several lines (RFC 9110 section 5.3); net/http reads the first alone. A
// date in If-Modified-Since counts only where it is the one that was sent: after a clock was put right, or from another
// server's clock, a later one vouches for nothing (section 13.1.3 names such servers).
func conditions(r *http.Request, modified time.Time) *http.Request {
	tags := r.Header.Values("If-None-Match")
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	exact := err == nil && since.Equal(modified)
	if len(tags) < 2 && exact {
		return r
	}
	r = r.Clone(r.Context())
	if len(tags) > 1 {
		r.Header.Set("If-None-Match", strings.Join(tags, ", "))
	}
	if !exact {
		r.Header.Del("If-Modified-Since")
	}
	return r
}

// cacheControl says for how long an answer may be used again (RFC 9111 section 5.2.2).
func cacheControl(maxAge time.Duration) string {
	seconds := int64(maxAge / time.Second)
	control := "public, max-age=" + strconv.FormatInt(seconds, 10)
	if seconds == 0 { // max-age alone would allow an old answer where the site cannot be reached
		control += ", no-cache"
	}
	return control
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3): gzip by name, else by "*", unless its weight is 0.
func acceptsGzip(values []string) bool {
	star := false
	for _, coding := range strings.Split(strings.Join(values, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		wanted := true
		if key, weight, ok := strings.Cut(parameters, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			wanted = err == nil && q > 0
		}
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
			return wanted
		case name == "*":
			star = wanted
		}
	}
	return star
}

// healthTimeout is how long the store may take to be called healthy.
const healthTimeout = 5 * time.Second

func (s *site) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	_, err := s.src.Version(ctx, aggregator.AllTopics)
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
