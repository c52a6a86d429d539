package config

import (
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
)

// finishFormerly puts the earlier ids of topics into the config. ids are the places of the present ones.
func (r *reader) finishFormerly(d *draft, ids map[string]place) {
	earlier := make(map[string]place)
	for i, t := range d.topics {
		for _, f := range t.formerly {
			key := t.key + ".formerly"
			if text, mend := badID(f.name, "topic"); text != "" {
				r.problemWith(key, f.at, fmt.Sprintf("earlier id %s %s", f.shown(), text), mend)
				continue
			}
			if now, ok := ids[f.name]; ok {
				r.problemWith(key, f.at, fmt.Sprintf("earlier id %s is that of the topic on line %d", f.shown(), now.line),
					"remove one of the two: an address leads to one topic")
				continue
			}
			r.unique(earlier, f.name, f.at, key, func(first place) (string, string) {
				return fmt.Sprintf("earlier id %s is there on line %d too", f.shown(), first.line),
					"remove one of the two: an address leads to one topic"
			})
			d.Config.Topics[i].Formerly = append(d.Config.Topics[i].Formerly, aggregator.TopicID(f.name))
		}
	}
}
