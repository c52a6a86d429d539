package publish_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator/publish"
)

// titlesIn are the titles of a feed's entries, as a reader has them.
func titlesIn(t *testing.T, body string) []string {
	t.Helper()
	feed, err := gofeed.NewParser().ParseString(body)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	titles := []string{}
	for _, it := range feed.Items {
		titles = append(titles, it.Title)
	}
	return titles
}

// series is a store whose stories a test adds and changes.
type series struct{ *memory }

func newSeries(stories int) series {
	s := series{&memory{feeds: sample().feeds}}
	for n := range stories {
		s.add(n)
	}
	return s
}

// add puts a story on top.
func (s series) add(n int) {
	s.stories = append(s.stories, story(item("courier", fmt.Sprint("story-", n), -n, "cloud")))
	s.version.Seq++
}

func (s series) change(n int, title string) {
	s.stories[n].Items[0].Title = title
	s.version.Seq++
}

func TestADeltaHasWhatIsNewToItsReader(t *testing.T) {
	for _, format := range []string{"atom", "rss", "json"} {
		for _, coding := range []string{"", "gzip", "br"} {
			t.Run(format+" "+coding, func(t *testing.T) {
				src := newSeries(5)
				h := handler(t, src)
				path := "/topics/cloud." + format
				ask := func(tags ...string) (code int, titles []string, header http.Header) {
					t.Helper()
					w := get(t, h, path, "Accept-Encoding", coding, "A-IM", "vcdiff, feed", "If-None-Match", strings.Join(tags, ", "))
					if w.Code == http.StatusNotModified {
						return w.Code, nil, w.Header()
					}
					return w.Code, titlesIn(t, unpacked(t, w.Header().Get("Content-Encoding"), w.Body)), w.Header()
				}
				_, _, header := ask()
				first := header.Get("ETag")
				if code, _, _ := ask(first); code != http.StatusNotModified {
					t.Errorf("unchanged: %d", code)
				}
				src.add(5)
				code, titles, header := ask(first)
				second := header.Get("ETag")
				if code != http.StatusIMUsed || !slices.Equal(titles, []string{"Title of story-5"}) {
					t.Errorf("after a new story: %d with %q", code, titles)
				}
				if header.Get("IM") != "feed" || header.Get("Delta-Base") != first || second == first ||
					second != get(t, h, path, "Accept-Encoding", coding).Header().Get("ETag") ||
					header.Get("Cache-Control") != "no-store, im, max-age=300" || header.Get("Vary") != "Accept-Encoding, A-IM, If-None-Match" {
					t.Errorf("header %v", header)
				}
				src.change(2, "Another title")
				src.add(6)
				if code, titles, _ = ask(second); code != http.StatusIMUsed || !slices.Equal(titles, []string{"Title of story-6", "Another title"}) {
					t.Errorf("after a change: %d with %q", code, titles)
				}
				want := []string{"Title of story-6", "Title of story-5", "Another title"}
				if code, titles, _ = ask(`"unknown"`, first); code != http.StatusIMUsed || !slices.Equal(titles, want) {
					t.Errorf("to who has the first edition: %d with %q", code, titles)
				}
				if code, titles, header = ask(first, "W/"+second); header.Get("Delta-Base") != second || len(titles) != 2 {
					t.Errorf("to who has both: %d with %q, %v", code, titles, header)
				}
				src.stories = src.stories[1:]
				src.version.Seq++
				if code, titles, _ = ask(second); code != http.StatusIMUsed || len(titles) != 2 {
					t.Errorf("after one went: %d with %q", code, titles)
				}
				for n := range src.stories {
					src.change(n, fmt.Sprint("All new ", n))
				}
				if code, titles, _ = ask(second); code != http.StatusOK || len(titles) != 6 {
					t.Errorf("after all have changed: %d with %q", code, titles)
				}
			})
		}
	}
}

func TestWhoGetsNoDelta(t *testing.T) {
	src := newSeries(3)
	h := handler(t, src)
	first := get(t, h, "/topics/cloud.atom").Header().Get("ETag")
	page := get(t, h, "/topics/cloud").Header().Get("ETag")
	src.add(3)
	for name, tc := range map[string]struct {
		path   string
		header []string
	}{
		"who does not ask for it":       {"/topics/cloud.atom", []string{"If-None-Match", first}},
		"who wants another kind":        {"/topics/cloud.atom", []string{"If-None-Match", first, "A-IM", "vcdiff, feeds"}},
		"who would rather not":          {"/topics/cloud.atom", []string{"If-None-Match", first, "A-IM", "feed;q=0"}},
		"who has nothing":               {"/topics/cloud.atom", []string{"A-IM", "feed"}},
		"who has what nobody gave":      {"/topics/cloud.atom", []string{"If-None-Match", `"x"`, "A-IM", "feed"}},
		"who has another feed":          {"/topics/cloud.rss", []string{"If-None-Match", first, "A-IM", "feed"}},
		"who has another part":          {"/topics/cloud.atom?limit=2", []string{"If-None-Match", first, "A-IM", "feed"}},
		"who sends what is no tag":      {"/topics/cloud.atom", []string{"If-None-Match", strings.Trim(first, `"`), "A-IM", "feed"}},
		"who has a thousand editions":   {"/topics/cloud.atom", []string{"If-None-Match", strings.Repeat(`"x", `, 1000) + first, "A-IM", "feed"}},
		"who reads pages":               {"/topics/cloud", []string{"If-None-Match", page, "A-IM", "feed"}},
		"whose feed has only a few new": {"/topics/quiet.atom", []string{"If-None-Match", first, "A-IM", "feed"}},
	} {
		w := get(t, h, tc.path, tc.header...)
		if w.Code != http.StatusOK || w.Header().Get("IM") != "" {
			t.Errorf("%s: %d, %v", name, w.Code, w.Header())
		}
	}
	restarted := handler(t, src)
	if w := get(t, restarted, "/topics/cloud.atom", "If-None-Match", first, "A-IM", "feed"); w.Code != http.StatusOK {
		t.Errorf("after a restart: %d", w.Code)
	}
}

