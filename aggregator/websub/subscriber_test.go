package websub_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/websub"
)

const (
	paperURL  = "https://paper.example/feed.xml"
	hubURL    = "https://hub.example/"
	callbacks = "https://wire.example/websub/"
)

var paperOffer = aggregator.Offer{Document: "https://paper.example/feed", Topic: paperURL, Hubs: []string{hubURL}}

// strangeHub is a hub elsewhere: what it was asked for, and how it answers.
type strangeHub struct {
	*desk
	mu     sync.Mutex
	forms  []url.Values
	status int
	lease  string
	// silent keeps it from confirming what it is asked for.
	silent bool
}

func (h *strangeHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	values := form(h.t, r)
	h.mu.Lock()
	h.forms = append(h.forms, values)
	status, silent := h.status, h.silent
	h.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		fmt.Fprintf(w, "no thanks to %s", values.Encode()) // a hub that tells all it knows
		return
	}
	w.WriteHeader(http.StatusAccepted)
	if !silent {
		go h.confirm(values)
	}
}

// confirm asks whether a request was meant.
func (h *strangeHub) confirm(values url.Values) *httptest.ResponseRecorder {
	h.mu.Lock()
	lease := h.lease
	h.mu.Unlock()
	if lease == "" {
		lease = values.Get("hub.lease_seconds")
	}
	return h.get(values.Get("hub.callback"), "mode", values.Get("hub.mode"), "topic", values.Get("hub.topic"), "challenge", "c<1>", "lease_seconds", lease)
}

// get asks a callback.
func (d *desk) get(callback string, values ...string) *httptest.ResponseRecorder {
	query := url.Values{}
	for i := 0; i < len(values); i += 2 {
		query.Set("hub."+values[i], values[i+1])
	}
	rec := httptest.NewRecorder()
	d.subscriber().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, callback+"?"+query.Encode(), nil))
	return rec
}

func (h *strangeHub) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// modes are those that it was asked for, in order.
func (h *strangeHub) modes() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var modes []string
	for _, f := range h.forms {
		modes = append(modes, f.Get("hub.mode"))
	}
	return strings.Join(modes, " ")
}

func (h *strangeHub) last() url.Values {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.forms) == 0 {
		h.t.Fatal("the hub was asked for nothing")
	}
	return h.forms[len(h.forms)-1]
}

// deliver sends a body, signed unless with is nil.
func (h *strangeHub) deliver(body string, method string, with func() hash.Hash) int {
	last := h.last()
	req := httptest.NewRequest(http.MethodPost, last.Get("hub.callback"), strings.NewReader(body))
	req.Header.Set("Content-Type", "application/atom+xml")
	if with != nil {
		mac := hmac.New(with, []byte(last.Get("hub.secret")))
		mac.Write([]byte(body))
		req.Header.Set("X-Hub-Signature", method+"="+hex.EncodeToString(mac.Sum(nil)))
	}
	rec := httptest.NewRecorder()
	h.subscriber().ServeHTTP(rec, req)
	return rec.Code
}

func (h *strangeHub) push(body string) int { return h.deliver(body, "sha256", sha256.New) }

// desk is a subscriber with what is around it, and the receiver of what comes.
type desk struct {
	t      *testing.T
	world  *world
	store  *shelf
	hub    *strangeHub
	log    *lines
	wanted map[aggregator.FeedID]bool
	stop   func()
	// callback is what the callbacks are below.
	callback string
	maxBody  int64

	mu   sync.Mutex
	sub  *websub.Subscriber
	got  []aggregator.Pushed
	err  error
	fell int
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, world: newWorld(), store: newShelf(), log: &lines{}, wanted: map[aggregator.FeedID]bool{"paper": true}, callback: callbacks, maxBody: 1000}
	d.hub = &strangeHub{desk: d}
	d.world.serve("hub.example", d.hub.ServeHTTP)
	d.start()
	return d
}

// start begins a process on what is stored.
func (d *desk) start() {
	sub := websub.NewSubscriber(websub.SubscriberOptions{
		Notes: d.store, Transport: d.world, UserAgent: "topicwire/test", Callback: d.callback, MaxBody: d.maxBody, Jitter: none, Log: logTo(d.log),
		Wanted: func(id aggregator.FeedID) bool { return d.wanted[id] },
	})
	d.mu.Lock()
	d.sub = sub
	d.mu.Unlock()
	d.stop = running(d.t, func(ctx context.Context) error { return sub.Run(ctx, d) })
	synctest.Wait()
}

