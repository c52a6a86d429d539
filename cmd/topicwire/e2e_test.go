package main_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"
)

// folder serves the files of a folder as a publisher would, with validators, and counts its answers by status.
type folder struct {
	dir string

	mu       sync.Mutex
	answered map[int]int
}

func (f *folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := os.ReadFile(filepath.Join(f.dir, filepath.Base(r.URL.Path)))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
	w.Header().Set("ETag", etag)
	status := http.StatusOK
	if r.Header.Get("If-None-Match") == etag {
		status = http.StatusNotModified
	} else {
		w.Header().Set("Content-Type", "application/xml")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answered == nil {
		f.answered = make(map[int]int)
	}
	f.answered[status]++
	w.WriteHeader(status)
	if status == http.StatusOK {
		_, _ = w.Write(body)
	}
}

// take returns the counts since it was last called.
func (f *folder) take() map[int]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := f.answered
	f.answered = nil
	return counts
}

// row is an exported item.
type row struct {
	ID, Feed, URL, Title, Text, Story string
	Topics                            []string
	Revision                          int
}

func exported(t testing.TB, dir string, args ...string) []row {
	t.Helper()
	var rows []row
	lines := bufio.NewScanner(strings.NewReader(must(t, dir, append([]string{"export"}, args...)...)))
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("export: %v: %s", err, lines.Text())
		}
		rows = append(rows, r)
	}
	return rows
}

// feedLine is a feed as 'feeds list --json' prints it.
type feedLine struct {
	ID, State string
	Items     int
	NotBefore *time.Time `json:"not_before"`
	LastPoll  *struct {
		At             time.Time
		Outcome, Error string
		Status         int
		Seconds        float64
		Repairs        []string
		Listed         int
	} `json:"last_poll"`
}

func listFeeds(t testing.TB, dir string) map[string]feedLine {
	t.Helper()
	var lines []feedLine
	if err := json.Unmarshal([]byte(must(t, dir, "feeds", "list", "--json")), &lines); err != nil {
		t.Fatal(err)
	}
	byID := make(map[string]feedLine)
	for _, l := range lines {
		byID[l.ID] = l
	}
	return byID
}

func feedConfig(origin string, names ...string) string {
	var b strings.Builder
	b.WriteString("feeds:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - {id: %s, url: \"%s/%s\"}\n", feedID(name), origin, name)
	}
	return b.String()
}

// feedID is the id that feedConfig gives to a feed.
func feedID(name string) string { return strings.ReplaceAll(strings.ToLower(name), ".", "-") }

// TestCapturedFeeds is the main job on real input: poll what publishers served, twice, and read what comes out with
// clients that share no code with the program.
func TestCapturedFeeds(t *testing.T) {
	dir := capturedFeeds(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".md") {
			names = append(names, e.Name())
		}
	}
	origin := &folder{dir: dir}
	// The topics ask about titles alone, so that an export shows all that they look at.
	wd := workdir(t, `listen: 127.0.0.1:0
base_url: https://wire.example.org
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
publish: {stories: 1000}
topics:
  - {id: apple, title: Apple, query: 'title:apple'}
  - {id: cloud, title: Cloud, query: 'title:(cloud* OR aws OR "amazon web services")'}
  - {id: apple-without-phones, title: Apple without phones, query: 'title:apple -title:iphone'}
`+feedConfig(serve(t, origin).URL, names...))

	must(t, wd, "fetch", "--all")
	if got := origin.take(); got[http.StatusOK] != len(names) {
		t.Errorf("first pass: answers by status %v, want %d of 200", got, len(names))
	}
	checkCapturedStates(t, listFeeds(t, wd), names)

	before := must(t, wd, "export")
	must(t, wd, "fetch", "--all")
	if got, want := origin.take()[http.StatusNotModified], len(names)-len(unreadable); got != want {
		t.Errorf("second pass: %d answers of 304, want %d", got, want)
	}
	if after := must(t, wd, "export"); after != before {
		t.Error("the second pass changed the store")
	}

	d := start(t, wd, "serve")
	all := exported(t, wd)
	for id, matches := range map[string]func(title string) bool{
		"":      func(string) bool { return true },
		"apple": word("apple"),
		"cloud": word(`cloud[\pL\pN]*|aws|amazon web services`),
		"apple-without-phones": func(title string) bool {
			return word("apple")(title) && !word("iphone")(title)
		},
	} {
		t.Run("topic "+id, func(t *testing.T) { checkTopic(t, d.url, id, all, matches) })
	}
}

