package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// pruning decides what is let go, in one walk over the items in the order of their Seq.
type pruning struct {
	keep aggregator.Retention
	now  time.Time
	*tally
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
	if p.tally, err = s.newTally(ctx); err != nil {
		return report, err
	}
	p.partOfItems("looking for items that are no longer kept")
	var old []uint64
	for after, more := uint64(0), true; more; {
		if old, after, more, err = s.pruneNext(ctx, p, after, end); err != nil {
			return report, err
		}
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
	err = s.scan(ctx, membersBucket, func(r *reader, k, v []byte) error {
		b, err := parseBlock(nil, k, v)
		if err != nil {
			return err
		}
		if topic := binary.BigEndian.Uint32(k); topic != 0 {
			name, err := r.topicOf(topic)
			if err != nil {
				return err
			}
			for _, m := range b.members {
				if m.seq <= end {
					topics[name]++
				}
			}
		}
		return nil
	})
	return feeds, topics, end, err
}

// pruneNext are the Seqs of the items that are let go among some of those after the given one, and the last of the Seqs
// that it looked at. more says that there are others.
func (s *Store) pruneNext(ctx context.Context, p *pruning, after, end uint64) (old []uint64, last uint64, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, false, err
	}
	err = s.view(func(r *reader) error {
		scanned := 0
		more, err = r.itemsAfter(after, end, func(seq uint64, cbor []byte) (bool, error) {
			var it retained
			if err := r.codec.dec.Unmarshal(cbor, &it); err != nil {
				return false, fmt.Errorf("item %d: %w: %w", seq, errRecord, err)
			}
			if p.goes(it) {
				old = append(old, seq)
			}
			last = seq
			scanned++
			p.counted(1)
			return scanned < scannedPerRead && len(old) < itemsPerRead, nil
		})
		return err
	})
	return old, last, more, err
}

// pruneItems removes the items with the given Seqs. One that has changed meanwhile is no longer there, and stays.
func (s *Store) pruneItems(ctx context.Context, seqs []uint64) (report aggregator.PruneReport, err error) {
	if len(seqs) == 0 {
		return report, nil
	}
	if err := s.lock(ctx); err != nil {
		return report, err
	}
	defer s.unlock()
	err = s.update(func(w *writer) error {
		report = aggregator.PruneReport{}
		w.passing = true
		seq, err := w.bucket(itemsBucket).NextSequence()
		if err != nil {
			return err
		}
		var gone []replacement
		left := make(map[aggregator.FeedID]int)
		for _, n := range seqs {
			it, err := w.item(n)
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
			gone = append(gone, replacement{seq: n})
			left[it.Feed]++
			report.Items++
			report.Revisions += revisions
		}
		if err := w.countDown(left); err != nil {
			return err
		}
		return w.replaceItems(gone...)
	})
	if err != nil {
		return aggregator.PruneReport{}, err
	}
	return report, nil
}

// prune takes an item out of all indexes but for its identity, and removes its revisions. The topics that listed its story
// get a Version with the given seq.
func (w *writer) prune(it *aggregator.Item, seq uint64) (revisions int, err error) {
	if err := w.file(nil, it, seq); err != nil {
		return 0, err
	}
	w.setIdentity(it.ID, identity{hash: it.Hash})
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
	return len(old), nil
}

// countDown notes that feeds have so many items less.
func (w *writer) countDown(left map[aggregator.FeedID]int) error {
	for feed, n := range left {
		id := []byte(feed)
		key := stateKey(id)
		if w.bucket(statesBucket).Get(key) == nil {
			continue
		}
		state, err := w.state(id)
		if err != nil {
			return err
		}
		state.Items -= n
		if err := w.bucket(statesBucket).Put(key, encodeState(&state)); err != nil {
			return err
		}
	}
	return nil
}
