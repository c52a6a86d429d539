package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// published are the files below a folder.
func published(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPublishStatic(t *testing.T) {
	origin := &folder{dir: t.TempDir()}
	writeFile(t, filepath.Join(origin.dir, "one"), simpleFeed("one", 3))
	wd := workdir(t, `listen: 127.0.0.1:0
base_url: https://wire.example.org
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
publish: {static: {dir: site}}
topics: [{id: first, query: 'title:"one 1"'}]
`+feedConfig(serve(t, origin).URL, "one"))
	must(t, wd, "fetch", "--all")
	if out := must(t, wd, "publish", "--static", "alone"); !strings.Contains(out, "alone: 20 files, 20 written, 0 removed") {
		t.Errorf("publish printed %q", out)
	}
	alone := published(t, filepath.Join(wd, "alone"))
	if !strings.Contains(alone["topics/first/index.html"], "one 1") || !strings.Contains(alone["topics/first.atom"], "https://wire.example.org/topics/first.atom") ||
		!strings.Contains(alone["feeds/one.atom"], "https://wire.example.org/feeds/one.atom") {
		t.Errorf("the files:\n%s\n%s\n%s", alone["topics/first/index.html"], alone["topics/first.atom"], alone["feeds/one.atom"])
	}

	d := start(t, wd, "serve")
	must(t, wd, "publish")
	if diff := cmp.Diff(alone, published(t, filepath.Join(wd, "site"))); diff != "" {
		t.Errorf("beside the daemon other files are written:\n%s", diff)
	}
	if out := must(t, wd, "publish", "--json"); !strings.Contains(out, `"written": 0`) || !strings.Contains(out, `"removed": 0`) {
		t.Errorf("publishing the same again printed %s", out)
	}
	writeFile(t, filepath.Join(origin.dir, "one"), simpleFeed("one", 4))
	must(t, wd, "fetch", "--all")
	must(t, wd, "publish")
	after := published(t, filepath.Join(wd, "site"))
	if len(after) != len(alone)+1 || !strings.Contains(after["all/index.html"], "one 3") || after["topics/first.atom"] != alone["topics/first.atom"] {
		t.Errorf("%d files after a new story, want one more than %d", len(after), len(alone))
	}
	d.stop(t)

	if err := os.Mkdir(filepath.Join(wd, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(wd, "taken", "index.html"), "somebody else's")
	if r := topicwire(t, wd, "publish", "--static", "taken"); r.code != 1 || !strings.Contains(r.stderr, "was not made here; publish into a folder of its own") {
		t.Errorf("publishing over somebody else's file: exit code %d: %s", r.code, r.stderr)
	}
	if got := published(t, filepath.Join(wd, "taken"))["index.html"]; got != "somebody else's" {
		t.Errorf("the file holds %q", got)
	}
}
