package poll_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/storage"
	"github.com/topicwire/topicwire/storage/memory"
)

var start = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// wire is a poller on a store in memory, with a network and a clock that the test moves.
type wire struct {
	*poll.Poller
	store storage.Store

	mu      sync.Mutex
	now     time.Time
	answers map[string]func() (*fetch.Response, error)
	asked   []fetch.Request
}

func (w *wire) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *wire) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *wire) answer(url string, answer func() (*fetch.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[url] = answer
}

// Get implements poll.Fetcher.
func (w *wire) Get(_ context.Context, req fetch.Request) (*fetch.Response, error) {
	w.mu.Lock()
	w.asked = append(w.asked, req)
	answer := w.answers[req.URL]
	w.mu.Unlock()
	return answer()
}

func (w *wire) feed(t *testing.T, id aggregator.FeedID) aggregator.FeedState {
	t.Helper()
	status, err := w.store.Feed(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return status.State
}

// listed is of how many items the feed's last document is remembered.
func (w *wire) listed(t *testing.T, id aggregator.FeedID) int {
	t.Helper()
	listing, err := w.store.Listing(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return len(listing)
}

func (w *wire) items(t *testing.T) []aggregator.Item {
	t.Helper()
	var items []aggregator.Item
	for it, err := range w.store.Items(t.Context(), aggregator.ItemQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	return items
}

func (w *wire) pass(t *testing.T) poll.Summary {
	t.Helper()
	summary, err := w.Pass(t.Context(), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// topics files every item under "all".
type topics struct{}

func (topics) Match(*aggregator.Item) []aggregator.TopicID { return []aggregator.TopicID{"matched"} }

// newWire polls the feeds https://ID.example/ hourly. change may replace parts of the poller.
func newWire(t *testing.T, change func(*poll.Options), ids ...aggregator.FeedID) *wire {
	t.Helper()
	w := &wire{now: start, answers: make(map[string]func() (*fetch.Response, error))}
	w.store = memory.New(w.clock)
	feeds := make([]aggregator.Feed, 0, len(ids))
	for _, id := range ids {
		feeds = append(feeds, aggregator.Feed{
			ID: id, URL: "https://" + string(id) + ".example/", Schedule: "@every 1h", Topics: []aggregator.TopicID{"forced"},
		})
	}
	err := w.store.SyncFeeds(t.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	options := poll.Options{
		Store: w.store, Queue: w.store, Directory: w.store, Archive: w.store, Fetcher: w, Topics: topics{}, Workers: 4, Timeout: time.Second, Grace: time.Second,
		Now: w.clock, Jitter: func() float64 { return 0.5 },
	}
	if change != nil {
		change(&options)
	}
	w.Poller = poll.New(options)
	return w
}

// document answers with a feed that has the given items, each "guid|link|title".
func document(etag string, items ...string) func() (*fetch.Response, error) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>https://home.example/</link><description>d</description>`)
	for _, it := range items {
		parts := strings.Split(it, "|")
		fmt.Fprintf(&b, `<item><guid isPermaLink="false">%s</guid><link>%s</link><title>%s</title><pubDate>Mon, 02 Mar 2026 10:00:00 +0000</pubDate></item>`, parts[0], parts[1], parts[2])
	}
	b.WriteString(`</channel></rss>`)
	body := []byte(b.String())
	return func() (*fetch.Response, error) {
		return &fetch.Response{
			URL: "https://home.example/", Status: 200, ContentType: "application/rss+xml", Body: body, Bytes: int64(len(body)),
			Validators: aggregator.Validators{ETag: etag},
		}, nil
	}
}

func titles(items []aggregator.Item) []string {
	out := make([]string, 0, len(items))
	for _, it := range items {
		out = append(out, it.Title)
	}
	slices.Sort(out)
	return out
}

func TestPollStoresWhatIsNewOnce(t *testing.T) {
	w := newWire(t, nil, "a")
	const url = "https://a.example/"
	w.answer(url, document(`"1"`, "g1|https://a.example/1|one", "g2|https://a.example/2|two"))
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, New: 2}); got != want {
		t.Errorf("first pass: %+v, want %+v", got, want)
	}
	items := w.items(t)
	if diff := cmp.Diff([]string{"one", "two"}, titles(items)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]aggregator.TopicID{"forced", "matched"}, items[0].Topics); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	if state := w.feed(t, "a"); state.Validators.ETag != `"1"` || state.Title != "T" || state.Items != 2 || w.listed(t, "a") != 2 ||
		state.LastPoll.New != 2 || state.LastPoll.Listed != 2 || !state.LastNew.Equal(start) || !state.Due.After(start) {
		t.Errorf("state after the first poll: %+v", state)
	}

	if got := w.pass(t); got != (poll.Summary{}) {
		t.Errorf("a pass before the feed is due again: %+v, want nothing", got)
	}

	w.advance(2 * time.Hour)
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, Unchanged: 1}); got != want {
		t.Errorf("the same body: %+v, want %+v", got, want)
	}
	if got := w.asked[1].Validators.ETag; got != `"1"` {
		t.Errorf("the second request has the ETag %q", got)
	}

	w.advance(2 * time.Hour)
	w.answer(url, func() (*fetch.Response, error) {
		return &fetch.Response{Status: 304, NotModified: true, Validators: aggregator.Validators{ETag: `"2"`}}, nil
	})
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, NotModified: 1}); got != want {
		t.Errorf("a 304: %+v, want %+v", got, want)
	}
	if state := w.feed(t, "a"); state.Validators.ETag != `"2"` || state.LastPoll.Listed != 2 {
		t.Errorf("state after a 304: %+v", state)
	}

	w.advance(2 * time.Hour)
	w.answer(url, document(`"3"`, "g3|https://a.example/3|three", "g1|https://a.example/1|one, corrected"))
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, New: 1, Changed: 1}); got != want {
		t.Errorf("one new, one changed: %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"one, corrected", "three", "two"}, titles(w.items(t))); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// A feed that lists an item for longer than it is kept brings nothing new, also when it changes that item.
func TestPollOfPrunedItems(t *testing.T) {
	w := newWire(t, nil, "a")
	w.answer("https://a.example/", document("", "g1|https://a.example/1|one", "g2|https://a.example/2|two"))
	w.pass(t)
	pruned, err := w.store.Prune(t.Context(), aggregator.Retention{General: aggregator.Keep{Age: time.Hour}}, start.Add(2*time.Hour))
	if err != nil || pruned.Items != 2 {
		t.Fatalf("pruned %+v, %v", pruned, err)
	}
	for _, items := range [][]string{
		{"g2|https://a.example/2|two, corrected", "g1|https://a.example/1|one"},
		{"g2|https://a.example/2|two, corrected again", "g1|https://a.example/1|one"},
	} {
		w.advance(2 * time.Hour)
		w.answer("https://a.example/", document("", items...))
		if got, want := w.pass(t), (poll.Summary{Feeds: 1}); got != want {
			t.Errorf("what was pruned, changed and not: %+v, want %+v", got, want)
		}
	}
	w.advance(2 * time.Hour)
	w.answer("https://a.example/", document("", "g3|https://a.example/3|three", "g1|https://a.example/1|one"))
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, New: 1}); got != want {
		t.Errorf("one new: %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"three"}, titles(w.items(t))); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestPollOfNewGuidsAtKnownLinks(t *testing.T) {
	w := newWire(t, nil, "a")
	w.answer("https://a.example/", document("", "http://a.example/?p=1|https://a.example/one|one", "http://a.example/?p=2|https://a.example/two|two"))
	w.pass(t)
	before := w.items(t)
	w.advance(2 * time.Hour)
	w.answer("https://a.example/", document("", "https://a.example/?p=1|https://a.example/one|one", "https://a.example/?p=2|https://a.example/two|two"))
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, Changed: 2}); got != want {
		t.Errorf("all guids changed: %+v, want %+v", got, want)
	}
	for i, it := range w.items(t) {
		if it.ID != before[i].ID || it.Revision != 1 || !it.Revised.Equal(before[i].Revised) {
			t.Errorf("item %d became %+v, was %+v", i, it, before[i])
		}
	}
}

