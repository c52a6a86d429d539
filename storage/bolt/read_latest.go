package bolt

import (
	"bytes"
	"context"

	"github.com/topicwire/topicwire/aggregator"
)

// LatestItems are a feed's items that changed last; see storage.ReadStore. There is no index for it: the members of
// AllTopics are read from their end, where each has the number of its feed in a few bytes.
func (s *Store) LatestItems(ctx context.Context, feed aggregator.FeedID, limit int) (items []aggregator.Item, err error) {
	if len(feed) > maxName {
		return nil, nil
	}
	for before, more := blockKey(1, 0), true; more && len(items) < limit; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.view(func(r *reader) error {
			number, ok, err := r.number(feedKind, string(feed))
			if err != nil || !ok {
				more = false
				return err
			}
			items, before, err = r.latestItems(items, number, before, limit)
			more = before != nil
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// latestItems adds the items of the feed that are in the blocks before the given key, up to limit in all. next is where
// there may be more, nil where there are none.
func (r *reader) latestItems(
	items []aggregator.Item, feed uint32, before []byte, limit int,
) (all []aggregator.Item, next []byte, err error) {
	prefix := topicPrefix(0) // AllTopics
	c := r.bucket(membersBucket).Cursor()
	scanned, size := 0, 0
	k, v := lastBefore(c, before)
	for ; bytes.HasPrefix(k, prefix); k, v = c.Prev() {
		if scanned++; scanned > scannedPerRead || size > bytesPerRead {
			return items, next, nil
		}
		next = bytes.Clone(k)
		b, err := parseBlock(nil, k, v)
		if err != nil {
			return nil, nil, err
		}
		for i := len(b.members) - 1; i >= 0; i-- {
			if b.members[i].feed != feed {
				continue
			}
			it, err := r.item(b.members[i].seq)
			if err != nil {
				return nil, nil, err
			}
			if items = append(items, it); len(items) >= limit {
				return items, nil, nil
			}
			size += textSize(&it)
		}
	}
	return items, nil, nil
}
