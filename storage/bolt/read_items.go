package bolt

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// Items yields items by Seq; see storage.ReadStore. An item that changes while the sequence is read moves behind its
// end.
func (s *Store) Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error] {
	return func(yield func(aggregator.Item, error) bool) {
		var end uint64
		err := s.view(func(r *reader) error {
			end = r.bucket(itemsBucket).Sequence()
			return nil
		})
		if err != nil {
			yield(aggregator.Item{}, err)
			return
		}
		sequence(ctx, func(after []byte) ([]aggregator.Item, []byte, error) {
			return s.items(q, after, end)
		})(yield)
	}
}

// items are some of the items that the query asks for, after the given key and up to the Seq end.
func (s *Store) items(q aggregator.ItemQuery, after []byte, end uint64) (batch []aggregator.Item, last []byte, err error) {
	from := q.After
	if after != nil {
		from = seqIn(after)
	}
	if from >= end || len(q.Topic) > maxName {
		return nil, nil, nil
	}
	err = s.view(func(r *reader) error {
		r.passing = true
		size, at := 0, from
		take := func(seq uint64, cbor []byte) (more bool, err error) {
			it, err := r.codec.item(seq, cbor)
			if err != nil {
				return false, err
			}
			batch, size, at = append(batch, it), size+textSize(&it), seq
			return size < bytesPerRead && len(batch) < itemsPerRead, nil
		}
		more, err := false, error(nil)
		if in := (period{q.Since, q.Until}); q.Topic == aggregator.AllTopics && in.whole() {
			more, err = r.itemsAfter(from, end, take)
		} else {
			more, at, err = r.itemsOf(q.Topic, from, end, in, take)
		}
		if more && at < end {
			last = seqKey(at)
		}
		return err
	})
	return batch, last, err
}

// itemsAfter calls f with the items behind the Seq from, up to end, until f has enough; more says that it had.
func (r *reader) itemsAfter(from, end uint64, f func(seq uint64, cbor []byte) (bool, error)) (more bool, err error) {
	err = r.chunks(from+1, func(c *chunk) (bool, error) {
		for _, fr := range c.frames {
			if fr.seqs[len(fr.seqs)-1] <= from {
				continue
			}
			items, err := r.pack.unpacked(fr)
			if err != nil {
				return false, fmt.Errorf("item %d: %w", fr.seqs[0], err)
			}
			for i, seq := range fr.seqs {
				if seq <= from {
					continue
				}
				if seq > end {
					return false, nil
				}
				wants := false
				if wants, err = f(seq, items[i]); err != nil || !wants {
					more = err == nil
					return false, err
				}
			}
		}
		return true, nil
	})
	return more, err
}

// itemsOf is itemsAfter for the members of a topic in a period, and reads no other items. at is the Seq that it came to.
func (r *reader) itemsOf(
	topic aggregator.TopicID, from, end uint64, in period, f func(seq uint64, cbor []byte) (bool, error),
) (more bool, at uint64, err error) {
	var failed error
	at, more, err = r.membersAfter(topic, from, in, func(m member) bool {
		if m.seq > end {
			return false
		}
		cbor, err := r.itemCBOR(m.seq)
		wants := false
		if err == nil {
			wants, err = f(m.seq, cbor)
		}
		failed = err
		return err == nil && wants
	})
	return more, at, cmp.Or(failed, err)
}

// Volume counts items by day and feed; see storage.ReadStore. It reads the index of members alone, in short
// transactions: an item that changes meanwhile may be counted twice or not at all.
func (s *Store) Volume(ctx context.Context, q aggregator.VolumeQuery) ([]aggregator.DayVolume, error) {
	type dayOf struct {
		day  int64
		feed uint32
	}
	counts := make(map[dayOf]int)
	var in period
	in.since, in.until = q.Days()
	for after, more := uint64(0), len(q.Topic) <= maxName; more; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.view(func(r *reader) (err error) {
			n := 0
			after, more, err = r.membersAfter(q.Topic, after, in, func(m member) bool {
				counts[dayOf{m.published.day(), m.feed}]++
				n++
				return n < countedPerRead
			})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var volume []aggregator.DayVolume
	err := s.view(func(r *reader) error {
		for of, n := range counts {
			feed, err := r.feedOf(of.feed)
			if err != nil {
				return err
			}
			volume = append(volume, aggregator.DayVolume{Day: instant{Sec: of.day * secondsADay}.time(), Feed: feed, Items: n})
		}
		return nil
	})
	slices.SortFunc(volume, func(a, b aggregator.DayVolume) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Feed, b.Feed))
	})
	return volume, err
}
