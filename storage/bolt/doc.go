// Package bolt keeps a store in one file, with go.etcd.io/bbolt: a B+tree that is copied on write, where a transaction
// is on the disk as a whole or not at all. One process has the file open at a time.
//
// # Layout
//
// Every bucket is a sorted map from bytes to bytes. A "record" is CBOR (RFC 8949) with small integers as the names of
// fields, so that a field can be added without touching what is stored; its first byte says how it is wrapped (pack.go):
//
//	1    the CBOR as it is; format 1 has such records, compacting makes others of them
//	2    the CBOR, then its CRC-32C, 4 bytes
//	3    a zstd frame of the CBOR (RFC 8878) with the frame's checksum, by the dictionary that the frame names, if any
//
//	4    fields and their CRC-32C (fields.go): what is written with every poll
//
// Items and revisions are compressed where that makes them shorter. Integers in keys are big-endian, an "instant" is 12
// bytes that sort as time does (key.go), and a "topic" or a "space" in a key is its length in two bytes and its id,
// since bbolt has no empty keys and AllTopics is empty. A "number" is four bytes that the bucket names gives to a feed or
// topic.
//
//	meta        "format"    -> version of this layout, 4 bytes
//	            "authority" -> what Authority was given first
//	            "rules"     -> the hash that the last complete Refile was given
//	            "refiling"  -> record: how far one has come that is not complete
//	feeds       feed id                -> record: the feed as the operator describes it, and whether it is active
//	placed-states place, feed id       -> record: FeedState, its due time and count of items in front (record_state.go)
//	listings    feed id                -> Poll.Listing: its hashes, 64 bytes an item
//	due-blocks  0, instant, feed id    -> block: the active feeds from behind the key before up to this one, by when they
//	                                      are due, with their places, and their records with the URLs at which they are
//	                                      polled (due.go)
//	items       Seq                    -> chunk: the items from above the key before up to this Seq (chunk.go)
//	identity    table: ItemID          -> Seq, 6 bytes, and Item.Hash; the Seq is 0 for what was pruned
//	            table: alias           -> 6 bytes 0xff, and the ItemID that it leads to
//	revisions   ItemID, number         -> record: Revision
//	stories     table: half a StoryID, Seq, 6 bytes -> 1 for an item of that story, 2 for one of which the runs before have
//	                                      no item, 0 for one that no longer is
//	lists       number of a topic, short instant, inverted StoryID -> block: the topic's stories from behind the key before
//	                                      up to this one, by OrderTime (lists.go)
//	topics      topic                  -> record: Version
//	members     number of a topic, Seq -> block: the topic's items from above the key before up to this Seq, each with its
//	                                      Published and the number of its feed (members.go)
//	names       't' or 'f', id         -> the number of the topic or feed
//	            'n', number            -> 't' or 'f', id
//	notes       space, key             -> record: the value of a Note
//	dictionaries number, 4 bytes       -> a zstd dictionary; the greatest number is the one to write with
//
// A feed's description, its state and its last listing are apart, so that a poll that found nothing new rewrites some two
// hundred bytes and its place among what is due. What is said of a feed there is enough to lease it and to know what it is.
// A feed's place is four bytes of its Phase, by which schedules spread feeds: those that fall due one after the other have
// their states one behind the other, so that what is polled together is read and written on the same pages, however many
// feeds there are.
//
// An item that changes moves to a new Seq: the pages of items fill up in order and stay full. The sequence number of the
// bucket items is the last Seq; a Refile takes one too, for the Versions that it moves.
//
// What lists holds of a story is a pure function of its items (listing); at each change the places before and after are
// compared and the difference is written. So the latest stories of a topic are the last block of its list, or two. All topics' members, AllTopics' among them, are kept by Seq, as items are: what a topic has of a period is found
// without reading any other item, in the order in which it is to come and in blocks that can be passed over.
//
// # Tables
//
// Keys that are hashes are spread over a B+tree, so that each new one changes another page. identity and stories are
// tables instead (table.go): every transaction adds one sorted run of entries, and runs of a size become one, a few
// segments at a time. The key "\x00" has the list of runs; a segment's key is the number of its run, 8 bytes, and its own,
// 4 bytes, its value entries of one width by their keys, and a CRC-32C. Everything about a table is changed in the
// transaction that adds to it. There is nothing to do after a crash.
//
// Most keys that are looked for are new. A filter in memory, which is no part of the file, knows keys that the tables certainly do
// not have (filter.go), so that a look-up of what is new costs the same however large they are. It is made of the tables, while
// polls go on, by a process that looks up enough for that to pay, and again, for twice as many keys, when it is full.
//
// stories has half of each story's id. Two stories may share it; the items say which one is theirs. Later runs are asked first, and
// an entry that says that it is the first ends the search: what is new is found in the latest runs, which are small.
//
// # Chunks and frames
//
// Items are written in chunks of some pages, for a page has room for three of them and wastes what a fourth would need. They are
// compressed in frames: up to 64 KiB or 32 items of a poll, up to 32 KiB where the store is written anew. What the items of a feed
// have in common is stored once, and that is faster than item by item. To read one means to unpack its frame.
//
// # Dictionaries
//
// Even so a frame is too short for a compressor to learn much from it. A dictionary has what the items of this store share,
// phrases and links and the names of fields. The first is trained, once, when the store has its first items (trainAfter),
// while polls go on. A dictionary is never changed, and stays as long as a record may need it.
//
// A long frame has enough in common with itself. Those of polls are made without a dictionary from 32 KiB on, by an encoder that
// takes two thirds of the time and a tenth more of room (quickzstd): they are most of what there is to do when many items are new,
// with many feeds for the first time or after a long silence. The items of a usual poll are fewer. What a compaction writes has
// a dictionary.
//
// # Formats
//
// meta says which format a file has. Open brings an earlier one forward (migrate.go): formats 4 and 5 in the file itself, by
// moving what is known of feeds, and those before by writing the store anew and putting it in the place of the old one, as a
// compaction does. A file of each format is kept in testdata. A newer one is refused.
//
//	1    the first
//	2    records are summed or packed, there are dictionaries and listings
//	3    states and feeds are fields, due has URLs
//	4    items are in chunks, identity and stories are tables, aliases are in identity, there are members and names
//	5    lists are in blocks; a pair of format 4 is read as a block of one, until it changes or the store is compacted
//	6    states are by place, and were by feed id in the bucket states; what is due is in blocks with the records of feeds,
//	     and was in pairs with their URLs in the bucket due
//
// # Writing
//
// A transaction costs an fsync or two, whatever it holds. Commit therefore does not begin one: it queues the poll, and
// whichever caller finds nobody writing takes all that wait, up to a bound of polls and of bytes, into one transaction.
// What arrives meanwhile is the next batch. Where many commit at once the batch waits a few milliseconds for those that
// have only just had their answer, unless what is there is worth a transaction; a lone poll waits for nobody. If the
// transaction fails, each poll of the batch is tried again alone, so that one that cannot be stored hurts no other.
//
// Items are encoded and compressed by their callers while the batch before is written, by as many at once as there are
// processors: whoever writes waits for the disk several times a transaction, and must not come back to the end of a long
// line. States are encoded there too: one that waits for its transaction takes a tenth of the memory then.
//
// What a transaction has to say to the indexes it collects (collected.go), and puts into them at its end in the order of their
// keys. That memory, and that of the frames, is used again by the next.
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
// The frames that stories were read from last are kept unpacked, up to 16 MiB (cache.go): all readers of all topics ask
// for what is new. One is used for a frame of the same bytes only, so that nothing has to be forgotten at a change. Who
// reads many items one after the other, as an export does, leaves them alone.
//
// # Maintenance
//
// Identities, stories, lists and members say nothing that the items do not say, but for the identities of what was
// pruned. Check
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