func TestSameLinkInTwoFeedsIsOneStory(t *testing.T) {
	w := newWire(t, nil, "a", "b")
	w.answer("https://a.example/", document("", "1|https://wire.example/story|A says"))
	w.answer("https://b.example/", document("", "x|http://WIRE.example/story/?utm_source=b|B says"))
	w.pass(t)
	for story, err := range w.store.Stories(t.Context(), aggregator.StoryQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"A says", "B says"}, titles(story.Items)); diff != "" {
			t.Errorf("story (-want +got):\n%s", diff)
		}
	}
}

func TestFailedPollKeepsWhatTheLastGoodOneLeft(t *testing.T) {
	w := newWire(t, nil, "a")
	w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
	w.pass(t)
	good := w.feed(t, "a")
	for name, tc := range map[string]struct {
		answer func() (*fetch.Response, error)
		status int
		says   string
	}{
		"no answer": {
			func() (*fetch.Response, error) { return nil, errors.New("connection refused") }, 0, "connection refused",
		},
		"an HTTP error": {
			func() (*fetch.Response, error) { return nil, &fetch.Error{Status: 404, Err: errors.New("not found")} }, 404, "not found",
		},
		"no feed": {
			func() (*fetch.Response, error) {
				return &fetch.Response{Status: 200, Body: []byte("<html><p>Hello</p></html>"), Validators: aggregator.Validators{ETag: `"page"`}}, nil
			}, 200, "not a feed",
		},
		"a panic": {
			func() (*fetch.Response, error) { panic("cannot happen") }, 0, "internal error",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.advance(8 * 24 * time.Hour)
			before := w.feed(t, "a")
			w.answer("https://a.example/", tc.answer)
			if got := w.pass(t); got.Failed != 1 {
				t.Fatalf("pass: %+v, want a failed poll", got)
			}
			state := w.feed(t, "a")
			if state.LastPoll.Outcome != aggregator.OutcomeFailed || state.LastPoll.Status != tc.status || !strings.Contains(state.LastPoll.Error, tc.says) {
				t.Errorf("record: %+v, want status %d and an error with %q", state.LastPoll, tc.status, tc.says)
			}
			if state.Failures != before.Failures+1 || state.Validators != good.Validators || !state.LastSuccess.Equal(good.LastSuccess) || state.Title != "T" {
				t.Errorf("state: %+v", state)
			}
			if !state.Due.After(w.clock()) {
				t.Errorf("due at %s, now is %s", state.Due, w.clock())
			}
			if last := state.History[0]; last.Mark != aggregator.MarkFailed && last.Mark != aggregator.MarkHeld || state.History[1] != before.History[0] {
				t.Errorf("history %v after %v, want one failed poll more", state.History, before.History)
			}
		})
	}
	w.advance(8 * 24 * time.Hour)
	w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
	w.pass(t)
	if state := w.feed(t, "a"); state.Failures != 0 || state.LastPoll.Error != "" {
		t.Errorf("after a good poll: %+v", state)
	}
}

