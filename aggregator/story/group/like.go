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
	most, mostOwn := mostCompared, mostOfFeed
	if c.inVain >= mostInVain {
		most, mostOwn = mostComparedInVain, mostOfFeedInVain
	}
	compared, ofFeed := 0, 0
	var mine *near.Side
	for _, candidate := range candidates {
		if candidate.Feed == m.item.Feed {
			if ofFeed++; ofFeed > mostOwn {
				continue
			}
		}
		if compared++; compared > most {
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
		if other == nil {
			continue
		}
		if near.Compare(mine, other).Same {
			if story, ok := g.storyOf(c, candidate.Serial); ok {
				return story, nil
			}
		}
		c.inVain++
	}
	return m.own, nil
}

// storyOf is the story of an entry, also of one of the claim's own.
func (g *Grouper) storyOf(c *claim, serial near.Serial) (aggregator.StoryID, bool) {
	if m := c.entered[serial]; m != nil {
		return m.item.Story, true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index.Story(serial)
}

// side is an entry as it is compared, nil where it is no longer stored.
func (g *Grouper) side(ctx context.Context, c *claim, serial near.Serial, feed aggregator.FeedID, found time.Time) (*near.Side, error) {
	if side, ok := c.sides[serial]; ok {
		return side, nil
	}
	text, err := g.text(ctx, c, serial)
	if err != nil || text == nil {
		return nil, err
	}
	siblings, err := g.siblings(ctx, c, feed, func(s near.Serial, _ aggregator.ItemID) bool { return s == serial })
	if err != nil {
		return nil, err
	}
	makeRoom(c.sides, mostSides)
	c.sides[serial] = near.NewSide(text, feed, found, siblings)
	return c.sides[serial], nil
}

// siblings reads other items of the feed, stored ones and the claim's own.
func (g *Grouper) siblings(ctx context.Context, c *claim, feed aggregator.FeedID, itself func(near.Serial, aggregator.ItemID) bool) ([]*near.Text, error) {
	g.mu.Lock()
	family := g.index.Siblings(feed, near.Siblings, func(serial near.Serial, id aggregator.ItemID) bool {
		other := g.pending[serial]
		return itself(serial, id) || other != nil && other != c
	})
	g.mu.Unlock()
	var siblings []*near.Text
	for _, sibling := range family {
		text, err := g.text(ctx, c, sibling)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		siblings = append(siblings, text)
		if _, kept := c.texts[sibling]; !kept {
			makeRoom(c.texts, mostTexts)
			c.texts[sibling] = text
		}
	}
	return siblings, nil
}

// text reads an entry's item, nil where it is no longer stored.
func (g *Grouper) text(ctx context.Context, c *claim, serial near.Serial) (*near.Text, error) {
	if text, ok := c.texts[serial]; ok {
		return text, nil
	}
	if m := c.entered[serial]; m != nil {
		return near.Read(m.item), nil
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
	return near.Read(&it), nil
}

// makeRoom drops any one of the entries where there are as many as there may be.
func makeRoom[V any](kept map[near.Serial]V, most int) {
	for serial := range kept {
		if len(kept) < most {
			return
		}
		delete(kept, serial)
	}
}
