package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// repair writes the store anew from what its items say, and puts that in its place. Who calls it holds maintaining and
// writing. lost counts the items that could not be read.
func (s *Store) repair(ctx context.Context) (lost int, err error) {
	err = s.rewrite(ctx, func(n *newFile, ctx context.Context) error {
		r := &repairs{newFile: n, feeds: make(map[aggregator.FeedID]int), topics: make(map[aggregator.TopicID]bool)}
		err := r.all(ctx)
		lost = r.lost
		return err
	})
	return lost, err
}

type repairs struct {
	*newFile
	feeds map[aggregator.FeedID]int
	// topics are those that list a story.
	topics map[aggregator.TopicID]bool
	last   uint64
	lost   int
}

func (n *repairs) all(ctx context.Context) error {
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"meta", func(ctx context.Context) error { return n.copyPairs(ctx, metaBucket) }},
		{"notes", n.notes},
		{"identities of what was pruned", n.pruned},
		{"items", n.items},
		{"aliases", n.aliases},
		{"revisions", n.revisions},
		{"lists", n.lists},
		{"feeds", n.feedsAndStates},
		{"versions", n.versions},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return n.copyFormatAndSeq()
}

// copyFormatAndSeq keeps the last Seq, which is above that of every item and every version.
func (n *repairs) copyFormatAndSeq() error {
	if err := n.copyLastSeq(); err != nil {
		return err
	}
	return n.setSequence(n.last)
}

// pruned keeps the identities that nothing else in the store says anything about.
func (n *repairs) pruned(ctx context.Context) error {
	return n.scan(ctx, identityBucket, func(_ *reader, k, v []byte) error {
		if at, ok := identityIn(v); !ok || len(k) != 16 || !at.pruned() {
			return nil
		}
		return n.put(identityBucket, k, v)
	})
}

// items copies what can be read, with its identity and its place in its story. Of two with one id the later stays.
func (n *repairs) items(ctx context.Context) error {
	return n.copyPacked(ctx, itemsBucket, func(p packedPair) (bool, error) {
		var rec itemRecord
		if p.err == nil {
			p.err = n.codec.dec.Unmarshal(p.cbor, &rec)
		}
		seq := seqIn(p.k)
		if p.err != nil || seq == 0 {
			n.lost++
			return false, nil
		}
		it := rec.item(seq)
		n.last = max(n.last, seq)
		if at, ok := identityIn(n.get(identityBucket, it.ID[:])); ok && !at.pruned() {
			if err := n.forget(&it, at.seq); err != nil {
				return false, err
			}
		}
		n.feeds[it.Feed]++
		if err := n.put(identityBucket, it.ID[:], identity{seq, it.Hash}.bytes()); err != nil {
			return false, err
		}
		return true, n.putRecord(storiesBucket, storyKey(it.Story, it.ID), reportOf(&it))
	})
}

// forget removes what the new file has of an earlier item with the same id.
func (n *repairs) forget(it *aggregator.Item, seq uint64) error {
	var rec itemRecord
	if err := n.codec.decode(n.pack, n.get(itemsBucket, seqKey(seq)), &rec); err != nil {
		return err
	}
	n.feeds[rec.Feed]--
	if err := n.commit(); err != nil {
		return err
	}
	return n.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(storiesBucket).Delete(storyKey(rec.Story, it.ID)); err != nil {
			return err
		}
		return tx.Bucket(itemsBucket).Delete(seqKey(seq))
	})
}

// get reads the new file, with what was last put there. The bytes are good until something is put.
func (n *repairs) get(bucket, key []byte) (v []byte) {
	if n.tx != nil {
		return n.tx.Bucket(bucket).Get(key)
	}
	// The file is nobody else's: nothing moves under what is copied.
	_ = n.db.View(func(tx *bbolt.Tx) error {
		v = bytes.Clone(tx.Bucket(bucket).Get(key))
		return nil
	})
	return v
}

func (n *repairs) putRecord(bucket, key []byte, record any) error {
	v, err := n.codec.encode(record)
	if err != nil {
		return err
	}
	return n.put(bucket, key, v)
}

