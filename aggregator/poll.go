package aggregator

import "time"

// Lease is the right to poll a feed that is due, given to one poller at a time and for a limited time. It is small, since
// many may wait: what else is known of the feed is looked up when its poll begins.
type Lease struct {
	Feed FeedID
	// URL is where the feed is polled.
	URL string
	// Due is the feed's due time.
	Due time.Time
	// Token fences the lease: an outcome that comes with a token that is no longer the feed's is not stored.
	Token uint64
}

// Poll is the outcome of one poll, which a store applies as a whole or not at all.
type Poll struct {
	Feed  FeedID
	Token uint64
	// State is the feed's new state. The store itself keeps its Items.
	State FeedState
	// Items are the new and the changed ones, in the order in which they get their Seq: oldest first. One whose
	// Revision is above the stored one's makes the stored text a revision; any other replaces what is stored under
	// its id.
	Items []Item
	// Listing has the items of the document that was read, in any order, so that the next one is read only where it
	// differs; none where the document cannot be told apart item by item. It takes the place of what is stored where
	// Relist is set.
	Listing []ListedItem
	Relist  bool
}

// Prepared is the new state of a feed, of which a poll has brought nothing else, in the form in which a store keeps it.
// Nobody but the store that made it knows more of it. It is small, since many may wait to be stored together.
type Prepared interface {
	Feed() FeedID
	// Due is that of the state.
	Due() time.Time
}

// KnownItem is what a store says of an ItemID that was asked about.
type KnownItem struct {
	// ID is the item's own id, also where it was asked for by an alias.
	ID    ItemID
	Hash  Hash
	Found bool
}