// unreadable are the captured files that have no feed in them, with what must be said of each.
var unreadable = map[string]string{}

func checkCapturedStates(t *testing.T, feeds map[string]feedLine, names []string) {
	t.Helper()
	for _, name := range names {
		feed := feeds[feedID(name)]
		if want, ok := unreadable[name]; ok {
			if feed.State != "failed" || !strings.Contains(feed.LastPoll.Error, want) {
				t.Errorf("%s: %+v, want an error with %q", name, feed, want)
			}
			continue
		}
		if feed.State != "ok" || feed.Items == 0 {
			t.Errorf("%s: state %q with %d items: %+v", name, feed.State, feed.Items, feed.LastPoll)
		}
	}
}

// word matches a title that has the given words.
func word(pattern string) func(string) bool {
	re := regexp.MustCompile(`(?i)(^|[^\pL\pN])(` + pattern + `)($|[^\pL\pN])`)
	return re.MatchString
}

// checkTopic compares a topic's merged feeds with the export of everything: one entry per story that has a matching item.
func checkTopic(t *testing.T, url, id string, all []row, matches func(title string) bool) {
	stories := make(map[string]bool)
	for _, r := range all {
		if matches(r.Title) {
			stories[r.Story] = true
		}
	}
	if len(stories) == 0 {
		t.Fatal("no captured item matches: the test shows nothing")
	}
	path := "/topics/" + id
	if id == "" {
		path = "/all"
	}
	for _, format := range []string{".atom", ".rss", ".json"} {
		body := get(t, url+path+format)
		feed, err := gofeed.NewParser().ParseString(body)
		if err != nil {
			t.Fatalf("gofeed cannot read %s%s: %v", path, format, err)
		}
		ids := make(map[string]bool)
		for _, it := range feed.Items {
			guid := it.GUID
			ids[guid[strings.LastIndexAny(guid, "/:")+1:]] = true
		}
		if len(feed.Items) != len(ids) {
			t.Errorf("%s%s: %d entries with %d ids", path, format, len(feed.Items), len(ids))
		}
		if diff := cmp.Diff(stories, ids); diff != "" {
			t.Errorf("%s%s: stories (-expected +published):\n%s", path, format, diff)
		}
		if format != ".json" {
			t.Run("sfeed"+format, func(t *testing.T) {
				if got := sfeedItems(t, body); got != len(feed.Items) {
					t.Errorf("sfeed reads %d entries, gofeed %d", got, len(feed.Items))
				}
			})
		}
	}
}

// sfeedItems counts the entries that sfeed reads from a feed.
func sfeedItems(t *testing.T, body string) int {
	t.Helper()
	path, err := exec.LookPath("sfeed")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("sfeed is missing; .ci/install-test-tools installs it")
		}
		t.Skip("SKIPPED: sfeed is not installed; .ci/install-test-tools installs it")
	}
	cmd := exec.Command(path)
	cmd.Stdin = strings.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sfeed: %v", err)
	}
	return strings.Count(string(out), "\n")
}

// The design's case: a cloud provider opens an office while a data protection bill is before its ministry. Three outlets
// have it, two of them under the same link.
const (
	wireStory = `<p>The provider said its Karachi office would serve banks that move to <b>cloud computing</b>.
It comes while a <i>personal data protection bill</i>, which would keep sensitive records inside the country, waits at the
ministry of information technology.</p>`
	caseFeed = `<?xml version="1.0"?><rss version="2.0"><channel><title>%s</title><link>%s</link><description>x</description>
<item><title>%s</title><link>%s</link><guid isPermaLink="false">%s</guid>
<pubDate>Tue, 03 Mar 2026 09:00:00 +0500</pubDate><description><![CDATA[%s]]></description></item>
<item><title>Cricket: rain stops play</title><link>%[2]s/cricket</link><guid isPermaLink="false">c</guid>
<pubDate>Tue, 03 Mar 2026 08:00:00 +0500</pubDate><description>No play today.</description></item>
</channel></rss>`
)

