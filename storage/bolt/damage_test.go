package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/storage/bolt"
)

// A disk that lies must not take the process down: whatever page is not what it should be, every call returns.
func TestDamagedPagesAreErrors(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	filled(t, whole)
	content, err := os.ReadFile(whole)
	ok(t, err)
	const pageSize, header = 4096, 16
	pages := len(bytes.TrimRight(content, "\x00")) / pageSize
	content = content[:(pages+64)*pageSize] // The file grows in large steps; most of it is empty.
	for _, c := range []struct {
		name string
		fill byte
		from int
	}{
		{"zeros", 0, 0},
		{"ones", 0xff, 0},
		{"a page whose elements are garbage", 0x55, header},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := 0
			for page := 2; page < pages; page += 5 {
				spoiled := bytes.Clone(content)
				copy(spoiled[page*pageSize+c.from:], bytes.Repeat([]byte{c.fill}, pageSize-c.from))
				if !survives(t, filepath.Join(dir, "spoiled.db"), spoiled) {
					found++
				}
			}
			if found < pages/40 {
				t.Errorf("damage was found in %d of %d files: the test spoils too little", found, pages/5)
			}
		})
	}
}

// survives uses a store with the given content, and reports whether all that it holds can be read.
func survives(t *testing.T, path string, content []byte) bool {
	t.Helper()
	ok(t, os.RemoveAll(path))
	put(t, path, content)
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		names(t, err, path)
		return false
	}
	_, readErr := readAll(t, s)
	names(t, readErr, path)
	names(t, s.SyncFeeds(t.Context(), manyFeeds(30), dueAtStart), path)
	names(t, s.MakeDue(t.Context(), start.Add(-time.Hour)), path)
	_, err = s.Claim(t.Context(), start, time.Hour, 100)
	names(t, err, path)
	_ = s.Close()
	return readErr == nil
}

// names checks that an error, where there is one, names the file and what to do.
func names(t *testing.T, err error, path string) {
	t.Helper()
	if err != nil && (!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup")) {
		t.Errorf("error = %v, want it to name the file and what to do", err)
	}
}

// A file that shrinks under the memory map is a fault of the machine, not only a panic.
func TestFileCutWhileOpenIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	s := open(t, path)
	ok(t, os.Truncate(path, 4*4096))
	_, err := readAll(t, s)
	if err == nil {
		t.Fatal("reading what is no longer there gave no error")
	}
	names(t, err, path)
	_ = s.Close()
}

func TestBackupOpensAndPollsGoOnMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "wire.db"), filepath.Join(dir, "copy.db")
	filled(t, path)
	s := open(t, path)
	f, err := os.Create(copied)
	ok(t, err)
	l := claimAll(t, s)[0]
	polled := false
	ok(t, s.Backup(t.Context(), writerFunc(func(p []byte) (int, error) {
		if !polled {
			polled = true
			// More than what is there, so that the file has to grow.
			ok(t, commit(t, s, l, noisy(l.Feed, 100, 40<<20)))
		}
		return f.Write(p)
	})))
	ok(t, f.Close())
	backup := open(t, copied)
	for _, c := range []struct {
		name  string
		store *bolt.Store
		want  int
	}{{"store", s, 401}, {"backup", backup, 400}} {
		n, err := readAll(t, c.store)
		ok(t, err)
		if n != c.want {
			t.Errorf("%s: %d items, want %d", c.name, n, c.want)
		}
		ok(t, c.store.Close())
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	s := open(t, path)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Backup(ctx, writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
