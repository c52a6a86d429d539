package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKillDuringPass kills the program at random moments of a pass. Whatever it had done, the next pass must end with
// what an undisturbed one has.
func TestKillDuringPass(t *testing.T) {
	const feeds, items, kills = 40, 20, 50
	var (
		names []string
		// killer is asked at each request.
		killer atomic.Pointer[func()]
	)
	mux := http.NewServeMux()
	for i := range feeds {
		name := fmt.Sprintf("f%d", i)
		names = append(names, name)
		body := simpleFeed(name, items)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			if kill := killer.Load(); kill != nil {
				(*kill)()
			}
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, body)
		})
	}
	// Few workers make many commits, and so many places to be killed at.
	config := "fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}, workers: 2}\n" + feedConfig(serve(t, mux).URL, names...)
	undisturbed := workdir(t, config)
	must(t, undisturbed, "fetch", "--all")
	want := ids(exported(t, undisturbed))
	if len(want) != feeds*items || len(slices.Compact(slices.Clone(want))) != len(want) {
		t.Fatalf("an undisturbed pass stored %d items, want %d different ones", len(want), feeds*items)
	}

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	moments := rand.New(rand.NewPCG(seed, 0))
	disturbed := 0
	for range kills {
		wd := workdir(t, config)
		cmd := exec.Command(binary, "fetch", "--all")
		cmd.Dir = wd
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The moment is a little after some request: while others are fetched, parsed or committed.
		var asked atomic.Int32
		request, later := 1+moments.Int32N(feeds), time.Duration(moments.Int64N(int64(3*time.Millisecond)))
		kill := func() {
			if asked.Add(1) == request {
				time.AfterFunc(later, func() { _ = cmd.Process.Kill() })
			}
		}
		killer.Store(&kill)
		if cmd.Wait() != nil {
			disturbed++
		}
		killer.Store(nil)
		must(t, wd, "fetch", "--all")
		if diff := cmp.Diff(want, ids(exported(t, wd))); diff != "" {
			t.Fatalf("items after a kill and a pass (-undisturbed +got):\n%s", diff)
		}
	}
	t.Logf("%d of %d passes were killed before their end", disturbed, kills)
	if disturbed < kills/2 {
		t.Errorf("only %d of %d passes were killed before their end", disturbed, kills)
	}
}

// TestGarbage puts feeds that are none beside good ones.
func TestGarbage(t *testing.T) {
	noise := make([]byte, 100<<10)
	for i, source := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(source.Uint32())
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	var megabyte bytes.Buffer
	packer := gzip.NewWriter(&megabyte)
	_, _ = packer.Write(make([]byte, 1<<20))
	_ = packer.Close()

	mux := http.NewServeMux()
	garbage := map[string]struct {
		serve func(w http.ResponseWriter, r *http.Request)
		says  string
	}{
		"random": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(noise) }, "not a feed"},
		"page": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `<!doctype html><html><head><title>Hello</title><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body><p>Hi</body></html>`)
		}, "/feed.xml"},
		"empty": {func(http.ResponseWriter, *http.Request) {}, "empty"},
		"spaces": {func(w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				if _, err := w.Write(spaces); err != nil {
					return
				}
			}
		}, "fetch.max_body"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `<rss version="2.0"><channel><title>on and on</title>`)
			for {
				if _, err := fmt.Fprint(w, `<item><title>again</title></item>`); err != nil {
					return
				}
			}
		}, "fetch.max_body"},
		"bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			for range 2 << 10 {
				if _, err := w.Write(megabyte.Bytes()); err != nil {
					return
				}
			}
		}, "fetch.max_body"},
		"loop": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/loop", http.StatusFound)
		}, "redirect"},
	}
	var names []string
	for name, g := range garbage {
		names = append(names, name)
		mux.HandleFunc("/"+name, g.serve)
	}
	for i := range 5 {
		name := fmt.Sprintf("good%d", i)
		names = append(names, name)
		body := simpleFeed(name, 10)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	wd := workdir(t, "fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}, timeout: 20s}\n"+feedConfig(serve(t, mux).URL, names...))
	must(t, wd, "fetch", "--all")

	for id, feed := range listFeeds(t, wd) {
		g, bad := garbage[id]
		switch {
		case bad && (feed.State != "failed" || !strings.Contains(feed.LastPoll.Error, g.says)):
			t.Errorf("%s: state %q with %+v, want an error with %q", id, feed.State, feed.LastPoll, g.says)
		case !bad && (feed.State != "ok" || feed.Items != 10):
			t.Errorf("%s: state %q with %d items: %+v", id, feed.State, feed.Items, feed.LastPoll)
		}
	}
	if table := must(t, wd, "feeds", "list"); !strings.Contains(table, "7 failed") {
		t.Errorf("feeds list does not count the failed feeds:\n%s", table)
	}
}

