package near

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// wholeBins and leadBins are how many hashes a sketch keeps of all shingles and of those of the beginning. Two of
	// them make a band; texts that agree in a band are candidates. At a Jaccard index of 0.6 that is missed by all bands
	// of the whole once in ninety times; most such texts also agree in their beginning, as cut copies do.
	wholeBins = 20
	leadBins  = 12
	bins      = wholeBins + leadBins
	bands     = bins / 2
	// likeWhole and likeLead are how many bins must agree.
	likeWhole = 6
	likeLead  = 5
	// longestChain is how many entries of a band are looked at, latest first. It bounds the time for texts of which many
	// have the same.
	longestChain = 96
	// longestFamily is how many items back the siblings in a feed are looked for.
	longestFamily = 64
)

// Sketch stands for a text where many are kept: two texts agree in about the part of its bins that they share of their
// shingles.
type Sketch [bins]uint16

// SketchOf is the sketch of an item's text. It is much cheaper than to Read it. ok is false where the text is too short to be
// compared, or says the same again and again.
func SketchOf(it *aggregator.Item) (s Sketch, ok bool) {
	text := plain(it)
	if len(text) < MinWords {
		return s, false
	}
	var whole, lead least
	whole.size, lead.size = wholeBins, leadBins
	var last run4
	var different [minShingles]uint64
	varied := 0
	left := words{text: text}
	for w, more := left.next(); more; w, more = left.next() {
		h, ok := last.add(w.hash)
		if !ok {
			continue
		}
		if varied < minShingles && !slices.Contains(different[:varied], h) {
			different[varied] = h
			varied++
		}
		whole.add(h)
		if last.n <= leadWords {
			lead.add(h)
		}
	}
	whole.fill(s[:wholeBins])
	lead.fill(s[wholeBins:])
	return s, last.n >= MinWords && varied == minShingles
}

// least has the least hash of each of so many bins, and one more than that, so that zero is none.
type least struct {
	size uint64
	bins [wholeBins]uint64
}

func (l *least) add(h uint64) {
	bin := &l.bins[(h>>32)*l.size>>32]
	if h = h&math.MaxUint32 + 1; *bin == 0 || h < *bin {
		*bin = h
	}
}

// fill puts the least hash of each bin there; an empty bin takes the next one's, changed by the distance.
func (l *least) fill(s []uint16) {
	for i := range s {
		for d := range s {
			if h := l.bins[(i+d)%len(s)]; h != 0 {
				s[i] = uint16(mix(h+uint64(d)<<32) >> 16)
				break
			}
		}
	}
}

// Entry is an item in an Index.
type Entry struct {
	Item  aggregator.ItemID
	Story aggregator.StoryID
	Feed  aggregator.FeedID
	Found time.Time
	Sketch
}

// Serial is the number of an entry. Numbers count up from 1.
type Serial uint32

// Candidate is an entry that may have nearly the same text as what was asked for.
type Candidate struct {
	Serial Serial
	Item   aggregator.ItemID
	Feed   aggregator.FeedID
	// Found is exact to the minute.
	Found time.Time
	// Alike is the part of the bins that agree, of the whole or of the beginning, the greater of the two.
	Alike float64
}

// Index finds the texts of a window of time that are like a given one. It holds the latest entries, up to a bound; about
// 250 bytes each. Who uses it from many goroutines guards it.
type Index struct {
	max int
	// entries is a ring once it has max of them: the entry with a serial is at the serial modulo max.
	entries []entry
	last    Serial
	// heads has the latest entry of each bucket of each band; an entry has the one before. Entries that are no longer
	// there end a chain, since all behind them are older.
	heads [bands][]Serial
	shift uint
	feeds map[aggregator.FeedID]uint32
	names []family
}

// family is a feed with its latest entry.
type family struct {
	feed   aggregator.FeedID
	latest Serial
}

type entry struct {
	item    aggregator.ItemID
	story   aggregator.StoryID
	sketch  Sketch
	before  [bands]Serial
	sibling Serial // the feed's entry before
	feed    uint32
	found   uint32 // minutes
	gone    bool
}

const leastHeads = 10 // bits

// NewIndex makes an index of up to limit entries, rounded up to a power of two.
func NewIndex(limit int) *Index {
	x := &Index{max: 1, feeds: map[aggregator.FeedID]uint32{}}
	for x.max < limit {
		x.max *= 2
	}
	x.rehash(leastHeads)
	return x
}

// Len is how many entries there are, those that are gone or too old among them.
func (x *Index) Len() int { return len(x.entries) }

// at is the entry with the serial, nil where it is there no longer.
func (x *Index) at(s Serial) *entry {
	if s == 0 || uint32(x.last-s) >= uint32(len(x.entries)) {
		return nil
	}
	return &x.entries[int(s-1)&(x.max-1)]
}