// brokenStore refuses commits.
type brokenStore struct {
	storage.Store
	refuse func(aggregator.Poll) error
}

func (s brokenStore) CommitEach(ctx context.Context, polls []*aggregator.Poll) []error {
	errs := make([]error, len(polls))
	var all sync.WaitGroup
	for i, p := range polls {
		all.Go(func() {
			if errs[i] = s.refuse(*p); errs[i] == nil {
				errs[i] = s.Store.Commit(ctx, *p)
			}
		})
	}
	all.Wait()
	return errs
}

func (s brokenStore) CommitPrepared(ctx context.Context, prepared []aggregator.Prepared) []error {
	errs := make([]error, len(prepared))
	var all sync.WaitGroup
	for i, p := range prepared {
		all.Go(func() {
			if errs[i] = s.refuse(aggregator.Poll{Feed: p.Feed()}); errs[i] == nil {
				errs[i] = s.Store.CommitPrepared(ctx, prepared[i:i+1])[0]
			}
		})
	}
	all.Wait()
	return errs
}

func TestOutcomeThatTheStoreRefusesIsAFailedPoll(t *testing.T) {
	w := newWire(t, func(o *poll.Options) {
		o.Store = brokenStore{o.Store.(storage.Store), func(p aggregator.Poll) error {
			if p.Feed == "poison" && len(p.Items) > 0 {
				return fmt.Errorf("key too large: %w", aggregator.ErrRefused)
			}
			return nil
		}}
	}, "good", "poison")
	w.answer("https://good.example/", document("", "1|https://good.example/1|one"))
	w.answer("https://poison.example/", document(`"1"`, "1|https://poison.example/1|one"))
	if got, want := w.pass(t), (poll.Summary{Feeds: 2, New: 1, Failed: 1}); got != want {
		t.Errorf("pass: %+v, want %+v", got, want)
	}
	if state := w.feed(t, "poison"); !strings.Contains(state.LastPoll.Error, "key too large") || state.Validators != (aggregator.Validators{}) {
		t.Errorf("state: %+v", state)
	}
}

