package bolt

import (
	"bytes"
	"fmt"
	"runtime"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt/quickzstd"
)

// itemRecord is an item. Its Seq is the key.
type itemRecord struct {
	ID           [16]byte              `cbor:"1,keyasint"`
	Aliases      [][16]byte            `cbor:"2,keyasint,omitempty"`
	Feed         aggregator.FeedID     `cbor:"3,keyasint"`
	Story        [16]byte              `cbor:"4,keyasint"`
	Revision     int                   `cbor:"5,keyasint,omitempty"`
	GUID         string                `cbor:"6,keyasint,omitempty"`
	URL          string                `cbor:"7,keyasint,omitempty"`
	CanonicalURL string                `cbor:"8,keyasint,omitempty"`
	Title        string                `cbor:"9,keyasint,omitempty"`
	Summary      string                `cbor:"10,keyasint,omitempty"`
	Content      string                `cbor:"11,keyasint,omitempty"`
	Authors      []authorRecord        `cbor:"12,keyasint,omitempty"`
	Categories   []string              `cbor:"13,keyasint,omitempty"`
	Language     string                `cbor:"14,keyasint,omitempty"`
	Enclosures   []enclosureRecord     `cbor:"15,keyasint,omitempty"`
	Image        string                `cbor:"16,keyasint,omitempty"`
	Published    instant               `cbor:"17,keyasint,omitzero"`
	Updated      instant               `cbor:"18,keyasint,omitzero"`
	DateSource   aggregator.DateSource `cbor:"19,keyasint,omitempty"`
	FirstSeen    instant               `cbor:"20,keyasint,omitzero"`
	Revised      instant               `cbor:"21,keyasint,omitzero"`
	OrderTime    instant               `cbor:"22,keyasint,omitzero"`
	Topics       []aggregator.TopicID  `cbor:"23,keyasint,omitempty"`
	Hash         [16]byte              `cbor:"24,keyasint"`
	TextHash     [16]byte              `cbor:"25,keyasint"`
	Comments     string                `cbor:"26,keyasint,omitempty"`
	CommentCount int                   `cbor:"27,keyasint,omitempty"`
	Source       sourceRecord          `cbor:"28,keyasint,omitzero"`
}

// filedRecord is as much of an itemRecord as a story's place depends on: the decoder steps over the rest.
type filedRecord struct {
	ID        [16]byte             `cbor:"1,keyasint"`
	Story     [16]byte             `cbor:"4,keyasint"`
	FirstSeen instant              `cbor:"20,keyasint"`
	OrderTime instant              `cbor:"22,keyasint"`
	Topics    []aggregator.TopicID `cbor:"23,keyasint"`
}

type authorRecord struct {
	Name  string `cbor:"1,keyasint,omitempty"`
	Email string `cbor:"2,keyasint,omitempty"`
	URL   string `cbor:"3,keyasint,omitempty"`
}

type enclosureRecord struct {
	URL      string        `cbor:"1,keyasint,omitempty"`
	Type     string        `cbor:"2,keyasint,omitempty"`
	Length   int64         `cbor:"3,keyasint,omitempty"`
	Duration time.Duration `cbor:"4,keyasint,omitempty"`
}

type sourceRecord struct {
	Title string `cbor:"1,keyasint,omitempty"`
	URL   string `cbor:"2,keyasint,omitempty"`
}

func itemRecordOf(it *aggregator.Item) itemRecord {
	r := itemRecord{
		ID: it.ID, Feed: it.Feed, Story: it.Story, Revision: it.Revision,
		GUID: it.GUID, URL: it.URL, CanonicalURL: it.CanonicalURL,
		Title: it.Title, Summary: it.Summary, Content: it.Content,
		Categories: it.Categories, Language: it.Language, Image: it.Image,
		Published: instantOf(it.Published), Updated: instantOf(it.Updated), DateSource: it.DateSource,
		FirstSeen: instantOf(it.FirstSeen), Revised: instantOf(it.Revised), OrderTime: instantOf(it.OrderTime),
		Topics: it.Topics, Hash: it.Hash, TextHash: it.TextHash,
		Comments: it.Comments, CommentCount: it.CommentCount, Source: sourceRecord(it.Source),
	}
	for _, a := range it.Aliases {
		r.Aliases = append(r.Aliases, a)
	}
	for _, a := range it.Authors {
		r.Authors = append(r.Authors, authorRecord(a))
	}
	for _, e := range it.Enclosures {
		r.Enclosures = append(r.Enclosures, enclosureRecord(e))
	}
	return r
}

func (r *itemRecord) item(seq uint64) aggregator.Item {
	it := aggregator.Item{
		ID: r.ID, Feed: r.Feed, Story: r.Story, Seq: seq, Revision: r.Revision,
		GUID: r.GUID, URL: r.URL, CanonicalURL: r.CanonicalURL,
		Title: r.Title, Summary: r.Summary, Content: r.Content,
		Categories: r.Categories, Language: r.Language, Image: r.Image,
		Published: r.Published.time(), Updated: r.Updated.time(), DateSource: r.DateSource,
		FirstSeen: r.FirstSeen.time(), Revised: r.Revised.time(), OrderTime: r.OrderTime.time(),
		Topics: r.Topics, Hash: r.Hash, TextHash: r.TextHash,
		Comments: r.Comments, CommentCount: r.CommentCount, Source: aggregator.ItemSource(r.Source),
	}
	for _, a := range r.Aliases {
		it.Aliases = append(it.Aliases, a)
	}
	for _, a := range r.Authors {
		it.Authors = append(it.Authors, aggregator.Author(a))
	}
	for _, e := range r.Enclosures {
		it.Enclosures = append(it.Enclosures, aggregator.Enclosure(e))
	}
	return it
}

