package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

// longFile lists so many feeds that they are read in pieces, between a head and a tail. Of each thousand one is laid out in
// another way than the rest.
func longFile(feeds int, head, indent, tail string) string {
	var b strings.Builder
	b.WriteString(head + "feeds: # many\n")
	for i := range feeds {
		switch i % 1000 {
		case 7:
			fmt.Fprintf(&b, "%[1]s# a comment\n\n%[1]s- url: \"https://h%[2]d.example/{x}\"\n%[1]s  id: f%[2]d # its id\n%[1]s  title: >-\n%[1]s    A title\n\n%[1]s    - of lines\n#\n%[1]s  topics: [t]\n", indent, i)
		case 8:
			fmt.Fprintf(&b, "%[1]s-\n%[1]s  {id: f%[2]d, url: https://h%[2]d.example/feed,\n%[1]s   tags: [a,\n%[1]s   b]}\n", indent, i)
		default:
			fmt.Fprintf(&b, "%s- {id: f%d, url: \"https://h%[2]d.example/feeds/and/some/more.xml\"}\n", indent, i)
		}
	}
	return b.String() + tail
}

func TestALongListOfFeedsIsReadInPieces(t *testing.T) {
	const feeds = 2000
	for name, tc := range map[string]struct{ head, indent, tail string }{
		"between others": {"listen: 127.0.0.1:1\n", "  ", "topics: [{id: t, query: x}]\nretention: {age: 1d}\n"},
		"at the margin":  {"", "", "topics: [{id: t, query: x}]\n"},
		"at the end":     {"# first\ntopics:\n  - {id: t, query: x}\n\n", "    ", "\n# the end\n"},
		"with anchors":   {"x-t: &t [{id: t, query: x}]\n", "  ", "topics: *t\n"},
	} {
		t.Run(name, func(t *testing.T) {
			text := longFile(feeds, tc.head, tc.indent, tc.tail)
			got, err := config.Parse(file, []byte(text), options())
			if err != nil {
				t.Fatal(err)
			}
			if !config.ReadInPieces([]byte(text)) {
				t.Fatal("the list was read whole: the test shows nothing")
			}
			want, err := config.ParseWhole(file, []byte(text), options())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got.Feeds) != feeds {
				t.Errorf("read in pieces it says something else (-whole +pieces):\n%.2000s", diff)
			}
			if f := got.Feeds[1007]; f.Title != "A title\n- of lines" && f.Title != "A title - of lines" || f.URL != "https://h1007.example/{x}" || len(f.Topics) != 1 {
				t.Errorf("feed 1007 is %+v", f)
			}
		})
	}
}

// TestProblemsInALongListAreWhereTheyAre has one mistake of each kind in each of two long files: the same problems in the same
// places are found whether the file can be read in pieces or not.
func TestProblemsInALongListAreWhereTheyAre(t *testing.T) {
	text := longFile(2000, "", "  ", "topics: [{id: t, query: FAULT}]\n")
	for what, wrong := range map[string]string{
		"f1400, url:": "f1399, url:", "f1500, url: \"https://h1500": "f1500, utl: \"https://h1500", "{id: f1600, ": "{id: f1600, topics: [none], ",
	} {
		if !strings.Contains(text, what) {
			t.Fatalf("no %q in the file", what)
		}
		text = strings.Replace(text, what, wrong, 1)
	}
	var pieces, whole config.Problems
	_, err := config.Parse(file, []byte(text), options())
	if !errors.As(err, &pieces) || len(pieces) != 5 || !config.ReadInPieces([]byte(text)) {
		t.Fatalf("%d problems: %v", len(pieces), err)
	}
	if _, err := config.ParseWhole(file, []byte(text), options()); !errors.As(err, &whole) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, pieces); diff != "" {
		t.Errorf("problems differ (-whole +pieces):\n%s", diff)
	}
}

// TestAnUnusualLongListIsReadWhole has what pieces cannot have: the answer is that of the whole file all the same.
func TestAnUnusualLongListIsReadWhole(t *testing.T) {
	head, tail := "x-f: &f {schedule: '@daily'}\n", "topics: [{id: t, query: x}]\n"
	text := longFile(2000, head, "  ", tail)
	for name, c := range map[string]struct{ change, with, problem string }{
		"an alias":              {"{id: f1400, ", "{<<: *f, id: f1400, ", ""},
		"an anchor":             {"{id: f1400, url: ", "{id: f1400, url: &u ", ""},
		"a quote without end":   {"https://h1400.example/feeds/and/some/more.xml\"", "https://h1400.example/feeds", "quote"},
		"an entry further left": {"  - {id: f1400, ", " - {id: f1400, ", "a colon and a space"},
		"a second document":     {tail, "---\n" + tail, "second YAML document"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(text, c.change, c.with, 1)
			got, err := config.Parse(file, []byte(changed), options())
			want, wantErr := config.ParseWhole(file, []byte(changed), options())
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || c.problem == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.problem) {
				t.Fatalf("error %v, read whole %v; want one with %q", err, wantErr, c.problem)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("it differs from the whole file (-whole +got):\n%.2000s", diff)
			}
			if i := 1400; name == "an alias" && got.Feeds[i].Schedule != "@daily" {
				t.Errorf("feed %d is %+v", i, got.Feeds[i])
			}
		})
	}
	if _, err := config.AddFeeds(file, []byte(text), []aggregator.Feed{{ID: "new", URL: "https://new.example/"}}, options()); err != nil {
		t.Errorf("add to a long list: %v", err)
	}
}