func (d *desk) subscriber() *websub.Subscriber {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sub
}

// Deliver implements websub.Receiver: a body "N new" has N new items, any other cannot be read.
func (d *desk) Deliver(_ context.Context, feed aggregator.FeedID, p aggregator.Pushed) (aggregator.PollRecord, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if feed != "paper" {
		return aggregator.PollRecord{}, aggregator.ErrNotFound
	}
	if d.err != nil {
		return aggregator.PollRecord{}, d.err
	}
	d.got = append(d.got, p)
	record := aggregator.PollRecord{Outcome: aggregator.OutcomeStored}
	if _, err := fmt.Sscanf(string(p.Body), "%d new", &record.New); err != nil {
		record.Outcome = aggregator.OutcomeFailed
	}
	return record, nil
}

// Fallback implements websub.Receiver.
func (d *desk) Fallback(_ context.Context, feed aggregator.FeedID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fell++
	if !d.wanted[feed] {
		return aggregator.ErrNotFound
	}
	return nil
}

func (d *desk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *desk) counts() (delivered, fell int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.got), d.fell
}

// poll tells the subscriber of a poll and lets it do what follows.
func (d *desk) poll(offer *aggregator.Offer, news int) time.Duration {
	spare := d.subscriber().Polled("paper", offer, 20, news)
	d.settle(time.Second)
	return spare
}

func (d *desk) settle(after time.Duration) {
	time.Sleep(after)
	synctest.Wait()
}

func (d *desk) state() websub.SourceState {
	d.t.Helper()
	d.settle(time.Second)
	states, err := websub.Sources(d.t.Context(), d.store)
	if err != nil {
		d.t.Fatal(err)
	}
	return states["paper"]
}

// secrets fails where the log has what only subscriber and hub may know.
func (d *desk) secrets() {
	d.t.Helper()
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	text := d.log.String() + d.state().Trouble
	for _, f := range d.hub.forms {
		for _, secret := range []string{f.Get("hub.secret"), strings.TrimPrefix(f.Get("hub.callback"), callbacks), "feed.xml"} {
			if secret != "" && strings.Contains(text, secret) {
				d.t.Errorf("%q is in the log or shown:\n%s", secret, text)
			}
		}
	}
}

func TestSubscriberSubscribesToWhatIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		if spare := d.poll(&paperOffer, 20); spare != 0 {
			t.Errorf("polls are spared for %v by a hub that was not asked yet", spare)
		}
		asked := d.hub.last()
		token := strings.TrimPrefix(asked.Get("hub.callback"), callbacks)
		if len(token) != 64 || len(asked.Get("hub.secret")) != 64 || asked.Get("hub.secret") == token || asked.Get("hub.mode") != "subscribe" ||
			asked.Get("hub.topic") != paperURL || asked.Get("hub.lease_seconds") != "864000" {
			t.Errorf("the hub was asked %v", asked)
		}
		state := d.state()
		if until := time.Until(state.Until); state.Hub != "hub.example" || state.Trouble != "" || until < 9*24*time.Hour || until > 10*24*time.Hour {
			t.Errorf("state %+v", state)
		}
		if code := d.hub.push("2 new"); code != http.StatusOK {
			t.Errorf("a delivery was answered %d", code)
		}
		want := []aggregator.Pushed{{Document: "https://paper.example/feed", ContentType: "application/atom+xml", Body: []byte("2 new")}}
		if diff := cmp.Diff(want, d.got); diff != "" {
			t.Errorf("delivered (-want +got):\n%s", diff)
		}
		d.poll(&paperOffer, 0)
		if got := d.hub.modes(); got != "subscribe" {
			t.Errorf("the hub was asked to %q", got)
		}
		d.secrets()
	})
}

