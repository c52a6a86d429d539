package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	stories "github.com/topicwire/topicwire/aggregator/story/group"
	"github.com/topicwire/topicwire/aggregator/topic"
	"github.com/topicwire/topicwire/storage"
)

const (
	// benchFeeds are those of which nothing is new, newFeeds those of which all is.
	benchFeeds   = 10_000
	newFeeds     = 2000
	benchItems   = 20
	benchWorkers = 64
)

// unlimited lets all polls be of one host.
var unlimited = hosts.Limits{Each: hosts.Limit{Connections: 1 << 20}}

// benchOrigin serves any number of feeds of benchItems items and about 28 KB each, and 304 to who has one.
func benchOrigin(b *testing.B) *httptest.Server {
	var body bytes.Buffer
	body.WriteString(`<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Feed @@@</title><link>https://f@@@.example/</link><description>A feed</description>`)
	paragraph := strings.Repeat("The ministry said that the draft on data protection would be put before the cabinet next week. ", 13)
	for i := range benchItems {
		fmt.Fprintf(&body, `<item><title>Item %d of feed @@@</title><link>https://f@@@.example/%[1]d</link><guid isPermaLink="false">@@@-%[1]d</guid><pubDate>%s</pubDate><description>%s</description></item>`,
			i, time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC).Format(time.RFC1123Z), paragraph)
	}
	body.WriteString(`</channel></rss>`)
	parts := bytes.Split(body.Bytes(), []byte("@@@"))
	return serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(bytes.Join(parts, []byte(strings.TrimPrefix(r.URL.Path, "/"))))
	}))
}

