package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

const file = "/etc/topicwire/config.yaml"

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse(file, []byte(text), options())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problemsOf is the error of a text that must have one.
func problemsOf(t *testing.T, text string) config.Problems {
	t.Helper()
	_, err := config.Parse(file, []byte(text), options())
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error is %v, want Problems", err)
	}
	return problems
}

// The keys of issue 2 are a contract: this much is a config, whatever is added.
func TestTheMinimalConfigWorks(t *testing.T) {
	got := parse(t, `
listen: 127.0.0.1:8080
base_url: https://wire.example.org      # what published links and ids are built on
store: bolt://topicwire.db              # relative to the config file
schedule: "@every 30m"
contact: https://example.org/about      # in the User-Agent
fetch: {timeout: 30s, max_body: 16MiB, allow_private: false}
feeds:
  - {id: aws-news, url: "https://aws.amazon.com/blogs/aws/feed/", schedule: "0 */2 * * *"}
topics:
  - {id: cloud, title: Cloud computing, query: '"cloud computing" OR aws OR azure'}
`)
	want := config.Default("/etc/topicwire")
	want.BaseURL = "https://wire.example.org"
	want.Contact = "https://example.org/about"
	want.Feeds = []aggregator.Feed{{ID: "aws-news", URL: "https://aws.amazon.com/blogs/aws/feed/", Schedule: "0 */2 * * *"}}
	want.Topics = []aggregator.Topic{{ID: "cloud", Title: "Cloud computing", Query: `"cloud computing" OR aws OR azure`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config differs (-want +got):\n%s", diff)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	got := parse(t, `
listen: 0.0.0.0:9000
store: bolt:///var/lib/wire/../wire.db
schedule: "@hourly"
contact: mailto:wire@example.org
stories: exact
fetch: {timeout: 1m30s, max_body: 512KiB, allow_private: true, workers: 3, redirects: 4}
publish: {archive: false, stories: 20, window: 1d12h, min_age: 10s, max_age: 0s, cache_bytes: 8MiB, represented_by: [longest, earliest], static: {schedule: "@daily", dir: ../site}}
base_url: https://wire.example.org/
websub: {hubs: ["https://hub.example.org/"], window: 5s, allow_private: true, hub: true,
  max_lease: 2d, give_up_after: 1h, topic_subscriptions: 20, host_subscriptions: 10, poll_ceiling: 3h}
maintenance:
  backup: {schedule: "30 3 * * *", dir: ../backups, keep: 2}
  stale_feeds: {schedule: "", after: 2w}
  prune: {schedule: ""}
  check: {schedule: "@weekly"}
  compact: {schedule: "@monthly"}
feeds:
  - id: a
    url: https://user:pass@example.org/feed?x=1
    title: 'A: "b"'
    topics: [t]
    tags: [x, y z]
    max_age: 7d
    allow_private: true
    private: true
    stories: exact
    priority: -3
    subscribe: true
topics:
  - {id: t, description: D, query: a b, feeds: [a], formerly: [t0, t.0]}
`)
	want := &config.Config{
		Listen: "0.0.0.0:9000", BaseURL: "https://wire.example.org", Store: "bolt:///var/lib/wire.db", Schedule: "@hourly",
		Contact: "mailto:wire@example.org",
		Stories: config.Stories{Exact: map[aggregator.FeedID]bool{"a": true}},
		Fetch: config.Fetch{
			Timeout: 90 * time.Second, ConnectTimeout: 10 * time.Second, HeaderTimeout: 20 * time.Second, MinRate: 1 << 10,
			MaxBody: 512 << 10, MaxDownload: 512 << 10, MaxHeader: 256 << 10, AllowPrivate: true, Workers: 3, Redirects: 4,
			HostConnections: 2, AddressConnections: 8, HostDelay: 250 * time.Millisecond, HintCeiling: 24 * time.Hour,
		},
		Publish: config.Publish{
			Stories: 20, Window: 36 * time.Hour, MinAge: 10 * time.Second, CacheBytes: 8 << 20,
			RepresentedBy: []string{config.ByLongest, config.ByEarliest}, Priority: map[aggregator.FeedID]int{"a": -3},
			Static: config.Static{Schedule: "@daily", Dir: "/etc/site"},
		},
		WebSub: config.WebSub{
			Hubs: []string{"https://hub.example.org/"}, Window: 5 * time.Second, AllowPrivate: true, Hub: true,
			MaxLease: 48 * time.Hour, GiveUpAfter: time.Hour, TopicSubscriptions: 20, HostSubscriptions: 10,
			PollCeiling: 3 * time.Hour, Subscribed: map[aggregator.FeedID]bool{"a": true},
		},
		Maintenance: config.Maintenance{
			Backup:     config.Backup{Schedule: "30 3 * * *", Dir: "/etc/backups", Keep: 2},
			StaleFeeds: config.StaleFeeds{After: 14 * 24 * time.Hour},
			Check:      config.Job{Schedule: "@weekly"},
			Compact:    config.Job{Schedule: "@monthly"},
		},
		Feeds: []aggregator.Feed{{
			ID: "a", URL: "https://user:pass@example.org/feed?x=1", Title: `A: "b"`, Schedule: "@hourly",
			Topics: []aggregator.TopicID{"t"}, Tags: []string{"x", "y z"}, MaxAge: 7 * 24 * time.Hour, AllowPrivate: true, Private: true,
		}},
		Topics: []aggregator.Topic{{ID: "t", Title: "t", Description: "D", Query: "a b", Feeds: []aggregator.FeedID{"a"}, Formerly: []aggregator.TopicID{"t0", "t.0"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config differs (-want +got):\n%s", diff)
	}
}

func TestWhichFeedsAreSubscribedTo(t *testing.T) {
	for switched, want := range map[string][]aggregator.FeedID{"true": {"plain", "on", "private-on"}, "false": {"on", "private-on"}} {
		got := parse(t, "base_url: https://wire.example.org\nwebsub: {subscribe: "+switched+`}
feeds:
  - {id: plain, url: "https://a.example/1"}
  - {id: "on", url: "https://a.example/2", subscribe: true}
  - {id: "off", url: "https://a.example/3", subscribe: false}
  - {id: private, url: "https://a.example/4", private: true}
  - {id: secret, url: "https://me:pw@a.example/5"}
  - {id: private-on, url: "https://a.example/6", private: true, subscribe: true}
`)
		if len(got.WebSub.Subscribed) != len(want) {
			t.Errorf("subscribe: %s: %v, want %v", switched, got.WebSub.Subscribed, want)
		}
		for _, id := range want {
			if !got.WebSub.Subscribed[id] {
				t.Errorf("subscribe: %s: %s is not subscribed to", switched, id)
			}
		}
	}
}

func TestAFileWithoutValuesIsTheDefault(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"comments":       "# nothing\n\n# here\n",
		"a byte order":   "\ufeff",
		"empty sections": "listen:\nfetch:\npublish: ~\nmaintenance: {backup: , stale_feeds: }\nfeeds:\ntopics: []\nschedule: null\n",
		"marked":         "---\nfetch: {}\n...\n",
	} {
		got := parse(t, text)
		got.Feeds, got.Topics = nil, nil
		if diff := cmp.Diff(config.Default("/etc/topicwire"), got); diff != "" {
			t.Errorf("%s: config differs (-want +got):\n%s", name, diff)
		}
	}
}

func TestVariables(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"whole value", `title: ${HOST}`, "example.net"},
		{"within a value", `title: at ${HOST}:${PORT}!`, "at example.net:9090!"},
		{"in quotes", `title: "${HOST}"`, "example.net"},
		{"in a block", "title: >\n    a\n    ${HOST}", "a example.net"},
		{"escaped", `title: $${HOST}`, "${HOST}"},
		{"escaped and not", `title: $${HOST} ${HOST}`, "${HOST} example.net"},
		{"other dollars are text", `title: $HOST $5 $ $$`, "$HOST $5 $ $$"},
		{"an empty variable is set", `title: x${EMPTY}`, "x"},
		{"in a comment", "title: x # ${UNSET}", "x"},
		{"what it holds is no YAML and is not expanded again", `title: ${SECRET}`, "hunter2 hunter2"},
	} {
		got := parse(t, "feeds:\n- id: a\n  url: https://a.example.org/\n  "+test.text+"\n").Feeds[0].Title
		if got != test.want {
			t.Errorf("%s: %s is %q, want %q", test.why, test.text, got, test.want)
		}
	}
	if got := parse(t, "listen: \"127.0.0.1:${PORT}\"\nfetch: {workers: \"${PORT}\"}"); got.BaseURL != "http://127.0.0.1:9090" || got.Fetch.Workers != 9090 {
		t.Errorf("base_url %q and %d workers, want the port in both", got.BaseURL, got.Fetch.Workers)
	}
}

// What may be a secret in a feed's URL must not be published.
func TestWhichFeedsArePrivate(t *testing.T) {
	for _, test := range []struct {
		why, fields string
		want        bool
	}{
		{"a plain one", `url: "https://a.example.org/?x=1"`, false},
		{"one that says so", `url: "https://a.example.org/?token=abc", private: true`, true},
		{"a variable in the query", `url: "https://a.example.org/?token=${PAGE}"`, true},
		{"a variable in the path", `url: "https://a.example.org/${PAGE}/feed"`, true},
		{"a variable and nothing else", `url: "${WHOLE}"`, true},
		{"a variable in a merged section", `<<: *secret`, true},
		{"a variable that holds nothing", `url: "https://a.example.org/${EMPTY}"`, true},
		{"an escaped variable is text", `url: "https://a.example.org/$${PAGE}"`, false},
		{"a variable elsewhere", `url: "https://a.example.org/", title: "${PAGE}"`, false},
		{"a name", `url: "https://reader@a.example.org/"`, true},
		{"a password", `url: "https://reader:word@a.example.org/"`, true},
		{"a secret cannot be made public", `url: "https://a.example.org/${PAGE}", private: false`, true},
		{"neither is one on a private address", `url: "https://a.example.org/", allow_private: true`, false},
	} {
		o := options()
		env := o.Env
		o.Env = func(name string) (string, bool) {
			if name == "WHOLE" {
				return "https://a.example.org/feed", true
			}
			return env(name)
		}
		text := "x-secret: &secret {url: 'https://a.example.org/${PAGE}'}\nfeeds:\n  - {id: a, " + test.fields + "}\n"
		c, err := config.Parse(file, []byte(text), o)
		if err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		if got := c.Feeds[0].Private; got != test.want {
			t.Errorf("%s: private is %v, want %v", test.why, got, test.want)
		}
	}
}

// The id that is made from a URL shows parts of it, and is published.
func TestAPrivateFeedNeedsAnID(t *testing.T) {
	got := problemsOf(t, "feeds:\n  - {url: \"https://example.org/abc123/feed\", private: true}\n")
	want := file + ":2:5: a private feed without an id; add an id: one made from the url would show parts of it"
	if len(got) != 1 || got[0].String() != want {
		t.Errorf("problems are %v, want %s", got, want)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "7d": 7 * 24 * time.Hour,
		"1w1d": 8 * 24 * time.Hour, "1.5h": 90 * time.Minute, "0.5d": 12 * time.Hour,
	} {
		if got := parse(t, "fetch: {timeout: "+text+"}").Fetch.Timeout; got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"30", "1.5", "-5s", "0s", "0", "s", "5x", "1e3s", "5 s", "1d-2h", "..5s", "101y", "9999999w", "'5s '", "∞", "'-'", "''"} {
		problemsOf(t, "fetch: {timeout: "+text+"}")
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"16MiB": 16 << 20, "512KiB": 512 << 10, "10MB": 10_000_000, "1GiB": 1 << 30, "2kb": 2000, "100": 100, "100B": 100, "1 MiB": 1 << 20,
	} {
		if got := parse(t, "fetch: {max_body: "+text+"}").Fetch.MaxBody; got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
	for _, text := range []string{"0", "-1MiB", "16M", "16Mib2", "MiB", "1.5MiB", "99999999999GiB", "5GiB", "0x10", "''"} {
		problemsOf(t, "fetch: {max_body: "+text+"}")
	}
}

// What package publish would cut is not accepted in silence.
func TestAFeedHasAtMostAThousandStories(t *testing.T) {
	if got := parse(t, "publish: {stories: 1000}").Publish.Stories; got != 1000 {
		t.Errorf("stories: 1000 is read as %d", got)
	}
	got := problemsOf(t, "publish:\n  stories: 5000\n")
	want := file + `:2:12: stories "5000" is out of range; write a number from 1 to 1000`
	if len(got) != 1 || got[0].String() != want {
		t.Errorf("stories: 5000 is %v, want %s", got, want)
	}
}

// An address leads to one topic, whichever names it has had.
func TestAnEarlierIDIsOfOneTopic(t *testing.T) {
	got := problemsOf(t, "topics:\n  - {id: a, query: a, formerly: [old, b, All]}\n  - {id: b, query: b, formerly: [old]}\n")
	var lines []string
	for _, p := range got {
		lines = append(lines, p.String())
	}
	want := []string{
		file + `:2:39: earlier id "b" is that of the topic on line 3; remove one of the two: an address leads to one topic`,
		file + `:2:42: earlier id "All" holds characters that an id may not; use lower-case letters, digits, -, _ and ., beginning with a letter or digit, as in "all"`,
		file + `:3:34: earlier id "old" is there on line 2 too; remove one of the two: an address leads to one topic`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestTextIsWhatItLooksLike(t *testing.T) {
	for _, text := range []string{"no", "true", "0123", "1e3", "2024-01-01", "0x10", ".inf", "1_000", "12:30:45"} {
		if got := parse(t, "feeds: [{id: a, url: \"https://a.example.org\", title: "+text+"}]").Feeds[0].Title; got != text {
			t.Errorf("title %s is %q", text, got)
		}
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	got := parse(t, `
x-slow: &slow {schedule: "@daily", tags: &tags [a, b], max_age: 1d}
x-slower: &slower {<<: *slow, schedule: "@weekly"}
feeds:
  - {id: merged, url: "https://example.org/1", <<: *slow}
  - {id: own-value-first, url: "https://example.org/2", <<: *slow, max_age: 2d}
  - {id: nested, url: "https://example.org/3", <<: [*slower, *slow]}
  - {id: list, url: "https://example.org/4", tags: *tags}
  - &whole {id: anchored, url: "https://example.org/5", title: &title Text}
  - {id: value, url: "https://example.org/6", title: *title}
`).Feeds
	var lines []string
	for _, f := range got {
		lines = append(lines, fmt.Sprint(f.ID, " ", f.Schedule, " ", f.Tags, " ", f.MaxAge, " ", f.Title))
	}
	want := []string{
		"merged @daily [a b] 24h0m0s ", "own-value-first @daily [a b] 48h0m0s ", "nested @weekly [a b] 24h0m0s ",
		"list @every 30m [a b] 0s ", "anchored @every 30m [] 0s Text", "value @every 30m [] 0s Text",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("feeds differ (-want +got):\n%s", diff)
	}
}

// A small file must not stand for a huge one.
func TestAliasBombsAreRefused(t *testing.T) {
	var merges strings.Builder
	merges.WriteString("x-0: &a0 {title: x}\n")
	for i := 1; i <= 30; i++ {
		fmt.Fprintf(&merges, "x-%d: &a%d {<<: [*a%d, *a%d, *a%d]}\n", i, i, i-1, i-1, i-1)
	}
	merges.WriteString("feeds: [*a30]\n")
	lists := "x-t: &t [" + strings.Repeat("aaaaaaaaaaaaaaaa, ", 20_000) + "]\nfeeds:\n" + strings.Repeat("  - {tags: *t}\n", 20_000)
	for name, text := range map[string]string{
		"merge keys": merges.String(),
		"lists":      lists,
		"itself":     "x: &x [*x]\nfeeds: *x\ntopics: &y {<<: *y}\n",
		"long":       "feeds:\n  - {title: \"" + strings.Repeat("${SECRET}", 1<<18) + "\"}\n",
	} {
		t.Run(name, func(t *testing.T) { problemsOf(t, text) })
	}
}

func TestWhatWouldStallTheReaderIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"brackets":    strings.Repeat("[", 1<<18),
		"braces":      strings.Repeat("{a: ", 1<<18),
		"dashes":      strings.Repeat("- ", 1<<18),
		"mixed":       strings.Repeat("- a: [", 1<<18),
		"questions":   strings.Repeat("? ", 1<<18),
		"tags":        strings.Repeat("- !a\n", 1<<18),
		"anchors":     strings.Repeat("&a ", 1<<18),
		"empty lines": "a: |\n" + strings.Repeat("\n", 1<<18),
		"blank lines": "a: |\n" + strings.Repeat("  \r\n", 1<<18),
		"too large":   strings.Repeat("#", config.MaxBytes+1),
		"problems":    "feeds:\n" + strings.Repeat("  - {colour: blue}\n", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			problems := problemsOf(t, text)
			if took := time.Since(began); took > time.Minute {
				t.Errorf("took %v", took)
			}
			if len(problems) > 1001 {
				t.Errorf("%d problems, want a bounded number", len(problems))
			}
		})
	}
}

func TestPlacesAreThoseOfEditors(t *testing.T) {
	for _, test := range []struct {
		why, text string
		line, col int
	}{
		{"first line", "lisen: x", 1, 1},
		{"after a byte order mark", "\ufefflisen: x", 1, 1},
		{"Windows line ends", "listen: :80\r\nstore: bolt://x\r\nlisen: x\r\n", 3, 1},
		{"characters and not bytes", "topics: [{title: ڈیٹا é, colour: x, id: a, query: x}]", 1, 26},
		{"after a block of text", "contact: >\n  https://example.org/\nlisen: x", 3, 1},
		{"after text of several lines", "contact: \"https://\\\n  example.org\"\nlisen: x", 3, 1},
		{"a key in quotes", "fetch:\n  \"timeouts\": 1s", 2, 3},
	} {
		got := problemsOf(t, test.text)
		if len(got) != 1 || got[0].Line != test.line || got[0].Column != test.col {
			t.Errorf("%s: got %v, want one problem at %d:%d", test.why, got, test.line, test.col)
		}
	}
}

func TestFeedIDFromURL(t *testing.T) {
	for _, test := range []struct {
		why, url string
		want     aggregator.FeedID
	}{
		{"host and path", "https://www.example.org/News/feed.xml", "example.org-news-feed-xml"},
		{"the scheme does not matter", "http://www.example.org/News/feed.xml", "example.org-news-feed-xml"},
		{"nor does user information", "https://a:b@example.org/feed", "example.org-feed"},
		{"host only", "https://example.org", "example.org"},
		{"a port", "http://127.0.0.1:8080/a_b/", "127.0.0.1-8080-a-b"},
		{"IPv6", "http://[::1]:8080/", "1-8080"},
		{"queries differ", "https://example.org/?feed=rss2", "example.org-4b03d2c3"},
		{"queries differ", "https://example.org/?feed=atom", "example.org-f2bd21af"},
		{"other scripts are not lost", "https://example.org/خبریں", "example.org-d8-ae-d8-a8-d8-b1-db-8c-da-ba-122712b7"},
		{"long", "https://example.org/" + strings.Repeat("abcdefghi/", 9) + "feed", "example.org-abcdefghi-abcdefghi-abcdefghi-abcdefghi-abc-3050dbc2"},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := config.FeedIDFromURL(u); got != test.want || len(got) > 64 {
			t.Errorf("%s: id of %s is %q, want %q", test.why, test.url, got, test.want)
		}
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	if _, err := config.Load(filepath.Join(folder, "none.yaml"), config.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error for a missing file is %v, want fs.ErrNotExist", err)
	}
	if _, err := config.Load(folder, config.Options{}); err == nil {
		t.Error("a folder was read as a file")
	}
	path := filepath.Join(folder, "config.yaml")
	text := "store: bolt://wire.db\nschedule: anything\ntopics: [{id: a, query: anything}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "bolt://" + filepath.Join(folder, "wire.db"); c.Store != want {
		t.Errorf("store is %q, want %q", c.Store, want)
	}
}

func BenchmarkParse100000Feeds(b *testing.B) {
	var text strings.Builder
	text.WriteString("feeds:\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "  - {id: feed-%d, url: \"https://host%d.example.org/feeds/%d.xml\", schedule: \"*/30 * * * *\", tags: [a, b]}\n", i, i%5000, i)
	}
	data := []byte(text.String())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Parse(file, data, options()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRetentionIsReadWhereItIsGiven(t *testing.T) {
	c, err := config.Parse("config.yaml", []byte(`
retention: {age: 52w}
feeds:
  - {id: a, url: "https://a.example/", retention: {items: 100}}
  - {id: b, url: "https://b.example/"}
topics:
  - {id: t, query: x, retention: {}}
  - {id: u, query: y, retention: {age: 30d, items: 5}}
`), options())
	if err != nil {
		t.Fatal(err)
	}
	want := aggregator.Retention{
		General: aggregator.Keep{Age: 52 * 7 * 24 * time.Hour},
		Feeds:   map[aggregator.FeedID]aggregator.Keep{"a": {Items: 100}},
		Topics:  map[aggregator.TopicID]aggregator.Keep{"t": {}, "u": {Age: 30 * 24 * time.Hour, Items: 5}},
	}
	if diff := cmp.Diff(want, c.Retention); diff != "" {
		t.Errorf("retention (-want +got):\n%s", diff)
	}
}

func TestQueriesAreReadWithTheirLines(t *testing.T) {
	c := parse(t, `
topics: [{id: t, query: '@second a'}]
queries:
  first: a OR b
  second: >
    # a comment, which ends here
    c OR @first

    # another
`)
	want := map[string]string{"first": "a OR b", "second": "# a comment, which ends here\n    c OR @first\n\n    # another"}
	if diff := cmp.Diff(want, c.Queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	var many strings.Builder
	many.WriteString("queries:\n")
	for i := range 1001 {
		fmt.Fprintf(&many, "  q%d: a\n", i)
	}
	if problems := problemsOf(t, many.String()); len(problems) != 1 || !strings.Contains(problems[0].Text, "more than 1000 names") {
		t.Errorf("problems of 1001 names: %v", problems)
	}
}
