package aggregator

import "time"

// Note is something that a part of the program remembers from run to run and that no item or feed holds, such as who
// subscribed to what. Space names the part, Key the note within it; the Value is known to that part alone.
type Note struct {
	Space, Key string
	Value      []byte
}

// StoreStats says what a store holds and what it takes.
type StoreStats struct {
	// Bytes is the size of the store on the disk, Free the part of it that holds nothing: new items go there first, and
	// compacting gives it back.
	Bytes int64 `json:"bytes"`
	Free  int64 `json:"free"`
	// Buckets are the parts of the store, in the backend's order and by the backend's names.
	Buckets []BucketStats `json:"buckets"`
	// Items and Revisions count what is stored, Pruned the items of which only the identity is kept.
	Items     int `json:"items"`
	Revisions int `json:"revisions"`
	Pruned    int `json:"pruned"`
	// LastSeq is the last Seq that was given.
	LastSeq uint64 `json:"last_seq"`
	// Feeds and Topics count the items of each that has any.
	Feeds  map[FeedID]int  `json:"feeds"`
	Topics map[TopicID]int `json:"topics"`
}

// BucketStats is a part of a store.
type BucketStats struct {
	Name string `json:"name"`
	// Entries counts what is in it, Bytes is what that takes on the disk, Used the part of Bytes that is not left free
	// for more.
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"`
	Used    int64 `json:"used"`
}

// CheckReport is what checking a store found.
type CheckReport struct {
	// Items counts the items that were checked.
	Items int `json:"items"`
	// Found counts the problems, Problems has the first of them, each a sentence.
	Found    int      `json:"found"`
	Problems []string `json:"problems"`
	// Repaired says that the indexes were made anew from the items, Lost counts the items that could not be read and
	// are no longer there.
	Repaired bool `json:"repaired"`
	Lost     int  `json:"lost"`
}

// CompactReport says what compacting gave back: the size of the store on the disk before and after, in bytes.
type CompactReport struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// Retention says for how long items are kept. Its zero value keeps all of them for ever.
//
// A rule of an item's feed or of one of its topics takes the place of the general one. Where several apply, the item
// goes only when each of them lets it go.
type Retention struct {
	// General is for each feed that has no rule of its own; its Items count for each feed apart.
	General Keep
	Feeds   map[FeedID]Keep
	Topics  map[TopicID]Keep
}

// Keep is a rule of retention. What is not limited is kept for ever.
type Keep struct {
	// Age, when positive, lets an item go that was first seen, and last revised, longer ago.
	Age time.Duration
	// Items, when positive, lets an item go when the feed or topic has so many whose Seq is greater.
	Items int
}

// Forever reports whether the rule lets nothing go.
func (k Keep) Forever() bool { return k.Age <= 0 && k.Items <= 0 }

// Forever reports whether nothing is ever let go.
func (r Retention) Forever() bool {
	forever := r.General.Forever()
	for _, k := range r.Feeds {
		forever = forever && k.Forever()
	}
	for _, k := range r.Topics {
		forever = forever && k.Forever()
	}
	return forever
}

// PruneReport counts what pruning removed.
type PruneReport struct {
	Items     int `json:"items"`
	Revisions int `json:"revisions"`
}

// Refiling is how far filing the stored items under changed topics has come. Its zero value means that all items are
// filed by the rules that were given last.
type Refiling struct {
	// Rules are those by which items are filed anew. Items behind Position still have their topics by earlier rules.
	Rules Hash
	// Position and End are Seqs: how far it has come, and where it ends. Items above End were filed by the new rules
	// when they were stored.
	Position, End uint64
}

// Running reports whether there are items that are filed by earlier rules.
func (r Refiling) Running() bool { return r != Refiling{} }
