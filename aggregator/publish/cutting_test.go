package publish_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// hourly is a store with a story an hour; the word "even" is in the titles of those an even number of hours ago.
func hourly(stories int) *memory {
	src := &memory{feeds: sample().feeds}
	for n := range stories {
		it := item("courier", fmt.Sprint("n", n), n, "cloud")
		if it.Title = fmt.Sprint("n", n); n%2 == 0 {
			it.Title += " even"
		}
		src.stories = append(src.stories, story(it))
	}
	return src
}

func TestAFeedMayBeCut(t *testing.T) {
	h := handler(t, hourly(300), searchable, at(noon.Add(50*time.Minute)))
	for query, want := range map[string]int{
		"limit=7":                           7,
		"limit=299":                         299,
		"since=2026-11-22":                  13, // from midnight to noon
		"since=2026-11-20":                  61,
		"since=2026-11-22T10:00:00Z":        3,
		"since=2026-11-22T10:00:01Z":        2,
		"since=2026-11-22T15:00:00%2B05:00": 3,
		"since=2026-11-22T15:00:00+05:00":   3,
		"since=90m":                         1,
		"since=24h":                         25, // to the full hour
		"since=2d":                          49,
		"since=1w":                          169,
		"since=2027-01-01":                  0,
		"since=2d&limit=3":                  3,
		"q=even":                            50,
		"q=even&limit=120":                  120,
		"q=EVEN":                            0, // this language tells them apart
		"q=n299":                            1,
		"q=even&since=1d":                   13,
		"q=nothing":                         0,
		"q=":                                50,
		"utm_source=x":                      50,
	} {
		for _, format := range []string{"atom", "rss", "json"} {
			path := "/topics/cloud." + format + "?" + query
			w := get(t, h, path)
			if w.Code != http.StatusOK {
				t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
				continue
			}
			if got := len(titlesIn(t, w.Body.String())); got != want {
				t.Errorf("GET %s: %d stories, want %d", path, got, want)
			}
		}
	}
}

func TestACutSaysWhatItIs(t *testing.T) {
	h := handler(t, hourly(30), searchable, func(o *publish.Options) { o.Hubs = []string{"https://hub.example/"} })
	for _, format := range []string{"atom", "rss", "json"} {
		whole, cut := get(t, h, "/topics/cloud."+format), get(t, h, "/topics/cloud."+format+"?since=2026-11-22&q=even&limit=5&x=y")
		body := strings.ReplaceAll(strings.ReplaceAll(cut.Body.String(), "&amp;", "&"), `\u0026`, "&")
		for _, want := range []string{
			"Cloud computing: even", "https://wire.example.org/topics/cloud." + format + "?limit=5&q=even&since=2026-11-22",
		} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in %.900s", format, want, body)
			}
		}
		if strings.Contains(body, "hub.example") || cut.Header().Get("Link") != "" || !strings.Contains(whole.Body.String(), "hub.example") {
			t.Errorf("%s: a hub tells of the whole feed alone; the cut's header is %v", format, cut.Header())
		}
		if cut.Header().Get("ETag") == "" || cut.Header().Get("Last-Modified") == "" {
			t.Errorf("%s: header %v", format, cut.Header())
		}
	}
	atom := get(t, h, "/topics/cloud.atom?q=even").Body.Bytes()
	checkAtom(t, "https://wire.example.org/topics/cloud.atom?q=even", atom)
	if ids := idsOf(t, atom); ids[0] != "tag:wire.example.org,2026-11-01:topic/cloud?q=even" {
		t.Errorf("id %s: a search is another feed", ids[0])
	}
	if ids := idsOf(t, get(t, h, "/topics/cloud.atom?since=2026-11-22").Body.Bytes()); ids[0] != "tag:wire.example.org,2026-11-01:topic/cloud" {
		t.Errorf("id %s: the latest of a feed are the same feed", ids[0])
	}
}

func TestMistakesInACutAreSaid(t *testing.T) {
	h := handler(t, hourly(3), searchable)
	for query, want := range map[string]string{
		"limit=0": "from 1 to 1000", "limit=ten": "from 1 to 1000", "limit=-1": "from 1 to 1000", "limit=1.5": "from 1 to 1000",
		"since=yesterday": "2026-11-24", "since=2026-13-01": "2026-11-24", "since=-1h": "2026-11-24", "since=0s": "2026-11-24", "since=d": "2026-11-24",
		"since=99999999999999999999d": "2026-11-24", "since=5": "2026-11-24",
		"q=a+(b":                        "No brackets; leave it out (at character 3 of the query).",
		"q=" + strings.Repeat("a", 501): "up to 500 letters",
		"q=%zz":                         "cannot be read",
	} {
		for _, path := range []string{"/topics/cloud.atom?", "/all.json?", "/feeds/courier.rss?"} {
			w := get(t, h, path+query)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Header().Get("Cache-Control"), "public") {
				t.Errorf("GET %s: %d, no %q in %s", path+query, w.Code, want, w.Body)
			}
		}
	}
	if w := get(t, handler(t, hourly(3)), "/all.atom?q=x"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "no search") {
		t.Errorf("a site without a search: %d", w.Code)
	}
}

