package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
)

// testStation is a station with the given config and a clock that the test sets.
func testStation(t *testing.T, config string, now *time.Time, log io.Writer) *station {
	t.Helper()
	p := &program{stdout: io.Discard, stderr: io.Discard, now: func() time.Time { return *now }}
	cfg, err := p.parseConfig(filepath.Join(t.TempDir(), "config.yaml"), []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.openStation(t.Context(), cfg, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	if err := s.apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBackupKeepsTheLatestCopies(t *testing.T) {
	now := time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC)
	s := testStation(t, "feeds: [{id: a, url: \"https://a.example/feed\"}]\nmaintenance: {backup: {keep: 2}}\n", &now, io.Discard)
	dir := s.config.Maintenance.Backup.Dir
	for range 3 {
		if err := s.backup(t.Context(), "wire.db"); err != nil {
			t.Fatal(err)
		}
		now = now.AddDate(0, 0, 1)
		if err := os.WriteFile(filepath.Join(dir, "wire.db.mine"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	// What the program did not make it does not remove.
	want := []string{"wire.db.20260102T040000Z", "wire.db.20260103T040000Z", "wire.db.mine"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatalf("backups (-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(dir, want[0]))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("a copy has the mode %v (%v), want it closed to others: it has the feeds' passwords", info.Mode(), err)
	}

	restored := testStation(t, "store: bolt://"+filepath.Join(dir, want[1])+"\nfeeds: []\n", &now, io.Discard)
	reports, err := restored.Feeds(t.Context())
	if err != nil || len(reports) != 1 || reports[0].ID != "a" || reports[0].State != "removed" {
		t.Errorf("the restored store lists %+v (%v), want the feed that was backed up", reports, err)
	}
}

func TestStaleFeedsAreReported(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := testStation(t, `feeds:
  - {id: alive, url: "https://alive.example/feed"}
  - {id: failing, url: "https://failing.example/feed"}
  - {id: silent, url: "https://silent.example/feed"}
  - {id: unpolled, url: "https://unpolled.example/feed"}
maintenance: {stale_feeds: {after: 7d}}
`, &now, &log)
	long := now.AddDate(0, 0, -8)
	states := map[aggregator.FeedID]aggregator.FeedState{
		"alive":   {LastPoll: aggregator.PollRecord{At: now, Outcome: aggregator.OutcomeNotModified}, LastSuccess: now, LastNew: now},
		"failing": {LastPoll: aggregator.PollRecord{At: now, Outcome: aggregator.OutcomeFailed, Error: "x"}, LastSuccess: long, LastNew: long},
		"silent":  {LastPoll: aggregator.PollRecord{At: now, Outcome: aggregator.OutcomeNotModified}, LastSuccess: now, LastNew: long},
	}
	leases, err := s.store.Claim(t.Context(), now, time.Minute, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, lease := range leases {
		if state, ok := states[lease.Feed]; ok {
			state.Due = now.Add(time.Hour)
			if err := s.store.Commit(t.Context(), aggregator.Poll{Feed: lease.Feed, Token: lease.Token, State: state}); err != nil {
				t.Fatal(err)
			}
		}
	}
	log.Reset()
	if err := s.reportStaleFeeds(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"feeds=[failing]", "feeds=[silent]"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), "alive") || strings.Contains(log.String(), "unpolled") {
		t.Errorf("the log names feeds that are not stale:\n%s", log.String())
	}
}

func TestTheSiteIsWrittenOnSchedule(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := testStation(t, "feeds: []\ntopics: [{id: cloud, query: cloud}]\npublish: {static: {schedule: \"@daily\", dir: site}}\n", &now, &log)
	jobs, err := s.maintenance("topicwire.db")
	if err != nil || jobs == nil {
		t.Fatal(err)
	}
	if err := s.publishStatic(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.config.Publish.Static.Dir, "topics", "cloud", "index.html")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "the site is written as files") || !strings.Contains(log.String(), "removed=0") {
		t.Errorf("log: %s", log.String())
	}
}
