package memory_test

import (
	"testing"

	"github.com/topicwire/topicwire/storage"
	"github.com/topicwire/topicwire/storage/memory"
	"github.com/topicwire/topicwire/storage/storagetest"
)

func fresh(*testing.T) func() storage.Store {
	s := memory.New(nil)
	return func() storage.Store {
		s = s.Reopen()
		return s
	}
}

func TestStore(t *testing.T) { storagetest.Run(t, fresh) }
