package bolt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// itemFill is how full pages are left that nothing is put between.
const itemFill = 0.95

// writer is the transaction that writes. What it has to say to the indexes it collects, and puts into the file at its
// end, in the order of the keys.
type writer struct {
	reader
	now instant
	*collected
}

func (w *writer) put(bucket, key []byte, record any) error {
	v, err := w.codec.encode(record)
	if err != nil {
		return err
	}
	return w.bucket(bucket).Put(key, v)
}

// putPacked is put for records that hold text.
func (w *writer) putPacked(bucket, key []byte, record any) error {
	v, err := w.codec.encodePacked(w.pack, record)
	if err != nil {
		return err
	}
	return w.bucket(bucket).Put(key, v)
}

func (w *writer) putListing(id []byte, listed []aggregator.ListedItem) error {
	if len(listed) == 0 {
		return w.bucket(listingsBucket).Delete(id)
	}
	return w.bucket(listingsBucket).Put(id, listingBytes(listed))
}

// applyPoll stores the outcome of a poll of an active feed.
func (w *writer) applyPoll(c *leasedCommit) error {
	id := w.room.text(string(c.feed))
	old := c.old.stateHead
	if !c.old.holds(w.changes.Load()) {
		var err error
		if old, err = w.stateHead(id); err != nil {
			return err
		}
	}
	items := old.items
	if c.found != nil {
		added, err := w.applyFindings(id, c.found)
		if err != nil {
			return err
		}
		items += added
	}
	w.putReady(c.place, id, old, &c.state, items)
	return nil
}

// applyFindings stores what a poll has found. added counts the items that are new.
func (w *writer) applyFindings(id []byte, found *findings) (added int, err error) {
	w.lookedUp += uint64(len(found.items))
	// The file has the dictionary that the frames were made with, or they were made without one.
	usable := found.pack == w.pack || found.pack != nil && found.pack.number == 0
	for _, f := range found.frames {
		n, err := w.applyFrame(found.items[f.from:f.to], f, usable)
		if err != nil {
			return 0, err
		}
		added += n
	}
	if found.poll.Relist {
		return added, w.putListing(id, found.poll.Listing)
	}
	return added, nil
}

// applyFrame stores items that are new, as most are, or changed. Where all are new the frame is stored as it was made,
// if that may still be.
func (w *writer) applyFrame(items []aggregator.Item, made madeFrame, usable bool) (added int, err error) {
	var olds []aggregator.Item
	// left are the items without those that stay out, of which there are hardly ever any. A poll that fails is tried again
	// with its items as they were.
	left, whole := items, true
	for i := range items {
		at, known, err := w.identity(items[i].ID)
		if err != nil {
			return 0, fmt.Errorf("item %v: %w", items[i].ID, err)
		}
		switch {
		case known && at.pruned():
			w.setIdentity(items[i].ID, identity{hash: items[i].Hash})
			if whole {
				left, whole = slices.Clone(items[:i]), false
			}
			continue
		case known:
			old, err := w.item(at.seq)
			if err == nil {
				err = w.revise(&items[i], &old)
			}
			if err != nil {
				return 0, fmt.Errorf("item %v: %w", items[i].ID, err)
			}
			olds = append(olds, old)
		default:
			added++
		}
		if !whole {
			left = append(left, items[i])
		}
	}
	made.seqs = make([]uint64, len(left))
	bucket := w.bucket(itemsBucket)
	seq := bucket.Sequence()
	for i := range left {
		seq++
		left[i].Seq, made.seqs[i] = seq, seq
	}
	if err := bucket.SetSequence(seq); err != nil {
		return 0, err
	}
	for i := range left {
		if err := w.enter(&left[i], olds); err != nil {
			return 0, fmt.Errorf("item %v: %w", left[i].ID, err)
		}
	}
	return added, w.storeItems(left, olds, made, usable && added == len(items))
}

