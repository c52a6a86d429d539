package near_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

func BenchmarkRead(b *testing.B) {
	it := aggregator.Item{Title: "A title of 7 words", Content: "<p>" + prose("bench", 150) + "</p><p>" + prose("more", 150) + "</p>"}
	b.ReportAllocs()
	for b.Loop() {
		near.Read(&it)
	}
}

func BenchmarkSketch(b *testing.B) {
	it := aggregator.Item{Title: "A title of 7 words", Content: "<p>" + prose("bench", 150) + "</p><p>" + prose("more", 150) + "</p>"}
	b.ReportAllocs()
	for b.Loop() {
		near.SketchOf(&it)
	}
}

func BenchmarkCompare(b *testing.B) {
	one := near.NewSide(text("", prose("bench", 300)+" "+prose("end", 20)), "a", found, nil)
	other := near.NewSide(text("", prose("bench", 300)), "b", found, nil)
	b.ReportAllocs()
	for b.Loop() {
		near.Compare(one, other)
	}
}

// BenchmarkIndex takes items into an index that holds a window's worth of them: one in ten is a copy of an earlier one,
// and is looked for. Ten million items pass through a window of one million. Memory is that of the index in use.
func BenchmarkIndex(b *testing.B) {
	for _, size := range []struct{ window, items int }{{100_000, 100_000}, {1_000_000, 1_000_000}, {1_000_000, 10_000_000}} {
		b.Run(fmt.Sprintf("window=%d/items=%d", size.window, size.items), func(b *testing.B) {
			for b.Loop() {
				fillIndex(b, size.window, size.items)
			}
		})
	}
}

func fillIndex(b *testing.B, window, items int) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := rand.New(rand.NewPCG(3, 4))
	recent := make([]near.Sketch, 4096)
	x := near.NewIndex(window)
	looked, hit := 0, 0
	start := time.Now()
	for i := range items {
		s := &recent[i%len(recent)]
		wanted := i%10 == 0 && i > len(recent)
		if wanted {
			*s = recent[r.IntN(len(recent))]
			for range 6 {
				s[r.IntN(len(s))] = uint16(r.Uint32())
			}
		} else {
			for bin := range s {
				s[bin] = uint16(r.Uint32())
			}
		}
		candidates := x.Candidates(s, found, 0)
		if wanted {
			looked++
			hit += min(1, len(candidates))
		}
		x.Add(near.Entry{Item: aggregator.ItemID{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)}, Feed: aggregator.FeedID(fmt.Sprint(i % 1000)), Found: found, Sketch: *s})
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(items)/took.Seconds(), "items/s")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(x.Len()), "B/entry")
	b.ReportMetric(float64(hit)/float64(looked), "found")
	runtime.KeepAlive(x)
}
