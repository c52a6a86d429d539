package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// membersPerBlock is how many items a block of members has at most: about a third of a page.
const membersPerBlock = 256

// member is an item of a topic, as the index of members has it.
type member struct {
	seq       uint64
	published instant
	// feed is the number of the item's feed.
	feed uint32
}

// block is a pair of the bucket members: some items of a topic by their Seq. Its key is not below the last of its Seqs,
// and below the first of the topic's next.
type block struct {
	key     uint64
	members []member
}

// membersIndex is the bucket members.
var membersIndex = &blocks[member]{
	bucket: membersBucket, per: membersPerBlock,
	compare: func(a, b member) int { return cmp.Compare(a.seq, b.seq) },
	key:     func(topic uint32, last member) []byte { return blockKey(topic, last.seq) },
	append: func(out []byte, members []member) []byte {
		return (&block{members[len(members)-1].seq, members}).append(out)
	},
	most: each[member](4*binary.MaxVarintLen64 + 1),
	parse: func(spare []member, k, v []byte) ([]member, error) {
		b, err := parseBlock(spare, k, v)
		return b.members, err
	},
}

const blockKeyLen = 4 + 8

func blockKey(topic uint32, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(make([]byte, 0, blockKeyLen), topic), seq)
}

// append makes the block in the room that the given slice, which is empty, has. It begins with the least and the greatest
// second of Published, 8 bytes each, so that who looks for a period passes over the rest. Then come the members as varints:
// by how much the Seq is above the last one's (the first: below the key), by how much the second is above the last one's
// (the first: above the least), with a bit for nanoseconds, the nanoseconds where there are any, and the feed. A CRC-32C
// ends it.
func (b *block) append(out []byte) []byte {
	least, greatest := b.members[0].published.Sec, b.members[0].published.Sec
	for _, m := range b.members {
		least, greatest = min(least, m.published.Sec), max(greatest, m.published.Sec)
	}
	out = binary.BigEndian.AppendUint64(out, uint64(least))
	out = binary.BigEndian.AppendUint64(out, uint64(greatest))
	out = binary.AppendUvarint(out, uint64(len(b.members)))
	seq, sec := b.key, least
	for i, m := range b.members {
		if i == 0 {
			out = binary.AppendUvarint(out, seq-m.seq)
		} else {
			out = binary.AppendUvarint(out, m.seq-seq)
		}
		exact := int64(0)
		if m.published.Nano != 0 {
			exact = 1
		}
		out = binary.AppendVarint(out, m.published.Sec-sec)
		out = append(out, byte(exact))
		if exact == 1 {
			out = binary.AppendUvarint(out, uint64(m.published.Nano))
		}
		out = binary.AppendUvarint(out, uint64(m.feed))
		seq, sec = m.seq, m.published.Sec
	}
	return appendSum(out)
}

func parseBlock(spare []member, k, v []byte) (b block, err error) {
	body, ok := unsealed(v)
	if !ok || len(k) != blockKeyLen || len(body) < 16 {
		return b, fmt.Errorf("members %x: %w", k, errRecord)
	}
	b.key = binary.BigEndian.Uint64(k[4:])
	r := varints{rest: body[16:]}
	b.members = sized(spare, r.count(len(body)))
	seq, sec := b.key, int64(binary.BigEndian.Uint64(body))
	for i := range b.members {
		m := &b.members[i]
		*m = member{}
		if i == 0 {
			m.seq = seq - r.next()
		} else {
			m.seq = seq + r.next()
		}
		m.published.Sec = sec + r.signed()
		if r.next() == 1 {
			m.published.Nano = int32(r.next())
		}
		m.feed = uint32(r.next())
		seq, sec = m.seq, m.published.Sec
	}
	if r.bad || len(b.members) == 0 {
		return b, fmt.Errorf("members %x: %w", k, errRecord)
	}
	return b, nil
}

// period is [since, until), zero for no bound.
type period struct{ since, until time.Time }

func (p period) whole() bool { return p.since.IsZero() && p.until.IsZero() }

func (p period) has(at instant) bool {
	t := at.time()
	return (p.since.IsZero() || !t.Before(p.since)) && (p.until.IsZero() || t.Before(p.until))
}

// meets reports whether the block with the given value may have a member of the period.
func (p period) meets(value []byte) bool {
	if len(value) < 16 {
		return true // Whoever parses it says what is wrong.
	}
	least, greatest := int64(binary.BigEndian.Uint64(value)), int64(binary.BigEndian.Uint64(value[8:]))
	return (p.since.IsZero() || greatest >= instantOf(p.since).Sec) && (p.until.IsZero() || least <= instantOf(p.until).Sec)
}

// membersAfter calls f with the members of the topic that have a greater Seq and were published in the period, by their
// Seq, until f has enough. It passes over whole blocks that lie outside of the period. last is the Seq up to which it has
// looked; more says that there may be others.
func (r *reader) membersAfter(
	topic aggregator.TopicID, after uint64, in period, f func(member) (more bool),
) (last uint64, more bool, err error) {
	number, ok, err := r.topicNumber(topic)
	if err != nil || !ok {
		return after, false, err
	}
	prefix := topicPrefix(number)
	c := r.bucket(membersBucket).Cursor()
	last = after
	scanned := 0
	for k, v := c.Seek(blockKey(number, after+1)); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if scanned++; scanned > scannedPerRead {
			return last, true, nil
		}
		if in.meets(v) {
			b, err := parseBlock(nil, k, v)
			if err != nil {
				return last, false, err
			}
			for _, m := range b.members {
				if m.seq <= after || !in.has(m.published) {
					continue
				}
				if last = m.seq; !f(m) {
					return last, true, nil
				}
			}
		}
		last = max(last, binary.BigEndian.Uint64(k[4:]))
	}
	return last, false, nil
}

// enlist notes that the item is a member of the topic from now on, or no longer.
func (w *writer) enlist(topic aggregator.TopicID, it *aggregator.Item, gone bool) error {
	t, err := w.topic(topic)
	if err != nil {
		return err
	}
	if it.Feed != w.feed || w.feedNumber == 0 {
		if w.feedNumber, err = w.numberOf(feedKind, string(it.Feed)); err != nil {
			return err
		}
		w.feed = it.Feed
	}
	t.members = noted(t.members, member{seq: it.Seq, published: instantOf(it.Published), feed: w.feedNumber}, gone)
	return nil
}
