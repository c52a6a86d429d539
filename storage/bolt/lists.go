package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
)

// listed is a story in the list of a topic. Lists are read from the end: later stories come first, and of those of one
// instant the one with the lesser id.
type listed struct {
	at    instant
	story aggregator.StoryID
}

func (l listed) compare(o listed) int {
	if c := l.at.compare(o.at); c != 0 {
		return c
	}
	return bytes.Compare(o.story[:], l.story[:])
}

// listsIndex is the bucket lists.
var listsIndex = &blocks[listed]{
	bucket: listsBucket, per: 256, compare: listed.compare, key: listKey, append: appendListed, parse: parseListed,
	most: each[listed](2*binary.MaxVarintLen64 + len(aggregator.StoryID{})),
}

// listKey is the key of the block that ends with the given story. Keys sort as stories do.
func listKey(topic uint32, last listed) []byte {
	key := last.at.appendShort(binary.BigEndian.AppendUint32(make([]byte, 0, 32), topic))
	for _, b := range last.story {
		key = append(key, ^b)
	}
	return key
}

// listedIn is the last story of the block with the given key.
func listedIn(key []byte) (l listed, ok bool) {
	n := len(key) - len(l.story)
	if n < 4 {
		return l, false
	}
	for i, b := range key[n:] {
		l.story[i] = ^b
	}
	l.at, ok = shortInstantIn(key[4:n])
	return l, ok
}

// appendListed makes a block in the room that the given slice, which is empty, has: the number of stories, and for each by
// how many seconds it is later than the one before (the first: than the zero instant), the nanoseconds, all of that as
// varints, and its id. A CRC-32C ends it.
func appendListed(out []byte, stories []listed) []byte {
	out = binary.AppendUvarint(out, uint64(len(stories)))
	sec := int64(0)
	for _, l := range stories {
		out = binary.AppendVarint(out, l.at.Sec-sec)
		out = binary.AppendUvarint(out, uint64(l.at.Nano))
		out = append(out, l.story[:]...)
		sec = l.at.Sec
	}
	return appendSum(out)
}

// parseListed reads a pair of the bucket lists, see blocks.parse. Format 4 had one for each story, with the key alone.
func parseListed(spare []listed, k, v []byte) ([]listed, error) {
	last, known := listedIn(k)
	if known && len(v) == 0 {
		return []listed{last}, nil
	}
	body, ok := unsealed(v)
	r := varints{rest: body}
	stories := sized(spare, r.count(len(body)/len(last.story)))
	sec := int64(0)
	for i := range stories {
		l := &stories[i]
		sec += r.signed()
		l.at = instant{Sec: sec, Nano: int32(r.count(1e9 - 1))}
		copy(l.story[:], r.bytes(len(l.story)))
	}
	if !ok || !known || r.bad || len(stories) == 0 || len(r.rest) > 0 || stories[len(stories)-1] != last {
		return nil, fmt.Errorf("lists %x: %w", k, errRecord)
	}
	return stories, nil
}

// listedBefore calls f with the stories of the topic's list that come before the given one, nil for all, from the end on,
// until f has enough.
func (r *reader) listedBefore(topic uint32, before *listed, f func(listed) (more bool, err error)) error {
	c := r.bucket(listsBucket).Cursor()
	var k, v []byte
	if before != nil {
		k, v, _ = listsIndex.blockOf(c, topic, *before)
	} else {
		k, v = lastBefore(c, topicPrefix(topic+1))
	}
	for prefix := topicPrefix(topic); bytes.HasPrefix(k, prefix); k, v = c.Prev() {
		stories, err := parseListed(nil, k, v)
		if err != nil {
			return err
		}
		for i := len(stories) - 1; i >= 0; i-- {
			if before != nil && stories[i].compare(*before) >= 0 {
				continue
			}
			if more, err := f(stories[i]); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// isListed reports whether the topic's list has the story there.
func (r *reader) isListed(topic uint32, l listed) (there bool, err error) {
	k, v, inner := listsIndex.blockOf(r.bucket(listsBucket).Cursor(), topic, l)
	if !inner {
		return false, nil
	}
	stories, err := parseListed(nil, k, v)
	if err != nil {
		return false, err
	}
	for _, o := range stories {
		there = there || o == l
	}
	return there, nil
}
