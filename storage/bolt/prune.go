package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// pruning decides what is let go, in one walk over the items in the order of their Seq.
type pruning struct {
	keep aggregator.Retention
	now  time.Time
	// feeds and topics count the items of each that lie ahead, where a rule asks.
	feeds  map[aggregator.FeedID]int
	topics map[aggregator.TopicID]int
}

// retained is as much of an itemRecord as a rule asks about.
type retained struct {
	Feed      aggregator.FeedID    `cbor:"3,keyasint"`
	FirstSeen instant              `cbor:"20,keyasint"`
	Revised   instant              `cbor:"21,keyasint"`
	Topics    []aggregator.TopicID `cbor:"23,keyasint"`
}

// goes takes the next item and reports whether it is let go.
func (p *pruning) goes(it retained) bool {
	seen := it.FirstSeen.time()
	if revised := it.Revised.time(); revised.After(seen) {
		seen = revised
	}
	lets := func(k aggregator.Keep, ahead int) bool {
		return k.Age > 0 && p.now.Sub(seen) > k.Age || k.Items > 0 && ahead > k.Items
	}
	ruled, goes := false, true
	if k, ok := p.keep.Feeds[it.Feed]; ok {
		ruled, goes = true, lets(k, p.feeds[it.Feed])
	}
	for _, topic := range it.Topics {
		if k, ok := p.keep.Topics[topic]; ok {
			ruled, goes = true, goes && lets(k, p.topics[topic])
			p.topics[topic]--
		}
	}
	if !ruled {
		goes = lets(p.keep.General, p.feeds[it.Feed])
	}
	p.feeds[it.Feed]--
	return goes
}

// Prune removes what keep lets go; see storage.MaintenanceStore. It looks at each item once, and holds polls up for the
// time of one small transaction, again and again.
func (s *Store) Prune(
	ctx context.Context, keep aggregator.Retention, now time.Time,
) (report aggregator.PruneReport, err error) {
	if keep.Forever() {
		return report, ctx.Err()
	}
	if err := s.maintain(ctx); err != nil {
		return report, err
	}
	defer s.maintained()
	p := &pruning{keep: keep, now: now}
	var end uint64
	if p.feeds, p.topics, end, err = s.countItems(ctx); err != nil {
		return report, err
	}
	var old [][]byte
	var after []byte
	for more := true; more; {
		if old, after, err = s.pruneNext(ctx, p, after, end); err != nil {
			return report, err
		}
		more = after != nil
		done, err := s.pruneItems(ctx, old)
		if err != nil {
			return report, err
		}
		report.Items += done.Items
		report.Revisions += done.Revisions
	}
	return report, nil
}

// countItems counts the items of each feed and topic, up to the Seq end.
func (s *Store) countItems(ctx context.Context) (
	feeds map[aggregator.FeedID]int, topics map[aggregator.TopicID]int, end uint64, err error,
) {
	feeds, topics = make(map[aggregator.FeedID]int), make(map[aggregator.TopicID]int)
	err = s.view(func(r *reader) error {
		end = r.bucket(itemsBucket).Sequence()
		return nil
	})
	if err != nil {
		return nil, nil, 0, err
	}
	for status, err := range s.Feeds(ctx) {
		if err != nil {
			return nil, nil, 0, err
		}
		if status.State.Items > 0 {
			feeds[status.Feed.ID] = status.State.Items
		}
	}
	err = s.scan(ctx, storiesBucket, func(r *reader, k, v []byte) error {
		var rec reportRecord
		if err := r.decode(v, &rec); err != nil {
			return fmt.Errorf("story %x: %w", k, err)
		}
		if rec.Seq > end {
			return nil
		}
		for _, topic := range rec.Topics {
			topics[topic]++
		}
		return nil
	})
	return feeds, topics, end, err
}

// pruneNext are the keys of the items that are let go among some of those after the given key. The key that it gives is
// nil when there are no more.
func (s *Store) pruneNext(ctx context.Context, p *pruning, after []byte, end uint64) (old [][]byte, last []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	err = s.view(func(r *reader) error {
		scanned := 0
		c := r.bucket(itemsBucket).Cursor()
		for k, v := seekAfter(c, nil, after); k != nil && seqIn(k) <= end; k, v = c.Next() {
			var it retained
			if err := r.decode(v, &it); err != nil {
				return fmt.Errorf("item %d: %w", seqIn(k), err)
			}
			if p.goes(it) {
				old = append(old, bytes.Clone(k))
			}
			if scanned++; scanned >= scannedPerRead || len(old) >= itemsPerRead {
				last = bytes.Clone(k)
				return nil
			}
		}
		return nil
	})
	return old, last, err
}

// pruneItems removes the items under the given keys. One that has changed meanwhile is no longer there, and stays.
func (s *Store) pruneItems(ctx context.Context, keys [][]byte) (report aggregator.PruneReport, err error) {
	if len(keys) == 0 {
		return report, nil
	}
	if err := s.lock(ctx); err != nil {
		return report, err
	}
	defer s.unlock()
	err = s.update(func(w *writer) error {
		report = aggregator.PruneReport{}
		seq, err := w.bucket(itemsBucket).NextSequence()
		if err != nil {
			return err
		}
		for _, k := range keys {
			it, err := w.item(seqIn(k))
			if errors.Is(err, errMissing) {
				continue
			}
			if err != nil {
				return err
			}
			revisions, err := w.prune(&it, seq)
			if err != nil {
				return fmt.Errorf("item %v: %w", it.ID, err)
			}
			report.Items++
			report.Revisions += revisions
		}
		return nil
	})
	if err != nil {
		return aggregator.PruneReport{}, err
	}
	return report, nil
}

// prune removes an item but for its identity. The topics that listed its story get a Version with the given seq.
func (w *writer) prune(it *aggregator.Item, seq uint64) (revisions int, err error) {
	if err := w.unfile(it, seq); err != nil {
		return 0, err
	}
	if err := w.bucket(itemsBucket).Delete(seqKey(it.Seq)); err != nil {
		return 0, err
	}
	if err := w.bucket(identityBucket).Put(it.ID[:], identity{hash: it.Hash}.bytes()); err != nil {
		return 0, err
	}
	var old [][]byte
	c := w.bucket(revisionsBucket).Cursor()
	for k, _ := c.Seek(it.ID[:]); bytes.HasPrefix(k, it.ID[:]); k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := w.bucket(revisionsBucket).Delete(k); err != nil {
			return 0, err
		}
	}
	feed := []byte(it.Feed)
	if w.bucket(statesBucket).Get(feed) == nil {
		return len(old), nil
	}
	state, err := w.state(feed)
	if err != nil {
		return len(old), err
	}
	state.Items--
	return len(old), w.bucket(statesBucket).Put(feed, encodeState(&state))
}
