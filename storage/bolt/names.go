package bolt

import (
	"encoding/binary"
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
)

// The bucket names gives feeds and topics numbers, so that an index has four bytes instead of a name for each item. A
// number is given once and stays. AllTopics has 0.
const (
	topicKind = 't'
	feedKind  = 'f'
	// numberKind is of the way back: number to name.
	numberKind = 'n'
)

func nameKey(kind byte, name string) []byte { return append([]byte{kind}, name...) }

func nameOfKey(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{numberKind}, number)
}

// topicNumber is that of a topic; ok is false for one that never had an item.
func (r *reader) topicNumber(topic aggregator.TopicID) (number uint32, ok bool, err error) {
	if topic == aggregator.AllTopics {
		return 0, true, nil
	}
	return r.number(topicKind, string(topic))
}

func (r *reader) number(kind byte, name string) (number uint32, ok bool, err error) {
	v := r.bucket(namesBucket).Get(nameKey(kind, name))
	switch {
	case v == nil:
		return 0, false, nil
	case len(v) != 4:
		return 0, false, fmt.Errorf("number of %q: %w", name, errRecord)
	}
	return binary.BigEndian.Uint32(v), true, nil
}

// feedOf is the feed with the given number, topicOf the topic.
func (r *reader) feedOf(number uint32) (aggregator.FeedID, error) {
	id, err := r.nameOf(feedKind, number)
	return aggregator.FeedID(id), err
}

func (r *reader) topicOf(number uint32) (aggregator.TopicID, error) {
	if number == 0 {
		return aggregator.AllTopics, nil
	}
	id, err := r.nameOf(topicKind, number)
	return aggregator.TopicID(id), err
}

func (r *reader) nameOf(kind byte, number uint32) (string, error) {
	v := r.bucket(namesBucket).Get(nameOfKey(number))
	if len(v) == 0 || v[0] != kind {
		return "", fmt.Errorf("the name with number %d: %w", number, errRecord)
	}
	return string(v[1:]), nil
}

// numberOf is the number of a name, a new one where it has none yet.
func (w *writer) numberOf(kind byte, text string) (uint32, error) {
	number, ok, err := w.number(kind, text)
	if err != nil {
		return 0, err
	}
	if !ok {
		names := w.bucket(namesBucket)
		next, err := names.NextSequence()
		if err != nil {
			return 0, err
		}
		number = uint32(next)
		if err := names.Put(nameKey(kind, text), binary.BigEndian.AppendUint32(nil, number)); err != nil {
			return 0, err
		}
		if err := names.Put(nameOfKey(number), nameKey(kind, text)); err != nil {
			return 0, err
		}
	}
	return number, nil
}