// A reader that asks for deltas alone, at whatever editions, ends up with what the whole feed has.
func TestDeltasAddUp(t *testing.T) {
	for _, path := range []string{"/topics/cloud.atom", "/topics/cloud.json"} {
		src := newSeries(8)
		h := handler(t, src, func(o *publish.Options) { o.Stories, o.Window = 6, 1 })
		have := map[string]bool{}
		tag, deltas := "", 0
		for step := range 60 {
			src.add(8 + step)
			if step%3 == 0 {
				src.change(len(src.stories)-2, fmt.Sprint("Changed in step ", step))
			}
			whole := titlesIn(t, get(t, h, path).Body.String())
			if step%4 == 0 {
				continue // this reader is not always there
			}
			w := get(t, h, path, "If-None-Match", tag, "A-IM", "feed")
			tag = w.Header().Get("ETag")
			if w.Code == http.StatusIMUsed {
				deltas++
			}
			for _, title := range titlesIn(t, w.Body.String()) {
				have[title] = true
			}
			for _, title := range whole {
				if !have[title] {
					t.Fatalf("%s, step %d: %q never came", path, step, title)
				}
			}
		}
		if deltas < 30 {
			t.Errorf("%s: %d deltas", path, deltas)
		}
	}
}

// What was taken out of a feed is a feed by the rules, whatever the items hold.
func TestDeltasAreValidWhateverTheItemsHold(t *testing.T) {
	src := &memory{}
	h := handler(t, src)
	for i, s := range hostile {
		now := hostileSource(func() string { return s }, func() time.Time { return times[i%len(times)] })
		src.stories, src.feeds = now.stories, now.feeds
		src.version.Seq++
		type asked struct{ path, tag string }
		var all []asked
		for _, format := range []string{"atom", "rss", "json"} {
			path := "/topics/cloud." + format
			all = append(all, asked{path, get(t, h, path).Header().Get("ETag")})
		}
		src.stories = append(src.stories, story(item("courier", "late", 0, "cloud")))
		src.version.Seq++
		for _, a := range all {
			w := get(t, h, a.path, "If-None-Match", a.tag, "A-IM", "feed")
			body := w.Body.Bytes()
			if w.Code != http.StatusIMUsed {
				t.Fatalf("%s: %d with everything being %.100q", a.path, w.Code, s)
			}
			if strings.HasSuffix(a.path, ".json") {
				var feed struct{ Items []struct{ ID, Title string } }
				if err := json.Unmarshal(body, &feed); err != nil || len(feed.Items) != 1 || feed.Items[0].Title != "Title of late" {
					t.Errorf("%s: %v, %+v with everything being %.100q", a.path, err, feed, s)
				}
				continue
			}
			var feed struct {
				Entries []struct {
					Title string `xml:"title"`
				} `xml:"entry"`
				Items []struct {
					Title string `xml:"title"`
				} `xml:"channel>item"`
			}
			if err := xml.Unmarshal(body, &feed); err != nil || len(feed.Entries)+len(feed.Items) != 1 {
				t.Errorf("%s: %v, %+v with everything being %.100q", a.path, err, feed, s)
			}
		}
	}
}

func TestADeltaIsOtherwiseTheFeed(t *testing.T) {
	src := newSeries(3)
	h := handler(t, src)
	tag := get(t, h, "/topics/cloud.atom").Header().Get("ETag")
	src.add(3)
	delta := get(t, h, "/topics/cloud.atom", "If-None-Match", tag, "A-IM", "feed").Body.Bytes()
	whole := get(t, h, "/topics/cloud.atom?limit=1").Body.String()
	whole = strings.ReplaceAll(whole, "cloud.atom?limit=1", "cloud.atom")
	if diff := cmp.Diff(whole, string(delta)); diff != "" {
		t.Errorf("the delta with the one new story differs from the feed of the one (-feed +delta):\n%s", diff)
	}
	checkAtom(t, "https://wire.example.org/topics/cloud.atom", delta)
	head := do(t, h, http.MethodHead, "/topics/cloud.atom", "If-None-Match", tag, "A-IM", "feed")
	if head.Code != http.StatusIMUsed || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(delta)) {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
}
