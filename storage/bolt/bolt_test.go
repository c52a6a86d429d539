package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/topicwire/topicwire/storage"
	"github.com/topicwire/topicwire/storage/bolt"
	"github.com/topicwire/topicwire/storage/storagetest"
)

func fresh(t *testing.T) func() storage.Store {
	path := filepath.Join(t.TempDir(), "wire.db")
	return func() storage.Store { return open(t, path) }
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
	storagetest.Compare(t, func(t *testing.T) func() storage.Store {
		path := filepath.Join(t.TempDir(), "wire.db")
		return func() storage.Store { return openSmall(t, path) }
	}, 600)
}

func openSmall(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.OpenSmall(path)
	ok(t, err)
	return s
}
