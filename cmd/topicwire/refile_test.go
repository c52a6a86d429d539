package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// halfRefiled is a station whose items are being filed under changed topics, and its folder.
func halfRefiled(t *testing.T, p *program, items int) (s *station, dir string) {
	t.Helper()
	// A socket's path has to be short.
	dir, err := os.MkdirTemp("", "tw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p.configFile = filepath.Join(dir, "config.yaml")
	text := "feeds: [{id: a, url: \"https://a.example/\"}]\ntopics: [{id: cloud, query: cloud}]\n"
	if err := os.WriteFile(p.configFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := p.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	s, err = p.openStation(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	if err := s.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	leases, err := s.store.Claim(t.Context(), p.now(), time.Hour, 1)
	if err != nil || len(leases) != 1 {
		t.Fatalf("claim: %d, %v", len(leases), err)
	}
	poll := aggregator.Poll{Feed: "a", Token: leases[0].Token, State: aggregator.FeedState{Due: leases[0].Due}}
	for i := range items {
		poll.Items = append(poll.Items, aggregator.Item{
			ID: aggregator.NewItemID("a", "n", fmt.Sprint(i)), Feed: "a", Story: aggregator.NewStoryID("n", fmt.Sprint(i)),
			Title: fmt.Sprint("Cloud ", i), Topics: []aggregator.TopicID{"former"},
		})
	}
	if err := s.store.Commit(t.Context(), poll); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	forced, err := s.forcedTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.store.Refile(ctx, rules(s.topics.Rules(), forced), func(aggregator.Item) []aggregator.TopicID {
		if asked++; asked == items/2 {
			cancel()
		}
		return []aggregator.TopicID{"cloud"}
	})
	if err == nil {
		t.Fatal("the refiling was not stopped")
	}
	return s, dir
}

func TestTopicsListSaysThatItemsAreBeingRefiled(t *testing.T) {
	var out, said bytes.Buffer
	p := &program{stdout: &out, stderr: &said, now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }, logLevel: "info", logFormat: "text"}
	s, dir := halfRefiled(t, p, 2000)
	listener, err := listenControl(socketPath(filepath.Join(dir, "topicwire.db")))
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	close(ready)
	server := &http.Server{Handler: controlHandler(s, ready, s.log)}
	go server.Serve(listener)
	defer server.Close()
	list := func() (table, notes, asJSON string) {
		t.Helper()
		for _, args := range [][]string{nil, {"--json"}} {
			out.Reset()
			said.Reset()
			cmd := p.topicsListCommand()
			cmd.SetArgs(args)
			cmd.SetOut(io.Discard)
			if err := cmd.ExecuteContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			if args == nil {
				table, notes = out.String(), said.String()
			}
		}
		return table, notes, out.String()
	}
	table, notes, asJSON := list()
	if !strings.Contains(table, "cloud") || !strings.Contains(notes, "filed anew") || !strings.Contains(asJSON, `"end": 2000`) {
		t.Errorf("while items are filed anew:\n%s%s%s", table, notes, asJSON)
	}
	// What earlier queries filed is still there, and what was filed anew is already.
	for topic, want := range map[aggregator.TopicID]bool{"former": true, "cloud": true} {
		v, err := s.store.Version(t.Context(), topic)
		if err != nil || (v.Seq > 0) != want {
			t.Errorf("version of %s: %v, %v", topic, v, err)
		}
	}
	// An export that began now would miss what is not filed yet: it waits.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.filed = make(chan struct{})
	if _, err := s.Export(ended, exportRequest{Topic: "cloud", Format: "jsonl"}, io.Discard); err == nil {
		t.Error("an export did not wait for the refiling")
	}
	s.keepRefiling(t.Context())
	if rows, err := s.Export(t.Context(), exportRequest{Topic: "cloud", Format: "jsonl"}, io.Discard); err != nil || rows != 2000 {
		t.Errorf("export after the refiling: %d rows, %v", rows, err)
	}
	_, notes, asJSON = list()
	if strings.Contains(notes, "filed anew") || !strings.Contains(asJSON, `"refiling": null`) {
		t.Errorf("when all items are filed:\n%s%s", notes, asJSON)
	}
	stats, err := s.Stats(t.Context())
	if err != nil || stats.Topics["cloud"] != 2000 || stats.Topics["former"] != 0 {
		t.Errorf("items of topics: %v, %v", stats.Topics, err)
	}
}
