// Package storage opens the store that a URL names and says what every store promises.
//
// The promises are those of the Store interface's comments. Package storagetest holds them against a backend; a new
// backend is one package below this one, a case in Open and a three-line test.
package storage

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Store keeps feeds, items and stories. Who needs a part of it declares that part as an interface of its own.
//
// All methods may be called at once from many goroutines. A method that changes something returns nil only when the
// change is durable: it outlives a kill -9 and a power cut. An error means that nothing was changed, unless the
// method says otherwise. Sequences yield an error once, as their last pair, and may be left early; they hold no
// lock between two values, and see the store as it was when they began, or later.
//
// Values are copied in and out: times come back in UTC and exact to the nanosecond, whatever their year, empty slices
// come back nil, text comes back byte for byte. Ids of feeds and topics may have up to 512 bytes. After Close every
// method that reads or writes fails; a second Close does nothing.
type Store interface {
	FeedStore
	PollStore
	ReadStore
	NoteStore
	MaintenanceStore
	io.Closer
}

// FeedStore keeps what the operator describes.
type FeedStore interface {
	// SyncFeeds makes feeds the active ones. A feed that is new or whose URL or Schedule changed gets its due time
	// from due, which is given the feed and its state; others keep theirs. A changed URL makes the state that of a feed
	// that was never polled, but for Items, LastNew, LastChange and what its document said of itself; a changed MaxAge
	// takes Validators and BodyHash from it. Either takes the feed's listing too, so that the document is read again whole,
	// and its lease. A feed that is not among feeds becomes inactive and keeps its
	// state and items; when it is named again it is active again. A feed that becomes inactive or changes its URL
	// loses its lease. An empty id or one that is there twice is an error that changes nothing. A million feeds are
	// fine: what differs may be written in several transactions, and what is done when the call is stopped stays
	// done; nothing is written where nothing differs. due must not call the store.
	SyncFeeds(ctx context.Context, feeds []aggregator.Feed, due func(aggregator.Feed, aggregator.FeedState) time.Time) error
	// Feeds yields all feeds, inactive ones too, in the order of their ids.
	Feeds(ctx context.Context) iter.Seq2[aggregator.FeedStatus, error]
	// Feed is the feed with the given id, active or not, or ErrNotFound.
	Feed(ctx context.Context, id aggregator.FeedID) (aggregator.FeedStatus, error)
	// MakeDue sets the due time of all active feeds but those that are Stopped to at where it is later, to their
	// Pace.NotBefore where that is later than at, in several transactions where they are many. What is done when it is
	// stopped stays done.
	MakeDue(ctx context.Context, at time.Time) error
	// NextDue is the earliest due time of the active feeds that are not leased at now; zero where there is none.
	NextDue(ctx context.Context, now time.Time) (time.Time, error)
}

// PollStore is the poller's side.
type PollStore interface {
	// Claim leases up to limit active feeds that are due at now and not leased, the longest due first, ties by id. A
	// lease ends with its Commit, Release or Postpone, or when its duration has passed since now and another takes the feed:
	// until then its outcome is still accepted, so that no poll is wasted for being slow.
	Claim(ctx context.Context, now time.Time, duration time.Duration, limit int) ([]aggregator.Lease, error)
	// ClaimFeed leases one active feed as Claim does, whether it is due or not: ErrNotFound where there is no such feed,
	// ErrLeased where it is leased.
	ClaimFeed(ctx context.Context, id aggregator.FeedID, now time.Time, duration time.Duration) (aggregator.Lease, error)
	// Leased is the leased feed as it now is: who polls it asks for that when the poll begins. ErrLeaseLost where the
	// lease is no longer held, or the feed's URL is no longer the lease's.
	Leased(ctx context.Context, lease aggregator.Lease) (aggregator.FeedStatus, error)
	// LeasedEach does what so many calls of Leased do, for less: it puts their answers where statuses says and gives their
	// errors, both in the order of the leases. What was there before is gone, also where there is an error.
	LeasedEach(ctx context.Context, leases []aggregator.Lease, statuses []*aggregator.FeedStatus) []error
	// Listing has the items of the feed's last document, as the poll that read it had them; none where it had none.
	Listing(ctx context.Context, id aggregator.FeedID) ([]aggregator.ListedItem, error)
	// Release gives leases back unpolled: their feeds are due as before. Leases that are lost are passed over.
	Release(ctx context.Context, leases ...aggregator.Lease) error
	// Postpone gives leases back unpolled: their feeds are due at the Due that each lease has now, and nothing
	// else of them is changed. Leases that are lost are passed over.
	Postpone(ctx context.Context, leases ...aggregator.Lease) error
	// Resolve says which of the ids are stored, as an item's ID or else among its Aliases, in the order asked. One
	// that is not stored comes back as the ID that was asked for.
	Resolve(ctx context.Context, ids []aggregator.ItemID) ([]aggregator.KnownItem, error)
	// Item is the item with the given ID or alias, or ErrNotFound.
	Item(ctx context.Context, id aggregator.ItemID) (aggregator.Item, error)
	// Commit applies the poll whole and ends its lease, or changes nothing: ErrLeaseLost where the lease is no longer
	// held. Many calls at once share one write to the disk and still fail each for itself. Items get their Seq in
	// order, greater than any before, also in other polls; numbers may be left out. An alias that already leads to
	// another item is left as it is, and one that an item no longer names still leads to it.
	//
	// Each item has an ID, a Story and the poll's Feed, else the poll is ErrRefused, nothing is stored and the lease
	// stays. Of several items
	// with one ID the last counts. The Story, FirstSeen and OrderTime of a stored item stay what they are, whatever
	// the poll says. Topics are stored sorted and once each, without AllTopics. When ctx ends while the poll waits to
	// be written nothing is stored.
	Commit(ctx context.Context, poll aggregator.Poll) error
	// Prepare makes ready what a leased poll leaves that brought neither items nor a listing: the new state of its feed,
	// of which nothing is kept but in what it gives. CommitPrepared is CommitEach for that, and may be called again with
	// what it did not store.
	Prepare(feed aggregator.FeedID, token uint64, state *aggregator.FeedState) aggregator.Prepared
	CommitPrepared(ctx context.Context, prepared []aggregator.Prepared) []error
	// CommitEach does what so many calls of Commit at once do, for less, and gives their errors in the order of the polls.
	CommitEach(ctx context.Context, polls []*aggregator.Poll) []error
}

