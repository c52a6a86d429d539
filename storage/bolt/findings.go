package bolt

import (
	"fmt"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// findings are what a poll has to be stored of a document.
type findings struct {
	poll *aggregator.Poll
	// items are the poll's, each once, as they are stored.
	items []aggregator.Item
	// pack made the frames of the items, records are theirs.
	pack    *packer
	frames  []madeFrame
	records []byte
	// last is where in the poll an item comes last.
	last map[aggregator.ItemID]int
}

// The memory of findings is used again where it is not of more items and bytes than these.
const (
	keptItems   = 256
	keptRecords = 256 << 10
)

// newFindings are without anything, in used memory where there is some.
func (s *Store) newFindings(poll *aggregator.Poll) *findings {
	f, ok := s.findings.Get().(*findings)
	if !ok {
		f = &findings{last: make(map[aggregator.ItemID]int)}
	}
	f.poll = poll
	return f
}

// giveBack takes from a commit what its poll has found, and has the memory used again. Nothing else may refer to it.
func (s *Store) giveBack(c *commit) {
	f := c.found
	c.found = nil
	if f == nil || cap(f.items) > keptItems || cap(f.records) > keptRecords {
		return
	}
	clear(f.items)
	clear(f.frames)
	clear(f.last)
	*f = findings{items: f.items[:0], frames: f.frames[:0], records: f.records[:0], last: f.last}
	s.findings.Put(f)
}

// check checks what can be checked without the store. size is how much there is to store, in bytes.
func (f *findings) check() (size int, err error) {
	poll := f.poll
	if len(poll.Items) == 0 {
		return 0, nil
	}
	f.items = slices.Grow(f.items, len(poll.Items))
	for i := range poll.Items {
		f.last[poll.Items[i].ID] = i
	}
	for i := range poll.Items {
		it := &poll.Items[i]
		switch {
		case f.last[it.ID] != i:
			continue
		case it.ID == aggregator.ItemID{}:
			return 0, fmt.Errorf("item %q has no id", it.Title)
		case it.Story == aggregator.StoryID{}:
			return 0, fmt.Errorf("item %v has no story", it.ID)
		case it.Feed != poll.Feed:
			return 0, fmt.Errorf("item %v belongs to feed %q", it.ID, it.Feed)
		}
		topics, err := tidyTopics(it.Topics)
		if err != nil {
			return 0, fmt.Errorf("item %v: %w", it.ID, err)
		}
		f.items = append(f.items, *it)
		f.items[len(f.items)-1].Topics = topics
		size += textSize(it)
	}
	return size, nil
}

// encode makes the frames of the items as if all were new, which most are: it is the larger part of the work, and here
// nobody waits for it.
func (f *findings) encode(m *framer, p *packer) (err error) {
	f.pack = p
	f.frames, f.records, err = m.frames(p, f.items, f.frames, f.records)
	return err
}
