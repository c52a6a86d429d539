package bolt

import (
	"encoding/binary"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// What an entry of the table stories says of an item and a story.
const (
	saysGone = 0 // the story no longer has it
	saysHas  = 1
	// saysFirst is saysHas where all runs before together have no item of the story, nor of one whose id begins alike, but what
	// this run says is gone. Who asks later runs first has then found all of them: most stories have one item, and what is new
	// is found without a look at what is old.
	saysFirst = 2
)

// storyChange notes that a story has an item from a transaction on, or no longer.
type storyChange struct {
	// half is that of the story's id which is in a key.
	half, seq uint64
	// says is what the entry is to say.
	says byte
	// place is its own among all that a transaction changes, before that of the one before it of the same story, -1 for none.
	place, before int
	// filed is the place of the item in collected.filed, where the story has it.
	filed int
}

func halfOf(story aggregator.StoryID) uint64 { return binary.BigEndian.Uint64(story[:]) }

// setReport notes that a story has an item from now on, and whether that is the first.
func (w *writer) setReport(it *aggregator.Item, first bool) {
	w.filed = append(w.filed, filed{story: it.Story, report: reportOf(it)})
	ch := storyChange{seq: it.Seq, says: saysHas, filed: len(w.filed) - 1}
	if first {
		ch.says = saysFirst
	}
	w.changeStory(it.Story, ch)
}

// dropReport notes that a story no longer has an item.
func (w *writer) dropReport(story aggregator.StoryID, seq uint64) {
	w.changeStory(story, storyChange{seq: seq, says: saysGone})
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

// reportsNow are the story's, by compare, with what the transaction has changed. first reports whether one more would be the first
// that the tables have, but for one with the Seq was, that it takes the place of.
func (w *writer) reportsNow(story aggregator.StoryID, was uint64) (reports []report, first bool, err error) {
	if reports, ok := w.placed[story]; ok {
		return reports, false, nil
	}
	seqs, err := w.reportSeqs(story)
	if err != nil {
		return nil, false, err
	}
	first = !slices.ContainsFunc(seqs, func(seq uint64) bool { return seq != was })
	var known map[uint64]filed
	if last, ok := w.lastOf[halfOf(story)]; ok {
		seqs, known = w.changedSeqs(seqs, last)
	}
	reports, err = w.reportsOf(story, seqs, known)
	return reports, first, err
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
		if ch.says != saysGone {
			seqs, known[ch.seq] = append(seqs, ch.seq), w.filed[ch.filed]
		}
	}
	return seqs, known
}

// file brings the indexes from what the item was to what it is, nil where it was or is not stored; its story stays the same. The
// topics that list that, before or now, get a Version with the given seq.
func (w *writer) file(next, old *aggregator.Item, seq uint64) error {
	it, was := next, uint64(0)
	if it == nil {
		it = old
	}
	if old != nil {
		was = old.Seq
	}
	reports, first, err := w.reportsNow(it.Story, was)
	if err != nil {
		return err
	}
	if err := w.place(it.Story, reports, it.ID, next, seq); err != nil {
		return err
	}
	if old != nil {
		w.dropReport(old.Story, old.Seq)
		if err := w.enlistAll(old, true); err != nil {
			return err
		}
	}
	if next == nil {
		return nil
	}
	w.setReport(next, first)
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

// place brings the lists from what the story was, with these reports, to what it is with the item as it is next, nil for none.
func (w *writer) place(
	story aggregator.StoryID, reports []report, id aggregator.ItemID, next *aggregator.Item, seq uint64,
) error {
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
