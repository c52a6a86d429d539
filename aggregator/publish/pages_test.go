package publish_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

var (
	articleID  = regexp.MustCompile(`<article class="story" id="([^"]+)"`)
	olderLink  = regexp.MustCompile(`rel="next" href="([^"]+)"`)
	feedID     = regexp.MustCompile(`<code[^>]*>([a-z]+)</code>`)
	sortedBy   = regexp.MustCompile(`aria-sort="(\w+)"><a href="([^"]+)"`)
	filterLink = regexp.MustCompile(`<a class="state (\w+)" href="([^"]+)"`)
)

// all are the first groups of all matches.
func all(re *regexp.Regexp, body string) (groups []string) {
	for _, m := range re.FindAllStringSubmatch(body, -1) {
		groups = append(groups, m[1])
	}
	return groups
}

// walk follows the links to older stories from the path on and collects the stories.
func walk(t *testing.T, h http.Handler, path string) (ids []string, pages int) {
	t.Helper()
	for pages = 1; ; pages++ {
		w := get(t, h, path)
		if w.Code != http.StatusOK || pages > 100 {
			t.Fatalf("GET %s: %d after %d pages", path, w.Code, pages)
		}
		ids = append(ids, all(articleID, w.Body.String())...)
		m := olderLink.FindStringSubmatch(w.Body.String())
		if m == nil {
			return ids, pages
		}
		path = html.UnescapeString(m[1])
	}
}

func TestOlderStoriesComeOnceEach(t *testing.T) {
	src := &memory{}
	for n := range 230 { // five of them at each time, so that pages end between stories of one time
		it := item("a", fmt.Sprint(n), n/5, "cloud")
		it.OrderTime = it.OrderTime.Add(123456789)
		src.stories = append(src.stories, story(it))
	}
	h := handler(t, src, searchable)
	for path, want := range map[string]int{
		"/topics/cloud": 5, "/all": 5, "/topics/cloud?q=title": 5, "/topics/cloud?until=2026-11-22": 5, "/topics/quiet": 1,
	} {
		ids, pages := walk(t, h, path)
		if pages != want || want > 1 && (len(ids) != 230 || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 230) {
			t.Errorf("%s: %d stories on %d pages, want 230 on %d", path, len(ids), pages, want)
		}
	}
	if ids, _ := walk(t, h, "/all?until=2026-11-21"); len(ids) != 230-5*13 {
		t.Errorf("%d stories up to the day before", len(ids))
	}
}

func TestAddressesOfListsThatMakeNoSense(t *testing.T) {
	h := handler(t, sample(), searchable)
	for path, want := range map[string]int{
		"/all?before=yesterday":               400,
		"/all?before=1.2.03":                  400,
		"/all?before=1..":                     400,
		"/all?until=24.11.2026":               400,
		"/all?until=2026-13-01":               400,
		"/all?until=2026-11-22":               200,
		"/all?q=" + strings.Repeat("x", 501):  400,
		"/all?q=":                             200,
		"/all?q=%20":                          200,
		"/?page=2":                            404,
		"/?page=0":                            404,
		"/?page=x":                            404,
		"/?page=1":                            200,
		"/status?sort=colour":                 400,
		"/status?order=sideways":              400,
		"/status?state=sad":                   400,
		"/status?page=0":                      400,
		"/status?page=99":                     200,
		"/stories/0123":                       404,
		"/stories/" + strings.Repeat("0", 32): 404,
		"/stories/" + strings.Repeat("A", 32): 404,
		"/stories/" + storyOf("x") + "/more":  404,
		"/topics/cloud/?q=x":                  301,
		"/status/":                            301,
	} {
		w := get(t, h, path)
		if w.Code != want {
			t.Errorf("GET %s: %d, want %d", path, w.Code, want)
		}
		if w.Code >= 400 {
			checkPage(t, w.Body.Bytes())
		}
	}
}

