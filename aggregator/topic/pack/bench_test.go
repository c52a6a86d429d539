package pack_test

import (
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

// BenchmarkPacks matches the labelled items with one plain topic and with all packs, one after the other, and reports the
// time for one item with all packs and how many times that of the plain topic it is: what is left is reading the item.
func BenchmarkPacks(b *testing.B) {
	var items []*aggregator.Item
	for _, half := range []string{"tune.jsonl", "held-out.jsonl"} {
		for _, l := range readLabelled(b, half) {
			items = append(items, l.Item())
		}
	}
	plain := newMatcher(b, []aggregator.Topic{{ID: "plain", Query: "cloud"}})
	packs := newMatcher(b, all(b))
	pass := func(m *topic.Matcher) time.Duration {
		start := time.Now()
		for _, it := range items {
			m.Match(it)
		}
		return time.Since(start)
	}
	pass(plain)
	pass(packs)
	var one, seven time.Duration
	for b.Loop() {
		one += pass(plain)
		seven += pass(packs)
	}
	b.ReportMetric(float64(seven.Nanoseconds())/float64(b.N*len(items)), "ns/item")
	b.ReportMetric(float64(seven)/float64(one), "times-one-topic")
}
