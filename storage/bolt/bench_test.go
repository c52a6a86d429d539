package bolt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// BenchmarkCommitNotModified commits polls that found nothing, from so many goroutines at once.
func BenchmarkCommitNotModified(b *testing.B) {
	for _, workers := range []int{1, 64} {
		b.Run(fmt.Sprint("workers=", workers), func(b *testing.B) { benchCommit(b, workers, 0) })
	}
}

// BenchmarkCommitItems commits polls that found 20 new items of 2 KB.
func BenchmarkCommitItems(b *testing.B) {
	for _, workers := range []int{1, 64} {
		b.Run(fmt.Sprint("workers=", workers), func(b *testing.B) { benchCommit(b, workers, 20) })
	}
}

func benchCommit(b *testing.B, workers, items int) {
	s := open(b, filepath.Join(b.TempDir(), "wire.db"))
	defer s.Close()
	ok(b, s.SyncFeeds(b.Context(), manyFeeds(1000), dueAtStart))
	var polls atomic.Int64
	b.SetParallelism(workers) // Times GOMAXPROCS: there are always some that wait.
	if workers == 1 {
		b.SetParallelism(1)
	}
	work := func() {
		leases := claim(b, s, start.Add(time.Hour), 1)
		if len(leases) != 1 {
			b.Errorf("claim: %d leases", len(leases))
			return
		}
		n := int(polls.Add(1))
		found := make([]aggregator.Item, items)
		for i := range found {
			found[i] = newItem(leases[0].Feed, n*items+i, 2000)
		}
		if err := commit(b, s, leases[0], found...); err != nil && !errors.Is(err, aggregator.ErrLeaseLost) {
			b.Error(err)
		}
	}
	b.ReportAllocs()
	if workers == 1 {
		for b.Loop() {
			work()
		}
	} else {
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				work()
			}
		})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "polls/s")
}

// BenchmarkClaim claims 1,000 of 1,000,000 feeds that are due and gives them back.
func BenchmarkClaim(b *testing.B) {
	if testing.Short() {
		b.Skip("makes a store of a million feeds")
	}
	s := open(b, filepath.Join(b.TempDir(), "wire.db"))
	defer s.Close()
	feeds := manyFeeds(1_000_000)
	began := time.Now()
	ok(b, s.SyncFeeds(b.Context(), feeds, dueAtStart))
	b.Logf("first sync of a million feeds: %v", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	ok(b, s.SyncFeeds(b.Context(), feeds, dueAtStart))
	b.Logf("sync of the same feeds: %v", time.Since(began).Round(time.Millisecond))
	b.ReportAllocs()
	for b.Loop() {
		leases, err := s.Claim(b.Context(), start, time.Hour, 1000)
		ok(b, err)
		if len(leases) != 1000 {
			b.Fatalf("%d leases", len(leases))
		}
		ok(b, s.Release(b.Context(), leases...))
	}
}

// BenchmarkStories reads the latest 50 stories of a topic of 100,000 items.
func BenchmarkStories(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "wire.db"))
	defer s.Close()
	ok(b, s.SyncFeeds(b.Context(), manyFeeds(100), dueAtStart))
	for _, l := range claimAll(b, s) {
		items := make([]aggregator.Item, 1000)
		for i := range items {
			items[i] = newItem(l.Feed, i, 2000)
		}
		ok(b, commit(b, s, l, items...))
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range s.Stories(b.Context(), aggregator.StoryQuery{Topic: "cloud", Limit: 50}) {
			ok(b, err)
			n++
		}
		if n != 50 {
			b.Fatalf("%d stories", n)
		}
	}
}
