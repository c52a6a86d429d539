// Package group decides, as items come in, which story each is of.
//
// An item comes with a story of its own: that of its canonical URL, which it shares with every item that links there
// (package story). A Grouper puts it into another one where, in this order,
//
//  1. another feed has an item with the same guid, and the guid is one that nobody else can have given: a tag, a UUID or
//     a URL of a public host;
//  2. an item with the same canonical URL was put into another story;
//  3. no stored item has its canonical URL, and the text of an item of another story is nearly the same (package near).
//
// That is decided once, before the item is stored for the first time, and never again: a story keeps its id, which is that
// of the first item that was stored of it, and no item changes its story. Two stories never become one. So the order of
// arrival can decide to which of two like stories an item belongs that is like both, and which item gave the id, and
// nothing else.
//
// # Bounds
//
// What is looked at are the items that were found in the last seven days, at most Options.Limit of them, the latest. They
// are kept in memory as sketches and read from the store where two are alike, at most eight for each new item, and at most two
// once a document has had 1,024 comparisons that found nothing: other polls may be waiting for it. After a restart those are
// read again that were published in the last fourteen days and are among the latest changes, twice as many as are kept: that
// takes a bounded time whatever the store holds.
//
// # Polls at once
//
// Two polls may bring one report at the same time. Group takes note of an item before it decides, and whoever finds a like
// one among those that are not stored yet waits until that is decided. It is there for others only once ended has said
// that it was stored; an item that was not is forgotten. Who waits does so for calls that began earlier, so none wait for
// each other.
package group

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

const (
	// DefaultLimit is how many items are kept where Options say nothing: about 70 MiB when there are so many.
	DefaultLimit = 1 << 18
	// mostCompared is how many items one is compared with, mostOfFeed how many of them may be of its own feed.
	mostCompared = 8
	mostOfFeed   = 2
	// mostInVain is how many comparisons of a call may find nothing. After them each item is compared with fewer others.
	mostInVain         = 1 << 10
	mostComparedInVain = 2
	mostOfFeedInVain   = 1
	// loadFactor is how many of the latest changes are looked at after a restart, for each item that is kept.
	loadFactor = 2
	// mostTexts is how many texts of siblings a call keeps, mostSides how many sides, at up to 100 KB each: more than it needs
	// for one item.
	mostTexts = 48
	mostSides = 16
	// published is how long ago an item that is looked at after a restart may have been published.
	published = 14 * 24 * time.Hour
)

// Store is what is read of the store. Its promises are those of storage.Store's methods of the same names.
type Store interface {
	Item(ctx context.Context, id aggregator.ItemID) (aggregator.Item, error)
	Story(ctx context.Context, id aggregator.StoryID) (aggregator.Story, error)
	Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error]
	Version(ctx context.Context, topic aggregator.TopicID) (aggregator.Version, error)
}

// Options are what a Grouper works with. Store and Now are required.
type Options struct {
	Store Store
	Now   func() time.Time
	// Limit is how many items are kept, rounded up to a power of two; DefaultLimit if 0.
	Limit int
	// Exact are the feeds whose items are of one story with others only by their URLs, wherever these lead.
	Exact map[aggregator.FeedID]bool
}

// Grouper decides stories. It is made by New and safe for use by many goroutines.
type Grouper struct {
	Options
	// loading is held by who reads the window from the store.
	loading chan struct{}

	mu     sync.Mutex
	loaded bool
	index  *near.Index
	// keys leads from what identifies an item to its story.
	keys keys
	// pending are the entries of the index that are not stored yet, claimed the stories that their items came with.
	pending map[near.Serial]*claim
	claimed map[aggregator.StoryID]*claim
}

// New makes a Grouper. The store is read when it is first needed.
func New(o Options) *Grouper {
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	return &Grouper{Options: o, loading: make(chan struct{}, 1)}
}

