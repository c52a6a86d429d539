package group

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

// keys lead to stories: from the story that an item came with, and from its guid.
type keys map[aggregator.StoryID]place

// place is where a key leads. Where two items of one feed have the same guid it leads nowhere: the story is zero.
type place struct {
	story aggregator.StoryID
	feed  aggregator.FeedID
	item  aggregator.ItemID
	found time.Time
}

func (k keys) set(key aggregator.StoryID, m *member) {
	p := place{m.item.Story, m.item.Feed, m.item.ID, m.item.FirstSeen}
	if known, ok := k[key]; ok {
		if key == m.guid && known.feed == p.feed && known.item != p.item {
			known.story = aggregator.StoryID{}
		}
		p = known
	}
	k[key] = p
}

func (k keys) get(key aggregator.StoryID) (aggregator.StoryID, bool) {
	p := k[key]
	return p.story, p.story != aggregator.StoryID{}
}

// across is the story that the key leads to from another feed.
func (k keys) across(key aggregator.StoryID, feed aggregator.FeedID) (aggregator.StoryID, bool) {
	p := k[key]
	return p.story, p.story != aggregator.StoryID{} && p.feed != feed
}

// bound drops what was found longest ago when there is too much, and all where that is not enough.
func (k keys) bound(limit int, now time.Time) {
	if len(k) < limit {
		return
	}
	for age := near.Window; 4*len(k) > 3*limit; age /= 2 {
		if age < time.Minute {
			clear(k)
			return
		}
		for key, p := range k {
			if now.Sub(p.found) >= age {
				delete(k, key)
			}
		}
	}
}

// guidKey is a key for the item's guid where it is one that nobody else can have given, and says more than the item's
// URL does; else zero.
func guidKey(it *aggregator.Item) aggregator.StoryID {
	guid := it.GUID
	lower := strings.ToLower(guid)
	switch {
	case strings.HasPrefix(lower, "tag:") && strings.Count(guid, ":") >= 2 && strings.Contains(guid, ","):
	case strings.HasPrefix(lower, "urn:uuid:") && len(guid) == len("urn:uuid:")+36 && strings.Trim(guid[9:], "0-") != "":
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		u, err := url.Parse(guid)
		if err != nil || !public(u.Hostname()) {
			return aggregator.StoryID{}
		}
		key := story.Key(story.Canonical(guid))
		if !story.Identifying(key) || isLink(it) {
			return aggregator.StoryID{}
		}
		guid = key
	default:
		return aggregator.StoryID{}
	}
	return aggregator.NewStoryID("guid", guid)
}

// public reports whether the host is one that only its owner has: no address, no name of the own network, none of those
// that documents and templates use (RFC 6761).
func public(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, private := range []string{
		".localhost", ".local", ".internal", ".invalid", ".test", ".example", ".example.com", ".example.org", ".example.net",
	} {
		if strings.HasSuffix("."+host, private) {
			return false
		}
	}
	return strings.Contains(host, ".")
}
