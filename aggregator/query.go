package aggregator

import (
	"bytes"
	"time"
)

// StoryQuery asks for the stories of a topic, newest first by the OrderTime of the item that stands for each (ties:
// the lesser StoryID first).
type StoryQuery struct {
	// Topic is the topic to list, AllTopics for every story.
	Topic TopicID
	// Behind restricts to the stories that come after this place in that order; a zero place does not restrict.
	Behind StoryPlace
	// Limit ends the list after so many stories; 0 is no limit.
	Limit int
}

// StoryPlace is where a story stands in a list: the OrderTime of the item that stands for it there, and its id.
type StoryPlace struct {
	Time  time.Time
	Story StoryID
}

// IsZero reports whether the place was never set.
func (p StoryPlace) IsZero() bool { return p.Time.IsZero() && p.Story == StoryID{} }

// Before reports whether the place comes before q in the order of stories: later times first, then lesser ids.
func (p StoryPlace) Before(q StoryPlace) bool {
	if c := p.Time.Compare(q.Time); c != 0 {
		return c > 0
	}
	return bytes.Compare(p.Story[:], q.Story[:]) < 0
}

// ItemQuery asks for items in the order of their Seq.
type ItemQuery struct {
	// Topic restricts to the items filed under it; AllTopics does not restrict.
	Topic TopicID
	// Since (inclusive) and Until (exclusive) restrict Published; zero does not restrict.
	Since, Until time.Time
	// After restricts to items with a greater Seq.
	After uint64
}

// VolumeQuery asks how many items there are. A zero Since or Until does not restrict.
type VolumeQuery struct {
	// Topic restricts to the items filed under it; AllTopics does not restrict.
	Topic TopicID
	// Since and Until restrict to the UTC days of which a part lies in [Since, Until). Days are counted whole.
	Since, Until time.Time
}

// Days are the instants between which the days lie that the query asks for, zero where it does not restrict.
func (q VolumeQuery) Days() (since, until time.Time) {
	const day = 24 * time.Hour
	if !q.Since.IsZero() {
		since = q.Since.UTC().Truncate(day)
	}
	if !q.Until.IsZero() {
		until = q.Until.UTC().Truncate(day)
		if until.Before(q.Until) {
			until = until.Add(day)
		}
	}
	return since, until
}

// DayVolume is how many items of a feed were published on a day.
type DayVolume struct {
	// Day is the midnight at which the day begins, in UTC.
	Day   time.Time
	Feed  FeedID
	Items int
}

// Version tells the states of a topic's list apart: two equal versions mean that nothing in it has changed.
type Version struct {
	// Seq is that of the latest change to the topic's stories, 0 before the first.
	Seq uint64
	// Changed is when that change was committed, zero before the first.
	Changed time.Time
}
