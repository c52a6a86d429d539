package poll_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/storage"
)

// refused answers with an error of the fetcher.
func refused(e fetch.Error) func() (*fetch.Response, error) {
	return func() (*fetch.Response, error) {
		e := e
		if e.Err == nil {
			e.Err = fmt.Errorf("status %d", e.Status)
		}
		return nil, &e
	}
}

// movedTo answers with what answer does, from another URL after permanent redirects.
func movedTo(to string, answer func() (*fetch.Response, error)) func() (*fetch.Response, error) {
	return func() (*fetch.Response, error) {
		resp, err := answer()
		resp.URL, resp.Moved = to, to
		return resp, err
	}
}

func from(url string, answer func() (*fetch.Response, error)) func() (*fetch.Response, error) {
	return func() (*fetch.Response, error) {
		resp, err := answer()
		if resp != nil {
			resp.URL = url
		}
		return resp, err
	}
}

// urls are those that were asked for since the last call.
func (w *wire) urls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var urls []string
	for _, req := range w.asked {
		urls = append(urls, req.URL)
	}
	w.asked = nil
	return urls
}

// pollNow makes all due and polls.
func (w *wire) pollNow(t *testing.T) poll.Summary {
	t.Helper()
	summary, err := w.Pass(t.Context(), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func TestSecondGoneStopsTheFeed(t *testing.T) {
	w := newWire(t, nil, "a")
	w.answer("https://a.example/", from("https://a.example/", document("", "1|https://a.example/1|one")))
	w.pass(t)
	w.advance(2 * time.Hour)
	w.answer("https://a.example/", refused(fetch.Error{URL: "https://a.example/", Status: 410}))
	w.pass(t)
	if state := w.feed(t, "a"); state.Pace.Stopped != "" || state.Due.Sub(w.clock()) < 24*time.Hour || state.Due.Sub(w.clock()) > 26*time.Hour {
		t.Errorf("after one 410: due in %s, stopped %q; want another in a day", state.Due.Sub(w.clock()), state.Pace.Stopped)
	}
	w.advance(26 * time.Hour)
	w.pass(t)
	state := w.feed(t, "a")
	if !strings.Contains(state.Pace.Stopped, "410") || !state.Due.Equal(aggregator.Never) || state.Items != 1 {
		t.Errorf("after the second 410: %+v", state)
	}
	w.urls()
	w.advance(1000 * time.Hour)
	if got := w.pollNow(t); got.Feeds != 0 {
		t.Errorf("a stopped feed was polled: %+v", got)
	}
}

func TestPermanentRedirectMovesTheFeedWhenItHasLasted(t *testing.T) {
	const old, target = "https://a.example/", "https://new.example/feed"
	doc := document(`"1"`, "1|https://a.example/1|one")
	polls := func(t *testing.T, w *wire, n int, answer func() (*fetch.Response, error)) aggregator.FeedState {
		t.Helper()
		w.answer(old, func() (*fetch.Response, error) {
			// A feed that moves is due at once: by a clock that stands still the pass would find it again.
			w.advance(time.Second)
			return answer()
		})
		for range n {
			w.advance(13 * time.Hour)
			w.pollNow(t)
		}
		return w.feed(t, "a")
	}
	begin := func(t *testing.T, ids ...aggregator.FeedID) *wire {
		w := newWire(t, nil, append(ids, "a")...)
		w.answer("https://b.example/", from("https://b.example/", doc))
		polls(t, w, 1, from(old, doc))
		return w
	}
	t.Run("three polls over a day", func(t *testing.T) {
		w := begin(t)
		if state := polls(t, w, 2, movedTo(target, doc)); state.MovedTo != "" || state.Move.Polls != 2 {
			t.Fatalf("after two: %+v", state.Move)
		}
		state := polls(t, w, 1, movedTo(target, doc))
		if state.MovedTo != target || state.Due.After(w.clock()) || state.Validators != (aggregator.Validators{}) || state.Items != 1 {
			t.Fatalf("after three: %+v", state)
		}
		w.urls()
		w.answer(target, from(target, doc))
		w.pass(t)
		if got := w.urls(); !slices.Equal(got, []string{target}) || len(w.items(t)) != 1 {
			t.Errorf("polled %q then, with %d items; want the new URL and the same item", got, len(w.items(t)))
		}
		err := w.store.SyncFeeds(t.Context(), []aggregator.Feed{{ID: "a", URL: "https://other.example/", Schedule: "@every 1h"}},
			func(aggregator.Feed, aggregator.FeedState) time.Time { return w.clock() })
		if err != nil {
			t.Fatal(err)
		}
		if state := w.feed(t, "a"); state.MovedTo != "" {
			t.Errorf("a new URL in the config leaves the feed at %s", state.MovedTo)
		}
	})
	t.Run("then 404 at the old URL", func(t *testing.T) {
		w := begin(t)
		polls(t, w, 1, movedTo(target, doc))
		if state := polls(t, w, 1, refused(fetch.Error{URL: old, Status: 404})); state.MovedTo != target || state.Failures != 0 {
			t.Errorf("%+v", state)
		}
	})
	t.Run("304s there count", func(t *testing.T) {
		var log bytes.Buffer
		w := newWire(t, func(o *poll.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }, "a")
		polls(t, w, 1, from(old, doc))
		state := polls(t, w, 3, movedTo(target, func() (*fetch.Response, error) {
			return &fetch.Response{Status: 304, NotModified: true, Validators: aggregator.Validators{ETag: `"1"`}}, nil
		}))
		if state.MovedTo != target || state.Items != 1 {
			t.Errorf("%+v", state)
		}
		if n := strings.Count(log.String(), "feed has moved"); n != 1 {
			t.Errorf("the log says %d times that it has moved:\n%s", n, &log)
		}
	})
	for name, tc := range map[string]struct {
		answer func() (*fetch.Response, error)
		says   string
	}{
		"another feed is there": {movedTo(target, document("", "9|https://x.example/9|nine")), "no feed that has anything in common"},
		"a private address": {func() (*fetch.Response, error) {
			resp, err := movedTo(target, doc)()
			resp.Private = true
			return resp, err
		}, "not public"},
		"to http":                       {movedTo("http://a.example/", doc), "not encrypted"},
		"a temporary redirect":          {from(target, doc), ""},
		"a feed that is polled already": {movedTo("https://b.example/", doc), "polled already as b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, "b")
			changing := 0
			state := polls(t, w, 6, func() (*fetch.Response, error) {
				resp, err := tc.answer()
				if name == "another feed is there" {
					changing++
					resp.Body = append(resp.Body, strings.Repeat(" ", changing)...)
				}
				return resp, err
			})
			if state.MovedTo != "" {
				t.Errorf("moved to %s", state.MovedTo)
			}
			if !strings.Contains(state.Move.Refused, tc.says) || tc.says == "" && state.Move.Refused != "" {
				t.Errorf("says %q, want %q", state.Move.Refused, tc.says)
			}
		})
	}
}

// TestDifferenceAddsToTheDocument has a publisher that answers 226 with new entries alone.
func TestDifferenceAddsToTheDocument(t *testing.T) {
	w := newWire(t, nil, "a")
	const url = "https://a.example/"
	one, two := "1|https://a.example/1|one", "2|https://a.example/2|two"
	w.answer(url, document(`"1"`, one))
	w.pass(t)
	before := w.feed(t, "a")
	w.advance(2 * time.Hour)
	delta := document(`"2"`, two)
	w.answer(url, func() (*fetch.Response, error) {
		resp, err := delta()
		resp.Status, resp.Delta = 226, true
		return resp, err
	})
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, New: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	state := w.feed(t, "a")
	if state.BodyHash != before.BodyHash || w.listed(t, "a") != 2 || state.Validators.ETag != `"2"` {
		t.Errorf("state: %+v", state)
	}
	w.advance(2 * time.Hour)
	w.answer(url, refused(fetch.Error{URL: url, Status: 226}))
	w.pass(t)
	w.advance(100 * time.Hour)
	w.asked = nil
	w.answer(url, document(`"3"`, two, one))
	if got, want := w.pass(t), (poll.Summary{Feeds: 1}); got != want {
		t.Errorf("the whole document: %+v, want nothing new", got)
	}
	if v := w.asked[0].Validators; v != (aggregator.Validators{}) {
		t.Errorf("after a difference that could not be read the request has %+v, want none", v)
	}
}

func TestDocumentIsAskedForWholeEachWeek(t *testing.T) {
	w := newWire(t, nil, "a")
	w.answer("https://a.example/", document(`"1"`, "1|https://a.example/1|one"))
	w.pass(t)
	w.asked = nil
	w.answer("https://a.example/", func() (*fetch.Response, error) {
		return &fetch.Response{Status: 304, NotModified: true, Validators: aggregator.Validators{ETag: `"1"`}}, nil
	})
	for range 8 {
		w.advance(24 * time.Hour)
		w.pollNow(t)
	}
	var whole []int
	for i, req := range w.asked {
		if req.Validators == (aggregator.Validators{}) {
			whole = append(whole, i)
		}
	}
	// The publisher does not answer the first with the document, so it is asked again.
	if diff := cmp.Diff([]int{6, 7}, whole); diff != "" {
		t.Errorf("polls without validators (-want +got):\n%s", diff)
	}
}

func TestHintsPutAPollOff(t *testing.T) {
	w := newWire(t, nil, "a")
	doc := document(`"1"`, "1|https://a.example/1|one")
	w.answer("https://a.example/", func() (*fetch.Response, error) {
		resp, err := doc()
		resp.Freshness.CacheControl = "max-age=21600"
		return resp, err
	})
	w.pass(t)
	if wait := w.feed(t, "a").Due.Sub(w.clock()); wait < 6*time.Hour-5*time.Minute || wait > 7*time.Hour {
		t.Errorf("an hourly feed that is fresh for 6 hours is due after %s", wait)
	}
	w.advance(8 * time.Hour)
	w.answer("https://a.example/", func() (*fetch.Response, error) {
		resp, err := doc()
		resp.Freshness.CacheControl = "max-age=31536000"
		return resp, err
	})
	w.pass(t)
	if wait := w.feed(t, "a").Due.Sub(w.clock()); wait < 24*time.Hour-5*time.Minute || wait > 25*time.Hour {
		t.Errorf("one that is fresh for a year is due after %s, want the ceiling of a day", wait)
	}
}

// TestOutageCountsNothing cuts this machine's network for six hours.
func TestOutageCountsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ids := publicWire(t, 20, func(o *poll.Options) { o.Now = time.Now })
		began := time.Now()
		var tries []time.Duration
		for _, id := range ids {
			good := document("", "1|https://"+string(id)+".com/1|one")
			w.answer("https://"+string(id)+".com/", func() (*fetch.Response, error) {
				since := time.Since(began)
				if since > 3*time.Hour && since < 9*time.Hour {
					w.mu.Lock()
					tries = append(tries, since)
					w.mu.Unlock()
					return nil, &fetch.Error{URL: "https://" + string(id) + ".com/", Unreached: true, Err: errors.New("no route")}
				}
				return good()
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		time.Sleep(9*time.Hour - time.Minute)
		synctest.Wait()
		failed := 0
		for _, id := range ids {
			failed += w.feed(t, id).Failures
		}
		if failed > 3 {
			t.Errorf("%d failures were counted while the network was down, want those before it was known", failed)
		}
		w.mu.Lock()
		n := len(tries)
		w.mu.Unlock()
		if n < 300 || n > 2*60*6+30 {
			t.Errorf("%d tries in six hours, want one each half minute", n)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for _, id := range ids {
			if state := w.feed(t, id); state.Failures != 0 || time.Since(state.LastSuccess) > 2*time.Hour {
				t.Errorf("%s afterwards: %d failures, last good poll %s ago", id, state.Failures, time.Since(state.LastSuccess))
			}
		}
		cancel()
		<-ended
		if _, err := w.Pass(t.Context(), false, nil); err != nil {
			t.Errorf("a pass afterwards: %v", err)
		}
	})
}

// publicWire polls the feeds https://xN.com/ hourly.
func publicWire(t *testing.T, n int, change func(*poll.Options)) (*wire, []aggregator.FeedID) {
	t.Helper()
	w := newWire(t, change)
	var ids []aggregator.FeedID
	var feeds []aggregator.Feed
	for i := range n {
		id := aggregator.FeedID(fmt.Sprint("x", i))
		ids = append(ids, id)
		feeds = append(feeds, aggregator.Feed{ID: id, URL: "https://" + string(id) + ".com/", Schedule: "@every 1h"})
	}
	now := w.Now()
	if err := w.store.SyncFeeds(t.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return now }); err != nil {
		t.Fatal(err)
	}
	return w, ids
}

func TestPassSaysThatThereIsNoNetwork(t *testing.T) {
	w, ids := publicWire(t, 50, func(o *poll.Options) { o.Workers = 1 })
	for _, id := range ids {
		w.answer("https://"+string(id)+".com/", refused(fetch.Error{URL: "https://" + string(id) + ".com/", Unreached: true, Err: errors.New("no route")}))
	}
	summary, err := w.Pass(t.Context(), false, nil)
	if err == nil || !strings.Contains(err.Error(), "network") || summary.Feeds > 2 || len(w.asked) > 6 {
		t.Errorf("pass: %+v, %v, %d requests; want it to end early and to say so", summary, err, len(w.asked))
	}
}

// slowNet answers each URL after a time of its own, and counts what is under way at each host.
type slowNet struct {
	*wire
	takes   func(url string) time.Duration
	underWy map[string]int
	most    map[string]int
	first   map[string]time.Time
}

func (n *slowNet) Get(ctx context.Context, req fetch.Request) (*fetch.Response, error) {
	host := hosts.KeyOf(req.URL).Host
	n.mu.Lock()
	n.underWy[host]++
	n.most[host] = max(n.most[host], n.underWy[host])
	if n.first[req.URL].IsZero() {
		n.first[req.URL] = time.Now()
	}
	n.mu.Unlock()
	time.Sleep(n.takes(req.URL))
	n.mu.Lock()
	n.underWy[host]--
	n.mu.Unlock()
	return n.wire.Get(ctx, req)
}

// TestSlowHostHoldsUpNobody has 300 feeds of one host that takes 10 seconds for each, due before 300 of other hosts, and
// four workers.
func TestSlowHostHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &slowNet{underWy: map[string]int{}, most: map[string]int{}, first: map[string]time.Time{}}
		n.takes = func(url string) time.Duration {
			if strings.Contains(url, "slow.com") {
				return 10 * time.Second
			}
			return 100 * time.Millisecond
		}
		w := newWire(t, func(o *poll.Options) { o.Now, o.Fetcher, o.Timeout = time.Now, n, 30*time.Second })
		n.wire = w
		began := time.Now()
		var feeds []aggregator.Feed
		add := func(id, url string) {
			feeds = append(feeds, aggregator.Feed{ID: aggregator.FeedID(id), URL: url, Schedule: "@every 6h"})
			w.answer(url, document("", "1|"+url+"1|one"))
		}
		for i := range 300 {
			add(fmt.Sprint("a", i), fmt.Sprintf("https://s%d.slow.com/", i))
			add(fmt.Sprint("b", i), fmt.Sprintf("https://fast%d.com/", i))
		}
		err := w.store.SyncFeeds(t.Context(), feeds, func(f aggregator.Feed, _ aggregator.FeedState) time.Time {
			if f.ID[0] == 'a' {
				return began.Add(-time.Hour)
			}
			return began
		})
		if err != nil {
			t.Fatal(err)
		}
		summary, err := w.Pass(t.Context(), false, nil)
		if err != nil || summary.Feeds != 600 || summary.New != 600 || summary.Postponed != 0 {
			t.Errorf("pass: %+v, %v; want all feeds", summary, err)
		}
		var last time.Duration
		for url, at := range n.first {
			if strings.Contains(url, "fast") {
				last = max(last, at.Sub(began))
			}
		}
		// With two workers on the slow host the other two need 15 s for what is not slow.
		if last > 20*time.Second {
			t.Errorf("the last feed of the other hosts was polled after %s", last)
		}
		if n.most["slow.com"] != hosts.DefaultConnections {
			t.Errorf("%d connections to the slow host at once, want %d", n.most["slow.com"], hosts.DefaultConnections)
		}
		if took := time.Since(began); took > 1550*time.Second {
			t.Errorf("the pass took %s, want hardly more than the 1500 s that the slow host needs", took)
		}
	})
}

