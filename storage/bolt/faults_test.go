package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

// The table of docs/store.md has a line for each of these, and for those in crash_test.go and damage_test.go.

// expectError checks that the error names the file and says what it should.
func expectError(t *testing.T, err error, path, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), says) {
		t.Errorf("error = %v, want one that names %s and says %q", err, path, says)
	}
}

func TestFileThatCannotBeWrittenIsNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	for _, c := range []struct {
		fault error
		says  string
	}{{syscall.EROFS, "can be written to"}, {syscall.EACCES, "let the user"}} {
		s, err := bolt.OpenOn(path, func(name string, flag int, mode os.FileMode) (*os.File, error) {
			if flag&os.O_RDWR != 0 {
				return nil, &os.PathError{Op: "open", Path: name, Err: c.fault}
			}
			return os.OpenFile(name, flag, mode)
		})
		if err == nil {
			t.Fatal(errors.Join(errors.New("it opened"), s.Close()))
		}
		expectError(t, err, path, c.says)
	}
}

// A disk that turns read-only under the daemon fails the polls; what is there can be read, and is served.
func TestFileThatTurnsReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	s, err := bolt.OpenOn(path, func(name string, flag int, mode os.FileMode) (*os.File, error) {
		return os.OpenFile(name, flag&^os.O_RDWR, mode)
	})
	ok(t, err)
	defer s.Close()
	l := claimAll(t, s)[0]
	expectError(t, commit(t, s, l, newItem(l.Feed, 1000, 10)), path, "write")
	n, err := readAll(t, s)
	ok(t, err)
	if n != 400 {
		t.Errorf("%d items, want 400", n)
	}
	if _, err := s.Compact(t.Context()); err == nil {
		t.Error("a store that cannot be written to was compacted")
	}
	n, err = readAll(t, s)
	ok(t, err)
	if n != 400 {
		t.Errorf("%d items after a compaction that failed, want 400", n)
	}
}

// limitFiles lets this process write so many bytes of a file and no more: what crosses that is written in part. The
// function that it gives lifts the limit.
func limitFiles(t *testing.T, size int64) (lift func()) {
	t.Helper()
	var old syscall.Rlimit
	ok(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	ok(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(size), Max: old.Max}))
	return func() { ok(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)) }
}

// A write that ends in the middle of a page fails its poll and nothing else, and so does a compaction that finds no room.
func TestShortWrite(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		s := open(t, path)
		l := claimAll(t, s)
		lift := limitFiles(t, used(t, os.Getenv(childStore)+".measure")+3*4096+100)
		expectError(t, commit(t, s, l[0], noisy(l[0].Feed, 1000, 100_000)), path, "write")
		n, err := readAll(t, s)
		ok(t, err)
		if n != 400 {
			t.Errorf("%d items after a short write, want 400", n)
		}
		lift()
		lift = limitFiles(t, 50_001)
		_, err = s.Compact(t.Context())
		if err == nil {
			t.Error("a compaction without room was done")
		}
		if _, err := os.Stat(path + ".compacting"); err == nil {
			t.Error("what the compaction wrote is still there")
		}
		lift()
		ok(t, commit(t, s, l[0], noisy(l[0].Feed, 1000, 100_000)))
		_, err = s.Compact(t.Context())
		ok(t, err)
		ok(t, s.Close())
		return
	}
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	content, err := os.ReadFile(path)
	ok(t, err)
	put(t, path+".measure", content)
	if out, err := child(t, t.Name(), path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report, err := bolt.Verify(t.Context(), path)
	if err != nil || report.Items != 401 {
		t.Errorf("%+v, %v; want 401 items", report, err)
	}
}

// A second process finds the store busy and changes nothing.
func TestSecondProcess(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		s, err := bolt.Open(path, bolt.Options{Timeout: 1})
		if err == nil {
			t.Fatal(errors.Join(errors.New("it opened"), s.Close()))
		}
		if !errors.Is(err, aggregator.ErrStoreBusy) {
			t.Errorf("error = %v, want %v", err, aggregator.ErrStoreBusy)
		}
		expectError(t, err, path, "try again when it has ended, or stop it")
		return
	}
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	s := open(t, path)
	defer s.Close()
	if out, err := child(t, t.Name(), path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	n, err := readAll(t, s)
	ok(t, err)
	if n != 400 {
		t.Errorf("%d items, want 400", n)
	}
}
