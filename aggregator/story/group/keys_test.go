package group

import (
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// TestKeysAreBounded: there are never more than the limit, and the latest stay, also where all are of one moment or later than
// the one that comes.
func TestKeysAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	for name, found := range map[string]func(i int) time.Time{
		"one after the other": func(i int) time.Time { return now.Add(time.Duration(i) * time.Minute) },
		"all at once":         func(int) time.Time { return now },
		"the latest first":    func(i int) time.Time { return now.Add(time.Duration(-i) * time.Hour) },
	} {
		k := keys{}
		for i := range 1000 {
			m := &member{item: &aggregator.Item{Story: aggregator.StoryID{9}, FirstSeen: found(i)}, own: aggregator.StoryID{byte(i), byte(i >> 8), 1}}
			k.set(m.own, m)
			k.bound(100, m.item.FirstSeen)
			if len(k) > 100 {
				t.Fatalf("%s: %d keys", name, len(k))
			}
			if _, ok := k.get(m.own); !ok && name == "one after the other" {
				t.Fatalf("%s: the latest was dropped", name)
			}
		}
	}
}
