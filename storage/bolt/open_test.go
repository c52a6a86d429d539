package bolt_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// write puts something into a bbolt file behind the store's back.
func write(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// used is how many bytes of the file hold pages.
func used(t *testing.T, path string) (size int64) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	ok(t, err)
	defer db.Close()
	ok(t, db.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	}))
	return size
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		// make prepares the file at path.
		make func(t *testing.T, path string)
		is   error
		// says are parts of the error, beside the path.
		says []string
	}{
		{"text", func(t *testing.T, path string) {
			put(t, path, []byte(strings.Repeat("this is no database\n", 1000)))
		}, nil, []string{"not a topicwire store", "name another file"}},
		{"a few bytes", func(t *testing.T, path string) {
			put(t, path, []byte("x"))
		}, nil, []string{"not a topicwire store"}},
		{"somebody else's bbolt file", func(t *testing.T, path string) {
			write(t, path, func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket([]byte("theirs"))
				return err
			})
		}, nil, []string{"not a topicwire store"}},
		{"a newer format", func(t *testing.T, path string) {
			ok(t, open(t, path).Close())
			write(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, 99))
			})
		}, nil, []string{"newer", "format 99", "upgrade"}},
		{"a file that was cut off", func(t *testing.T, path string) {
			filled(t, path)
			ok(t, os.Truncate(path, 5*4096))
		}, nil, []string{"damaged", "backup"}},
		{"a file that lacks its last page", func(t *testing.T, path string) {
			filled(t, path)
			ok(t, os.Truncate(path, used(t, path)-4096))
		}, nil, []string{"damaged", "backup"}},
		{"a folder", func(t *testing.T, path string) {
			ok(t, os.Mkdir(path, 0o700))
		}, nil, []string{"not a regular file"}},
		{"a folder that is not there", func(t *testing.T, path string) {
			ok(t, os.RemoveAll(filepath.Dir(path)))
		}, fs.ErrNotExist, []string{"make it first"}},
		{"a file that is open elsewhere", func(t *testing.T, path string) {
			s := open(t, path)
			t.Cleanup(func() { ok(t, s.Close()) })
		}, aggregator.ErrStoreBusy, []string{"stop it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "wire.db")
			ok(t, os.Mkdir(filepath.Dir(path), 0o700))
			c.make(t, path)
			before, _ := os.ReadFile(path)
			s, err := bolt.Open(path, bolt.Options{Timeout: time.Millisecond})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it opened"), s.Close()))
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error = %v, want %v", err, c.is)
			}
			for _, part := range append(c.says, path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error = %v, want it to say %q", err, part)
				}
			}
			if after, _ := os.ReadFile(path); !slices.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestFileIsForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	ok(t, open(t, path).Close())
	info, err := os.Stat(path)
	ok(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
}

// An empty file is what is left of a store that was killed while it was made.
func TestEmptyFileBecomesStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	put(t, path, nil)
	filled(t, path)
	ok(t, open(t, path).Close())
}

// So is a bbolt file without buckets.
func TestBareFileBecomesStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	write(t, path, func(*bbolt.Tx) error { return nil })
	filled(t, path)
	ok(t, open(t, path).Close())
}

func TestSyncOfTheSameFeedsWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	feeds := manyFeeds(3000)
	s := open(t, path)
	ok(t, s.SyncFeeds(t.Context(), feeds, dueAtStart))
	before, err := os.ReadFile(path)
	ok(t, err)
	slices.Reverse(feeds)
	ok(t, s.SyncFeeds(t.Context(), feeds, dueAtStart))
	ok(t, s.MakeDue(t.Context(), start.Add(time.Hour)))
	after, err := os.ReadFile(path)
	ok(t, err)
	if !slices.Equal(before, after) {
		t.Error("the file was written to")
	}
	ok(t, s.Close())
}

func TestSyncOfMoreFeedsThanOneTransactionTakes(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wire.db"))
	defer s.Close()
	const n = 25_000
	ok(t, s.SyncFeeds(t.Context(), manyFeeds(n), dueAtStart))
	ok(t, s.MakeDue(t.Context(), start.Add(-time.Hour)))
	leases, err := s.Claim(t.Context(), start.Add(-time.Hour), time.Minute, 2*n)
	ok(t, err)
	if len(leases) != n {
		t.Errorf("%d feeds are due, want %d", len(leases), n)
	}
}