// The longer a hub tells everything, the longer polls are spared; one miss ends that.
func TestSubscriberSparesPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		spared := func(what string, got, least, most time.Duration) {
			t.Helper()
			if got < least || got > most {
				t.Errorf("%s: polls are spared for %v, want %v to %v", what, got, least, most)
			}
		}
		d.poll(&paperOffer, 20)
		d.settle(time.Hour)
		spared("confirmed, nothing delivered yet", d.poll(nil, 0), 0, 0)
		d.hub.push("1 new")
		d.settle(time.Hour)
		spared("an hour after a delivery", d.poll(nil, 0), time.Hour, time.Hour+time.Minute)
		d.settle(24 * time.Hour)
		spared("after a day", d.poll(nil, 0), 6*time.Hour, 6*time.Hour)
		for range 60 {
			d.hub.push("1 new")
			d.settle(time.Minute)
		}
		spared("so much that 20 items are soon replaced", d.poll(nil, 0), 3*time.Hour, 5*time.Hour)
		d.settle(6 * time.Hour)
		spared("a poll that was first with the news", d.poll(nil, 1), 0, 0)
		d.hub.push("0 new")
		spared("whose delivery then came", d.poll(nil, 0), time.Hour, 6*time.Hour)
		d.hub.push("just a ping")
		spared("a poll that the hub asked for", d.poll(nil, 1), time.Hour, 6*time.Hour)
		spared("a miss", d.poll(nil, 1), 0, 0)
		d.settle(24 * time.Hour)
		spared("long after a miss", d.poll(nil, 0), 0, 0)
		d.hub.push("1 new")
		spared("a delivery after that", d.poll(nil, 0), 0, time.Minute)
		if spare := d.subscriber().Polled("other", &paperOffer, 20, 0); spare != 0 {
			t.Errorf("a feed that is not wanted is spared %v", spare)
		}
		if got := d.hub.modes(); got != "subscribe" {
			t.Errorf("the hub was asked to %q", got)
		}
	})
}

func TestSubscriberConfirmsOnlyWhatItAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.hub.silent = true
		d.poll(&paperOffer, 20)
		asked := d.hub.last()
		callback := asked.Get("hub.callback")
		for name, q := range map[string][]string{
			"another topic": {"mode", "subscribe", "topic", "https://paper.example/other", "challenge", "c"},
			"another mode":  {"mode", "unsubscribe", "topic", paperURL, "challenge", "c"},
			"no mode":       {"topic", paperURL, "challenge", "c"},
			"no challenge":  {"mode", "subscribe", "topic", paperURL},
		} {
			if rec := d.get(callback, q...); rec.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
		}
		if rec := d.get(callbacks+strings.Repeat("0", 64), "mode", "subscribe", "topic", paperURL, "challenge", "c"); rec.Code != http.StatusNotFound {
			t.Errorf("a callback that there is not: %d", rec.Code)
		}
		rec := d.hub.confirm(asked)
		if rec.Code != http.StatusOK || rec.Body.String() != "c<1>" || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") ||
			rec.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("what was asked for: %d %s %v", rec.Code, rec.Body, rec.Header())
		}
		if rec := d.hub.confirm(asked); rec.Code != http.StatusNotFound {
			t.Errorf("the same again: %d", rec.Code)
		}
		for method, want := range map[string]int{http.MethodHead: 404, http.MethodPut: 405, http.MethodDelete: 405} {
			rec := httptest.NewRecorder()
			d.subscriber().ServeHTTP(rec, httptest.NewRequest(method, callbacks+"x", nil))
			if rec.Code != want {
				t.Errorf("%s: %d, want %d", method, rec.Code, want)
			}
		}
	})
}

func TestSubscriberChecksSignatures(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		with   func() hash.Hash
		taken  bool
	}{
		"sha1":         {"sha1", sha1.New, true},
		"sha256":       {"SHA256", sha256.New, true},
		"sha384":       {"sha384", sha512.New384, true},
		"sha512":       {"sha512", sha512.New, true},
		"none":         {"", nil, false},
		"another name": {"sha512", sha256.New, false},
		"unknown":      {"md5", sha256.New, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				defer func() { d.stop() }()
				d.poll(&paperOffer, 20)
				code := d.hub.deliver("1 new", c.method, c.with)
				delivered, _ := d.counts()
				if (delivered == 1) != c.taken || code/100 != 2 {
					t.Errorf("answered %d, %d taken", code, delivered)
				}
				state := d.state()
				if c.taken != (state.Unsigned == 0) || c.taken != (state.Trouble == "") || c.taken == state.Trusted.IsZero() {
					t.Errorf("state %+v", state)
				}
				d.hub.push("1 new")
				if state := d.state(); state.Trouble != "" {
					t.Errorf("after a good one: %+v", state)
				}
				d.secrets()
			})
		})
	}
}

