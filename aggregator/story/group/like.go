package group

import (
	"context"
	"errors"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

// like is the story of the item that is most like the given one and the same report; the item's own where there is none.
func (g *Grouper) like(ctx context.Context, c *claim, m *member) (aggregator.StoryID, error) {
	g.mu.Lock()
	candidates := g.index.Candidates(&m.sketch, m.item.FirstSeen, m.serial)
	g.mu.Unlock()
	compared, ofFeed := 0, 0
	var mine *near.Side
	for _, candidate := range candidates {
		if candidate.Feed == m.item.Feed {
			if ofFeed++; ofFeed > mostOfFeed {
				continue
			}
		}
		if compared++; compared > mostCompared {
			break
		}
		if mine == nil {
			var err error
			if mine, err = g.side(ctx, c, m.serial, m.item.Feed, m.item.FirstSeen); err != nil {
				return m.own, err
			}
		}
		other, err := g.side(ctx, c, candidate.Serial, candidate.Feed, candidate.Found)
		if err != nil {
			return m.own, err
		}
		if other == nil || !near.Compare(mine, other).Same {
			continue
		}
		if story, ok := g.storyOf(c, candidate.Serial); ok {
			return story, nil
		}
	}
	return m.own, nil
}

// storyOf is the story of an entry, also of one of the claim's own.
func (g *Grouper) storyOf(c *claim, serial near.Serial) (aggregator.StoryID, bool) {
	for i := range c.members {
		if c.members[i].serial == serial {
			return c.members[i].item.Story, true
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index.Story(serial)
}

// side is an entry with its siblings, nil where it is no longer stored.
func (g *Grouper) side(ctx context.Context, c *claim, serial near.Serial, feed aggregator.FeedID, found time.Time) (*near.Side, error) {
	text, err := g.text(ctx, c, serial)
	if err != nil || text == nil {
		return nil, err
	}
	return g.withSiblings(ctx, c, &near.Side{Text: text, Feed: feed, Found: found}, func(s near.Serial, _ aggregator.ItemID) bool { return s == serial })
}

// withSiblings finds other items of the feed, stored ones and the claim's own.
func (g *Grouper) withSiblings(ctx context.Context, c *claim, s *near.Side, itself func(near.Serial, aggregator.ItemID) bool) (*near.Side, error) {
	g.mu.Lock()
	family := g.index.Siblings(s.Feed, near.Siblings, func(serial near.Serial, id aggregator.ItemID) bool {
		other := g.pending[serial]
		return itself(serial, id) || other != nil && other != c
	})
	g.mu.Unlock()
	for _, sibling := range family {
		text, err := g.text(ctx, c, sibling)
		if err != nil {
			return nil, err
		}
		if text != nil {
			s.Siblings = append(s.Siblings, text)
		}
	}
	return s, nil
}

// text reads an entry's item, nil where it is no longer stored.
func (g *Grouper) text(ctx context.Context, c *claim, serial near.Serial) (*near.Text, error) {
	if text, ok := c.texts[serial]; ok {
		return text, nil
	}
	for i := range c.members {
		if c.members[i].serial == serial {
			return c.read(serial, c.members[i].item), nil
		}
	}
	g.mu.Lock()
	id, ok := g.index.Item(serial)
	g.mu.Unlock()
	if !ok {
		return nil, nil
	}
	it, err := g.Store.Item(ctx, id)
	switch {
	case errors.Is(err, aggregator.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return c.read(serial, &it), nil
}

// read reads the text of an entry's item and keeps it: the next items are often compared with the same.
func (c *claim) read(serial near.Serial, it *aggregator.Item) *near.Text {
	if len(c.texts) >= mostTexts {
		clear(c.texts)
	}
	c.texts[serial] = near.Read(it)
	return c.texts[serial]
}