// A feed of the last day is the same bytes for an hour, so that readers who come again within it cost nothing.
func TestARelativeSinceIsMadeOnceAnHour(t *testing.T) {
	clock := &clock{noon.Add(time.Minute)}
	src := hourly(60)
	h := handler(t, src, clock.set)
	tag := get(t, h, "/all.atom?since=1d").Header().Get("ETag")
	for range 5 {
		clock.now = clock.now.Add(10 * time.Minute)
		if w := get(t, h, "/all.atom?since=1d", "If-None-Match", tag); w.Code != http.StatusNotModified {
			t.Errorf("%v: %d", clock.now, w.Code)
		}
	}
	if n := src.reads.Load(); n != 1 {
		t.Errorf("read %d times in an hour", n)
	}
	clock.now = clock.now.Add(10 * time.Minute)
	if w := get(t, h, "/all.atom?since=1d", "If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("an hour later: %d", w.Code)
	}
}

// What one reader cuts out does not take the place of what all read.
func TestCutsDoNotPushFeedsOut(t *testing.T) {
	src := hourly(60)
	h := handler(t, src, searchable, func(o *publish.Options) { o.CacheBytes = 512 << 10 })
	get(t, h, "/all.atom")
	for n := range 60 {
		get(t, h, fmt.Sprint("/all.atom?q=n", n))
		get(t, h, fmt.Sprint("/all.rss?limit=", n+1))
	}
	src.reads.Store(0)
	if get(t, h, "/all.atom"); src.reads.Load() != 0 {
		t.Error("the feed was no longer kept")
	}
}

// However many search, what is no search is answered at once.
func TestSearchesHoldUpNoOtherCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := hourly(3)
		src.gate = make(chan struct{})
		h := handler(t, src, searchable)
		var searches sync.WaitGroup
		for n := range 4 * runtime.GOMAXPROCS(0) {
			searches.Go(func() { get(t, h, fmt.Sprint("/all.atom?q=n", n)) })
		}
		synctest.Wait()
		began := time.Now()
		if w := get(t, h, "/feeds/courier.atom"); w.Code != http.StatusOK || time.Since(began) != 0 {
			t.Errorf("%d after %v", w.Code, time.Since(began))
		}
		close(src.gate)
		searches.Wait()
	})
}

// What costs much of a query is done once for a search, and not for a reader whose search is made already, or cannot be.
func TestAQueryIsCompiledToSearchAlone(t *testing.T) {
	compiled := 0
	h := handler(t, hourly(3), searchable, func(o *publish.Options) {
		parse := o.ParseQuery
		o.ParseQuery = func(query string) (publish.Search, error) {
			search, err := parse(query)
			return func() (func(*aggregator.Item) bool, error) { compiled++; return search() }, err
		}
	})
	tag := get(t, h, "/all.atom?q=even").Header().Get("ETag")
	if compiled != 1 {
		t.Errorf("a search compiled its query %d times", compiled)
	}
	get(t, h, "/all.atom?q=even")
	get(t, h, "/all.atom?q=even", "If-None-Match", tag)
	get(t, h, "/all.atom?q=(")
	get(t, h, "/all?q=(")
	if compiled != 1 {
		t.Errorf("what searches nothing compiled a query %d times", compiled-1)
	}
	if get(t, h, "/all?q=even"); compiled != 2 {
		t.Errorf("a search on a page compiled its query %d times", compiled-1)
	}
}

