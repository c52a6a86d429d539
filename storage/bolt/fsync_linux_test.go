//go:build amd64 || arm64

package bolt_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"github.com/topicwire/topicwire/storage/bolt"
)

const anyFile = -1

// failCalls makes the system calls of this process that have the number, for one of its files or any, fail with EIO from now on, by
// a filter (seccomp(2)): no file system that a test may use fails by itself.
func failCalls(t *testing.T, number uint32, file int) {
	t.Helper()
	type instruction struct {
		code   uint16
		jt, jf uint8
		k      uint32
	}
	const (
		loadWord, jumpEqual, giveBack = 0x20, 0x15, 0x06
		allow, fail                   = 0x7fff0000, 0x00050000
		setNoNewPrivs                 = 38
		setFilter, forAllThreads      = 1, 1
	)
	filter := []instruction{
		{code: loadWord}, // the number of the system call
		{code: jumpEqual, k: number, jt: 0, jf: 3},
		{code: loadWord, k: 16}, // the lower half of its first argument
		{code: jumpEqual, k: uint32(file), jt: 0, jf: 1},
		{code: giveBack, k: fail | uint32(syscall.EIO)},
		{code: giveBack, k: allow},
	}
	if file == anyFile {
		filter[3].jf = 0
	}
	program := struct {
		len    uint16
		filter *instruction
	}{uint16(len(filter)), &filter[0]}
	// The filter is set by this thread and taken over by all the others.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		t.Fatalf("prctl: %v", err)
	}
	seccomp := map[string]uintptr{"amd64": 317, "arm64": 277}[runtime.GOARCH]
	if _, _, err := syscall.RawSyscall(seccomp, setFilter, forAllThreads, uintptr(unsafe.Pointer(&program))); err != 0 {
		t.Fatalf("seccomp: %v", err)
	}
	runtime.KeepAlive(filter)
}

// After a failed fsync nobody knows what the disk has: the poll fails, and so does every later write until the store is
// opened again. What was committed before can be read, and is there afterwards.
func TestFailedFsync(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		s := open(t, path)
		l := claimAll(t, s)
		ok(t, commit(t, s, l[0], newItem(l[0].Feed, 1000, 10)))
		failCalls(t, syscall.SYS_FDATASYNC, anyFile)
		for range 2 {
			expectError(t, commit(t, s, l[1], newItem(l[1].Feed, 1000, 10)), path, "the disk failed")
		}
		n, err := readAll(t, s)
		ok(t, err)
		if n != 401 {
			t.Errorf("%d items, want 401", n)
		}
		if _, err := s.Compact(t.Context()); err == nil {
			t.Error("it was compacted")
		}
		_ = s.Close()
		return
	}
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	if out, err := child(t, t.Name(), path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report, err := bolt.Verify(t.Context(), path)
	if err != nil || report.Items != 401 {
		t.Errorf("%+v, %v; want 401 items", report, err)
	}
	s := open(t, path)
	l := claimAll(t, s)[1]
	ok(t, commit(t, s, l, newItem(l.Feed, 1000, 10)))
	ok(t, s.Close())
}

// opened is the number by which this process has a file open.
func opened(t *testing.T, path string) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	ok(t, err)
	for _, entry := range all {
		if to, _ := os.Readlink("/proc/self/fd/" + entry.Name()); to == path {
			n, err := strconv.Atoi(entry.Name())
			ok(t, err)
			return n
		}
	}
	t.Fatalf("%s is not open", path)
	return 0
}

// When a compacted file is in its place, and the folder cannot be synced, nobody knows which of the two files will be there after a
// power cut: what is there can be read, and nothing is written to a file that may be gone then.
func TestFolderThatCannotBeSynced(t *testing.T) {
	if path := os.Getenv(childStore); path != "" {
		s, err := bolt.OpenOn(path, func(name string, flag int, mode os.FileMode) (*os.File, error) {
			if name != path { // The new file, and then the folder is open.
				failCalls(t, syscall.SYS_FSYNC, opened(t, filepath.Dir(path)))
			}
			return os.OpenFile(name, flag, mode)
		})
		ok(t, err)
		l := claimAll(t, s)
		_, err = s.Compact(t.Context())
		expectError(t, err, path, "the disk failed")
		n, err := readAll(t, s)
		ok(t, err)
		if n != 400 {
			t.Errorf("%d items, want 400", n)
		}
		expectError(t, commit(t, s, l[0], newItem(l[0].Feed, 1000, 10)), path, "the disk failed")
		ok(t, s.Close())
		return
	}
	path := filepath.Join(t.TempDir(), "wire.db")
	filled(t, path)
	if out, err := child(t, t.Name(), path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := open(t, path)
	defer s.Close()
	l := claimAll(t, s)[0]
	ok(t, commit(t, s, l, newItem(l.Feed, 1000, 10)))
	report, err := s.Check(t.Context(), false)
	ok(t, err)
	if report.Found > 0 || report.Items != 401 {
		t.Errorf("%+v, want 401 items", report)
	}
}
