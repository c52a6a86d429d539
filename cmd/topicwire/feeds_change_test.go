package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const changedConfig = `# mine
listen: 127.0.0.1:0
feeds:
  # -- news
  - id: a
    url: https://a.example/feed # the first
  - {id: secret, url: "https://me:hunter2@s.example/feed", tags: [news]}
topics: []
`

const importedList = `<?xml version="1.0" encoding="windows-1252"?>
<opml version="1.1"><body>
<outline text="Law"><outline text="EU">
  <outline text="Caf` + "\xe9" + ` &eacute;" xmlurl="https://b.example/feed?x=1&y=2" category="/policy"/>
  <outline xmlUrl="http://www.a.example/feed/?utm_source=x"/>
  <outline text="No URL" type="rss"/>
  <outline text="FTP" xmlUrl="ftp://f.example/feed"/>
</outline></outline>
<outline text="Old scheme" xmlUrl="feed://c.example/feed"/>
<outline text="Twice" xmlUrl="https://c.example/feed"/>
</body></opml>
`

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestImport adds what a file has that the config has not, once, and says what became of the rest.
func TestImport(t *testing.T) {
	dir := workdir(t, changedConfig)
	writeFile(t, filepath.Join(dir, "list.opml"), importedList)
	dry := must(t, dir, "feeds", "import", "list.opml", "--dry-run")
	want := "--- config.yaml\n+++ config.yaml\n@@ -5,4 +5,6 @@\n   - id: a\n     url: https://a.example/feed # the first\n" +
		"   - {id: secret, url: \"https://me:hunter2@s.example/feed\", tags: [news]}\n" +
		"+  - {id: b.example-feed-781c2a8e, url: \"https://b.example/feed?x=1&y=2\", title: \"Café é\", tags: [Law, EU, policy]}\n" +
		"+  - {id: c.example-feed, url: \"http://c.example/feed\", title: \"Old scheme\"}\n topics: []\n"
	if diff := cmp.Diff(want, dry); diff != "" {
		t.Errorf("the dry run differs (-want +got):\n%s", diff)
	}
	config := filepath.Join(dir, "config.yaml")
	if text := readFile(t, config); text != changedConfig {
		t.Errorf("a dry run changed the config:\n%s", text)
	}
	out := must(t, dir, "feeds", "import", "list.opml")
	wantOut := `line 4: added: b.example-feed-781c2a8e (https://b.example/feed?x=1&y=2)
line 9: added: c.example-feed (http://c.example/feed)
line 5: already there: a (http://www.a.example/feed/?utm_source=x)
line 10: already there: c.example-feed (https://c.example/feed)
line 6: skipped: "No URL" is a feed without xmlUrl
line 7: skipped: url "ftp://f.example/feed" is neither http nor https; only http and https are read: write a whole one, as in https://example.org/feed.xml
2 added, 0 removed, 2 already there, 2 skipped
config.yaml: it counts from the next 'topicwire run' or 'topicwire fetch' on
`
	if diff := cmp.Diff(wantOut, out); diff != "" {
		t.Errorf("output differs (-want +got):\n%s", diff)
	}
	once := readFile(t, config)
	if !strings.Contains(once, "# the first") || strings.Count(once, "\n") != strings.Count(changedConfig, "\n")+2 {
		t.Errorf("config:\n%s", once)
	}
	if out := must(t, dir, "feeds", "import", "list.opml"); !strings.Contains(out, "0 added, 0 removed, 4 already there, 2 skipped") {
		t.Errorf("the same file again: %s", out)
	}
	if again := readFile(t, config); again != once {
		t.Errorf("the second import changed the config:\n%s", cmp.Diff(once, again))
	}
	if r := topicwire(t, dir, "feeds", "import", "config.yaml"); r.code != 1 || !strings.Contains(r.stderr, "not an OPML file") {
		t.Errorf("import of no OPML: exit code %d, %s", r.code, r.stderr)
	}
}

// TestExportedFeedsAreImported writes OPML without secrets, that another config takes over.
func TestExportedFeedsAreImported(t *testing.T) {
	dir := workdir(t, changedConfig)
	writeFile(t, filepath.Join(dir, "list.opml"), importedList)
	must(t, dir, "feeds", "import", "list.opml")
	r := topicwire(t, dir, "feeds", "export")
	if r.code != 0 || strings.TrimSpace(r.stderr) != "3 feeds written, 1 left out whose URL is a secret" {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	if strings.Contains(r.stdout, "hunter2") || strings.Contains(r.stdout, "s.example") {
		t.Errorf("a secret is exported:\n%s", r.stdout)
	}
	must(t, dir, "feeds", "export", "-o", "out.opml")
	other := workdir(t, "topics: []\n")
	out := must(t, other, "feeds", "import", filepath.Join(dir, "out.opml"), "--json")
	var report struct{ Added, Known, Skipped []struct{ ID, Title string } }
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Added) != 3 || len(report.Known)+len(report.Skipped) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	if text := readFile(t, filepath.Join(other, "config.yaml")); !strings.Contains(text, `title: "Café é", tags: [Law, EU, policy]`) {
		t.Errorf("config:\n%s", text)
	}
}