// cborOf is what item reads.
func (c codec) cborOf(it *aggregator.Item) ([]byte, error) {
	b, err := c.enc.Marshal(itemRecordOf(it))
	if err != nil {
		return nil, fmt.Errorf("item %v: encode record: %w", it.ID, err)
	}
	return b, nil
}

// item is what is in the CBOR of an item. It copies all that it takes.
func (c codec) item(seq uint64, cbor []byte) (aggregator.Item, error) {
	var rec itemRecord
	if err := c.dec.Unmarshal(cbor, &rec); err != nil {
		return aggregator.Item{}, fmt.Errorf("item %d: %w: %w", seq, errRecord, err)
	}
	return rec.item(seq), nil
}

// filed is item for what the place of its story depends on.
func (c codec) filed(seq uint64, cbor []byte) (filed, error) {
	var rec filedRecord
	if err := c.dec.Unmarshal(cbor, &rec); err != nil {
		return filed{}, fmt.Errorf("item %d: %w: %w", seq, errRecord, err)
	}
	return filed{story: rec.Story, report: report{
		id: rec.ID, seq: seq, firstSeen: rec.FirstSeen, orderTime: rec.OrderTime, topics: rec.Topics,
	}}, nil
}

// madeFrame is a frame of the items [from:to] of a list.
type madeFrame struct {
	frame
	from, to int
}

// framer makes frames, on one goroutine at a time, and keeps what it needs for that.
type framer struct {
	codec
	// quick makes long frames, nil before the first of them.
	quick  *quickzstd.Encoder
	item   itemRecord
	cbor   bytes.Buffer
	record []byte
}

// recordsAtOnce is for how many bytes of records memory is made.
const recordsAtOnce = 32 << 10

// keptByFramer is how large a framer's buffers may be that are used again.
const keptByFramer = 1 << 20

// frames are the items as they are stored, but for their Seqs, appended to the given ones, which have none. They have their
// records in the memory that is given, which is empty, or in more of it, of which the last is given back. They hold nothing of
// the framer's.
func (m *framer) frames(
	p *packer, items []aggregator.Item, frames []madeFrame, records []byte,
) ([]madeFrame, []byte, error) {
	if m.cbor.Cap() > keptByFramer || cap(m.record) > keptByFramer {
		m.cbor, m.record = bytes.Buffer{}, nil
	}
	defer func() { m.item = itemRecord{} }()
	m.cbor.Reset()
	filling := framing{most: pollFrameBytes}
	sizes := make([]int, 0, min(frameItems, len(items)))
	from, packed := 0, 0
	finish := func(to, end int) {
		f := madeFrame{from: from, to: to}
		f.sizes = sizes
		m.pack(p, m.cbor.Bytes()[packed:end])
		if cap(records)-len(records) < len(m.record) { // The frames before keep what they are in.
			records = make([]byte, 0, max(len(m.record), recordsAtOnce))
		}
		began := len(records)
		records = append(records, m.record...)
		f.record = records[began:len(records):len(records)]
		frames = append(frames, f)
		from, packed, sizes = to, end, make([]int, 0, min(frameItems, len(items)-to))
		// Whoever writes comes back from the disk now and then, and is not to wait behind all who make frames.
		runtime.Gosched()
	}
	for i := range items {
		before := m.cbor.Len()
		m.item = itemRecordOf(&items[i])
		if err := m.enc.MarshalToBuffer(&m.item, &m.cbor); err != nil {
			return frames, records, fmt.Errorf("item %v: encode record: %w", items[i].ID, err)
		}
		if filling.full(m.cbor.Len() - before) {
			finish(i, before)
		}
		sizes = append(sizes, m.cbor.Len()-before)
	}
	if len(items) > 0 {
		finish(len(items), m.cbor.Len())
	}
	return frames, records, nil
}

// quickBytes is how much CBOR has enough in common with itself: a quick frame of it, without a dictionary, is a tenth longer than
// with one, and the longer the frame the less. A compaction makes others of them.
const quickBytes = 32 << 10

// pack makes the record of CBOR.
func (m *framer) pack(p *packer, cbor []byte) {
	if len(cbor) < quickBytes || len(cbor) > quickzstd.MaxSize {
		m.record = p.appendPacked(m.record[:0], cbor)
		return
	}
	if m.quick == nil {
		m.quick = quickzstd.NewEncoder()
	}
	m.record = shorter(m.quick.Append(append(m.record[:0], packed), cbor), cbor)
}

func (c codec) frames(p *packer, items []aggregator.Item) ([]madeFrame, error) {
	frames, _, err := (&framer{codec: c}).frames(p, items, nil, nil)
	return frames, err
}
