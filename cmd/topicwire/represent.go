package main

import (
	"cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

// represent compares two reports by the config's criteria: the lesser one rather stands for their story.
func represent(p config.Publish) func(a, b *aggregator.Item) int {
	return func(a, b *aggregator.Item) int {
		for _, criterion := range p.RepresentedBy {
			c := 0
			switch criterion {
			case config.ByPriority:
				c = cmp.Compare(p.Priority[b.Feed], p.Priority[a.Feed])
			case config.ByEarliest:
				c = a.FirstSeen.Compare(b.FirstSeen)
			case config.ByLongest:
				c = cmp.Compare(len(b.Text()), len(a.Text()))
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
}
