package bolt

import (
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// setReport notes that a story has an item from now on, or no longer.
func (w *writer) setReport(story aggregator.StoryID, seq uint64, has bool) {
	if w.stories == nil {
		w.stories = make(map[[8]byte][]storyChange)
	}
	half := [8]byte(story[:8])
	w.stories[half] = append(w.stories[half], storyChange{seq, has})
}

// reports are the story's, by compare, with what the transaction has changed.
func (w *writer) reports(story aggregator.StoryID) ([]report, error) {
	if reports, ok := w.placed[story]; ok {
		return reports, nil
	}
	seqs, err := w.reportSeqs(story)
	if err != nil {
		return nil, err
	}
	for _, ch := range w.stories[[8]byte(story[:8])] {
		seqs = slices.DeleteFunc(seqs, func(seq uint64) bool { return seq == ch.seq })
		if ch.has {
			seqs = append(seqs, ch.seq)
		}
	}
	return w.reportsOf(story, seqs, w.filed)
}

// file brings the indexes from what the item was to what it is, nil where it was or is not stored. The topics that list
// its story, before or now, get a Version with the given seq.
func (w *writer) file(next, old *aggregator.Item, seq uint64) error {
	it, was := next, old
	if it == nil {
		it = old
	}
	var rep *report
	if next != nil {
		rep = reportOf(next)
	}
	if err := w.place(it.Story, it.ID, rep, seq); err != nil {
		return err
	}
	if was != nil {
		w.setReport(was.Story, was.Seq, false)
		if err := w.enlistAll(was, true); err != nil {
			return err
		}
	}
	if next == nil {
		return nil
	}
	w.setReport(next.Story, next.Seq, true)
	if w.filed == nil {
		w.filed = make(map[uint64]filed)
	}
	w.filed[next.Seq] = filed{story: next.Story, report: *rep}
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

func reportOf(it *aggregator.Item) *report {
	return &report{
		id: it.ID, seq: it.Seq, firstSeen: instantOf(it.FirstSeen), orderTime: instantOf(it.OrderTime), topics: it.Topics,
	}
}

// place brings the lists from what the story was to what it is with the given report of the item, nil for none.
func (w *writer) place(story aggregator.StoryID, id aggregator.ItemID, next *report, seq uint64) error {
	reports, err := w.reports(story)
	if err != nil {
		return err
	}
	w.before = listing(w.before[:0], reports)
	reports = slices.DeleteFunc(reports, func(r report) bool { return r.id == id })
	if next != nil {
		at, _ := slices.BinarySearchFunc(reports, *next, report.compare)
		reports = slices.Insert(reports, at, *next)
	}
	w.remember(story, reports)
	w.after = listing(w.after[:0], reports)
	before, after := w.before, w.after
	for _, p := range before {
		w.move(p.topic, seq)
		if slices.Contains(after, p) {
			continue
		}
		if err := w.setPlace(p, story, false); err != nil {
			return err
		}
	}
	for _, p := range after {
		w.move(p.topic, seq)
		if slices.Contains(before, p) {
			continue
		}
		if err := w.setPlace(p, story, true); err != nil {
			return err
		}
	}
	return nil
}

// remember keeps the story's reports for when the transaction places another one.
func (w *writer) remember(story aggregator.StoryID, reports []report) {
	if _, ok := w.placed[story]; !ok && len(reports) < 2 {
		return
	}
	if w.placed == nil {
		w.placed = make(map[aggregator.StoryID][]report)
	}
	w.placed[story] = reports
}

func (w *writer) setPlace(p place, story aggregator.StoryID, put bool) error {
	topic, err := w.numberOf(topicKind, string(p.topic))
	if err != nil {
		return err
	}
	if w.places == nil {
		w.places = make(changes[listed])
	}
	w.places.add(topic, listed{p.at, story}, !put)
	return nil
}

func (w *writer) move(topic aggregator.TopicID, seq uint64) {
	if w.moved == nil {
		w.moved = make(map[aggregator.TopicID]uint64)
	}
	w.moved[topic] = max(w.moved[topic], seq)
}
