package main_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// archived is what a reader of RFC 5005 needs of an Atom feed.
type archived struct {
	Links []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Entries []struct {
		ID string `xml:"id"`
	} `xml:"entry"`
	Archive *struct{} `xml:"http://purl.org/syndication/history/1.0 archive"`
}

// walkArchive follows a feed of the daemon to its beginning. It gives the pages' bytes by their paths, and the ids of all
// entries that it met, with how often they are in pages.
func walkArchive(t *testing.T, d *daemon, path string) (pages map[string]string, met map[string]int) {
	t.Helper()
	pages, met = map[string]string{}, map[string]int{}
	body := get(t, d.url+path)
	for {
		var doc archived
		if err := xml.Unmarshal([]byte(body), &doc); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		inPage := 0
		if doc.Archive != nil {
			pages[path], inPage = body, 1
		}
		for _, e := range doc.Entries {
			met[e.ID] += inPage
		}
		previous := ""
		for _, l := range doc.Links {
			if l.Rel == "prev-archive" {
				previous = l.Href
			}
		}
		if previous == "" {
			return pages, met
		}
		path = strings.TrimPrefix(previous, "https://wire.example.org")
		body = get(t, d.url+path)
	}
}

// The whole history of a feed is found by its links, through kills and restarts; a topic that is described otherwise
// begins anew, and only that one.
func TestArchive(t *testing.T) {
	const feeds, items = 8, 60
	var stalls atomic.Bool
	stalled := make(chan struct{}, feeds)
	mux := http.NewServeMux()
	var names []string
	for i := range feeds {
		name := fmt.Sprint("f", i)
		names = append(names, name)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			if stalls.Load() && i >= feeds/2 {
				stalled <- struct{}{}
				<-r.Context().Done()
			}
			_, _ = io.WriteString(w, simpleFeed(name, items))
		})
	}
	config := "listen: 127.0.0.1:0\nbase_url: https://wire.example.org\n" +
		"fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}, workers: 1}\n" +
		"topics: [{id: even, query: '%s'}, {id: odd, query: 'text AND (f1 OR f3 OR f5)'}]\n" + feedConfig(serve(t, mux).URL, names...)
	wd := workdir(t, fmt.Sprintf(config, "text AND (f0 OR f2 OR f4)"))
	cmd := exec.Command(binary, "fetch", "--all")
	cmd.Dir = wd
	stalls.Store(true)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stalled:
	case <-time.After(time.Minute):
		t.Error("the pass does not come to the feeds that stall")
	}
	_ = cmd.Process.Kill()
	if cmd.Wait() == nil {
		t.Error("the pass was not killed")
	}
	stalls.Store(false)
	must(t, wd, "fetch", "--all")

	d := start(t, wd, "serve")
	complete := func(path string, stories int) map[string]string {
		t.Helper()
		pages, met := walkArchive(t, d, path)
		if len(met) != stories || len(pages) != stories/100 {
			t.Errorf("%s: %d stories, %d pages, want %d and %d", path, len(met), len(pages), stories, stories/100)
		}
		for id, n := range met {
			if n > 1 {
				t.Errorf("%s: %s is in %d pages", path, id, n)
			}
		}
		return pages
	}
	all, even, odd := complete("/all.atom", feeds*items), complete("/topics/even.atom", 3*items), complete("/topics/odd.atom", 3*items)
	_ = d.cmd.Process.Kill()
	<-d.ended
	d = start(t, wd, "serve")
	same := func(pages map[string]string) {
		t.Helper()
		for path, body := range pages {
			if now := get(t, d.url+path); now != body {
				t.Errorf("%s is another than before", path)
			}
		}
	}
	same(all)
	same(even)
	d.stop(t)

	writeFile(t, filepath.Join(wd, "config.yaml"), fmt.Sprintf(config, "text AND (f0 OR f2 OR f4 OR f6)"))
	must(t, wd, "fetch")
	d = start(t, wd, "serve")
	defer d.stop(t)
	same(all)
	same(odd)
	anew := complete("/topics/even.atom", 4*items)
	for path := range even {
		resp, err := http.Get(d.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if _, there := anew[path]; there || resp.StatusCode != http.StatusGone {
			t.Errorf("%s answers %d, and is a page of the new generation: %t", path, resp.StatusCode, there)
		}
	}
	must(t, wd, "publish", "--static", "site")
	for path, body := range anew {
		written, err := os.ReadFile(filepath.Join(wd, "site", filepath.FromSlash(path)))
		if err != nil || string(written) != body {
			t.Errorf("%s is written to a file otherwise than it is served: %v", path, err)
		}
	}
}
