package bolt

import (
	"bytes"
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
	v := r.bucket(feedsBucket).Get(id)
	if v == nil {
		return f, false, nil
	}
	if err := r.decodeFeed(v, &f); err != nil {
		return f, false, fmt.Errorf("%s %q: %w", feedsBucket, id, err)
	}
	return f, true, nil
}

// state is the state of a feed, the zero state for one that the store does not have.
func (r *reader) state(id []byte) (aggregator.FeedState, error) {
	v := r.bucket(statesBucket).Get(id)
	head, fields, ok, err := decodeHead(v)
	if err == nil && ok {
		var s aggregator.FeedState
		if s, err = decodeState(head, fields); err == nil {
			return s, nil
		}
	}
	if err != nil {
		return aggregator.FeedState{}, fmt.Errorf("%s %q: %w", statesBucket, id, err)
	}
	var s stateRecord
	_, err = r.get(statesBucket, id, &s)
	return s.state(), err
}

// stateHead is the head of a feed's state, also of one of an earlier format.
func (r *reader) stateHead(id []byte) (stateHead, error) {
	head, _, ok, err := decodeHead(r.bucket(statesBucket).Get(id))
	switch {
	case err != nil:
		return head, fmt.Errorf("%s %q: %w", statesBucket, id, err)
	case ok:
		return head, nil
	}
	s, err := r.state(id)
	return headOf(&s), err
}

// find is where the item of the given id or alias is.
func (r *reader) find(id aggregator.ItemID) (aggregator.ItemID, identity, bool) {
	ids := r.bucket(identityBucket)
	v := ids.Get(id[:])
	if v == nil {
		own := r.bucket(aliasesBucket).Get(id[:])
		if len(own) != len(id) {
			return aggregator.ItemID{}, identity{}, false
		}
		id = aggregator.ItemID(own)
		v = ids.Get(id[:])
	}
	at, ok := identityIn(v)
	return id, at, ok
}

func (r *reader) item(seq uint64) (aggregator.Item, error) {
	var rec itemRecord
	ok, err := r.get(itemsBucket, seqKey(seq), &rec)
	if err == nil && !ok {
		err = fmt.Errorf("item %d: %w", seq, errMissing)
	}
	if err != nil {
		return aggregator.Item{}, err
	}
	return rec.item(seq), nil
}

// report is an item as a part of its story.
type report struct {
	id aggregator.ItemID
	reportRecord
}

// compare puts the report first that stands for the story before the other.
func (r report) compare(o report) int {
	if c := r.FirstSeen.compare(o.FirstSeen); c != 0 {
		return c
	}
	return bytes.Compare(r.id[:], o.id[:])
}

func (r report) filed(topic aggregator.TopicID) bool {
	return topic == aggregator.AllTopics || slices.Contains(r.Topics, topic)
}

// reports are the story's items by FirstSeen, then by ID.
func (r *reader) reports(story aggregator.StoryID) ([]report, error) {
	var all []report
	c := r.bucket(storiesBucket).Cursor()
	for k, v := c.Seek(story[:]); len(k) == 32 && bytes.HasPrefix(k, story[:]); k, v = c.Next() {
		rep := report{id: aggregator.ItemID(k[16:])}
		if err := r.decode(v, &rep.reportRecord); err != nil {
			return nil, fmt.Errorf("story %v: %w", story, err)
		}
		all = append(all, rep)
	}
	slices.SortFunc(all, report.compare)
	return all, nil
}

// listing says where a story is listed: for each of its topics, and for AllTopics, the OrderTime of the item that
// stands for it there. The reports are in the order in which they do.
func listing(reports []report) map[aggregator.TopicID]instant {
	places := make(map[aggregator.TopicID]instant)
	for _, r := range reports {
		for _, topic := range append(r.Topics[:len(r.Topics):len(r.Topics)], aggregator.AllTopics) {
			if _, ok := places[topic]; !ok {
				places[topic] = r.OrderTime
			}
		}
	}
	return places
}

// story is the story with its reports, the one that stands for it in the topic first.
func (r *reader) story(id aggregator.StoryID, topic aggregator.TopicID) (aggregator.Story, int, error) {
	reports, err := r.reports(id)
	if err != nil {
		return aggregator.Story{}, 0, err
	}
	if first := slices.IndexFunc(reports, func(r report) bool { return r.filed(topic) }); first > 0 {
		stands := reports[first]
		reports = slices.Insert(slices.Delete(reports, first, first+1), 0, stands)
	}
	story, size := aggregator.Story{ID: id}, 0
	for _, rep := range reports {
		it, err := r.item(rep.Seq)
		if err != nil {
			return aggregator.Story{}, 0, err
		}
		story.Items = append(story.Items, it)
		size += textSize(&it)
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
