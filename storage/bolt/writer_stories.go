package bolt

import (
	"encoding/binary"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// storyChange notes that a story has an item from a transaction on, or no longer.
type storyChange struct {
	// half is that of the story's id which is in a key.
	half, seq uint64
	has       bool
	// place is its own among all that a transaction changes, before that of the one before it of the same story, -1 for none.
	place, before int
	// filed is the place of the item in collected.filed, where the story has it.
	filed int
}

func halfOf(story aggregator.StoryID) uint64 { return binary.BigEndian.Uint64(story[:]) }

// setReport notes that a story has an item from now on.
func (w *writer) setReport(it *aggregator.Item) {
	w.filed = append(w.filed, filed{story: it.Story, report: reportOf(it)})
	w.changeStory(it.Story, storyChange{seq: it.Seq, has: true, filed: len(w.filed) - 1})
}

// dropReport notes that a story no longer has an item.
func (w *writer) dropReport(story aggregator.StoryID, seq uint64) {
	w.changeStory(story, storyChange{seq: seq})
}

func (w *writer) changeStory(story aggregator.StoryID, ch storyChange) {
	if w.lastOf == nil {
		w.lastOf = make(map[uint64]int)
	}
	ch.half, ch.place, ch.before = halfOf(story), len(w.stories), -1
	if last, ok := w.lastOf[ch.half]; ok {
		ch.before = last
	}
	w.lastOf[ch.half] = ch.place
	w.stories = append(w.stories, ch)
}

// reportsNow are the story's, by compare, with what the transaction has changed.
func (w *writer) reportsNow(story aggregator.StoryID) ([]report, error) {
	if reports, ok := w.placed[story]; ok {
		return reports, nil
	}
	seqs, err := w.reportSeqs(story)
	if err != nil {
		return nil, err
	}
	var known map[uint64]filed
	if last, ok := w.lastOf[halfOf(story)]; ok {
		seqs, known = w.changedSeqs(seqs, last)
	}
	return w.reportsOf(story, seqs, known)
}

// changedSeqs are seqs with the changes to a story, of which the last is at the given place, and what is known of those that
// were filed.
func (w *writer) changedSeqs(seqs []uint64, last int) ([]uint64, map[uint64]filed) {
	known := make(map[uint64]filed)
	var changes []storyChange
	for at := last; at >= 0; at = w.stories[at].before {
		changes = append(changes, w.stories[at])
	}
	for _, ch := range slices.Backward(changes) {
		seqs = slices.DeleteFunc(seqs, func(seq uint64) bool { return seq == ch.seq })
		if ch.has {
			seqs, known[ch.seq] = append(seqs, ch.seq), w.filed[ch.filed]
		}
	}
	return seqs, known
}

// file brings the indexes from what the item was to what it is, nil where it was or is not stored. The topics that list
// its story, before or now, get a Version with the given seq.
func (w *writer) file(next, old *aggregator.Item, seq uint64) error {
	it, was := next, old
	if it == nil {
		it = old
	}
	if err := w.place(it.Story, it.ID, next, seq); err != nil {
		return err
	}
	if was != nil {
		w.dropReport(was.Story, was.Seq)
		if err := w.enlistAll(was, true); err != nil {
			return err
		}
	}
	if next == nil {
		return nil
	}
	w.setReport(next)
	return w.enlistAll(next, false)
}

// enlistAll is enlist for each of the item's topics, and for AllTopics.
func (w *writer) enlistAll(it *aggregator.Item, gone bool) error {
	for _, topic := range it.Topics {
		if err := w.enlist(topic, it, gone); err != nil {
			return err
		}
	}
	return w.enlist(aggregator.AllTopics, it, gone)
}

func reportOf(it *aggregator.Item) report {
	return report{
		id: it.ID, seq: it.Seq, firstSeen: instantOf(it.FirstSeen), orderTime: instantOf(it.OrderTime), topics: it.Topics,
	}
}

// place brings the lists from what the story was to what it is with the item as it is next, nil for none.
func (w *writer) place(story aggregator.StoryID, id aggregator.ItemID, next *aggregator.Item, seq uint64) error {
	reports, err := w.reportsNow(story)
	if err != nil {
		return err
	}
	w.before = listing(w.before[:0], reports)
	reports = slices.DeleteFunc(append(w.reports[:0], reports...), func(r report) bool { return r.id == id })
	if next != nil {
		added := reportOf(next)
		at, _ := slices.BinarySearchFunc(reports, added, report.compare)
		reports = slices.Insert(reports, at, added)
	}
	w.reports = reports
	w.remember(story, reports)
	w.after = listing(w.after[:0], reports)
	before, after := w.before, w.after
	for _, p := range before {
		t, err := w.movedTopic(p.topic, seq)
		if err != nil {
			return err
		}
		if !slices.Contains(after, p) {
			t.places = noted(t.places, listed{p.at, story}, true)
		}
	}
	for _, p := range after {
		t, err := w.movedTopic(p.topic, seq)
		if err != nil {
			return err
		}
		if !slices.Contains(before, p) {
			t.places = noted(t.places, listed{p.at, story}, false)
		}
	}
	return nil
}

// movedTopic is topic for one whose stories changed with the given Seq.
func (w *writer) movedTopic(topic aggregator.TopicID, seq uint64) (*topicChanges, error) {
	t, err := w.topic(topic)
	if err == nil {
		t.moved = max(t.moved, seq)
	}
	return t, err
}

// remember keeps the story's reports for when the transaction places another one.
func (w *writer) remember(story aggregator.StoryID, reports []report) {
	if _, ok := w.placed[story]; !ok && len(reports) < 2 {
		return
	}
	if w.placed == nil {
		w.placed = make(map[aggregator.StoryID][]report)
	}
	w.placed[story] = slices.Clone(reports)
}
