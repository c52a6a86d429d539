package publish_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// clock is the time of a test, which moves when the test says so.
type clock struct{ now time.Time }

func (c *clock) set(o *publish.Options) { o.Now = func() time.Time { return c.now } }

// edition is what a reader was given once: a date, and the bytes that it stood for.
type edition struct{ path, modified, body string }

func fetchEdition(t *testing.T, h http.Handler, path string) edition {
	t.Helper()
	w := get(t, h, path)
	e := edition{path, w.Header().Get("Last-Modified"), w.Body.String()}
	if w.Code != http.StatusOK || e.modified == "" {
		t.Fatalf("GET %s: %d, Last-Modified %q", path, w.Code, e.modified)
	}
	return e
}

// ask asks for the edition again by its date alone. It reports whether the reader is told that nothing has changed,
// which must then be true.
func (e edition) ask(t *testing.T, h http.Handler, when string) bool {
	t.Helper()
	if get(t, h, e.path, "If-Modified-Since", e.modified).Code != http.StatusNotModified {
		return false
	}
	if now := get(t, h, e.path).Body.String(); now != e.body {
		t.Errorf("%s: 304 for the %s of %s, whose bytes are others by now", when, e.path, e.modified)
	}
	return true
}

func TestADateVouchesForNoOtherBytesAfterARestart(t *testing.T) {
	moved := baseURL("https://elsewhere.example.org")
	renamed := func(o *publish.Options) { o.Topics[0].Title, o.Title = "Clouds", "Another Wire" }
	for name, tc := range map[string]struct {
		change func(*publish.Options)
		// restart is how long after the last answer the program starts again, later how long after that it is asked.
		restart, later time.Duration
	}{
		"another address":                 {moved, time.Minute, time.Minute},
		"another title":                   {renamed, time.Minute, time.Minute},
		"another version of the program":  {func(o *publish.Options) { o.Version = "2" }, time.Minute, time.Minute},
		"asked at once":                   {moved, time.Minute, 0},
		"all in one second":               {moved, 10 * time.Millisecond, 10 * time.Millisecond},
		"a restart in a second":           {moved, 10 * time.Millisecond, time.Minute},
		"on a clock that was put back":    {moved, -time.Hour, time.Minute},
		"on that clock when it caught up": {moved, -time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &clock{noon}
			before := handler(t, sample(), clock.set)
			var editions []edition
			for _, path := range []string{"/", "/topics/cloud", "/topics/cloud.atom", "/topics/quiet.rss", "/all.json", "/opml"} {
				fetchEdition(t, before, path)
				clock.now = clock.now.Add(1500 * time.Millisecond)
				e := fetchEdition(t, before, path)
				if !e.ask(t, before, "before the change") {
					t.Errorf("%s: asked again before the change, it is sent anew", path)
				}
				editions = append(editions, e)
			}
			clock.now = clock.now.Add(tc.restart)
			after := handler(t, sample(), clock.set, tc.change)
			for _, e := range editions {
				get(t, after, e.path)
			}
			clock.now = clock.now.Add(tc.later)
			for _, e := range editions {
				e.ask(t, after, "after the change")
			}
		})
	}
}

// Many changes at short distances, some of them seen long after they were dated, and restarts in between: a reader that
// asks by date alone, however old its edition is, never misses one.
func TestADateVouchesForNoOtherBytesWheneverTheStoreChanges(t *testing.T) {
	unchanged := 0
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 0))
		clock := &clock{noon}
		src := sample()
		title := "The Wire"
		start := func() http.Handler {
			return handler(t, src, clock.set, func(o *publish.Options) { o.Title = title })
		}
		h := start()
		var editions []edition
		for step := range 60 {
			clock.now = clock.now.Add(time.Duration(r.IntN(700)) * time.Millisecond)
			switch r.IntN(8) {
			case 0:
				title = fmt.Sprint("The Wire ", step)
				h = start()
			case 1, 2, 3:
				src.stories[0].Items[0].Title = fmt.Sprint("Text of step ", step)
				dated := clock.now.Add(-time.Duration(r.IntN(1500)) * time.Millisecond)
				src.version = aggregator.Version{Seq: src.version.Seq + 1, Changed: dated}
			}
			if e := fetchEdition(t, h, "/all.atom?limit=1"); !slices.Contains(editions, e) {
				editions = append(editions, e)
			}
			for _, e := range editions {
				if e.ask(t, h, fmt.Sprintf("seed %d, step %d", seed, step)) {
					unchanged++
				}
			}
			if t.Failed() {
				return
			}
		}
	}
	if unchanged == 0 {
		t.Error("nothing was ever unchanged")
	}
}

func TestLastModifiedIsNeverInTheFuture(t *testing.T) {
	clock := &clock{noon.Add(900 * time.Millisecond)}
	src := sample()
	src.version.Changed = noon.Add(time.Hour)
	h := handler(t, src, clock.set)
	for range 10 {
		for _, path := range []string{"/", "/topics/quiet", "/topics/quiet.atom", "/all.rss", "/opml", "/style.css", "/icon.svg"} {
			e := fetchEdition(t, h, path)
			at, err := http.ParseTime(e.modified)
			if err != nil || at.After(clock.now) || at.Before(noon) {
				t.Errorf("at %v, Last-Modified of %s is %q, %v", clock.now, path, e.modified, err)
			}
		}
		clock.now = clock.now.Add(250 * time.Millisecond)
	}
}

// Of what is healthy now, nothing may be kept.
func TestHealthIsAskedForEachTime(t *testing.T) {
	header := get(t, handler(t, sample()), "/healthz").Header()
	if header.Get("Cache-Control") != "no-store" || header.Get("ETag") != "" || header.Get("Last-Modified") != "" {
		t.Errorf("GET /healthz: header %v", header)
	}
}
