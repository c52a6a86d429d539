package bolt_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// Each index is spoiled in turn. The check says so, and the repair makes it again what it was.
func TestCheckFindsAndRepairs(t *testing.T) {
	remove := func(bucket string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			c := tx.Bucket([]byte(bucket)).Cursor()
			c.First()
			return c.Delete()
		}
	}
	spoil := func(bucket string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucket))
			k, v := b.Cursor().Last()
			v = bytes.Clone(v)
			v[len(v)/2] ^= 0xff
			return b.Put(bytes.Clone(k), v)
		}
	}
	stray := func(bucket string, key, value int) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucket)).Put(bytes.Repeat([]byte{7}, key), bytes.Repeat([]byte{7}, value))
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(*bbolt.Tx) error
		says  string
		// lost items are no longer there after the repair; changed is what else may differ.
		lost    int
		changed bool
	}{
		{"items that cannot be read", spoil("items"), "cannot be read", 6, true},
		{"an item that is gone", nil, "no item", 0, true},
		{"identities that are gone", func(tx *bbolt.Tx) error {
			c := tx.Bucket([]byte("identity")).Cursor()
			c.Last()
			return c.Delete()
		}, "entries and counts", 0, true},
		{"identities that are spoiled", spoil("identity"), "spoiled", 0, true},
		{"a list of runs that is gone", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("identity")).Delete([]byte{0})
		}, "of no run", 0, false},
		{"a segment of nothing", stray("identity", 12, 38+4), "identity", 0, false},
		{"an identity that leads elsewhere", nil, "identity", 0, false},
		{"an identity of nothing", nil, "no item", 0, false},
		{"an alias that leads nowhere", nil, "alias", 0, false},
		{"an entry of a story that is gone", nil, "story", 0, false},
		{"an entry of a story for nothing", nil, "entries of stories", 0, false},
		{"entries of stories that are spoiled", spoil("stories"), "stories", 0, false},
		{"a place in a list that is gone", remove("lists"), "not listed", 0, false},
		{"a place in a list that belongs to no story", nil, "belong to no story", 0, false},
		{"a list that is spoiled", spoil("lists"), "lists", 0, false},
		{"a member that is gone", nil, "members", 0, false},
		{"a member of another time", nil, "members", 0, false},
		{"a member that is no item", nil, "no items", 0, false},
		{"members that are spoiled", spoil("members"), "members", 0, false},
		{"a name that is gone", remove("names"), "number", 0, false},
		{"a revision that cannot be read", spoil("revisions"), "revision", 0, true},
		{"a due time that is gone", remove("due-blocks"), "due", 0, false},
		{"an entry of what is due that cannot be read", spoil("due-blocks"), "another description", 0, false},
		{"a due time of nothing", stray("due-blocks", 20, 0), "due", 0, false},
		{"a version that cannot be read", spoil("topics"), "topic", 0, false},
		{"a state that cannot be read", spoil("placed-states"), "state", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "wire.db")
			s := openAt(t, path, start)
			fillEvery(t, s)
			_, err := s.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Items: 6}}, start)
			ok(t, err)
			want := ask(t, s)
			ok(t, s.Close())
			if c.spoil != nil {
				write(t, path, c.spoil)
			} else {
				s := openAt(t, path, start)
				ok(t, bolt.Spoilers()[c.name](s))
				ok(t, s.Close())
			}

			s = openAt(t, path, start)
			defer func() { ok(t, s.Close()) }()
			report, err := s.Check(t.Context(), false)
			ok(t, err)
			if report.Found == 0 || report.Repaired || !slices.ContainsFunc(report.Problems, func(p string) bool { return strings.Contains(p, c.says) }) {
				t.Errorf("report %+v, want it to say %q", report, c.says)
			}
			report, err = s.Check(t.Context(), true)
			ok(t, err)
			if !report.Repaired || report.Lost != c.lost {
				t.Errorf("report %+v, want it repaired with %d items lost", report, c.lost)
			}
			report, err = s.Check(t.Context(), true)
			ok(t, err)
			if report.Found > 0 || report.Repaired {
				t.Errorf("after the repair: %+v", report)
			}
			got := ask(t, s)
			if c.changed {
				if len(got.Items) == 0 || len(want.Items)-len(got.Items) > 6 || len(got.Feeds) != len(want.Feeds) {
					t.Errorf("%d items and %d feeds are left of %d and %d", len(got.Items), len(got.Feeds), len(want.Items), len(want.Feeds))
				}
				return
			}
			// The versions have to move: the answers may have been wrong.
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(everything{}, "Versions")); diff != "" {
				t.Errorf("the repaired store differs (-want +got):\n%s", diff)
			}
			for topic, v := range got.Versions {
				if v.Seq <= want.Versions[topic].Seq {
					t.Errorf("version of %q is %v, and was %v", topic, v, want.Versions[topic])
				}
			}
		})
	}
}

