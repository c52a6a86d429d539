package group_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story"
	"github.com/topicwire/topicwire/aggregator/story/group"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

var now = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// shelf is a store in memory.
type shelf struct {
	mu    sync.Mutex
	items []aggregator.Item
	fails error
	// read counts the items that were listed.
	read int
	// asked, where it is not nil, is told of each item that is asked for.
	asked func(aggregator.ItemID)
}

func (s *shelf) put(items ...aggregator.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		it.Seq = uint64(len(s.items) + 1)
		s.items = append(s.items, it)
	}
}

func (s *shelf) Item(_ context.Context, id aggregator.ItemID) (aggregator.Item, error) {
	if s.asked != nil {
		s.asked(id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.items {
		if s.items[i].ID == id {
			return s.items[i], s.fails
		}
	}
	return aggregator.Item{}, aggregator.ErrNotFound
}

func (s *shelf) Version(context.Context, aggregator.TopicID) (aggregator.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return aggregator.Version{Seq: uint64(len(s.items))}, nil
}

func (s *shelf) Story(_ context.Context, id aggregator.StoryID) (aggregator.Story, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.items {
		if it.Story == id {
			return aggregator.Story{ID: id, Items: []aggregator.Item{it}}, nil
		}
	}
	return aggregator.Story{}, aggregator.ErrNotFound
}

func (s *shelf) Items(_ context.Context, q aggregator.ItemQuery) iter.Seq2[aggregator.Item, error] {
	s.mu.Lock()
	items := slices.Clone(s.items)
	s.mu.Unlock()
	return func(yield func(aggregator.Item, error) bool) {
		for _, it := range items {
			if it.Published.Before(q.Since) || it.Seq <= q.After {
				continue
			}
			s.read++
			if !yield(it, nil) {
				return
			}
		}
	}
}

// wire is a grouper above a shelf.
type wire struct {
	*group.Grouper
	shelf *shelf
}

func newWire(o group.Options) *wire {
	s := &shelf{}
	return (&wire{shelf: s}).restarted(o)
}

// restarted is what a new process has of the same shelf.
func (w *wire) restarted(o group.Options) *wire {
	o.Store, o.Now = w.shelf, func() time.Time { return now.Add(time.Hour) }
	return &wire{group.New(o), w.shelf}
}

// store has items decided and stored.
func (w *wire) store(t testing.TB, items ...aggregator.Item) []aggregator.Item {
	t.Helper()
	ended, err := w.Group(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	w.shelf.put(items...)
	ended(true)
	return items
}

func prose(seed string, n int) string {
	h := fnv.New64a()
	h.Write([]byte(seed))
	r := rand.New(rand.NewPCG(h.Sum64(), 9))
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("%c%c%c%s", 'a'+r.IntN(26), 'a'+r.IntN(26), 'a'+r.IntN(26), []string{"ing", "er", "ly", "on"}[r.IntN(4)])
	}
	return strings.Join(words, " ")
}

// lettersFor puts letters in the place of digits: titles with different numbers are never one story.
func lettersFor(path string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + 'a'
		}
		return r
	}, path)
}

// item is one as it comes from a document: its story is that of its URL.
func item(feed, path, text string) aggregator.Item {
	it := aggregator.Item{GUID: path, URL: "http://" + feed + ".test/" + path, Title: lettersFor(path), Content: "<p>" + text + "</p>"}
	it = story.Identify(aggregator.FeedID(feed), "http://"+feed+".test/", []aggregator.Item{it}, nil).Items[0]
	it.FirstSeen, it.Published = now, now
	return it
}

