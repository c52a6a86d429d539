package bolt

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// itemFill is how full a page of items is left. They arrive in the order of their keys, so nothing is put between them.
const itemFill = 0.95

// writer is the transaction that writes.
type writer struct {
	reader
	now instant
	// moved are the topics whose stories changed, with the Seq of the change.
	moved map[aggregator.TopicID]uint64
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

// putState stores the state of an active feed that takes the place of one with the head old, and moves its due time.
func (w *writer) putState(id []byte, old stateHead, next *aggregator.FeedState) error {
	if err := w.bucket(statesBucket).Put(id, encodeState(next)); err != nil {
		return err
	}
	due, before, c := headOf(next).due, dueKey(old.due, id), w.bucket(dueBucket).Cursor()
	key, url := c.Seek(before)
	found := bytes.Equal(key, before)
	switch {
	case next.MovedTo != "":
		url = []byte(next.MovedTo)
	case old.moved, !found, len(url) == 0:
		rec, _, err := w.feedRecord(id)
		if err != nil {
			return err
		}
		url = []byte(rec.URL)
	case old.due == due:
		return nil
	default:
		url = bytes.Clone(url) // it is on a page that is about to change
	}
	if found && old.due != due {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return w.bucket(dueBucket).Put(dueKey(due, id), url)
}

func (w *writer) putListing(id []byte, listed []aggregator.ListedItem) error {
	if len(listed) == 0 {
		return w.bucket(listingsBucket).Delete(id)
	}
	return w.bucket(listingsBucket).Put(id, listingBytes(listed))
}

// applyPoll stores the outcome of a poll of an active feed.
func (w *writer) applyPoll(c *commit) error {
	p := c.poll
	id := []byte(p.Feed)
	old, err := w.stateHead(id)
	if err != nil {
		return err
	}
	next := p.State
	next.Items = old.items
	for i, it := range p.Items {
		isNew, err := w.applyItem(it, c.record(w.pack, i))
		if err != nil {
			return fmt.Errorf("item %v: %w", it.ID, err)
		}
		if isNew {
			next.Items++
		}
	}
	if p.Relist {
		if err := w.putListing(id, p.Listing); err != nil {
			return err
		}
	}
	return w.putState(id, old, &next)
}

// applyItem stores a new item or a change to a stored one under a new Seq. record is that of a new item where it is
// already made, else nil.
func (w *writer) applyItem(it aggregator.Item, record []byte) (isNew bool, err error) {
	items, ids := w.bucket(itemsBucket), w.bucket(identityBucket)
	items.FillPercent = itemFill
	at, known := identityIn(ids.Get(it.ID[:]))
	if known && at.pruned() {
		return false, ids.Put(it.ID[:], identity{hash: it.Hash}.bytes())
	}
	if known {
		old, err := w.item(at.seq)
		if err != nil {
			return false, err
		}
		it.Story, it.FirstSeen, it.OrderTime = old.Story, old.FirstSeen, old.OrderTime
		record = nil
		if it.Revision > old.Revision {
			if err := w.putRevision(&old); err != nil {
				return false, err
			}
		}
		if err := items.Delete(seqKey(at.seq)); err != nil {
			return false, err
		}
	}
	if it.Seq, err = items.NextSequence(); err != nil {
		return false, err
	}
	if record == nil {
		if record, err = w.codec.encodePacked(w.pack, itemRecordOf(&it)); err != nil {
			return false, err
		}
	}
	if err := items.Put(seqKey(it.Seq), record); err != nil {
		return false, err
	}
	if err := ids.Put(it.ID[:], identity{seq: it.Seq, hash: it.Hash}.bytes()); err != nil {
		return false, err
	}
	aliases := w.bucket(aliasesBucket)
	for _, alias := range it.Aliases {
		if alias == it.ID || aliases.Get(alias[:]) != nil || ids.Get(alias[:]) != nil {
			continue
		}
		if err := aliases.Put(alias[:], it.ID[:]); err != nil {
			return false, err
		}
	}
	return !known, w.file(&it, it.Seq)
}

func (w *writer) putRevision(old *aggregator.Item) error {
	return w.putPacked(revisionsBucket, revisionKey(old.ID, old.Revision), revisionRecord{
		From: instantOf(old.Revised), Title: old.Title, Summary: old.Summary, Content: old.Content,
	})
}

// file makes the item's story say what the item now is, and puts the story where that leads. The topics that list the
// story, before or now, get a Version with the given seq.
func (w *writer) file(it *aggregator.Item, seq uint64) error {
	next := reportOf(it)
	if err := w.place(it.Story, it.ID, &next, seq); err != nil {
		return err
	}
	return w.put(storiesBucket, storyKey(it.Story, it.ID), next)
}

// unfile is file for an item that is no longer stored.
func (w *writer) unfile(it *aggregator.Item, seq uint64) error {
	if err := w.place(it.Story, it.ID, nil, seq); err != nil {
		return err
	}
	return w.bucket(storiesBucket).Delete(storyKey(it.Story, it.ID))
}

func reportOf(it *aggregator.Item) reportRecord {
	return reportRecord{
		Seq: it.Seq, FirstSeen: instantOf(it.FirstSeen), OrderTime: instantOf(it.OrderTime), Topics: it.Topics,
	}
}

// place brings the lists from what the story was to what it is with the given report of the item, nil for none.
func (w *writer) place(story aggregator.StoryID, id aggregator.ItemID, next *reportRecord, seq uint64) error {
	reports, err := w.reports(story)
	if err != nil {
		return err
	}
	before := listing(reports)
	reports = slices.DeleteFunc(reports, func(r report) bool { return r.id == id })
	if next != nil {
		reports = append(reports, report{id: id, reportRecord: *next})
		slices.SortFunc(reports, report.compare)
	}
	after := listing(reports)
	lists := w.bucket(listsBucket)
	for topic, at := range before {
		w.move(topic, seq)
		if now, ok := after[topic]; ok && now == at {
			continue
		}
		if err := lists.Delete(listKey(topic, at, story)); err != nil {
			return err
		}
	}
	for topic, at := range after {
		w.move(topic, seq)
		if was, ok := before[topic]; ok && was == at {
			continue
		}
		if err := lists.Put(listKey(topic, at, story), nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) move(topic aggregator.TopicID, seq uint64) {
	if w.moved == nil {
		w.moved = make(map[aggregator.TopicID]uint64)
	}
	w.moved[topic] = max(w.moved[topic], seq)
}

// flushVersions stores the Versions of the topics that changed. Their time never goes back, also where the clock does:
// it ends up in Last-Modified.
func (w *writer) flushVersions() error {
	for topic, seq := range w.moved {
		v, err := w.version(topic)
		if err != nil {
			return err
		}
		v.Seq = seq
		if v.Changed.compare(w.now) < 0 {
			v.Changed = w.now
		}
		if err := w.put(topicsBucket, topicKey(topic), v); err != nil {
			return err
		}
	}
	return nil
}

// tidyTopics is topics sorted, each once, without AllTopics. It leaves the given slice as it is.
func tidyTopics(topics []aggregator.TopicID) ([]aggregator.TopicID, error) {
	tidy := slices.Clone(topics)
	slices.Sort(tidy)
	tidy = slices.DeleteFunc(slices.Compact(tidy), func(t aggregator.TopicID) bool { return t == aggregator.AllTopics })
	for _, t := range tidy {
		if len(t) > maxName {
			return nil, fmt.Errorf("topic id of %d bytes: at most %d are stored", len(t), maxName)
		}
	}
	return tidy, nil
}