func TestRepairedStoreTakesPolls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	write(t, path, func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket([]byte("lists")); err != nil {
			return err
		}
		_, err := tx.CreateBucket([]byte("lists"))
		return err
	})
	s := open(t, path)
	l := claimAll(t, s)[0]
	_, err := s.Check(t.Context(), true)
	ok(t, err)
	ok(t, commit(t, s, l, newItem(l.Feed, 999, 10)))
	ok(t, s.Close())
	s = open(t, path)
	defer s.Close()
	n, err := readAll(t, s)
	ok(t, err)
	if stories := len(collect(t, s.Stories(t.Context(), aggregator.StoryQuery{Topic: "cloud"}))); n != 401 || stories != 401 {
		t.Errorf("%d items and %d stories, want 401", n, stories)
	}
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	filled(t, good)
	report, err := bolt.Verify(t.Context(), good)
	ok(t, err)
	if report.Items != 400 {
		t.Errorf("%d items, want 400", report.Items)
	}
	content, err := os.ReadFile(good)
	ok(t, err)
	for _, c := range []struct {
		name  string
		spoil func(path string)
	}{
		{"cut off", func(path string) { ok(t, os.Truncate(path, used(t, path)/2)) }},
		{"no store", func(path string) { put(t, path, bytes.Repeat([]byte("x"), 1<<16)) }},
		{"empty", func(path string) { put(t, path, nil) }},
		{"an index differs", func(path string) {
			write(t, path, func(tx *bbolt.Tx) error {
				k, _ := tx.Bucket([]byte("lists")).Cursor().First()
				return tx.Bucket([]byte("lists")).Delete(bytes.Clone(k))
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "copy.db")
			put(t, path, content)
			c.spoil(path)
			_, err := bolt.Verify(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error = %v, want one that names the file", err)
			}
		})
	}
}

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	ok(t, err)
	return info.Size()
}

func TestCompactGivesSpaceBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "wire.db")
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	for n := range 10 {
		l := claimAll(t, s)[0]
		ok(t, commit(t, s, l, noisy(l.Feed, n, 1<<20)))
	}
	addProse(t, s, 100, 1500)
	addProse(t, s, 1600, 1500)
	l := claimAll(t, s)[0]
	ok(t, commit(t, s, l))
	report, err := s.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Age: 30 * 24 * time.Hour}},
		start.Add(30*24*time.Hour+100*time.Minute))
	ok(t, err)
	if report.Items != 10 {
		t.Fatalf("%d items were pruned, want the old ones", report.Items)
	}
	_, err = s.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Items: 1000}}, start)
	ok(t, err)
	want := ask(t, s)
	before := fileSize(t, path)
	done, err := s.Compact(t.Context())
	ok(t, err)
	if done.Before != before || done.After != fileSize(t, path) || done.After > before/2 {
		t.Errorf("report %+v; the file had %d bytes and has %d", done, before, fileSize(t, path))
	}
	if diff := cmp.Diff(want, ask(t, s)); diff != "" {
		t.Errorf("the store differs (-before +after):\n%s", diff)
	}
	ok(t, s.Close())
	entries, err := os.ReadDir(dir)
	ok(t, err)
	if len(entries) != 1 {
		t.Errorf("the folder has %v, want the store alone", entries)
	}
	if n, _ := inFile(t, path, "dictionaries"); n != 1 {
		t.Errorf("%d dictionaries, want the new one alone", n)
	}
	_, err = bolt.Verify(t.Context(), path)
	ok(t, err)
	s = open(t, path)
	defer s.Close()
	if diff := cmp.Diff(want, ask(t, s)); diff != "" {
		t.Errorf("the reopened store differs (-before +after):\n%s", diff)
	}
}

// A file of format 1 has no dictionary and no checksums; compacting gives it both.
func TestCompactBringsEveryRecordForward(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	unpack(t, "format1.db.gz", path)
	s := openAt(t, path, start)
	want := ask(t, s)
	_, err := s.Compact(t.Context())
	ok(t, err)
	if diff := cmp.Diff(want, ask(t, s)); diff != "" {
		t.Errorf("the store differs (-before +after):\n%s", diff)
	}
	frames, err := s.Frames()
	ok(t, err)
	if len(frames) == 0 || slices.ContainsFunc(frames, func(record []byte) bool { return record[0] == 1 }) {
		t.Errorf("%d frames of items, want some and none of format 1", len(frames))
	}
	ok(t, s.Close())
	for _, bucket := range []string{"feeds", "placed-states", "revisions", "stories", "topics"} {
		write(t, path, func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
				if v[0] == 1 {
					t.Errorf("%s %x is a record of format 1", bucket, k)
				}
				return nil
			})
		})
	}
}

func TestReadersGoOnWhileAStoreIsCompacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	s := open(t, path)
	defer s.Close()
	done := make(chan error, 1)
	n := 0
	for _, err := range s.Items(t.Context(), aggregator.ItemQuery{}) {
		ok(t, err)
		if n++; n == 1 {
			go func() {
				_, err := s.Compact(t.Context())
				done <- err
			}()
			ok(t, <-done)
		}
	}
	if n != 400 {
		t.Errorf("%d items, want 400", n)
	}
}

func TestCompactThatIsStoppedLeavesTheStoreAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "wire.db")
	filled(t, path)
	s := open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Compact(ctx); err == nil {
		t.Error("it went on")
	}
	n, err := readAll(t, s)
	ok(t, err)
	if n != 400 {
		t.Errorf("%d items, want 400", n)
	}
	ok(t, s.Close())
	// What a killed process leaves goes away at the next start.
	put(t, path+".compacting", []byte("half"))
	ok(t, open(t, path).Close())
	entries, err := os.ReadDir(dir)
	ok(t, err)
	if len(entries) != 1 {
		t.Errorf("the folder has %v, want the store alone", entries)
	}
}

func TestASecondProcessFindsACompactedStoreBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	s := open(t, path)
	defer s.Close()
	_, err := s.Compact(t.Context())
	ok(t, err)
	second, err := bolt.Open(path, bolt.Options{Timeout: time.Millisecond})
	if err == nil {
		ok(t, second.Close())
		t.Fatal("the store is open twice")
	}
}
