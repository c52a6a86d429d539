package aggregator

import (
	"encoding/binary"
	"time"
)

// FeedID names a feed in the config, in links and in exports. It never changes while the feed's URL may, and the
// ids of the feed's items are derived from it.
type FeedID string

// Phase is the feed's own place in [0, 2^64): the first half of the HashOf its id, which never changes. Schedules spread
// feeds by it, and a store keeps together by it what is polled together.
func (id FeedID) Phase() uint64 {
	hash := HashOf(id)
	return binary.BigEndian.Uint64(hash[:])
}

// Feed is a source as the operator describes it.
type Feed struct {
	ID  FeedID
	URL string
	// Title, when set, is shown in place of the title that the publisher gives.
	Title string
	// Schedule is a cron spec as robfig/cron/v3 reads it: five fields, a descriptor ("@hourly", "@every 30m"), with
	// an optional "CRON_TZ=" in front. It is never empty in a store: the default is filled in by the config.
	Schedule string
	// Topics are those that every item of the feed is filed under, whatever their queries say.
	Topics []TopicID
	// Tags are the operator's own labels for the feed.
	Tags []string
	// MaxAge, when positive, keeps items out that were published longer ago than this when they are first seen.
	MaxAge time.Duration
	// AllowPrivate lets the feed's URL resolve to loopback, private and link-local addresses.
	AllowPrivate bool
	// Private keeps the feed's URL out of all that is published, because it may hold a secret. What the feed brings is
	// published like any other's.
	Private bool
}

// Validators are what a publisher sent to ask again with (RFC 9110 section 8.8), byte for byte.
type Validators struct {
	ETag         string
	LastModified string
}

// FeedState is what the store remembers of a feed from poll to poll.
type FeedState struct {
	// Due is when the feed is to be polled next.
	Due time.Time
	// Pace is what tells when the next poll is worth making. No change of schedule and no command brings a poll before
	// its NotBefore, and none polls a feed that is Stopped.
	Pace Pace
	// Move is the permanent redirect that the last polls saw. MovedTo is the URL that the feed is polled at since such a
	// one was believed; empty for the Feed's own.
	Move    Move
	MovedTo string
	// Validators vouch for the items of the last committed document and are only ever stored along with them.
	Validators Validators
	// BodyHash is that of the last document that was read, as HashOf(body).
	BodyHash Hash
	// Title, Link (the home page), Language, DocumentID (Atom's id) and Rights (as plain text: who may do what with what it
	// says) are what the publisher's document says of itself.
	Title, Link, Language, DocumentID, Rights string
	// LastPoll is the latest poll, whatever its outcome; its zero value means that there was none yet.
	LastPoll PollRecord
	// History has the last polls in short, LastPoll among them.
	History History
	// LastSuccess is when a poll last ended without error, LastNew when one last brought a new item, LastChange when one, or
	// a hub, last brought a new or changed item, LastWhole when one last brought the whole document.
	LastSuccess, LastNew, LastChange, LastWhole time.Time
	// Failures counts the polls in a row that ended in an error.
	Failures int
	// Restless counts the documents in a row, up to the last, in which more than half of the items that were known had
	// changed.
	Restless int
	// Items counts the feed's stored items.
	Items int
}

// URL is where the feed is polled.
func (s FeedStatus) URL() string {
	if s.State.MovedTo != "" {
		return s.State.MovedTo
	}
	return s.Feed.URL
}

// RestlessFeed is from how many documents in a row on a feed counts as one whose items change at each poll.
const RestlessFeed = 3

// IsRestless reports whether more than half of the feed's items change at each poll: what its publisher says of them beside
// title and text is then no longer stored, and their texts are kept once a day at most.
func (s *FeedState) IsRestless() bool { return s.Restless >= RestlessFeed }

// Moved is the state of the feed once its URL has changed: nothing that the old address answered counts for the new one.
func (s FeedState) Moved() FeedState {
	return FeedState{
		Title: s.Title, Link: s.Link, Language: s.Language, DocumentID: s.DocumentID, Rights: s.Rights,
		LastNew: s.LastNew, LastChange: s.LastChange, Items: s.Items,
	}
}

// Unread is the state with which the feed's document is read again, though it may be the last one. It is read whole where
// its listing is dropped too.
func (s FeedState) Unread() FeedState {
	s.Validators, s.BodyHash = Validators{}, Hash{}
	return s
}

// ListedItem is what is remembered of an item of a feed's last document.
type ListedItem struct {
	// Bytes is the hash of the item's bytes and of what it takes over from the document around it.
	Bytes Hash
	// GUID and Link are hashes of what may identify the item, Repeat that of what makes another one the same listed
	// twice. They count when the items around it are identified, though it is not read itself.
	GUID, Link, Repeat Hash
}

// FeedStatus is a feed with its state, as lists show it.
type FeedStatus struct {
	Feed  Feed
	State FeedState
	// Active is false for a feed that the config no longer names: it is not polled and its items stay.
	Active bool
}

// DisplayTitle is the operator's title for the feed, else the publisher's, else the feed's id.
func (s FeedStatus) DisplayTitle() string {
	switch {
	case s.Feed.Title != "":
		return s.Feed.Title
	case s.State.Title != "":
		return s.State.Title
	}
	return string(s.Feed.ID)
}

// Outcome says in a word how a poll ended.
type Outcome string

// The outcomes of a poll.
const (
	// OutcomeStored is a document that was read; its new and changed items were stored.
	OutcomeStored Outcome = "stored"
	// OutcomeUnchanged is a document that is byte for byte the last one.
	OutcomeUnchanged Outcome = "unchanged"
	// OutcomeNotModified is a 304 answer.
	OutcomeNotModified Outcome = "not modified"
	// OutcomeFailed is a poll that ended in the record's Error.
	OutcomeFailed Outcome = "failed"
)

// PollRecord is what is remembered of one poll.
type PollRecord struct {
	// At is when the poll began, Duration how long it took, the commit not included.
	At       time.Time
	Duration time.Duration
	Outcome  Outcome
	// Status is the HTTP status of the final answer, 0 where there was none.
	Status int
	// Bytes counts the body as it came over the network, before decompression.
	Bytes int64
	// Error says what went wrong and, where there is something to do, what to do. Empty unless Outcome is failed.
	Error string
	// Repairs lists what was mended in the document or left out of it, a short phrase each.
	Repairs []string
	// Listed counts the items in the document, New and Changed those that the poll stored, TooOld those that the
	// feed's MaxAge kept out.
	Listed, New, Changed, TooOld int
}