// TestAttacks serves documents of a few megabytes that would take a parser gigabytes, minutes or its stack, beside good
// feeds. Each costs its own poll and nothing else.
func TestAttacks(t *testing.T) {
	const rss = `<rss version="2.0"><channel><title>x</title><item><title>i</title>%s</item></channel></rss>`
	nested := func(n int, tag, attributes string) string {
		return fmt.Sprintf(rss, strings.Repeat("<"+tag+attributes+">", n)+strings.Repeat("</"+tag+">", n))
	}
	var spaces strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&spaces, ` xmlns:n%d="urn:n%d"`, i, i)
	}
	attacks := map[string]string{
		"deep":          nested(1_400_000, "e:a", ""),
		"bases":         nested(20_000, "e:a", ` xml:base="aaaaaaaa/"`),
		"namespaces":    fmt.Sprintf(rss, "<e:l"+spaces.String()+">"+strings.Repeat("<e:a>", 5000)+strings.Repeat("</e:a>", 5000)+"</e:l>"),
		"channel-xmlns": strings.Replace(fmt.Sprintf(rss, strings.Repeat("</item><item><title>i</title>", 5000)), "<channel>", "<channel"+spaces.String()+">", 1),
		"cdata-runs":    fmt.Sprintf(rss, "<e:a>"+strings.Repeat("<![CDATA[a]]>", 400_000)+"</e:a>"),
		"laughs": `<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;">]>` +
			fmt.Sprintf(rss, "<description>"+strings.Repeat("&g;", 1000)+"</description>"),
		"control-bytes": strings.Repeat("\x01", 16<<20-1),
		"one-title":     `<rss version="2.0"><channel><title>` + strings.Repeat("a", 15<<20) + `</title><item><title>i</title></item></channel></rss>`,
		"items":         fmt.Sprintf(rss, strings.Repeat("</item><item><title>i</title>", 500_000)),
		"json-depth":    `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"1","_x":` + strings.Repeat("[", 5<<20) + strings.Repeat("]", 5<<20) + `}]}`,
	}
	mux := http.NewServeMux()
	var names []string
	for name, body := range attacks {
		names = append(names, name)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	for i := range 100 {
		name := fmt.Sprintf("good%d", i)
		names = append(names, name)
		body := simpleFeed(name, 10)
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	wd := workdir(t, "fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}, timeout: 30s, workers: 4}\n"+feedConfig(serve(t, mux).URL, names...))
	cmd := exec.Command(binary, "fetch", "--all")
	cmd.Dir = wd
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("fetch: %v\n%s", err, out)
	}
	// Four bodies of up to 16 MiB may be in hand at once, each with less than 100 MB of work on it.
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	t.Logf("peak memory %d MB", peak)
	if peak > 4*(100+3*16)+100 {
		t.Errorf("peak memory %d MB", peak)
	}
	for id, feed := range listFeeds(t, wd) {
		_, attack := attacks[id]
		if attack {
			t.Logf("%-14s %s in %.2f s: %s %v", id, feed.LastPoll.Outcome, feed.LastPoll.Seconds, feed.LastPoll.Error, feed.LastPoll.Repairs)
		}
		switch {
		case attack && id != "laughs" && feed.State != "failed":
			t.Errorf("%s: state %q, want a failed poll", id, feed.State)
		case id == "laughs" && feed.State != "ok":
			t.Errorf("%s: state %q; entities that are not expanded harm nobody", id, feed.State)
		case !attack && (feed.State != "ok" || feed.Items != 10):
			t.Errorf("%s: state %q with %d items: %+v", id, feed.State, feed.Items, feed.LastPoll)
		}
	}
}
