// Package bolt keeps a store in one file, with go.etcd.io/bbolt: a B+tree that is copied on write, where a transaction
// is on the disk as a whole or not at all. One process has the file open at a time.
//
// # Layout
//
// Every bucket is a sorted map from bytes to bytes. A "record" is CBOR (RFC 8949) with small integers as the names of
// fields, so that a field can be added without touching what is stored; its first byte says how it is wrapped (pack.go):
//
//	1    the CBOR as it is; written by format 1 only
//	2    the CBOR, then its CRC-32C, 4 bytes
//	3    a zstd frame of the CBOR (RFC 8878) with the frame's checksum, by the dictionary that the frame names, if any
//
//	4    fields and their CRC-32C (fields.go): what is written with every poll
//
// Items and revisions are compressed where that makes them shorter. Integers in keys are big-endian, an "instant" is 12
// bytes that sort as time does (key.go), and a "topic" or a "space" in a key is its length in two bytes and its id,
// since bbolt has no empty keys and AllTopics is empty.
//
//	meta        "format"    -> version of this layout, 4 bytes
//	            "authority" -> what Authority was given first
//	            "rules"     -> the hash that the last complete Refile was given
//	            "refiling"  -> record: how far one has come that is not complete
//	feeds       feed id                -> record: the feed as the operator describes it, and whether it is active
//	states      feed id                -> record: FeedState, its due time and count of items in front (record_state.go)
//	listings    feed id                -> Poll.Listing: its hashes, 64 bytes an item
//	due         instant, feed id       -> the URL at which the feed is polled, or nothing where an earlier format wrote
//	                                      it; active feeds only
//	items       Seq                    -> record: Item
//	identity    ItemID                 -> Seq and Item.Hash, 8 and 16 bytes; the Seq is 0 for what was pruned
//	aliases     ItemID                 -> ItemID of the item that it leads to
//	revisions   ItemID, number         -> record: Revision
//	stories     StoryID, ItemID        -> record: where the item is, and what places its story in the lists
//	lists       topic, inverted instant, StoryID -> nothing; one entry for each story and each of its topics
//	topics      topic                  -> record: Version
//	notes       space, key             -> record: the value of a Note
//	dictionaries number, 4 bytes       -> a zstd dictionary; the greatest number is the one to write with
//
// A feed's description, its state and its last listing are apart, so that a poll that found nothing new rewrites some two
// hundred bytes and one key of due; and feeds are leased by what due says alone. An item that changes moves to a new Seq: the pages of items fill up in order and stay full. The
// sequence number of the bucket items is the last Seq; a Refile takes one too, for the Versions that it moves.
//
// What lists holds of a story is a pure function of its entries in stories (listing); at each change the entries
// before and after are compared and the difference is written. So the latest stories of a topic are a short scan from
// where the topic begins.
//
// # Dictionaries
//
// Most items are a kilobyte or two: too short for a compressor to learn anything from one of them. A dictionary has what
// the items of this store share, phrases and links and the names of fields, and makes each a third or so shorter than
// zstd does without. The first is trained, once, when the store has its first items (trainAfter), in the half second
// after a commit whose callers already have their answer. A dictionary is never changed, and stays as long as a record
// may need it.
//
// # Formats
//
// meta says which format a file has. Open brings an earlier one forward in one transaction; a file of each is kept in
// testdata. A newer one is refused.
//
//	1    the first
//	2    records are summed or packed, there are dictionaries and listings; the records of format 1 stay as they are
//
// # Writing
//
// A transaction costs an fsync or two, whatever it holds. Commit therefore does not begin one: it queues the poll, and
// whichever caller finds nobody writing takes all that wait, up to a bound of polls and of bytes, into one transaction.
// What arrives meanwhile is the next batch. Where many commit at once the batch waits a few milliseconds for those that
// have only just had their answer; a lone poll waits for nobody. If the transaction fails, each poll of the batch is
// tried again alone, so that one that cannot be stored hurts no other.
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
// # Maintenance
//
// Identities, stories and lists say nothing that the items do not say, but for the identities of what was pruned. Check
// holds the ones against the others. Compact writes a new file, sequentially and without holes, syncs it and renames it
// over the old one while both are locked: there is an instant from which the new one counts, and no other in between. A
// repair is the same with the indexes made from the items. Both hold the right to write; readers go on with the old file
// until the name changes. Prune and Refile work through the items in small transactions, and polls come in between.
//
// # Damage
//
// bbolt panics, or faults on its memory map, where a page is not what it should be. Both become errors here that name
// the file. After one in a write the store refuses further writes: what it holds in memory can no longer be trusted.
// Free pages are listed in the file (NoFreelistSync is off) because finding them again means to read every page at
// each start, in a goroutine of bbolt whose panic nobody could catch; it costs a page or so for each transaction.
package bolt