func TestOneStory(t *testing.T) {
	mux := http.NewServeMux()
	for name, body := range map[string]string{
		"agency": fmt.Sprintf(caseFeed, "Indus News Agency", "https://agency.example",
			"Cloud provider to open Karachi office", "https://agency.example/2026/karachi-office", "a-1", wireStory),
		"daily": fmt.Sprintf(caseFeed, "The Daily Clifton", "https://daily.example",
			"Cloud firm picks Karachi", "https://Agency.example:443/2026/karachi-office/?utm_source=daily#top", "d-77", wireStory),
		"weekly": fmt.Sprintf(caseFeed, "Weekly Ledger", "https://ledger.example",
			"Why a cloud office in Karachi, and why now", "https://ledger.example/cloud-office", "w-9", wireStory),
	} {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	wd := workdir(t, `listen: 127.0.0.1:0
base_url: https://wire.example.org
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
topics:
  - {id: cloud, title: Cloud, query: '"cloud computing" OR aws OR azure'}
  - {id: data-protection, title: Data protection, query: '"data protection" OR gdpr'}
`+feedConfig(serve(t, mux).URL, "agency", "daily", "weekly"))
	must(t, wd, "fetch", "--all")
	d := start(t, wd, "serve")

	var entries []string
	for _, topic := range []string{"cloud", "data-protection"} {
		feed, err := gofeed.NewParser().ParseString(get(t, d.url+"/topics/"+topic+".atom"))
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, it := range feed.Items {
			titles = append(titles, it.Title)
			if !strings.Contains(strings.ToLower(it.Link), "agency.example") {
				continue
			}
			entries = append(entries, it.GUID)
			for _, source := range []string{"Indus News Agency", "The Daily Clifton"} {
				if !strings.Contains(it.Content, source) {
					t.Errorf("%s: the shared story does not name %s:\n%s", topic, source, it.Content)
				}
			}
		}
		if len(titles) != 2 {
			t.Errorf("%s: entries %q, want the shared story once and the other outlet's", topic, titles)
		}
	}
	if len(entries) != 2 || entries[0] != entries[1] {
		t.Errorf("the shared story has the ids %q, want the same one in both topics", entries)
	}
	found := get(t, d.url+"/all?q=title:karachi+-cricket+feed:weekly")
	if !strings.Contains(found, "Why a cloud office in Karachi") || strings.Contains(found, "Cricket") || !strings.Contains(found, "1 story found") {
		t.Errorf("a search on the page of all stories gives\n%s", found)
	}
	if page := get(t, d.url+"/status"); strings.Count(page, "1 with news") != 3 {
		t.Errorf("the page of the feeds' health does not show the polls:\n%s", page)
	}
	for _, path := range []string{"/topics/cloud", "/topics/cloud.rss", "/topics/cloud.json"} {
		page := get(t, d.url+path)
		for _, source := range []string{"Indus News Agency", "The Daily Clifton", "Weekly Ledger"} {
			if !strings.Contains(page, source) {
				t.Errorf("%s does not name %s", path, source)
			}
		}
	}
}

// TestNearStory: a report that an outlet has cut and given another headline is one story with the original, which the feed
// that is preferred stands for.
func TestNearStory(t *testing.T) {
	paragraphs := []string{
		"A ferry that was to carry forty lorries across the strait each night stays in its harbour, because nobody has found out who may sign for its lifeboats since the ministry was split in two.",
		"The owner said that it would pay the crew until the end of the month and then look for work elsewhere. Merchants on the island have rented a plane for milk and letters meanwhile.",
		"A clerk who was asked about it said that the form exists, that it is blue, and that it has not been printed since spring.",
	}
	origin := &folder{dir: t.TempDir()}
	agency := fmt.Sprintf(caseFeed, "Agency", "https://agency.example", "Ferry waits for a form", "https://agency.example/1", "a",
		"<p>"+strings.Join(paragraphs, "</p><p>")+"</p>")
	writeFile(t, filepath.Join(origin.dir, "agency"), agency)
	writeFile(t, filepath.Join(origin.dir, "daily"), fmt.Sprintf(caseFeed, "Daily", "https://daily.example", "No boat to the island",
		"https://daily.example/2", "d", strings.Join(paragraphs[:2], " ")+" [...]"))
	for _, mode := range []string{"near", "exact"} {
		t.Run(mode, func(t *testing.T) {
			wd := workdir(t, "listen: 127.0.0.1:0\nbase_url: https://wire.example.org\nstories: "+mode+"\n"+
				"fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}\n"+
				strings.ReplaceAll(feedConfig(serve(t, origin).URL, "agency", "daily"), "id: daily,", "id: daily, priority: 1,"))
			must(t, wd, "fetch", "--all")
			d := start(t, wd, "serve")
			feed, err := gofeed.NewParser().ParseString(get(t, d.url+"/all.atom"))
			if err != nil {
				t.Fatal(err)
			}
			var shown []string
			for _, it := range feed.Items {
				if !strings.Contains(it.Title, "Cricket") {
					shown = append(shown, it.Title)
				}
			}
			want := []string{"No boat to the island"}
			if mode == "exact" {
				want = []string{"Ferry waits for a form", "No boat to the island"}
			}
			slices.Sort(shown)
			if !slices.Equal(shown, want) {
				t.Errorf("entries %q, want %q", shown, want)
			}
			explained := must(t, wd, "stories", "explain", "http://agency.example/1?utm_source=x", "https://daily.example/2")
			for _, part := range []string{"text  same   nearly the same text", "page  apart  their links lead to different pages"} {
				if !strings.Contains(explained, part) {
					t.Errorf("stories explain does not print %q:\n%s", part, explained)
				}
			}
			if strings.Contains(explained, "They are stored as one story.") != (mode == "near") || strings.Contains(explained, "stories: exact") != (mode == "exact") {
				t.Errorf("stories explain with stories: %s:\n%s", mode, explained)
			}
			var c struct {
				Items    [2]struct{ Feed string }
				OneStory bool `json:"one_story"`
				Text     struct {
					Same    bool
					Jaccard float64
					Words   [2]int
				}
			}
			if err := json.Unmarshal([]byte(must(t, wd, "stories", "explain", "--json", "http://agency.example/1", "https://daily.example/2")), &c); err != nil {
				t.Fatal(err)
			}
			if c.Items[0].Feed != "agency" || c.OneStory != (mode == "near") || !c.Text.Same || c.Text.Jaccard < 0.7 || c.Text.Words != [2]int{94, 69} {
				t.Errorf("stories explain --json: %+v", c)
			}
			d.stop(t)
			if alone := must(t, wd, "stories", "explain", "http://agency.example/1?utm_source=x", "https://daily.example/2"); alone != explained {
				t.Errorf("beside a daemon:\n%s\nalone:\n%s", explained, alone)
			}
		})
	}
}

// TestItemsHistory shows what changed in an item, beside a daemon and without.
func TestItemsHistory(t *testing.T) {
	origin := &folder{dir: t.TempDir()}
	write := func(title, text string) {
		writeFile(t, filepath.Join(origin.dir, "agency"), fmt.Sprintf(caseFeed, "Agency", "https://agency.example", title, "https://agency.example/1", "a", text))
	}
	wd := workdir(t, "listen: 127.0.0.1:0\nbase_url: https://wire.example.org\n"+
		"fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}\n"+feedConfig(serve(t, origin).URL, "agency"))
	write("Ferry waits", "<p>It has waited for two days.</p>")
	must(t, wd, "fetch", "--all")
	write("Ferry still waits", "<p>It has waited for three days.</p>")
	must(t, wd, "fetch", "--all")
	d := start(t, wd, "serve")
	beside := must(t, wd, "items", "history", "https://agency.example/1")
	for _, part := range []string{"title: Ferry waits\n", "title: Ferry {+still+} waits\n", "for [-two-] {+three+} days.", "text 2, 6 words"} {
		if !strings.Contains(beside, part) {
			t.Errorf("items history does not print %q:\n%s", part, beside)
		}
	}
	var history struct {
		ID       string
		Revision int
		Changes  []struct {
			Title string
			At    time.Time
		}
	}
	if err := json.Unmarshal([]byte(must(t, wd, "items", "history", "https://agency.example/1", "--json")), &history); err != nil {
		t.Fatal(err)
	}
	if len(history.Changes) != 2 || history.Revision != 2 || history.Changes[1].Title != "Ferry still waits" || history.Changes[1].At.IsZero() {
		t.Errorf("history %+v", history)
	}
	d.stop(t)
	if alone := must(t, wd, "items", "history", history.ID); alone != beside {
		t.Errorf("beside a daemon:\n%s\nalone:\n%s", beside, alone)
	}
	for _, args := range [][]string{
		{"items", "history"}, {"items", "history", "nothing"}, {"items", "history", strings.Repeat("0", 32)},
		{"stories", "explain", "https://agency.example/1"}, {"stories", "explain", "https://agency.example/1", "https://none.example/x"},
	} {
		if r := topicwire(t, wd, args...); r.code != 2 || r.stderr == "" {
			t.Errorf("%q: exit code %d, want 2: %s", args, r.code, r.stderr)
		}
	}
}

func TestCommandsWhileTheDaemonRuns(t *testing.T) {
	origin := &folder{dir: t.TempDir()}
	writeFile(t, filepath.Join(origin.dir, "one"), simpleFeed("one", 3))
	writeFile(t, filepath.Join(origin.dir, "two"), simpleFeed("two", 1))
	wd := workdir(t, `listen: 127.0.0.1:0
base_url: https://wire.example.org
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
topics: [{id: first, query: 'title:"one 1"'}, {id: elsewhere, query: one, feeds: [two]}]
`+feedConfig(serve(t, origin).URL, "one", "two"))
	must(t, wd, "fetch", "--all")
	d := start(t, wd, "run")
	origin.take()

	writeFile(t, filepath.Join(origin.dir, "one"), simpleFeed("one", 5))
	if out := must(t, wd, "fetch", "--all"); !strings.Contains(out, "one: 2 new, 0 changed of 5 items") {
		t.Errorf("fetch printed %q", out)
	}
	if got := origin.take(); got[http.StatusOK] != 1 || got[http.StatusNotModified] != 1 {
		t.Errorf("fetch --all made requests with the answers %v, want one of each", got)
	}
	if got := len(exported(t, wd)); got != 6 {
		t.Errorf("export has %d items, want 6", got)
	}
	if r := topicwire(t, wd, "export", "--topic", "none"); r.code != 2 || !strings.Contains(r.stderr, "it has first, elsewhere") {
		t.Errorf("export of no topic: exit code %d: %s", r.code, r.stderr)
	}
	if out := must(t, wd, "topics", "test", "--topic", "elsewhere"); !strings.Contains(out, "matches 0 of 6 items") {
		t.Errorf("topics test of a topic of other feeds printed %q", out)
	}
	if got := exported(t, wd, "--topic", "first"); len(got) != 1 || got[0].Title != "one 1" {
		t.Errorf("export --topic first: %+v", got)
	}
	if feed := listFeeds(t, wd)["one"]; feed.Items != 5 || feed.State != "ok" {
		t.Errorf("feeds list: %+v", feed)
	}
	if out := must(t, wd, "feeds", "show", "one"); !strings.Contains(out, "5 items, 2 new, 0 changed") {
		t.Errorf("feeds show printed\n%s", out)
	}
	if r := topicwire(t, wd, "feeds", "show", "three"); r.code != 2 || !strings.Contains(r.stderr, `no feed "three"`) {
		t.Errorf("feeds show of no feed: exit code %d: %s", r.code, r.stderr)
	}
	if out := must(t, wd, "topics", "test", "title:one -title:2"); !strings.Contains(out, "matches 4 of 6 items") {
		t.Errorf("topics test printed %q", out)
	}
	if r := topicwire(t, wd, "topics", "test", "title:("); r.code != 2 {
		t.Errorf("a query with a mistake: exit code %d, want 2: %s", r.code, r.stderr)
	}
	socket, err := os.Stat(filepath.Join(wd, "topicwire.db.sock"))
	if err != nil || socket.Mode().Perm() != 0o600 {
		t.Errorf("control socket: %v, %v, want mode 0600", socket, err)
	}
	writeFile(t, filepath.Join(wd, "other.yaml"), "store: bolt://topicwire.db\n")
	if r := topicwire(t, wd, "feeds", "list", "-c", "other.yaml"); r.code != 0 || !strings.Contains(r.stderr, "another config") {
		t.Errorf("a command with another config than the daemon's: exit code %d: %s", r.code, r.stderr)
	}
	second := topicwire(t, wd, "run")
	if second.code != 1 || !strings.Contains(second.stderr, "in use by another process") {
		t.Errorf("a second daemon: exit code %d: %s", second.code, second.stderr)
	}
	d.stop(t)
	if _, err := os.Stat(filepath.Join(wd, "topicwire.db.sock")); !os.IsNotExist(err) {
		t.Errorf("the daemon left its socket: %v", err)
	}
}

// TestSIGTERM ends a daemon in the middle of a poll that would take longer than it may.
func TestSIGTERM(t *testing.T) {
	asked := make(chan struct{}, 1)
	release := make(chan struct{})
	origin := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer close(release)
	wd := workdir(t, `listen: 127.0.0.1:0
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}, timeout: 60s}
`+feedConfig(origin.URL, "slow"))
	d := start(t, wd, "run")
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the feed was never polled")
	}
	if took := d.stop(t); took > 10*time.Second {
		t.Errorf("SIGTERM took %s", took)
	}
	if feed := listFeeds(t, wd)["slow"]; feed.State != "not polled yet" {
		t.Errorf("the abandoned poll left %+v, want none", feed)
	}
}