func TestSearch(t *testing.T) {
	h := handler(t, sample(), searchable)
	w := get(t, h, "/all?q=karachi")
	if ids := all(articleID, w.Body.String()); len(ids) != 1 || !strings.Contains(w.Body.String(), "1 story found among the latest 4 stories.") {
		t.Errorf("stories %v:\n%s", ids, w.Body)
	}
	if w.Header().Get("X-Robots-Tag") != "noindex" || !strings.Contains(w.Body.String(), `<meta name="robots" content="noindex">`) {
		t.Error("a search is open to search engines")
	}
	if w.Header().Get("Cache-Control") != "public, max-age=0, no-cache" {
		t.Errorf("Cache-Control %q", w.Header().Get("Cache-Control"))
	}
	if body := get(t, h, "/topics/quiet?q=karachi").Body.String(); !strings.Contains(body, "No stories found among the latest 0 stories.") {
		t.Errorf("a search in an empty topic:\n%s", body)
	}
	if w := get(t, handler(t, sample()), "/all?q=x"); w.Code != http.StatusNotFound {
		t.Errorf("a site without a query language answers a search with %d", w.Code)
	}
}

func TestAMistakeInASearchIsPointedAt(t *testing.T) {
	h := handler(t, sample(), searchable)
	for query, want := range map[string]string{
		"cloud+(aws+x": "<code>cloud <mark>(aws</mark> x</code>",
		")":            "<code><mark>)</mark></code>",
		"%D8%A8(":      "<code>ب<mark>(</mark></code>",
		"<b>(":         "<code>&lt;b&gt;<mark>(</mark></code>",
	} {
		w := get(t, h, "/topics/cloud?q="+query)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), "No brackets; leave it out (at character ") {
			t.Errorf("%s: %d, want %s in\n%s", query, w.Code, want, w.Body)
		}
		checkPage(t, w.Body.Bytes())
	}
	h = handler(t, sample(), func(o *publish.Options) {
		o.ParseQuery = func(query string) (publish.Search, error) { return nil, misplaced(len(query) + 5) }
	})
	if body := get(t, h, "/all?q=a+OR").Body.String(); !strings.Contains(body, `a OR<mark><span class="gap">(here)</span></mark>`) {
		t.Errorf("what is missing at the end is not pointed at:\n%s", body)
	}
}

func TestASearchIsBounded(t *testing.T) {
	src := &memory{}
	for n := range 6000 {
		src.stories = append(src.stories, story(item("a", fmt.Sprint(n), n, "cloud")))
	}
	h := handler(t, src, searchable)
	body := get(t, h, "/all?q=nowhere").Body.String()
	if !strings.Contains(body, "No stories found among the latest 5,000 stories, back to ") || !strings.Contains(body, "Search older stories") {
		t.Errorf("a search of 6,000 stories:\n%s", body)
	}
	next := html.UnescapeString(olderLink.FindStringSubmatch(body)[1])
	if body := get(t, h, next).Body.String(); !strings.Contains(body, "No stories found among 1,000 stories.") {
		t.Errorf("the rest of it:\n%s", body)
	}
}

