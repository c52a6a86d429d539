// Package bolt keeps a store in one file, with go.etcd.io/bbolt: a B+tree that is copied on write, where a transaction
// is on the disk as a whole or not at all. One process has the file open at a time.
//
// # Layout
//
// Every bucket is a sorted map from bytes to bytes. A "record" is one byte for its version, then CBOR (RFC 8949) with
// small integers as the names of fields, so that a field can be added without touching what is stored. Integers in
// keys are big-endian, an "instant" is 12 bytes that sort as time does (key.go), and a "topic" in a key is its length
// in two bytes and its id, since bbolt has no empty keys and AllTopics is empty.
//
//	meta        "format"    -> version of this layout, 4 bytes
//	            "authority" -> what Authority was given first
//	            "rules"     -> the hash that the last complete Refile was given
//	feeds       feed id                -> record: the feed as the operator describes it, and whether it is active
//	states      feed id                -> record: FeedState without Listing
//	listings    feed id                -> FeedState.Listing: its hashes, 64 bytes an item
//	due         instant, feed id       -> nothing; active feeds only
//	items       Seq                    -> record: Item
//	identity    ItemID                 -> Seq and Item.Hash, 8 and 16 bytes
//	aliases     ItemID                 -> ItemID of the item that it leads to
//	revisions   ItemID, number         -> record: Revision
//	stories     StoryID, ItemID        -> record: where the item is, and what places its story in the lists
//	lists       topic, inverted instant, StoryID -> nothing; one entry for each story and each of its topics
//	topics      topic                  -> record: Version
//
// A feed's description, its state and its last listing are apart, so that a poll that found nothing new rewrites some two hundred bytes
// and one key of due. An item that changes moves to a new Seq: the pages of items fill up in order and stay full. The
// sequence number of the bucket items is the last Seq; a Refile takes one too, for the Versions that it moves.
//
// What lists holds of a story is a pure function of its entries in stories (listing); at each change the entries
// before and after are compared and the difference is written. So the latest stories of a topic are a short scan from
// where the topic begins.
//
// # Writing
//
// A transaction costs an fsync or two, whatever it holds. Commit therefore does not begin one: it queues the poll, and
// whichever caller finds nobody writing takes all that wait, up to a bound, into one transaction. What arrives
// meanwhile is the next batch. Nobody waits for company, and a lone poll is on the disk as fast as it can be. If the
// transaction fails, each poll of the batch is tried again alone, so that one that cannot be stored hurts no other.
//
// Leases are kept in memory: there is one process, and they die with it.
//
// # Reading
//
// Sequences read a batch at a time in a short transaction and copy everything out. Between two batches they hold
// nothing: a slow reader neither keeps old pages alive nor the file from growing. A sequence goes on after the last
// key that it read; a story that changes its place meanwhile can be met twice or not at all, one that stays is met
// once.
//
// # Damage
//
// bbolt panics, or faults on its memory map, where a page is not what it should be. Both become errors here that name
// the file. After one in a write the store refuses further writes: what it holds in memory can no longer be trusted.
// Free pages are listed in the file (NoFreelistSync is off) because finding them again means to read every page at
// each start, in a goroutine of bbolt whose panic nobody could catch; it costs a page or so for each transaction.
package bolt
