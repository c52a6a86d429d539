package story

import (
	"fmt"
	"slices"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
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
	// CanonicalURL, Plain, ID, Aliases, Story, Hash and TextHash set.
	Items []aggregator.Item
	// Repeats counts the items that were left out because the document has them twice, Shared those whose guid other
	// items of the document have as well.
	Repeats, Shared int
	// Listed is what to remember of each item that Identify was given, repeats too, in their order and without Bytes.
	Listed []aggregator.ListedItem

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
	guid, link, text string // link is a Key, text a textKey where the item has no guid
	listed           aggregator.ListedItem
	mark             string // what tells the item from others with the same guid and link: title or text
	identifies       bool   // the link belongs to this item and no other of the document
	byLink           aggregator.ItemID
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
//
// unread are the items of the document that are as they were the last time and are not among items: a Listed of then.
// They are identified already, and count where it matters what else is in the document.
func Identify(feed aggregator.FeedID, home string, items []aggregator.Item, unread []aggregator.ListedItem) *Batch {
	b := &Batch{}
	front := Key(Canonical(home))
	b.read(feed, front, items, unread)
	all := len(b.sightings) + len(unread)
	links := make(map[aggregator.Hash]int, all+1)
	guids := make(map[aggregator.Hash]int, all)
	pairs := make(map[[2]aggregator.Hash]int, all)
	links[aggregator.HashOf(front)] = 2
	note := func(l aggregator.ListedItem) {
		links[l.Link]++
		guids[l.GUID]++
		pairs[[2]aggregator.Hash{l.GUID, l.Link}]++
	}
	for _, l := range distinct(unread) {
		note(l)
	}
	for i := range b.sightings {
		note(b.sightings[i].listed)
	}
	for i := range b.sightings {
		it, s := &b.Items[i], &b.sightings[i]
		l := &s.listed
		s.identifies = s.link != "" && !isRoot(s.link) && links[l.Link] == 1
		shared := s.guid != "" && guids[l.GUID] > 1
		if shared {
			b.Shared++
		}
		s.candidates = candidates(feed, s, shared, pairs[[2]aggregator.Hash{l.GUID, l.Link}] > 1)
		b.decide(it, s)
	}
	b.dropSame()
	return b
}

// distinct leaves out the repeats.
func distinct(listed []aggregator.ListedItem) []aggregator.ListedItem {
	seen := make(map[aggregator.Hash]bool, len(listed))
	var once []aggregator.ListedItem
	for _, l := range listed {
		if !seen[l.Repeat] {
			seen[l.Repeat] = true
			once = append(once, l)
		}
	}
	return once
}

// read takes the items in, without the repeats among them and of those that are unread.
func (b *Batch) read(feed aggregator.FeedID, front string, items []aggregator.Item, unread []aggregator.ListedItem) {
	seen := make(map[aggregator.Hash]bool, len(items)+len(unread))
	for _, l := range unread {
		seen[l.Repeat] = true
	}
	b.Items = make([]aggregator.Item, 0, len(items))
	b.Listed = make([]aggregator.ListedItem, 0, len(items))
	b.sightings = make([]sighting, 0, len(items))
	for _, it := range items {
		it.Feed = feed
		it.GUID = strings.TrimSpace(it.GUID)
		it.CanonicalURL = Canonical(it.URL)
		it.Plain = markup.PlainOf(&it)
		it.Hash, it.TextHash = hashes(&it)
		s := sighting{guid: it.GUID, link: Key(it.CanonicalURL)}
		// What may be two things is kept twice: a copy too many does less harm than an item too few.
		s.mark = fold(it.Title)
		if s.guid == "" || s.mark == "" || s.link == "" || s.link == front || isRoot(s.link) {
			s.text = textKey(&it)
			s.mark = "\x00" + s.text
		}
		s.listed = aggregator.ListedItem{
			GUID: aggregator.HashOf(s.guid), Link: aggregator.HashOf(s.link), Repeat: aggregator.HashOf(s.guid, s.link, s.mark),
		}
		b.Listed = append(b.Listed, s.listed)
		if seen[s.listed.Repeat] {
			b.Repeats++
			continue
		}
		seen[s.listed.Repeat] = true
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
		if alias := s.byLink; alias != it.ID {
			it.Aliases = []aggregator.ItemID{alias}
		}
		return
	}
	it.Story = aggregator.NewStoryID("item", it.ID.String())
}

// LinkIdentifies reports whether the item's link identifies it: whether that is its id or one of its aliases. It can be asked
// of a stored item too, whose document is gone.
func LinkIdentifies(it *aggregator.Item) bool {
	key := Key(it.CanonicalURL)
	if !Identifying(key) {
		return false
	}
	id := aggregator.NewItemID(it.Feed, byLink, key)
	return it.ID == id || slices.Contains(it.Aliases, id)
}

// dropSame leaves out items that came to the same id by different roads, so that ids are unique whatever was read: two
// without a guid whose links differ and do not identify, with the same text.
func (b *Batch) dropSame() {
	seen := make(map[aggregator.ItemID]bool, len(b.Items))
	n := 0
	for i := range b.Items {
		id := b.Items[i].ID
		if seen[id] {
			b.Repeats++
			continue
		}
		seen[id] = true
		if n < i {
			b.Items[n], b.sightings[n] = b.Items[i], b.sightings[i]
		}
		n++
	}
	b.Items, b.sightings = b.Items[:n], b.sightings[:n]
}
