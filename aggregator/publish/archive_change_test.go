package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	fake "github.com/topicwire/topicwire/storage/memory"
)

// flaky is a store that fails to write notes where fails says so, and that lets something happen meanwhile when so many
// items of a list are read.
type flaky struct {
	*fake.Store
	wire *wire
}

var errFlaky = errors.New("no room left")

func (f flaky) PutNotes(ctx context.Context, notes ...aggregator.Note) error {
	if f.wire.fails != nil && f.wire.fails() {
		return errFlaky
	}
	return f.Store.PutNotes(ctx, notes...)
}

func (f flaky) Items(ctx context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error] {
	return func(yield func(aggregator.Item, error) bool) {
		read := 0
		for it, err := range f.Store.Items(ctx, q) {
			if f.wire.meanwhile != nil {
				f.wire.meanwhile(read)
			}
			read++
			if !yield(it, err) {
				return
			}
		}
	}
}

// fullWire is a wire with so many pages of the topic, and of everything.
func fullWire(t *testing.T, pages int) *wire {
	w := newWire(t)
	for i := range pages * testPageStories {
		key := fmt.Sprint("s", i)
		w.commit(reported([]aggregator.FeedID{"a", "b"}[i%2], key, key, 100-i, "cloud"))
	}
	w.once()
	return w
}

// gone checks that all pages answer 410.
func (w *wire) gone(when string, pages map[string][]byte) {
	w.Helper()
	for url := range pages {
		if status, _, header := w.get(url); status != http.StatusGone || header.Get("Cache-Control") != "no-cache" {
			w.Errorf("%s: %s answers %d, %q", when, url, status, header.Get("Cache-Control"))
		}
	}
}

// unchanged checks that all pages are what they were.
func (w *wire) unchanged(when string, pages map[string][]byte) {
	w.Helper()
	for url, body := range pages {
		if status, now, _ := w.get(url); status != http.StatusOK || !bytes.Equal(now, body) {
			w.Errorf("%s: %s answers %d and changed", when, url, status)
		}
	}
}

func only(pages map[string][]byte, part string) map[string][]byte {
	some := map[string][]byte{}
	for url, body := range pages {
		if strings.Contains(url, part) {
			some[url] = body
		}
	}
	return some
}

func TestOtherRulesBeginAnew(t *testing.T) {
	for name, tc := range map[string]struct {
		settle func(w *wire)
		anew   bool
	}{
		"items that differ": {func(w *wire) {
			if err := errors.Join(w.archive.Unsettle(t.Context()), w.archive.Settle(t.Context(), func(aggregator.TopicID) bool { return false })); err != nil {
				t.Error(err)
			}
		}, true},
		"the same items": {func(w *wire) {
			if err := errors.Join(w.archive.Unsettle(t.Context()), w.archive.Settle(t.Context(), func(aggregator.TopicID) bool { return true })); err != nil {
				t.Error(err)
			}
		}, false},
		"nobody knows": {func(*wire) {}, true},
		"a kill while items are filed anew": {func(w *wire) {
			if err := w.archive.Unsettle(t.Context()); err != nil {
				t.Error(err)
			}
			w.restart()
			if err := errors.Join(w.archive.Unsettle(t.Context()), w.archive.Settle(t.Context(), func(aggregator.TopicID) bool { return true })); err != nil {
				t.Error(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := fullWire(t, 2)
			before := w.holds("before", ".atom")
			w.rules["cloud"] = "others"
			w.restart()
			w.unchanged("until the items are filed anew", before)
			tc.settle(w)
			w.once()
			w.unchanged("of everything", only(before, "/all/"))
			if tc.anew {
				w.gone("after", only(before, "/topics/"))
			} else {
				w.unchanged("after", before)
			}
			if after := w.holds("after", ".atom"); len(after) != len(before) {
				t.Errorf("%d pages after, %d before", len(after), len(before))
			}
		})
	}
}

// Pages have the addresses of the site in them.
func TestAnotherAddressBeginsAnew(t *testing.T) {
	w := fullWire(t, 2)
	before := w.holds("before", ".json")
	w.base = "https://moved.example.org"
	w.restart()
	w.once()
	w.gone("at another address", before)
	status, body, _ := w.get("/all.atom")
	previous := readPage(t, "/all.atom", body).previous
	if status != http.StatusOK || !strings.HasPrefix(previous, "https://moved.example.org/all/archive/") {
		t.Errorf("the feed answers %d and leads to %s", status, previous)
	}
}

func TestPagesThatNameAPrivateFeedAreGone(t *testing.T) {
	w := fullWire(t, 2)
	for i := range testPageStories {
		w.commit(reported("c", fmt.Sprint("c", i), fmt.Sprint("c", i), 1))
	}
	w.once()
	before := w.holds("before", ".atom", ".rss", ".json")
	w.private = []aggregator.FeedID{"c"}
	w.restart()
	w.gone("at once", only(before, "/all/"))
	w.unchanged("of a topic without that feed", only(before, "/topics/"))
	if _, body, _ := w.get("/all.atom"); readPage(t, "/all.atom", body).previous != "" {
		t.Error("the feed leads to pages that are gone")
	}
	w.once()
	after := w.holds("after", ".atom", ".rss", ".json")
	if len(after) != len(before) {
		t.Errorf("%d pages after, %d before", len(after), len(before))
	}
	for url, body := range after {
		if bytes.Contains(body, []byte("c.example/token")) {
			t.Errorf("%s names the private feed:\n%s", url, body)
		}
	}
	w.restart()
	w.unchanged("after another restart", after)
}

func TestPrunedPagesAreGone(t *testing.T) {
	w := fullWire(t, 4)
	before := w.holds("before", ".atom")
	// Of each feed the newest six stay: the last 12 of 20, and so the third page from the end in part.
	if _, err := w.store.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Items: 6}}, w.now); err != nil {
		t.Fatal(err)
	}
	w.unchanged("before they are trimmed", before)
	if err := w.archive.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := func(url string) bool { return strings.HasSuffix(url, "/1.atom") }
	for url, body := range before {
		if first(url) {
			w.gone("after", map[string][]byte{url: body})
		} else {
			w.unchanged("after", map[string][]byte{url: body})
		}
	}
	// Another report of a story that went is a story that came, in the feed and in the next page.
	for i := range testPageStories {
		w.commit(reported("c", fmt.Sprint("again", i), fmt.Sprint("s", i), 1, "cloud"))
	}
	w.once()
	_, body, _ := w.get("/all.atom")
	if page := readPage(t, "/all.atom", body); !strings.HasSuffix(page.previous, "/5") && !strings.HasSuffix(page.previous, "/5.atom") {
		t.Errorf("the feed leads to %s, want the fifth page", page.previous)
	}
	if _, err := w.store.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Age: time.Second}}, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.archive.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pages := w.holds("with nothing left", ".atom"); len(pages) > 0 {
		t.Errorf("with nothing left there are %d pages", len(pages))
	}
}