// TestConfigChanges edits the config between commands, as an operator does.
func TestConfigChanges(t *testing.T) {
	origin := &folder{dir: t.TempDir()}
	for _, name := range []string{"one", "two"} {
		writeFile(t, filepath.Join(origin.dir, name), simpleFeed(name, 2))
	}
	url := serve(t, origin).URL
	configure := func(wd, topics, feeds string) {
		t.Helper()
		writeFile(t, filepath.Join(wd, "config.yaml"), "fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}\ntopics: ["+topics+"]\nfeeds: ["+feeds+"]\n")
	}
	const (
		law   = "{id: law, query: nothing-has-this}"
		zeros = "{id: zeros, query: 'title:0'}"
	)
	one := fmt.Sprintf("{id: one, url: %q, topics: [law]}", url+"/one")
	two := fmt.Sprintf("{id: two, url: %q, topics: [law]}", url+"/two")
	wd := workdir(t, "")
	configure(wd, law, one+","+two)
	must(t, wd, "fetch", "--all")
	if got := len(exported(t, wd, "--topic", "law")); got != 4 {
		t.Fatalf("%d items are forced into the topic, want 4", got)
	}

	configure(wd, law+","+zeros, one)
	if got := len(exported(t, wd, "--topic", "zeros")); got != 2 {
		t.Errorf("a new topic has %d of the stored items, want 2", got)
	}
	must(t, wd, "fetch")
	if got := len(exported(t, wd, "--topic", "law")); got != 4 {
		t.Errorf("%d items are in the topic after one of its feeds was removed, want the same 4", got)
	}
	if feed := listFeeds(t, wd)["two"]; feed.State != "removed" || feed.Items != 2 {
		t.Errorf("the removed feed: %+v", feed)
	}

	origin.take()
	configure(wd, law, fmt.Sprintf("{id: one, url: %q, schedule: '@daily'}", url+"/two"))
	must(t, wd, "fetch")
	if got := origin.take(); got[http.StatusOK] != 1 {
		t.Errorf("a feed with a new URL was asked for with the answers %v, want it read at once", got)
	}
	if got := len(exported(t, wd, "--topic", "law")); got != 2 {
		t.Errorf("%d items are in the topic after a feed stopped forcing it, want 2", got)
	}
}

