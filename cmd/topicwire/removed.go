package main

import (
	"context"
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
)

// topicsSpace has a note for each topic that was ever published, with the one or the other word.
const (
	topicsSpace  = "topics"
	topicThere   = "published"
	topicRemoved = "removed"
)

// removedTopics remembers which topics are published, and gives those that were once and are no longer.
func (s *station) removedTopics(ctx context.Context) (removed []aggregator.TopicID, err error) {
	present := make(map[aggregator.TopicID]bool, len(s.config.Topics))
	renamed := make(map[aggregator.TopicID]bool)
	for _, t := range s.config.Topics {
		present[t.ID] = true
		for _, id := range t.Formerly {
			renamed[id] = true
		}
	}
	known := make(map[aggregator.TopicID]string)
	for note, err := range s.store.Notes(ctx, topicsSpace) {
		if err != nil {
			return nil, fmt.Errorf("read which topics were published: %w", err)
		}
		known[aggregator.TopicID(note.Key)] = string(note.Value)
	}
	var changed []aggregator.Note
	note := func(id aggregator.TopicID, word string) {
		if known[id] != word {
			changed = append(changed, aggregator.Note{Space: topicsSpace, Key: string(id), Value: []byte(word)})
		}
	}
	for id := range present {
		note(id, topicThere)
	}
	for id, word := range known {
		if present[id] || renamed[id] {
			continue
		}
		removed = append(removed, id)
		note(id, topicRemoved)
		if word != topicRemoved {
			s.log.Warn("a topic is no longer in the config: its feeds answer 410, and readers give them up; "+
				"where it has another id now, name this one under formerly there", "topic", id)
		}
	}
	if len(changed) == 0 {
		return removed, nil
	}
	if err := s.store.PutNotes(ctx, changed...); err != nil {
		return nil, fmt.Errorf("note which topics are published: %w", err)
	}
	return removed, nil
}