func TestARemovedArchiveComesBackUnderOtherAddresses(t *testing.T) {
	w := fullWire(t, 2)
	before := w.holds("before", ".atom")
	if err := w.archive.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	for note, err := range w.store.Notes(t.Context(), "archive/pages/"+aggregator.HashOf("").String()+"/20261122T120000Z") {
		t.Fatalf("the store still has the note %q of the archive, %v", note.Key, err)
	}
	w.restart()
	w.once()
	w.gone("after", before)
	if after := w.holds("after", ".atom"); len(after) != len(before) {
		t.Errorf("%d pages after, %d before", len(after), len(before))
	}
}

// The store keeps no pages of a topic that is no longer published, also where removing them was interrupted.
func TestARemovedTopicLeavesNoPages(t *testing.T) {
	w := fullWire(t, 2)
	before := w.holds("before", ".atom")
	space := "archive/pages/" + aggregator.HashOf("cloud").String() + "/20261122T120000Z"
	notes := func() (n int) {
		for _, err := range w.store.Notes(t.Context(), space) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	if notes() == 0 {
		t.Fatal("there are no pages to be removed")
	}
	w.removed = []aggregator.TopicID{"cloud"}
	w.restart()
	writes := 0
	w.fails = func() bool { writes++; return writes == 2 }
	if err := w.archive.Once(t.Context()); err == nil {
		t.Error("a write that failed is no error")
	}
	w.fails = nil
	w.restart()
	w.once()
	if n := notes(); n > 0 {
		t.Errorf("the store still has %d notes", n)
	}
	w.gone("removed", only(before, "/cloud/"))
	w.unchanged("of everything", only(before, "/all/"))

	w.now, w.removed = w.now.Add(time.Hour), nil
	w.restart()
	w.once()
	w.gone("back", only(before, "/cloud/"))
	if after := only(w.holds("back", ".atom"), "/cloud/"); len(after) != 2 {
		t.Errorf("%d pages once it is back", len(after))
	}
}

// A feed that cannot have all that is in no page yet does not lead to a part of the history.
func TestAFeedLeadsToTheWholeHistoryOrToNone(t *testing.T) {
	w := fullWire(t, 1)
	_, body, _ := w.get("/topics/cloud.json?limit=2")
	if page := readPage(t, "/topics/cloud.json", body); page.previous != "" || len(page.ids) != 2 {
		t.Errorf("a feed that was asked for 2 stories has %d and leads to %q", len(page.ids), page.previous)
	}
	var items []aggregator.Item
	for i := range 501 {
		key := fmt.Sprint("more", i)
		items = append(items, reported("c", key, key, 1000+i, "cloud"))
	}
	for _, more := range [][]aggregator.Item{items[:1], items[1:]} {
		w.commit(more...)
		_, body, _ := w.get("/topics/cloud.json")
		page := readPage(t, "/topics/cloud.json", body)
		if leads := len(more) == 1; (page.previous != "") != leads || len(page.ids) != map[bool]int{true: 4, false: 3}[leads] {
			t.Errorf("with %d stories more than are in pages a feed has %d and leads to %q", len(more), len(page.ids), page.previous)
		}
	}
}

// A long page is full before it has all its stories.
func TestLongStoriesMakeShortPages(t *testing.T) {
	w := newWire(t)
	w.pageBytes = 4000
	w.restart()
	for i := range 9 {
		key := fmt.Sprint("s", i)
		it := reported("a", key, key, i)
		it.Content = "<p>" + strings.Repeat("long ", 200) + "</p>"
		w.commit(it)
		w.once()
	}
	_, body, _ := w.get("/all.json")
	feed := readPage(t, "/all.json", body)
	pages := 0
	for url := feed.previous; url != ""; pages++ {
		_, body, _ = w.get(url)
		page := readPage(t, url, body)
		if len(page.ids) != 4 {
			t.Errorf("%s has %d stories of a thousand bytes, want 4", url, len(page.ids))
		}
		url = page.previous
	}
	if pages != 2 {
		t.Errorf("%d pages, want 2", pages)
	}
}

func TestPagesAreServedAsFeedsAre(t *testing.T) {
	w := fullWire(t, 1)
	_, body, _ := w.get("/all.atom")
	url := strings.TrimPrefix(readPage(t, "/all.atom", body).previous, w.base)
	for path, want := range map[string]int{
		url: http.StatusOK, url + "/": http.StatusMovedPermanently, "/topics/quiet" + strings.TrimPrefix(url, "/all"): http.StatusTemporaryRedirect,
		strings.Replace(url, "/1.atom", "/2.rss", 1): http.StatusTemporaryRedirect, strings.Replace(url, "/1.atom", "/3.atom", 1): http.StatusNotFound,
		strings.Replace(url, "/1.atom", "/01.atom", 1): http.StatusNotFound, strings.Replace(url, "/1.atom", "/0.atom", 1): http.StatusNotFound,
		strings.Replace(url, "/2026", "/2025", 1): http.StatusGone, strings.Replace(url, "/2026", "/2027", 1): http.StatusNotFound,
		strings.Replace(url, ".atom", ".html", 1): http.StatusNotFound, strings.Replace(url, "/all/", "/topics/none/", 1): http.StatusNotFound,
		"/all/archive/x/1.atom": http.StatusNotFound, "/all/archive": http.StatusNotFound, "/archive/20261122T120000Z/1.atom": http.StatusNotFound,
	} {
		if rec := get(t, w.site, path); rec.Code != want {
			t.Errorf("GET %s: %d, want %d", path, rec.Code, want)
		}
	}
	rec := get(t, w.site, url, "Accept-Encoding", "gzip")
	tag := rec.Header().Get("ETag")
	if rec.Header().Get("Content-Encoding") != "gzip" || rec.Header().Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Errorf("GET %s: %v", url, rec.Header())
	}
	if rec := get(t, w.site, url, "Accept-Encoding", "gzip", "If-None-Match", tag); rec.Code != http.StatusNotModified {
		t.Errorf("GET %s with its tag: %d", url, rec.Code)
	}
	w.restart()
	if rec := get(t, w.site, url, "Accept-Encoding", "gzip"); rec.Header().Get("ETag") != tag {
		t.Errorf("GET %s after a restart has the tag %s, before %s", url, rec.Header().Get("ETag"), tag)
	}
	if rec := do(t, w.site, http.MethodPost, url); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST %s: %d", url, rec.Code)
	}
	if rec := get(t, handler(t, sample()), url); rec.Code != http.StatusNotFound {
		t.Errorf("a site without an archive answers %d", rec.Code)
	}
}