func TestGroup(t *testing.T) {
	report := prose("report", 100)
	tests := []struct {
		name   string
		first  []aggregator.Item
		then   aggregator.Item
		joined int // which of first it is one story with, -1 for none
	}{
		{"a copy elsewhere", []aggregator.Item{item("a", "1", prose("other", 90)), item("a", "2", report)}, item("b", "3", report), 1},
		{"another report", []aggregator.Item{item("a", "1", report)}, item("b", "2", prose("other", 90)), -1},
		{"the first of two that are alike", []aggregator.Item{item("a", "1", report), item("c", "2", prose("x", 20)+" "+report[:len(report)/2])},
			item("b", "3", report), 0},
		{"too short", []aggregator.Item{item("a", "1", prose("short", 40))}, item("b", "2", prose("short", 40)), -1},
		{"a feed that is compared by URL", []aggregator.Item{item("a", "1", report)}, item("exact", "2", report), -1},
		{"like one of a feed that is compared by URL", []aggregator.Item{item("exact", "1", report)}, item("b", "2", report), -1},
		{"found much later", []aggregator.Item{item("a", "1", report)}, later(item("b", "2", report), near.Window+time.Hour), -1},
		{"the same guid", []aggregator.Item{guid(item("a", "1", "One"), "tag:a.test,2026:1")}, guid(item("b", "2", "Two"), "tag:a.test,2026:1"), 0},
		{"the same common guid", []aggregator.Item{guid(item("a", "1", "One"), "post-1")}, guid(item("b", "2", "Two"), "post-1"), -1},
		{"the same guid at a host that is nobody's", []aggregator.Item{guid(item("a", "1", "One"), "http://localhost/?p=1")}, guid(item("b", "2", "Two"), "http://localhost/?p=1"), -1},
		{"the same guid at a host", []aggregator.Item{guid(item("a", "1", "One"), "https://news.site/?p=1")}, guid(item("b", "2", "Two"), "http://news.site/?p=1"), 0},
		{"a guid that a feed repeats", []aggregator.Item{guid(item("a", "1", "One"), "tag:a.test,2026:1"), guid(item("a", "2", "Two"), "tag:a.test,2026:1")},
			guid(item("b", "3", "Three"), "tag:a.test,2026:1"), -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := group.Options{Exact: map[aggregator.FeedID]bool{"exact": true}}
			w := newWire(options)
			for i := range test.first {
				test.first[i] = w.store(t, test.first[i])[0]
			}
			// A process that has just started decides as the one that stored the first ones.
			for name, w := range map[string]*wire{"": w, "restarted: ": w.restarted(options)} {
				then := []aggregator.Item{test.then}
				ended, err := w.Group(t.Context(), then)
				if err != nil {
					t.Fatal(err)
				}
				ended(false)
				want := test.then.Story
				if test.joined >= 0 {
					want = test.first[test.joined].Story
				}
				if then[0].Story != want {
					t.Errorf("%sstory %v, want %v", name, then[0].Story, want)
				}
				if then[0].Story == test.then.Story != (test.joined < 0) {
					t.Errorf("%sthe test cannot tell", name)
				}
			}
		})
	}
}

func later(it aggregator.Item, d time.Duration) aggregator.Item {
	it.FirstSeen = it.FirstSeen.Add(d)
	return it
}

func guid(it aggregator.Item, guid string) aggregator.Item {
	it.GUID = guid
	return it
}

// TestURLsFollow: an item with the URL of one that is in another story is there too, at once, in the same poll and after a
// restart; and an item whose page is a story already stays there.
func TestURLsFollow(t *testing.T) {
	w := newWire(group.Options{})
	first := w.store(t, item("a", "1", prose("report", 100)))[0]
	moved := w.store(t, item("b", "2", prose("report", 100)))[0]
	again := moved
	again.Feed, again.ID, again.Story, again.Content = "c", aggregator.ItemID{1}, item("b", "2", "").Story, "A line."
	for name, w := range map[string]*wire{"": w, "restarted: ": w.restarted(group.Options{})} {
		items := []aggregator.Item{again}
		ended, err := w.Group(t.Context(), items)
		if err != nil {
			t.Fatal(err)
		}
		ended(false)
		if items[0].Story != first.Story || moved.Story != first.Story {
			t.Errorf("%sstories %v and %v, want %v", name, moved.Story, items[0].Story, first.Story)
		}
	}
	exact := w.restarted(group.Options{Exact: map[aggregator.FeedID]bool{"c": true}})
	if got := exact.store(t, again)[0]; got.Story != first.Story {
		t.Error("an item of a feed that is compared by URL is not in the story of its page")
	}
	page := w.store(t, item("d", "page", prose("page", 30)))[0]
	same := page
	same.Feed, same.ID, same.Content = "e", aggregator.ItemID{2}, "<p>"+prose("report", 100)+"</p>"
	if got := w.store(t, same)[0]; got.Story != page.Story {
		t.Error("an item with the page of a stored one was put into the story of a like text")
	}
}

