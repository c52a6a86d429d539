package aggregator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// ItemID identifies an item for ever. It depends on the feed's id and on what the publisher identifies the item by,
// never on a date or on the order of arrival. As text it is 32 hexadecimal digits.
type ItemID [16]byte

// StoryID identifies a story for ever. As text it is 32 hexadecimal digits.
type StoryID [16]byte

// Hash is the first half of a SHA-256 sum. As text it is 32 hexadecimal digits.
type Hash [16]byte

// HashOf is the hash of the given parts. It differs for different splits of the same bytes into parts.
func HashOf[T ~string | ~[]byte](parts ...T) Hash {
	if len(parts) == 1 {
		sum := sha256.Sum256([]byte(parts[0]))
		return Hash(sum[:16])
	}
	size := 0
	for _, p := range parts {
		size += headLen + len(p)
	}
	if size > shortHash {
		return hashLong(parts)
	}
	var room [shortHash]byte
	all := room[:0]
	for _, p := range parts {
		all = append(appendHead(all, len(p)), p...)
	}
	sum := sha256.Sum256(all)
	return Hash(sum[:16])
}

// shortHash is how many bytes are hashed without memory of their own, headLen more than a part has in front of it.
const (
	shortHash = 512
	headLen   = 20
)

func appendHead(to []byte, length int) []byte {
	return append(strconv.AppendInt(to, int64(length), 10), ':')
}

// hashLong hashes the parts piece by piece, so that none is there twice.
func hashLong[T ~string | ~[]byte](parts []T) Hash {
	h := sha256.New()
	piece := make([]byte, 0, 1<<10)
	for _, p := range parts {
		if cap(piece)-len(piece) < headLen {
			h.Write(piece)
			piece = piece[:0]
		}
		piece = appendHead(piece, len(p))
		for len(p) > 0 {
			n := min(cap(piece)-len(piece), len(p))
			piece, p = append(piece, p[:n]...), p[n:]
			if len(piece) == cap(piece) {
				h.Write(piece)
				piece = piece[:0]
			}
		}
	}
	h.Write(piece)
	return Hash(h.Sum(piece[:0])[:16])
}

// NewItemID is the id of the item that the feed's publisher identifies by key (a guid, a canonical link, ...). The
// kind keeps keys of different kinds apart, so that a guid never meets a link of the same spelling.
func NewItemID(feed FeedID, kind, key string) ItemID {
	return ItemID(HashOf(string(feed), kind, key))
}

// NewStoryID is the id of the story that the key of the given kind (a canonical URL, an item's id) stands for.
func NewStoryID(kind, key string) StoryID { return StoryID(HashOf("story", kind, key)) }

func (id ItemID) String() string  { return hex.EncodeToString(id[:]) }
func (id StoryID) String() string { return hex.EncodeToString(id[:]) }
func (h Hash) String() string     { return hex.EncodeToString(h[:]) }

