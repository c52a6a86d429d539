package publish

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/microcosm-cc/bluemonday"

	"github.com/topicwire/topicwire/aggregator"
)

// Source is what the package reads of a store. Its promises are those of storage.Store's methods of the same names.
type Source interface {
	Stories(ctx context.Context, q aggregator.StoryQuery) iter.Seq2[aggregator.Story, error]
	Version(ctx context.Context, topic aggregator.TopicID) (aggregator.Version, error)
	Feed(ctx context.Context, id aggregator.FeedID) (aggregator.FeedStatus, error)
	LatestItems(ctx context.Context, id aggregator.FeedID, limit int) ([]aggregator.Item, error)
	PageSource
}

// PageSource is what the pages read of it beside.
type PageSource interface {
	Story(ctx context.Context, id aggregator.StoryID) (aggregator.Story, error)
	Revisions(ctx context.Context, id aggregator.ItemID) ([]aggregator.Revision, error)
	Volume(ctx context.Context, q aggregator.VolumeQuery) ([]aggregator.DayVolume, error)
	Feeds(ctx context.Context) iter.Seq2[aggregator.FeedStatus, error]
	Refiling(ctx context.Context) (aggregator.Refiling, error)
}

// Options say what is published and how. BaseURL and Authority are required, all else may be left out.
type Options struct {
	// BaseURL is the public address of the site, http or https, with or without a path. Links in feeds are built on
	// it. A path of it is taken off a request's path where it is there, so that a proxy may pass it on or not.
	BaseURL string
	// Authority is the tagging entity of published ids (RFC 4151 section 2.1): a domain name or mail address, a comma
	// and a date, such as "wire.example.org,2026-11-23". It must stay the same for as long as anybody reads the feeds.
	Authority string
	// Title names the site; "topicwire" if empty.
	Title string
	// Topics are those that are published, in the order in which the first page lists them.
	Topics []aggregator.Topic
	// Removed are topics that were published once and are no longer: their addresses say so.
	Removed []aggregator.TopicID
	// Stories is how many stories a feed has at least, as far as there are so many; 50 if 0. Older ones are added as
	// long as they are no more than Window (48 hours if 0) older than the feed's newest, up to 1000.
	Stories int
	Window  time.Duration
	// Represent says which of two reports rather stands for a story, as cmp.Compare does; the first that was found if nil.
	Represent func(a, b *aggregator.Item) int
	// MinAge and MaxAge bound for how long a cache may answer without asking again, in whole seconds. Within them it may
	// until the next poll of one of a feed's sources is due. Pages, which have no such time, may be kept for MinAge. A
	// MaxAge of 0 makes caches ask each time, and MinAge counts no more than MaxAge.
	MinAge, MaxAge time.Duration
	// Hubs are the WebSub hubs that are told when a feed changes. Feeds name them, so that readers can subscribe there.
	Hubs []string
	// FeedNotes are what there is to know of feeds beside what the store says, a phrase each; none if nil. Those of private
	// feeds are not shown.
	FeedNotes func(ctx context.Context) (map[aggregator.FeedID]string, error)
	// CacheBytes bounds the memory for rendered documents; 64 MiB if 0.
	CacheBytes int64
	// ParseQuery reads a query of the language that topics are described in, for each request that has one. An error that
	// has a method Offset() int, in bytes from the query's start, points at its place. The pages have no search if nil.
	ParseQuery func(query string) (Search, error)
	// Archive has the pages of the complete history, which the feeds then lead to. There are none if nil.
	Archive *Archive
	// Now is the time, for Last-Modified; time.Now if nil. No document depends on it.
	Now func() time.Time
	// Log is told of what could not be rendered; nothing is logged if nil.
	Log *slog.Logger
	// Generator and Version name the program in the feeds; "topicwire" and no version if empty.
	Generator, Version string
}

// Search makes what a query that was read asks of an item. It is called once for each search that looks through the store.
type Search func() (match func(*aggregator.Item) bool, err error)

const (
	defaultStories    = 50
	defaultWindow     = 48 * time.Hour
	defaultCacheBytes = 64 << 20
	// cutShare is the part of the memory that is for what readers cut out of feeds: one of so many.
	cutShare = 4
	// maxStories bounds a document, whatever the window or a reader's limit says.
	maxStories = 1000
)