// TestLinksThatDoNotIdentify: the link of an item that shared it with others of its document leads nowhere, though the item is
// in another story by its text, also after a restart.
func TestLinksThatDoNotIdentify(t *testing.T) {
	report := prose("report", 100)
	w := newWire(group.Options{})
	first := w.store(t, item("a", "1", report))[0]
	shared := func(guid, text string) aggregator.Item {
		return aggregator.Item{GUID: guid, URL: "http://b.test/live", Title: "Live", Content: text, FirstSeen: now, Published: now}
	}
	document := story.Identify("b", "http://b.test/", []aggregator.Item{shared("1", report), shared("2", "A line.")}, nil).Items
	if joined := w.store(t, document...)[0]; joined.Story != first.Story {
		t.Fatal("the item is not in the story of its text")
	}
	alone := story.Identify("c", "http://c.test/", []aggregator.Item{shared("3", "Another line.")}, nil).Items[0]
	for name, w := range map[string]*wire{"": w, "restarted: ": w.restarted(group.Options{})} {
		items := []aggregator.Item{alone}
		ended, err := w.Group(t.Context(), items)
		if err != nil {
			t.Fatal(err)
		}
		ended(false)
		if items[0].Story != alone.Story {
			t.Errorf("%sthe link leads to the story of an item that it did not identify", name)
		}
	}
}

// TestRestartReadsTheLatest: a process that starts reads no more than twice what it can keep, however much is stored.
func TestRestartReadsTheLatest(t *testing.T) {
	w := newWire(group.Options{})
	for i := range 300 {
		w.store(t, item("a", fmt.Sprint("old-", i), "A line."))
	}
	first := w.store(t, item("a", "report", prose("report", 100)))[0]
	w.shelf.read = 0
	again := w.restarted(group.Options{Limit: 32})
	if got := again.store(t, item("b", "copy", prose("report", 100)))[0]; got.Story != first.Story {
		t.Error("the latest item was not read")
	}
	if w.shelf.read != 64 {
		t.Errorf("%d items read, want 64", w.shelf.read)
	}
}

// TestOfOnePoll: items of one document are compared with each other too.
func TestOfOnePoll(t *testing.T) {
	w := newWire(group.Options{})
	one, two, three := item("a", "one", prose("r", 80)), item("a", "two", prose("r", 80)), item("a", "three", prose("s", 80))
	items := w.store(t, one, two, three)
	if items[0].Story != items[1].Story || items[0].Story == items[2].Story {
		t.Errorf("stories %v, %v, %v", items[0].Story, items[1].Story, items[2].Story)
	}
}

// TestStoredItemsStay: what has a Seq is not decided again.
func TestStoredItemsStay(t *testing.T) {
	w := newWire(group.Options{})
	w.store(t, item("a", "1", prose("report", 100)))
	changed := item("b", "2", prose("report", 100))
	changed.Seq = 7
	if got := w.store(t, changed)[0]; got.Story != changed.Story {
		t.Error("a stored item changed its story")
	}
}

func TestWhatIsNotStoredIsForgotten(t *testing.T) {
	w := newWire(group.Options{})
	lost := []aggregator.Item{item("a", "1", prose("report", 100))}
	ended, err := w.Group(t.Context(), lost)
	if err != nil {
		t.Fatal(err)
	}
	ended(false)
	second := item("b", "2", prose("report", 100))
	if got := w.store(t, second)[0]; got.Story != second.Story {
		t.Error("an item was put into the story of one that was never stored")
	}
}

