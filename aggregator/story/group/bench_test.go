package group_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story/group"
)

// BenchmarkGroup takes a stream of reports in, twenty to a poll, each tenth of them another outlet's copy of one of the last
// thousand reports, and tells how many of the copies were found. The store makes each text anew when it is asked for, so that
// memory is the Grouper's.
func BenchmarkGroup(b *testing.B) {
	for _, size := range []struct{ items, limit int }{{100_000, 1 << 17}, {1_000_000, 1 << 20}, {1_000_000, group.DefaultLimit}} {
		b.Run(fmt.Sprintf("items=%d/limit=%d", size.items, size.limit), func(b *testing.B) {
			for b.Loop() {
				stream(b, size.items, size.limit)
			}
		})
	}
}

// made is a store whose items are made from their number.
type made struct{ words []string }

func (m *made) text(n int) []byte {
	state := uint64(n)
	text := make([]byte, 0, 800)
	for range 100 {
		state = state*6364136223846793005 + 1442695040888963407
		text = append(append(text, m.words[state>>40%uint64(len(m.words))]...), ' ')
	}
	return text
}

// item n reports the text of the same number, or where it is a copy of an earlier one.
func (m *made) item(n int) aggregator.Item {
	of, feed := n, n/20%1000
	if isCopy(n) {
		of, feed = n-500-n%7, 1000+n%50
	}
	it := aggregator.Item{Feed: aggregator.FeedID(fmt.Sprint("feed ", feed)), Content: string(m.text(of)), FirstSeen: now, Published: now}
	binary.BigEndian.PutUint64(it.ID[:], uint64(n))
	it.Story = aggregator.StoryID(it.ID)
	return it
}

func isCopy(n int) bool { return n > 1000 && n%10 == 3 && (n-500-n%7)%10 != 3 }

func (m *made) Item(_ context.Context, id aggregator.ItemID) (aggregator.Item, error) {
	return m.item(int(binary.BigEndian.Uint64(id[:]))), nil
}

func (m *made) Story(context.Context, aggregator.StoryID) (aggregator.Story, error) {
	return aggregator.Story{}, aggregator.ErrNotFound
}

func (m *made) Version(context.Context, aggregator.TopicID) (aggregator.Version, error) {
	return aggregator.Version{}, nil
}

func (m *made) Items(context.Context, aggregator.ItemQuery) iter.Seq2[aggregator.Item, error] {
	return func(func(aggregator.Item, error) bool) {}
}

func stream(b *testing.B, items, limit int) {
	store := &made{}
	for i := range 20_000 {
		store.words = append(store.words, fmt.Sprintf("w%xord", i))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := &wire{Grouper: group.New(group.Options{Store: store, Now: func() time.Time { return now }, Limit: limit})}
	copies, found := 0, 0
	start := b.Elapsed()
	for n := 0; n < items; n += 20 {
		var poll []aggregator.Item
		for i := n; i < n+20; i++ {
			poll = append(poll, store.item(i))
		}
		ended, err := w.Group(b.Context(), poll)
		if err != nil {
			b.Fatal(err)
		}
		ended(true)
		for i, it := range poll {
			if isCopy(n + i) {
				copies++
				if it.Story != aggregator.StoryID(it.ID) {
					found++
				}
			}
		}
	}
	took := b.Elapsed() - start
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(items)/took.Seconds(), "items/s")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(min(items, limit)), "B/kept-item")
	b.ReportMetric(float64(found)/float64(copies), "copies-found")
	runtime.KeepAlive(w)
}

// BenchmarkAlike takes a document of 500 long items, each of which begins as items of eight other feeds do and has their
// footer, but is another report: all that is compared is compared in vain.
func BenchmarkAlike(b *testing.B) {
	footer := prose("footer", 1500)
	report := func(feed string, beginning, n int) aggregator.Item {
		name := fmt.Sprint("report-", n)
		return item(feed, name, prose(fmt.Sprint(beginning), 60)+" "+prose(feed+name, 400)+" "+footer)
	}
	var items []aggregator.Item
	for n := range 500 {
		items = append(items, report("document", n%20, n))
	}
	reads, documents := 0, 0
	for b.Loop() {
		b.StopTimer()
		w := newWire(group.Options{})
		for n := range 20 {
			for feed := range 8 {
				w.store(b, report(fmt.Sprint("feed", feed), n, n))
			}
		}
		w.shelf.asked = func(aggregator.ItemID) { reads++ }
		documents++
		b.StartTimer()
		w.store(b, slices.Clone(items)...)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(500*documents), "µs/item")
	b.ReportMetric(float64(reads)/float64(500*documents), "reads/item")
}