func TestPassGivesUpWhenTheStoreIsBroken(t *testing.T) {
	full := errors.New("no space left on device")
	ids := []aggregator.FeedID{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	w := newWire(t, func(o *poll.Options) {
		o.Workers = 1
		o.Store = brokenStore{o.Store.(storage.Store), func(aggregator.Poll) error { return full }}
	}, ids...)
	for _, id := range ids {
		w.answer("https://"+string(id)+".example/", document("", "1|https://x.example/1|one"))
	}
	if _, err := w.Pass(t.Context(), false, nil); !errors.Is(err, full) {
		t.Errorf("pass: %v, want %v", err, full)
	}
	if len(w.asked) > 2 {
		t.Errorf("%d feeds were asked for what cannot be kept", len(w.asked))
	}
	leases, err := w.store.Claim(t.Context(), w.clock(), time.Minute, 100)
	if err != nil || len(leases) != len(ids) {
		t.Errorf("%d feeds can be claimed afterwards (%v), want all %d", len(leases), err, len(ids))
	}
}

// TestRunAsksNobodyTwiceForWhatTheStoreCannotKeep has a full disk for six hours under hourly feeds.
func TestRunAsksNobodyTwiceForWhatTheStoreCannotKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := newWire(t, func(o *poll.Options) {
			o.Now = time.Now
			o.Store = brokenStore{o.Store.(storage.Store), func(aggregator.Poll) error {
				if time.Since(began) < 6*time.Hour {
					return errors.New("no space left on device")
				}
				return nil
			}}
		}, "a", "b")
		if err := w.store.MakeDue(t.Context(), began); err != nil {
			t.Fatal(err)
		}
		w.answer("https://a.example/", document("", "1|https://a.example/1|one"))
		w.answer("https://b.example/", func() (*fetch.Response, error) { return nil, errors.New("connection refused") })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		time.Sleep(6*time.Hour + 5*time.Minute)
		synctest.Wait()
		cancel()
		<-ended
		if got := len(w.asked); got > 4 {
			t.Errorf("two feeds were asked %d times while nothing could be stored", got)
		}
		if got := titles(w.items(t)); len(got) != 1 {
			t.Errorf("items %q once there is room again, want what was fetched before", got)
		}
		if state := w.feed(t, "a"); state.Failures != 0 || state.LastPoll.Outcome == aggregator.OutcomeFailed {
			t.Errorf("the store's fault was booked as the feed's: %+v", state.LastPoll)
		}
	})
}

// TestPassCountsWhatRunIsPolling asks for a pass while the daemon's own loop has a feed in hand.
func TestPassCountsWhatRunIsPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, release := make(chan struct{}), make(chan struct{})
		w := newWire(t, func(o *poll.Options) { o.Now = time.Now }, "fast", "slow")
		if err := w.store.MakeDue(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.answer("https://fast.example/", document("", "1|https://fast.example/1|one"))
		slow := document("", "1|https://slow.example/1|one")
		w.answer("https://slow.example/", func() (*fetch.Response, error) {
			close(asked)
			<-release
			return slow()
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		<-asked
		synctest.Wait()
		var polled []string
		passed := make(chan poll.Summary)
		go func() {
			summary, err := w.Pass(ctx, true, func(f aggregator.FeedID, _ aggregator.PollRecord) { polled = append(polled, string(f)) })
			if err != nil {
				t.Error(err)
			}
			passed <- summary
		}()
		synctest.Wait()
		close(release)
		summary := <-passed
		slices.Sort(polled)
		if diff := cmp.Diff([]string{"fast", "slow"}, polled); diff != "" || summary.Feeds != 2 {
			t.Errorf("the pass told of (-want +got):\n%s\n%+v", diff, summary)
		}
		cancel()
		<-ended
	})
}

