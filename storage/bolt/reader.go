package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// reader is a transaction that reads.
type reader struct {
	*Store
	tx   *bbolt.Tx
	pack *packer

	// feeds and states look up what many polls ask for.
	feeds, states finder
	// indexes are the tables that were asked.
	indexes map[*table]*index
	// passing is for who reads many items, one after the other: chunk is the one that was read last, and has what there is
	// from chunkFrom up to its key; unpacked are the items of one of its frames.
	passing       bool
	chunk         *chunk
	chunkFrom     uint64
	unpacked      [][]byte
	unpackedFrame int
}

// finder looks up keys of one bucket, with the memory that the first look-up needed.
type finder struct {
	at *bbolt.Cursor
	// inOrder has it look behind the last key first: for who asks in the order of the keys, and changes nothing.
	inOrder bool
}

func (f *finder) get(r *reader, bucket, key []byte) []byte {
	if f.at == nil {
		f.at = r.bucket(bucket).Cursor()
	} else if f.inOrder {
		if k, v := f.at.Next(); bytes.Equal(k, key) {
			return v
		}
	}
	k, v := f.at.Seek(key)
	if !bytes.Equal(k, key) {
		return nil
	}
	return v
}

func (r *reader) bucket(name []byte) *bbolt.Bucket { return r.tx.Bucket(name) }

// decode copies what is in the record that value is.
func (r *reader) decode(value []byte, record any) error { return r.codec.decode(r.pack, value, record) }

// get decodes the record under key, and reports whether there is one.
func (r *reader) get(bucket, key []byte, record any) (bool, error) {
	v := r.bucket(bucket).Get(key)
	if v == nil {
		return false, nil
	}
	if err := r.decode(v, record); err != nil {
		return false, fmt.Errorf("%s %q: %w", bucket, key, err)
	}
	return true, nil
}

func (r *reader) feedRecord(id []byte) (feedRecord, bool, error) {
	var f feedRecord
	v := r.feeds.get(r, feedsBucket, id)
	if v == nil {
		return f, false, nil
	}
	if err := r.decodeFeed(v, &f); err != nil {
		return f, false, fmt.Errorf("%s %q: %w", feedsBucket, id, err)
	}
	return f, true, nil
}

// state is the state of a feed, the zero state for one that the store does not have.
func (r *reader) state(id []byte) (s aggregator.FeedState, err error) {
	err = r.readState(placeOf(id), id, &s)
	return s, err
}

// stateRecord is the record of a feed's state, nil where there is none.
func (r *reader) stateRecord(place uint32, id []byte) []byte {
	if r.states.at == nil && r.bucket(statesBucket) == nil {
		return r.bucket(idStatesBucket).Get(id)
	}
	return r.states.get(r, statesBucket, appendStateKey(make([]byte, 0, placeLen+len(id)), place, id))
}

// readState is state, into s, of a feed with the given place.
func (r *reader) readState(place uint32, id []byte, s *aggregator.FeedState) error {
	return r.decodeStateRecord(r.stateRecord(place, id), id, s)
}

// stateIn is the state in a record.
func (r *reader) stateIn(record, id []byte) (s aggregator.FeedState, err error) {
	err = r.decodeStateRecord(record, id, &s)
	return s, err
}

func (r *reader) decodeStateRecord(record, id []byte, s *aggregator.FeedState) error {
	*s = aggregator.FeedState{}
	head, fields, ok, err := decodeHead(record)
	if err == nil && ok {
		err = decodeState(head, fields, s)
	}
	if err == nil && !ok && record != nil {
		var old stateRecord
		err = r.decode(record, &old)
		*s = old.state()
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", statesBucket, id, err)
	}
	return nil
}

// stateHead is the head of a feed's state, also of one of an earlier format.
func (r *reader) stateHead(id []byte) (stateHead, error) {
	head, _, ok, err := decodeHead(r.stateRecord(placeOf(id), id))
	switch {
	case err != nil:
		return head, fmt.Errorf("%s %q: %w", statesBucket, id, err)
	case ok:
		return head, nil
	}
	s, err := r.state(id)
	return headOf(&s), err
}

// index is the table as the transaction sees it.
func (r *reader) index(t *table) (*index, error) {
	if x := r.indexes[t]; x != nil {
		return x, nil
	}
	x, err := r.openTable(t)
	if err != nil {
		return nil, err
	}
	if r.indexes == nil {
		r.indexes = make(map[*table]*index, 2)
	}
	r.indexes[t] = x
	return x, nil
}

// lookUp is what the table identity says of an id.
func (r *reader) lookUp(id aggregator.ItemID) (at identity, ok bool, err error) {
	if r.lacks(id[:]) {
		return at, false, nil
	}
	x, err := r.index(identityTable)
	if err != nil {
		return at, false, err
	}
	v, err := x.get(id[:])
	if err != nil || v == nil {
		return at, false, err
	}
	at, _ = identityIn(v)
	return at, true, nil
}

