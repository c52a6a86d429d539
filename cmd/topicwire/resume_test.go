package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
)

// TestResume has a feed that was stopped, one that has moved, and one whose redirect is not believed, in a store that was
// left by polls of days ago.
func TestResume(t *testing.T) {
	site := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, simpleFeed(r.URL.Path[1:], 2)) }))
	wd := workdir(t, "listen: 127.0.0.1:0\nfetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}\n"+
		feedConfig(site.URL, "gone", "moved", "refused"))
	must(t, wd, "fetch", "--all")
	store, err := storage.Open(t.Context(), "bolt://"+filepath.Join(wd, "topicwire.db"), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for id, change := range map[aggregator.FeedID]func(*aggregator.FeedState){
		"gone":    func(s *aggregator.FeedState) { s.Pace.Stopped, s.Due = "answered 410 twice", aggregator.Never },
		"moved":   func(s *aggregator.FeedState) { s.MovedTo = site.URL + "/new-place" },
		"refused": func(s *aggregator.FeedState) { s.Move.Refused = "moved permanently to nowhere good" },
	} {
		lease, err := store.ClaimFeed(t.Context(), id, time.Now(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		status, err := store.Leased(t.Context(), lease)
		if err != nil {
			t.Fatal(err)
		}
		change(&status.State)
		if err := store.Commit(t.Context(), aggregator.Poll{Feed: id, Token: lease.Token, State: status.State}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	table := must(t, wd, "feeds", "list")
	for _, want := range []string{"2 ok, 1 stopped", "answered 410 twice", "moved to " + site.URL + "/new-place", "moved permanently to nowhere good"} {
		if !strings.Contains(table, want) {
			t.Errorf("feeds list does not say %q:\n%s", want, table)
		}
	}
	if show := must(t, wd, "feeds", "show", "gone"); !strings.Contains(show, "'topicwire feeds resume gone'") {
		t.Errorf("feeds show does not say how to resume:\n%s", show)
	}
	must(t, wd, "fetch", "--all")
	if feed := listFeeds(t, wd)["gone"]; feed.State != "stopped" {
		t.Errorf("a pass over all feeds made the stopped one %q", feed.State)
	}
	start(t, wd, "serve")
	for _, id := range []string{"moved", "unknown"} {
		if r := topicwire(t, wd, "feeds", "resume", id); r.code != 2 {
			t.Errorf("resume %s: exit code %d, %s; want 2", id, r.code, r.stderr)
		}
	}
	must(t, wd, "feeds", "resume", "gone") // through the control socket
	must(t, wd, "fetch")
	if feed := listFeeds(t, wd)["gone"]; feed.State != "ok" {
		t.Errorf("after resume and a pass the feed is %q", feed.State)
	}
}
