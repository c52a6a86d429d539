package bolt_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, path string, content []byte) {
	t.Helper()
	ok(t, os.WriteFile(path, content, 0o600))
}

func dueAtStart(aggregator.Feed, aggregator.FeedState) time.Time { return start }

func manyFeeds(n int) []aggregator.Feed {
	feeds := make([]aggregator.Feed, n)
	for i := range feeds {
		id := fmt.Sprintf("feed-%07d", i)
		feeds[i] = aggregator.Feed{ID: aggregator.FeedID(id), URL: "https://example.org/" + id, Schedule: "@hourly"}
	}
	return feeds
}

// newItem is the n-th item of a feed, with so many bytes of text.
func newItem(feed aggregator.FeedID, n, size int) aggregator.Item {
	guid := fmt.Sprint(feed, "/", n)
	seen := start.Add(time.Duration(n) * time.Minute)
	return aggregator.Item{
		ID: aggregator.NewItemID(feed, "guid", guid), Feed: feed, Story: aggregator.NewStoryID("guid", guid),
		GUID: guid, Title: guid, Content: strings.Repeat("text ", size/5), Revision: 1,
		Published: seen, FirstSeen: seen, Revised: seen, OrderTime: seen,
		Topics: []aggregator.TopicID{"cloud"}, Hash: aggregator.HashOf(guid),
	}
}

// noisy is newItem with text that cannot be compressed.
func noisy(feed aggregator.FeedID, n, size int) aggregator.Item {
	it := newItem(feed, n, 0)
	text := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(text)
	it.Content = string(text)
	return it
}

// held is a lease, and the feed's state as it was when its poll began.
type held struct {
	aggregator.Lease
	State aggregator.FeedState
}

// claimAll leases every feed.
func claimAll(t testing.TB, s *bolt.Store) []held { return claim(t, s, start.Add(time.Hour), 1<<20) }

func claim(t testing.TB, s *bolt.Store, now time.Time, limit int) []held {
	t.Helper()
	leases, err := s.Claim(t.Context(), now, time.Hour, limit)
	ok(t, err)
	all := make([]held, len(leases))
	for i, l := range leases {
		status, err := s.Leased(t.Context(), l)
		ok(t, err)
		all[i] = held{l, status.State}
	}
	return all
}

// commit stores the outcome of a poll; the feed stays due.
func commit(t testing.TB, s *bolt.Store, l held, items ...aggregator.Item) error {
	t.Helper()
	return s.Commit(t.Context(), aggregator.Poll{Feed: l.Feed, Token: l.Token, State: l.State, Items: items})
}

// resolve gives what a store knows of items that it has. Behind each it asks for one whose id differs in the given byte, which it
// does not have.
func resolve(
	t testing.TB, when string, s *bolt.Store, ids []aggregator.ItemID, differs int,
) (there []aggregator.KnownItem) {
	t.Helper()
	var asked []aggregator.ItemID
	for _, id := range ids {
		absent := id
		absent[differs]++
		asked = append(asked, id, absent)
	}
	known, err := s.Resolve(t.Context(), asked)
	ok(t, err)
	for i, k := range known {
		if k.Found != (i%2 == 0) {
			t.Fatalf("%s: %v: found is %v", when, asked[i], k.Found)
		}
		if k.Found {
			there = append(there, k)
		}
	}
	return there
}

// filled makes a store with a few hundred items.
func filled(t testing.TB, path string) {
	t.Helper()
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(20), dueAtStart))
	for _, l := range claimAll(t, s) {
		var items []aggregator.Item
		for n := range 20 {
			items = append(items, newItem(l.Feed, n, 1000))
		}
		ok(t, commit(t, s, l, items...))
	}
	ok(t, s.Close())
}

// readAll reads everything, and gives the number of items and the first error.
func readAll(t testing.TB, s *bolt.Store) (items int, err error) {
	t.Helper()
	for _, err := range s.Feeds(t.Context()) {
		if err != nil {
			return items, err
		}
	}
	for _, err := range s.Stories(t.Context(), aggregator.StoryQuery{Topic: "cloud"}) {
		if err != nil {
			return items, err
		}
	}
	for _, err := range s.Items(t.Context(), aggregator.ItemQuery{}) {
		if err != nil {
			return items, err
		}
		items++
	}
	return items, nil
}