func TestTheFeedOfASource(t *testing.T) {
	src := sample()
	h := handler(t, src, searchable)
	atom := get(t, h, "/feeds/agency.atom").Body.Bytes()
	checkAtom(t, "https://wire.example.org/feeds/agency.atom", atom)
	checkRSS(t, "https://wire.example.org/feeds/agency.rss", get(t, h, "/feeds/agency.rss").Body.Bytes())
	checkJSON(t, "https://wire.example.org/feeds/agency.json", get(t, h, "/feeds/agency.json").Body.Bytes())
	if got, want := titlesIn(t, string(atom)), []string{"Cloud firm comes to Karachi", "Regulator fines broker"}; !slices.Equal(got, want) {
		t.Errorf("entries %q, want its own items alone, newest first: %q", got, want)
	}
	if ids := idsOf(t, atom); ids[0] != "tag:wire.example.org,2026-11-01:source/agency" || ids[1] != "tag:wire.example.org,2026-11-01:item/"+aggregator.NewItemID("agency", "guid", "4711").String() {
		t.Errorf("ids %q", ids)
	}
	if got := titlesIn(t, get(t, h, "/feeds/agency.json?q=regulator&limit=4").Body.String()); !slices.Equal(got, []string{"Regulator fines broker"}) {
		t.Errorf("a search in it: %q", got)
	}
	if w := get(t, h, "/feeds/agency.atom/"); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "/feeds/agency.atom" {
		t.Errorf("with a slash: %d to %q", w.Code, w.Header().Get("Location"))
	}

	tag := get(t, h, "/feeds/agency.atom").Header().Get("ETag")
	src.stories[1].Items = append(src.stories[1].Items, item("agency", "third", 3))
	if w := get(t, h, "/feeds/agency.atom", "If-None-Match", tag); w.Code != http.StatusNotModified {
		t.Errorf("before a poll: %d", w.Code)
	}
	polled := src.feeds["agency"]
	polled.State.BodyHash = aggregator.HashOf("another document")
	src.feeds["agency"] = polled
	if w := get(t, h, "/feeds/agency.atom", "If-None-Match", tag, "A-IM", "feed"); w.Code != http.StatusIMUsed {
		t.Errorf("after a poll that changed the document: %d", w.Code)
	}

	tag = get(t, h, "/feeds/agency.atom").Header().Get("ETag")
	third := &src.stories[1].Items[len(src.stories[1].Items)-1]
	third.Title, polled.State.LastChange = "Corrected", noon
	src.feeds["agency"] = polled
	if w := get(t, h, "/feeds/agency.atom", "If-None-Match", tag, "A-IM", "feed"); w.Code != http.StatusIMUsed {
		t.Errorf("after a difference that changed an item: %d", w.Code)
	}

	src.stories = append(src.stories, story(item("hush", "letter", 1)))
	for _, path := range []string{"/feeds/hush.atom", "/feeds/hush.rss", "/feeds/hush.json", "/sources.opml"} {
		w := get(t, h, path)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "s3cr3t") {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestTheListOfTheSources(t *testing.T) {
	src := sample()
	tagged := src.feeds["agency"]
	tagged.Feed.Tags = []string{"news", "south-asia", "a,b/c"}
	gone := src.feeds["urdu"]
	gone.Active = false
	src.feeds["agency"], src.feeds["urdu"] = tagged, gone
	clock := &clock{noon}
	h := handler(t, src, clock.set)
	list := func() (urls []string, body []byte) {
		t.Helper()
		body = get(t, h, "/sources.opml").Body.Bytes()
		var doc struct {
			Outlines []struct {
				Title    string `xml:"title,attr"`
				URL      string `xml:"xmlUrl,attr"`
				Home     string `xml:"htmlUrl,attr"`
				Category string `xml:"category,attr"`
			} `xml:"body>outline"`
		}
		if err := xml.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		for _, o := range doc.Outlines {
			urls = append(urls, o.URL)
			if o.Title == "News & Agency" && (o.Category != "news,south-asia,a b c" || o.Home != "https://agency.example/") {
				t.Errorf("outline %+v", o)
			}
		}
		return urls, body
	}
	want := []string{"https://agency.example/feed.xml", "https://courier.example/feed.xml", "https://lost.example/feed.xml"}
	got, body := list()
	if !slices.Equal(got, want) {
		t.Errorf("the list has %q, want %q: neither the private one, nor the one that is no longer polled", got, want)
	}
	checkOPML(t, body)
	delete(src.feeds, "lost")
	clock.now = noon.Add(2 * time.Minute)
	if got, _ := list(); len(got) != 2 {
		t.Errorf("later: %q", got)
	}
	src.feeds = nil
	if body := get(t, handler(t, src), "/sources.opml").Body.String(); !strings.Contains(body, `<outline text="No feeds" title="No feeds"></outline>`) {
		t.Errorf("without feeds: %s", body)
	}
}

func TestASearchCanBeSubscribedTo(t *testing.T) {
	h := handler(t, sample(), searchable)
	body := get(t, h, "/topics/cloud?q="+url.QueryEscape("karachi office")).Body.String()
	link := `href="/topics/cloud.atom?q=karachi&#43;office"`
	if strings.Count(body, link) != 2 {
		t.Errorf("want %s for readers to discover and for people to see, in\n%s", link, body)
	}
	if got := titlesIn(t, get(t, h, "/topics/cloud.atom?q=karachi+office").Body.String()); len(got) != 1 {
		t.Errorf("the feed has %q", got)
	}
	var feed struct {
		Topicwire struct{ Topic string } `json:"_topicwire"`
		FeedURL   string                 `json:"feed_url"`
	}
	if err := json.Unmarshal(get(t, h, "/topics/cloud.json?q=karachi").Body.Bytes(), &feed); err != nil || feed.Topicwire.Topic != "cloud" || feed.FeedURL != "https://wire.example.org/topics/cloud.json?q=karachi" {
		t.Errorf("%v, %+v", err, feed)
	}
}
