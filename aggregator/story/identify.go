package story

import (
	"fmt"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// Kinds of keys that ids are made of. They are part of every stored id and never change.
const (
	byGUID     = "guid"
	byLink     = "link"
	byText     = "text"
	byGUIDLink = "guid+link"
	byGUIDText = "guid+text"
	byLinkText = "link+text"
)

// Batch is the identified items of one document.
type Batch struct {
	// Items are those of the document, in its order, without repeats. Each has its GUID trimmed and its Feed,
	// CanonicalURL, ID, Aliases, Story, Hash and TextHash set.
	Items []aggregator.Item
	// Repeats counts the items that were left out because the document has them twice, Shared those whose guid other
	// items of the document have as well.
	Repeats, Shared int

	sightings []sighting // parallel to Items
}

// Repairs says in short phrases what was amiss with the identity of the document's items; none where nothing was.
func (b *Batch) Repairs() []string {
	var phrases []string
	if b.Repeats > 0 {
		phrases = append(phrases, count(b.Repeats, "item is", "items are")+" listed twice: the first is kept")
	}
	if b.Shared > 0 {
		phrases = append(phrases, count(b.Shared, "item shares its guid", "items share their guid")+
			" with others: told apart by link or text")
	}
	return phrases
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// sighting is what the identity of one item is decided from.
type sighting struct {
	guid, link, text string // link is a Key, text a TextHash
	mark             string // what tells the item from others with the same guid and link: title or text
	identifies       bool   // the link belongs to this item and no other of the document
	candidates       []candidate
}

// Identify decides which items the given ones are. They are all the items of one document of the feed, as parsed, whose
// home page is home; they are not changed.
//
// An item is identified by its guid; without one by its link; without either by its title and text; never by a date. A
// link identifies an item only if no other item of the document has it and it is neither the feed's home page nor a
// site's front page. Items that share a guid and differ in their links are identified by both together, and by guid,
// link and title or text where the links do not differ either.
//
// Two items with the same guid, link and title are one item listed twice; where there is no guid, no title or no link
// that could identify them, the text has to be the same as well. The first is kept.
//
// An item with a guid has the id of its identifying link as an alias. Its story is that of the link, shared with every
// feed that links to it, or one of its own where the link does not identify.
//
// What an item becomes does not depend on the order of the items, except which of two repeats is kept.
func Identify(feed aggregator.FeedID, home string, items []aggregator.Item) *Batch {
	b := &Batch{}
	front := Key(Canonical(home))
	b.read(feed, front, items)
	links := map[string]int{front: 2}
	guids := map[string]int{}
	for _, s := range b.sightings {
		links[s.link]++
		guids[s.guid]++
	}
	pairs := map[[2]string]int{}
	for _, s := range b.sightings {
		pairs[[2]string{s.guid, s.link}]++
	}
	for i := range b.sightings {
		it, s := &b.Items[i], &b.sightings[i]
		s.identifies = s.link != "" && !isRoot(s.link) && links[s.link] == 1
		if s.guid != "" && guids[s.guid] > 1 {
			b.Shared++
		}
		s.candidates = candidates(feed, s, guids[s.guid] > 1, pairs[[2]string{s.guid, s.link}] > 1)
		b.decide(it, s)
	}
	b.dropSame()
	return b
}

// read takes the items in, without the repeats among them.
func (b *Batch) read(feed aggregator.FeedID, front string, items []aggregator.Item) {
	seen := map[[3]string]bool{}
	for _, it := range items {
		it.Feed = feed
		it.GUID = strings.TrimSpace(it.GUID)
		it.CanonicalURL = Canonical(it.URL)
		it.Hash, it.TextHash = hashes(&it)
		s := sighting{guid: it.GUID, link: Key(it.CanonicalURL), text: textKey(&it)}
		// What may be two things is kept twice: a copy too many does less harm than an item too few.
		s.mark = fold(it.Title)
		if s.guid == "" || s.mark == "" || s.link == "" || s.link == front || isRoot(s.link) {
			s.mark = "\x00" + s.text
		}
		repeat := [3]string{s.guid, s.link, s.mark}
		if seen[repeat] {
			b.Repeats++
			continue
		}
		seen[repeat] = true
		b.Items = append(b.Items, it)
		b.sightings = append(b.sightings, s)
	}
}

// decide sets what the sighting says of the item.
func (b *Batch) decide(it *aggregator.Item, s *sighting) {
	for _, c := range s.candidates {
		if c.primary {
			it.ID = c.id
		}
	}
	it.Aliases = nil
	if s.identifies {
		it.Story = aggregator.NewStoryID("url", s.link)
		if alias := aggregator.NewItemID(it.Feed, byLink, s.link); alias != it.ID {
			it.Aliases = []aggregator.ItemID{alias}
		}
		return
	}
	it.Story = aggregator.NewStoryID("item", it.ID.String())
}

// dropSame leaves out items that came to the same id by different roads, so that ids are unique whatever was read: two
// without a guid whose links differ and do not identify, with the same text.
func (b *Batch) dropSame() {
	seen := map[aggregator.ItemID]bool{}
	n := 0
	for i, it := range b.Items {
		if seen[it.ID] {
			b.Repeats++
			continue
		}
		seen[it.ID] = true
		b.Items[n], b.sightings[n] = it, b.sightings[i]
		n++
	}
	b.Items, b.sightings = b.Items[:n], b.sightings[:n]
}
