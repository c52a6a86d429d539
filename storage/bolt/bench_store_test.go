package bolt_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/bolt"
)

var (
	storeItems = flag.String("store-items", "", "the sizes of TestBenchStore, as in 100000,1000000; empty skips it")
	storeTable = flag.String("store-table", "", "the file whose table TestBenchStore rewrites")
)

const (
	benchFeeds   = 1000
	benchTopics  = 20
	benchPoll    = 20 // items in a poll
	benchWorkers = 64 // polls at once
	benchAsked   = 50 // stories that a reader asks for
	// benchWhole is up to how many items are written by id too, and checked: what takes hours, and a quarter of one, for more.
	benchWhole = 2_000_000
)

// library makes items of about 2 KB whose text is as hard to compress as news is: words by Zipf's law out of thirty
// thousand, in sentences, paragraphs and links. The n-th item is always the same.
type library struct {
	words []string
	feeds []aggregator.FeedID
}

func newLibrary() *library {
	l := &library{}
	rnd := rand.New(rand.NewPCG(1, 1))
	heads, tails := strings.Fields("b br c ch d f fl g gr h j k l m n p pr qu r s sh st t th tr v w z"), strings.Fields("a e i o u ai ea ou io")
	for range 30_000 {
		var w strings.Builder
		for range 1 + rnd.IntN(4) {
			w.WriteString(heads[rnd.IntN(len(heads))] + tails[rnd.IntN(len(tails))])
		}
		l.words = append(l.words, w.String()+[]string{"", "n", "s", "r", "l", "t"}[rnd.IntN(6)])
	}
	for i := range benchFeeds {
		l.feeds = append(l.feeds, aggregator.FeedID(fmt.Sprintf("feed-%07d", i)))
	}
	return l
}

func (l *library) topic(n int) aggregator.TopicID { return aggregator.TopicID(fmt.Sprint("topic-", n)) }