// How much is read at once is bounded by its bytes, whether or not they are known before.
func TestSubscriberBoundsWhatItReadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.poll(&paperOffer, 20)
		d.stop()
		d.maxBody = 40 << 20
		d.start()
		post := func(body io.Reader) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			d.subscriber().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, d.hub.last().Get("hub.callback"), body))
			return rec
		}
		unknown, end := io.Pipe()
		ended := make(chan int)
		go func() { ended <- post(unknown).Code }()
		synctest.Wait()
		if rec := post(struct{ io.Reader }{strings.NewReader("1 new")}); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("another that may be as long: %d", rec.Code)
		}
		if code := d.hub.push("1 new"); code != http.StatusOK {
			t.Errorf("a short one: %d", code)
		}
		end.Close()
		if code := <-ended; code != http.StatusAccepted {
			t.Errorf("the first, which is not signed: %d", code)
		}
		if rec := post(struct{ io.Reader }{strings.NewReader("1 new")}); rec.Code != http.StatusAccepted {
			t.Errorf("one after it, which is not signed: %d", rec.Code)
		}
	})
}

// What cannot be taken is sent again by its hub, or else polled for; a body that is too long is polled for at once.
func TestSubscriberLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.poll(&paperOffer, 20)
		d.fail(errors.New("disk full"))
		if code := d.hub.push("1 new"); code != http.StatusServiceUnavailable {
			t.Errorf("a delivery that could not be stored was answered %d", code)
		}
		d.settle(time.Minute)
		d.stop()
		d.fail(nil)
		d.start()
		if delivered, _ := d.counts(); delivered != 1 || len(d.got[0].Body) != 0 {
			t.Errorf("the feed was not polled for what could not be stored: %v", d.got)
		}
		if code := d.hub.push(strings.Repeat("x", 1001)); code != http.StatusOK {
			t.Errorf("a delivery that is too long was answered %d", code)
		}
		if delivered, _ := d.counts(); delivered != 2 || len(d.got[1].Body) != 0 {
			t.Errorf("the feed was not polled for what was too long: %v", d.got)
		}
	})
}

// No hub is asked for what could not be confirmed after a kill.
func TestSubscriberOutlivesAStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.store.breakDown(errors.New("disk full"))
		d.poll(&paperOffer, 20)
		d.settle(5 * time.Minute)
		if got := d.hub.modes(); got != "" {
			t.Errorf("the hub was asked to %q", got)
		}
		d.store.breakDown(nil)
		d.settle(2 * time.Minute)
		if state := d.state(); d.hub.modes() != "subscribe" || state.Until.IsZero() || state.Trouble != "" {
			t.Errorf("the hub was asked to %q, state %+v", d.hub.modes(), state)
		}
	})
}

func TestSubscriberRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.hub.lease = "3600"
		d.poll(&paperOffer, 20)
		first := d.hub.last()
		d.settle(35 * time.Minute)
		if got := d.hub.modes(); got != "subscribe" {
			t.Errorf("the hub was asked to %q before two thirds of the lease", got)
		}
		d.settle(10 * time.Minute)
		if got := d.hub.modes(); got != "subscribe subscribe" || d.hub.last().Get("hub.callback") != first.Get("hub.callback") {
			t.Errorf("the hub was asked to %q, then %v", got, d.hub.last())
		}
		if until := time.Until(d.state().Until); until < 50*time.Minute {
			t.Errorf("renewed for %v", until)
		}

		// A hub that is lost is asked until the lease is over; then the feed is polled by its schedule.
		d.hub.push("1 new")
		d.hub.answer(http.StatusServiceUnavailable)
		d.settle(50 * time.Minute)
		if _, fell := d.counts(); fell != 0 {
			t.Error("the subscription was given up before it ended")
		}
		d.settle(15 * time.Minute)
		state := d.state()
		if _, fell := d.counts(); fell != 1 || !state.Until.IsZero() || !state.Trusted.IsZero() || state.Trouble == "" {
			t.Errorf("fell back %d times, state %+v", fell, state)
		}
		if spare := d.poll(nil, 0); spare != 0 {
			t.Errorf("without a subscription polls are spared for %v", spare)
		}
		d.hub.answer(0)
		d.settle(24 * time.Hour)
		if state := d.state(); state.Until.IsZero() || state.Trouble != "" {
			t.Errorf("a hub that is back: %+v", state)
		}
		d.secrets()
	})
}

