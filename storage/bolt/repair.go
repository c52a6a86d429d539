package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/topicwire/topicwire/aggregator"
)

// restoredAtOnce is how many items, and idsAtOnce how many ids, one transaction of a rebuilding takes.
const (
	restoredAtOnce = 4096
	idsAtOnce      = 64 << 10
)

// repair writes the store anew from what its items say, and puts that in its place. Who calls it holds maintaining and
// writing. lost counts the items that could not be read.
func (s *Store) repair(ctx context.Context) (lost int, err error) {
	err = s.rewrite(ctx, s.retrain, func(n *newFile, ctx context.Context) error {
		r := newRebuilding(n, current{s})
		err := r.all(ctx)
		lost = r.lost
		return err
	})
	return lost, err
}

// source is a store of some format, as far as a rebuilding needs it.
type source interface {
	// identities calls f with the ids of what was pruned and with aliases, as far as they can be read. What is said of an
	// id may be said again.
	identities(ctx context.Context, f func(id aggregator.ItemID, at identity) error) error
	// items calls f with the items by their Seq, and with how many could not be read, below zero where nobody knows.
	items(ctx context.Context, f func(items []aggregator.Item, lost int) error) error
}

// rebuilding makes a store of what another one's items say.
type rebuilding struct {
	*newFile
	source
	// built is the new file as a store of its own.
	built *Store
	feeds map[aggregator.FeedID]int
	// due are feeds that are yet to be entered as due.
	due []dueFeed
	// last is the last Seq.
	last uint64
	lost int
	// uncounted says that there were items of which not even the number could be read.
	uncounted bool
	// strict ends it where something cannot be read, and leaves the versions of topics as they are.
	strict bool
}

func newRebuilding(n *newFile, from source) *rebuilding {
	return &rebuilding{
		newFile: n, source: from, feeds: make(map[aggregator.FeedID]int),
		built: &Store{path: n.path, codec: n.codec, now: n.now, tables: n.tables, file: file{db: n.db, pack: n.pack}},
	}
}

func (n *rebuilding) all(ctx context.Context) error {
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"meta", func(ctx context.Context) error { return n.copyPairs(ctx, metaBucket) }},
		{"notes", n.notes},
		{"identities of what was pruned", n.pruned},
		{"items", n.restoreItems},
		{"aliases", n.aliases},
		{"revisions", n.revisions},
		{"feeds", n.feedsAndStates},
		{"versions", n.versions},
	} {
		if err := errors.Join(step.do(ctx), n.commit()); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	if err := n.copyFormatAndSeq(); err != nil {
		return err
	}
	return n.setSequence(itemsBucket, n.last)
}

// pruned keeps the identities that nothing else in the store says anything about.
func (n *rebuilding) pruned(ctx context.Context) error {
	return n.keepIdentities(ctx, func(_ *writer, at identity) (bool, error) { return at.pruned(), nil })
}

// aliases keeps those that lead to an item that there is or was and that no item has for its own id.
func (n *rebuilding) aliases(ctx context.Context) error {
	return n.keepIdentities(ctx, func(w *writer, at identity) (bool, error) {
		if !at.alias() {
			return false, nil
		}
		_, ok, err := w.identity(at.hash)
		return ok, err
	})
}

func (n *rebuilding) keepIdentities(ctx context.Context, keep func(w *writer, at identity) (bool, error)) error {
	kept := make(map[aggregator.ItemID]identity)
	store := func() error {
		err := n.built.update(func(w *writer) error {
			for id, at := range kept {
				ok, err := keep(w, at)
				if err != nil {
					return err
				}
				_, known, err := w.lookUp(id)
				if err != nil {
					return err
				}
				if ok && !known {
					w.setIdentity(id, at)
				}
			}
			return nil
		})
		clear(kept)
		return err
	}
	err := n.identities(ctx, func(id aggregator.ItemID, at identity) error {
		if kept[id] = at; len(kept) < idsAtOnce {
			return nil
		}
		return store()
	})
	return errors.Join(err, store())
}

// restoreItems stores what can be read. Of two items with one id the later stays.
func (n *rebuilding) restoreItems(ctx context.Context) error {
	var waiting []aggregator.Item
	store := func() error {
		some := waiting
		waiting = nil
		return n.restore(some)
	}
	err := n.items(ctx, func(items []aggregator.Item, lost int) error {
		n.lost += max(lost, 0)
		n.uncounted = n.uncounted || lost < 0
		for i := range items {
			n.last = max(n.last, items[i].Seq)
		}
		if waiting = append(waiting, items...); len(waiting) < restoredAtOnce {
			return nil
		}
		return store()
	})
	return errors.Join(err, store())
}

// restore stores items under the Seqs that they have.
func (n *rebuilding) restore(items []aggregator.Item) error {
	frames, err := n.framesOf(items)
	if err != nil {
		return err
	}
	return n.built.update(func(w *writer) error {
		var again []replacement
		for i := range items {
			it := &items[i]
			at, known, err := w.identity(it.ID)
			if err != nil {
				return err
			}
			if known && !at.pruned() {
				earlier, err := n.earlier(w, items[:i], at.seq)
				if err == nil {
					err = w.file(nil, &earlier, it.Seq)
				}
				if err != nil {
					return err
				}
				again = append(again, replacement{seq: at.seq})
				n.feeds[earlier.Feed]--
			}
			n.feeds[it.Feed]++
			if err := w.enter(it, nil); err != nil {
				return err
			}
		}
		for _, f := range frames {
			w.appendFrame(f)
		}
		return w.replaceItems(again...)
	})
}

