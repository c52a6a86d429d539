package publish_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
	fake "github.com/topicwire/topicwire/storage/memory"
)

// wire is a site with an archive over a store in memory.
type wire struct {
	testing.TB
	store   *fake.Store
	archive *publish.Archive
	site    http.Handler
	now     time.Time
	// rules are those of each topic; private are feeds.
	rules   map[aggregator.TopicID]string
	private []aggregator.FeedID
	base    string
	// removed are topics that are no longer published.
	removed []aggregator.TopicID
	// pageStories and pageBytes are how much a page has.
	pageStories, pageBytes int
	// fails and meanwhile are those of flaky.
	fails     func() bool
	meanwhile func(read int)
}

const testPageStories = 5

func newWire(t testing.TB) *wire {
	w := &wire{TB: t, store: fake.New(nil), now: noon, rules: map[aggregator.TopicID]string{}, base: "https://wire.example.org", pageStories: testPageStories}
	w.restart()
	return w
}

// restart is a new process over the same store.
func (w *wire) restart() {
	w.Helper()
	w.store = w.store.Reopen()
	var feeds []aggregator.Feed
	for _, id := range []aggregator.FeedID{"a", "b", "c"} {
		feeds = append(feeds, aggregator.Feed{
			ID: id, URL: "https://" + string(id) + ".example/token/feed", Schedule: "@hourly", Private: slices.Contains(w.private, id),
		})
	}
	err := w.store.SyncFeeds(w.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return noon })
	if err != nil {
		w.Fatal(err)
	}
	o := options()
	o.BaseURL, o.Stories, o.Window, o.Hubs = w.base, 3, time.Second, []string{"https://hub.example/"}
	o.Now = func() time.Time { return w.now }
	o.Removed = w.removed
	o.Topics = slices.DeleteFunc(o.Topics, func(t aggregator.Topic) bool { return slices.Contains(w.removed, t.ID) })
	w.archive, err = publish.NewArchive(w.store, flaky{w.store, w}, o, publish.ArchiveOptions{
		Rules:   func(topic aggregator.TopicID) aggregator.Hash { return aggregator.HashOf(w.rules[topic]) },
		Private: w.private, PageStories: w.pageStories, PageBytes: w.pageBytes,
	})
	if err != nil {
		w.Fatal(err)
	}
	o.Archive = w.archive
	if w.site, err = publish.New(w.store, o); err != nil {
		w.Fatal(err)
	}
}

// commit stores items, all of one feed.
func (w *wire) commit(items ...aggregator.Item) {
	w.Helper()
	feed := items[0].Feed
	lease, err := w.store.ClaimFeed(w.Context(), feed, w.now, time.Minute)
	if err != nil {
		w.Fatal(err)
	}
	if err := w.store.Commit(w.Context(), aggregator.Poll{Feed: feed, Token: lease.Token, Items: items}); err != nil {
		w.Fatal(err)
	}
}

