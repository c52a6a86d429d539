package publish_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
)

// styleVersion is in every page, and changes with the style sheet.
var styleVersion = regexp.MustCompile(`style\.css\?v=[0-9a-f]{12}`)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGolden(t *testing.T) {
	for name, tc := range map[string]struct {
		src  *memory
		path string
	}{
		"topic.atom":       {sample(), "/topics/cloud.atom"},
		"topic.rss":        {sample(), "/topics/cloud.rss"},
		"topic.json":       {sample(), "/topics/cloud.json"},
		"topic.html":       {sample(), "/topics/cloud"},
		"all-limit-1.atom": {sample(), "/all.atom?limit=1"},
		"all.rss":          {sample(), "/all.rss"},
		"index.html":       {sample(), "/"},
		"topics.opml":      {sample(), "/opml"},
		"missing.html":     {sample(), "/topics/none"},
		"empty.atom":       {&memory{}, "/topics/quiet.atom"},
		"empty.rss":        {&memory{}, "/topics/quiet.rss"},
		"empty.json":       {&memory{}, "/topics/quiet.json"},
		"empty.html":       {&memory{}, "/topics/quiet"},
		"empty-index.html": {&memory{}, "/"},
		"story.html":       {sample(), "/stories/" + storyOf("https://courier.example/cloud-office")},
		"search.html":      {sample(), "/all?q=karachi"},
		"mistake.html":     {sample(), "/topics/cloud?q=cloud+(aws"},
		"older.html":       {sample(), "/topics/cloud?until=2026-11-21"},
		"status.html":      {sample(), "/status"},
	} {
		t.Run(name, func(t *testing.T) {
			got := get(t, handler(t, tc.src, at(noon.Add(time.Hour)), searchable), tc.path).Body.Bytes()
			got = styleVersion.ReplaceAll(got, []byte("style.css?v=0123456789ab"))
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s differs from testdata/%s (-want +got); run with -update if that is meant:\n%s", tc.path, name, diff)
			}
		})
	}
}

func TestTheBytesDependOnTheStoreAlone(t *testing.T) {
	for _, path := range []string{"/", "/topics/cloud", "/topics/cloud.atom", "/topics/cloud.rss", "/topics/cloud.json", "/opml"} {
		one, other := get(t, handler(t, sample()), path), get(t, handler(t, sample()), path)
		if one.Code != http.StatusOK || one.Header().Get("ETag") == "" || one.Header().Get("ETag") != other.Header().Get("ETag") {
			t.Errorf("%s: two servers of the same store answer %d with ETag %q and %q", path, one.Code,
				one.Header().Get("ETag"), other.Header().Get("ETag"))
		}
	}
}

func TestIDsDoNotDependOnTheAddress(t *testing.T) {
	src := &memory{stories: []aggregator.Story{story(item("a", "x", 1, "cloud"))}}
	here := idsOf(t, get(t, handler(t, src), "/topics/cloud.atom").Body.Bytes())
	moved := idsOf(t, get(t, handler(t, src, baseURL("http://127.0.0.1:8080/wire/")), "/topics/cloud.atom").Body.Bytes())
	if diff := cmp.Diff(here, moved); diff != "" || len(here) != 3 {
		t.Errorf("ids of feed, entry and source at another address (-want +got):\n%s%q", diff, here)
	}
}