func TestErrorsOfPrivateFeedsHideTheirQuery(t *testing.T) {
	w := newWire(t, nil)
	const secret = "token=s3cr3t"
	feed := aggregator.Feed{ID: "a", URL: "https://a.example/?" + secret, Schedule: "@every 1h", Private: true}
	err := w.store.SyncFeeds(t.Context(), []aggregator.Feed{feed}, func(aggregator.Feed, aggregator.FeedState) time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	w.answer(feed.URL, func() (*fetch.Response, error) { return nil, fmt.Errorf("get %s: refused", feed.URL) })
	w.pass(t)
	if got := w.feed(t, "a").LastPoll.Error; strings.Contains(got, secret) || !strings.Contains(got, "refused") {
		t.Errorf("error %q", got)
	}
}

func TestRetryAfterIsRemembered(t *testing.T) {
	w := newWire(t, nil, "a")
	until := start.Add(30 * time.Hour)
	w.answer("https://a.example/", func() (*fetch.Response, error) {
		return nil, &fetch.Error{Status: 429, RetryAfter: until, Err: errors.New("asks to wait")}
	})
	w.pass(t)
	if state := w.feed(t, "a"); state.Failures != 0 || !state.Pace.NotBefore.Equal(until) || state.Due.Before(until) {
		t.Errorf("state: %+v", state)
	}
	if summary, err := w.Pass(t.Context(), true, nil); err != nil || summary.Feeds != 0 {
		t.Errorf("a pass over all feeds: %+v, %v; want none before the time that the publisher asked for", summary, err)
	}
	w.advance(50 * time.Hour)
	w.answer("https://a.example/", document("", "1|https://a.example/1|one"))
	w.pass(t)
	if state := w.feed(t, "a"); !state.Pace.NotBefore.IsZero() {
		t.Errorf("after a good poll: not before %s", state.Pace.NotBefore)
	}
}

func TestItemsThatAreTooOldAreLookedAtAgain(t *testing.T) {
	w := newWire(t, nil, "a")
	follow := func(maxAge time.Duration) {
		t.Helper()
		err := w.store.SyncFeeds(t.Context(), []aggregator.Feed{{ID: "a", URL: "https://a.example/", Schedule: "@every 1h", MaxAge: maxAge}},
			func(aggregator.Feed, aggregator.FeedState) time.Time { return start })
		if err != nil {
			t.Fatal(err)
		}
	}
	w.answer("https://a.example/", document(`"1"`, "1|https://a.example/1|one"))
	for n, tc := range []struct {
		maxAge time.Duration
		want   int
	}{{time.Hour, 0}, {time.Hour, 0}, {1000 * time.Hour, 1}} {
		follow(tc.maxAge)
		w.pass(t)
		if got := len(w.items(t)); got != tc.want {
			t.Errorf("pass %d: %d items with a max age of %s, want %d", n, got, tc.maxAge, tc.want)
		}
		w.advance(2 * time.Hour)
	}
}

func TestRunPollsOnSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func(o *poll.Options) { o.Now = time.Now }, "a", "b")
		err := w.store.SyncFeeds(t.Context(), []aggregator.Feed{
			{ID: "a", URL: "https://a.example/", Schedule: "@every 1h"},
			{ID: "b", URL: "https://b.example/", Schedule: "@every 6h"},
		}, func(aggregator.Feed, aggregator.FeedState) time.Time { return time.Now() })
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.MakeDue(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.answer("https://a.example/", document("", "1|https://a.example/1|one"))
		w.answer("https://b.example/", document("", "1|https://b.example/1|one"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		time.Sleep(24*time.Hour + time.Minute)
		synctest.Wait()
		cancel()
		<-ended
		counts := make(map[string]int)
		for _, req := range w.asked {
			counts[req.URL]++
		}
		// Once at the start and then at the feed's own moment in each interval, the first of which may be too near.
		for url, want := range map[string]int{"https://a.example/": 25, "https://b.example/": 5} {
			if got := counts[url]; got != want && got != want-1 {
				t.Errorf("%s was polled %d times in a day, want %d or one less", url, got, want)
			}
		}
	})
}

func TestStoppedRunGivesFeedsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func(o *poll.Options) {
			o.Now = time.Now
			o.Workers = 1
			o.Fetcher = stuck{}
		}, "a", "b", "c")
		err := w.store.MakeDue(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		synctest.Wait()
		stopping := time.Now()
		cancel()
		<-ended
		if took := time.Since(stopping); took != time.Second {
			t.Errorf("stopping took %s, want the grace of 1s", took)
		}
		leases, err := w.store.Claim(t.Context(), start, time.Minute, 10)
		if err != nil || len(leases) != 3 {
			t.Errorf("%d feeds can be claimed afterwards (%v), want all 3", len(leases), err)
		}
		if state := w.feed(t, "a"); !state.LastPoll.At.IsZero() {
			t.Errorf("an abandoned poll left a record: %+v", state.LastPoll)
		}
	})
}

// stuck is a network that never answers.
type stuck struct{}

func (stuck) Get(ctx context.Context, _ fetch.Request) (*fetch.Response, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestPassLeavesWhatFallsDueMeanwhile(t *testing.T) {
	w := newWire(t, func(o *poll.Options) { o.Workers = 1 }, "a", "b")
	err := w.store.SyncFeeds(t.Context(), []aggregator.Feed{
		{ID: "a", URL: "https://a.example/", Schedule: "@every 1s"},
		{ID: "b", URL: "https://b.example/", Schedule: "@every 1s"},
	}, func(aggregator.Feed, aggregator.FeedState) time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		answer := document("", "1|https://x.example/1|one")
		w.answer("https://"+id+".example/", func() (*fetch.Response, error) {
			w.advance(time.Minute) // slow: meanwhile the other feed falls due again
			return answer()
		})
	}
	if got := w.pass(t); got.Feeds != 2 {
		t.Errorf("pass: %+v, want each feed once", got)
	}
}

// forgetfulStore gives out feeds without the listing of their last document, so that each document is read whole.
type forgetfulStore struct{ poll.Store }

func (forgetfulStore) Listing(context.Context, aggregator.FeedID) ([]aggregator.ListedItem, error) {
	return nil, nil
}

// TestReadingOnlyWhatIsNewChangesNothing polls the same documents twice: once reading each whole, once only where it
// differs from the last.
func TestReadingOnlyWhatIsNewChangesNothing(t *testing.T) {
	histories := map[string][][]string{
		"new items on top": {
			{"1|https://x.example/1|one"}, {"2|https://x.example/2|two", "1|https://x.example/1|one"},
		},
		"a changed item": {
			{"1|https://x.example/1|one", "2|https://x.example/2|two"}, {"1|https://x.example/1|one, corrected", "2|https://x.example/2|two"},
		},
		"a new item with the guid of an unread one": {
			{"1|https://x.example/1|one"}, {"1|https://x.example/2|two", "1|https://x.example/1|one"},
			{"1|https://x.example/3|three", "1|https://x.example/2|two", "1|https://x.example/1|one"},
		},
		"a new item with the link of an unread one": {
			{"1|https://x.example/page|one"}, {"2|https://x.example/page|two", "1|https://x.example/page|one"},
			{"3|https://x.example/page|three", "2|https://x.example/page|two", "1|https://x.example/page|one"},
			{"4|https://x.example/page|four", "3|https://x.example/page|three"},
		},
		"a repeat of an unread one": {
			{"1|https://x.example/1|one", "2|https://x.example/2|two"},
			{"1|https://x.example/1|one", "2|https://x.example/2|two", "1|https://x.example/1|one"},
			{"3|https://x.example/3|three", "1|https://x.example/1|one", "2|https://x.example/2|two", "1|https://x.example/1|one"},
		},
		"another guid at the link of one that is gone": {
			{"1|https://x.example/1|one", "2|https://x.example/2|two"}, {"one|https://x.example/1|one", "2|https://x.example/2|two"},
		},
		"an item that comes back": {
			{"1|https://x.example/1|one", "2|https://x.example/2|two"}, {"2|https://x.example/2|two"},
			{"1|https://x.example/1|one", "2|https://x.example/2|two"},
		},
		"no guids": {
			{"|https://x.example/1|one", "|https://x.example/2|two"}, {"|https://x.example/3|one", "|https://x.example/1|one", "|https://x.example/2|two"},
			{"|https://x.example/3|other", "|https://x.example/3|one", "|https://x.example/2|two"},
		},
	}
	for name, documents := range histories {
		t.Run(name, func(t *testing.T) {
			whole := newWire(t, func(o *poll.Options) { o.Store = forgetfulStore{o.Store} }, "a")
			partly := newWire(t, nil, "a")
			for n, items := range documents {
				for _, w := range []*wire{whole, partly} {
					w.answer("https://a.example/", document("", items...))
					if got := w.pass(t); got.Failed > 0 {
						t.Fatalf("document %d: %+v", n, got)
					}
					w.advance(2 * time.Hour)
				}
				if diff := cmp.Diff(whole.items(t), partly.items(t)); diff != "" {
					t.Fatalf("after document %d (-read whole +read where new):\n%s", n, diff)
				}
			}
		})
	}
}

// grouper puts new items into one story and remembers what became of them.
type grouper struct {
	mu     sync.Mutex
	ends   []bool
	fails  error
	panics bool
}

func (g *grouper) Group(_ context.Context, items []aggregator.Item) (func(bool), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.panics {
		panic("grouper")
	}
	if err := g.fails; err != nil {
		g.fails = nil
		return nil, err
	}
	for i := range items {
		if items[i].Plain == "" && items[i].Text() != "" {
			return nil, errors.New("the item's plain text is to be made again")
		}
		if items[i].Seq == 0 {
			items[i].Story = aggregator.StoryID{1}
		}
	}
	return func(stored bool) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ends = append(g.ends, stored)
	}, nil
}

