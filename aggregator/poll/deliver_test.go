package poll_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/poll"
)

// pushed is a feed of the items as a hub sends it.
func pushed(t *testing.T, items ...string) aggregator.Pushed {
	t.Helper()
	resp, err := document("", items...)()
	if err != nil {
		t.Fatal(err)
	}
	return aggregator.Pushed{Document: "https://home.example/", ContentType: resp.ContentType, Body: resp.Body}
}

func (w *wire) deliver(t *testing.T, d aggregator.Pushed, outcome aggregator.Outcome, news, changed int) {
	t.Helper()
	record, err := w.Deliver(t.Context(), "a", d)
	if err != nil || record.Outcome != outcome || record.New != news || record.Changed != changed {
		t.Fatalf("delivered: %+v, %v; want %s, %d new, %d changed", record, err, outcome, news, changed)
	}
}

// What a hub sends is stored as a poll's difference is, and the next poll asks and compares as if nobody had pushed.
func TestDelivery(t *testing.T) {
	w := newWire(t, nil, "a")
	const url = "https://a.example/"
	w.answer(url, document(`"1"`, "g1|https://a.example/1|one", "g2|https://a.example/2|two"))
	w.pass(t)
	before := w.feed(t, "a")
	w.advance(10 * time.Minute)

	w.deliver(t, pushed(t, "g3|https://a.example/3|three", "g1|https://a.example/1|one, corrected"), aggregator.OutcomeStored, 1, 1)
	if diff := cmp.Diff([]string{"one, corrected", "three", "two"}, titles(w.items(t))); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if it := w.items(t)[2]; len(it.Topics) != 2 {
		t.Errorf("a delivered item is filed under %q", it.Topics)
	}
	after := w.feed(t, "a")
	if after.Validators != before.Validators || after.BodyHash != before.BodyHash || !after.Due.Equal(before.Due) ||
		!after.LastSuccess.Equal(before.LastSuccess) || after.LastPoll.At != before.LastPoll.At || after.History != before.History {
		t.Errorf("a delivery changed what polls know:\n%s", cmp.Diff(before, after))
	}
	if !after.LastNew.Equal(w.clock()) || after.Items != 3 || after.Pace.Rhythm.Arrivals <= before.Pace.Rhythm.Arrivals {
		t.Errorf("a delivery left no trace in the feed's state:\n%s", cmp.Diff(before, after))
	}
	w.deliver(t, pushed(t, "g3|https://a.example/3|three"), aggregator.OutcomeStored, 0, 0)

	w.advance(2 * time.Hour)
	w.answer(url, document(`"2"`, "g4|https://a.example/4|four", "g3|https://a.example/3|three", "g1|https://a.example/1|one, corrected", "g2|https://a.example/2|two"))
	if got, want := w.pass(t), (poll.Summary{Feeds: 1, New: 1}); got != want {
		t.Errorf("the poll after that: %+v, want %+v", got, want)
	}
	if got := w.asked[1].Validators.ETag; got != `"1"` {
		t.Errorf("it asked with the ETag %q", got)
	}
}

// A publisher that takes back what it has sent as a difference is believed, though its document then has bytes that were
// read before.
func TestDeliveryThatIsTakenBack(t *testing.T) {
	w := newWire(t, nil, "a")
	const url = "https://a.example/"
	two := "g2|https://a.example/2|two"
	w.answer(url, document(`"1"`, "g1|https://a.example/1|one", two))
	w.pass(t)
	w.advance(10 * time.Minute)
	before := w.feed(t, "a")
	w.deliver(t, pushed(t, "g1|https://a.example/1|one, wrongly corrected"), aggregator.OutcomeStored, 0, 1)
	if after := w.feed(t, "a"); !after.LastChange.Equal(w.clock()) || !after.LastNew.Equal(before.LastNew) {
		t.Errorf("a change left no trace, or that of a new item, in the feed's state:\n%s", cmp.Diff(before, after))
	}
	w.advance(2 * time.Hour)
	w.answer(url, document(`"2"`, "g3|https://a.example/3|three", "g1|https://a.example/1|one", two))
	w.pass(t)
	if diff := cmp.Diff([]string{"one", "three", "two"}, titles(w.items(t))); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// What says no more than that there is news has the feed polled, not too soon after the last poll.
func TestDeliveryWithoutItems(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*wire)
		due     time.Duration // after the first poll
	}{
		"at once":                  {func(w *wire) { w.advance(10 * time.Minute) }, 10 * time.Minute},
		"just after a poll":        {func(w *wire) { w.advance(time.Second) }, time.Minute},
		"shortly before it is due": {func(w *wire) { w.advance(59*time.Minute + 50*time.Second) }, 0},
	} {
		for kind, body := range map[string]string{"thin": "", "no feed": "<html><body>Moved</body></html>", "empty": "<rss version='2.0'><channel><title>T</title></channel></rss>"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				w := newWire(t, nil, "a")
				w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
				w.pass(t)
				before := w.feed(t, "a")
				c.prepare(w)
				w.deliver(t, aggregator.Pushed{Document: "https://a.example/", Body: []byte(body)}, aggregator.OutcomeFailed, 0, 0)
				due := min(before.Due.Sub(start), start.Add(c.due).Sub(start))
				if c.due == 0 {
					due = min(before.Due.Sub(start), w.clock().Sub(start))
				}
				if got := w.feed(t, "a"); got.Due.Sub(start) != due || got.LastPoll.Outcome != aggregator.OutcomeStored {
					t.Errorf("due %v after the poll, want %v; last poll %+v", got.Due.Sub(start), due, got.LastPoll)
				}
				w.advance(max(0, due-w.clock().Sub(start)))
				if got, want := w.pass(t), (poll.Summary{Feeds: 1, Unchanged: 1}); got != want {
					t.Errorf("the poll: %+v, want %+v", got, want)
				}
			})
		}
	}
}