func TestExampleIsBuiltIn(t *testing.T) {
	atTop, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	builtIn, err := os.ReadFile("config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(atTop) != string(builtIn) {
		t.Error("the built-in example differs from config.example.yaml: run go generate ./...")
	}
	dir := t.TempDir()
	r := topicwire(t, dir, "check")
	if r.code != 0 || !strings.Contains(r.stderr, "built-in example") {
		t.Errorf("check without a config: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	writeFile(t, filepath.Join(dir, "config.yaml"), string(atTop))
	must(t, dir, "check")
}

func TestExitCodes(t *testing.T) {
	wd := workdir(t, "feeds: [{id: a, url: \"ftp://example.org/\"}]\nlisen: x\n")
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a config with mistakes":   {[]string{"check"}, 2, "config.yaml:1:"},
		"all of them":              {[]string{"check"}, 2, "config.yaml:2:1: "},
		"a command that is none":   {[]string{"chekc"}, 2, `did you mean "check"`},
		"a flag that is none":      {[]string{"check", "--fast"}, 2, "--fast"},
		"a config that is none":    {[]string{"check", "-c", "none.yaml"}, 2, "none.yaml"},
		"an argument too many":     {[]string{"check", "please"}, 2, "please"},
		"a format that is none":    {[]string{"export", "--format", "xls"}, 2, "jsonl"},
		"a period that is none":    {[]string{"export", "--since", "yesterday"}, 2, "yesterday"},
		"a period that runs back":  {[]string{"export", "--since", "2026-02-01", "--until", "2026-01-01"}, 2, "2026-01-01"},
		"a log level that is none": {[]string{"check", "-c", "good.yaml", "--log-level", "loud"}, 2, "loud"},
		"help":                     {[]string{"export", "--help"}, 0, ""},
		"version":                  {[]string{"--version"}, 0, ""},
		"no store yet":             {[]string{"feeds", "list", "-c", "good.yaml"}, 1, "no store"},
	} {
		writeFile(t, filepath.Join(wd, "good.yaml"), "store: bolt://none.db\n")
		t.Run(name, func(t *testing.T) {
			r := topicwire(t, wd, tc.args...)
			if r.code != tc.code || !strings.Contains(r.stderr, tc.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", r.code, tc.code, tc.says, r.stdout, r.stderr)
			}
		})
	}
}

// simpleFeed is an RSS feed with n items.
func simpleFeed(name string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0"?><rss version="2.0"><channel><title>%s</title><link>https://%[1]s.example/</link><description>x</description>`, name)
	for i := range n {
		fmt.Fprintf(&b, `<item><title>%s %d</title><link>https://%[1]s.example/%[2]d</link><guid>%[1]s-%[2]d</guid><pubDate>%[3]s</pubDate><description>Text of %[1]s %[2]d.</description></item>`,
			name, i, time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC).Format(time.RFC1123Z))
	}
	b.WriteString("</channel></rss>")
	return b.String()
}

