package publish

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// ArchiveStore is what an Archive reads and writes beside its Source. Its promises are those of storage.Store's methods
// of the same names.
type ArchiveStore interface {
	Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error]
	Notes(ctx context.Context, space string) iter.Seq2[aggregator.Note, error]
	Note(ctx context.Context, space, key string) (aggregator.Note, error)
	PutNotes(ctx context.Context, notes ...aggregator.Note) error
}

// ArchiveOptions say when an archive has to begin anew.
type ArchiveOptions struct {
	// Rules tells the states of what a topic takes in apart. Where it gives something else than before, the topic gets a
	// new generation of pages, unless Settle says that filing the stored items anew made no difference to it.
	Rules func(aggregator.TopicID) aggregator.Hash
	// Private are the feeds whose URL is not to be published. Pages that name one, from before it was private, are gone.
	Private []aggregator.FeedID
	// PageStories is how many stories a page has, 100 if 0; one whose HTML has PageBytes, 4 MiB if 0, is full with fewer.
	PageStories, PageBytes int
}

const (
	defaultPageStories = 100
	defaultPageBytes   = 4 << 20
	// archivePause is how long an archive waits after a pass: what many polls bring is looked at together.
	archivePause = 10 * time.Second
	// archiveRetry is how long it waits after a pass that failed.
	archiveRetry = time.Minute
	// unsavedItems is how many items are looked at before it is noted how far that came, where no page is made of them.
	unsavedItems = 1000
)

// maxLooked is how many items a feed looks at to find what is in no page yet.
const maxLooked = 5000

// Archive keeps the complete history of the merged feeds, as pages of stories that never change (RFC 5005 section 4).
//
// A story has its place in the archive of a topic, or of everything, by when it first came there, not by its date: what
// is filed late, or has an old date, is in the next page and not in an earlier one. A page is made when so many stories
// have come that it is full, and kept in the store as the bytes that it then is: what becomes of its stories, of the
// program and of the config afterwards does not change it. What is in no page yet is in the merged feed, however old.
//
// The pages of a topic are one generation, until the topic's rules, the site's address or its authority change, or one of
// its feeds becomes private: then a new one begins with the first stored item, and the pages of the old one are gone.
//
// It may be used from many goroutines at once.
type Archive struct {
	site    *site
	store   ArchiveStore
	options ArchiveOptions
	packer  pagePacker
	// wake has room for one notice; turn is held by who makes pages, and guards what follows.
	wake, turn chan struct{}
	// seen are the Versions of the topics up to which there is nothing to be done.
	seen map[aggregator.TopicID]aggregator.Version

	// unsettled are the topics whose rules have changed without it being known yet whether that makes a difference.
	unsettled map[aggregator.TopicID]bool

	mu sync.RWMutex
	// generations are the latest of each topic; nil before they are read. Their slices do not change.
	generations map[aggregator.TopicID]generation
}

// generation is one of a topic's archives. It is stored as JSON.
type generation struct {
	Topic aggregator.TopicID `json:"topic"`
	// Name is when it began; later ones are greater.
	Name string `json:"name"`
	// Rules and Site are what it depends on.
	Rules string `json:"rules"`
	Site  string `json:"site"`
	// First to Last are its pages, by number; earlier ones are no longer kept.
	First int `json:"first"`
	Last  int `json:"last"`
	// Cursor is the Seq of the item that was looked at last, Pending are the stories up to there that are in no page yet,
	// Bytes is about how much HTML they have.
	Cursor  uint64               `json:"cursor"`
	Pending []aggregator.StoryID `json:"pending,omitempty"`
	Bytes   int                  `json:"bytes,omitempty"`
	// Past are earlier generations that the store may still hold pages of.
	Past []string `json:"past,omitempty"`

	// revoked is set where its pages must not be shown.
	revoked bool
	// state tells its pages apart from other ones.
	state string
}

// has reports whether the page of the number is there.
func (g *generation) has(page int) bool { return !g.revoked && g.First <= page && page <= g.Last }

// NewArchive makes the archive of what src holds, as a site of the given options publishes it. The site shows it when it
// is among its Options. The error says which option is missing or wrong.
func NewArchive(src Source, store ArchiveStore, o Options, ao ArchiveOptions) (*Archive, error) {
	s, err := newSite(src, o)
	if err != nil {
		return nil, err
	}
	if ao.PageStories <= 0 {
		ao.PageStories = defaultPageStories
	}
	if ao.PageBytes <= 0 {
		ao.PageBytes = defaultPageBytes
	}
	if ao.Rules == nil {
		ao.Rules = func(aggregator.TopicID) aggregator.Hash { return aggregator.Hash{} }
	}
	packer, err := newPagePacker()
	if err != nil {
		return nil, fmt.Errorf("make archive: %w", err)
	}
	return &Archive{
		site: s, store: store, options: ao, packer: packer,
		wake: make(chan struct{}, 1), turn: make(chan struct{}, 1), seen: map[aggregator.TopicID]aggregator.Version{},
	}, nil
}