// Add adds an entry in place of the oldest, where there are too many.
func (x *Index) Add(e Entry) Serial {
	number, ok := x.feeds[e.Feed]
	if !ok {
		number = uint32(len(x.names))
		x.feeds[e.Feed], x.names = number, append(x.names, family{feed: e.Feed})
	}
	x.last++
	added := entry{item: e.Item, story: e.Story, sketch: e.Sketch, feed: number, found: uint32(e.Found.Unix() / 60), sibling: x.names[number].latest}
	if len(x.entries) < x.max {
		x.entries = append(x.entries, added)
	} else {
		x.entries[int(x.last-1)&(x.max-1)] = added
	}
	x.names[number].latest = x.last
	if bits := 64 - x.shift; len(x.entries) > 1<<bits {
		x.rehash(bits + 1)
		return x.last
	}
	x.link(x.last)
	return x.last
}

// rehash makes the heads anew, two to the power of bits for each band.
func (x *Index) rehash(bits uint) {
	x.shift = 64 - bits
	for b := range x.heads {
		x.heads[b] = make([]Serial, 1<<bits)
	}
	for i := len(x.entries); i > 0; i-- {
		x.link(x.last - Serial(i) + 1)
	}
}

func (x *Index) link(s Serial) {
	e := x.at(s)
	for b := range bands {
		head := &x.heads[b][x.bucket(&e.sketch, b)]
		e.before[b], *head = *head, s
	}
}

func (x *Index) bucket(s *Sketch, band int) uint64 {
	return mix(uint64(s[2*band])<<16|uint64(s[2*band+1])) >> x.shift
}

// Remove takes an entry out.
func (x *Index) Remove(s Serial) {
	if e := x.at(s); e != nil {
		e.gone = true
	}
}

// SetStory says which story an entry came to be of.
func (x *Index) SetStory(s Serial, story aggregator.StoryID) {
	if e := x.at(s); e != nil {
		e.story = story
	}
}

// Story is the story of an entry.
func (x *Index) Story(s Serial) (story aggregator.StoryID, ok bool) {
	if e := x.at(s); e != nil && !e.gone {
		return e.story, true
	}
	return story, false
}

// Candidates are the entries before the serial, all where it is zero, that are like the sketch and were found at most a
// Window from the given time: the most alike first, of those that are so equally the one that agrees in the most bins, then
// the earliest.
func (x *Index) Candidates(s *Sketch, found time.Time, before Serial) []Candidate {
	agreed := make(map[Serial]int) // the bins, of each entry that was looked at
	var all []Candidate
	minute, window := found.Unix()/60, int64(Window/time.Minute)
	for b := range bands {
		steps := 0
		for serial := x.heads[b][x.bucket(s, b)]; steps < longestChain; steps++ {
			e := x.at(serial)
			if e == nil {
				break
			}
			this := serial
			serial = e.before[b]
			if e.gone || before != 0 && int32(before-this) <= 0 || e.sketch[2*b] != s[2*b] || e.sketch[2*b+1] != s[2*b+1] || agreed[this] > 0 {
				continue
			}
			apart := minute - int64(e.found)
			whole, lead := agree(s[:wholeBins], e.sketch[:wholeBins]), agree(s[wholeBins:], e.sketch[wholeBins:])
			agreed[this] = whole + lead
			if apart > window || apart < -window || whole < likeWhole && lead < likeLead {
				continue
			}
			alike := max(float64(whole)/wholeBins, float64(lead)/leadBins)
			all = append(all, Candidate{Serial: this, Item: e.item, Feed: x.names[e.feed].feed, Found: time.Unix(60*int64(e.found), 0).UTC(), Alike: alike})
		}
	}
	slices.SortFunc(all, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Alike, a.Alike), cmp.Compare(agreed[b.Serial], agreed[a.Serial]), cmp.Compare(a.Serial, b.Serial))
	})
	return all
}

func agree(a, b []uint16) int {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// Siblings are up to n entries of the feed but for those that are passed over, latest first.
func (x *Index) Siblings(feed aggregator.FeedID, n int, passOver func(Serial, aggregator.ItemID) bool) []Serial {
	number, ok := x.feeds[feed]
	if !ok {
		return nil
	}
	var found []Serial
	serial := x.names[number].latest
	for range longestFamily {
		e := x.at(serial)
		if e == nil || len(found) == n {
			break
		}
		if !e.gone && !passOver(serial, e.item) {
			found = append(found, serial)
		}
		serial = e.sibling
	}
	return found
}

// Item is the item of an entry.
func (x *Index) Item(s Serial) (id aggregator.ItemID, ok bool) {
	if e := x.at(s); e != nil && !e.gone {
		return e.item, true
	}
	return id, false
}
