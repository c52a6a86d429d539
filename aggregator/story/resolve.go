package story

import (
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// candidate is an id under which a store may know an item.
type candidate struct {
	id aggregator.ItemID
	// primary marks the id that the item gets where the store knows none of its candidates.
	primary bool
	// same asks that the stored item has the same Hash: the id alone proves nothing.
	same bool
}

// ranks is how many candidates an item may have.
const ranks = 3

// candidates are the ids to look for, the strongest first, in places that mean the same for all items:
//
//	0  the exact key, of several parts: the item is stored under it if one was not enough when it was new
//	1  the key by which the document's items are told apart at this time
//	2  what else leads to it: the link of an item with a guid; or a key that has become ambiguous since the item was
//	   stored, which then must have the same hash
func candidates(feed aggregator.FeedID, s *sighting, sharedGUID, sharedPair bool) []candidate {
	id := func(kind, key string) aggregator.ItemID { return aggregator.NewItemID(feed, kind, key) }
	s.byLink = id(byLink, s.link)
	link := candidate{id: s.byLink}
	if s.guid == "" {
		text := candidate{id: id(byText, s.text)}
		exact := candidate{id: id(byLinkText, pair(s.link, s.text))}
		if s.identifies {
			link.primary, text.same = true, true
			return []candidate{exact, link, text}
		}
		text.primary, link.same = true, true
		if s.link == "" {
			link = candidate{}
		}
		return []candidate{exact, text, link}
	}
	guid := candidate{id: id(byGUID, s.guid)}
	var exact candidate
	if s.link == "" || sharedPair {
		exact.id = id(byGUIDText, pair(s.guid, pair(s.link, s.mark)))
	} else {
		exact.id = id(byGUIDLink, pair(s.guid, s.link))
	}
	if !sharedGUID {
		guid.primary = true
		if !s.identifies {
			link = candidate{}
		}
		return []candidate{exact, guid, link}
	}
	exact.primary, guid.same = true, true
	if s.identifies {
		return []candidate{exact, link, guid}
	}
	return []candidate{exact, {}, guid}
}

// pair is one key made of two, which no other two make.
func pair(a, b string) string { return aggregator.HashOf(a, b).String() }

// Lookups are the ids to ask a store about before Resolve.
func (b *Batch) Lookups() []aggregator.ItemID {
	var ids []aggregator.ItemID
	for _, s := range b.sightings {
		for _, c := range s.candidates {
			if c != (candidate{}) {
				ids = append(ids, c.id)
			}
		}
	}
	return ids
}

// Resolve finds the stored item that each of Items is, given what the store says of the Lookups, in their order. The
// answer is parallel to Items: Found tells an item that is stored from a new one, ID and Hash are the stored item's.
//
// An item that the store has under another id (its guid or link changed, or came to be shared) gets that id, and its own
// becomes an alias. No two items become the same stored item: the one with the stronger claim does, by the stored
// item's own id before by an alias. The other is new, and gets an id of two keys where its own id is the alias of the
// first.
func (b *Batch) Resolve(known []aggregator.KnownItem) []aggregator.KnownItem {
	answers := b.answers(known)
	resolved := make([]aggregator.KnownItem, len(b.Items))
	claimed := map[aggregator.ItemID]bool{}
	for rank := range ranks {
		for _, own := range []bool{true, false} {
			for i := range b.Items {
				c, k := b.sightings[i].candidates[rank], answers[i][rank]
				if resolved[i].Found || !k.Found || claimed[k.ID] || (k.ID == c.id) != own {
					continue
				}
				if c.same && k.Hash != b.Items[i].Hash {
					continue
				}
				claimed[k.ID] = true
				resolved[i] = k
			}
		}
	}
	for i, k := range resolved {
		it, s := &b.Items[i], &b.sightings[i]
		switch {
		case k.Found && k.ID != it.ID:
			rename(it, k.ID)
		case !k.Found && b.taken(i, answers[i]):
			it.ID = s.candidates[0].id
		}
	}
	return resolved
}

// taken reports whether the item's own id leads to a stored item, which is then another's.
func (b *Batch) taken(i int, answers [ranks]aggregator.KnownItem) bool {
	for rank, c := range b.sightings[i].candidates {
		if c.primary && answers[rank].Found {
			return true
		}
	}
	return false
}

// answers sorts what the store says by item and rank.
func (b *Batch) answers(known []aggregator.KnownItem) [][ranks]aggregator.KnownItem {
	answers := make([][ranks]aggregator.KnownItem, len(b.Items))
	for i, s := range b.sightings {
		for rank, c := range s.candidates {
			if c == (candidate{}) || len(known) == 0 {
				continue
			}
			answers[i][rank], known = known[0], known[1:]
		}
	}
	return answers
}

// rename gives the item the id under which it is stored, and keeps its own as an alias.
func rename(it *aggregator.Item, id aggregator.ItemID) {
	aliases := []aggregator.ItemID{it.ID}
	for _, alias := range it.Aliases {
		if alias != id && !slices.Contains(aliases, alias) {
			aliases = append(aliases, alias)
		}
	}
	it.ID, it.Aliases = id, aliases
}
