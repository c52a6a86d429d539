package group

import (
	"context"
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

// Explanation says of two items, step by step, whether they are one story.
type Explanation struct {
	// OneStory is how they are stored: that was decided when the later one came.
	OneStory bool `json:"one_story"`
	// GUID and URL are the first two steps, Text the third.
	GUID Step         `json:"guid"`
	URL  Step         `json:"url"`
	Text near.Verdict `json:"text"`
	// Exact says that one of their feeds is compared by URL alone, so that the texts did not count.
	Exact bool `json:"exact"`
}

// Step is what one step finds.
type Step struct {
	Same   bool   `json:"same"`
	Reason string `json:"reason"`
	// Keys are what was compared.
	Keys [2]string `json:"keys"`
}

// Explain compares two stored items as Group would if the later one came now.
func (g *Grouper) Explain(ctx context.Context, a, b *aggregator.Item) (Explanation, error) {
	x := Explanation{OneStory: a.Story == b.Story, GUID: compareGUIDs(a, b), URL: compareURLs(a, b), Exact: g.Exact[a.Feed] || g.Exact[b.Feed]}
	if err := g.Load(ctx); err != nil {
		return x, err
	}
	c := newClaim()
	var sides [2]*near.Side
	for i, it := range []*aggregator.Item{a, b} {
		siblings, err := g.siblings(ctx, c, it.Feed, func(_ near.Serial, id aggregator.ItemID) bool { return id == it.ID })
		if err != nil {
			return x, fmt.Errorf("read other items of feed %q: %w", it.Feed, err)
		}
		sides[i] = near.NewSide(near.Read(it), it.Feed, it.FirstSeen, siblings)
	}
	x.Text = near.Compare(sides[0], sides[1])
	return x, nil
}

func compareGUIDs(a, b *aggregator.Item) Step {
	s := Step{Keys: [2]string{a.GUID, b.GUID}}
	one, other := guidKey(a), guidKey(b)
	switch {
	case a.GUID == "" || b.GUID == "":
		s.Reason = "an item has no guid"
	case a.GUID != b.GUID && (one != other || one == aggregator.StoryID{}):
		s.Reason = "their guids differ"
	case isLink(a) && isLink(b):
		s.Reason = "their guids are their links, which the next step compares"
	case one == aggregator.StoryID{}:
		s.Reason = "their guid is no tag, UUID or other public URL, so that others may have given it too"
	case a.Feed == b.Feed:
		s.Reason = "they are of one feed, where the same guid on other items says nothing"
	default:
		s.Same, s.Reason = true, "the same guid, which nobody else can have given"
	}
	return s
}

func compareURLs(a, b *aggregator.Item) Step {
	one, other := story.Key(a.CanonicalURL), story.Key(b.CanonicalURL)
	s := Step{Keys: [2]string{one, other}}
	switch {
	case one == "" || other == "":
		s.Reason = "an item has no link"
	case one != other:
		s.Reason = "their links lead to different pages"
	case !story.Identifying(one):
		s.Reason = "their link is a site's front page"
	case a.Feed == b.Feed && a.ID != b.ID:
		s.Reason = "two items of one feed have this link, so that it says nothing of either"
	default:
		s.Same, s.Reason = true, "their links lead to the same page"
	}
	return s
}

// isLink reports whether the item's guid is its link.
func isLink(it *aggregator.Item) bool {
	key := story.Key(story.Canonical(it.GUID))
	return key != "" && key == story.Key(it.CanonicalURL)
}
