package bolt_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// What was unpacked and kept must not outlive what it was unpacked from: an item that was refiled where it is, and one
// that another file has under its Seq, are read as they are now.
func TestWhatIsKeptUnpackedIsNotOutOfDate(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	l := claimAll(t, s)[0]
	var items []aggregator.Item
	for n := range 20 {
		items = append(items, newItem(l.Feed, n, 1000))
	}
	ok(t, commit(t, s, l, items...))
	expect := func(topic string) {
		t.Helper()
		n := 0
		for story, err := range s.Stories(t.Context(), aggregator.StoryQuery{Topic: aggregator.TopicID(topic)}) {
			ok(t, err)
			if got := fmt.Sprint(story.Items[0].Topics); got != "["+topic+"]" || !strings.HasPrefix(story.Items[0].Content, "text text") {
				t.Errorf("topics %s, want %s", got, topic)
			}
			n++
		}
		if n != len(items) {
			t.Errorf("%d stories in %s, want %d", n, topic, len(items))
		}
	}
	expect("cloud")
	expect("cloud")
	if bolt.CachedBytes(s) == 0 {
		t.Error("nothing is kept")
	}
	for _, topic := range []string{"privacy", "cloud", "trade"} {
		_, err := s.Refile(t.Context(), aggregator.HashOf(topic), func(aggregator.Item) []aggregator.TopicID {
			return []aggregator.TopicID{aggregator.TopicID(topic)}
		})
		ok(t, err)
		expect(topic)
		_, err = s.Compact(t.Context())
		ok(t, err)
		expect(topic)
	}
}

func TestWhatIsKeptUnpackedIsBounded(t *testing.T) {
	const limit, size = 10_000, 300
	frames := bolt.CacheFrames(limit)
	for seq := range uint64(200) {
		frames.Put(seq, size)
		frames.Get(0) // is always the one that was used last but one
		if n := frames.Bytes(); n > limit {
			t.Fatalf("%d bytes are kept of at most %d", n, limit)
		}
	}
	for seq, want := range map[uint64]bool{0: true, 1: false, 150: false, 180: true, 199: true} {
		if got := frames.Get(seq); got != want {
			t.Errorf("frame %d is kept: %v, want %v", seq, got, want)
		}
	}
	frames.Put(500, 2*limit)
	if n := frames.Bytes(); n > limit {
		t.Errorf("a frame of %d bytes is kept in a cache of %d", n, limit)
	}
}
