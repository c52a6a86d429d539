package folder_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/publish/folder"
)

// run publishes the files into the folder.
func run(t *testing.T, dir string, files map[string]string) folder.Report {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := f.Put(name, []byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	report, err := f.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tree is what is in the folder but the list; folders end in a slash.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			found[name+"/"] = ""
		case name != folder.ListName:
			body, err := os.ReadFile(path)
			found[name] = string(body)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(found, "./")
	return found
}

func TestOnlyWhatChangedIsWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "site")
	first := map[string]string{"index.html": "1", "a/index.html": "a", "a/b/index.html": "b", "c/d.atom": "d"}
	if got, want := run(t, dir, first), (folder.Report{Files: 4, Written: 4, Bytes: 4}); got != want {
		t.Errorf("first run: %+v, want %+v", got, want)
	}
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for name := range first {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	mine := filepath.Join(dir, "a", "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := map[string]string{"index.html": "22", "a/index.html": "a", "e.rss": "e"}
	if got, want := run(t, dir, second), (folder.Report{Files: 3, Written: 2, Removed: 2, Bytes: 4}); got != want {
		t.Errorf("second run: %+v, want %+v", got, want)
	}
	want := map[string]string{"index.html": "22", "a/": "", "a/index.html": "a", "a/mine.txt": "mine", "e.rss": "e"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(dir, "a/index.html"))
	if err != nil || !info.ModTime().Equal(old) {
		t.Errorf("a file that did not change was written: %v, %v", info.ModTime(), err)
	}
}

func TestWhatIsSomebodyElsesStays(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"index.html": "theirs", "same.html": "same"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Put("same.html", []byte("same")); err != nil {
		t.Errorf("a file with the same bytes: %v", err)
	}
	if err := f.Put("index.html", []byte("ours")); err == nil || !strings.Contains(err.Error(), "not made here") {
		t.Errorf("a file of somebody else: %v", err)
	}
	for _, name := range []string{"", "../x", "/x", "a/../../x", "a//b", "./a", "a/", folder.ListName, "a\nb", `a\b`} {
		if err := f.Put(name, nil); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
	if err := f.Abandon(); err != nil {
		t.Error(err)
	}
	if got := tree(t, dir)["index.html"]; got != "theirs" {
		t.Errorf("the file holds %q", got)
	}
}

// A list that somebody has changed leads out of the folder nowhere.
func TestTheListIsNotBelieved(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	dir := filepath.Join(filepath.Dir(outside), "site")
	run(t, dir, map[string]string{"a": "1"})
	for path, body := range map[string]string{outside: "x", filepath.Join(dir, folder.ListName): "a\n../outside\n" + outside + "\nb"} {
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("cut short"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, map[string]string{"c": "3"})
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file outside is gone: %v", err)
	}
	if diff := cmp.Diff(map[string]string{"b": "cut short", "c": "3"}, tree(t, dir)); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
}

func TestARunThatWasStoppedIsFinishedByTheNext(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, map[string]string{"old": "1", "stays": "2"})
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Put("half", []byte("3")); err != nil {
		t.Fatal(err)
	}
	if err := f.Abandon(); err != nil {
		t.Fatal(err)
	}
	// What a crash leaves while a file is written.
	if err := os.WriteFile(filepath.Join(dir, "half.topicwire-part"), []byte("hal"), 0o644); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"old": "1", "stays": "2", "half": "3", "half.topicwire-part": "hal"}, tree(t, dir)); diff != "" {
		t.Errorf("a failed run removed or added (-want +got):\n%s", diff)
	}
	run(t, dir, map[string]string{"stays": "2"})
	if diff := cmp.Diff(map[string]string{"stays": "2"}, tree(t, dir)); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
}