// TestPollsAtOnce: who finds a like item that is being stored waits for what becomes of it.
func TestPollsAtOnce(t *testing.T) {
	for _, stored := range []bool{true, false} {
		t.Run(fmt.Sprint("stored ", stored), func(t *testing.T) {
			w := newWire(group.Options{})
			first := []aggregator.Item{item("a", "1", prose("report", 100))}
			ended, err := w.Group(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			second := []aggregator.Item{item("b", "2", prose("report", 100))}
			own := second[0].Story
			done := make(chan error)
			go func() {
				ended, err := w.Group(t.Context(), second)
				if err == nil {
					ended(true)
				}
				done <- err
			}()
			// A third that is not like them does not wait.
			w.store(t, item("c", "3", prose("other", 100)))
			select {
			case <-done:
				t.Fatal("the second was decided before the first was stored")
			default:
			}
			if stored {
				w.shelf.put(first...)
			}
			ended(stored)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			want := own
			if stored {
				want = first[0].Story
			}
			if second[0].Story != want {
				t.Errorf("story %v, want %v", second[0].Story, want)
			}
		})
	}
}

// TestWaitingEnds: who waits can be called off, and leaves nothing behind.
func TestWaitingEnds(t *testing.T) {
	w := newWire(group.Options{})
	first := []aggregator.Item{item("a", "1", prose("report", 100))}
	ended, err := w.Group(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Group(ctx, []aggregator.Item{item("b", "2", prose("report", 100))}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	w.shelf.put(first...)
	ended(true)
	if got := w.store(t, item("c", "3", prose("report", 100)))[0]; got.Story != first[0].Story {
		t.Error("what came after a call that was called off was not grouped")
	}
}

func TestStoreFails(t *testing.T) {
	w := newWire(group.Options{})
	w.store(t, item("a", "1", prose("report", 100)))
	w.shelf.fails = errors.New("disk on fire")
	if _, err := w.Group(t.Context(), []aggregator.Item{item("b", "2", prose("report", 100))}); !errors.Is(err, w.shelf.fails) {
		t.Errorf("error %v", err)
	}
	w.shelf.fails = nil
	if items := w.store(t, item("b", "2", prose("report", 100))); items[0].Story != w.shelf.items[0].Story {
		t.Error("not grouped once the store works again")
	}
}

// TestOrderOfArrival: in whatever order reports and their copies come, by whatever polls, each story has the same items, its
// id is that of the item that came first, and none that was given ever changes.
func TestOrderOfArrival(t *testing.T) {
	var all []aggregator.Item
	for r := range 6 {
		text := strings.Fields(prose(fmt.Sprint("report ", r), 120))
		for c := range 4 {
			words := slices.Clone(text[:120-12*c])
			words[20+c] = "mended"
			all = append(all, item(fmt.Sprint("feed", c), fmt.Sprintf("report%c-%c", 'a'+r, 'a'+c), strings.Join(words, " ")))
		}
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWire(group.Options{})
		order := r.Perm(len(all))
		given := map[string]aggregator.StoryID{}
		for _, i := range order {
			it := w.store(t, all[i])[0]
			report := it.Title[:len("report?")]
			if _, ok := given[report]; !ok {
				given[report] = all[i].Story
			}
			if it.Story != given[report] {
				t.Fatalf("seed %d: %s is in another story than the first of its report", seed, it.Title)
			}
		}
		stories := map[aggregator.StoryID]bool{}
		for _, id := range given {
			stories[id] = true
		}
		if len(stories) != 6 {
			t.Errorf("seed %d: %d stories, want 6", seed, len(stories))
		}
	}
}

// TestManyAtOnce: with polls that come at once, each report is one story.
func TestManyAtOnce(t *testing.T) {
	w := newWire(group.Options{})
	var polls sync.WaitGroup
	for feed := range 8 {
		polls.Go(func() {
			for r := range 10 {
				ended, err := w.Group(t.Context(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				ended(true)
				items := []aggregator.Item{
					item(fmt.Sprint("feed", feed), fmt.Sprint("r-", r), prose(fmt.Sprint("r", r), 80)),
					item(fmt.Sprint("feed", feed), fmt.Sprint("s-", 9-r), prose(fmt.Sprint("s", 9-r), 80)),
				}
				ended, err = w.Group(t.Context(), items)
				if err != nil {
					t.Error(err)
					return
				}
				w.shelf.put(items...)
				ended(true)
			}
		})
	}
	polls.Wait()
	byTitle := map[string]map[aggregator.StoryID]bool{}
	for _, it := range w.shelf.items {
		if byTitle[it.Title] == nil {
			byTitle[it.Title] = map[aggregator.StoryID]bool{}
		}
		byTitle[it.Title][it.Story] = true
	}
	for title, stories := range byTitle {
		if len(stories) != 1 {
			t.Errorf("%s is %d stories", title, len(stories))
		}
	}
	if len(byTitle) != 20 || len(w.shelf.items) != 160 {
		t.Errorf("%d reports, %d items", len(byTitle), len(w.shelf.items))
	}
}

func TestExplain(t *testing.T) {
	report := prose("report", 100)
	a, b := item("a", "1", report), item("b", "2", report)
	w := newWire(group.Options{Exact: map[aggregator.FeedID]bool{"exact": true}})
	a = w.store(t, a)[0]
	b = w.store(t, b)[0]
	amp := item("c", "amp/3", "One")
	page := item("c", "3", "Two")
	page.Feed = "d"
	tests := []struct {
		name            string
		a, b            aggregator.Item
		one             bool
		guid, url, text bool
		why             string
	}{
		{"like texts", a, b, true, false, false, true, string(near.SameText)},
		{"one page", amp, page, true, false, true, false, "their links lead to the same page"},
		{"one guid", guid(a, "tag:a.test,2026:x"), guid(page, "tag:a.test,2026:x"), false, true, false, false, "nobody else can have given"},
		{"a guid of one feed", guid(a, "tag:a.test,2026:x"), guid(item("a", "9", "x"), "tag:a.test,2026:x"), false, false, false, false, "they are of one feed"},
		{"a common guid", guid(a, "17"), guid(b, "17"), true, false, false, true, "is no tag"},
		{"guids that are links", guid(amp, amp.URL), guid(page, amp.URL), true, false, true, false, "their guids are their links"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x, err := w.Explain(t.Context(), &test.a, &test.b)
			if err != nil {
				t.Fatal(err)
			}
			said := x.GUID.Reason + x.URL.Reason + string(x.Text.Reason)
			if x.OneStory != test.one || x.GUID.Same != test.guid || x.URL.Same != test.url || x.Text.Same != test.text || !strings.Contains(said, test.why) {
				t.Errorf("got %+v", x)
			}
		})
	}
}

// TestDecidingAgain: what is decided is the same when it is decided again, by a poll that is tried again.
func TestDecidingAgain(t *testing.T) {
	w := newWire(group.Options{})
	w.store(t, item("a", "1", prose("report", 100)))
	poll := func() []aggregator.Item {
		return []aggregator.Item{item("b", "2", prose("report", 100)), item("b", "3", prose("other", 100)), item("b", "4", prose("other", 100))}
	}
	var first []aggregator.StoryID
	for range 3 {
		items := poll()
		ended, err := w.Group(t.Context(), items)
		if err != nil {
			t.Fatal(err)
		}
		ended(false)
		var got []aggregator.StoryID
		for _, it := range items {
			got = append(got, it.Story)
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Fatalf("stories %v, then %v", first, got)
		}
	}
	if first[0] != w.shelf.items[0].Story || first[1] != first[2] {
		t.Errorf("stories %v", first)
	}
}

// A document of many items that are all to be compared does not keep the texts of all of them, neither while it is decided
// nor until it is stored.
func TestTextsAreNotKept(t *testing.T) {
	w := newWire(group.Options{})
	last := w.store(t, item("b", "last", prose("last", 100)))[0]
	beginning := prose("beginning", 60)
	var items []aggregator.Item
	for i := range 100 {
		var text strings.Builder
		for n := range 900 {
			fmt.Fprint(&text, " ", i*900+n)
		}
		items = append(items, item("a", fmt.Sprint(i), beginning+text.String()))
	}
	items = append(items, item("a", "last", prose("last", 100)))
	held := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, during := held(), int64(0)
	w.shelf.asked = func(id aggregator.ItemID) {
		if id == last.ID {
			during = held() - before
		}
	}
	ended, err := w.Group(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	after := held() - before
	ended(true)
	if during == 0 || items[100].Story != last.Story {
		t.Fatal("the last item was compared with no other")
	}
	if during > 7<<19 || after > 1<<20 {
		t.Errorf("%d bytes are held while it is decided, %d until it is stored", during, after)
	}
}

// TestComparisonsAreBounded: in a document of which every item begins as items of ten other feeds do, and is another report,
// an item is compared with eight of them, and with two once a thousand comparisons have found nothing. What is the same report
// is found after that too.
func TestComparisonsAreBounded(t *testing.T) {
	const documents, feeds = 180, 10
	w := newWire(group.Options{})
	begin := func(feed string, n int) aggregator.Item {
		name := fmt.Sprint(feed, "-", n)
		return item(feed, name, prose(fmt.Sprint("beginning ", n), 44)+" "+prose(name, 60))
	}
	asked := map[aggregator.ItemID]int{} // the document's item that is like it
	for f := range feeds {
		feed := fmt.Sprint("feed", f)
		var stored []aggregator.Item
		for n := range documents {
			it := begin(feed, n)
			asked[it.ID] = n
			stored = append(stored, it)
		}
		for n := range near.Siblings {
			stored = append(stored, item(feed, fmt.Sprint("sibling-", n), prose(fmt.Sprint(feed, n), 60)))
		}
		w.shelf.put(stored...)
	}
	var items []aggregator.Item
	for n := range documents {
		items = append(items, begin("document", n))
	}
	copied := begin("feed3", documents-1)
	last := item("document", "last", copied.Content)
	items = append(items, last)
	compared := make([]int, documents)
	reads := 0
	w.shelf.asked = func(id aggregator.ItemID) {
		reads++
		if n, ok := asked[id]; ok {
			compared[n]++
		}
	}
	w.store(t, items...)
	if items[documents].Story != copied.Story {
		t.Error("the copy at the end was not found")
	}
	all := 0
	for n, times := range compared {
		all += times
		if n < 128 && times != 8 || n >= 128 && n < documents-1 && times != 2 {
			t.Errorf("item %d was compared with %d others", n, times)
		}
	}
	// Each was read once, and so were four siblings of each feed.
	if most := 1<<10 + 2*(documents+1-128) + feeds*near.Siblings; reads > most {
		t.Errorf("%d reads, want at most %d", reads, most)
	}
	t.Logf("%d items, %d comparisons, %d reads", len(items), all, reads)
}