func TestAddAndRemove(t *testing.T) {
	dir := workdir(t, changedConfig)
	config := filepath.Join(dir, "config.yaml")
	must(t, dir, "feeds", "add", "https://n.example/feed", "--id", "nn", "--schedule", "@daily", "--tag", "x", "--private")
	if text := readFile(t, config); !strings.Contains(text, `  - {id: nn, url: "https://n.example/feed", schedule: "@daily", tags: [x], private: true}`+"\n") {
		t.Errorf("config:\n%s", text)
	}
	must(t, dir, "feeds", "remove", "nn")
	if text := readFile(t, config); text != changedConfig {
		t.Errorf("adding and removing left (-before +after):\n%s", cmp.Diff(changedConfig, text))
	}
	writeFile(t, filepath.Join(dir, "urls"), "# two\nhttps://m.example/feed\n\nhttps://a.example/feed\n")
	if out := must(t, dir, "feeds", "add", "urls"); !strings.HasPrefix(out, "line 2: added: m.example-feed (https://m.example/feed)\nline 4: already there: a") {
		t.Errorf("add from a file: %s", out)
	}
	before := readFile(t, config)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"add", "n.example/feed"}, "write https://n.example/feed"},
		{[]string{"add", "https://"}, "has no valid host"},
		{[]string{"add", "https://o.example/", "--id", "a"}, `id "a" is that of the feed on line 5`},
		{[]string{"add", "https://o.example/", "--schedule", "often"}, "schedule"},
		{[]string{"add", "https://o.example/", "--topic", "none"}, `no topic has the id "none"`},
		{[]string{"remove", "none"}, `no feed "none" in the config`},
	} {
		if r := topicwire(t, dir, append([]string{"feeds"}, tc.args...)...); r.code != 2 || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%v: exit code %d, %s; want %q", tc.args, r.code, r.stderr, tc.want)
		}
	}
	if after := readFile(t, config); after != before {
		t.Errorf("what was refused changed the config:\n%s", cmp.Diff(before, after))
	}
	nothing := workdir(t, "")
	if err := os.Remove(filepath.Join(nothing, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	if r := topicwire(t, nothing, "feeds", "add", "https://o.example/"); r.code != 2 || !strings.Contains(r.stderr, "no config.yaml to change") {
		t.Errorf("without a config: exit code %d, %s", r.code, r.stderr)
	}
	d := start(t, dir, "run")
	if out := must(t, dir, "feeds", "remove", "m.example-feed"); !strings.Contains(out, fmt.Sprintf("process %d, which holds the store, takes it over when it is restarted", d.cmd.Process.Pid)) {
		t.Errorf("beside a daemon: %s", out)
	}
}

// TestDiscover costs one request, whatever is found.
func TestDiscover(t *testing.T) {
	var requests atomic.Int32
	documents := map[string]string{
		"/":     `<!doctype html><head><title>x</title><link rel=alternate type="application/atom+xml" title="All &amp; more" href="atom.xml"><link rel=alternate type="application/rss+xml" href="/feed"></head>`,
		"/none": `<!doctype html><head><title>x</title></head>`,
		"/feed": `<rss version="2.0"><channel><title>News</title><item><title>1</title><pubDate>Thu, 26 Nov 2026 07:00:00 GMT</pubDate></item><item><title>2</title></item></channel></rss>`,
	}
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/feed", http.StatusFound)
			return
		}
		fmt.Fprint(w, documents[r.URL.Path])
	}))
	dir := workdir(t, "fetch: {allow_private: true}\nfeeds: [{id: news, url: \""+origin.URL+"/feed\"}]\n")
	for _, tc := range []struct {
		path, want string
		code       int
	}{
		{"/", "ORIGIN/atom.xml\n  Atom: All & more\nORIGIN/feed\n  RSS (in the config as news)\n\nORIGIN/ is a web page and names these feeds; 'topicwire feeds add URL' takes one over\n", 0},
		{"/feed", "ORIGIN/feed\n  RSS: News, 2 items, newest 2026-11-26 07:00 (in the config as news)\n", 0},
		{"/none", "Guesses where a feed may be; nobody looked:\n  ORIGIN/feed/\n  ORIGIN/feed.xml\n  ORIGIN/rss.xml\n  ORIGIN/atom.xml\n  ORIGIN/index.xml\n  ORIGIN/feed.json\n", 1},
		{"/empty", "Guesses", 1},
	} {
		requests.Store(0)
		r := topicwire(t, dir, "feeds", "discover", origin.URL+tc.path)
		if got := strings.ReplaceAll(r.stdout, origin.URL, "ORIGIN"); !strings.HasPrefix(got, tc.want) || r.code != tc.code {
			t.Errorf("%s: exit code %d, want %d (-want +got):\n%s%s", tc.path, r.code, tc.code, cmp.Diff(tc.want, got), r.stderr)
		}
		if n := requests.Load(); n != 1 {
			t.Errorf("%s cost %d requests", tc.path, n)
		}
	}
	var found struct {
		Feeds []struct{ URL, Format, Title string }
	}
	if err := json.Unmarshal([]byte(must(t, dir, "feeds", "discover", origin.URL+"/moved", "--json")), &found); err != nil ||
		len(found.Feeds) != 1 || found.Feeds[0].URL != origin.URL+"/feed" || found.Feeds[0].Title != "News" {
		t.Errorf("%v, %+v", err, found)
	}
}