// What a hub says of its leases makes it neither be asked all the time nor never again.
func TestSubscriberBoundsLeases(t *testing.T) {
	for given, want := range map[string]time.Duration{
		"1": 5 * time.Minute, "86400": 24 * time.Hour, "99999999999": 365 * 24 * time.Hour, "-1": 10 * 24 * time.Hour, "long": 10 * 24 * time.Hour, "0": 10 * 24 * time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			defer func() { d.stop() }()
			d.hub.lease = given
			d.poll(&paperOffer, 20)
			if until := time.Until(d.state().Until); until > want || until < want-time.Minute {
				t.Errorf("a lease of %q seconds lasts %v, want %v", given, until, want)
			}
		})
	}
}

// Of several hubs one that does not want is followed by the next, and what the first then confirms is not believed.
func TestSubscriberTriesAnotherHub(t *testing.T) {
	for name, first := range map[string]*strangeHub{"refuses": {status: 400}, "is silent": {silent: true}, "is gone": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				defer func() { d.stop() }()
				if first != nil {
					first.desk = d
					d.world.serve("first.example", first.ServeHTTP)
				}
				offer := paperOffer
				offer.Hubs = []string{"ftp://no.example/", "https://me@no.example/", "https://first.example/", hubURL}
				d.poll(&offer, 20)
				if state := d.state(); state.Trouble == "" || state.Hub != "first.example" || !state.Until.IsZero() {
					t.Errorf("state %+v", state)
				}
				d.settle(time.Hour)
				if state := d.state(); state.Trouble != "" || state.Hub != "hub.example" || state.Until.IsZero() {
					t.Errorf("an hour later: %+v", state)
				}
				if first != nil {
					if rec := first.confirm(first.last()); rec.Code != http.StatusNotFound {
						t.Errorf("the first hub's confirmation: %d", rec.Code)
					}
				}
				d.secrets()
			})
		})
	}
}

// What a hub was already sending when another one was asked is signed with the secret that it was given.
func TestSubscriberTakesWhatBeganBeforeItTriedAnotherHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		first := &strangeHub{desk: d, silent: true}
		d.world.serve("first.example", first.ServeHTTP)
		offer := paperOffer
		offer.Hubs = []string{"https://first.example/", hubURL}
		d.poll(&offer, 20)
		asked := first.last()
		mac := hmac.New(sha256.New, []byte(asked.Get("hub.secret")))
		mac.Write([]byte("1 new"))
		body, slow := io.Pipe()
		req := httptest.NewRequest(http.MethodPost, asked.Get("hub.callback"), body)
		req.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		rec, done := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(done)
			d.subscriber().ServeHTTP(rec, req)
		}()
		d.settle(time.Hour)
		if got := d.state().Hub; got != "hub.example" {
			t.Fatalf("an hour later %q is asked", got)
		}
		fmt.Fprint(slow, "1 new")
		slow.Close()
		<-done
		if delivered, _ := d.counts(); rec.Code != http.StatusOK || delivered != 1 || d.state().Unsigned != 0 {
			t.Errorf("answer %d, %d delivered, %+v", rec.Code, delivered, d.state())
		}
	})
}

func TestSubscriberIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.poll(&paperOffer, 20)
		d.hub.push("1 new")
		callback := d.hub.last().Get("hub.callback")
		if rec := d.get(callback, "mode", "denied", "topic", "https://other.example/"); rec.Code != http.StatusNotFound {
			t.Errorf("another topic: %d", rec.Code)
		}
		if rec := d.get(callback, "mode", "denied", "topic", paperURL, "reason", "no\nroom at "+callback); rec.Code != http.StatusOK {
			t.Errorf("denied: %d", rec.Code)
		}
		state := d.state()
		if _, fell := d.counts(); fell != 1 || !state.Until.IsZero() || !strings.Contains(state.Trouble, "denied the subscription: no room at") {
			t.Errorf("fell back %d times, state %+v", fell, state)
		}
		d.secrets()
		d.get(callback, "mode", "denied", "topic", paperURL, "reason", "x"+strings.Repeat("ش", 200))
		if trouble := d.state().Trouble; !strings.HasSuffix(trouble, "ش") {
			t.Errorf("a long reason ends within a letter: %q", trouble)
		}
		d.settle(25 * time.Hour)
		if got := d.hub.modes(); got != "subscribe subscribe" {
			t.Errorf("a day later the hub was asked to %q", got)
		}
	})
}

