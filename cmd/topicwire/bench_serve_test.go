package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
	"github.com/topicwire/topicwire/storage"
)

var (
	serveItems  = flag.Int("serve-items", 100_000, "how many items BenchmarkManyTopics stores")
	serveTopics = flag.Int("serve-topics", 1000, "how many topics BenchmarkManyTopics files them under")
)

const (
	// serveConnections ask at once, serveRound is how often each does before it is the other server's turn.
	serveConnections = 32
	serveRound       = 300
)

// serveStore is a store with items of about 2 KB of text in so many topics.
func serveStore(b *testing.B, items, topics int) storage.Store {
	b.Helper()
	const perPoll = 100
	store := benchStore(b, max(1, items/perPoll/10), func(i int) string { return fmt.Sprintf("https://site%d.example/feed.xml", i) })
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 5000)
	for i := range words {
		words[i] = strconv.FormatUint(rnd.Uint64N(36*36*36*36*36), 36)
	}
	// A topic has a story an hour, so that its feed has fifty.
	step := time.Hour / time.Duration(topics)
	start := time.Now().UTC().Add(-time.Duration(items) * step)
	for n := 0; n < items; {
		leases, err := store.Claim(b.Context(), time.Now(), time.Minute, 64)
		if err != nil || len(leases) == 0 {
			b.Fatalf("%d leases, %v", len(leases), err)
		}
		polls := make([]*aggregator.Poll, 0, len(leases))
		for _, l := range leases {
			p := aggregator.Poll{Feed: l.Feed, Token: l.Token, State: aggregator.FeedState{
				Title: "The " + string(l.Feed) + " news", Link: "https://" + string(l.Feed) + ".example/", Due: start,
			}}
			for range perPoll {
				p.Items = append(p.Items, serveItem(rnd, words, l.Feed, n, topics, start.Add(time.Duration(n)*step)))
				n++
			}
			polls = append(polls, &p)
		}
		if err := errors.Join(store.CommitEach(b.Context(), polls)...); err != nil {
			b.Fatal(err)
		}
	}
	return store
}

func serveItem(rnd *rand.Rand, words []string, feed aggregator.FeedID, n, topics int, at time.Time) aggregator.Item {
	var text strings.Builder
	for text.Len() < 2000 {
		text.WriteString("<p>")
		for range 40 {
			text.WriteString(words[int(rnd.ExpFloat64()*500)%len(words)] + " ")
		}
		text.WriteString(`<a href="https://example.org/` + words[rnd.IntN(len(words))] + `">more</a></p>`)
	}
	url := fmt.Sprintf("https://%s.example/%d", feed, n)
	return aggregator.Item{
		ID: aggregator.NewItemID(feed, "guid", url), Feed: feed, Story: aggregator.NewStoryID("url", url), Revision: 1,
		GUID: url, URL: url, CanonicalURL: url, Title: fmt.Sprint("Item ", n, " of ", feed), Content: text.String(), Language: "en",
		Authors: []aggregator.Author{{Name: "A. Writer"}}, Published: at, DateSource: aggregator.DateFromFeed,
		FirstSeen: at, Revised: at, OrderTime: at, Topics: []aggregator.TopicID{serveTopic(n % topics)}, Hash: aggregator.HashOf(url),
	}
}

func serveTopic(n int) aggregator.TopicID { return aggregator.TopicID(fmt.Sprint("t", n)) }

// servePublisher publishes the store as the program does.
func servePublisher(b *testing.B, store storage.Store, topics int, cacheBytes int64) http.Handler {
	b.Helper()
	o := publish.Options{
		BaseURL: "https://wire.example.org", Authority: "wire.example.org,2026", MinAge: time.Minute, MaxAge: 15 * time.Minute, CacheBytes: cacheBytes,
	}
	for n := range topics {
		o.Topics = append(o.Topics, aggregator.Topic{ID: serveTopic(n), Title: fmt.Sprint("Topic ", n)})
	}
	h, err := publish.New(store, o)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// answers begins to serve and says where.
func answers(b *testing.B, h http.Handler) (address string) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends with the benchmark
	b.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// load asks by plain connections, which cost next to nothing beside what answers them.
type load struct {
	connections []net.Conn
	readers     []*bufio.Reader
}

func newLoad(b *testing.B, address string) *load {
	b.Helper()
	l := &load{}
	for range serveConnections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		l.connections, l.readers = append(l.connections, c), append(l.readers, bufio.NewReaderSize(c, 64<<10))
	}
	return l
}

// round has every connection send what request gives so many times, and adds how long each answer took.
func (l *load) round(b *testing.B, times int, status string, request func(i int) []byte, took []time.Duration) []time.Duration {
	b.Helper()
	var workers sync.WaitGroup
	all := make([][]time.Duration, len(l.connections))
	for n := range l.connections {
		workers.Go(func() {
			for i := range times {
				began := time.Now()
				if _, err := l.connections[n].Write(request(n*times + i)); err != nil {
					b.Error(err)
					return
				}
				if err := readAnswer(l.readers[n], status); err != nil {
					b.Error(err)
					return
				}
				all[n] = append(all[n], time.Since(began))
			}
		})
	}
	workers.Wait()
	return append(took, slices.Concat(all...)...)
}