// Notice says that the store may have more items than before. It does not wait.
func (a *Archive) Notice() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run makes pages of what is noticed, until ctx ends. It must begin when the stored items are filed under the topics of
// the config.
func (a *Archive) Run(ctx context.Context) {
	for {
		pause := archivePause
		if err := a.Once(ctx); err != nil && ctx.Err() == nil {
			pause = archiveRetry
			a.Notice()
			a.site.options.Log.ErrorContext(ctx, "not all pages of the archive could be made; it is tried again",
				slog.Any("error", err), slog.Duration("in", pause))
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
	}
}

// Once makes all pages that are full, and removes those of topics that are no longer published. What is done when it is
// stopped stays done. A topic that fails keeps no other from being done.
func (a *Archive) Once(ctx context.Context) error {
	done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.renew(ctx); err != nil {
		return err
	}
	failed := a.dropRemoved(ctx)
	for _, c := range a.channels() {
		if err := a.catchUp(ctx, c); err != nil {
			failed = errors.Join(failed, fmt.Errorf("archive of topic %q: %w", c.topic, err))
		}
		if ctx.Err() != nil {
			return failed
		}
	}
	return failed
}

// channels are what has an archive.
func (a *Archive) channels() []channel {
	return append(a.site.topics(), a.site.channels[aggregator.AllTopics])
}

// begin waits for the right to make pages.
func (a *Archive) begin(ctx context.Context) (done func(), err error) {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := a.load(ctx); err != nil {
		<-a.turn
		return nil, err
	}
	return func() { <-a.turn }, nil
}

// catchUp makes the pages of a topic that are full.
func (a *Archive) catchUp(ctx context.Context, c channel) error {
	g, _, err := a.current(ctx, c.topic)
	if err != nil {
		return err
	}
	version, err := a.site.src.Version(ctx, c.topic)
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	if seen, ok := a.seen[c.topic]; ok && seen == version {
		return nil
	}
	unsaved := 0
	for it, err := range a.store.Items(ctx, aggregator.ItemQuery{Topic: c.topic, After: g.Cursor}) {
		if err != nil {
			return fmt.Errorf("read items: %w", err)
		}
		if g, err = a.take(ctx, g, &it); err != nil {
			return err
		}
		g.Cursor = it.Seq
		unsaved++
		for cut := true; cut && (len(g.Pending) >= a.options.PageStories || g.Bytes >= a.options.PageBytes); {
			if g, cut, err = a.cut(ctx, c, g); err != nil {
				return err
			}
			if cut {
				unsaved = 0
			}
		}
		if unsaved >= unsavedItems {
			unsaved = 0
			if err := a.put(ctx, g); err != nil {
				return err
			}
		}
	}
	a.keep(g)
	if g, err = a.forget(ctx, g); err != nil {
		return err
	}
	a.seen[c.topic] = version
	return nil
}

// take is the generation with the item's story, where that is neither in a page nor waits for one.
func (a *Archive) take(ctx context.Context, g generation, it *aggregator.Item) (generation, error) {
	if slices.Contains(g.Pending, it.Story) {
		return g, nil
	}
	_, err := a.store.Note(ctx, g.space(), storyKey(it.Story))
	switch {
	case errors.Is(err, aggregator.ErrNotFound):
		g.Pending = append(slices.Clip(g.Pending), it.Story)
		g.Bytes += sizeOf(it)
		return g, nil
	case err != nil:
		return g, fmt.Errorf("look up story: %w", err)
	}
	return g, nil
}

// rest are the stories of the generation's topic that are in none of its pages, in the order in which they came. whole is
// false where there are more than most, or too many items to look at: the archive lags behind then.
func (a *Archive) rest(ctx context.Context, g generation, most int) (stories []aggregator.StoryID, whole bool, err error) {
	looked := 0
	for it, err := range a.store.Items(ctx, aggregator.ItemQuery{Topic: g.Topic, After: g.Cursor}) {
		if err != nil {
			return nil, false, fmt.Errorf("read items: %w", err)
		}
		if g, err = a.take(ctx, g, &it); err != nil {
			return nil, false, err
		}
		if looked++; len(g.Pending) > most || looked > maxLooked {
			return nil, false, nil
		}
	}
	return g.Pending, len(g.Pending) <= most, nil
}

// state tells the states of what a feed shows of the archive apart.
func (a *Archive) state(ctx context.Context, topic aggregator.TopicID) (string, error) {
	g, ok, err := a.current(ctx, topic)
	if err != nil || !ok || g.revoked {
		return "", err
	}
	return g.state, nil
}