func TestADamagedPageIsAnError(t *testing.T) {
	w := fullWire(t, 1)
	_, body, _ := w.get("/all.atom")
	url := strings.TrimPrefix(readPage(t, "/all.atom", body).previous, w.base)
	space := "archive/pages/" + aggregator.HashOf("").String() + "/20261122T120000Z"
	page, err := w.store.Note(t.Context(), space, "page 0000000001")
	if err != nil {
		t.Fatal(err)
	}
	whole := page.Value
	for n := 1; n < len(whole); n += 1 + len(whole)/6 {
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x55
		for _, damaged := range [][]byte{whole[:n], flipped} {
			page.Value = damaged
			if err := w.store.PutNotes(t.Context(), page); err != nil {
				t.Fatal(err)
			}
			w.restart()
			if rec := get(t, w.site, url); rec.Code != http.StatusServiceUnavailable && rec.Code != http.StatusOK {
				t.Errorf("of %d bytes %d, one of them flipped: %d", len(whole), len(damaged), rec.Code)
			}
		}
	}
}

func TestGoldenArchive(t *testing.T) {
	w := newWire(t)
	for _, s := range sample().stories {
		for _, it := range s.Items {
			it.Feed = map[bool]aggregator.FeedID{true: "a", false: "b"}[it.Feed == "courier"]
			it.Story = s.ID
			w.commit(it)
		}
	}
	w.commit(reported("c", "fifth", "fifth", 9, "cloud"))
	w.once()
	for _, ext := range []string{".atom", ".rss", ".json"} {
		for name, path := range map[string]string{"archive": "/all/archive/20261122T120000Z/1", "archived": "/all"} {
			rec := get(t, w.site, path+ext)
			if rec.Code != http.StatusOK {
				t.Fatalf("GET %s%s: %d", path, ext, rec.Code)
			}
			file := filepath.Join("testdata", name+ext)
			if *update {
				if err := os.WriteFile(file, rec.Body.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), rec.Body.String()); diff != "" {
				t.Errorf("%s%s differs from %s (-want +got); run with -update if that is meant:\n%s", path, ext, file, diff)
			}
		}
	}
}