// claim is a call of Group whose items are not stored yet.
type claim struct {
	members []member
	// entered are the members that have a serial, by it.
	entered map[near.Serial]*member
	// texts are the siblings that were read in it, sides what was compared, by the serial of their entry. Of both some.
	texts map[near.Serial]*near.Text
	sides map[near.Serial]*near.Side
	// inVain counts the comparisons that found nothing.
	inVain int
	done   chan struct{}
}

func newClaim() *claim {
	return &claim{
		entered: map[near.Serial]*member{}, texts: map[near.Serial]*near.Text{}, sides: map[near.Serial]*near.Side{},
		done: make(chan struct{}),
	}
}

// member is a new item.
type member struct {
	item *aggregator.Item
	// own is the story that the item came with, guid the key of its guid where nobody else can have given it.
	own, guid aggregator.StoryID
	sketch    near.Sketch
	// serial is that of its entry, 0 where it has none because its text is too short.
	serial near.Serial
}

// Group sets the Story of those items that are new, which are those without a Seq. They are one feed's and in the order in
// which they are to be stored. ended must be called once, with whether they were stored. An error is the store's or ctx's;
// there is nothing to end then.
func (g *Grouper) Group(ctx context.Context, items []aggregator.Item) (ended func(stored bool), err error) {
	c := newClaim()
	for i := range items {
		it := &items[i]
		if it.Seq != 0 {
			continue
		}
		m, comparable := g.newMember(it)
		if comparable {
			m.serial = 1 // until it has one
		}
		c.members = append(c.members, m)
	}
	if len(c.members) == 0 {
		return func(bool) {}, nil
	}
	if err := g.Load(ctx); err != nil {
		return nil, err
	}
	wait, decided := g.enter(c), false
	defer func() {
		if !decided {
			g.end(c, false)
		}
	}()
	if err := g.settle(ctx, c, wait); err != nil {
		return nil, fmt.Errorf("decide the stories of new items: %w", err)
	}
	decided, c.texts, c.sides = true, nil, nil
	return func(stored bool) { g.end(c, stored) }, nil
}

// newMember is the item as it is looked at, and whether its text is. Of a feed whose texts are not compared only the URL
// counts.
func (g *Grouper) newMember(it *aggregator.Item) (m member, comparable bool) {
	m = member{item: it, own: it.Story}
	if g.Exact[it.Feed] {
		return m, false
	}
	m.guid = guidKey(it)
	m.sketch, comparable = near.SketchOf(it)
	return m, comparable
}

// enter takes note of the items and gives the claims to wait for.
func (g *Grouper) enter(c *claim) []*claim {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := map[*claim]bool{}
	for i := range c.members {
		m := &c.members[i]
		if m.serial != 0 {
			for _, like := range g.index.Candidates(&m.sketch, m.item.FirstSeen, 0) {
				if other := g.pending[like.Serial]; other != nil && other != c {
					before[other] = true
				}
			}
			m.serial = g.index.Add(near.Entry{Item: m.item.ID, Story: m.own, Feed: m.item.Feed, Found: m.item.FirstSeen, Sketch: m.sketch})
			g.pending[m.serial], c.entered[m.serial] = c, m
		}
		for _, key := range []aggregator.StoryID{m.own, m.guid} {
			if key == (aggregator.StoryID{}) {
				continue
			}
			if other := g.claimed[key]; other != nil && other != c {
				before[other] = true
			}
			g.claimed[key] = c
		}
	}
	var wait []*claim
	for other := range before {
		wait = append(wait, other)
	}
	return wait
}

