package bolt

import (
	"encoding/binary"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// maxName bounds the ids of feeds and topics in bytes: keys have to fit into a page several times.
const maxName = 512

// instant is a time as seconds since the zero time.Time and nanoseconds: exact for every date that a publisher can come
// up with (a count of nanoseconds alone ends in the years 1677 and 2262), and zero for the zero time.
type instant struct {
	_    struct{} `cbor:",toarray"`
	Sec  int64
	Nano int32
}

// zeroUnix is the Unix time of the zero time.Time.
const zeroUnix = -62135596800

func instantOf(t time.Time) instant {
	return instant{Sec: t.Unix() - zeroUnix, Nano: int32(t.Nanosecond())}
}

func (i instant) time() time.Time { return time.Unix(i.Sec+zeroUnix, int64(i.Nano)).UTC() }

func (i instant) compare(o instant) int { return i.time().Compare(o.time()) }

// instantLen is how many bytes an instant takes in a key.
const instantLen = 12

// appendTo adds the instant to a key so that keys sort as times do.
func (i instant) appendTo(key []byte) []byte {
	key = binary.BigEndian.AppendUint64(key, uint64(i.Sec)^1<<63)
	return binary.BigEndian.AppendUint32(key, uint32(i.Nano))
}

// appendInverted adds the instant to a key so that later times come first.
func (i instant) appendInverted(key []byte) []byte {
	start := len(key)
	key = i.appendTo(key)
	for n := start; n < len(key); n++ {
		key[n] = ^key[n]
	}
	return key
}

// instantIn reads what appendTo wrote at the start of a key.
func instantIn(key []byte) (instant, []byte, bool) {
	if len(key) < instantLen {
		return instant{}, nil, false
	}
	sec := binary.BigEndian.Uint64(key) ^ 1<<63
	nano := binary.BigEndian.Uint32(key[8:])
	return instant{Sec: int64(sec), Nano: int32(nano)}, key[instantLen:], true
}

func dueKey(at instant, feed []byte) []byte {
	return append(at.appendTo(make([]byte, 0, instantLen+len(feed))), feed...)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func topicKey(topic aggregator.TopicID) []byte {
	key := make([]byte, 0, 2+len(topic)+instantLen+16)
	key = binary.BigEndian.AppendUint16(key, uint16(len(topic)))
	return append(key, topic...)
}

func listKey(topic aggregator.TopicID, at instant, story aggregator.StoryID) []byte {
	return append(at.appendInverted(topicKey(topic)), story[:]...)
}

func storyKey(story aggregator.StoryID, item aggregator.ItemID) []byte {
	return append(append(make([]byte, 0, 32), story[:]...), item[:]...)
}

func revisionKey(item aggregator.ItemID, number int) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 24), item[:]...), uint64(number))
}

// identity is the value of the bucket of that name.
type identity struct {
	// seq is 0 for an item that was pruned.
	seq  uint64
	hash aggregator.Hash
}

func (v identity) pruned() bool { return v.seq == 0 }

func (v identity) bytes() []byte { return append(seqKey(v.seq), v.hash[:]...) }

func identityIn(value []byte) (identity, bool) {
	if len(value) != 24 {
		return identity{}, false
	}
	return identity{seq: binary.BigEndian.Uint64(value), hash: aggregator.Hash(value[8:])}, true
}