// TestHeldHostIsLeftAlone has a host that answers 429 once.
func TestHeldHostIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func(o *poll.Options) { o.Now = time.Now })
		began := time.Now()
		var feeds []aggregator.Feed
		for i := range 50 {
			url := fmt.Sprintf("https://s%d.many.com/", i)
			feeds = append(feeds, aggregator.Feed{ID: aggregator.FeedID(fmt.Sprint(i)), URL: url, Schedule: "@every 1h"})
			good := document("", "1|"+url+"1|one")
			w.answer(url, func() (*fetch.Response, error) {
				if time.Since(began) < 3*time.Hour {
					return nil, &fetch.Error{URL: url, Status: 429, RetryAfter: began.Add(3 * time.Hour), Err: errors.New("too many")}
				}
				return good()
			})
		}
		if err := w.store.SyncFeeds(t.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return began }); err != nil {
			t.Fatal(err)
		}
		summary, err := w.Pass(t.Context(), false, nil)
		if err != nil || summary.Feeds > hosts.DefaultConnections || summary.Feeds+summary.Postponed != 50 {
			t.Errorf("pass: %+v, %v; want one or two polls and the rest put off", summary, err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("the pass waited %s for a host that is to be left alone", took)
		}
		time.Sleep(3*time.Hour + 30*time.Minute - time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		time.Sleep(90 * time.Minute)
		synctest.Wait()
		cancel()
		<-ended
		for _, f := range feeds {
			if state := w.feed(t, f.ID); state.LastSuccess.IsZero() || state.Failures != 0 {
				t.Errorf("%s: %+v", f.ID, state.LastPoll)
			}
		}
	})
}

// TestWorkersGoOnWhileTheStoreWrites has a store that takes a second for each commit, many at once.
func TestWorkersGoOnWhileTheStoreWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ids := publicWire(t, 400, func(o *poll.Options) {
			o.Now, o.Workers = time.Now, 2
			o.Store = brokenStore{o.Store.(storage.Store), func(aggregator.Poll) error { time.Sleep(time.Second); return nil }}
		})
		for _, id := range ids {
			w.answer("https://"+string(id)+".com/", func() (*fetch.Response, error) {
				return &fetch.Response{Status: 304, NotModified: true}, nil
			})
		}
		began := time.Now()
		if got := w.pass(t); got.NotModified != 400 {
			t.Errorf("pass: %+v", got)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("400 polls that found nothing took two workers %s with commits of a second", took)
		}
	})
}
