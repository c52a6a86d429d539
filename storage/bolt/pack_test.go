package bolt_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// prose is an item whose text has much in common with those of other items and little within itself.
func prose(feed aggregator.FeedID, n int) aggregator.Item {
	rnd := rand.New(rand.NewPCG(7, uint64(n)))
	words := make([]string, 150)
	for i := range words {
		words[i] = fmt.Sprintf("w%da%d", rnd.IntN(200), rnd.IntN(3))
	}
	it := newItem(feed, n, 0)
	it.URL = fmt.Sprint("https://example.org/news/2026/", n)
	it.Content = `<p class="lead">` + strings.Join(words, " ") + `</p><p>More on <a href="https://example.org/">example.org</a></p>`
	return it
}

// addProse gives the store's first feed n items, from the given number on.
func addProse(t testing.TB, s *bolt.Store, from, n int) {
	t.Helper()
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	l := claimAll(t, s)[0]
	items := make([]aggregator.Item, n)
	for i := range items {
		items[i] = prose(l.Feed, from+i)
	}
	ok(t, commit(t, s, l, items...))
}

// inFile counts what a bucket of the file has.
func inFile(t testing.TB, path, bucket string) (pairs, bytes int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	ok(t, err)
	defer db.Close()
	ok(t, db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
			pairs, bytes = pairs+1, bytes+len(v)
			return nil
		})
	}))
	return pairs, bytes
}

func TestStoreTrainsADictionaryOnItsItems(t *testing.T) {
	dir := t.TempDir()
	// The same items, in one store before it has a dictionary and in the other after.
	without, with := filepath.Join(dir, "without.db"), filepath.Join(dir, "with.db")
	// Few items at a time, as polls bring them: they have the least in common with each other.
	few := func(s *bolt.Store) {
		for from := 5000; from < 6000; from += 5 {
			addProse(t, s, from, 5)
		}
	}
	s := open(t, without)
	few(s)
	ok(t, s.Close())
	s = open(t, with)
	addProse(t, s, 0, 2500)
	ok(t, s.Close())
	if n, _ := inFile(t, with, "dictionaries"); n != 1 {
		t.Fatalf("%d dictionaries after 2500 items, want 1", n)
	}
	_, before := inFile(t, with, "items")
	s = open(t, with)
	few(s)
	ok(t, s.Close())
	_, after := inFile(t, with, "items")
	_, plain := inFile(t, without, "items")
	if got := after - before; got > plain*90/100 {
		t.Errorf("1000 items take %d bytes with a dictionary and %d without one", got, plain)
	}
	s = open(t, with)
	defer s.Close()
	all := collect(t, s.Items(t.Context(), aggregator.ItemQuery{}))
	if len(all) != 3500 {
		t.Fatalf("%d items, want 3500", len(all))
	}
	for i, it := range all {
		n := i
		if i >= 2500 {
			n += 2500
		}
		want := prose(it.Feed, n)
		want.Seq = it.Seq
		if !cmp.Equal(want, it) {
			t.Fatalf("item %d differs (-want +got):\n%s", n, cmp.Diff(want, it))
		}
	}
}

// What many items of a poll are packed in needs no dictionary, until the store is compacted; few items do. What cannot be
// compressed is not.
func TestLongFramesOfPollsAreWithoutADictionary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	s := open(t, path)
	addProse(t, s, 0, 2500)
	ok(t, s.Close()) // when it has its dictionary
	s = open(t, path)
	defer s.Close()
	before, err := s.Frames()
	ok(t, err)
	addProse(t, s, 5000, 32)
	addProse(t, s, 6000, 5)
	l := claimAll(t, s)[0]
	var noise []aggregator.Item
	for n := range 10 {
		noise = append(noise, noisy(l.Feed, 7000+n, 4000))
	}
	ok(t, commit(t, s, l, noise...))
	frames, err := s.Frames()
	ok(t, err)
	var got []string
	for _, record := range frames[len(before):] {
		got = append(got, fmt.Sprintf("%q %v", record[:1], dictionaryOf(t, record)))
	}
	if want := []string{`"\x03" 0`, `"\x03" 1`, `"\x02" 0`}; !slices.Equal(got, want) {
		t.Errorf("frames of many items, few and noise are %v, want %v: kind and dictionary", got, want)
	}
	_, err = s.Compact(t.Context())
	ok(t, err)
	frames, err = s.Frames()
	ok(t, err)
	for _, record := range frames {
		if n := dictionaryOf(t, record); record[0] == 3 && n != 2 {
			t.Errorf("compacted, a frame of %d bytes is by dictionary %d, want 2", len(record), n)
		}
	}
	if items, err := readAll(t, s); err != nil || items != 2547 {
		t.Errorf("%d items, %v; want 2547", items, err)
	}
}

