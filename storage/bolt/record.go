package bolt

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/topicwire/topicwire/aggregator"
)

var (
	errRecord = errors.New("record cannot be read")
	// errMissing is an item that another record names.
	errMissing = errors.New("it is missing")
)

// codec writes and reads the CBOR of records.
type codec struct {
	enc cbor.UserBufferEncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.EncOptions{}.UserBufferEncMode()
	if err != nil {
		return codec{}, err
	}
	dec, err := cbor.DecOptions{
		// Validators are opaque bytes, and a publisher's text may be anything: what came in goes out.
		UTF8:             cbor.UTF8DecodeInvalid,
		MaxArrayElements: 1<<31 - 1,
	}.DecMode()
	return codec{enc: enc, dec: dec}, err
}

// encode makes a record that is not compressed.
func (c codec) encode(record any) ([]byte, error) {
	b, err := c.enc.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return sum(b), nil
}

// encodePacked makes a record that is compressed where that makes it shorter: those that hold text.
func (c codec) encodePacked(p *packer, record any) ([]byte, error) {
	b, err := c.enc.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return p.pack(b), nil
}

// decode copies all that it takes from value.
func (c codec) decode(p *packer, value []byte, record any) error {
	b, err := p.cbor(value)
	if err != nil {
		return err
	}
	if err := c.dec.Unmarshal(b, record); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	return nil
}

// The numbers of fields are never used again for something else.

// feedRecord is a feed. Its names of CBOR are for reading what format 2 and earlier wrote.
type feedRecord struct {
	URL          string               `cbor:"1,keyasint"`
	Title        string               `cbor:"2,keyasint,omitempty"`
	Schedule     string               `cbor:"3,keyasint,omitempty"`
	Topics       []aggregator.TopicID `cbor:"4,keyasint,omitempty"`
	Tags         []string             `cbor:"5,keyasint,omitempty"`
	MaxAge       time.Duration        `cbor:"6,keyasint,omitempty"`
	AllowPrivate bool                 `cbor:"7,keyasint,omitempty"`
	Inactive     bool                 `cbor:"8,keyasint,omitempty"`
	Private      bool                 `cbor:"9,keyasint,omitempty"`
}

func feedRecordOf(f aggregator.Feed) feedRecord {
	return feedRecord{
		URL: f.URL, Title: f.Title, Schedule: f.Schedule, Topics: f.Topics, Tags: f.Tags,
		MaxAge: f.MaxAge, AllowPrivate: f.AllowPrivate, Private: f.Private,
	}
}

func (r feedRecord) feed(id aggregator.FeedID) aggregator.Feed {
	return aggregator.Feed{
		ID: id, URL: r.URL, Title: r.Title, Schedule: r.Schedule, Topics: r.Topics, Tags: r.Tags,
		MaxAge: r.MaxAge, AllowPrivate: r.AllowPrivate, Private: r.Private,
	}
}

// stateRecord is a feed's state as format 2 and earlier wrote it. It is only read: what is written is in record_state.go.
type stateRecord struct {
	Due          instant    `cbor:"1,keyasint,omitzero"`
	ETag         string     `cbor:"2,keyasint,omitempty"`
	LastModified string     `cbor:"3,keyasint,omitempty"`
	BodyHash     [16]byte   `cbor:"4,keyasint,omitzero"`
	Title        string     `cbor:"5,keyasint,omitempty"`
	Link         string     `cbor:"6,keyasint,omitempty"`
	Language     string     `cbor:"7,keyasint,omitempty"`
	LastPoll     pollRecord `cbor:"8,keyasint"`
	LastSuccess  instant    `cbor:"9,keyasint,omitzero"`
	LastNew      instant    `cbor:"10,keyasint,omitzero"`
	Failures     int        `cbor:"11,keyasint,omitempty"`
	Items        int        `cbor:"12,keyasint,omitempty"`
	DocumentID   string     `cbor:"13,keyasint,omitempty"`
	NotBefore    instant    `cbor:"14,keyasint,omitzero"`
	Pace         paceRecord `cbor:"20,keyasint,omitzero"`
	Move         moveRecord `cbor:"21,keyasint,omitzero"`
	MovedTo      string     `cbor:"22,keyasint,omitempty"`
	LastWhole    instant    `cbor:"23,keyasint,omitzero"`
	// History is as in the record of today.
	History []byte `cbor:"24,keyasint,omitempty"`
}