// find is where the item of the given id or alias is.
func (r *reader) find(id aggregator.ItemID) (own aggregator.ItemID, at identity, ok bool, err error) {
	at, ok, err = r.lookUp(id)
	if err == nil && ok && at.alias() {
		id = at.hash
		at, ok, err = r.lookUp(id)
	}
	return id, at, ok && !at.alias(), err
}

func (r *reader) item(seq uint64) (aggregator.Item, error) {
	cbor, err := r.itemCBOR(seq)
	if err != nil {
		return aggregator.Item{}, err
	}
	return r.codec.item(seq, cbor)
}

// report is what a story's place in the lists depends on, of one of its items.
type report struct {
	id                   aggregator.ItemID
	seq                  uint64
	firstSeen, orderTime instant
	topics               []aggregator.TopicID
}

// filed is a report of a story.
type filed struct {
	story aggregator.StoryID
	report
}

// compare puts the report first that stands for the story before the other.
func (r report) compare(o report) int {
	if c := r.firstSeen.compare(o.firstSeen); c != 0 {
		return c
	}
	return bytes.Compare(r.id[:], o.id[:])
}

// reportSeqs are the Seqs that the table stories has for a story, and for others whose ids begin alike.
func (r *reader) reportSeqs(story aggregator.StoryID) (seqs []uint64, err error) {
	if r.lacks(story[:8]) {
		return nil, nil
	}
	x, err := r.index(storiesTable)
	if err != nil {
		return nil, err
	}
	type entry struct {
		seq uint64
		has bool
	}
	// The latest change comes first.
	var changes []entry
	err = x.find(story[:8], func(entries []byte) (more bool) {
		more = true
		for e := entries; len(e) > 0; e = e[storiesTable.width():] {
			said := e[storiesTable.key]
			changes = append(changes, entry{shortSeq(e[8:]), said != saysGone})
			more = more && said != saysFirst
		}
		return more
	})
	slices.SortStableFunc(changes, func(a, b entry) int { return cmp.Compare(a.seq, b.seq) })
	for i, ch := range changes {
		if ch.has && (i == 0 || changes[i-1].seq != ch.seq) {
			seqs = append(seqs, ch.seq)
		}
	}
	return seqs, err
}

// reportsOf are the items with the given Seqs that are of the story, by FirstSeen, then by ID. Some of them may be known
// already.
func (r *reader) reportsOf(story aggregator.StoryID, seqs []uint64, known map[uint64]filed) ([]report, error) {
	var all []report
	for _, seq := range seqs {
		f, ok := known[seq]
		if !ok {
			cbor, err := r.itemCBOR(seq)
			if err == nil {
				f, err = r.codec.filed(seq, cbor)
			}
			if err != nil {
				return nil, fmt.Errorf("story %v: %w", story, err)
			}
		}
		if f.story == story {
			all = append(all, f.report)
		}
	}
	slices.SortFunc(all, report.compare)
	return all, nil
}

// place is where a story is listed.
type place struct {
	topic aggregator.TopicID
	at    instant
}

// listing adds to places where a story is listed: for each of its topics, and for AllTopics, the OrderTime of the item
// that stands for it there. The reports are in the order in which they do.
func listing(places []place, reports []report) []place {
	if len(reports) == 0 {
		return places
	}
	places = append(places, place{aggregator.AllTopics, reports[0].orderTime})
	for _, r := range reports {
		for _, topic := range r.topics {
			if !slices.ContainsFunc(places, func(p place) bool { return p.topic == topic }) {
				places = append(places, place{topic, r.orderTime})
			}
		}
	}
	return places
}

// story is the story with its reports, the one that stands for it in the topic first.
func (r *reader) story(id aggregator.StoryID, topic aggregator.TopicID) (aggregator.Story, int, error) {
	story, size := aggregator.Story{ID: id}, 0
	seqs, err := r.reportSeqs(id)
	if err != nil {
		return story, 0, err
	}
	for _, seq := range seqs {
		it, err := r.item(seq)
		if err != nil {
			return story, 0, fmt.Errorf("story %v: %w", id, err)
		}
		if it.Story == id {
			story.Items, size = append(story.Items, it), size+textSize(&it)
		}
	}
	slices.SortFunc(story.Items, func(a, b aggregator.Item) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), bytes.Compare(a.ID[:], b.ID[:]))
	})
	first := slices.IndexFunc(story.Items, func(it aggregator.Item) bool {
		return topic == aggregator.AllTopics || slices.Contains(it.Topics, topic)
	})
	if first > 0 {
		stands := story.Items[first]
		story.Items = slices.Insert(slices.Delete(story.Items, first, first+1), 0, stands)
	}
	return story, size, nil
}

func (r *reader) version(topic aggregator.TopicID) (versionRecord, error) {
	var v versionRecord
	_, err := r.get(topicsBucket, topicKey(topic), &v)
	return v, err
}

// textSize is about how many bytes an item takes.
func textSize(it *aggregator.Item) int {
	return 512 + len(it.Title) + len(it.Summary) + len(it.Content)
}

func seqIn(key []byte) uint64 {
	if len(key) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}
