package bolt_test

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// everything is all that a store has to say.
type everything struct {
	Feeds     []aggregator.FeedStatus
	Items     []aggregator.Item
	Revisions map[string][]aggregator.Revision
	Stories   map[aggregator.TopicID][]aggregator.Story
	Versions  map[aggregator.TopicID]aggregator.Version
	Known     []aggregator.KnownItem
	Authority string
}

func ask(t testing.TB, s *bolt.Store) everything {
	t.Helper()
	e := everything{
		Feeds: collect(t, s.Feeds(t.Context())), Items: collect(t, s.Items(t.Context(), aggregator.ItemQuery{})),
		Revisions: make(map[string][]aggregator.Revision), Stories: make(map[aggregator.TopicID][]aggregator.Story),
		Versions: make(map[aggregator.TopicID]aggregator.Version),
	}
	var ids []aggregator.ItemID
	for _, it := range e.Items {
		ids = append(append(ids, it.ID), it.Aliases...)
		revisions, err := s.Revisions(t.Context(), it.ID)
		ok(t, err)
		e.Revisions[it.GUID] = revisions
	}
	var err error
	e.Known, err = s.Resolve(t.Context(), ids)
	ok(t, err)
	for _, topic := range []aggregator.TopicID{aggregator.AllTopics, "cloud", "privacy"} {
		e.Stories[topic] = collect(t, s.Stories(t.Context(), aggregator.StoryQuery{Topic: topic}))
		e.Versions[topic], err = s.Version(t.Context(), topic)
		ok(t, err)
	}
	e.Authority, err = s.Authority(t.Context(), "other.example.org,2027-01-01")
	ok(t, err)
	return e
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for v, err := range seq {
		ok(t, err)
		all = append(all, v)
	}
	return all
}

// fillEvery puts something of every kind into an empty store, the same each time.
func fillEvery(t testing.TB, s *bolt.Store) {
	t.Helper()
	_, err := s.Authority(t.Context(), "wire.example.org,2026-03-01")
	ok(t, err)
	feeds := manyFeeds(4)
	feeds[1].Title, feeds[1].Tags, feeds[1].Topics = "Zweite", []string{"news", "de"}, []aggregator.TopicID{"cloud"}
	ok(t, s.SyncFeeds(t.Context(), feeds, dueAtStart))
	for round := range 3 {
		for n, l := range claimAll(t, s) {
			l.State.Validators = aggregator.Validators{ETag: fmt.Sprint(`"`, round, `"`), LastModified: "\xff"}
			l.State.LastPoll = aggregator.PollRecord{At: start, Outcome: aggregator.OutcomeStored, Status: 200, Repairs: []string{"a"}}
			var items []aggregator.Item
			for i := range 6 {
				it := newItem(l.Feed, i+round, 400)
				it.Content = strings.Repeat(fmt.Sprintf("<p>In round %d, feed %d says: ڈیٹا %d.</p>\n", round, n, i), 8)
				it.Revision, it.Summary = 1+round, "<b>kurz</b>"
				it.Authors, it.Categories = []aggregator.Author{{Name: "A"}, {Email: "b@example.org"}}, []string{"x", "y"}
				it.Enclosures = []aggregator.Enclosure{{URL: "https://example.org/a.mp3", Type: "audio/mpeg", Length: 1 << 40}}
				it.Aliases = []aggregator.ItemID{aggregator.NewItemID(l.Feed, "link", it.GUID)}
				it.Story = aggregator.NewStoryID("shared", fmt.Sprint(i%3))
				it.Topics = [][]aggregator.TopicID{nil, {"cloud"}, {"cloud", "privacy"}}[(i+n)%3]
				it.Hash = aggregator.HashOf(it.Content)
				items = append(items, it)
			}
			ok(t, commit(t, s, l, items...))
		}
	}
	ok(t, s.SyncFeeds(t.Context(), feeds[:3], dueAtStart))
	_, err = s.Refile(t.Context(), aggregator.HashOf("rules"), func(it aggregator.Item) []aggregator.TopicID {
		if strings.HasSuffix(it.GUID, "/5") {
			return []aggregator.TopicID{"privacy"}
		}
		return it.Topics
	})
	ok(t, err)
}

func openAt(t testing.TB, path string, now time.Time) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Now: func() time.Time { return now }})
	ok(t, err)
	return s
}

