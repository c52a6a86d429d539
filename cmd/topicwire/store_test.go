package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
)

// storedItems makes a folder with a config and a store of n items, all first seen when they were fetched.
func storedItems(t *testing.T, n int, more string) (dir string) {
	t.Helper()
	var doc strings.Builder
	doc.WriteString(`<rss version="2.0"><channel><title>T</title>`)
	for i := range n {
		fmt.Fprintf(&doc, `<item><guid>%d</guid><title>Cloud news %d</title><link>https://a.example/%d</link></item>`, i, i, i)
	}
	doc.WriteString(`</channel></rss>`)
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, doc.String()) }))
	dir = workdir(t, fmt.Sprintf(`
listen: 127.0.0.1:0
fetch: {allow_private: true}
feeds: [{id: a, url: %q}]
topics: [{id: cloud, query: cloud}]
%s`, origin.URL, more))
	must(t, dir, "fetch", "-q")
	return dir
}

// Every command of the store says the same with a daemon and without one.
func TestStoreCommands(t *testing.T) {
	for _, withDaemon := range []bool{false, true} {
		t.Run(fmt.Sprint("daemon=", withDaemon), func(t *testing.T) {
			dir := storedItems(t, 30, "retention: {items: 20}\nmaintenance: {prune: {schedule: \"\"}}\n")
			if withDaemon {
				d := start(t, dir, "serve")
				defer d.stop(t)
			}
			stats := func() (s aggregator.StoreStats) {
				t.Helper()
				if err := json.Unmarshal([]byte(must(t, dir, "store", "stats", "--json")), &s); err != nil {
					t.Fatal(err)
				}
				return s
			}
			if s := stats(); s.Items != 30 || s.Feeds["a"] != 30 || s.Topics["cloud"] != 30 || s.Bytes == 0 || len(s.Buckets) == 0 {
				t.Errorf("stats: %+v", s)
			}
			if out := must(t, dir, "store", "stats"); !strings.Contains(out, "30 items") || !strings.Contains(out, "cloud") {
				t.Errorf("stats:\n%s", out)
			}
			if out := must(t, dir, "store", "check"); !strings.Contains(out, "30 items checked, 0 problems") {
				t.Errorf("check:\n%s", out)
			}
			if out := must(t, dir, "store", "prune"); !strings.Contains(out, "removed 10 items") {
				t.Errorf("prune:\n%s", out)
			}
			if out := must(t, dir, "store", "compact", "--json"); !strings.Contains(out, `"after"`) {
				t.Errorf("compact:\n%s", out)
			}
			if s := stats(); s.Items != 20 || s.Pruned != 10 {
				t.Errorf("stats after pruning: %+v", s)
			}
			must(t, dir, "store", "backup", "copy.db")
			writeFile(t, filepath.Join(dir, "streamed.db"), must(t, dir, "store", "backup", "-"))
			for _, name := range []string{"copy.db", "streamed.db"} {
				report, err := storage.Verify(t.Context(), "bolt://"+filepath.Join(dir, name))
				if err != nil || report.Items != 20 {
					t.Errorf("%s: %+v, %v", name, report, err)
				}
			}
			if r := topicwire(t, dir, "store", "backup"); r.code != 2 || !strings.Contains(r.stderr, "name the file") {
				t.Errorf("backup without a file: exit code %d\n%s", r.code, r.stderr)
			}
			if r := topicwire(t, dir, "store", "backup", "no/such/folder/copy.db"); r.code != 1 {
				t.Errorf("backup into a folder that is not there: exit code %d\n%s", r.code, r.stderr)
			}
		})
	}
}

func TestStoreCheckOfADamagedFile(t *testing.T) {
	dir := storedItems(t, 3, "")
	path := filepath.Join(dir, "topicwire.db")
	// A text that is spoiled on the disk: what the last item says of itself.
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spoiled := strings.Replace(string(content), "https://a.example/", "https://b.example/", -1)
	if spoiled == string(content) {
		t.Fatal("no link is in the file as it is: the test spoils nothing")
	}
	writeFile(t, path, spoiled)
	r := topicwire(t, dir, "store", "check")
	if r.code != 1 || !strings.Contains(r.stdout, "cannot be read") || !strings.Contains(r.stderr, "--repair") {
		t.Fatalf("check: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := topicwire(t, dir, "store", "backup", "copy.db"); r.code != 1 || !strings.Contains(r.stderr, "not right") {
		t.Errorf("backup of a damaged store: exit code %d\n%s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "copy.db")); err == nil {
		t.Error("the copy that is not right is still there")
	}
	if out := must(t, dir, "store", "check", "--repair"); !strings.Contains(out, "repaired") {
		t.Errorf("repair:\n%s", out)
	}
	must(t, dir, "store", "check")
}

// The daemon prunes by itself, by the config's schedule.
func TestDaemonPrunesOnSchedule(t *testing.T) {
	dir := storedItems(t, 30, "retention: {items: 20}\nmaintenance: {prune: {schedule: \"@every 1s\"}}\n")
	d := start(t, dir, "serve")
	defer d.stop(t)
	for deadline := time.Now().Add(time.Minute); ; {
		var s aggregator.StoreStats
		if err := json.Unmarshal([]byte(must(t, dir, "store", "stats", "--json")), &s); err != nil {
			t.Fatal(err)
		}
		if s.Items == 20 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d items are still there\n%s", s.Items, d.log)
		}
	}
}
