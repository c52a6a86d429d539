package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/topic"
	"github.com/topicwire/topicwire/storage"
)

const (
	benchFeeds   = 10_000
	benchItems   = 20
	benchWorkers = 64
)

// unlimited lets all polls be of one host.
var unlimited = hosts.Limits{Each: hosts.Limit{Connections: 1 << 20}}

// benchOrigin serves benchFeeds feeds of benchItems items and about 28 KB each, and 304 to who has one.
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

// bareClient fetches all feeds of the origin and throws them away: the limit of what a poller can reach.
func bareClient(b *testing.B, origin string, conditional bool) time.Duration {
	transport := &http.Transport{MaxIdleConnsPerHost: benchWorkers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	numbers := make(chan int)
	var workers sync.WaitGroup
	began := time.Now()
	for range benchWorkers {
		workers.Go(func() {
			for i := range numbers {
				req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/%d", origin, i), nil)
				if err != nil {
					b.Error(err)
					continue
				}
				if conditional {
					req.Header.Set("If-None-Match", `"1"`)
				}
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	for i := range benchFeeds {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
	return time.Since(began)
}

// BenchmarkPass polls an origin whose items are all new, and again when nothing is, beside a client that fetches the
// same from the same origin and neither parses nor stores. of-bare is what matters: the rest depends on the machine.
func BenchmarkPass(b *testing.B) {
	origin := benchOrigin(b)
	matcher, err := topic.NewMatcher([]aggregator.Topic{
		{ID: "cloud", Query: `"cloud computing" OR aws OR azure`},
		{ID: "law", Query: `"data protection" OR gdpr`},
	})
	if err != nil {
		b.Fatal(err)
	}
	feeds := make([]aggregator.Feed, 0, benchFeeds)
	for i := range benchFeeds {
		feeds = append(feeds, aggregator.Feed{
			ID: aggregator.FeedID(fmt.Sprint("f", i)), URL: fmt.Sprintf("%s/%d", origin.URL, i), Schedule: "@hourly",
		})
	}
	newPoller := func(b *testing.B) *poll.Poller {
		store, err := storage.Open(b.Context(), "bolt://"+filepath.Join(b.TempDir(), "bench.db"), storage.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { store.Close() })
		now := time.Now()
		if err := store.SyncFeeds(b.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return now }); err != nil {
			b.Fatal(err)
		}
		return poll.New(poll.Options{
			Store: store, Queue: store, Directory: store, Topics: matcher, Hosts: unlimited, Workers: benchWorkers, Timeout: 30 * time.Second,
			Fetcher: fetch.New(fetch.Options{UserAgent: "bench", Timeout: 30 * time.Second, MaxBody: 1 << 24, MaxRedirects: 5, AllowPrivate: true, Now: time.Now}),
			Now:     time.Now,
			Jitter:  func() float64 { return 0 },
		})
	}
	pass := func(b *testing.B, p *poll.Poller, wantNew int) time.Duration {
		began := time.Now()
		summary, err := p.Pass(b.Context(), true, nil)
		took := time.Since(began)
		if err != nil || summary.Feeds != benchFeeds || summary.New != wantNew || summary.Failed > 0 {
			b.Fatalf("%+v, %v", summary, err)
		}
		return took
	}
	report := func(b *testing.B, took, bare time.Duration) {
		polls := float64(b.N * benchFeeds)
		b.ReportMetric(polls/took.Seconds(), "polls/s")
		b.ReportMetric(polls/bare.Seconds(), "bare-polls/s")
		b.ReportMetric(bare.Seconds()/took.Seconds(), "of-bare")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("new", func(b *testing.B) {
		var took, bare time.Duration
		for range b.N {
			bare += bareClient(b, origin.URL, false)
			p := newPoller(b)
			took += pass(b, p, benchFeeds*benchItems)
		}
		report(b, took, bare)
		b.ReportMetric(float64(b.N*benchFeeds*benchItems)/took.Seconds(), "items/s")
	})
	b.Run("304", func(b *testing.B) {
		p := newPoller(b)
		pass(b, p, benchFeeds*benchItems)
		var took, bare time.Duration
		for range b.N {
			bare += bareClient(b, origin.URL, true)
			took += pass(b, p, 0)
		}
		report(b, took, bare)
	})
}