// New makes the handler that publishes src. It serves GET and HEAD of
//
//	/                          the topics, as a page
//	/topics/ID, /all           the latest stories of a topic, or of all, as a page; those that match a query with
//	                           ?q=QUERY, those up to a day with ?until=2026-11-24
//	/stories/STORY             a story: its reports and what changed in them
//	/status                    the health of the feeds, sorted with ?sort=KEY&order=up or down
//	/topics/ID.atom .rss .json the merged feed of a topic: N stories with ?limit=N, those that match a query with
//	                           ?q=QUERY, those of a time with ?since=2026-11-24 or ?since=7d
//	/all.atom .rss .json       the merged feed of everything, likewise
//	/feeds/FEED.atom .rss .json what a single source published, likewise
//	/topics/ID/archive/GENERATION/N.atom .rss .json, /all/archive/...
//	                           the pages of the complete history
//	/opml                      the list of the merged feeds
//	/sources.opml              the list of the feeds that are polled
//	/healthz                   200 while the store answers, else 503
//	/style.css, /icon.svg      what the pages need
//
// The error says which option is missing or wrong.
func New(src Source, o Options) (http.Handler, error) {
	s, err := newSite(src, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newSite(src Source, o Options) (*site, error) {
	if src == nil {
		return nil, errors.New("make publisher: no source to publish")
	}
	s := &site{
		src: src, options: withDefaults(o), policy: newPolicy(), channels: map[aggregator.TopicID]channel{},
		searches: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), healthTurn: make(chan struct{}, 1), fields: newSharedFields(),
	}
	s.packers = newPackers()
	cuts := s.options.CacheBytes / cutShare
	s.cache, s.cuts = newCache(s.options.CacheBytes-cuts, s.searching), newCache(cuts, s.searching)
	base, err := url.Parse(o.BaseURL)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("make publisher: base URL %q: want an absolute http or https URL without query and fragment", o.BaseURL)
	}
	s.prefix = strings.TrimRight(base.EscapedPath(), "/")
	s.mount = strings.TrimRight(base.Path, "/")
	s.base = base.Scheme + "://" + base.Host + s.prefix
	if s.born, err = birthOf(o.Authority); err != nil {
		return nil, fmt.Errorf("make publisher: %w", err)
	}
	if o.MinAge < 0 || o.MaxAge < 0 {
		return nil, fmt.Errorf("make publisher: min age %v and max age %v: want 0 or more", o.MinAge, o.MaxAge)
	}
	if err := s.addChannels(); err != nil {
		return nil, fmt.Errorf("make publisher: %w", err)
	}
	if err := s.addMoved(); err != nil {
		return nil, fmt.Errorf("make publisher: %w", err)
	}
	if err := s.loadPages(); err != nil {
		return nil, fmt.Errorf("make publisher: %w", err)
	}
	return s, nil
}

func withDefaults(o Options) Options {
	if o.Title == "" {
		o.Title = "topicwire"
	}
	if o.Generator == "" {
		o.Generator = "topicwire"
	}
	if o.Stories <= 0 {
		o.Stories = defaultStories
	}
	o.Stories = min(o.Stories, maxStories)
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Title = oneLine(o.Title, maxTitle)
	return o
}

// site is the handler. Nothing of it changes after New but the caches and lastHealth.
type site struct {
	src     Source
	options Options
	// base is the public address without a slash at the end, prefix its path; mount is prefix without escapes, as the
	// paths of requests are.
	base, prefix, mount string
	// born is the date of the authority: what an empty feed gives as its last change.
	born     time.Time
	channels map[aggregator.TopicID]channel
	// moved are topics that have another id now, removed those that are no longer published.
	moved   map[aggregator.TopicID]aggregator.TopicID
	removed map[aggregator.TopicID]bool
	policy  *bluemonday.Policy
	pages   *template.Template
	files   map[string]*rendering
	packers *packers
	// cache keeps what is published, cuts what readers cut out of it.
	cache, cuts *cache
	fields      sharedFields
	// static is set where the site is written to files.
	static bool
	// searches bounds how many searches there are at once.
	searches chan struct{}
	// lastHealth is what was last read of the feeds; it is its holder's who has healthTurn.
	lastHealth *health
	healthTurn chan struct{}
}

// channel is what the site publishes under one name: a topic, or everything.
type channel struct {
	topic aggregator.TopicID
	// path is below the base, without an extension: "/topics/cloud".
	path string
	// id is the feed's id in all formats.
	id                 string
	title, description string
	// feeds are those that the topic is restricted to, none for all of them.
	feeds []aggregator.FeedID
}

func (s *site) addChannels() error {
	o := &s.options
	s.channels[aggregator.AllTopics] = channel{
		topic: aggregator.AllTopics, path: feedPath(aggregator.AllTopics), id: s.tag("all"),
		title: o.Title + ": all stories", description: "Every story of " + o.Title + ", whatever its topic.",
	}
	for _, t := range o.Topics {
		if t.ID == aggregator.AllTopics {
			return errors.New("a topic has no id")
		}
		if _, twice := s.channels[t.ID]; twice {
			return fmt.Errorf("topic %q is there twice", t.ID)
		}
		name := url.PathEscape(string(slices.Concat(t.Formerly, []aggregator.TopicID{t.ID})[0])) // ids are for ever
		c := channel{
			topic: t.ID, path: feedPath(t.ID), id: s.tag("topic/" + name),
			title: oneLine(t.Title, maxTitle), description: oneLine(t.Description, maxText),
			feeds: t.Feeds,
		}
		if c.title == "" {
			c.title = oneLine(string(t.ID), maxTitle)
		}
		s.channels[t.ID] = c
	}
	return nil
}

// tag is the tag URI (RFC 4151) of what the authority knows by the given name.
func (s *site) tag(name string) string { return "tag:" + s.options.Authority + ":" + name }

var authorityForm = regexp.MustCompile(`^(?:[a-z0-9._-]+@)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?,(\d{4}(?:-\d{2}(?:-\d{2})?)?)$`)

// birthOf is the date in an authority, which may leave out the day, or the month and the day.
func birthOf(authority string) (time.Time, error) {
	if m := authorityForm.FindStringSubmatch(authority); m != nil {
		if t, err := time.Parse("2006-01-02"[:len(m[1])], m[1]); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("authority %q: want a lower-case domain name, a comma and a date, such as wire.example.org,2026-11-23", authority)
}