func TestSubscriberUnsubscribes(t *testing.T) {
	offers := func(d *desk, offer aggregator.Offer, times int) {
		for range times {
			d.poll(&offer, 0)
		}
	}
	moved := paperOffer
	moved.Document, moved.Topic = "https://new.example/feed", "https://new.example/feed.xml"
	for name, c := range map[string]struct {
		change func(d *desk)
		want   string
	}{
		"the feed is removed":                 {func(d *desk) { d.stop(); d.wanted = nil; d.start() }, "subscribe unsubscribe"},
		"the feed does not offer it any more": {func(d *desk) { offers(d, aggregator.Offer{Document: paperOffer.Document}, 3) }, "subscribe unsubscribe"},
		"it was not offered twice": {func(d *desk) {
			offers(d, aggregator.Offer{}, 2)
			offers(d, paperOffer, 1)
			offers(d, aggregator.Offer{}, 2)
		}, "subscribe"},
		"the feed has moved": {func(d *desk) { offers(d, moved, 1) }, "subscribe subscribe unsubscribe"},
		"its document names itself differently": {func(d *desk) {
			for i := range 5 {
				offers(d, aggregator.Offer{Document: paperOffer.Document, Topic: fmt.Sprintf("%s?%d", paperURL, i), Hubs: paperOffer.Hubs}, 1)
			}
		}, "subscribe"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				defer func() { d.stop() }()
				d.poll(&paperOffer, 20)
				d.hub.push("1 new")
				first := d.hub.last()
				c.change(d)
				d.settle(time.Minute)
				modes := strings.Fields(d.hub.modes())
				if len(modes) == 3 && modes[1] == "unsubscribe" {
					modes[1], modes[2] = modes[2], modes[1] // in any order
				}
				if got := strings.Join(modes, " "); got != c.want {
					t.Errorf("the hub was asked to %q, want %q", got, c.want)
				}
				if !strings.Contains(c.want, "unsubscribe") {
					return
				}
				if _, fell := d.counts(); fell == 0 {
					t.Error("the feed is not polled by its schedule")
				}
				if text := d.log.String(); strings.Contains(text, "ERROR") {
					t.Errorf("nothing is wrong, and the log says\n%s", text)
				}
				req := httptest.NewRequest(http.MethodPost, first.Get("hub.callback"), strings.NewReader("1 new"))
				rec := httptest.NewRecorder()
				if d.subscriber().ServeHTTP(rec, req); rec.Code != http.StatusGone {
					t.Errorf("a delivery after that was answered %d", rec.Code)
				}
			})
		})
	}
}

// A site with another address subscribes anew there, and ends what leads to the old one.
func TestSubscriberMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.poll(&paperOffer, 20)
		old := d.hub.last().Get("hub.callback")
		d.stop()
		d.callback = "https://new.example/websub/"
		d.start()
		d.settle(time.Minute)
		d.hub.mu.Lock()
		defer d.hub.mu.Unlock()
		if len(d.hub.forms) != 3 {
			t.Fatalf("the hub was asked %v", d.hub.forms)
		}
		for _, f := range d.hub.forms[1:] {
			at := f.Get("hub.callback")
			if off := f.Get("hub.mode") == "unsubscribe"; off != (at == old) || !off && !strings.HasPrefix(at, d.callback) {
				t.Errorf("the hub was asked %v", f)
			}
		}
	})
}

// A hub that does not answer is asked three times to end a subscription, and then left alone.
func TestSubscriberStopsUnsubscribing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.poll(&paperOffer, 20)
		d.hub.answer(http.StatusBadGateway)
		d.stop()
		d.wanted = nil
		d.start()
		d.settle(24 * time.Hour)
		if got := d.hub.modes(); got != "subscribe unsubscribe unsubscribe unsubscribe" {
			t.Errorf("the hub was asked to %q", got)
		}
		for note, err := range d.store.Notes(t.Context(), "websub.sources") {
			t.Errorf("a note is left: %s, %v", note.Value, err)
		}
	})
}