// once makes the pages that are full.
func (w *wire) once() {
	w.Helper()
	if err := w.archive.Once(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func (w *wire) get(url string) (status int, body []byte, header http.Header) {
	w.Helper()
	rec := get(w, w.site, strings.TrimPrefix(url, "https://wire.example.org"))
	return rec.Code, rec.Body.Bytes(), rec.Header()
}

// reported is an item whose story is named.
func reported(feed aggregator.FeedID, key, story string, hours int, topics ...aggregator.TopicID) aggregator.Item {
	it := item(feed, key, hours, topics...)
	it.Story = aggregator.NewStoryID("url", story)
	it.Hash = aggregator.HashOf(key)
	return it
}

// feedPage is what a reader that follows the archive needs of a document.
type feedPage struct {
	ids                     []string
	current, previous, next string
	archive                 bool
}

// readPage reads a document in the format of its address.
func readPage(t testing.TB, url string, body []byte) (p feedPage) {
	t.Helper()
	if strings.HasSuffix(url, ".json") {
		var doc struct {
			Next  string `json:"next_url"`
			Items []struct {
				ID string `json:"id"`
			}
			Extra struct {
				Archive bool   `json:"archive"`
				Current string `json:"current_url"`
				Newer   string `json:"newer_url"`
			} `json:"_topicwire"`
		}
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		p = feedPage{current: doc.Extra.Current, previous: doc.Next, next: doc.Extra.Newer, archive: doc.Extra.Archive}
		for _, it := range doc.Items {
			p.ids = append(p.ids, it.ID)
		}
		return p
	}
	c := checker{t, url}
	root := c.parse(body)
	feed, entry, id := root, atom+"entry", atom+"id"
	if strings.HasSuffix(url, ".rss") {
		feed, entry, id = root.all("channel")[0], "item", "guid"
	}
	first := func(rel string) string {
		if found := linksOf(feed, rel); len(found) > 0 {
			return found[0]
		}
		return ""
	}
	p = feedPage{current: first("current"), previous: first("prev-archive"), next: first("next-archive")}
	p.archive = len(feed.all("http://purl.org/syndication/history/1.0 archive")) == 1
	for _, e := range feed.all(entry) {
		p.ids = append(p.ids, e.all(id)[0].text)
	}
	return p
}

// walk follows the feed's links through all of its history, checks the pages, and returns them by their addresses.
func (w *wire) walk(feed string) (pages map[string][]byte, archived, all []string) {
	w.Helper()
	pages = map[string][]byte{}
	status, body, _ := w.get(feed)
	if status != http.StatusOK {
		w.Fatalf("GET %s: %d", feed, status)
	}
	document := readPage(w, feed, body)
	if document.archive {
		w.Errorf("%s says that it is an archive", feed)
	}
	all = slices.Clone(document.ids)
	newer := feed
	for url := document.previous; url != ""; url = document.previous {
		status, body, header := w.get(url)
		if status != http.StatusOK || header.Get("Cache-Control") != "public, max-age=31536000, immutable" || header.Get("ETag") == "" {
			w.Fatalf("GET %s: %d %v", url, status, header)
		}
		if pages[url] != nil {
			w.Fatalf("%s comes twice", url)
		}
		document = readPage(w, url, body)
		if !document.archive || document.current != w.base+strings.TrimPrefix(feed, "https://wire.example.org") || len(document.ids) != w.pageStories {
			w.Errorf("%s: archive %t, current %q, %d stories", url, document.archive, document.current, len(document.ids))
		}
		// The newest page leads on to what is not full yet, which is the feed.
		if newer == feed {
			if status, _, header := w.get(document.next); status != http.StatusTemporaryRedirect || header.Get("Location") != feed {
				w.Errorf("after %s comes %s, which answers %d to %s", url, document.next, status, header.Get("Location"))
			}
		} else if document.next != newer {
			w.Errorf("after %s comes %s, want %s", url, document.next, newer)
		}
		newer = url
		pages[url] = body
		archived = append(archived, document.ids...)
		all = append(all, document.ids...)
	}
	if twice := len(archived) - len(set(archived)); twice > 0 {
		w.Errorf("%s: %d stories are in the archive twice", feed, twice)
	}
	return pages, archived, all
}

func set(ids []string) map[string]bool {
	m := map[string]bool{}
	for _, id := range ids {
		m[id] = true
	}
	return m
}

// stored are the ids of the topic's stories in the store.
func (w *wire) stored(topic aggregator.TopicID) []string {
	w.Helper()
	var ids []string
	for s, err := range w.store.Stories(w.Context(), aggregator.StoryQuery{Topic: topic}) {
		if err != nil {
			w.Fatal(err)
		}
		ids = append(ids, "tag:wire.example.org,2026-11-01:story/"+s.ID.String())
	}
	return ids
}

// holds checks that who walks the feeds meets every story, and returns the pages that it finds.
func (w *wire) holds(when string, extensions ...string) map[string][]byte {
	w.Helper()
	pages := map[string][]byte{}
	for topic, stem := range map[aggregator.TopicID]string{aggregator.AllTopics: "/all", "cloud": "/topics/cloud"} {
		for _, ext := range extensions {
			found, _, all := w.walk(stem + ext)
			maps.Copy(pages, found)
			met := set(all)
			for _, id := range w.stored(topic) {
				if !met[id] {
					w.Errorf("%s: %s%s leads nowhere to %s", when, stem, ext, id)
				}
			}
		}
		if w.Failed() {
			w.FailNow()
		}
	}
	return pages
}

func TestTheWholeHistoryIsFoundByItsLinks(t *testing.T) {
	w := newWire(t)
	w.once()
	formats := []string{".atom", ".rss", ".json"}
	if pages := w.holds("an empty store", formats...); len(pages) > 0 {
		t.Errorf("an empty store has pages: %v", slices.Collect(maps.Keys(pages)))
	}
	for i := range 23 {
		key := fmt.Sprint("s", i)
		// The older half came last, and each third is reported twice.
		w.commit(reported("a", key, key, 50-i*7%20, "cloud"))
		if i%3 == 0 {
			w.commit(reported("b", key, key, 60))
		}
		w.holds(fmt.Sprint("before the pages of story ", i), formats[i%3])
		w.once()
		w.holds(fmt.Sprint("after the pages of story ", i), formats[i%3])
	}
	pages := w.holds("at the end", formats...)
	if len(pages) != 2*3*4 {
		t.Errorf("%d pages, want 4 of two feeds in three formats", len(pages))
	}
	w.valid(pages)
}

// valid checks each page by the rules of its format.
func (w *wire) valid(pages map[string][]byte) {
	w.Helper()
	for url, body := range pages {
		switch {
		case strings.HasSuffix(url, ".atom"):
			checkAtom(w, url, body)
		case strings.HasSuffix(url, ".rss"):
			checkRSS(w, url, body)
		default:
			checkJSON(w, url, body)
		}
	}
}

func TestPagesAreValidWhateverTheItemsHold(t *testing.T) {
	w := newWire(t)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range len(hostile) + 10 {
		pick := func() string { return hostile[i] }
		if i >= len(hostile) {
			pick = func() string { return hostile[r.IntN(len(hostile))] + hostile[r.IntN(len(hostile))] }
		}
		it := hostileItem([]aggregator.FeedID{"a", "b"}[i%2], fmt.Sprint(i), pick, func() time.Time { return times[(i+r.IntN(2))%len(times)] })
		it.Topics = []aggregator.TopicID{"cloud"}
		it.Story = aggregator.NewStoryID("item", it.ID.String())
		w.commit(it)
	}
	w.once()
	for _, ext := range []string{".atom", ".rss", ".json"} {
		pages, _, _ := w.walk("/topics/cloud" + ext)
		if len(pages) != (len(hostile)+10)/testPageStories {
			t.Errorf("%d pages of %d stories", len(pages), len(hostile)+10)
		}
		w.valid(pages)
	}
}

// Whatever becomes of the stories of a full page, its bytes stay, over restarts too; and every story is in one page, once.
func TestFullPagesNeverChange(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWire(t)
			w.once()
			stored := map[string]aggregator.Item{}
			keep := map[string][]byte{}
			var gone []string
			for step := range 50 {
				w.now = w.now.Add(time.Duration(r.IntN(3)) * time.Second)
				switch r.IntN(9) {
				default:
					w.randomPoll(r, stored)
				case 0:
					w.restart()
				case 1:
					w.once()
				case 2:
					if r.IntN(4) == 0 {
						gone = w.refile(r, step, keep, gone)
					}
				}
				w.once()
				for url, body := range keep {
					if status, now, _ := w.get(url); status != http.StatusOK || !bytes.Equal(now, body) {
						t.Fatalf("step %d: %s changed, it answers %d:\n%s\nbefore:\n%s", step, url, status, now, body)
					}
				}
				maps.Copy(keep, w.holds(fmt.Sprint("step ", step), []string{".atom", ".rss", ".json"}[r.IntN(3)]))
				for _, url := range gone {
					if status, _, header := w.get(url); status != http.StatusGone || strings.Contains(header.Get("Cache-Control"), "immutable") {
						t.Fatalf("step %d: %s of an earlier generation answers %d", step, url, status)
					}
				}
			}
			if len(keep) == 0 {
				t.Error("there never was a page")
			}
		})
	}
}