// readAnswer reads an answer of the status and throws it away.
func readAnswer(r *bufio.Reader, status string) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch line = bytes.TrimRight(line, "\r\n"); {
		case first && !bytes.HasPrefix(line[len("HTTP/1.1 "):], []byte(status)):
			return fmt.Errorf("answer %q, want %s", line, status)
		case len(line) == 0:
			_, err := io.CopyN(io.Discard, r, int64(length))
			return err
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			if length, err = strconv.Atoi(string(line[len("Content-Length: "):])); err != nil {
				return err
			}
		}
	}
}

// percentile is how long the answers took of which the given part was not faster.
func percentile(took []time.Duration, part float64) float64 {
	slices.Sort(took)
	return float64(took[min(len(took)-1, int(part*float64(len(took))))]) / 1e3
}

// BenchmarkServe asks for a topic's feed of fifty stories that is kept, in gzip, and by its entity tag, beside net/http
// sending the same bytes, those of the header too, from memory: by turns, so that both have the same of the machine. of-bare is what matters,
// cpu-of-bare is the same in processor time, that of who asks included.
func BenchmarkServe(b *testing.B) {
	store := serveStore(b, 5000, 10)
	ours := answers(b, servePublisher(b, store, 10, 0))
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(feedRequest(b, ours))
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip" {
		b.Fatalf("%d %v, %v", resp.StatusCode, resp.Header, err)
	}
	etag := resp.Header.Get("ETag")
	bare := answers(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		for _, name := range []string{"Cache-Control", "ETag", "Last-Modified", "Vary"} {
			header.Set(name, resp.Header.Get(name))
		}
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Length", "X-Content-Type-Options"} {
			header.Set(name, resp.Header.Get(name))
		}
		_, _ = w.Write(body)
	}))
	for status, more := range map[string]string{"200": "", "304": "If-None-Match: " + etag + "\r\n"} {
		b.Run(status, func(b *testing.B) {
			request := []byte("GET /topics/t1.atom HTTP/1.1\r\nHost: wire.example.org\r\nUser-Agent: bench\r\nAccept-Encoding: gzip\r\n" + more + "\r\n")
			one := func(int) []byte { return request }
			ourLoad, bareLoad := newLoad(b, ours), newLoad(b, bare)
			var our, their cost
			var ourTimes, bareTimes []time.Duration
			for b.Loop() {
				end := begin(b)
				bareTimes = bareLoad.round(b, serveRound, status, one, bareTimes)
				their = their.add(end())
				end = begin(b)
				ourTimes = ourLoad.round(b, serveRound, status, one, ourTimes)
				our = our.add(end())
			}
			asked := float64(len(ourTimes))
			b.ReportMetric(asked/our.wall.Seconds(), "requests/s")
			b.ReportMetric(asked/their.wall.Seconds(), "bare-requests/s")
			b.ReportMetric(their.wall.Seconds()/our.wall.Seconds(), "of-bare")
			b.ReportMetric(their.cpu.Seconds()/our.cpu.Seconds(), "cpu-of-bare")
			for _, p := range []float64{0.5, 0.99} {
				b.ReportMetric(percentile(ourTimes, p), fmt.Sprintf("p%g-µs", 100*p))
				b.ReportMetric(percentile(bareTimes, p), fmt.Sprintf("bare-p%g-µs", 100*p))
			}
			b.ReportMetric(float64(len(body)), "bytes")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func feedRequest(b *testing.B, address string) *http.Request {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+address+"/topics/t1.atom", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	return req
}

// BenchmarkManyTopics asks for the feeds of many topics, a few often and most rarely, under the default bound of memory:
// how much memory that takes, and how long the answers do.
func BenchmarkManyTopics(b *testing.B) {
	const bound = 64 << 20
	store := serveStore(b, *serveItems, *serveTopics)
	for b.Loop() {
		before := heapNow()
		h := servePublisher(b, store, *serveTopics, bound)
		l := newLoad(b, answers(b, h))
		rnd := rand.New(rand.NewPCG(3, 4))
		popular := rand.NewZipf(rnd, 1.1, 10, uint64(*serveTopics-1))
		requests := make([][]byte, serveConnections*300)
		for i := range requests {
			requests[i] = fmt.Appendf(nil, "GET /topics/t%d.atom HTTP/1.1\r\nHost: wire.example.org\r\nAccept-Encoding: gzip\r\n\r\n", popular.Uint64())
		}
		began := time.Now()
		took := l.round(b, 300, "200", func(i int) []byte { return requests[i] }, nil)
		b.ReportMetric(float64(len(took))/time.Since(began).Seconds(), "requests/s")
		b.ReportMetric(percentile(took, 0.5), "p50-µs")
		b.ReportMetric(percentile(took, 0.99), "p99-µs")
		b.ReportMetric((float64(heapNow())-float64(before))/(1<<20), "heap-MB")
		b.ReportMetric(bound>>20, "bound-MB")
		b.ReportMetric(float64(peakMemory(b))/(1<<20), "peak-MB")
		runtime.KeepAlive(h)
	}
	b.ReportMetric(0, "ns/op")
}
