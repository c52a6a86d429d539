package poll_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
)

// telling answers with a feed of the given items, each with its text and the date of its last change.
func telling(updated time.Time, texts ...string) func() (*fetch.Response, error) {
	var b strings.Builder
	b.WriteString(`<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:t</id>`)
	for i, text := range texts {
		fmt.Fprintf(&b, `<entry><id>urn:%d</id><title>%d</title><link href="https://a.example/%d"/><published>2026-03-02T10:00:00Z</published><updated>%s</updated><content>%s</content></entry>`,
			i, i, i, updated.Format(time.RFC3339), text)
	}
	b.WriteString(`</feed>`)
	return func() (*fetch.Response, error) {
		return &fetch.Response{URL: "https://home.example/", Status: 200, ContentType: "application/atom+xml", Body: []byte(b.String())}, nil
	}
}

// polls makes the wire poll the feed once for each answer, an hour apart or more.
func (w *wire) polls(t *testing.T, every time.Duration, n int, answer func(i int) func() (*fetch.Response, error)) (changed int) {
	t.Helper()
	for i := range n {
		w.advance(every)
		w.answer("https://a.example/", answer(i))
		changed += w.pass(t).Changed
	}
	return changed
}

func (w *wire) texts(t *testing.T, id aggregator.ItemID) (texts []string) {
	t.Helper()
	revisions, err := w.store.Revisions(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range revisions {
		texts = append(texts, r.Content)
	}
	return texts
}

// TestFlips: an item that goes back and forth between two texts keeps each once, and its date stays.
func TestFlips(t *testing.T) {
	w := newWire(t, nil, "a")
	still := make([]string, 8) // so that the feed is calm
	for i := range still {
		still[i] = "the same as ever"
	}
	var revised time.Time
	w.polls(t, 2*time.Hour, 12, func(i int) func() (*fetch.Response, error) {
		if i == 2 {
			revised = w.items(t)[0].Revised
			for _, it := range w.items(t) {
				if it.GUID == "urn:0" {
					revised = it.Revised
				}
			}
		}
		return telling(start, append([]string{[]string{"one", "other"}[i%2]}, still...)...)
	})
	items := w.items(t)
	i := slices.IndexFunc(items, func(it aggregator.Item) bool { return it.GUID == "urn:0" })
	it := items[i]
	if got := w.texts(t, it.ID); !slices.Equal(got, []string{"one", "other"}) {
		t.Errorf("kept texts %q, want each once", got)
	}
	if it.Content != "other" || !it.Revised.Equal(revised) || it.Revision != 3 {
		t.Errorf("text %q, revised %v, revision %d, want the latest text as of %v", it.Content, it.Revised, it.Revision, revised)
	}
	w.polls(t, 2*time.Hour, 1, func(int) func() (*fetch.Response, error) {
		return telling(start, append([]string{"a third"}, still...)...)
	})
	it, err := w.store.Item(t.Context(), it.ID)
	if err != nil || it.Content != "a third" || !it.Revised.After(revised) {
		t.Errorf("a text that it never had: %q as of %v, %v", it.Content, it.Revised, err)
	}
}

// TestNoisyItem: an item with a clock in its text is kept once a day after 24 changes.
func TestNoisyItem(t *testing.T) {
	w := newWire(t, nil, "a")
	clock := func(i int) func() (*fetch.Response, error) {
		return telling(start, fmt.Sprintf("it is %d", i), "calm", "calm", "calm")
	}
	w.polls(t, 2*time.Hour, 24, clock)
	if it := w.items(t)[len(w.items(t))-1]; it.Noisy() || it.Revision != 24 {
		t.Errorf("after 23 changes: revision %d, noisy %t", it.Revision, it.Noisy())
	}
	changed := w.polls(t, 2*time.Hour, 10*12, func(i int) func() (*fetch.Response, error) { return clock(24 + i) })
	it := w.items(t)[len(w.items(t))-1]
	if !it.Noisy() || changed < 9 || changed > 13 || it.Revision < 24+9 || it.Revision > 24+13 {
		t.Errorf("after ten more days with twelve polls each: %d changes stored, revision %d, noisy %t; want about one a day", changed, it.Revision, it.Noisy())
	}
	if state := w.feed(t, "a"); state.IsRestless() {
		t.Errorf("a feed with one item of four that changes is restless, %d", state.Restless)
	}
}

// TestRedatedFeed: a feed that gives all its items a new date at each poll is recognised, and then nothing is stored of it
// until something is said.
func TestRedatedFeed(t *testing.T) {
	w := newWire(t, nil, "a")
	texts := []string{"one", "two", "three", "four"}
	redated := func(i int) func() (*fetch.Response, error) { return telling(w.clock(), texts...) }
	w.polls(t, 2*time.Hour, 4, redated)
	if state := w.feed(t, "a"); !state.IsRestless() || state.Restless != 3 {
		t.Fatalf("after three polls that changed all: restless %d", state.Restless)
	}
	before := w.items(t)
	if changed := w.polls(t, 2*time.Hour, 20, redated); changed != 0 {
		t.Errorf("%d changes of dates stored", changed)
	}
	for i, it := range w.items(t) {
		if it.Revision != 1 || !it.Revised.Equal(before[i].Revised) || it.Seq != before[i].Seq {
			t.Errorf("item %s: revision %d, revised %v, seq %d", it.Title, it.Revision, it.Revised, it.Seq)
		}
	}
	// What is new is stored, and so is a text that changed, and the feed stays marked.
	w.advance(24 * time.Hour)
	texts = append([]string{"one, and more"}, append(slices.Clone(texts[1:]), "five")...)
	w.answer("https://a.example/", redated(0))
	if got := w.pass(t); got.New != 1 || got.Changed != 1 {
		t.Errorf("a new item and a changed text: %+v", got)
	}
	// The publisher mends it: the feed is calm again, and what it says is stored.
	calm := w.clock().Add(time.Hour)
	w.polls(t, 2*time.Hour, 4, func(i int) func() (*fetch.Response, error) {
		return telling(calm, append(texts, fmt.Sprint("new ", i))...)
	})
	if state := w.feed(t, "a"); state.Restless != 0 {
		t.Errorf("calm for three polls: restless %d", state.Restless)
	}
	for _, it := range w.items(t) {
		if !it.Updated.Equal(calm) {
			t.Errorf("item %s is stored as of %v, want what the calm feed says: %v", it.Title, it.Updated, calm)
		}
	}
}

// TestRestlessTexts: a feed with a clock in each of its texts is marked, and each text is kept once a day.
func TestRestlessTexts(t *testing.T) {
	w := newWire(t, nil, "a")
	changed := w.polls(t, 2*time.Hour, 5*12+1, func(i int) func() (*fetch.Response, error) {
		at := w.clock().Format(time.RFC3339)
		return telling(start, "one "+at, "two "+at, "three "+at)
	})
	if state := w.feed(t, "a"); !state.IsRestless() || state.Restless != 60 {
		t.Errorf("restless %d", state.Restless)
	}
	// Three changes before it is marked, and one a day after.
	if changed > 3*(3+5) || changed < 3*(3+3) {
		t.Errorf("%d changes stored in five days", changed)
	}
	for _, it := range w.items(t) {
		if it.Revision > 3+5+1 {
			t.Errorf("item %s has revision %d", it.Title, it.Revision)
		}
	}
}
