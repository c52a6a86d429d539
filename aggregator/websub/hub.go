package websub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// deliveries is how many are under way at once, slowDeliveries how many of those whose subscriber failed or was slow
	// the last time, which so hold up no other; hostDeliveries is how many of either for one host.
	deliveries, slowDeliveries, hostDeliveries = 256, 64, 4
	// slowDelivery is how long one takes that is slow.
	slowDelivery = 3 * time.Second
	// deliveryRetry is how long after a delivery that failed the next is tried at first, deliveryLongest at last.
	deliveryRetry, deliveryLongest = 10 * time.Second, time.Hour
	// contentRetry is how long is waited when the site's own document could not be had.
	contentRetry = 10 * time.Second
	// verifications is how many requests are being confirmed at once, hostVerifications how many of them at one host,
	// maxVerifications how many may wait.
	verifications, hostVerifications, maxVerifications = 32, 2, 1000
)

// Contents gives the documents that are delivered.
type Contents interface {
	// Content is what a GET of one of the published URLs answers at present.
	Content(ctx context.Context, url string) (Content, error)
}

// Content is a document as it is delivered.
type Content struct {
	// Type is its Content-Type, Links are its Link headers.
	Type  string
	Links []string
	Body  []byte
}

// HubOptions are what a Hub works with. Topics, Contents, Versions, Notes, Transport and Jitter are required.
type HubOptions struct {
	// Topics are what may be subscribed to.
	Topics    []Published
	Contents  Contents
	Versions  Versions
	Notes     Notes
	Transport http.RoundTripper
	UserAgent string
	// MinLease and MaxLease bound for how long a subscription lasts; who does not say gets DefaultLease. 5 minutes, 30
	// days and 10 days if 0.
	MinLease, MaxLease, DefaultLease time.Duration
	// PerTopic bounds the subscriptions to one URL, PerHost those of one host of callbacks. 10,000 and 1,000 if 0.
	PerTopic, PerHost int
	// GiveUp is for how long deliveries to a subscriber may fail before its subscription ends. 1 day if 0.
	GiveUp time.Duration
	// Window and Check are DefaultWindow and DefaultCheck if 0.
	Window, Check time.Duration
	// HostOf names whom a callback's URL asks, for the limits by host; the host and port of the URL if nil.
	HostOf func(url string) string
	// Now is the time; time.Now if nil. Jitter gives numbers in [0, 1). Random is where challenges come from; crypto/rand
	// if nil.
	Now    func() time.Time
	Jitter func() float64
	Random io.Reader
	Log    *slog.Logger
}

// Hub takes subscriptions to this site's merged feeds and delivers the feeds when they change. It is made by NewHub; as an
// http.Handler it is the hub's URL.
type Hub struct {
	HubOptions
	client   client
	saver    *saver
	topics   map[string]aggregator.TopicID // by URL
	shelf    shelf
	requests *lanes
	// fast and slow are the deliveries, apart by how their subscribers were the last time.
	fast, slow *lanes
	// fromHost and fromAll bound how often requests are confirmed.
	fromHost, fromAll *rates
	// notice says that topics may have changed, again that a subscription has.
	notice, again chan struct{}
	// ready is closed when the subscriptions are read.
	ready chan struct{}

	mu      sync.Mutex
	subs    map[string]*subscription // by key
	byTopic map[aggregator.TopicID]map[*subscription]bool
	byURL   map[string]int
	byHost  map[string]int
}