func TestAStoryShowsItsReportsAndWhatChanged(t *testing.T) {
	src := sample()
	h := handler(t, src)
	path := "/stories/" + storyOf("https://courier.example/cloud-office")
	w := get(t, h, path)
	body := w.Body.String()
	for _, want := range []string{
		"All 2 reports", "The Courier", "News &amp; Agency", "Cloud firm comes to Karachi", "by <bdi>Amna Khan</bdi>, <bdi>Jo Bell</bdi>",
		`office <ins><span class="vh">[put in: </span>&amp; data centre<span class="vh">]</span></ins> as`,
		`hire <del><span class="vh">[taken out: </span>100.<span class="vh">]</span></del> <ins><span class="vh">[put in: </span>200.`,
		`<link rel="canonical" href="https://wire.example.org` + path + `">`,
		`<link rel="alternate" type="application/atom&#43;xml" title="Cloud computing" href="/topics/cloud.atom">`,
		"<dt>First seen</dt><dd><time datetime=\"2026-11-22T11:10:00Z\">",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if w.Header().Get("Cache-Control") != "public, max-age=60" || w.Header().Get("ETag") == "" {
		t.Errorf("header %v", w.Header())
	}
	third := item("urdu", "third", 0, "cloud")
	third.Seq = 12
	src.stories[0].Items = append(src.stories[0].Items, third)
	if !strings.Contains(get(t, h, path).Body.String(), "All 3 reports") {
		t.Error("a new report is not shown")
	}
}

func TestAReportWithoutADateSaysSo(t *testing.T) {
	src := sample()
	body := get(t, handler(t, src), "/stories/"+src.stories[3].ID.String()).Body.String()
	if !strings.Contains(body, "its publisher gives no usable date") {
		t.Errorf("no word on the date:\n%s", body)
	}
}

func TestARefilingIsSeen(t *testing.T) {
	src := sample()
	h := handler(t, src)
	for _, path := range []string{"/", "/topics/cloud", "/topics/cloud?until=2026-11-22"} {
		src.refiling = aggregator.Refiling{}
		if strings.Contains(get(t, h, path).Body.String(), "being filed anew") {
			t.Errorf("%s tells of a refiling that is done", path)
		}
		src.refiling = aggregator.Refiling{Position: 42, End: 100}
		if !strings.Contains(get(t, h, path).Body.String(), "being filed anew: 42% done") {
			t.Errorf("%s does not tell of the refiling", path)
		}
	}
}

func TestDirectionsAndLanguages(t *testing.T) {
	body := get(t, handler(t, sample()), "/topics/data-protection").Body.String()
	for _, want := range []string{
		`<h3 class="title" dir="rtl" lang="ur-pk">`, `<span class="language">Urdu</span>`, `<bdi>روزنامہ خبر</bdi>`,
		`<h3 class="title" dir="auto" lang="en">`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

func TestTheVolumeIsShownByDayAndSource(t *testing.T) {
	src := &memory{version: aggregator.Version{Seq: 1, Changed: noon}, feeds: map[aggregator.FeedID]aggregator.FeedStatus{}}
	for n := range 9 {
		id := aggregator.FeedID(fmt.Sprint("feed-", n))
		src.feeds[id] = feed(id, fmt.Sprint("Feed <", n, ">"))
		for k := range 10 - n {
			src.stories = append(src.stories, story(item(id, fmt.Sprint(n, "-", k), 24*k, "cloud")))
		}
	}
	body := get(t, handler(t, src), "/topics/cloud").Body.String()
	for _, want := range []string{
		"24 September 2026 to 22 November 2026: 54 reports",
		`<bdi>Feed &lt;0&gt;</bdi> <span class="meta">10</span>`,
		`<bdi>4 other sources</bdi> <span class="meta">14</span>`,
		`<tr><th scope="row"><a href="/topics/cloud?until=2026-11-22"><time datetime="2026-11-22">22 November 2026</time></a></th>` +
			`<td>1</td><td>1</td><td>1</td><td>1</td><td>1</td><td>4</td><td>9</td></tr>`,
		"22 November 2026: 9\n4 other sources: 4\nFeed &lt;4&gt;: 1",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if n := strings.Count(body, `class="s5"`); n != 6 { // one in the legend, and on the days that the small ones had
		t.Errorf("%d parts of the others", n)
	}
	// Nothing in the last weeks: the chart ends where the topic does.
	src.version.Changed = noon.AddDate(1, 0, 0)
	src.version.Seq++
	if body := get(t, handler(t, src), "/topics/cloud").Body.String(); !strings.Contains(body, "24 September 2026 to 22 November 2026: 54 reports") {
		t.Errorf("a topic that fell silent has no chart:\n%s", body)
	}
	if body := get(t, handler(t, src), "/").Body.String(); !strings.Contains(body, "0 reports in 30 days") {
		t.Errorf("the first page does not say that a topic fell silent:\n%s", body)
	}
}

func TestTheFirstPageIsInParts(t *testing.T) {
	h := handler(t, &memory{}, func(o *publish.Options) {
		o.Topics = nil
		for n := range 130 {
			o.Topics = append(o.Topics, aggregator.Topic{ID: aggregator.TopicID(fmt.Sprint("topic-", n)), Title: fmt.Sprint("Topic ", n)})
		}
	})
	seen := 0
	for path, pages := "/", 0; ; pages++ {
		body := get(t, h, path).Body.String()
		checkPage(t, []byte(body))
		seen += strings.Count(body, `<h2 id="topics-topic-`)
		m := olderLink.FindStringSubmatch(body)
		if m == nil {
			if seen != 130 || pages != 2 {
				t.Errorf("%d topics on %d pages", seen, pages+1)
			}
			return
		}
		path = m[1]
	}
}

func TestStatusNamesRestlessFeeds(t *testing.T) {
	src := sample()
	const note = "more than half of its items change at each poll"
	f := src.feeds["agency"]
	f.State.LastPoll, f.State.Restless = aggregator.PollRecord{At: noon, Outcome: aggregator.OutcomeStored}, aggregator.RestlessFeed-1
	src.feeds["agency"] = f
	if body := get(t, handler(t, src), "/status").Body.String(); strings.Contains(body, note) {
		t.Errorf("a feed that is not restless yet is said to be:\n%s", body)
	}
	f.State.Restless++
	src.feeds["agency"] = f
	if body := get(t, handler(t, src), "/status").Body.String(); !strings.Contains(body, note) {
		t.Errorf("a restless feed is not marked:\n%s", body)
	}
}

// What else there is to know of a feed stands beside it, unless the feed is private.
func TestStatusNotes(t *testing.T) {
	failing := errors.New("disk")
	for name, c := range map[string]struct {
		notes map[aggregator.FeedID]string
		err   error
		code  int
	}{
		"notes":          {map[aggregator.FeedID]string{"agency": "its hub <pushes>", "hush": "a secret hub"}, nil, 200},
		"cannot be read": {nil, failing, 503},
	} {
		t.Run(name, func(t *testing.T) {
			h := handler(t, sample(), func(o *publish.Options) {
				o.FeedNotes = func(context.Context) (map[aggregator.FeedID]string, error) { return c.notes, c.err }
			})
			w := get(t, h, "/status")
			if body := w.Body.String(); w.Code != c.code || c.err == nil && !strings.Contains(body, "its hub &lt;pushes&gt;") || strings.Contains(body, "a secret hub") {
				t.Errorf("%d %s", w.Code, body)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	src := sample()
	for id, n := range map[aggregator.FeedID]float32{"agency": 3, "courier": 300, "urdu": 0.01} {
		f := src.feeds[id]
		f.State.Items, f.State.LastPoll, f.State.LastNew = int(10*n), aggregator.PollRecord{At: noon, Outcome: aggregator.OutcomeNotModified}, noon.Add(-time.Duration(n)*time.Hour)
		f.State.Pace.Rhythm = aggregator.Rhythm{Arrivals: n, Watched: 48}
		src.feeds[id] = f
	}
	inactive := feed("former", "A former feed")
	inactive.Active = false
	src.feeds["former"] = inactive
	h := handler(t, src)
	for query, want := range map[string]string{
		"":                       "hush lost new agency courier urdu",
		"?sort=feed":             "hush new agency courier lost urdu",
		"?sort=feed&order=down":  "urdu lost courier agency new hush",
		"?sort=rate":             "courier agency urdu hush new lost",
		"?sort=items":            "courier lost agency hush new urdu",
		"?sort=items&order=up":   "hush new urdu agency lost courier",
		"?sort=due":              "lost hush new agency courier urdu",
		"?state=fine":            "agency courier urdu",
		"?state=failing&page=2":  "",
		"?state=held":            "",
		"?state=fine&sort=rate":  "courier agency urdu",
		"?state=fine&order=down": "agency courier urdu",
	} {
		w := get(t, h, "/status"+query)
		if got := strings.Join(all(feedID, w.Body.String()), " "); got != want {
			t.Errorf("/status%s lists %s, want %s", query, got, want)
		}
		checkPage(t, w.Body.Bytes())
		if noindex := w.Header().Get("X-Robots-Tag") == "noindex"; noindex != (query != "") {
			t.Errorf("/status%s: closed to search engines: %v", query, noindex)
		}
	}
	body := get(t, h, "/status").Body.String()
	for _, want := range []string{
		"Not found (404): look for the feed&#39;s new URL.", "The publisher answered with the status 403 Forbidden.", "3 failures in a row",
		`<span class="state failing">Failing</span>`, `<span aria-hidden="true">▲</span>`, "150", "&lt; 0.1", "Not polled yet",
		`aria-label="Last 5 polls since 22 November 08:00: 1 with news, 1 without news, 3 failed"`, "6 feeds with 4,230 items",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if strings.Contains(body, token) || strings.Contains(body, "secret@") {
		t.Errorf("the page shows a secret:\n%s", body)
	}
	m := sortedBy.FindStringSubmatch(body)
	if m == nil || m[1] != "ascending" || html.UnescapeString(m[2]) != "/status?order=down&sort=state" {
		t.Errorf("the sorted column: %q", m)
	}
	if got := all(filterLink, body); !slices.Equal(got, []string{"all", "failing", "waiting", "fine"}) {
		t.Errorf("filters %q", got)
	}
}

func TestTheFeedsAreReadNoMoreOftenThanNeeded(t *testing.T) {
	src := sample()
	clock := &clock{noon}
	h := handler(t, src, clock.set)
	first := get(t, h, "/status")
	f := src.feeds["agency"]
	f.State.Title = "Renamed"
	src.feeds["agency"] = f
	clock.now = clock.now.Add(14 * time.Second)
	if got := get(t, h, "/status?sort=feed").Body.String(); strings.Contains(got, "Renamed") {
		t.Error("the feeds were read again at once")
	}
	if got := get(t, h, "/status").Header().Get("ETag"); got != first.Header().Get("ETag") {
		t.Error("another entity tag of the same state")
	}
	clock.now = clock.now.Add(2 * time.Second)
	if got := get(t, h, "/status").Body.String(); !strings.Contains(got, "Renamed") {
		t.Error("the feeds were not read again")
	}
	clock.now = noon // a clock that was put back
	f.State.Title = "Renamed again"
	src.feeds["agency"] = f
	if got := get(t, h, "/status").Body.String(); !strings.Contains(got, "Renamed again") {
		t.Error("the feeds were not read again after the clock was put back")
	}
}

func TestManyFeedsAreInParts(t *testing.T) {
	src := &memory{feeds: map[aggregator.FeedID]aggregator.FeedStatus{}}
	want := map[string]bool{}
	for n := range 250 {
		id := aggregator.FeedID(fmt.Sprintf("feed%c%c", 'a'+n/26, 'a'+n%26))
		src.feeds[id] = feed(id, "Feed")
		want[string(id)] = true
	}
	h := handler(t, src)
	got := map[string]bool{}
	path := "/status?sort=items"
	for range 3 {
		body := get(t, h, path).Body.String()
		for _, id := range all(feedID, body) {
			got[id] = true
		}
		if m := olderLink.FindStringSubmatch(body); m != nil {
			path = html.UnescapeString(m[1])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("feeds on three pages (-want +got):\n%s", diff)
	}
}

// FuzzPageAddresses asks for pages with whatever may stand behind a question mark.
func FuzzPageAddresses(f *testing.F) {
	for _, query := range []string{
		"q=karachi", "q=(", "q=%ff%00%E2%80%AE", "before=1795260936.000000000.b3a594468655a47cedb66ba1ae02b0cb", "before=-99999999999999.0.",
		"until=2026-11-22&q=a", "until=0000-00-00", "sort=rate&order=down&page=2", "page=99999999999999999999", "page=92270000000000000", "state=fine&state=held", ";", "%",
	} {
		f.Add(query)
	}
	h := handler(f, sample(), at(noon.Add(time.Hour)), searchable)
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/", "/all", "/topics/cloud", "/status"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 200 && w.Code != 400 && w.Code != 404 {
				t.Errorf("GET %s?%s: %d", path, query, w.Code)
			}
			checkPage(t, w.Body.Bytes())
		}
	})
}

// slowCounter is a source that takes for ever to count.
type slowCounter struct{ *memory }

func (slowCounter) Volume(ctx context.Context, _ aggregator.VolumeQuery) ([]aggregator.DayVolume, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAPageDoesNotWaitForItsVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(t, slowCounter{sample()})
		for path, want := range map[string]string{"/": "Cloud computing", "/topics/cloud": "Karachi"} {
			began := time.Now()
			w := get(t, h, path)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "in 30 days") {
				t.Errorf("GET %s: %d\n%s", path, w.Code, w.Body)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("GET %s took %v", path, took)
			}
			checkPage(t, w.Body.Bytes())
		}
	})
}