// item is the n-th item of the feed.
func (l *library) item(feed aggregator.FeedID, n int) aggregator.Item {
	rnd := rand.New(rand.NewPCG(2, uint64(n)))
	words := rand.NewZipf(rnd, 1.1, 8, uint64(len(l.words)-1))
	var b strings.Builder
	sentence := func(length int) {
		for i := range length {
			w := l.words[words.Uint64()]
			if i == 0 {
				w = strings.ToUpper(w[:1]) + w[1:]
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(w)
		}
	}
	sentence(6 + rnd.IntN(6))
	title := b.String()
	b.Reset()
	for b.Len() < 1000+rnd.IntN(1600) {
		b.WriteString("<p>")
		for range 2 + rnd.IntN(3) {
			sentence(8 + rnd.IntN(16))
			b.WriteString(". ")
		}
		if rnd.IntN(3) == 0 {
			fmt.Fprintf(&b, `<a href="https://%s.example/%s/%d">`, l.words[rnd.IntN(500)], l.words[words.Uint64()], rnd.IntN(1e6))
			sentence(2)
			b.WriteString("</a>")
		}
		b.WriteString("</p>\n")
	}
	url := fmt.Sprintf("https://%s.example/2026/%02d/%s-%d", feed, 1+rnd.IntN(12), strings.ReplaceAll(strings.ToLower(title), " ", "-"), n)
	seen := start.Add(time.Duration(n) * time.Second)
	it := aggregator.Item{
		ID: aggregator.NewItemID(feed, "guid", url), Feed: feed, Story: aggregator.NewStoryID("url", url), Revision: 1,
		GUID: url, URL: url, CanonicalURL: url, Title: title, Content: b.String(), Language: "en",
		Authors:   []aggregator.Author{{Name: l.words[rnd.IntN(2000)] + " " + l.words[rnd.IntN(2000)]}},
		Published: seen.Add(-time.Duration(rnd.IntN(3600)) * time.Second), DateSource: aggregator.DateFromFeed,
		FirstSeen: seen, Revised: seen, OrderTime: seen.Add(-time.Duration(rnd.IntN(3600)) * time.Second),
		Topics: []aggregator.TopicID{l.topic(rnd.IntN(benchTopics))},
		Hash:   aggregator.HashOf(url), TextHash: aggregator.HashOf(title),
	}
	if n%10 == 9 { // Each tenth item reports what another one did.
		it.Story = aggregator.NewStoryID("n", fmt.Sprint(n-rnd.IntN(50)))
	}
	return it
}

func rawText(it aggregator.Item) int {
	return len(it.Title) + len(it.Summary) + len(it.Content) + len(it.URL) + len(it.GUID)
}

// measured is a line of the table.
type measured struct {
	items                        int
	raw                          int64
	ingest, plainSeq, plainID    float64 // items a second
	bytes, compacted, plainBytes int64
	lookups                      float64
	p50, p99                     time.Duration
	heap                         uint64
	transactions                 int
	took, plainTook              spent
	compactTook, checked         time.Duration
}

// spent is time on the clock, and of all processors.
type spent struct{ clock, processor time.Duration }

func (s *spent) add(began time.Time, before time.Duration) {
	s.clock += time.Since(began)
	s.processor += processorTime() - before
}

// processorTime is what the process has had so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestBenchStore measures a store of each size beside the plainest writer that bbolt allows.
func TestBenchStore(t *testing.T) {
	if *storeItems == "" {
		t.Skip("no sizes are given: 'make bench-store' runs it")
	}
	l := newLibrary()
	var all []measured
	for _, text := range strings.Split(*storeItems, ",") {
		n, err := strconv.Atoi(text)
		ok(t, err)
		m := benchStore(t, l, n)
		t.Logf("%d items: %+v", n, m)
		all = append(all, m)
	}
	table := benchTable(all)
	fmt.Print(table)
	if *storeTable != "" {
		rewriteTable(t, *storeTable, table)
	}
}

func benchStore(t *testing.T, l *library, items int) (m measured) {
	m.items = items
	dir := t.TempDir()
	path := filepath.Join(dir, "wire.db")
	s := open(t, path)
	var feeds []aggregator.Feed
	for _, id := range l.feeds {
		feeds = append(feeds, aggregator.Feed{ID: id, URL: "https://" + string(id) + ".example/", Schedule: "@hourly"})
	}
	ok(t, s.SyncFeeds(t.Context(), feeds, dueAtStart))
	bySeq, byID := newPlain(t, filepath.Join(dir, "seq.db"), false), newPlain(t, filepath.Join(dir, "id.db"), true)
	before := s.Transactions()
	for from := 0; from < items; from += benchChunk {
		polls := l.chunk(from, items)
		m.raw += ingest(t, s, polls, &m.took)
		// As many items in a transaction as the store had so far.
		batch := max(1, min(from+benchChunk, items)/max(1, s.Transactions()-before))
		chunk := slices.Concat(polls...)
		bySeq.write(t, chunk, batch)
		if items <= benchWhole {
			byID.write(t, chunk, batch)
		}
	}
	m.transactions = s.Transactions() - before
	m.ingest = float64(items) / m.took.clock.Seconds()
	m.plainTook = bySeq.took
	m.plainSeq, m.plainBytes = float64(items)/bySeq.took.clock.Seconds(), bySeq.close(t)
	if m.plainID = float64(items) / byID.took.clock.Seconds(); items > benchWhole {
		m.plainID = math.NaN()
	}
	byID.close(t)
	warm(t, path)
	m.lookups = lookups(t, l, s, items)
	m.p50, m.p99 = latest(t, l, s)
	m.heap = heap()
	ok(t, s.Close())
	m.bytes = used(t, path)

	s = open(t, path)
	if items <= benchWhole {
		began := time.Now()
		report, err := s.Check(t.Context(), false)
		ok(t, err)
		if report.Found > 0 || report.Items != items {
			t.Fatalf("check: %+v", report)
		}
		m.checked = time.Since(began)
	}
	began := time.Now()
	_, err := s.Compact(t.Context())
	ok(t, err)
	m.compactTook = time.Since(began)
	ok(t, s.Close())
	m.compacted = used(t, path)
	ok(t, os.Remove(path))

	return m
}

// warm reads the file once: the plainest writer's, which is four times as large, has pushed it out of the system's memory.
func warm(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	ok(t, err)
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	ok(t, err)
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// benchChunk is how many items are made before they are stored, so that making them is no part of what is measured.
const benchChunk = 20_000

// chunk is the polls that bring the items from the given number on.
func (l *library) chunk(from, items int) [][]aggregator.Item {
	polls := make([][]aggregator.Item, (min(benchChunk, items-from)+benchPoll-1)/benchPoll)
	var makers sync.WaitGroup
	for i := range polls {
		if i%100 == 0 {
			makers.Go(func() {
				for k := i; k < min(i+100, len(polls)); k++ {
					first := from + k*benchPoll
					feed := l.feeds[first/benchPoll%benchFeeds]
					for n := first; n < min(first+benchPoll, items); n++ {
						polls[k] = append(polls[k], l.item(feed, n))
					}
				}
			})
		}
	}
	makers.Wait()
	return polls
}

// ingest commits the polls, from many goroutines at once, and gives the size of their text.
func ingest(t *testing.T, s *bolt.Store, polls [][]aggregator.Item, took *spent) (raw int64) {
	t.Helper()
	queue := make(chan []aggregator.Item, len(polls))
	for _, poll := range polls {
		queue <- poll
		for i := range poll {
			raw += int64(rawText(poll[i]))
		}
	}
	close(queue)
	leases := make(map[aggregator.FeedID]held)
	for _, l := range claimAll(t, s) {
		leases[l.Feed] = l
	}
	began, before := time.Now(), processorTime()
	var workers sync.WaitGroup
	for range benchWorkers {
		workers.Go(func() {
			for poll := range queue {
				if err := commit(t, s, leases[poll[0].Feed], poll...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	took.add(began, before)
	return raw
}

// plain is the plainest writer: it stores items' records as they are in one bucket.
type plain struct {
	db     *bbolt.DB
	byID   bool
	record func(*aggregator.Item) []byte
	seq    uint64
	took   spent
}

func newPlain(t *testing.T, path string, byID bool) *plain {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType, InitialMmapSize: 8 << 30})
	ok(t, err)
	return &plain{db: db, byID: byID, record: bolt.PlainRecords()}
}

// write stores items, so many in a transaction.
func (p *plain) write(t *testing.T, items []aggregator.Item, batch int) {
	t.Helper()
	began, before := time.Now(), processorTime()
	for waiting := range slices.Chunk(items, batch) {
		ok(t, p.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("items"))
			if err != nil {
				return err
			}
			for i := range waiting {
				p.seq++
				key := binary.BigEndian.AppendUint64(nil, p.seq)
				if p.byID {
					key = waiting[i].ID[:]
				}
				if err := b.Put(key, p.record(&waiting[i])); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	p.took.add(began, before)
}

// close removes the file and gives the size that it had.
func (p *plain) close(t *testing.T) int64 {
	t.Helper()
	path := p.db.Path()
	ok(t, p.db.Close())
	size := used(t, path)
	ok(t, os.Remove(path))
	return size
}

// lookups asks about the items of polls, half of them stored and half not, as a poll does.
func lookups(t *testing.T, l *library, s *bolt.Store, items int) float64 {
	t.Helper()
	rnd := rand.New(rand.NewPCG(3, 3))
	ids := make([][]aggregator.ItemID, 500)
	for i := range ids {
		for n := range benchPoll {
			k := rnd.IntN(items)
			it := l.item(l.feeds[k/benchPoll%benchFeeds], k)
			if n%2 == 0 {
				it.ID[15]++
			}
			ids[i] = append(ids[i], it.ID)
		}
	}
	began := time.Now()
	for _, poll := range ids {
		known, err := s.Resolve(t.Context(), poll)
		ok(t, err)
		if known[0].Found || !known[1].Found {
			t.Fatalf("known: %v", known[:2])
		}
	}
	return float64(len(ids)*benchPoll) / time.Since(began).Seconds()
}

func latest(t *testing.T, l *library, s *bolt.Store) (p50, p99 time.Duration) {
	t.Helper()
	var took []time.Duration
	for i := range 1000 {
		began := time.Now()
		n := 0
		for _, err := range s.Stories(t.Context(), aggregator.StoryQuery{Topic: l.topic(i % benchTopics), Limit: benchAsked}) {
			ok(t, err)
			n++
		}
		took = append(took, time.Since(began))
		if n != benchAsked {
			t.Fatalf("%d stories", n)
		}
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}

// perItem is the processors' time in microseconds.
func (s spent) perItem(m measured) float64 { return s.processor.Seconds() * 1e6 / float64(m.items) }

func benchTable(all []measured) string {
	var b strings.Builder
	row := func(name string, value func(measured) string) {
		b.WriteString("| " + name + " |")
		for _, m := range all {
			b.WriteString(" " + value(m) + " |")
		}
		b.WriteByte('\n')
	}
	row("items", func(m measured) string { return strconv.Itoa(m.items) })
	b.WriteString("|---|" + strings.Repeat("---:|", len(all)) + "\n")
	perItem := func(n int64, m measured) float64 { return float64(n) / float64(m.items) }
	row("raw text, bytes an item", func(m measured) string { return fmt.Sprintf("%.0f", perItem(m.raw, m)) })
	row("ingest, items/s", func(m measured) string { return fmt.Sprintf("%.0f", m.ingest) })
	row("plainest writer by Seq, items/s", func(m measured) string { return fmt.Sprintf("%.0f", m.plainSeq) })
	row("plainest writer by item id, items/s", func(m measured) string {
		if math.IsNaN(m.plainID) {
			return "-"
		}
		return fmt.Sprintf("%.0f", m.plainID)
	})
	row("ingest beside the writer by Seq", func(m measured) string { return fmt.Sprintf("%.2f", m.ingest/m.plainSeq) })
	row("processor time of ingest, µs an item", func(m measured) string { return fmt.Sprintf("%.1f", m.took.perItem(m)) })
	row("the same of the writer by Seq", func(m measured) string { return fmt.Sprintf("%.1f", m.plainTook.perItem(m)) })
	row("items in a transaction", func(m measured) string { return fmt.Sprintf("%.0f", float64(m.items)/float64(m.transactions)) })
	row("on disk, bytes an item", func(m measured) string { return fmt.Sprintf("%.0f", perItem(m.bytes, m)) })
	row("on disk beside the raw text", func(m measured) string { return fmt.Sprintf("%.2f", float64(m.bytes)/float64(m.raw)) })
	row("the same, compacted", func(m measured) string { return fmt.Sprintf("%.2f", float64(m.compacted)/float64(m.raw)) })
	row("the plainest writer's", func(m measured) string { return fmt.Sprintf("%.2f", float64(m.plainBytes)/float64(m.raw)) })
	row("dedupe look-ups/s", func(m measured) string { return fmt.Sprintf("%.0f", m.lookups) })
	row("latest 50 of a topic, p50", func(m measured) string { return m.p50.Round(time.Microsecond).String() })
	row("latest 50 of a topic, p99", func(m measured) string { return m.p99.Round(time.Microsecond).String() })
	row("heap after all of that", func(m measured) string { return fmt.Sprintf("%.1f MiB", float64(m.heap)/(1<<20)) })
	row("check", func(m measured) string {
		if m.checked == 0 {
			return "-"
		}
		return m.checked.Round(100 * time.Millisecond).String()
	})
	row("compact", func(m measured) string { return m.compactTook.Round(100 * time.Millisecond).String() })
	return b.String()
}

// rewriteTable puts the table between the two marks of a file.
func rewriteTable(t *testing.T, path, table string) {
	t.Helper()
	content, err := os.ReadFile(path)
	ok(t, err)
	before, rest, found := strings.Cut(string(content), "<!-- bench-store -->\n")
	_, after, closed := strings.Cut(rest, "<!-- /bench-store -->")
	if !found || !closed {
		t.Fatalf("%s has no marks to put the table between", path)
	}
	ok(t, os.WriteFile(path, []byte(before+"<!-- bench-store -->\n"+table+"<!-- /bench-store -->"+after), 0o644))
}
