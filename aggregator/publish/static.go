package publish

import (
	"context"
	"fmt"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Static writes the whole site and its feeds as files, for any web server or object store: put is given the name of each,
// a path with slashes, and its bytes. A page is an index.html in a folder of its own, and leads to others by relative
// links, so that it does not matter where the folder is served from; feeds and the OPML list have the absolute
// addresses that BaseURL gives. There is no search, and the feeds' health is as of their last polls.
//
// The bytes depend on the store and the options alone. Stories that change while the site is written may be in one of its
// files and not yet in another; the next time they are in all.
func Static(ctx context.Context, src Source, o Options, put func(name string, body []byte) error) error {
	s, err := newSite(src, o)
	if err != nil {
		return err
	}
	s.static = true
	w := &staticWriter{site: s, put: put}
	for _, write := range []func(context.Context) error{w.common, w.indexes, w.lists, w.sources, w.status} {
		if err := write(ctx); err != nil {
			return fmt.Errorf("write static site: %w", err)
		}
	}
	return nil
}

// staticWriter writes the files of a site.
type staticWriter struct {
	*site
	put func(name string, body []byte) error
}

// page puts a page that is written with the links of its place.
func (w *staticWriter) page(name string, write func(links) ([]byte, error)) error {
	body, err := write(linksIn(name))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return w.put(name, body)
}

// common writes what belongs to no topic.
func (w *staticWriter) common(ctx context.Context) error {
	for _, path := range []string{"/icon.svg", "/style.css"} {
		if err := w.put(path[1:], w.files[path].form.plain().body); err != nil {
			return err
		}
	}
	body, err := w.opml()
	if err != nil {
		return err
	}
	if err := w.put(opmlFile, body); err != nil {
		return err
	}
	if body, err = w.sourcesOPML(ctx); err != nil {
		return err
	}
	return w.put(sourcesPath[1:], body)
}

// indexes writes the parts of the first page.
func (w *staticWriter) indexes(ctx context.Context) error {
	_, parts := w.topicsOnPart(1)
	for n := range parts {
		name := pageFile("/")
		if n > 0 {
			name = partFile("/", n+1)
		}
		if err := w.page(name, func(l links) ([]byte, error) { return w.indexPage(ctx, l, n+1) }); err != nil {
			return err
		}
	}
	return nil
}

// lists writes each channel's feeds and pages, and with those of all stories the pages of the stories.
func (w *staticWriter) lists(ctx context.Context) error {
	for _, c := range append(w.topics(), w.channels[aggregator.AllTopics]) {
		if err := w.formats(ctx, c.path, resource{topic: c.topic}); err != nil {
			return err
		}
		if err := w.archive(ctx, c); err != nil {
			return err
		}
		if err := w.list(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// formats writes a feed in each of its formats.
func (w *staticWriter) formats(ctx context.Context, path string, res resource) error {
	for _, res.kind = range []kind{kindAtom, kindRSS, kindJSON} {
		d, err := w.render(ctx, res)
		if err != nil {
			return err
		}
		if err := w.put(path[1:]+"."+string(res.kind), d.body); err != nil {
			return err
		}
	}
	return nil
}

// sources writes the feeds of the single sources.
func (w *staticWriter) sources(ctx context.Context) error {
	for status, err := range w.src.Feeds(ctx) {
		if err != nil {
			return fmt.Errorf("read feeds: %w", err)
		}
		if err := w.formats(ctx, sourcePath(status.Feed.ID), resource{feed: status.Feed.ID}); err != nil {
			return err
		}
	}
	return nil
}

// list writes the pages of a channel. They are counted from the oldest, so that one that is full stays as it is; what is
// left over is on the page of the latest stories, which has one to two pages full.
func (w *staticWriter) list(ctx context.Context, c channel) error {
	total := 0
	for _, err := range w.src.Stories(ctx, aggregator.StoryQuery{Topic: c.topic}) {
		if err != nil {
			return fmt.Errorf("count stories of topic %q: %w", c.topic, err)
		}
		total++
	}
	older := max(0, total/pageStories-1)
	room := total - older*pageStories
	sources := sourceReader{site: w.site, known: map[aggregator.FeedID]*source{}}
	number := older + 1
	var entries []entry
	for story, err := range w.src.Stories(ctx, aggregator.StoryQuery{Topic: c.topic}) {
		if err != nil {
			return fmt.Errorf("read stories of topic %q: %w", c.topic, err)
		}
		if c.topic == aggregator.AllTopics {
			name := pageFile(storyPath(story.ID))
			if err := w.page(name, func(l links) ([]byte, error) { return w.storyPage(ctx, l, &story) }); err != nil {
				return err
			}
		}
		if len(entries) >= room && number > 1 {
			if err := w.listPage(ctx, c, entries, number, older); err != nil {
				return err
			}
			number, room, entries = number-1, pageStories, entries[:0]
		}
		e, err := w.outline(ctx, &sources, &story)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	for ; number >= 1; number-- { // more than one where stories went while they were read
		if err := w.listPage(ctx, c, entries, number, older); err != nil {
			return err
		}
		entries = nil
	}
	return nil
}

// listPage writes one page of a channel: the latest where number is above that of the older ones.
func (w *staticWriter) listPage(ctx context.Context, c channel, entries []entry, number, older int) error {
	name := pageFile(c.path)
	if number <= older {
		name = partFile(c.path, number)
	}
	return w.page(name, func(l links) ([]byte, error) {
		page := w.newTopicPage(l, c)
		page.Listing = w.listing(l, c, entries)
		if number > 1 {
			page.Older = l.root + partFile(c.path, number-1)
		}
		var err error
		if number > older {
			if page.Chart, err = w.chartOf(ctx, l, c, entries); err != nil {
				return nil, err
			}
			page.Notice, err = w.refiling(ctx)
		} else {
			page.Latest, page.Title = l.page(c.path), fmt.Sprintf("%s: older stories, page %d", c.title, number)
			page.Canonical = w.base + "/" + name
			page.Newer = page.Latest
			if number < older {
				page.Newer = l.root + partFile(c.path, number+1)
			}
		}
		if err != nil {
			return nil, err
		}
		return w.execute("topic.html", page)
	})
}

// status writes the page of the feeds' health, as of the last poll.
func (w *staticWriter) status(ctx context.Context) error {
	h, err := w.readHealth(ctx)
	if err != nil {
		return err
	}
	asOf := *h
	asOf.at = time.Time{}
	for i := range asOf.feeds {
		if t := asOf.feeds[i].LastPoll; t.After(asOf.at) {
			asOf.at = t
		}
	}
	if asOf.at.IsZero() {
		asOf.at = w.born
	}
	return w.page(pageFile("/status"), func(l links) ([]byte, error) {
		return w.writeStatus(l, &asOf, statusView{only: anyCondition, part: 1})
	})
}