// No hub makes a publisher be asked who wants to be left alone, or a feed that fails be asked more often.
func TestDeliveryHastensNobodyWhoAskedForTime(t *testing.T) {
	for name, answer := range map[string]*fetch.Error{
		"Retry-After": {Status: 429, RetryAfter: start.Add(5 * time.Hour), Err: errors.New("slow down")},
		"a failure":   {Status: 500, Err: errors.New("broken")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, nil, "a")
			w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
			w.pass(t)
			w.advance(2 * time.Hour)
			w.answer("https://a.example/", func() (*fetch.Response, error) { return nil, answer })
			w.pass(t)
			due := w.feed(t, "a").Due
			w.advance(10 * time.Minute)
			w.deliver(t, aggregator.Pushed{}, aggregator.OutcomeFailed, 0, 0)
			if got := w.feed(t, "a").Due; !got.Equal(due) && !got.Equal(answer.RetryAfter) {
				t.Errorf("due at %v, was %v", got, due)
			}
		})
	}
}

// A delivery waits for a poll of the same feed, and is not lost without a word where that takes long.
func TestDeliveryDuringAPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func(o *poll.Options) { o.Timeout = time.Minute }, "a")
		w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
		w.pass(t)
		w.advance(2 * time.Hour)
		w.answer("https://a.example/", func() (*fetch.Response, error) {
			time.Sleep(12 * time.Second)
			return document(`"1"`, "g1|https://a.example/1|one")()
		})
		passed := make(chan poll.Summary)
		go func() { passed <- w.pass(t) }()
		synctest.Wait()
		if _, err := w.Deliver(t.Context(), "a", pushed(t, "g2|https://a.example/2|two")); !errors.Is(err, aggregator.ErrLeased) {
			t.Errorf("the first delivery: %v", err)
		}
		w.deliver(t, pushed(t, "g2|https://a.example/2|two"), aggregator.OutcomeStored, 1, 0)
		<-passed
	})
}

func TestDeliveryOfAnUnknownFeed(t *testing.T) {
	w := newWire(t, nil, "a")
	if _, err := w.Deliver(t.Context(), "b", pushed(t, "g2|https://a.example/2|two")); !errors.Is(err, aggregator.ErrNotFound) {
		t.Errorf("a feed that is not there: %v", err)
	}
	if err := w.Fallback(t.Context(), "b"); !errors.Is(err, aggregator.ErrNotFound) {
		t.Errorf("a feed that is not there: %v", err)
	}
	// One that was never polled is due at once, and nothing of it is known that a delivery could be compared with.
	w.deliver(t, pushed(t, "g2|https://a.example/2|two"), aggregator.OutcomeFailed, 0, 0)
	if items := w.items(t); len(items) != 0 {
		t.Errorf("stored %q", titles(items))
	}
}

// A store that fails makes the hub send it again.
func TestDeliveryToAFailingStore(t *testing.T) {
	w := newWire(t, nil, "a")
	w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
	w.pass(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Deliver(t.Context(), "a", pushed(t, "g2|https://a.example/2|two")); err == nil {
		t.Error("a delivery that was not stored was accepted")
	}
}

// A poll says what its document offers, and is followed by the next one later where a hub makes that unnecessary.
func TestPushSparesPolls(t *testing.T) {
	var seen []poll.Push
	spare := 5 * time.Hour
	w := newWire(t, func(o *poll.Options) {
		o.Push = func(_ aggregator.FeedID, p poll.Push) time.Duration {
			seen = append(seen, p)
			return spare
		}
	}, "a")
	const body = `<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:a</id><link rel="hub" href="https://hub.example/"/>` +
		`<link rel="self" href="https://self.example/"/><entry><title>1</title><id>urn:1</id></entry></feed>`
	w.answer("https://a.example/", func() (*fetch.Response, error) {
		return &fetch.Response{URL: "https://a.example/x", Status: 200, Body: []byte(body), Hubs: []string{"https://other.example/"}}, nil
	})
	w.pass(t)
	if due := w.feed(t, "a").Due.Sub(start); due < spare || due > spare+time.Hour {
		t.Errorf("due after %v, spared for %v", due, spare)
	}
	if err := w.Fallback(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if due := w.feed(t, "a").Due.Sub(start); due > time.Hour+30*time.Minute {
		t.Errorf("without its hub due after %v, at a schedule of one hour", due)
	}
	w.advance(8 * 24 * time.Hour)
	w.pass(t)
	w.advance(24 * time.Hour)
	w.answer("https://a.example/", func() (*fetch.Response, error) { return nil, errors.New("down") })
	w.pass(t)
	if due := w.feed(t, "a").Due.Sub(w.clock()); due > 2*time.Hour {
		t.Errorf("after a failure due after %v", due)
	}
	want := []poll.Push{
		{Offer: &aggregator.Offer{Document: "https://a.example/x", Topic: "https://self.example/", Hubs: []string{"https://other.example/"}}, Listed: 1, News: 1},
		{Listed: 1},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Run polls a feed that a hub had made due without waiting for the next time that it would have looked.
func TestRunHearsOfAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, nil, "a")
		w.answer("https://a.example/", document(`"1"`, "g1|https://a.example/1|one"))
		w.pass(t)
		w.advance(10 * time.Minute)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		synctest.Wait()
		w.deliver(t, aggregator.Pushed{}, aggregator.OutcomeFailed, 0, 0)
		synctest.Wait()
		w.mu.Lock()
		asked := len(w.asked)
		w.mu.Unlock()
		if asked != 2 {
			t.Errorf("the feed was asked for %d times, want 2", asked)
		}
		stop()
		<-ended
	})
}