// aliases keeps those that lead to an item that there is or was, and adds those that items name.
func (n *repairs) aliases(ctx context.Context) error {
	err := n.scan(ctx, aliasesBucket, func(_ *reader, k, v []byte) error {
		if len(k) != 16 || len(v) != 16 || n.get(identityBucket, v) == nil {
			return nil
		}
		return n.put(aliasesBucket, k, v)
	})
	if err != nil {
		return err
	}
	return n.Store.scan(ctx, itemsBucket, func(r *reader, k, v []byte) error {
		var rec itemRecord
		if r.decode(v, &rec) != nil {
			return nil
		}
		for _, alias := range rec.Aliases {
			if alias == rec.ID || n.get(aliasesBucket, alias[:]) != nil || n.get(identityBucket, alias[:]) != nil {
				continue
			}
			if err := n.put(aliasesBucket, alias[:], rec.ID[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n *repairs) revisions(ctx context.Context) error {
	return n.copyPacked(ctx, revisionsBucket, func(p packedPair) (bool, error) {
		var rec revisionRecord
		if p.err != nil || len(p.k) != 24 || n.codec.dec.Unmarshal(p.cbor, &rec) != nil {
			return false, nil
		}
		at, ok := identityIn(n.get(identityBucket, p.k[:16]))
		return ok && !at.pruned(), nil
	})
}

// lists puts every story of the new file where it belongs.
func (n *repairs) lists(ctx context.Context) error {
	// What is read is the new file, as a store of its own. Nothing is written while that is read: growing the memory map
	// would wait for the reader.
	built := &Store{path: n.path, codec: n.codec, file: file{db: n.db, pack: n.pack}}
	for after, more := []byte(nil), true; more; {
		if err := errors.Join(ctx.Err(), n.commit()); err != nil {
			return err
		}
		var places [][]byte
		err := built.view(func(r *reader) (err error) {
			places, after, err = n.places(r, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, k := range places {
			if err := n.put(listsBucket, k, nil); err != nil {
				return err
			}
		}
		more = after != nil
	}
	return n.commit()
}

// places are the keys in lists of some stories after the given key of stories. The key that it gives is nil when there
// are no more.
func (n *repairs) places(r *reader, after []byte) (places [][]byte, last []byte, err error) {
	c := r.bucket(storiesBucket).Cursor()
	last = after
	for k, _ := seekAfter(c, nil, after); k != nil; k, _ = c.Next() {
		if len(places) >= scannedPerRead {
			return places, last, nil
		}
		story, known := aggregator.StoryID(k[:16]), bytes.HasPrefix(last, k[:16])
		last = bytes.Clone(k)
		if known {
			continue
		}
		reports, err := r.reports(story)
		if err != nil {
			return nil, nil, err
		}
		for topic, at := range listing(reports) {
			n.topics[topic] = true
			places = append(places, listKey(topic, at, story))
		}
	}
	return places, nil, nil
}

// feedsAndStates copies what can be read of the feeds, with what the items say of their number.
func (n *repairs) feedsAndStates(ctx context.Context) error {
	return n.scan(ctx, feedsBucket, func(r *reader, k, v []byte) error {
		var rec feedRecord
		if r.decodeFeed(v, &rec) != nil {
			// The config describes the feed, and the next start stores it again.
			return nil
		}
		state, err := r.state(k)
		if err != nil {
			// It is polled at once, without validators, as if it were new.
			state = aggregator.FeedState{}
		}
		state.Items = n.feeds[aggregator.FeedID(k)]
		if err := n.put(feedsBucket, k, encodeFeed(&rec)); err != nil {
			return err
		}
		if err := n.put(statesBucket, k, encodeState(&state)); err != nil {
			return err
		}
		if listed := r.bucket(listingsBucket).Get(k); len(listed) > 0 && err == nil {
			if err := n.put(listingsBucket, k, bytes.Clone(listed)); err != nil {
				return err
			}
		}
		if rec.Inactive {
			return nil
		}
		return n.put(dueBucket, dueKey(instantOf(state.Due), k), rec.polledAt(&state))
	})
}

// versions moves the version of every topic: whoever has an answer of before must ask again.
func (n *repairs) versions(ctx context.Context) error {
	now := instantOf(n.now())
	err := n.view(func(r *reader) error {
		n.last = max(n.last, r.bucket(itemsBucket).Sequence()) + 1
		return nil
	})
	if err != nil {
		return err
	}
	for topic := range n.topics {
		if err := n.putRecord(topicsBucket, topicKey(topic), versionRecord{Seq: n.last, Changed: now}); err != nil {
			return err
		}
	}
	return n.scan(ctx, topicsBucket, func(r *reader, k, v []byte) error {
		var rec versionRecord
		if r.decode(v, &rec) != nil {
			rec = versionRecord{}
		}
		rec.Seq = n.last
		if rec.Changed.compare(now) < 0 {
			rec.Changed = now
		}
		return n.putRecord(topicsBucket, k, rec)
	})
}