// revise gives a changed item what is for ever, and keeps its old text where it has another one.
func (w *writer) revise(it, old *aggregator.Item) error {
	it.Story, it.FirstSeen, it.OrderTime = old.Story, old.FirstSeen, old.OrderTime
	if it.Revision <= old.Revision {
		return nil
	}
	return w.putPacked(revisionsBucket, revisionKey(old.ID, old.Revision), revisionRecord{
		From: instantOf(old.Revised), Title: old.Title, Summary: old.Summary, Content: old.Content,
	})
}

// enter puts an item with its Seq into the indexes; olds has what it was, if it was.
func (w *writer) enter(it *aggregator.Item, olds []aggregator.Item) error {
	w.setIdentity(it.ID, identity{seq: it.Seq, hash: it.Hash})
	for _, alias := range it.Aliases {
		if alias == it.ID {
			continue
		}
		switch _, known, err := w.lookUp(alias); {
		case err != nil:
			return err
		case !known:
			w.setIdentity(alias, identity{seq: isAlias, hash: it.ID})
		}
	}
	var old *aggregator.Item
	if i := slices.IndexFunc(olds, func(o aggregator.Item) bool { return o.ID == it.ID }); i >= 0 {
		old = &olds[i]
	}
	return w.file(it, old, it.Seq)
}

// storeItems stores the items with their Seqs in the place of what they were. made is the frame of them where it may be
// used; else others are made.
func (w *writer) storeItems(items, olds []aggregator.Item, made madeFrame, usable bool) error {
	if len(olds) > 0 {
		var gone []replacement
		for i := range olds {
			gone = append(gone, replacement{seq: olds[i].Seq})
		}
		if err := w.replaceItems(gone...); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return nil
	}
	if usable {
		w.appendFrame(made.frame)
		return nil
	}
	frames, err := w.codec.frames(w.pack, items)
	if err != nil {
		return err
	}
	for _, f := range frames {
		f.seqs = made.seqs[f.from:f.to]
		w.appendFrame(f.frame)
	}
	return nil
}

func (w *writer) appendFrame(f frame) {
	if len(w.appended.waiting) == 0 {
		w.unwritten = f.seqs[0]
	}
	w.appended.append(f)
}

// flushItems puts items that wait for it into the file.
func (w *writer) flushItems() error {
	w.chunk = nil
	w.appended.items, w.appended.room = w.bucket(itemsBucket), &w.room
	return w.appended.flush()
}

// item is reader.item, of what the transaction has appended too.
func (w *writer) item(seq uint64) (aggregator.Item, error) {
	if len(w.appended.waiting) > 0 && seq >= w.unwritten {
		if err := w.flushItems(); err != nil {
			return aggregator.Item{}, err
		}
	}
	return w.reader.item(seq)
}

func (w *writer) setIdentity(id aggregator.ItemID, at identity) {
	if w.ids == nil {
		w.ids = make(map[aggregator.ItemID]identity)
	}
	w.ids[id] = at
}

// lookUp is reader.lookUp, with what the transaction has added.
func (w *writer) lookUp(id aggregator.ItemID) (identity, bool, error) {
	if at, ok := w.ids[id]; ok {
		return at, true, nil
	}
	return w.reader.lookUp(id)
}

// identity is what is known of an item by its own id.
func (w *writer) identity(id aggregator.ItemID) (identity, bool, error) {
	at, ok, err := w.lookUp(id)
	return at, ok && !at.alias(), err
}

// tidyTopics is topics sorted, each once, without AllTopics. It leaves the given slice as it is.
func tidyTopics(topics []aggregator.TopicID) ([]aggregator.TopicID, error) {
	tidy := slices.Clone(topics)
	slices.SortFunc(tidy, cmp.Compare)
	tidy = slices.DeleteFunc(slices.Compact(tidy), func(t aggregator.TopicID) bool { return t == aggregator.AllTopics })
	for _, t := range tidy {
		if len(t) > maxName {
			return nil, fmt.Errorf("topic id of %d bytes: at most %d are stored", len(t), maxName)
		}
	}
	return tidy, nil
}