// dictionaryOf is the number of the dictionary that a record's frame names, 0 for none.
func dictionaryOf(t *testing.T, record []byte) uint32 {
	t.Helper()
	var h zstd.Header
	if record[0] != 3 {
		return 0
	}
	ok(t, h.Decode(record[1:]))
	return h.DictionaryID
}

// Items that have nothing in common make no dictionary, and no harm.
func TestStoreWithoutAnythingInCommon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
	for round := range 3 {
		l := claimAll(t, s)[0]
		var items []aggregator.Item
		for i := range 1000 {
			items = append(items, aggregator.Item{
				ID: aggregator.NewItemID(l.Feed, "n", fmt.Sprint(round, i)), Story: aggregator.StoryID{1}, Feed: l.Feed,
			})
		}
		ok(t, commit(t, s, l, items...))
	}
	n, err := readAll(t, s)
	ok(t, err)
	if n != 3000 {
		t.Errorf("%d items, want 3000", n)
	}
	ok(t, s.Close())
}

// A bit that flips in an item's text is found, also where the page around it is whole.
func TestFlippedBitInARecordIsAnError(t *testing.T) {
	for _, size := range []int{0, 2000} {
		path := filepath.Join(t.TempDir(), "wire.db")
		s := open(t, path)
		ok(t, s.SyncFeeds(t.Context(), manyFeeds(1), dueAtStart))
		l := claimAll(t, s)[0]
		ok(t, commit(t, s, l, noisy(l.Feed, 1, size)))
		ok(t, s.Close())
		var key, record []byte
		write(t, path, func(tx *bbolt.Tx) error {
			k, v := tx.Bucket([]byte("items")).Cursor().First()
			key, record = bytes.Clone(k), bytes.Clone(v)
			return nil
		})
		for _, at := range []int{1, len(record) / 2, len(record) - 1} {
			spoiled := bytes.Clone(record)
			spoiled[at] ^= 0x10
			write(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("items")).Put(key, spoiled) })
			s := open(t, path)
			_, err := readAll(t, s)
			if err == nil {
				t.Errorf("size %d: byte %d of %d was spoiled and nothing said so", size, at, len(record))
			}
			names(t, err, path)
			ok(t, s.Close())
		}
	}
}

// Whatever a spoiled file has in the place of a record, reading it ends, with an error or without.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{1, 0xa0})
	f.Add(bolt.MakeRecord(""))
	f.Add(bolt.MakeRecord(strings.Repeat("text ", 100)))
	f.Fuzz(func(t *testing.T, record []byte) { _ = bolt.ReadRecord(record) })
}

// Whatever a spoiled file has in the place of a chunk of items or a block of members, reading it ends.
func FuzzChunk(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(bolt.MakeChunk("text", "another text"))
	f.Fuzz(func(t *testing.T, value []byte) { _ = bolt.ReadChunk(value) })
}

func FuzzMembers(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(bolt.MakeMembers(1, 2, 3))
	f.Fuzz(func(t *testing.T, value []byte) { _ = bolt.ReadMembers(value) })
}

func FuzzDue(f *testing.F) {
	f.Add([]byte(nil))
	block, entry := bolt.MakeDue()
	f.Add(block)
	f.Add(entry)
	f.Fuzz(func(t *testing.T, value []byte) { _ = bolt.ReadDue(value) })
}

func FuzzList(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(bolt.MakeList())
	f.Fuzz(func(t *testing.T, value []byte) { _ = bolt.ReadList(value) })
}
