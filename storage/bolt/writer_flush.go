package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// flush puts into the file what was collected.
func (w *writer) flush() error {
	for _, step := range []func() error{
		w.flushStates, w.flushDue, w.flushItems, w.flushIdentities, w.flushStories, w.flushTopics, w.flushVersions,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) flushIdentities() error {
	if len(w.ids) == 0 {
		return nil
	}
	ids := w.sorted[:0]
	for id := range w.ids {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b aggregator.ItemID) int { return bytes.Compare(a[:], b[:]) })
	entries := w.entries[:0]
	for _, id := range ids {
		entries = w.ids[id].appendTo(append(entries, id[:]...))
	}
	clear(w.ids)
	w.sorted, w.entries = ids, entries
	return w.addTo(identityTable, entries)
}

func (w *writer) flushStories() error {
	if len(w.stories) == 0 {
		return nil
	}
	changes := w.stories
	slices.SortFunc(changes, func(a, b storyChange) int {
		return cmp.Or(cmp.Compare(a.half, b.half), cmp.Compare(a.seq, b.seq), cmp.Compare(a.place, b.place))
	})
	entries := w.entries[:0]
	for i, ch := range changes {
		if i+1 < len(changes) && changes[i+1].half == ch.half && changes[i+1].seq == ch.seq {
			continue
		}
		entries = appendSeq(binary.BigEndian.AppendUint64(entries, ch.half), ch.seq)
		entries = append(entries, ch.says)
	}
	w.stories, w.entries = w.stories[:0], entries
	clear(w.lastOf)
	return w.addTo(storiesTable, entries)
}

func (w *writer) addTo(t *table, entries []byte) error {
	x, err := w.index(t)
	if err != nil {
		return err
	}
	w.indexes = nil
	w.adding(t, entries)
	x.memory = &w.tableMemory
	return x.add(entries)
}

// flushTopics stores what changes of the topics' lists and members.
func (w *writer) flushTopics() error {
	topics := w.inOrder()
	var places spareBlocks[listed]
	for _, t := range topics {
		if err := listsIndex.applyTo(w.bucket(listsBucket), &w.room, &places, t.number, t.places); err != nil {
			return err
		}
	}
	var members spareBlocks[member]
	for _, t := range topics {
		if err := membersIndex.applyTo(w.bucket(membersBucket), &w.room, &members, t.number, t.members); err != nil {
			return err
		}
	}
	return nil
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
