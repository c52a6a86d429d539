package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/topicwire/topicwire/storage"
	"github.com/topicwire/topicwire/storage/bolt"
	"github.com/topicwire/topicwire/storage/storagetest"
)

func fresh(t *testing.T) func() storage.Store { return inFiles(t, open) }

// inFiles opens a store in a new folder, and after that what it finds of it on the disk, in a copy: where the store was not
// closed, as the next process finds it after a kill.
func inFiles(t *testing.T, open func(testing.TB, string) *bolt.Store) func() storage.Store {
	dir, n := t.TempDir(), 0
	return func() storage.Store {
		last := filepath.Join(dir, fmt.Sprint(n, ".db"))
		n++
		path := filepath.Join(dir, fmt.Sprint(n, ".db"))
		if content, err := os.ReadFile(last); err == nil {
			put(t, path, content)
		}
		return open(t, path)
	}
}

func open(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) { storagetest.Run(t, fresh) }

func TestStoreAgainstModel(t *testing.T) { storagetest.Compare(t, fresh, 3000) }

// The same where tables are cut and merged at every turn.
func TestStoreOfSmallTablesAgainstModel(t *testing.T) {
	storagetest.Compare(t, func(t *testing.T) func() storage.Store { return inFiles(t, openSmall) }, 600)
}

func openSmall(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.OpenSmall(path)
	ok(t, err)
	return s
}
