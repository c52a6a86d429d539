package bolt

import (
	"cmp"
	"maps"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// collected is what a transaction has to say to the indexes until its end, and memory that the next one uses again.
type collected struct {
	// topics has what changes of each topic; spare are empty.
	topics map[aggregator.TopicID]*topicChanges
	spare  []*topicChanges
	// feed is the one that was asked for last, feedNumber its number.
	feed       aggregator.FeedID
	feedNumber uint32

	// appended are items that are not in the file yet, unwritten is the least of their Seqs.
	appended  chunkWriter
	unwritten uint64
	// filed are the items that the transaction put into their stories.
	filed []filed
	// placed are the reports of stories that it placed, but of those with one alone, which is most of them.
	placed map[aggregator.StoryID][]report
	// ids and stories are additions to the tables of that name, the latter in the order in which they were made; lastOf has
	// where in stories the last one of a story is.
	ids     map[aggregator.ItemID]identity
	stories []storyChange
	lastOf  map[uint64]int
	// leaving and entering are changes to what is due.
	leaving, entering []change[dueFeed]
	// changed are states of feeds, ordered the same in some order.
	changed []stateChange
	ordered []*stateChange

	// before and after are for where a story was and is listed, reports for what is said of it.
	before, after []place
	reports       []report
	// sorted and entries are for additions to tables as they are added.
	sorted  []aggregator.ItemID
	entries []byte
	tableMemory
}

// tableMemory is what a table needs that is added to: old for entries that others are merged with, merged for what becomes of
// them, room for what is stored.
type tableMemory struct {
	old, merged []byte
	room        room
}

// The memory of a transaction is kept where that had no more polls and no more items than mostCollected; keptTopics is for how many
// topics, and keptChanges for how many changes of each, keptTable how many bytes of a table's.
const (
	mostCollected = 2 * maxBatchPolls
	keptTopics    = 1024
	keptChanges   = 4096
	keptTable     = 1 << 20
)

// reset is called at the end of the transaction, when nothing refers to what was collected.
func (c *collected) reset() {
	c.room.reset()
	if max(cap(c.old), cap(c.merged)) > keptTable {
		c.old, c.merged = nil, nil
	}
	if max(len(c.ids), len(c.placed), len(c.topics), cap(c.sorted), cap(c.stories), cap(c.changed), cap(c.leaving),
		cap(c.entering), cap(c.reports)) > mostCollected {
		*c = collected{tableMemory: tableMemory{room: c.room}}
		return
	}
	for _, t := range c.topics {
		c.keep(t)
	}
	clear(c.topics)
	c.feed, c.feedNumber = "", 0
	clear(c.appended.waiting)
	c.appended = chunkWriter{waiting: c.appended.waiting[:0]} // without the transaction's bucket
	clear(c.filed)
	c.filed = c.filed[:0]
	clear(c.placed)
	clear(c.ids)
	c.stories = c.stories[:0]
	clear(c.lastOf)
	clear(c.leaving)
	clear(c.entering)
	c.leaving, c.entering = c.leaving[:0], c.entering[:0]
	clear(c.changed)
	clear(c.ordered)
	c.changed, c.ordered = c.changed[:0], c.ordered[:0]
	clear(c.reports)
}

// topicChanges are what a transaction changes of a topic.
type topicChanges struct {
	number uint32
	// moved is the Seq of the last change to its stories, 0 for none.
	moved uint64
	// places are changes to its list, members to the index of that name.
	places  []change[listed]
	members []change[member]
}

// keep has the memory used again.
func (c *collected) keep(t *topicChanges) {
	if len(c.spare) < keptTopics && max(cap(t.places), cap(t.members)) <= keptChanges {
		*t = topicChanges{places: t.places[:0], members: t.members[:0]}
		c.spare = append(c.spare, t)
	}
}

// topic has what the transaction changes of the topic.
func (w *writer) topic(topic aggregator.TopicID) (*topicChanges, error) {
	if t := w.topics[topic]; t != nil {
		return t, nil
	}
	t := w.unchanged()
	if topic != aggregator.AllTopics { // whose number is 0
		var err error
		if t.number, err = w.numberOf(topicKind, string(topic)); err != nil {
			return nil, err
		}
	}
	if w.topics == nil {
		w.topics = make(map[aggregator.TopicID]*topicChanges)
	}
	w.topics[topic] = t
	return t, nil
}

func (c *collected) unchanged() *topicChanges {
	if n := len(c.spare); n > 0 {
		t := c.spare[n-1]
		c.spare = c.spare[:n-1]
		return t
	}
	return &topicChanges{}
}

// inOrder are all topics with changes, by their numbers.
func (c *collected) inOrder() []*topicChanges {
	return slices.SortedFunc(maps.Values(c.topics), func(a, b *topicChanges) int { return cmp.Compare(a.number, b.number) })
}

// moved yields the topics whose stories changed, with the Seqs of the changes.
func (c *collected) moved(yield func(aggregator.TopicID, uint64) bool) {
	for topic, t := range c.topics {
		if t.moved > 0 && !yield(topic, t.moved) {
			return
		}
	}
}
