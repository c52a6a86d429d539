package config_test

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

var added = []aggregator.Feed{
	{ID: "new", URL: "https://new.example/feed?a=1&b=${x}", Title: `A "new" one: yes # really`, Schedule: "@daily", Tags: []string{"news", "südasien"}},
	{ID: "123", URL: "https://123.example/", AllowPrivate: true},
}

const (
	firstLine  = `- {id: new, url: "https://new.example/feed?a=1&b=$${x}", title: "A \"new\" one: yes # really", schedule: "@daily", tags: [news, "südasien"]}`
	secondLine = `- {id: "123", url: "https://123.example/", allow_private: true}`
)

func TestFeedsAreAddedInPlace(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"an empty file":     {"", "feeds:\n  FIRST\n  SECOND\n"},
		"no feeds":          {"# mine\nlisten: :8080", "# mine\nlisten: :8080\n\nfeeds:\n  FIRST\n  SECOND\n"},
		"one key":           {"feeds:\n", "feeds:\n  FIRST\n  SECOND\n"},
		"an empty key":      {"feeds: # none yet\n\ntopics: []\n", "feeds: # none yet\n  FIRST\n  SECOND\n\ntopics: []\n"},
		"null":              {"feeds: null\ntopics: ~\n", "feeds:\n  FIRST\n  SECOND\ntopics: ~\n"},
		"a tilde":           {"feeds: ~ # none\n", "feeds:  # none\n  FIRST\n  SECOND\n"},
		"an empty list":     {"feeds: []\n", "feeds:\n  FIRST\n  SECOND\n"},
		"an empty, said so": {"feeds: [ ] # none\nlisten: :1\n", "feeds:  # none\n  FIRST\n  SECOND\nlisten: :1\n"},
		"a list": {"feeds:\n  - url: https://a.example/ # first\n    # inside\n\n# the topics\ntopics: []\n",
			"feeds:\n  - url: https://a.example/ # first\n    # inside\n  FIRST\n  SECOND\n\n# the topics\ntopics: []\n"},
		"no indentation":       {"feeds:\n- url: https://a.example/\nlisten: :1\n", "feeds:\n- url: https://a.example/\nFIRST\nSECOND\nlisten: :1\n"},
		"an unended line":      {"feeds:\n    - url: https://a.example/", "feeds:\n    - url: https://a.example/\n    FIRST\n    SECOND\n"},
		"several lines of one": {"feeds:\n - title: >-\n    long\n\n    # text\n   url: https://a.example/\n", "feeds:\n - title: >-\n    long\n\n    # text\n   url: https://a.example/\n FIRST\n SECOND\n"},
		"brackets":             {"feeds: [{url: https://a.example/}]\n", "feeds: [{url: https://a.example/},\n  FLOW1,\n  FLOW2]\n"},
		"brackets over lines":  {"feeds: [\n  {url: https://a.example/},\n]\n", "feeds: [\n  {url: https://a.example/},FLOW1,\n  FLOW2]\n"},
		"with push for all":    {"base_url: https://w.example\nwebsub: {subscribe: true}\nfeeds: [{url: https://a.example/}]\n", "base_url: https://w.example\nwebsub: {subscribe: true}\nfeeds: [{url: https://a.example/},\n  FLOW1,\n  FLOW2]\n"},
		"an anchor":            {"feeds: &all\n  - url: https://a.example/\n", "feeds: &all\n  - url: https://a.example/\n  FIRST\n  SECOND\n"},
		"Windows":              {"\ufefffeeds:\r\n  - url: https://a.example/\r\nlisten: :1\r\n", "\ufefffeeds:\r\n  - url: https://a.example/\r\n  FIRST\r\n  SECOND\r\nlisten: :1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.AddFeeds(file, []byte(tc.text), added, options())
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("FIRST", firstLine, "SECOND", secondLine, "FLOW1", firstLine[2:], "FLOW2", secondLine[2:]).Replace(tc.want)
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("the text differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFeedsAreRemovedInPlace(t *testing.T) {
	const three = "feeds:\n  # -- one\n  - id: a\n    # about a\n    url: https://a.example/\n\n  # -- two\n  - {id: b, url: https://b.example/}\n" +
		"  - id: c\n    url: https://c.example/\n# end\ntopics: []\n"
	for name, tc := range map[string]struct {
		text string
		id   aggregator.FeedID
		want string
	}{
		"the first":         {three, "a", strings.Replace(three, "  - id: a\n    # about a\n    url: https://a.example/\n", "", 1)},
		"one in the middle": {three, "b", strings.Replace(three, "  - {id: b, url: https://b.example/}\n", "", 1)},
		"the last":          {three, "c", strings.Replace(three, "  - id: c\n    url: https://c.example/\n", "", 1)},
		"the only one":      {"feeds:\n- url: https://a.example/\n", "a.example", "feeds:\n"},
		"without an end":    {"feeds:\n- {id: b, url: https://b.example/}\n- url: https://a.example/", "a.example", "feeds:\n- {id: b, url: https://b.example/}\n"},
		"first in brackets": {"feeds: [{id: a, url: https://a.example/}, {id: b, url: https://b.example/}]", "a", "feeds: [{id: b, url: https://b.example/}]"},
		"last in brackets":  {"feeds: [{id: a, url: https://a.example/}, {id: b, url: https://b.example/}]", "b", "feeds: [{id: a, url: https://a.example/}]"},
		"alone in brackets": {"feeds: [{id: a, url: https://a.example/}]", "a", "feeds: []"},
		"with all of its own": {"feeds:\n - {id: a, url: https://a.example/, retention: {age: 1d}, stories: exact, priority: 3, subscribe: false, headers: {X-Key: x}}\n" +
			" - {id: b, url: https://b.example/, retention: {age: 2d}}\n", "a", "feeds:\n - {id: b, url: https://b.example/, retention: {age: 2d}}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.RemoveFeed(file, []byte(tc.text), tc.id, options())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("the text differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditsThatCannotBeMadeAreRefused(t *testing.T) {
	one := []aggregator.Feed{{ID: "a", URL: "https://a.example/"}}
	var problems config.Problems
	for name, tc := range map[string]struct {
		text string
		add  []aggregator.Feed
		want string
	}{
		"an alias":           {"x-feeds: &all\n  - url: https://x.example/\nfeeds: *all\n", one, config.ErrNotEditable.Error()},
		"all in braces":      {"{listen: ':1'}\n", one, config.ErrNotEditable.Error()},
		"a bad file":         {"feed: []\n", one, `did you mean "feeds"?`},
		"an id that is used": {"feeds: [{id: a, url: https://b.example/}]\n", one, "id \"a\" is that of the feed on line 1"},
		"a URL that is used": {"feeds: [{id: b, url: http://A.example}]\n", one, "url is that of the feed on line 1"},
		"an unknown topic":   {"", []aggregator.Feed{{ID: "a", URL: "https://a.example/", Topics: []aggregator.TopicID{"x"}}}, `no topic has the id "x"`},
		"a second document":  {"listen: ':1'\n...\n", one, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := config.AddFeeds(file, []byte(tc.text), tc.add, options())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q; text:\n%s", err, tc.want, text)
			}
			if !errors.Is(err, config.ErrNotEditable) && !errors.As(err, &problems) {
				t.Errorf("error %v is neither of those promised", err)
			}
		})
	}
	if _, err := config.RemoveFeed(file, []byte("feeds: []\n"), "a", options()); !errors.Is(err, aggregator.ErrNotFound) {
		t.Errorf("remove what is not there: %v", err)
	}
	inUse := "feeds: [{id: a, url: https://a.example/}]\ntopics: [{id: t, query: x, feeds: [a]}]\n"
	if _, err := config.RemoveFeed(file, []byte(inUse), "a", options()); !errors.As(err, &problems) {
		t.Errorf("remove a feed that a topic names: %v", err)
	}
}

// TestFeedsOfTheExampleCanBeReplaced takes feeds of a real file out, unless a topic names it, and puts others in.
func TestFeedsOfTheExampleCanBeReplaced(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(file, data, options())
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range c.Feeds {
		if i%4 != 0 && i > 2 {
			continue // they are laid out alike
		}
		named := slices.ContainsFunc(c.Topics, func(t aggregator.Topic) bool { return slices.Contains(t.Feeds, f.ID) })
		text, err := config.RemoveFeed(file, data, f.ID, options())
		if named {
			if err == nil {
				t.Errorf("feed %s is named by a topic and was removed", f.ID)
			}
			continue
		}
		if err != nil {
			t.Fatalf("remove %s: %v", f.ID, err)
		}
		if len(data)-len(text) > 400 || len(data) == len(text) {
			t.Errorf("removing %s took %d bytes away", f.ID, len(data)-len(text))
		}
		if _, err := config.AddFeeds(file, text, added, options()); err != nil {
			t.Fatalf("add after removing %s: %v", f.ID, err)
		}
	}
}

// FuzzEdit holds that an edit does what it says or refuses, whatever the file is like.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		"", "feeds: []", "feeds:\n- url: http://a/ # x\n\n#y\nlisten: :1", "feeds: [{url: http://a/}, {url: http://b/},]\n",
		"feeds: &a\n  - &b {url: http://a/}\n  - <<: *b\n    url: http://c/\n", "x-y: &y\n  feeds: []\n<<: *y\n", "? feeds\n: - url: http://a/\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := config.Parse(file, data, options())
		if err != nil {
			return
		}
		text, err := config.AddFeeds(file, data, added, options())
		if err != nil {
			return
		}
		for _, feed := range added {
			if text, err = config.RemoveFeed(file, text, feed.ID, options()); errors.Is(err, config.ErrNotEditable) {
				return
			} else if err != nil {
				t.Fatalf("added to %q and not to be removed: %v", data, err)
			}
		}
		after, err := config.Parse(file, text, options())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before.Feeds, after.Feeds) || !reflect.DeepEqual(before.Topics, after.Topics) {
			t.Errorf("adding and removing left another config:\n%s\n%s", data, text)
		}
	})
}