// unpack puts a fixture of an earlier format at path.
func unpack(t testing.TB, fixture, path string) {
	t.Helper()
	in, err := os.Open(filepath.Join("testdata", fixture))
	ok(t, err)
	defer in.Close()
	plain, err := gzip.NewReader(in)
	ok(t, err)
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	ok(t, err)
	_, err = io.Copy(out, plain)
	ok(t, errors.Join(err, out.Close()))
}

// A file of each earlier format says what a store of today says that was filled in the same way, also after it was
// written to, opened again and compacted.
func TestEarlierFormatsAreRead(t *testing.T) {
	for _, fixture := range []string{"format1.db.gz", "format2.db.gz", "format3.db.gz", "format4.db.gz", "format5.db.gz"} {
		t.Run(fixture, func(t *testing.T) {
			path, today := filepath.Join(t.TempDir(), "old.db"), filepath.Join(t.TempDir(), "today.db")
			unpack(t, fixture, path)
			want := openAt(t, today, start)
			defer func() { ok(t, want.Close()) }()
			fillEvery(t, want)
			for _, change := range []func(*bolt.Store){
				func(*bolt.Store) {},
				func(s *bolt.Store) {
					for _, l := range claimAll(t, s)[:2] {
						old := newItem(l.Feed, 3, 300)
						old.Revision = 9
						ok(t, commit(t, s, l, old, newItem(l.Feed, 77, 300)))
					}
				},
				func(s *bolt.Store) {
					report, err := s.Check(t.Context(), false)
					ok(t, err)
					if report.Found > 0 {
						t.Errorf("check: %+v", report)
					}
					_, err = s.Compact(t.Context())
					ok(t, err)
				},
			} {
				got := openAt(t, path, start)
				change(got)
				change(want)
				if diff := cmp.Diff(ask(t, want), ask(t, got)); diff != "" {
					t.Errorf("the store differs (-today +%s):\n%s", fixture, diff)
				}
				ok(t, got.Close())
			}
		})
	}
}

// A file that cannot be brought forward is left as it was, and so it is when there is no room for a second one.
func TestEarlierFormatIsWholeWhereItCannotBeBroughtForward(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		lift := limitFiles(t, 50_001)
		_, err := bolt.Open(path, bolt.Options{})
		lift()
		expectError(t, err, path, "bring format 2 forward")
		return
	}
	path := filepath.Join(t.TempDir(), "old.db")
	unpack(t, "format2.db.gz", path)
	before, err := os.ReadFile(path)
	ok(t, err)
	same := func(when string) {
		t.Helper()
		after, err := os.ReadFile(path)
		ok(t, err)
		if !slices.Equal(before, after) {
			t.Errorf("%s the file was changed", when)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		ok(t, err)
		if len(entries) != 1 {
			t.Errorf("%s the folder has %v", when, entries)
		}
	}
	if out, err := child(t, t.Name(), path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	same("without room")
	write(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("items")).Put([]byte("\x00\x00\x00\x00\x00\x00\x00\x01"), []byte{3, 1, 2, 3})
	})
	before, err = os.ReadFile(path)
	ok(t, err)
	_, err = bolt.Open(path, bolt.Options{})
	expectError(t, err, path, "item 1")
	same("with a damaged item")
}

// A start that ended while it moved the feeds of an earlier format left some of them where they were. The next one goes on.
func TestFeedsThatHaveMovedHalfWay(t *testing.T) {
	path, today := filepath.Join(t.TempDir(), "old.db"), filepath.Join(t.TempDir(), "today.db")
	unpack(t, "format5.db.gz", path)
	write(t, path, func(tx *bbolt.Tx) error {
		placed, err := tx.CreateBucket([]byte("placed-states"))
		if err != nil {
			return err
		}
		id, state := tx.Bucket([]byte("states")).Cursor().First()
		id, state = slices.Clone(id), slices.Clone(state)
		place := binary.BigEndian.AppendUint64(nil, aggregator.FeedID(id).Phase())[:4]
		return errors.Join(tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 0, 0, 6}),
			placed.Put(append(place, id...), state), tx.Bucket([]byte("states")).Delete(id))
	})
	want, got := openAt(t, today, start), openAt(t, path, start)
	fillEvery(t, want)
	if diff := cmp.Diff(ask(t, want), ask(t, got)); diff != "" {
		t.Errorf("the store differs (-today +moved):\n%s", diff)
	}
	report, err := got.Check(t.Context(), false)
	ok(t, errors.Join(err, want.Close(), got.Close()))
	if report.Found > 0 {
		t.Errorf("check: %+v", report)
	}
}
