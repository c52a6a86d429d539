package poll

import (
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// sighting is what one poll saw of a feed.
type sighting struct {
	feed aggregator.Feed
	// previous is the feed's state before the poll.
	previous aggregator.FeedState
	// at is when the poll began.
	at time.Time
	// items are the document's, identified.
	items []aggregator.Item
	// stored are those of the document's items that the store has and whose hash is no longer the same.
	stored map[aggregator.ItemID]aggregator.Item
	// earlier are the hashes of the texts that those had before, where that is known.
	earlier map[aggregator.ItemID][]aggregator.Hash
	// unchanged are those that the store has as they are.
	unchanged map[aggregator.ItemID]bool
}

// settle decides, without any I/O, what the sighting adds to the store and what it changes there: oldest first, which is
// the order in which they get their Seq. It sets all that the publisher does not say, but for the topics. tooOld counts
// the items that the feed's MaxAge keeps out.
//
// passedOver counts the changes that are not worth storing.
func settle(s sighting) (items []aggregator.Item, tooOld, passedOver int) {
	items = slices.Grow(items, max(0, len(s.items)-len(s.unchanged)))
	// Publishers list the latest first; where nothing else orders two items, that does.
	for _, it := range slices.Backward(s.items) {
		if s.unchanged[it.ID] {
			continue
		}
		if old, ok := s.stored[it.ID]; ok {
			if next, worth := s.change(old, it); worth {
				items = append(items, next)
			} else {
				passedOver++
			}
			continue
		}
		items = append(items, it)
		fresh := &items[len(items)-1]
		s.first(fresh)
		if s.feed.MaxAge > 0 && s.at.Sub(fresh.Published) > s.feed.MaxAge {
			tooOld++
			items = items[:len(items)-1]
		}
	}
	putInOrder(items)
	// Items of one poll that would have the same place follow each other in that order.
	for i := range items[min(1, len(items)):] {
		before, it := items[i].OrderTime, &items[i+1]
		if _, stored := s.stored[it.ID]; !stored && !it.OrderTime.After(before) {
			it.OrderTime = before.Add(1)
		}
	}
	return items, tooOld, passedOver
}

// putInOrder sorts the items by their place, those with the same one as they are. Items are large: each is moved once.
func putInOrder(items []aggregator.Item) {
	from := make([]int, len(items)) // where the item is that belongs there
	for i := range from {
		from[i] = i
	}
	slices.SortStableFunc(from, func(a, b int) int {
		if c := items[a].OrderTime.Compare(items[b].OrderTime); c != 0 {
			return c
		}
		return items[a].Published.Compare(items[b].Published)
	})
	for start := range from {
		if from[start] == start {
			continue
		}
		first, at := items[start], start
		for from[at] != start {
			next := from[at]
			items[at], from[at] = items[next], at
			at = next
		}
		items[at], from[at] = first, at
	}
}

// first completes an item that the store does not have.
func (s *sighting) first(it *aggregator.Item) {
	it.Feed = s.feed.ID
	it.Revision = 1
	it.FirstSeen = s.at
	it.DateSource = aggregator.DateFromFeed
	if !known(it.Published, s.at) && known(it.Updated, s.at) {
		it.Published = it.Updated
	}
	if !known(it.Published, s.at) {
		it.Published = s.at
		it.DateSource = aggregator.DateFromFirstSeen
	}
	it.Revised = it.Published
	if known(it.Updated, s.at) && it.Updated.After(it.Published) {
		it.Revised = it.Updated
	}
	// The first poll of a feed lists its backlog where it belongs. What a later poll finds is news: an item that
	// pretends to be older than the last look at the feed would be buried where no subscriber sees it.
	it.OrderTime = it.Published
	if !s.previous.LastSuccess.IsZero() && it.Published.Before(s.previous.LastSuccess) {
		it.OrderTime = s.at
	}
}

// change is the stored item with what the publisher now says of it, and whether that is worth storing. What identifies and
// places it stays: a publisher that moves a date or touches a comma makes neither a new item nor one that jumps to the top.
func (s *sighting) change(old, it aggregator.Item) (next aggregator.Item, worth bool) {
	next = it
	next.Feed = old.Feed
	next.Aliases = old.Aliases
	for _, alias := range it.Aliases {
		if alias != old.ID && !slices.Contains(next.Aliases, alias) {
			next.Aliases = append(slices.Clone(next.Aliases), alias)
		}
	}
	next.Story, next.Seq = old.Story, old.Seq
	next.Published, next.DateSource = old.Published, old.DateSource
	next.FirstSeen, next.OrderTime = old.FirstSeen, old.OrderTime
	next.Revision, next.Revised = old.Revision, old.Revised
	restless := s.previous.IsRestless()
	if it.TextHash == old.TextHash {
		return next, !restless || len(next.Aliases) > len(old.Aliases)
	}
	earlier := s.earlier[old.ID]
	switch changing := restless || old.Noisy(); {
	case slices.Contains(earlier, it.TextHash):
		// It goes back to a text that it had. The present one is kept, once, however often the two change places.
		if slices.Contains(earlier, old.TextHash) {
			return next, !restless
		}
		next.Revision++
	case changing && s.at.Sub(old.Revised) < keptRarely:
		return next, false
	default:
		next.Revision++
		next.Revised = s.at
		if it.Updated.After(old.Revised) && known(it.Updated, s.at) && !changing {
			next.Revised = it.Updated
		}
	}
	return next, true
}

// keptRarely is the least time between two kept texts of an item that changes all the time.
const keptRarely = 24 * time.Hour

// mostRestless bounds the count of documents in which most items had changed.
const mostRestless = 1000

// restless is the count of documents in a row in which more than half of the known items had changed, with this one: of
// the items that were known, unread were not even read. One or two items say nothing.
func (s *sighting) restless(unread int) int {
	changed, known := len(s.stored), len(s.stored)+len(s.unchanged)+unread
	switch {
	case known < 3:
		return s.previous.Restless
	case 2*changed > known:
		return min(s.previous.Restless+1, mostRestless)
	}
	return 0
}

// known reports whether a publisher's date can be believed at the given time: it is there and not in the future.
func known(date, at time.Time) bool { return !date.IsZero() && !date.After(at) }