// ReadStore is the side of publishing and export.
type ReadStore interface {
	// Stories yields what the query asks for. A story is in a topic if one of its items is; its Items are all its
	// reports. The first by FirstSeen, then by ID, of those that the topic has stands for the story, and its OrderTime
	// is the story's place. A story that changes its place while the sequence is read can be met twice or not at all.
	Stories(ctx context.Context, q aggregator.StoryQuery) iter.Seq2[aggregator.Story, error]
	// Items yields what the query asks for, up to the last Seq that was committed when the sequence began. An item
	// that changes meanwhile moves behind that, where the next sequence with After finds it.
	Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error]
	// LatestItems are up to limit items of the feed, those with the greatest Seq first. An item that changes meanwhile may
	// be left out.
	LatestItems(ctx context.Context, feed aggregator.FeedID, limit int) ([]aggregator.Item, error)
	// Story is the story with the given id, its reports by FirstSeen, then by ID, or ErrNotFound.
	Story(ctx context.Context, id aggregator.StoryID) (aggregator.Story, error)
	// Volume counts the stored items that the query asks for, by the UTC day of their Published and by their feed, sorted
	// by day, then by feed. Days and feeds without items are left out.
	Volume(ctx context.Context, q aggregator.VolumeQuery) ([]aggregator.DayVolume, error)
	// Revisions are the earlier texts of the item, oldest first; none for an item that never changed or is not stored.
	Revisions(ctx context.Context, id aggregator.ItemID) ([]aggregator.Revision, error)
	// Version tells the states of the topic's stories apart: it differs from before after each commit that changed
	// anything that Stories yields for the topic, and a poll without items moves none. Seq and Changed never go back.
	// A topic that never had a story has the zero Version.
	Version(ctx context.Context, topic aggregator.TopicID) (aggregator.Version, error)
}

// NoteStore keeps what parts of the program remember for themselves. Spaces and keys have up to 512 bytes, and a key has
// at least one.
type NoteStore interface {
	// Notes yields the notes of a space in the order of their keys, byte by byte.
	Notes(ctx context.Context, space string) iter.Seq2[aggregator.Note, error]
	// Note is the note with the given space and key, or ErrNotFound.
	Note(ctx context.Context, space, key string) (aggregator.Note, error)
	// PutNotes stores notes in place of those with the same space and key, and removes those whose Value is empty: all of
	// them or, where it fails, none. Of several with one key the last counts.
	PutNotes(ctx context.Context, notes ...aggregator.Note) error
}

// MaintenanceStore is the operator's side.
type MaintenanceStore interface {
	// Refile asks classify for the topics of every item that was stored when the filing by these rules began, and files
	// the items anew where they differ. It does nothing when rules is what the last complete Refile was given. It works in
	// small transactions, and everything else goes on meanwhile: what it has done when it is stopped stays done, and the
	// next call with the same rules goes on from there, also after reopening; one with other rules begins at the first
	// item. changed counts the items that the call filed anew; their Seq and Revision stay. Items that are stored
	// meanwhile must be filed by the new rules already. classify must not call the store.
	Refile(ctx context.Context, rules aggregator.Hash, classify func(aggregator.Item) []aggregator.TopicID) (changed int, err error)
	// Refiling says how far a Refile that is not complete has come; it is zero where none has begun or the last is
	// complete. Until then topics yield what earlier rules put there.
	Refiling(ctx context.Context) (aggregator.Refiling, error)
	// Authority is the name that published ids are built on: proposed at the first call in the store's life, what
	// was proposed then at every later one.
	Authority(ctx context.Context, proposed string) (string, error)
	// Backup writes a copy of the store, as of one instant, that Open opens. Polls go on meanwhile.
	Backup(ctx context.Context, w io.Writer) error

	// Stats says what the store holds. Counts may be of instants that lie some seconds apart.
	Stats(ctx context.Context) (aggregator.StoreStats, error)
	// Prune removes the items, with their revisions, that keep lets go at now. Their identities stay: Resolve finds them
	// with the Hash that was last polled, Item is ErrNotFound, and a Commit stores nothing of them but their Hash, so
	// that an old item that is served again is not new. It works in small transactions; what is done when it is stopped
	// stays done.
	Prune(ctx context.Context, keep aggregator.Retention, now time.Time) (aggregator.PruneReport, error)
	// Check holds every item against every index, and every index against the items. Where repair is set and something
	// was found it makes the indexes anew from the items; items that cannot be read are left out then. The report is
	// of before the repair. Polls wait until it is done.
	Check(ctx context.Context, repair bool) (aggregator.CheckReport, error)
	// Compact gives the space back that nothing needs. The disk holds the old store and the new one at most, and one of
	// them is whole at any instant. Polls wait until it is done; who reads does not.
	Compact(ctx context.Context) (aggregator.CompactReport, error)
}