// bareClient asks for all feeds conditionally and throws the answers away: the limit of what a poller can reach.
func bareClient(b *testing.B, origin string) cost {
	transport := &http.Transport{MaxIdleConnsPerHost: benchWorkers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	return each(b, benchFeeds, func(i int) {
		req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/%d", origin, i), nil)
		if err != nil {
			b.Error(err)
			return
		}
		req.Header.Set("If-None-Match", `"1"`)
		resp, err := client.Do(req)
		if err != nil {
			b.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	})
}

// fetchAndParse gets feeds with the program's own client and reads them with gofeed, and does nothing more.
func fetchAndParse(b *testing.B, origin string) cost {
	client := fetch.New(fetch.Options{AllowPrivate: true})
	defer client.Close()
	return each(b, newFeeds, func(i int) {
		resp, err := client.Get(b.Context(), fetch.Request{URL: fmt.Sprintf("%s/%d", origin, i)})
		if err != nil {
			b.Error(err)
			return
		}
		if _, err := gofeed.NewParser().Parse(bytes.NewReader(resp.Body)); err != nil {
			b.Error(err)
		}
	})
}

// cost is what something took: time, and processor time of this process, which others on the machine change less.
type cost struct{ wall, cpu time.Duration }

func (c cost) add(o cost) cost { return cost{c.wall + o.wall, c.cpu + o.cpu} }

// begin measures from now on; the function that it gives says what that cost.
func begin(b *testing.B) (end func() cost) {
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	used, began := cpu(), time.Now()
	return func() cost { return cost{time.Since(began), cpu() - used} }
}

// each calls f for all numbers below n, by benchWorkers at once, and says what that cost.
func each(b *testing.B, n int, f func(i int)) cost {
	numbers := make(chan int)
	var workers sync.WaitGroup
	end := begin(b)
	for range benchWorkers {
		workers.Go(func() {
			for i := range numbers {
				f(i)
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
	return end()
}

// BenchmarkPass polls an origin whose items are all new, beside a program that fetches and parses the same and does
// nothing more; and one of which nothing is new, beside a client that only asks. of-bare is what matters: the rest depends
// on the machine. cpu-of-bare is the same in processor time, for a machine that has other things to do.
func BenchmarkPass(b *testing.B) {
	origin := benchOrigin(b)
	matcher, err := topic.NewMatcher([]aggregator.Topic{
		{ID: "cloud", Query: `"cloud computing" OR aws OR azure`},
		{ID: "law", Query: `"data protection" OR gdpr`},
	})
	if err != nil {
		b.Fatal(err)
	}
	// The clock is moved on between passes, so that all feeds are due again as they are in a daemon's life.
	var later atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	newPoller := func(b *testing.B, n int) (*poll.Poller, storage.Store) {
		store := benchStore(b, n, func(i int) string { return fmt.Sprintf("%s/%d", origin.URL, i) })
		return poll.New(poll.Options{
			Store: store, Queue: store, Directory: store, Archive: store, Topics: matcher, Hosts: unlimited, Workers: benchWorkers, Timeout: 30 * time.Second,
			Fetcher: fetch.New(fetch.Options{UserAgent: "bench", MaxRedirects: 5, AllowPrivate: true}),
			Stories: stories.New(stories.Options{Store: store, Now: now}),
			Now:     now,
			Jitter:  func() float64 { return 0 },
		}), store
	}
	pass := func(b *testing.B, p *poll.Poller, feeds, wantNew int) cost {
		later.Add(int64(2 * time.Hour))
		end := begin(b)
		summary, err := p.Pass(b.Context(), false, nil)
		took := end()
		if err != nil || summary.Feeds != feeds || summary.New != wantNew || summary.Failed > 0 {
			b.Fatalf("%+v, %v", summary, err)
		}
		return took
	}
	report := func(b *testing.B, feeds int, took, bare cost) {
		polls := float64(b.N * feeds)
		b.ReportMetric(polls/took.wall.Seconds(), "polls/s")
		b.ReportMetric(polls/bare.wall.Seconds(), "bare-polls/s")
		b.ReportMetric(bare.wall.Seconds()/took.wall.Seconds(), "of-bare")
		b.ReportMetric(bare.cpu.Seconds()/took.cpu.Seconds(), "cpu-of-bare")
		b.ReportMetric(took.cpu.Seconds()*1e6/polls, "cpu-µs/poll")
		b.ReportMetric(bare.cpu.Seconds()*1e6/polls, "bare-cpu-µs/poll")
		b.ReportMetric(float64(peakMemory(b))/(1<<20), "peak-MB")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("new", func(b *testing.B) {
		var took, bare cost
		for range b.N {
			bare = bare.add(fetchAndParse(b, origin.URL))
			p, _ := newPoller(b, newFeeds)
			took = took.add(pass(b, p, newFeeds, newFeeds*benchItems))
		}
		report(b, newFeeds, took, bare)
		b.ReportMetric(float64(b.N*newFeeds*benchItems)/took.wall.Seconds(), "items/s")
	})
	b.Run("304", func(b *testing.B) {
		p, store := newPoller(b, benchFeeds)
		remember(b, store)
		var took, bare cost
		for range b.N {
			bare = bare.add(bareClient(b, origin.URL))
			took = took.add(pass(b, p, benchFeeds, 0))
		}
		report(b, benchFeeds, took, bare)
	})
}

// benchStore is a new store on the disk with n feeds that are due.
func benchStore(b *testing.B, n int, url func(i int) string) storage.Store {
	b.Helper()
	feeds := make([]aggregator.Feed, 0, n)
	for i := range n {
		feeds = append(feeds, aggregator.Feed{ID: aggregator.FeedID(fmt.Sprint("f", i)), URL: url(i), Schedule: "@hourly"})
	}
	store, err := storage.Open(b.Context(), "bolt://"+filepath.Join(b.TempDir(), "bench.db"), storage.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	now := time.Now()
	if err := store.SyncFeeds(b.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return now }); err != nil {
		b.Fatal(err)
	}
	return store
}

// remember makes the states of all feeds those that polls of benchItems items left an hour ago.
func remember(b *testing.B, store storage.Store) {
	b.Helper()
	now := time.Now().UTC()
	listing := make([]aggregator.ListedItem, benchItems)
	for i := range listing {
		h := aggregator.HashOf(fmt.Sprint(i))
		listing[i] = aggregator.ListedItem{Bytes: h, GUID: h, Link: h, Repeat: h}
	}
	for {
		leases, err := store.Claim(b.Context(), now, time.Minute, 512)
		if err != nil {
			b.Fatal(err)
		}
		if len(leases) == 0 {
			return
		}
		polls := make([]*aggregator.Poll, 0, len(leases))
		for _, l := range leases {
			polls = append(polls, &aggregator.Poll{Feed: l.Feed, Token: l.Token, Listing: listing, Relist: true, State: aggregator.FeedState{
				Due: now.Add(time.Hour), Validators: aggregator.Validators{ETag: `"1"`}, Title: "Feed " + string(l.Feed),
				LastSuccess: now.Add(-time.Hour), LastWhole: now.Add(-time.Hour),
				LastPoll: aggregator.PollRecord{At: now.Add(-time.Hour), Outcome: aggregator.OutcomeStored, Status: 200, Listed: benchItems},
				Pace:     aggregator.Pace{Rhythm: aggregator.Rhythm{Seen: now.Add(-time.Hour), Arrivals: 3, Watched: 30, Covered: 30}},
			}})
		}
		if err := errors.Join(store.CommitEach(b.Context(), polls)...); err != nil {
			b.Fatal(err)
		}
	}
}

// peakMemory is the most memory that the process ever had, in bytes, 0 where the system does not say.
func peakMemory(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb int64
	_, _ = fmt.Sscan(rest, &kb)
	return kb << 10
}

// BenchmarkMillion has a million feeds in the store: how long a start takes (opening the store and taking over a config
// that is the same), how much memory it has then, and how long it takes to lease those that are due.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	file := filepath.Join(b.TempDir(), "million.db")
	open := func() storage.Store {
		store, err := storage.Open(b.Context(), "bolt://"+file, storage.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return store
	}
	feeds := make([]aggregator.Feed, 0, n)
	for i := range n {
		feeds = append(feeds, aggregator.Feed{
			ID: aggregator.FeedID(fmt.Sprint("f", i)), URL: fmt.Sprintf("https://site%d.example/feed.xml", i), Schedule: "@hourly",
		})
	}
	now := time.Now()
	// One in a hundred is due, as with schedules of half an hour each 18 s.
	due := func(f aggregator.Feed, _ aggregator.FeedState) time.Time {
		wait := time.Hour
		if strings.HasSuffix(string(f.ID), "00") {
			wait = -time.Hour
		}
		return now.Add(wait)
	}
	store := open()
	if err := store.SyncFeeds(b.Context(), feeds, due); err != nil {
		b.Fatal(err)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	var starting, claiming time.Duration
	claimed := 0
	var perFeed float64
	for range b.N {
		before := heapNow()
		began := time.Now()
		store := open()
		if err := store.SyncFeeds(b.Context(), feeds, due); err != nil {
			b.Fatal(err)
		}
		starting += time.Since(began)
		// The config's own feeds are not counted: what the store and its index need is.
		perFeed += (float64(heapNow()) - float64(before)) / n
		for {
			began := time.Now()
			leases, err := store.Claim(b.Context(), now, time.Minute, 1000)
			if err != nil {
				b.Fatal(err)
			}
			if len(leases) == 0 {
				break
			}
			claiming += time.Since(began)
			claimed += len(leases)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(starting.Seconds()/float64(b.N), "start-s")
	b.ReportMetric(claiming.Seconds()*1000/(float64(claimed)/1000), "ms/1000-claimed")
	b.ReportMetric(perFeed/float64(b.N), "heap-B/feed")
	b.ReportMetric(float64(peakMemory(b))/(1<<20), "peak-MB")
	b.ReportMetric(0, "ns/op")
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
