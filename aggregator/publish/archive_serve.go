package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// history is how a document leads to the rest of a feed's history (RFC 5005 section 4). Its addresses are without
// extensions; those that it does not have are "".
type history struct {
	// archive is set for a page of the archive.
	archive                 bool
	current, previous, next string
}

// The relations of those links.
const (
	relCurrent  = "current"
	relPrevious = "prev-archive"
	relNext     = "next-archive"
)

type historyLink struct{ rel, href string }

// links are those that the document of the kind has.
func (h history) links(k kind) (links []historyLink) {
	for _, l := range []historyLink{{relCurrent, h.current}, {relPrevious, h.previous}, {relNext, h.next}} {
		if l.href != "" {
			links = append(links, historyLink{l.rel, l.href + "." + string(k)})
		}
	}
	return links
}

// pageAddress names a page of the archive; its zero value none.
type pageAddress struct {
	generation string
	number     int
}

// archiveRoute is the page of an archive that the path names, and the path of the channel whose it is.
func archiveRoute(path string) (channel string, k kind, page pageAddress, ok bool) {
	for _, known := range []kind{kindAtom, kindRSS, kindJSON} {
		if stem, is := strings.CutSuffix(path, "."+string(known)); is {
			path, k = stem, known
		}
	}
	rest, digits, _ := cutLast(path, "/")
	rest, page.generation, _ = cutLast(rest, "/")
	channel, ok = strings.CutSuffix(rest, "/archive")
	number, err := strconv.Atoi(digits)
	page.number = number
	_, misnamed := time.Parse(generationForm, page.generation)
	return channel, k, page, ok && k != "" && misnamed == nil && err == nil && number > 0 && strconv.Itoa(number) == digits
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// serveArchive answers a request for a page of the archive.
func (s *site) serveArchive(w http.ResponseWriter, r *http.Request, res resource) {
	asked := s.options.Now()
	g, there, err := s.generation(r.Context(), res.topic)
	page := res.page
	switch {
	case err != nil:
		s.fail(w, r, res, err)
	case !there || page.generation > g.Name || page.generation == g.Name && page.number > g.Last+1:
		s.message(w, r, http.StatusNotFound, "Nothing here", "There is no such page of the archive.")
	case page.generation == g.Name && !g.revoked && page.number == g.Last+1:
		// The last page names the one after it, which is not full yet: what it will have is in the feed.
		w.Header().Set("Cache-Control", "no-cache")
		http.Redirect(w, r, s.prefix+s.channels[res.topic].path+"."+string(res.kind), http.StatusTemporaryRedirect)
	default:
		rendered, err := s.archived(r.Context(), g, res)
		switch {
		case errors.Is(err, aggregator.ErrNotFound):
			s.message(w, r, http.StatusGone, "Gone",
				"The archive has begun anew since, or no longer goes back so far. The feed leads to the pages that there are.")
		case err != nil:
			s.fail(w, r, res, err)
		default:
			s.send(w, r, rendered, asked, foreverAge)
		}
	}
}

// generation is the one whose pages the site shows of the topic; ok is false where there is none.
func (s *site) generation(ctx context.Context, topic aggregator.TopicID) (g generation, ok bool, err error) {
	if s.options.Archive == nil {
		return g, false, nil
	}
	return s.options.Archive.current(ctx, topic)
}

// archived is a page of the generation; one that is gone is ErrNotFound.
func (s *site) archived(ctx context.Context, g generation, res resource) (*rendering, error) {
	if res.page.generation != g.Name || !g.has(res.page.number) {
		return nil, aggregator.ErrNotFound
	}
	return s.cuts.get(ctx, res, version{}, func(ctx context.Context) (*rendering, error) {
		page, err := s.options.Archive.page(ctx, g, res.page.number)
		if err != nil {
			return nil, err
		}
		mediaType, body := page.document(res.kind)
		return newRendering(s.packers, draft{mediaType: mediaType, body: body}, version{}, page.made), nil
	})
}

// document is the page in the format.
func (p *archivePage) document(k kind) (mediaType string, body []byte) {
	switch k {
	case kindAtom:
		return atomType, p.atom
	case kindRSS:
		return rssType, p.rss
	}
	return jsonFeedType, p.json
}

// maxRest is how many stories that are in no page yet a feed has at most beyond its own.
const maxRest = 500

// withHistory completes a feed: by the stories that are neither in it nor in the archive yet, and by the way to the
// archive. While the archive lags behind by more than a feed can have, neither is there: what leads to an archive is
// complete.
func (s *site) withHistory(ctx context.Context, d *document) error {
	archive := s.options.Archive
	if archive == nil {
		return nil
	}
	for {
		g, ok, err := archive.current(ctx, d.topic)
		if err != nil || !ok || g.revoked {
			return err
		}
		rest, whole, err := archive.rest(ctx, g, maxRest)
		if err != nil {
			return fmt.Errorf("read what is not in the archive of topic %q yet: %w", d.topic, err)
		}
		// What was waiting may be in a page meanwhile.
		if now, _, err := archive.current(ctx, d.topic); err != nil || now.Name != g.Name || now.Last != g.Last {
			if err != nil {
				return err
			}
			continue
		}
		if !whole {
			return nil
		}
		if g.has(g.Last) {
			d.history.previous = s.base + archivePath(d.path, g.Name, g.Last)
		}
		return s.addStories(ctx, d, rest)
	}
}

// addStories adds those of the stories that the document does not have, behind those that it has.
func (s *site) addStories(ctx context.Context, d *document, stories []aggregator.StoryID) error {
	sources := sourceReader{site: s, known: map[aggregator.FeedID]*source{}}
	first := len(d.entries)
	for _, id := range stories {
		if slices.ContainsFunc(d.entries, func(e entry) bool { return e.story == id }) {
			continue
		}
		story, ok, err := s.storyIn(ctx, d.topic, id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		e, err := s.entry(ctx, d, &sources, &story)
		if err != nil {
			return err
		}
		d.add(e)
	}
	if len(d.entries) > first {
		d.sort()
		d.language = commonLanguage(d.entries)
		d.feeds = append(d.feeds, sources.order...)
	}
	return nil
}

// archive writes the pages of a channel's archive.
func (w *staticWriter) archive(ctx context.Context, c channel) error {
	g, ok, err := w.generation(ctx, c.topic)
	if err != nil || !ok {
		return err
	}
	for n := g.First; g.has(n); n++ {
		page, err := w.options.Archive.page(ctx, g, n)
		if errors.Is(err, aggregator.ErrNotFound) { // it went meanwhile
			continue
		}
		if err != nil {
			return err
		}
		for _, k := range []kind{kindAtom, kindRSS, kindJSON} {
			_, body := page.document(k)
			if err := w.put(archivePath(c.path, g.Name, n)[1:]+"."+string(k), body); err != nil {
				return err
			}
		}
	}
	return nil
}