func TestReadersReadThePagesOfAllFormatsAlike(t *testing.T) {
	w := fullWire(t, 1)
	var want []string
	for url, body := range only(w.holds("full", ".atom"), "/cloud/") {
		want = readPage(t, url, body).ids
	}
	slices.Sort(want)
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			for _, format := range reader.formats {
				_, body, _ := w.get("/topics/cloud." + format)
				_, body, _ = w.get(readPage(t, "/topics/cloud."+format, body).previous)
				var got []string
				for _, e := range reader.read(t, string(body)) {
					got = append(got, e.ID)
				}
				slices.Sort(got)
				if len(got) != testPageStories || !slices.Equal(got, want) {
					t.Errorf("%s: stories %q, want %q", format, got, want)
				}
			}
		})
	}
}

// Stories that get into a page while a feed is being made are in the one or in the other.
func TestAPageMadeMeanwhile(t *testing.T) {
	for _, after := range []int{0, 1, 3} {
		w := fullWire(t, 1)
		for i := range testPageStories + 2 {
			key := fmt.Sprint("more", i)
			w.commit(reported("c", key, key, 1000+i, "cloud"))
		}
		meanwhile := func(read int) {
			if read == after {
				w.meanwhile = nil
				w.once()
			}
		}
		w.meanwhile = meanwhile
		w.restart()
		w.holds(fmt.Sprint("a page made after ", after, " items were read"), ".atom")
		if w.meanwhile != nil {
			t.Error("no page was made meanwhile")
		}
	}
}

func TestReadersBesidePolls(t *testing.T) {
	w := fullWire(t, 1)
	_, body, _ := w.get("/all.atom")
	page := readPage(t, "/all.atom", body).previous
	var readers sync.WaitGroup
	done := make(chan struct{})
	for _, path := range []string{"/all.atom", "/topics/cloud.json", strings.TrimPrefix(page, w.base)} {
		readers.Go(func() {
			for {
				if rec := get(t, w.site, path); rec.Code != http.StatusOK {
					t.Errorf("GET %s: %d", path, rec.Code)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 30 {
		key := fmt.Sprint("more", i)
		w.commit(reported("c", key, key, 1000+i, "cloud"))
		w.archive.Notice()
		w.once()
	}
	close(done)
	readers.Wait()
	w.holds("afterwards", ".atom")
}

func TestAWriteThatFailsLosesNothing(t *testing.T) {
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWire(t)
		keep := map[string][]byte{}
		for i := range 32 {
			key := fmt.Sprint("s", i)
			w.commit(reported("a", key, key, r.IntN(100), "cloud"))
			if i%4 > 0 {
				continue
			}
			left := r.IntN(4)
			w.fails = func() bool { left--; return left < 0 }
			w.restart()
			if err := w.archive.Once(t.Context()); err != nil && !errors.Is(err, errFlaky) {
				t.Fatal(err)
			}
			w.unchanged("after a failure", keep)
			w.fails = nil
			w.restart()
			w.once()
			w.unchanged("after the next pass", keep)
			keep = w.holds("after the next pass", []string{".atom", ".rss"}[i%2])
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(keep)), func(url string) bool { return strings.Contains(url, "/5.") }) {
			t.Errorf("there are only %d pages", len(keep))
		}
	}
}