type pollRecord struct {
	At       instant            `cbor:"1,keyasint,omitzero"`
	Duration time.Duration      `cbor:"2,keyasint,omitempty"`
	Outcome  aggregator.Outcome `cbor:"3,keyasint,omitempty"`
	Status   int                `cbor:"4,keyasint,omitempty"`
	Bytes    int64              `cbor:"5,keyasint,omitempty"`
	Error    string             `cbor:"6,keyasint,omitempty"`
	Repairs  []string           `cbor:"7,keyasint,omitempty"`
	Listed   int                `cbor:"8,keyasint,omitempty"`
	New      int                `cbor:"9,keyasint,omitempty"`
	Changed  int                `cbor:"10,keyasint,omitempty"`
	TooOld   int                `cbor:"11,keyasint,omitempty"`
}

// listedLen is how many bytes an item of a listing takes.
const listedLen = 4 * len(aggregator.Hash{})

func listingBytes(items []aggregator.ListedItem) []byte {
	b := make([]byte, 0, len(items)*listedLen)
	for _, it := range items {
		for _, h := range []aggregator.Hash{it.Bytes, it.GUID, it.Link, it.Repeat} {
			b = append(b, h[:]...)
		}
	}
	return b
}

func listingIn(b []byte) []aggregator.ListedItem {
	if len(b) < listedLen {
		return nil
	}
	items := make([]aggregator.ListedItem, 0, len(b)/listedLen)
	for ; len(b) >= listedLen; b = b[listedLen:] {
		items = append(items, aggregator.ListedItem{
			Bytes: aggregator.Hash(b[:16]), GUID: aggregator.Hash(b[16:32]), Link: aggregator.Hash(b[32:48]), Repeat: aggregator.Hash(b[48:64]),
		})
	}
	return items
}

func (r stateRecord) state() aggregator.FeedState {
	p := r.LastPoll
	return aggregator.FeedState{
		Due: r.Due.time(), Validators: aggregator.Validators{ETag: r.ETag, LastModified: r.LastModified},
		BodyHash: r.BodyHash, Title: r.Title, Link: r.Link, Language: r.Language,
		LastPoll: aggregator.PollRecord{
			At: p.At.time(), Duration: p.Duration, Outcome: p.Outcome, Status: p.Status, Bytes: p.Bytes,
			Error: p.Error, Repairs: p.Repairs, Listed: p.Listed, New: p.New, Changed: p.Changed, TooOld: p.TooOld,
		},
		LastSuccess: r.LastSuccess.time(), LastNew: r.LastNew.time(), Failures: r.Failures, Items: r.Items,
		DocumentID: r.DocumentID, Pace: r.Pace.pace(r.NotBefore),
		Move:    aggregator.Move{Target: r.Move.Target, Since: r.Move.Since.time(), Polls: r.Move.Polls, Refused: r.Move.Refused},
		MovedTo: r.MovedTo, LastWhole: r.LastWhole.time(), History: historyIn(string(r.History)),
	}
}

type versionRecord struct {
	Seq     uint64  `cbor:"1,keyasint"`
	Changed instant `cbor:"2,keyasint"`
}

type revisionRecord struct {
	From    instant `cbor:"1,keyasint,omitzero"`
	Title   string  `cbor:"2,keyasint,omitempty"`
	Summary string  `cbor:"3,keyasint,omitempty"`
	Content string  `cbor:"4,keyasint,omitempty"`
}