// earlier is the item with the Seq, which is one of those that are being stored or is stored.
func (n *rebuilding) earlier(w *writer, items []aggregator.Item, seq uint64) (aggregator.Item, error) {
	if i := slices.IndexFunc(items, func(it aggregator.Item) bool { return it.Seq == seq }); i >= 0 {
		return items[i], nil
	}
	return w.item(seq)
}

// framesOf makes the frames of items with their Seqs, on all processors.
func (n *rebuilding) framesOf(items []aggregator.Item) ([]frame, error) {
	part := len(items)/runtime.GOMAXPROCS(0) + 1
	made := make([][]madeFrame, len(items)/part+1)
	failed := make([]error, len(made))
	var parts sync.WaitGroup
	for i := range made {
		mine := items[min(i*part, len(items)):min((i+1)*part, len(items))]
		parts.Go(func() { made[i], failed[i] = n.codec.frames(n.pack, mine) })
	}
	parts.Wait()
	var frames []frame
	for i := range made {
		for _, f := range made[i] {
			for _, it := range items[i*part+f.from : i*part+f.to] {
				f.seqs = append(f.seqs, it.Seq)
			}
			frames = append(frames, f.frame)
		}
	}
	return frames, errors.Join(failed...)
}

func (n *rebuilding) revisions(ctx context.Context) error {
	return n.copyPacked(ctx, revisionsBucket, func(p packedPair) (keep bool, err error) {
		var rec revisionRecord
		if p.err == nil {
			p.err = n.codec.dec.Unmarshal(p.cbor, &rec)
		}
		if p.err != nil || len(p.k) != 24 {
			if n.strict {
				return false, fmt.Errorf("revision %x: %w", p.k, errors.Join(p.err, errRecord))
			}
			return false, nil
		}
		err = n.built.view(func(r *reader) error {
			at, ok, err := r.lookUp(aggregator.ItemID(p.k[:16]))
			keep = ok && !at.pruned() && !at.alias()
			return err
		})
		return keep, err
	})
}

func (n *rebuilding) putRecord(bucket, key []byte, record any) error {
	v, err := n.codec.encode(record)
	if err != nil {
		return err
	}
	return n.put(bucket, key, v)
}

// versions moves the version of every topic: whoever has an answer of before must ask again. A strict rebuilding leaves
// them, since it changes no answer.
func (n *rebuilding) versions(ctx context.Context) error {
	now := instantOf(n.now())
	err := n.view(func(r *reader) error {
		n.last = max(n.last, r.bucket(itemsBucket).Sequence())
		return nil
	})
	if err != nil {
		return err
	}
	if n.strict {
		return n.copyRecords(ctx, topicsBucket)
	}
	n.last++
	move := func(k []byte, rec versionRecord) error {
		rec.Seq = n.last
		if rec.Changed.compare(now) < 0 {
			rec.Changed = now
		}
		return n.putRecord(topicsBucket, k, rec)
	}
	// Those of the new file are of topics that list a story, those of the old one of topics that ever did.
	var made [][]byte
	err = n.built.scan(ctx, topicsBucket, func(_ *reader, k, _ []byte) error {
		made = append(made, bytes.Clone(k))
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range made {
		if err := move(k, versionRecord{}); err != nil {
			return err
		}
	}
	return n.scan(ctx, topicsBucket, func(r *reader, k, v []byte) error {
		var rec versionRecord
		if r.decode(v, &rec) != nil {
			rec = versionRecord{}
		}
		return move(k, rec)
	})
}

// current is a store of the format of today, as a source.
type current struct{ *Store }

// identities reads segment after segment, whatever the list of runs says, and passes over those that are spoiled.
func (s current) identities(ctx context.Context, f func(aggregator.ItemID, identity) error) error {
	return s.scan(ctx, identityBucket, func(_ *reader, _, v []byte) error {
		entries, ok := unsealed(v)
		w := identityTable.width()
		if !ok || len(entries)%w != 0 {
			return nil
		}
		for ; len(entries) > 0; entries = entries[w:] {
			at, _ := identityIn(entries[identityTable.key:w])
			if !at.pruned() && !at.alias() {
				continue
			}
			if err := f(aggregator.ItemID(entries[:identityTable.key]), at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s current) items(ctx context.Context, f func([]aggregator.Item, int) error) error {
	return s.scan(ctx, itemsBucket, func(r *reader, k, v []byte) error {
		c, err := parseChunk(k, v)
		if err != nil {
			return f(nil, -1)
		}
		var items []aggregator.Item
		lost := 0
		for _, fr := range c.frames {
			all, err := r.pack.unpacked(fr)
			for i, seq := range fr.seqs {
				var it aggregator.Item
				if err == nil {
					it, err = r.codec.item(seq, all[i])
				}
				if err != nil || seq == 0 {
					lost++
					continue
				}
				items = append(items, it)
			}
		}
		return f(items, lost)
	})
}
