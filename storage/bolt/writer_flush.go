package bolt

import (
	"bytes"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// flush puts into the file what was collected.
func (w *writer) flush() error {
	for _, step := range []func() error{
		w.flushStates, w.flushDue, w.flushItems, w.flushIdentities, w.flushStories, w.flushPlaces, w.flushMembers, w.flushVersions,
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
	ids := make([]aggregator.ItemID, 0, len(w.ids))
	for id := range w.ids {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b aggregator.ItemID) int { return bytes.Compare(a[:], b[:]) })
	entries := make([]byte, 0, len(ids)*identityTable.width())
	for _, id := range ids {
		entries = w.ids[id].appendTo(append(entries, id[:]...))
	}
	w.ids = nil
	return w.addTo(identityTable, entries)
}

func (w *writer) flushStories() error {
	if len(w.stories) == 0 {
		return nil
	}
	changes := make(map[[14]byte]bool, len(w.stories))
	var keys [][14]byte
	for half, all := range w.stories {
		for _, ch := range all {
			key := [14]byte(append(half[:], make([]byte, seqLen)...))
			putSeq(key[len(half):], ch.seq)
			if _, again := changes[key]; !again {
				keys = append(keys, key)
			}
			changes[key] = ch.has
		}
	}
	slices.SortFunc(keys, func(a, b [14]byte) int { return bytes.Compare(a[:], b[:]) })
	entries := make([]byte, 0, len(keys)*storiesTable.width())
	for _, key := range keys {
		has := byte(0)
		if changes[key] {
			has = 1
		}
		entries = append(append(entries, key[:]...), has)
	}
	w.stories = nil
	return w.addTo(storiesTable, entries)
}

func (w *writer) addTo(t *table, entries []byte) error {
	x, err := w.index(t)
	if err != nil {
		return err
	}
	w.indexes = nil
	w.adding(t, entries)
	return x.add(entries)
}

func (w *writer) flushPlaces() error {
	changes := w.places
	w.places = nil
	return listsIndex.apply(w.bucket(listsBucket), w.room, changes)
}

func (w *writer) flushMembers() error {
	changes := w.members
	w.members = nil
	return membersIndex.apply(w.bucket(membersBucket), w.room, changes)
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
