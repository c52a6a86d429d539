package bolt_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

func notesOf(t *testing.T, s *bolt.Store) (keys string) {
	t.Helper()
	for n, err := range s.Notes(t.Context(), "s") {
		ok(t, err)
		keys += n.Key
	}
	return keys
}

func TestRepairKeepsTheNotesThatCanBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	ok(t, s.PutNotes(t.Context(), aggregator.Note{Space: "s", Key: "a", Value: []byte("1")}, aggregator.Note{Space: "s", Key: "b", Value: []byte("2")}))
	ok(t, s.Close())
	change(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("notes"))
		k, v := b.Cursor().Last()
		v = bytes.Clone(v)
		v[len(v)-1] ^= 0xff
		return b.Put(bytes.Clone(k), v)
	})
	s = open(t, path)
	defer s.Close()
	report, err := s.Check(t.Context(), true)
	ok(t, err)
	if report.Found != 1 || !report.Repaired {
		t.Errorf("the check found %v", report.Problems)
	}
	if got := notesOf(t, s); got != "a" {
		t.Errorf("notes after the repair: %q, want that which could be read", got)
	}
}

// A file from before there were notes is opened, and has them from then on.
func TestNotesComeToAStoreWithoutThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	unpack(t, "format3.db.gz", path)
	change(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("notes")) })
	if _, err := bolt.Verify(t.Context(), path); err == nil || !strings.Contains(err.Error(), "brings it forward") {
		t.Errorf("verify a file of an earlier format: error = %v, want it to say what to do", err)
	}
	s := open(t, path)
	defer s.Close()
	ok(t, s.PutNotes(t.Context(), aggregator.Note{Space: "s", Key: "a", Value: []byte("1")}))
	if got := notesOf(t, s); got != "a" {
		t.Errorf("notes %q", got)
	}
}

func change(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	ok(t, err)
	ok(t, db.Update(f))
	ok(t, db.Close())
}