// subscription is a callback that is told of a URL. What has a JSON name is remembered.
type subscription struct {
	Topic    string `json:"topic"`
	Callback string `json:"callback"`
	Secret   string `json:"secret,omitempty"`
	// Until is when it ends, zero for one that was not confirmed yet.
	Until time.Time `json:"until,omitzero"`
	// Seq is the Version of the topic that was delivered last, Sum the hash of that document.
	Seq uint64 `json:"seq,omitempty"`
	Sum string `json:"sum,omitempty"`
	// Failing is when deliveries began to fail, Attempts how many did in a row, Next when the next is tried.
	Failing  time.Time `json:"failing,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	// Asked is a request that is not confirmed yet.
	Asked *asked `json:"asked,omitempty"`

	key, host string
	// busy says that a delivery is queued or under way, slow that the last one was, gone that it has ended.
	busy, slow, gone bool
}

// asked is a request to subscribe or to unsubscribe.
type asked struct {
	Mode   string        `json:"mode"`
	Secret string        `json:"secret,omitempty"`
	Lease  time.Duration `json:"lease,omitempty"`
}

func subscriptionKey(topic, callback string) string {
	sum := sha256.Sum256([]byte(topic + "\x00" + callback))
	return hex.EncodeToString(sum[:16])
}

// NewHub makes a hub. It answers 503 until Run has begun.
func NewHub(o HubOptions) *Hub {
	o.Log, o.Random, o.HostOf, o.Now = orLog(o.Log), orRandom(o.Random), orHostOf(o.HostOf), orNow(o.Now)
	orDefault(&o.MinLease, 5*time.Minute)
	orDefault(&o.MaxLease, 30*24*time.Hour)
	orDefault(&o.DefaultLease, min(10*24*time.Hour, o.MaxLease))
	orDefault(&o.PerTopic, 10_000)
	orDefault(&o.PerHost, 1000)
	orDefault(&o.GiveUp, 24*time.Hour)
	orDefault(&o.Window, DefaultWindow)
	orDefault(&o.Check, DefaultCheck)
	h := &Hub{
		HubOptions: o,
		client:     client{o.Transport, o.UserAgent},
		saver:      newSaver(o.Notes, "websub.subscriptions", o.Log),
		topics:     make(map[string]aggregator.TopicID),
		requests:   newLanes(verifications, hostVerifications),
		fast:       newLanes(deliveries, hostDeliveries),
		slow:       newLanes(slowDeliveries, hostDeliveries),
		fromHost:   newRates(1, 50),
		fromAll:    newRates(20, 500),
		notice:     make(chan struct{}, 1),
		again:      make(chan struct{}, 1),
		ready:      make(chan struct{}),
		subs:       make(map[string]*subscription),
		byTopic:    make(map[aggregator.TopicID]map[*subscription]bool),
		byURL:      make(map[string]int),
		byHost:     make(map[string]int),
	}
	h.shelf.contents = o.Contents
	for _, t := range o.Topics {
		for _, u := range t.URLs {
			h.topics[u] = t.Topic
		}
	}
	return h
}

// Notice says that topics may have changed. It returns at once.
func (h *Hub) Notice() { nudge(h.notice) }

// Run confirms requests and delivers what changes until ctx ends. It goes on where the process before it ended.
func (h *Hub) Run(ctx context.Context) error {
	if err := h.load(ctx); err != nil {
		return err
	}
	h.saver.during(ctx, func() {
		attend(ctx, h.ready, h.look, h.wait, h.requests, h.fast, h.slow)
	})
	return nil
}

// wait returns when there may be something to deliver, after pause at the earliest: next is when a delivery is to be tried
// again, zero for none.
func (h *Hub) wait(ctx context.Context, next time.Time, pause time.Duration) {
	wait := h.Check
	if !next.IsZero() {
		wait = min(wait, next.Sub(h.Now()))
	}
	timer := time.NewTimer(max(wait, pause))
	defer timer.Stop()
	select {
	case <-h.notice:
		sleep(ctx, max(h.Window, pause))
	case <-h.again:
		sleep(ctx, pause)
	case <-timer.C:
	case <-ctx.Done():
	}
}

// load reads the subscriptions. Who subscribed to what is no longer published is told so.
func (h *Hub) load(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := load(ctx, h.saver, func(key string, s subscription) {
		s.key, s.host = key, h.HostOf(s.Callback)
		s.slow = s.Attempts > 0
		if _, published := h.topics[s.Topic]; !published {
			h.saver.put(key, nil)
			h.requests.add(s.host, func(ctx context.Context) { h.deny(ctx, &s, "this feed is no longer published") })
			return
		}
		h.add(&s)
		if s.Asked != nil {
			ask := s.Asked
			h.requests.add(s.host, func(ctx context.Context) { h.confirm(ctx, &s, ask) })
		}
	})
	if err == nil && len(h.subs) > 0 {
		h.Log.Info("the hub has subscriptions", "subscriptions", len(h.subs))
	}
	return err
}

// add enters a subscription. h.mu is locked.
func (h *Hub) add(s *subscription) {
	topic := h.topics[s.Topic]
	if h.byTopic[topic] == nil {
		h.byTopic[topic] = make(map[*subscription]bool)
	}
	h.subs[s.key], h.byTopic[topic][s] = s, true
	h.byURL[s.Topic]++
	h.byHost[s.host]++
}

// remove ends a subscription. h.mu is locked.
func (h *Hub) remove(s *subscription) {
	if s.gone {
		return
	}
	s.gone = true
	topic := h.topics[s.Topic]
	delete(h.subs, s.key)
	delete(h.byTopic[topic], s)
	if len(h.byTopic[topic]) == 0 {
		delete(h.byTopic, topic)
	}
	if h.byURL[s.Topic]--; h.byURL[s.Topic] == 0 {
		delete(h.byURL, s.Topic)
	}
	if h.byHost[s.host]--; h.byHost[s.host] == 0 {
		delete(h.byHost, s.host)
	}
	h.saver.put(s.key, nil)
}

// look queues a delivery for each subscriber that does not have its topic's present state. next is when one that failed is
// to be tried again.
func (h *Hub) look(ctx context.Context) (next time.Time) {
	h.mu.Lock()
	topics := make([]aggregator.TopicID, 0, len(h.byTopic))
	for t := range h.byTopic {
		topics = append(topics, t)
	}
	h.mu.Unlock()
	for _, t := range topics {
		v, err := h.Versions.Version(ctx, t)
		if err != nil {
			if ctx.Err() == nil {
				h.Log.Error("the hub cannot see what has changed; it tries again", "error", fmt.Errorf("read version of topic %q: %w", t, err))
			}
			return time.Time{}
		}
		if at := h.queue(t, v.Seq); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// queue is look for one topic.
func (h *Hub) queue(topic aggregator.TopicID, seq uint64) (next time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.Now()
	for s := range h.byTopic[topic] {
		switch {
		case s.Until.IsZero() || s.busy:
		case !now.Before(s.Until):
			h.Log.Info("a subscription ended, since it was not renewed", "url", s.Topic, "host", s.host)
			h.remove(s)
		case s.Seq == seq:
		case now.Before(s.Next):
			if next.IsZero() || s.Next.Before(next) {
				next = s.Next
			}
		default:
			s.busy = true
			lanes := h.fast
			if s.slow {
				lanes = h.slow
			}
			lanes.add(s.host, func(ctx context.Context) { h.deliver(ctx, s) })
		}
	}
	return next
}
