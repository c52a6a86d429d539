// Package storagetest is the contract of storage.Store as tests, for every backend the same. A backend's own test is
//
//	func TestStore(t *testing.T) { storagetest.Run(t, fresh) }
//	func TestStoreAgainstModel(t *testing.T) { storagetest.Compare(t, fresh, 3000) }
//
// where fresh makes a place for a new store and gives the function that opens it. Each subtest has a store of its own, so
// that one failure hides no other.
package storagetest

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
)

// Fresh makes room for a new, empty store. The function that it gives opens that store, and opens the same data again
// when it is called after the store was closed, or in the middle of its life: then as it is there for the next process
// after that of the store was killed. It fails the test where it cannot.
type Fresh func(t *testing.T) (open func() storage.Store)

// Run holds a backend to the contract.
func Run(t *testing.T, fresh Fresh) {
	t.Helper()
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"feeds", feedCases()},
		{"leases", leaseCases()},
		{"commit", commitCases()},
		{"stories", storyCases()},
		{"read", readCases()},
		{"notes", noteCases()},
		{"maintenance", maintenanceCases()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newBench(t, fresh)) })
			}
		})
	}
}

// testCase is one promise. Its name says which.
type testCase struct {
	name string
	run  func(*bench)
}

// start is the instant at which the tests' world begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// bench is a store under test with short forms of what the tests do with it. What fails fails the test.
type bench struct {
	*testing.T
	ctx   context.Context
	fresh Fresh
	open  func() storage.Store
	store storage.Store
}

func newBench(t *testing.T, fresh Fresh) *bench {
	open := fresh(t)
	b := &bench{T: t, ctx: t.Context(), fresh: fresh, open: open, store: open()}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// reopen closes the store and opens it again.
func (b *bench) reopen() {
	b.Helper()
	b.ok(b.store.Close())
	b.store = b.open()
}

// crash opens the store again without closing it. A call to the old one still ends, and concerns the new one no longer.
func (b *bench) crash() {
	b.Helper()
	old := b.store
	b.Cleanup(func() { b.ok(old.Close()) })
	b.store = b.open()
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("error: %v", err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("error = %v, want %v", err, want)
	}
}

// same compares values. Times are compared as instants only where their zones differ, which they must not.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	// Comparing again to describe the difference is slow, and seldom needed.
	if reflect.DeepEqual(got, want) {
		return
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameTime)); diff != "" {
		b.Fatalf("%s differs (-want +got):\n%s", what, diff)
	}
}

func sameTime(x, y time.Time) bool { return x.Equal(y) && x.Location() == y.Location() }

func collect[T any](b *bench, seq iter.Seq2[T, error]) []T {
	b.Helper()
	var all []T
	for v, err := range seq {
		b.ok(err)
		all = append(all, v)
	}
	return all
}

// never is a due function for feeds that keep their due time.
func (b *bench) never(f aggregator.Feed, _ aggregator.FeedState) time.Time {
	b.Errorf("due was asked about %q", f.ID)
	return start
}

func dueAt(t time.Time) func(aggregator.Feed, aggregator.FeedState) time.Time {
	return func(aggregator.Feed, aggregator.FeedState) time.Time { return t }
}

func feed(id aggregator.FeedID) aggregator.Feed {
	return aggregator.Feed{ID: id, URL: "https://example.org/" + string(id), Schedule: "@hourly"}
}

// sync makes the feeds the active ones, due at start if they are new.
func (b *bench) sync(ids ...aggregator.FeedID) {
	b.Helper()
	var feeds []aggregator.Feed
	for _, id := range ids {
		feeds = append(feeds, feed(id))
	}
	b.ok(b.store.SyncFeeds(b.ctx, feeds, dueAt(start)))
}

// claim leases all that is due at now for ten minutes.
func (b *bench) claim(now time.Time) []aggregator.Lease {
	b.Helper()
	leases, err := b.store.Claim(b.ctx, now, 10*time.Minute, 1000)
	b.ok(err)
	return leases
}

// lease makes the feed due and leases it.
func (b *bench) lease(id aggregator.FeedID) aggregator.Lease {
	b.Helper()
	b.ok(b.store.MakeDue(b.ctx, start))
	var mine []aggregator.Lease
	for _, l := range b.claim(at(1_000_000)) {
		if l.Feed == id {
			mine = append(mine, l)
			continue
		}
		b.ok(b.store.Release(b.ctx, l))
	}
	if len(mine) != 1 {
		b.Fatalf("feed %q was leased %d times, want once", id, len(mine))
	}
	return mine[0]
}

// leased is the leased feed as it is.
func (b *bench) leased(l aggregator.Lease) aggregator.FeedStatus {
	b.Helper()
	status, err := b.store.Leased(b.ctx, l)
	b.ok(err)
	return status
}

// poll leases the feed and commits the items.
func (b *bench) poll(id aggregator.FeedID, items ...aggregator.Item) {
	b.Helper()
	b.ok(b.store.Commit(b.ctx, outcome(b.lease(id), items...)))
}

// outcome is a poll that found the items; the feed is next due after an hour.
func outcome(l aggregator.Lease, items ...aggregator.Item) aggregator.Poll {
	return aggregator.Poll{Feed: l.Feed, Token: l.Token, State: aggregator.FeedState{Due: at(60)}, Items: items}
}

// item makes a small new item. Its ids are made of the feed and the key, its place of minutes.
func item(id aggregator.FeedID, key string, minutes int, topics ...aggregator.TopicID) aggregator.Item {
	return aggregator.Item{
		ID: itemID(id, key), Feed: id, Story: storyID(key), Revision: 1, GUID: key, Title: "title of " + key,
		Published: at(minutes), DateSource: aggregator.DateFromFeed,
		FirstSeen: at(minutes), Revised: at(minutes), OrderTime: at(minutes), Topics: topics,
		Hash: aggregator.HashOf("hash of " + key), TextHash: aggregator.HashOf("text of " + key),
	}
}

func itemID(id aggregator.FeedID, key string) aggregator.ItemID {
	return aggregator.NewItemID(id, "guid", key)
}

func storyID(key string) aggregator.StoryID { return aggregator.NewStoryID("test", key) }

// items are all stored items by Seq.
func (b *bench) items() []aggregator.Item {
	b.Helper()
	return collect(b, b.store.Items(b.ctx, aggregator.ItemQuery{}))
}

func (b *bench) stories(topic aggregator.TopicID) []aggregator.Story {
	b.Helper()
	return collect(b, b.store.Stories(b.ctx, aggregator.StoryQuery{Topic: topic}))
}

// guids are the GUIDs of the items, which the tests name them by.
func guids(items []aggregator.Item) []string {
	var names []string
	for _, it := range items {
		names = append(names, it.GUID)
	}
	return names
}

// shape is the GUIDs of each story's items.
func shape(stories []aggregator.Story) [][]string {
	var all [][]string
	for _, s := range stories {
		all = append(all, guids(s.Items))
	}
	return all
}

func (b *bench) version(topic aggregator.TopicID) aggregator.Version {
	b.Helper()
	v, err := b.store.Version(b.ctx, topic)
	b.ok(err)
	return v
}

func (b *bench) status(id aggregator.FeedID) aggregator.FeedStatus {
	b.Helper()
	s, err := b.store.Feed(b.ctx, id)
	b.ok(err)
	return s
}