// TestStoriesAreDecidedBeforeTheyAreStored: once for each poll that has items, which is then told whether they were stored.
func TestStoriesAreDecidedBeforeTheyAreStored(t *testing.T) {
	g := &grouper{}
	store := &refusing{}
	w := newWire(t, func(o *poll.Options) {
		store.Store = o.Store
		o.Store, o.Stories = store, g
	}, "a")
	const url = "https://a.example/"
	w.answer(url, document("", "g1|https://a.example/1|one</title><description>a text</description><title>one", "g2|https://a.example/2|two"))
	store.refuse = true
	w.pass(t) // is refused, then stored as a failed poll
	if diff := cmp.Diff([]bool{false}, g.ends); diff != "" {
		t.Errorf("a poll that was not stored (-want +got):\n%s", diff)
	}
	store.refuse = false
	w.advance(48 * time.Hour)
	w.pass(t)
	for _, it := range w.items(t) {
		if it.Story != (aggregator.StoryID{1}) {
			t.Errorf("item %q is stored in story %v", it.Title, it.Story)
		}
		if it.Plain != "" {
			t.Errorf("item %q has its plain text beside it in the store: %q", it.Title, it.Plain)
		}
	}
	if diff := cmp.Diff([]bool{false, true}, g.ends); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	g.panics = true
	w.advance(48 * time.Hour)
	w.answer(url, document("", "g3|https://a.example/3|three"))
	if got := w.pass(t); got.Failed != 1 {
		t.Errorf("a grouper that panics: %+v, want a failed poll", got)
	}
}

// refusing refuses items while it is told to.
type refusing struct {
	poll.Store
	refuse bool
}

func (s *refusing) CommitEach(ctx context.Context, polls []*aggregator.Poll) []error {
	if s.refuse && len(polls) == 1 && len(polls[0].Items) > 0 {
		return []error{aggregator.ErrRefused}
	}
	return s.Store.CommitEach(ctx, polls)
}
