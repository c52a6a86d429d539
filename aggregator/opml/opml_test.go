package opml_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/opml"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
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
		t.Errorf("%s differs (-want +got); -update rewrites it:\n%s", path, diff)
	}
}

// TestRead reads the files of testdata. Each says in a comment what is odd about it.
func TestRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*.opml")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the test files: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".opml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			list, err := opml.Read(text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(list, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".opml")+".golden.json", append(got, '\n'))
		})
	}
}

func TestReadRefusesWhatIsNoList(t *testing.T) {
	for _, text := range []string{"", "no markup", "<rss><channel><title>x</title></channel></rss>", "<html><body><p>x", "{}", "<"} {
		if list, err := opml.Read([]byte(text)); !errors.Is(err, opml.ErrNotOPML) {
			t.Errorf("Read(%q) = %+v, %v", text, list, err)
		}
	}
}

func TestDeepAndLongAreBounded(t *testing.T) {
	deep := "<opml><body>" + strings.Repeat(`<outline text="x">`, 5000) + `<outline xmlUrl="https://a.example/"/>` +
		strings.Repeat("</outline>", 5000) + `<outline xmlUrl="https://b.example/"/>` +
		`<outline text="` + strings.Repeat("é", 5000) + `" xmlUrl="https://c.example/"/>` +
		`<outline text="long" xmlUrl="https://d.example/` + strings.Repeat("x", 20_000) + `"/>`
	list, err := opml.Read([]byte(deep))
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Feeds) != 3 || len(list.Feeds[0].Folders) != 64 || len(list.Feeds[1].Folders) != 0 || len(list.Feeds[2].Title) != 1000 {
		t.Errorf("%d feeds, want three: one in 64 folders, one in none, one with a title of 1000 bytes", len(list.Feeds))
	}
	if len(list.Skipped) != 1 || !strings.Contains(list.Skipped[0].What, "20018 bytes") {
		t.Errorf("skipped %+v", list.Skipped)
	}
}

var feeds = []opml.Feed{
	{Title: "One & <two>", URL: "https://a.example/?x=1&y=2", Page: "https://a.example/", Folders: []string{"news"}, Categories: []string{"news", "fr"}},
	{URL: "https://b.example/"},
	{Title: "Three", URL: "https://c.example/", Folders: []string{"news", "old"}, Categories: []string{"news"}},
	{Title: "پاکستان", URL: "https://d.example/", Folders: []string{"law"}},
	{Title: "Five", URL: "https://e.example/", Folders: []string{"news"}},
}

func TestWrite(t *testing.T) {
	var out bytes.Buffer
	if err := opml.Write(&out, "The feeds", time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), feeds); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/written.golden.xml", out.Bytes())
	list, err := opml.Read(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	back := make(map[string]opml.Feed)
	for _, f := range list.Feeds {
		f.Line = 0
		back[f.URL] = f
	}
	for _, f := range feeds {
		if f.Title == "" {
			f.Title = f.URL
		}
		if diff := cmp.Diff(f, back[f.URL]); diff != "" {
			t.Errorf("what was written is not read back (-want +got):\n%s", diff)
		}
	}
	if len(back) != len(feeds) || len(list.Skipped) > 0 || list.Title != "The feeds" {
		t.Errorf("read back %+v", list)
	}
}

// FuzzRead holds that any bytes are read to an end, and that what was read can be written and read again.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.opml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := opml.Read(text)
		if err != nil {
			if !errors.Is(err, opml.ErrNotOPML) {
				t.Fatalf("error %v, want ErrNotOPML", err)
			}
			return
		}
		lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + 1
		for _, s := range list.Skipped {
			if s.Line < 1 || s.Line > lines || s.What == "" {
				t.Errorf("skipped %+v of %d lines", s, lines)
			}
		}
		for _, f := range list.Feeds {
			if f.URL == "" || f.Line < 1 || f.Line > lines {
				t.Errorf("feed %+v of %d lines", f, lines)
			}
		}
		var out bytes.Buffer
		if err := opml.Write(&out, list.Title, time.Time{}, list.Feeds); err != nil {
			t.Fatal(err)
		}
		again, err := opml.Read(out.Bytes())
		if err != nil || len(again.Feeds) != len(list.Feeds) || len(again.Skipped) > 0 {
			t.Errorf("%d feeds were written, read again: %+v, %v", len(list.Feeds), again, err)
		}
	})
}