func ids(rows []row) []string {
	out := make([]string, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

func TestParseShowsWhatWouldBeStored(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "good.xml"), simpleFeed("one", 2))
	writeFile(t, filepath.Join(dir, "cut.xml"), strings.TrimSuffix(simpleFeed("one", 2), "</item></channel></rss>"))
	writeFile(t, filepath.Join(dir, "page.html"), `<html><head><link rel="alternate" type="application/atom+xml" href="/feed.atom"></head><p>Hi`)
	var report struct {
		Feed    struct{ Title string }
		Items   []struct{ GUID, URL, Title, Published string }
		Repairs []string
	}
	for _, name := range []string{"good.xml", "cut.xml"} {
		if err := json.Unmarshal([]byte(must(t, dir, "parse", name, "--json")), &report); err != nil {
			t.Fatal(err)
		}
		if report.Feed.Title != "one" || len(report.Items) == 0 || report.Items[0].URL != "https://one.example/0" || report.Items[0].Published != "2026-01-01T00:00:00Z" {
			t.Errorf("%s: %+v", name, report)
		}
		if mended := name == "cut.xml"; mended != (len(report.Repairs) > 0) {
			t.Errorf("%s: repairs %q", name, report.Repairs)
		}
	}
	if out := must(t, dir, "parse", "good.xml"); !strings.Contains(out, "repairs   none") || !strings.Contains(out, "2026-01-01 00:01  one 1") {
		t.Errorf("parse printed\n%s", out)
	}
	if r := topicwire(t, dir, "parse", "page.html"); r.code != 1 || !strings.Contains(r.stderr, "/feed.atom") {
		t.Errorf("a web page: exit code %d: %s", r.code, r.stderr)
	}
}
