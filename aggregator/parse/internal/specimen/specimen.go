// Package specimen is what the tests of the parser and of its scanner are held against: feeds as real publishers served
// them, and the faults that publishers' programs put into feeds. Only tests import it.
package specimen

import (
	"os"
	"path/filepath"
	"testing"
)

// Feeds are the captured feeds, by file name. They lie beside the checkout, in ../shared/feeds, or where TOPICWIRE_FEEDS
// says; without them the test is skipped, and fails where CI is set.
func Feeds(t testing.TB) map[string][]byte {
	t.Helper()
	dir := os.Getenv("TOPICWIRE_FEEDS")
	if dir == "" {
		dir = filepath.Join(moduleRoot(t), "..", "shared", "feeds")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the captured feeds are missing: %v", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: the captured feeds are missing; set TOPICWIRE_FEEDS to a folder of feeds (%v)", err)
	}
	feeds := make(map[string][]byte)
	for _, e := range entries {
		if e.Name() == "README.md" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		feeds[e.Name()] = body
	}
	return feeds
}

// Unraced leaves the test to a run without the race detector, which .ci/test makes of it: it does much in one goroutine,
// where there is nothing to race and everything takes twenty times as long.
func Unraced(t testing.TB) {
	t.Helper()
	if Slowness > 1 {
		t.Skip("skipped under the race detector; .ci/test runs it without")
	}
}

// moduleRoot is the nearest folder above the test's that has a go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
