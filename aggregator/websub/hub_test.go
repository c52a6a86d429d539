package websub_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator/websub"
)

const (
	allURL   = "https://wire.example/all.atom"
	cloudURL = "https://wire.example/topics/cloud.atom"
)

// papers is what the site publishes: a document by URL, which tests change.
type papers struct {
	mu   sync.Mutex
	text string
	err  error
}

func (p *papers) write(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

func (p *papers) Content(_ context.Context, url string) (websub.Content, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return websub.Content{Type: "application/atom+xml; charset=utf-8", Links: []string{"<" + url + `>; rel="self"`}, Body: []byte(p.text)}, p.err
}

// reader is a subscriber: what its callback was asked and sent.
type reader struct {
	mu sync.Mutex
	// asked are the modes that it was asked to confirm, or told of; got are the bodies of deliveries.
	asked, got []string
	leases     []string
	signatures []string
	links      []string
	// answer is to a challenge, instead of the challenge; status that to a delivery, 200 where it is 0.
	answer string
	status int
	// hold, where it is not nil, keeps deliveries until it is closed.
	hold chan struct{}
}

func (c *reader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	hold := c.hold
	c.mu.Unlock()
	if r.Method == http.MethodPost && hold != nil {
		<-hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		c.asked = append(c.asked, q.Get("hub.mode")+" "+q.Get("hub.topic"))
		c.leases = append(c.leases, q.Get("hub.lease_seconds"))
		if c.answer != "" {
			fmt.Fprint(w, c.answer)
			return
		}
		fmt.Fprint(w, q.Get("hub.challenge"))
		return
	}
	c.got = append(c.got, string(body))
	c.signatures = append(c.signatures, r.Header.Get("X-Hub-Signature"))
	c.links = append(c.links, r.Header.Get("Link"))
	if c.status != 0 {
		w.WriteHeader(c.status)
	}
}

func (c *reader) deliveries() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.got, "|")
}

func (c *reader) modes() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.asked, "|")
}

func (c *reader) set(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// site is a hub with what is around it.
type site struct {
	*websub.Hub
	t      *testing.T
	world  *world
	store  *shelf
	papers *papers
	log    *lines
	stop   func()
	change func(*websub.HubOptions)
}

func newSite(t *testing.T, change func(*websub.HubOptions)) *site {
	s := &site{t: t, world: newWorld(), store: newShelf(), papers: &papers{text: "first"}, log: &lines{}, change: change}
	s.start()
	return s
}

// start begins a process of the hub on what is stored.
func (s *site) start() {
	o := websub.HubOptions{
		Topics:   []websub.Published{{Topic: "", URLs: []string{allURL}}, {Topic: "cloud", URLs: []string{cloudURL}}},
		Contents: s.papers, Versions: s.store, Notes: s.store, Transport: s.world, UserAgent: "topicwire/test", Jitter: none, Log: logTo(s.log),
	}
	if s.change != nil {
		s.change(&o)
	}
	s.Hub = websub.NewHub(o)
	s.stop = running(s.t, s.Run)
	synctest.Wait()
}

// ask sends a form to the hub.
func (s *site) ask(values ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		form.Add("hub."+values[i], values[i+1])
	}
	req := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	synctest.Wait()
	return rec
}

// subscribe makes a reader a subscriber to the topic cloud.
func (s *site) subscribe(callback string, c *reader, more ...string) {
	s.t.Helper()
	u, _ := url.Parse(callback)
	s.world.serve(u.Host, c.ServeHTTP)
	rec := s.ask(append([]string{"mode", "subscribe", "topic", cloudURL, "callback", callback}, more...)...)
	if rec.Code != http.StatusAccepted || !strings.HasPrefix(c.modes(), "subscribe "+cloudURL) {
		s.t.Fatalf("the hub answered %d %s and asked %q", rec.Code, rec.Body, c.modes())
	}
}

// publish changes the document and lets the hub deliver it.
func (s *site) publish(text string) {
	s.papers.write(text)
	s.store.move("cloud")
	s.Notice()
	time.Sleep(websub.DefaultWindow + time.Second)
	synctest.Wait()
}

func (s *site) delivered(c *reader, want string) {
	s.t.Helper()
	if got := c.deliveries(); got != want {
		s.t.Errorf("the subscriber got %q, want %q", got, want)
	}
}

func TestHubDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newSite(t, nil), &reader{}
		s.subscribe("https://reader:hunter2@reader.example/cb/hunter3?a=1", c, "secret", "hunter4", "lease_seconds", "3600")
		s.delivered(c, "") // what there is already is no news
		s.publish("second")
		s.publish("third")
		s.delivered(c, "second|third")
		mac := hmac.New(sha256.New, []byte("hunter4"))
		mac.Write([]byte("second"))
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); c.signatures[0] != want {
			t.Errorf("signature %q, want %q", c.signatures[0], want)
		}
		if c.leases[0] != "3600" || c.links[0] != "<"+cloudURL+`>; rel="self"` {
			t.Errorf("lease %q, Link %q", c.leases[0], c.links[0])
		}
		s.publish("third") // the topic moves, its document does not
		time.Sleep(61 * time.Minute)
		s.publish("fourth")
		s.delivered(c, "second|third") // the lease has ended
		s.stop()
		for _, secret := range []string{"hunter2", "hunter3", "hunter4"} {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("the log shows %s:\n%s", secret, s.log)
			}
		}
	})
}

func TestHubConfirmsWhatIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c, liar := newSite(t, nil), &reader{}, &reader{answer: "yes"}
		defer func() { s.stop() }()
		s.world.serve("liar.example", liar.ServeHTTP)
		if rec := s.ask("mode", "subscribe", "topic", cloudURL, "callback", "https://liar.example/"); rec.Code != http.StatusAccepted {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		s.subscribe("https://reader.example/cb", c, "secret", "one")
		// Whoever knows a callback cannot end its subscription, or change its secret.
		c.answer = "no"
		s.ask("mode", "unsubscribe", "topic", cloudURL, "callback", "https://reader.example/cb")
		s.ask("mode", "subscribe", "topic", cloudURL, "callback", "https://reader.example/cb", "secret", "two")
		s.publish("second")
		s.delivered(c, "second")
		s.delivered(liar, "")
		mac := hmac.New(sha256.New, []byte("one"))
		mac.Write([]byte("second"))
		if c.signatures[0] != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			t.Error("the secret was changed by a request that was not confirmed")
		}
		c.answer = ""
		s.ask("mode", "unsubscribe", "topic", cloudURL, "callback", "https://reader.example/cb")
		s.publish("third")
		s.delivered(c, "second")
	})
}

func TestHubRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(o *websub.HubOptions) { o.PerTopic, o.PerHost = 2, 1 })
		defer func() { s.stop() }()
		good := []string{"mode", "subscribe", "topic", cloudURL, "callback", "https://a.example/"}
		with := func(at int, value string) []string {
			changed := append([]string{}, good...)
			changed[at] = value
			return changed
		}
		for name, c := range map[string]struct {
			form []string
			want int
		}{
			"a mode that there is not":      {with(1, "steal"), http.StatusBadRequest},
			"a topic of another site":       {with(3, "https://other.example/feed"), http.StatusNotFound},
			"a callback of another scheme":  {with(5, "file:///etc/passwd"), http.StatusBadRequest},
			"a callback without host":       {with(5, "https:///x"), http.StatusBadRequest},
			"a callback with fragment":      {with(5, "https://a.example/#x"), http.StatusBadRequest},
			"a long callback":               {with(5, "https://a.example/"+strings.Repeat("x", 2048)), http.StatusBadRequest},
			"a long secret":                 {append(with(1, "subscribe"), "secret", strings.Repeat("s", 201)), http.StatusBadRequest},
			"a lease that is no number":     {append(with(1, "subscribe"), "lease_seconds", "soon"), http.StatusBadRequest},
			"a form that is too long":       {append(with(1, "subscribe"), "secret", strings.Repeat("s", 20<<10)), http.StatusBadRequest},
			"a ping for somebody else":      {[]string{"mode", "publish", "url", "https://other.example/"}, http.StatusNotFound},
			"a ping for this site is taken": {[]string{"mode", "publish", "url", cloudURL}, http.StatusAccepted},
		} {
			if rec := s.ask(c.form...); rec.Code != c.want {
				t.Errorf("%s: %d %s, want %d", name, rec.Code, rec.Body, c.want)
			}
		}
		s.subscribe("https://a.example/1", &reader{})
		for callback, want := range map[string]int{"https://a.example/2": http.StatusTooManyRequests, "https://a.example/1": http.StatusAccepted} {
			if rec := s.ask(with(5, callback)...); rec.Code != want {
				t.Errorf("%s: %d %s, want %d", callback, rec.Code, rec.Body, want)
			}
		}
		s.subscribe("https://b.example/", &reader{})
		if rec := s.ask(with(5, "https://c.example/")...); rec.Code != http.StatusTooManyRequests {
			t.Errorf("one more subscription than there may be to a topic: %d", rec.Code)
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/hub", nil))
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != http.MethodPost {
			t.Errorf("GET: %d", rec.Code)
		}
	})
}

// Requests to hosts that strangers name are few, whoever asks.
func TestHubLimitsConfirmations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newSite(t, nil), &reader{answer: "no"}
		defer func() { s.stop() }()
		s.world.serve("victim.example", c.ServeHTTP)
		refused := 0
		for i := range 100 {
			rec := s.ask("mode", "subscribe", "topic", cloudURL, "callback", fmt.Sprintf("https://victim.example/%d", i))
			if rec.Code == http.StatusTooManyRequests && rec.Header().Get("Retry-After") != "" {
				refused++
			}
		}
		if asked := strings.Count(c.modes(), "subscribe"); asked+refused != 100 || asked > 50 {
			t.Errorf("100 requests made %d to the host they named, and %d were refused", asked, refused)
		}
	})
}

func TestHubTriesAgainAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newSite(t, nil), &reader{status: http.StatusInternalServerError}
		defer func() { s.stop() }()
		s.subscribe("https://reader.example/cb", c)
		s.publish("second")
		s.publish("third")
		time.Sleep(time.Minute)
		c.set(0)
		time.Sleep(time.Hour)
		if got := c.deliveries(); !strings.HasPrefix(got, "second|") || !strings.HasSuffix(got, "|third") || strings.Count(got, "third") < 2 {
			t.Errorf("the subscriber was sent %q, want tries that end with the newest state", got)
		}
		before := len(c.deliveries())
		time.Sleep(time.Hour)
		if len(c.deliveries()) != before {
			t.Error("what was taken was delivered again")
		}
		c.set(http.StatusInternalServerError)
		s.publish("fourth")
		time.Sleep(30 * time.Hour)
		if !strings.HasSuffix(c.modes(), "|denied "+cloudURL) {
			t.Errorf("after a day of failures the subscriber was told %q", c.modes())
		}
		if tries := strings.Count(c.deliveries(), "fourth"); tries < 20 || tries > 60 {
			t.Errorf("%d tries in a day", tries)
		}
		c.set(0)
		got := c.deliveries()
		s.publish("fifth")
		s.delivered(c, got)
	})
}

func TestHubEndsTheSubscriptionOfOneThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newSite(t, nil), &reader{status: http.StatusGone}
		defer func() { s.stop() }()
		s.subscribe("https://reader.example/cb", c)
		s.publish("second")
		c.set(0)
		s.publish("third")
		s.delivered(c, "second")
	})
}

// One that does not answer holds up nobody, not even where it has most of the subscriptions.
func TestSlowSubscribersHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(o *websub.HubOptions) { o.HostOf = nil })
		defer func() { s.stop() }()
		slow := &reader{hold: make(chan struct{})}
		defer close(slow.hold)
		for i := range 300 { // more than there are deliveries at once
			s.subscribe(fmt.Sprintf("https://slow.example/%d", i), slow)
			time.Sleep(time.Second)
		}
		c := &reader{}
		s.subscribe("https://reader.example/cb", c)
		s.publish("second")
		s.delivered(c, "second")
		s.publish("third")
		s.delivered(c, "second|third")
	})
}

// What was subscribed to, asked and not delivered is found by the next process.
func TestHubGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newSite(t, nil), &reader{}
		s.subscribe("https://reader.example/cb", c)
		c.mu.Lock()
		c.hold = make(chan struct{})
		c.mu.Unlock()
		s.publish("second")
		s.stop() // in the middle of a delivery
		close(c.hold)
		synctest.Wait()
		c.mu.Lock()
		c.hold, c.got = nil, nil
		c.mu.Unlock()
		s.start()
		time.Sleep(time.Second)
		s.delivered(c, "second")
		s.stop()
		s.store.move("cloud")
		s.papers.write("third") // while there is no hub
		s.start()
		time.Sleep(time.Second)
		s.delivered(c, "second|third")
		s.stop()
		s.change = func(o *websub.HubOptions) { o.Topics = o.Topics[:1] }
		s.start()
		time.Sleep(time.Second)
		if !strings.HasSuffix(c.modes(), "|denied "+cloudURL) {
			t.Errorf("a subscriber to a topic that is no more was told %q", c.modes())
		}
		s.stop()
	})
}

func TestHubOutlivesAFeedThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newSite(t, nil), &reader{}
		defer func() { s.stop() }()
		s.subscribe("https://reader.example/cb", c)
		s.papers.err = errors.New("too much to render at once")
		s.publish("second")
		s.delivered(c, "")
		s.papers.mu.Lock()
		s.papers.err = nil
		s.papers.mu.Unlock()
		time.Sleep(time.Minute)
		s.delivered(c, "second")
	})
}

func FuzzHubRequest(f *testing.F) {
	f.Add("hub.mode=subscribe&hub.topic=https%3A%2F%2Fwire.example%2Fall.atom&hub.callback=https%3A%2F%2Fa.example%2F%3Fx&hub.lease_seconds=-1")
	f.Add("hub.mode=publish&hub.url=%zz")
	f.Add("hub.mode=unsubscribe&hub.callback=http://[::1]:x/&hub.topic=https://wire.example/all.atom&hub.secret=" + strings.Repeat("é", 101))
	f.Fuzz(func(t *testing.T, form string) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, nil)
			defer func() { s.stop() }()
			req := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, req)
			synctest.Wait()
			if rec.Code != http.StatusAccepted && (rec.Code < 400 || rec.Code > 499) {
				t.Errorf("%q is answered %d", form, rec.Code)
			}
		})
	})
}