// randomPoll stores new and changed items of a feed: of stories that are there or new, of any date, in the topic or not.
func (w *wire) randomPoll(r *rand.Rand, stored map[string]aggregator.Item) {
	w.Helper()
	feed := []aggregator.FeedID{"a", "b", "c"}[r.IntN(3)]
	var items []aggregator.Item
	for range 1 + r.IntN(4) {
		key := fmt.Sprint(feed, r.IntN(60))
		var topics []aggregator.TopicID
		if r.IntN(3) > 0 {
			topics = []aggregator.TopicID{"cloud"}
		}
		it, again := stored[key]
		if !again {
			it = reported(feed, key, fmt.Sprint("story ", r.IntN(80)), r.IntN(500), topics...)
		} else {
			it.Topics = topics
			it.Revision++
			it.Revised = w.now
			it.Title += " again"
			it.Hash = aggregator.HashOf(it.Title)
		}
		if slices.ContainsFunc(items, func(other aggregator.Item) bool { return other.ID == it.ID }) {
			continue
		}
		items, stored[key] = append(items, it), it
	}
	w.commit(items...)
}

// refile gives the topic another rule. The pages that there were of it are gone then.
func (w *wire) refile(r *rand.Rand, step int, keep map[string][]byte, gone []string) []string {
	w.Helper()
	_, err := w.store.Refile(w.Context(), aggregator.HashOf(fmt.Sprint(step)), func(aggregator.Item) []aggregator.TopicID {
		if r.IntN(3) > 0 {
			return []aggregator.TopicID{"cloud"}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	w.rules["cloud"] = fmt.Sprint(step)
	w.restart()
	for url := range keep {
		if strings.Contains(url, "/topics/cloud/") {
			gone = append(gone, url)
			delete(keep, url)
		}
	}
	return gone
}
