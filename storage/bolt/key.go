package bolt

import (
	"cmp"
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

func (i instant) compare(o instant) int {
	if i.Sec != o.Sec {
		return cmp.Compare(i.Sec, o.Sec)
	}
	return cmp.Compare(i.Nano, o.Nano)
}

const secondsADay = 24 * 60 * 60

// day counts the UTC days from that of the zero time.Time.
func (i instant) day() int64 {
	day := i.Sec / secondsADay
	if i.Sec%secondsADay < 0 {
		day--
	}
	return day
}

// instantLen is how many bytes an instant takes in a key.
const instantLen = 12

// appendTo adds the instant to a key so that keys sort as times do.
func (i instant) appendTo(key []byte) []byte {
	key = binary.BigEndian.AppendUint64(key, uint64(i.Sec)^1<<63)
	return binary.BigEndian.AppendUint32(key, uint32(i.Nano))
}

// shortSecond is above all seconds of an instant that take five bytes in a place: those of the years 1 to 34841.
const shortSecond = 1 << 40

// appendShort adds the instant to a key so that keys sort as times do, in seven bytes where it is a date of our times
// without a fraction of a second.
func (i instant) appendShort(key []byte) []byte {
	switch {
	case i.Sec < 0:
		key = binary.BigEndian.AppendUint64(append(key, 0), uint64(i.Sec)^1<<63)
	case i.Sec < shortSecond:
		key = binary.BigEndian.AppendUint32(append(key, 1, byte(i.Sec>>32)), uint32(i.Sec))
	default:
		key = binary.BigEndian.AppendUint64(append(key, 2), uint64(i.Sec)^1<<63)
	}
	if i.Nano == 0 {
		return append(key, 0)
	}
	return binary.BigEndian.AppendUint32(append(key, 1), uint32(i.Nano))
}

// shortInstantIn reads what appendShort wrote, and nothing else.
func shortInstantIn(key []byte) (i instant, ok bool) {
	if len(key) >= 6 && key[0] == 1 {
		i.Sec = int64(key[1])<<32 | int64(binary.BigEndian.Uint32(key[2:]))
		key = key[6:]
	} else if len(key) >= 9 {
		i.Sec = int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)
		key = key[9:]
	}
	switch {
	case len(key) == 1 && key[0] == 0:
		return i, true
	case len(key) == 5 && key[0] == 1:
		i.Nano = int32(binary.BigEndian.Uint32(key[1:]))
		return i, true
	}
	return i, false
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

// placeOf is the beginning of the feed's Phase: in the order of places, feeds of one schedule fall due.
func placeOf(feed []byte) uint32 { return uint32(aggregator.FeedID(feed).Phase() >> 32) }

const placeLen = 4

// appendStateKey makes the key of the state of a feed with the given place.
func appendStateKey(empty []byte, place uint32, feed []byte) []byte {
	return append(binary.BigEndian.AppendUint32(empty, place), feed...)
}

// stateKey is the key of the feed's state.
func stateKey(feed []byte) []byte {
	return appendStateKey(make([]byte, 0, placeLen+len(feed)), placeOf(feed), feed)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func topicKey(topic aggregator.TopicID) []byte {
	key := make([]byte, 0, 2+len(topic))
	key = binary.BigEndian.AppendUint16(key, uint16(len(topic)))
	return append(key, topic...)
}

// Seqs take six bytes in tables.
const seqLen = 6

func appendSeq(b []byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, uint16(seq>>32)), uint32(seq))
}

func shortSeq(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

func revisionKey(item aggregator.ItemID, number int) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 24), item[:]...), uint64(number))
}

// identity is what the table identity says of an id.
type identity struct {
	// seq is 0 for an item that was pruned, isAlias for the alias of an item.
	seq uint64
	// hash is the item's Hash, or the ID that an alias leads to.
	hash [16]byte
}

const (
	isAlias     = 1<<(8*seqLen) - 1
	identityLen = seqLen + 16
)

func (v identity) pruned() bool { return v.seq == 0 }
func (v identity) alias() bool  { return v.seq == isAlias }

func (v identity) appendTo(b []byte) []byte {
	return append(appendSeq(b, v.seq), v.hash[:]...)
}

func identityIn(value []byte) (identity, bool) {
	if len(value) != identityLen {
		return identity{}, false
	}
	return identity{seq: shortSeq(value), hash: [16]byte(value[seqLen:])}, true
}