// MarshalText gives the id as hexadecimal digits.
func (id ItemID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText gives the id as hexadecimal digits.
func (id StoryID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (id *ItemID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseItemID(string(text))
	return err
}

// UnmarshalText reads what MarshalText writes.
func (id *StoryID) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(id[:], text[:min(len(text), 32)]); err != nil || n != len(id) || len(text) != 32 {
		return fmt.Errorf("story id %q: want 32 hexadecimal digits", text)
	}
	return nil
}

// IsZero reports whether the hash was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// ParseItemID reads what String writes.
func ParseItemID(s string) (ItemID, error) {
	var id ItemID
	if n, err := hex.Decode(id[:], []byte(s[:min(len(s), 32)])); err != nil || n != len(id) || len(s) != 32 {
		return ItemID{}, fmt.Errorf("item id %q: want 32 hexadecimal digits", s)
	}
	return id, nil
}

// Author is a person or body that an item names as its author. Any field may be empty, not all of them.
type Author struct {
	Name  string
	Email string
	URL   string
}

// Enclosure is a file that belongs to an item (a podcast's audio, a picture).
type Enclosure struct {
	URL string
	// Type is a media type; Length counts bytes. Either is as the publisher says, zero where it does not.
	Type   string
	Length int64
	// Duration is how long it takes to hear or to see, zero where the publisher does not say.
	Duration time.Duration
}

// ItemSource is where a publisher says that an item is from. Either field may be empty.
type ItemSource struct {
	// Title is plain text, the name of a feed or of a publication; URL is the absolute link to that feed or else to its
	// home page.
	Title, URL string
}

// DateSource says where an item's Published comes from.
type DateSource string

// The sources of an item's Published.
const (
	// DateFromFeed is a date that the publisher gave.
	DateFromFeed DateSource = "feed"
	// DateFromFirstSeen is the time of the poll that first saw the item, because the publisher gave no date, one that
	// cannot be read, or one in the future.
	DateFromFirstSeen DateSource = "first_seen"
)

// Item is one entry of a feed.
type Item struct {
	// ID and Aliases identify the item: ID for ever, Aliases are further ids under which the feed may list it again
	// (a publisher that changes its guids and keeps its links).
	ID      ItemID
	Aliases []ItemID
	Feed    FeedID
	// Story is decided when the item is first stored and does not change.
	Story StoryID
	// Seq is the place of the item's latest change in the order of commits. Only the store sets it.
	Seq uint64
	// Revision counts the item's kept texts: 1 for the first, one more for each change of title or text, but for texts that
	// it had before, and, where it is Noisy, for all but one a day.
	Revision int

	// GUID is the publisher's guid or id exactly as given, but for white space around it.
	GUID string
	// URL is the absolute link to what the item is about, CanonicalURL the same without what does not identify it.
	URL, CanonicalURL string
	// Title is plain text; Summary and Content are HTML as the publisher gave it, with absolute links, not
	// sanitised.
	Title, Summary, Content string
	// Plain is Text as plain text, for as long as an item is on its way to the store: there it is matched, hashed and
	// compared. It is not stored, and empty where nobody has made it.
	Plain      string `json:"-"`
	Authors    []Author
	Categories []string
	// Language is a BCP 47 tag, empty where neither the item nor its feed names one.
	Language   string
	Enclosures []Enclosure
	// Comments is the absolute URL of the page with the item's comments.
	Comments string
	// CommentCount is how many there were when the publisher last changed anything else: a count that moves makes no
	// item a changed one.
	CommentCount int
	// Source is zero where the publisher says nothing of it, as it does of its own items.
	Source ItemSource
	// Image is the absolute URL of the item's picture or thumbnail.
	Image string
	// Published is never in the future and never zero in a store; DateSource says where it comes from. Updated is
	// the publisher's own word and may be zero.
	Published, Updated time.Time
	DateSource         DateSource

	// FirstSeen is when the poll began that first saw the item.
	FirstSeen time.Time
	// Revised is when the present text came to be: it moves only when the Revision does, and not where the text goes back
	// to one that it had before.
	Revised time.Time
	// OrderTime is the item's place in merged feeds. It does not change.
	OrderTime time.Time
	// Topics are those that the item is filed under, sorted.
	Topics []TopicID

	// Hash is that of all that the publisher says of the item but for CommentCount, TextHash that of its title and text
	// alone, without markup and white space.
	Hash, TextHash Hash
}

// Text is what the item has to say: its content, or its summary where there is no content. It is HTML.
func (it *Item) Text() string {
	if it.Content != "" {
		return it.Content
	}
	return it.Summary
}

// mostChanges is how often the text of an item may change before it is noisy.
const mostChanges = 24

// Noisy reports whether the item's text has changed so often (a clock in it, a counter) that its texts are no longer all
// kept.
func (it *Item) Noisy() bool { return it.Revision > mostChanges }

// Revision is an earlier text of an item.
type Revision struct {
	Item ItemID
	// Number is the Item.Revision that the text was, From the Item.Revised of its time.
	Number                  int
	From                    time.Time
	Title, Summary, Content string
}

// Story is the items that report the same thing.
type Story struct {
	ID StoryID
	// Items are the story's reports. The first is the one that stands for the story where the story was asked for
	// (for a topic: the first of its items that the topic has); the others follow by FirstSeen, then by ID.
	Items []Item
}