// settle decides, once the given claims have ended.
func (g *Grouper) settle(ctx context.Context, c *claim, before []*claim) error {
	for _, other := range before {
		select {
		case <-other.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	decided := keys{}
	for i := range c.members {
		m := &c.members[i]
		if err := g.decide(ctx, c, m, decided); err != nil {
			return err
		}
		if m.item.Story != m.own {
			decided.set(m.own, m)
		}
	}
	return nil
}

// decide sets the story of an item. decided are the claim's items before it that are not in the story that they came with.
func (g *Grouper) decide(ctx context.Context, c *claim, m *member, decided keys) error {
	g.mu.Lock()
	byGUID, known := g.keys.across(m.guid, m.item.Feed)
	byURL, moved := g.keys.get(m.own)
	g.mu.Unlock()
	if here, ok := decided.get(m.own); ok {
		byURL, moved = here, true
	}
	other := m.own
	switch {
	case moved && !known:
		m.item.Story = byURL
		return nil
	case known:
		other = byGUID
	case m.serial != 0:
		var err error
		if other, err = g.like(ctx, c, m); err != nil {
			return err
		}
	}
	if other == m.own {
		return nil
	}
	switch _, err := g.Store.Story(ctx, m.own); {
	case errors.Is(err, aggregator.ErrNotFound):
		m.item.Story = other
	case err != nil:
		return err
	}
	return nil // where it is stored, the story of the same page stays one
}

// end makes the items of a claim known to others, or forgets them.
func (g *Grouper) end(c *claim, stored bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range c.members {
		m := &c.members[i]
		delete(g.pending, m.serial)
		for _, key := range []aggregator.StoryID{m.own, m.guid} {
			if g.claimed[key] == c {
				delete(g.claimed, key)
			}
		}
		if !stored {
			g.index.Remove(m.serial)
			continue
		}
		g.index.SetStory(m.serial, m.item.Story)
		g.remember(m)
	}
	close(c.done)
}

// remember keeps what leads to the item's story and is not the story's id itself. g.mu is locked.
func (g *Grouper) remember(m *member) {
	if m.item.Story != m.own {
		g.keys.set(m.own, m)
	}
	if m.guid != (aggregator.StoryID{}) {
		g.keys.set(m.guid, m)
	}
	g.keys.bound(g.Limit, m.item.FirstSeen)
}

// Load reads the window from the store, unless that was done before. Group does so by itself.
func (g *Grouper) Load(ctx context.Context) error {
	select {
	case g.loading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.loading }()
	g.mu.Lock()
	loaded := g.loaded
	g.mu.Unlock()
	if loaded {
		return nil
	}
	fresh := Grouper{
		Options: g.Options, index: near.NewIndex(g.Limit), keys: keys{},
		pending: map[near.Serial]*claim{}, claimed: map[aggregator.StoryID]*claim{},
	}
	now := g.Now()
	version, err := g.Store.Version(ctx, aggregator.AllTopics)
	if err != nil {
		return fmt.Errorf("read how many items there are: %w", err)
	}
	query := aggregator.ItemQuery{Since: now.Add(-published)}
	if most := loadFactor * uint64(g.Limit); version.Seq > most {
		query.After = version.Seq - most
	}
	for it, err := range g.Store.Items(ctx, query) {
		if err != nil {
			return fmt.Errorf("read the items of the last days: %w", err)
		}
		if now.Sub(it.FirstSeen) > near.Window {
			continue
		}
		fresh.take(&it)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index, g.keys, g.pending, g.claimed, g.loaded = fresh.index, fresh.keys, fresh.pending, fresh.claimed, true
	return nil
}

// take takes in a stored item. Which story it came with is not stored, and is found again by its URL, where that is one that
// told the item from others.
func (g *Grouper) take(it *aggregator.Item) {
	m, comparable := g.newMember(it)
	if story.LinkIdentifies(it) && it.Story != aggregator.NewStoryID("item", it.ID.String()) {
		m.own = aggregator.NewStoryID("url", story.Key(it.CanonicalURL))
	}
	if comparable {
		g.index.Add(near.Entry{Item: it.ID, Story: it.Story, Feed: it.Feed, Found: it.FirstSeen, Sketch: m.sketch})
	}
	g.remember(&m)
}
