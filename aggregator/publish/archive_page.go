package publish

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// archivePage is a page of an archive as it is kept: in all formats, each as the bytes that are sent.
type archivePage struct {
	made            time.Time
	stories         []aggregator.StoryID
	atom, rss, json []byte
}

// cut makes a page of the stories that wait for one. Those that are no longer in the topic are left out; made is false
// where too few are left.
func (a *Archive) cut(ctx context.Context, c channel, g generation) (next generation, made bool, err error) {
	number := g.Last + 1
	d := &document{
		channel: c, page: a.site.pageURL(c.path), self: a.site.base + archivePath(c.path, g.Name, number),
		history: history{archive: true, current: a.site.base + c.path, next: a.site.base + archivePath(c.path, g.Name, number+1)},
	}
	if g.has(g.Last) {
		d.history.previous = a.site.base + archivePath(c.path, g.Name, g.Last)
	}
	sources := sourceReader{site: a.site, known: map[aggregator.FeedID]*source{}}
	var kept, left []aggregator.StoryID
	size := 0
	for i, id := range g.Pending {
		story, ok, err := a.site.storyIn(ctx, c.topic, id)
		if err != nil {
			return g, false, err
		}
		if !ok {
			continue
		}
		e, err := a.site.entry(ctx, d, &sources, &story)
		if err != nil {
			return g, false, err
		}
		d.add(e)
		kept = append(kept, id)
		if size += sizeOf(&story.Items[0]); size >= a.options.PageBytes {
			left = g.Pending[i+1:]
			break
		}
	}
	if len(kept) < a.options.PageStories && size < a.options.PageBytes {
		g.Pending, g.Bytes = kept, size
		return g, false, nil
	}
	d.sort()
	d.language = commonLanguage(d.entries)
	page := archivePage{made: a.site.options.Now(), stories: kept}
	if err := a.site.writePage(d, &page); err != nil {
		return g, false, err
	}
	notes, err := a.named(ctx, g, sources.known)
	if err != nil {
		return g, false, err
	}
	for _, id := range kept {
		notes = append(notes, aggregator.Note{Space: g.space(), Key: storyKey(id), Value: binary.AppendUvarint(nil, uint64(number))})
	}
	notes = append(notes, aggregator.Note{Space: g.space(), Key: pageKey(number), Value: a.packer.pack(&page)})
	g.Last, g.Pending, g.Bytes = number, left, max(0, g.Bytes-size)
	if len(left) == 0 {
		g.Bytes = 0
	}
	return g, true, a.put(ctx, g, notes...)
}

// writePage writes the document in all formats.
func (s *site) writePage(d *document, page *archivePage) (err error) {
	if page.atom, err = s.atom(d, ""); err != nil {
		return err
	}
	if page.rss, err = s.rss(d, ""); err != nil {
		return err
	}
	page.json, err = s.jsonFeed(d, "")
	return err
}

// named are the notes that the generation names the URLs of those feeds, but for those that are there.
func (a *Archive) named(ctx context.Context, g generation, feeds map[aggregator.FeedID]*source) (notes []aggregator.Note, err error) {
	for id, src := range feeds {
		if src.url == "" {
			continue
		}
		there, err := a.store.Note(ctx, namedSpace(id), topicKey(g.Topic))
		if err != nil && !errors.Is(err, aggregator.ErrNotFound) {
			return nil, fmt.Errorf("look up feed: %w", err)
		}
		if string(there.Value) != g.Name {
			notes = append(notes, aggregator.Note{Space: namedSpace(id), Key: topicKey(g.Topic), Value: []byte(g.Name)})
		}
	}
	return notes, nil
}

// storyIn is the story with the report first that stands for it in the topic; ok is false where none of its reports is
// there.
func (s *site) storyIn(ctx context.Context, topic aggregator.TopicID, id aggregator.StoryID) (story aggregator.Story, ok bool, err error) {
	story, err = s.src.Story(ctx, id)
	if errors.Is(err, aggregator.ErrNotFound) {
		return story, false, nil
	}
	if err != nil {
		return story, false, fmt.Errorf("read story %v: %w", id, err)
	}
	i := slices.IndexFunc(story.Items, func(it aggregator.Item) bool {
		return topic == aggregator.AllTopics || slices.Contains(it.Topics, topic)
	})
	if i < 0 {
		return story, false, nil
	}
	story.Items = inFront(story.Items, i)
	s.represent(&story, topic)
	return story, true, nil
}

// Trim lets the pages go of which no story is stored any more, as after pruning, from the oldest on.
func (a *Archive) Trim(ctx context.Context) error {
	done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, c := range a.channels() {
		g, ok, err := a.current(ctx, c.topic)
		for err == nil && ok && g.has(g.First) {
			g, ok, err = a.trim(ctx, g)
		}
		if err != nil {
			return fmt.Errorf("trim archive of topic %q: %w", c.topic, err)
		}
	}
	return nil
}

// trim lets the first page go where none of its stories is stored.
func (a *Archive) trim(ctx context.Context, g generation) (next generation, gone bool, err error) {
	page, err := a.page(ctx, g, g.First)
	if err != nil {
		return g, false, err
	}
	notes := []aggregator.Note{{Space: g.space(), Key: pageKey(g.First)}}
	for _, id := range page.stories {
		_, there, err := a.site.storyIn(ctx, g.Topic, id)
		if err != nil || there {
			return g, false, err
		}
		notes = append(notes, aggregator.Note{Space: g.space(), Key: storyKey(id)})
	}
	g.First++
	return g, true, a.put(ctx, g, notes...)
}

// page is the page of the number; one that is not there is ErrNotFound.
func (a *Archive) page(ctx context.Context, g generation, number int) (*archivePage, error) {
	n, err := a.store.Note(ctx, g.space(), pageKey(number))
	if err != nil {
		return nil, fmt.Errorf("read page %d: %w", number, err)
	}
	page, err := a.packer.unpack(n.Value)
	if err != nil {
		return nil, fmt.Errorf("read page %d: %w", number, err)
	}
	return page, nil
}

// archivePath is where a page is, below the base, without an extension.
func archivePath(channel, generation string, number int) string {
	return channel + "/archive/" + generation + "/" + strconv.Itoa(number)
}

// sort puts the entries in the order of a feed.
func (d *document) sort() {
	slices.SortFunc(d.entries, func(a, b entry) int {
		return cmp.Or(b.order.Compare(a.order), slices.Compare(a.story[:], b.story[:]))
	})
}