// A process that begins anew asks no hub again, takes what comes, and has a feed whose polls were spared polled.
func TestSubscriberGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		defer func() { d.stop() }()
		d.poll(&paperOffer, 20)
		d.hub.push("1 new")
		d.settle(time.Hour)
		d.stop()
		d.start()
		d.settle(time.Minute)
		if _, fell := d.counts(); fell != 1 || d.hub.modes() != "subscribe" {
			t.Errorf("fell back %d times, and the hub was asked to %q", fell, d.hub.modes())
		}
		if code := d.hub.push("1 new"); code != http.StatusOK {
			t.Errorf("a delivery was answered %d", code)
		}
		if state := d.state(); state.Deliveries != 2 {
			t.Errorf("state %+v", state)
		}
		if spare := d.poll(nil, 0); spare < time.Hour {
			t.Errorf("polls are spared for %v", spare)
		}
	})
}

// Before it knows what there is, hubs wait, and then are told to come again; no poll is spared.
func TestSubscriberBeforeItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := websub.NewSubscriber(websub.SubscriberOptions{Wanted: func(aggregator.FeedID) bool { return true }})
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, callbacks+"x", nil))
		if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || s.Polled("a", &paperOffer, 1, 1) != 0 {
			t.Errorf("answered %d %v", rec.Code, rec.Header())
		}
	})
}

// The hub and the subscriber of this package understand each other.
func TestSubscriberAtOurHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		defer func() { s.stop() }()
		d := newDesk(t)
		defer func() { d.stop() }()
		d.world.serve("wire.example", s.ServeHTTP) // as the hub
		s.world.serve("wire.example", func(w http.ResponseWriter, r *http.Request) { d.subscriber().ServeHTTP(w, r) })
		d.poll(&aggregator.Offer{Document: cloudURL, Hubs: []string{"https://wire.example/hub"}}, 20)
		if state := d.state(); state.Until.IsZero() {
			t.Fatalf("state %+v", state)
		}
		s.publish("3 new")
		if state := d.state(); state.Deliveries != 1 || state.Unsigned != 0 || string(d.got[0].Body) != "3 new" {
			t.Errorf("state %+v, got %v", state, d.got)
		}
		d.stop()
		d.wanted = nil
		d.start()
		d.settle(time.Minute)
		s.publish("4 new")
		if delivered, _ := d.counts(); delivered != 1 {
			t.Errorf("%d deliveries", delivered)
		}
	})
}

// Whatever somebody sends to a callback that he knows, without the secret nothing is stored, and nothing confirmed that was
// confirmed before.
func FuzzCallback(f *testing.F) {
	f.Add(http.MethodGet, "hub.mode=subscribe&hub.topic=https%3A%2F%2Fpaper.example%2Ffeed.xml&hub.challenge=x&hub.lease_seconds=-9", "", "")
	f.Add(http.MethodGet, "hub.mode=denied&hub.topic=https%3A%2F%2Fpaper.example%2Ffeed.xml&hub.reason=%zz%00", "", "")
	f.Add(http.MethodPost, "%zz", "sha256=", "1 new")
	f.Add(http.MethodPost, "", "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709", "1 new")
	f.Fuzz(func(t *testing.T, method, query, signature, body string) {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			defer func() { d.stop() }()
			d.poll(&paperOffer, 20)
			req := httptest.NewRequest(http.MethodGet, d.hub.last().Get("hub.callback"), strings.NewReader(body))
			req.Method, req.URL.RawQuery = method, query
			req.Header["X-Hub-Signature"] = []string{signature}
			rec := httptest.NewRecorder()
			d.subscriber().ServeHTTP(rec, req)
			if delivered, _ := d.counts(); delivered != 0 && len(body) <= 1000 || rec.Code == http.StatusOK && rec.Body.Len() > 0 {
				t.Errorf("%s ?%s, signed %q, is answered %d %s", method, query, signature, rec.Code, rec.Body)
			}
		})
	})
}
