package websub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// asking is how many requests to hubs are under way at once, hostAsking how many of them to one host; making polls
	// come sooner is the work of fallbacks at once.
	asking, hostAsking, fallbacks = 16, 2, 4
	// askRetry is how long after a request to a hub that failed the next is made at first, askLongest at last;
	// confirmWait is how long a hub that took one has at least to confirm it.
	askRetry, askLongest, confirmWait = time.Minute, 24 * time.Hour, 10 * time.Minute
	// endTries is how often a hub is asked to end a subscription.
	endTries = 3
	// offersMissed is how many documents in a row do not offer push any more before that is believed; topicRest is how
	// long a subscription lasts at least before one to another URL takes its place.
	offersMissed = 3
	topicRest    = 24 * time.Hour
	// leastLease and mostLease bound what a hub says of how long a subscription lasts: it is not to be asked all the time.
	leastLease, mostLease = 5 * time.Minute, 365 * 24 * time.Hour
)

// Receiver is where what hubs send goes.
type Receiver interface {
	// Deliver stores what is new in a document. Without error it is durable, or the feed will be polled soon where the
	// record's outcome is that the document could not be read. ErrNotFound means that there is no such feed.
	Deliver(ctx context.Context, feed aggregator.FeedID, d aggregator.Pushed) (aggregator.PollRecord, error)
	// Fallback has the feed polled when its schedule says so, though its polls were spared. ErrNotFound means that there is no
	// such feed.
	Fallback(ctx context.Context, feed aggregator.FeedID) error
}

// SubscriberOptions are what a Subscriber works with. Notes, Transport, Callback, Wanted, MaxBody and Jitter are required.
type SubscriberOptions struct {
	Notes     Notes
	Transport http.RoundTripper
	UserAgent string
	// Callback is the URL that the callbacks are below; it ends in a slash.
	Callback string
	// Wanted reports whether the feed is to be subscribed to where it offers that.
	Wanted func(aggregator.FeedID) bool
	// Lease is for how long a subscription is asked for, Ceiling the most that a feed need not be polled while a hub tells
	// what is new. 10 days and 6 hours if 0.
	Lease, Ceiling time.Duration
	// MaxBody bounds what a hub may send, in bytes.
	MaxBody int64
	// HostOf names whom a hub's URL asks, for the limits by host; the host and port of the URL if nil.
	HostOf func(url string) string
	// Now is the time; time.Now if nil. Jitter gives numbers in [0, 1). Random is where callbacks and secrets come from;
	// crypto/rand if nil.
	Now    func() time.Time
	Jitter func() float64
	Random io.Reader
	Log    *slog.Logger
}

// Subscriber subscribes to the polled feeds that offer push, and hands over what their hubs send. It is made by
// NewSubscriber; as an http.Handler it is what is below the Callback, by the last part of the path.
type Subscriber struct {
	SubscriberOptions
	receiver Receiver
	client   client
	saver    *saver
	requests *lanes
	polls    *lanes
	// wake says that something may be to be done.
	wake chan struct{}
	// ready is closed when the subscriptions are read.
	ready chan struct{}

	mu sync.Mutex
	// taking counts the deliveries that are being read, reading the bytes that they may have.
	taking  int
	reading int64
	// sources are all by key, byFeed those that are not ending.
	sources map[string]*source
	byFeed  map[aggregator.FeedID]*source
}

// source is a subscription to a feed. What has a JSON name is remembered.
type source struct {
	Feed     aggregator.FeedID `json:"feed"`
	Document string            `json:"document"`
	Topic    string            `json:"topic"`
	// Hubs are those that the feed offers, Hub is the one that is asked; Missing counts the documents in a row that
	// offered none.
	Hubs    []string `json:"hubs"`
	Hub     string   `json:"hub"`
	Missing int      `json:"missing,omitempty"`
	// Token is the last part of the callback's URL, Below the rest of it, Secret what the hub signs with. Token and Secret
	// are secrets.
	Token  string    `json:"token"`
	Below  string    `json:"below"`
	Secret string    `json:"secret"`
	Began  time.Time `json:"began"`
	// Asked is the mode of a request that the hub has not confirmed, Until when the subscription ends, zero while there is
	// none. Ending says that it is not wanted any more.
	Asked  string    `json:"asked,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	Ending bool      `json:"ending,omitempty"`
	// Attempts counts the requests since the last that was confirmed, Next is when the next is due.
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	// Trouble says what is wrong, for the operator.
	Trouble string `json:"trouble,omitempty"`
	record
	// Owed says that there is news that could not be taken, and that is to be polled for.
	Owed bool `json:"owed,omitempty"`

	key string
	// busy says that a request to the hub is under way, polling that a poll is being asked for; taking counts the
	// deliveries that are being read.
	busy, polling bool
	taking        int
}

func sourceKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:16])
}

// NewSubscriber makes a subscriber. It answers 503, and subscribes to nothing, until Run has begun.
func NewSubscriber(o SubscriberOptions) *Subscriber {
	o.Log, o.Random, o.HostOf, o.Now = orLog(o.Log), orRandom(o.Random), orHostOf(o.HostOf), orNow(o.Now)
	orDefault(&o.Lease, 10*24*time.Hour)
	orDefault(&o.Ceiling, 6*time.Hour)
	return &Subscriber{
		SubscriberOptions: o,
		client:            client{o.Transport, o.UserAgent},
		saver:             newSaver(o.Notes, sourceSpace, o.Log),
		requests:          newLanes(asking, hostAsking),
		polls:             newLanes(fallbacks, 1),
		wake:              make(chan struct{}, 1),
		ready:             make(chan struct{}),
		sources:           make(map[string]*source),
		byFeed:            make(map[aggregator.FeedID]*source),
	}
}

// Run subscribes, renews and unsubscribes until ctx ends, and hands what hubs send to the receiver. It goes on where the
// process before it ended.
func (s *Subscriber) Run(ctx context.Context, receiver Receiver) error {
	s.receiver = receiver
	if err := s.load(ctx); err != nil {
		return err
	}
	s.saver.during(ctx, func() {
		attend(ctx, s.ready, s.look, s.wait, s.requests, s.polls)
	})
	return nil
}

// Ready is closed when Run knows what there is: what polls tell before that is not taken note of.
func (s *Subscriber) Ready() <-chan struct{} { return s.ready }

func (s *Subscriber) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// load reads the subscriptions. While nobody was there to take what hubs sent, polls were spared all the same: they come
// as the schedule says until it is clear that nothing was missed.
func (s *Subscriber) load(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return load(ctx, s.saver, func(key string, src source) {
		src.key = key
		s.sources[key] = &src
		switch {
		case len(src.Hubs) == 0 || src.Token == "":
			s.drop(&src) // not one of ours
		case src.Ending:
		case !s.Wanted(src.Feed) || s.byFeed[src.Feed] != nil:
			s.end(&src, "it is not wanted any more")
		case src.Below != s.Callback:
			s.end(&src, "this site has another address now")
			s.begin(src.Feed, src.Document, src.Topic, src.Hubs)
		default:
			s.byFeed[src.Feed] = &src
			if !src.Since.IsZero() {
				s.fallBack(&src)
			}
		}
	})
}

// wait returns when there may be something to do, after pause at the earliest.
func (s *Subscriber) wait(ctx context.Context, next time.Time, pause time.Duration) {
	wait := time.Hour
	if !next.IsZero() {
		wait = min(wait, next.Sub(s.Now()))
	}
	timer := time.NewTimer(max(wait, pause))
	defer timer.Stop()
	select {
	case <-s.wake:
		sleep(ctx, pause)
	case <-timer.C:
	case <-ctx.Done():
	}
}

// look begins what is to be done. next is when there will be more.
func (s *Subscriber) look(context.Context) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, src := range s.sources {
		if src.Owed && !src.polling {
			s.pollSoon(src)
		}
		if !src.Ending && !src.Until.IsZero() && !now.Before(src.Until) {
			s.Log.Warn("a hub's subscription has ended; the feed is polled by its schedule until there is another", "feed", src.Feed, "hub", hostOf(src.Hub))
			s.lose(src, "the subscription ended before it could be renewed")
			s.keep(src)
		}
		switch {
		case src.busy:
			continue
		case src.Ending && (src.Attempts >= endTries || !now.Before(src.Until)):
			s.drop(src)
			continue
		case !now.Before(src.Next):
			src.busy = true
			s.requests.add(s.HostOf(src.Hub), func(ctx context.Context) { s.ask(ctx, src) })
			continue
		}
		sooner(src.Next)
		if src.Until.After(now) {
			sooner(src.Until)
		}
	}
	return next
}

// begin begins to subscribe. s.mu is locked.
func (s *Subscriber) begin(feed aggregator.FeedID, document, topic string, hubs []string) {
	src := &source{Feed: feed, Document: document, Topic: topic, Hubs: hubs, Hub: hubs[0], Below: s.Callback, Began: s.Now().UTC()}
	if err := s.identify(src); err != nil {
		s.Log.Error("no callback for a hub", "feed", feed, "error", err)
		return
	}
	s.byFeed[feed] = src
	s.keep(src)
	nudge(s.wake)
}

// identify gives the source a callback and a secret, others than it had. s.mu is locked.
func (s *Subscriber) identify(src *source) (err error) {
	var secret, callback string
	if callback, err = token(s.Random); err == nil {
		secret, err = token(s.Random)
	}
	if err != nil {
		return err
	}
	if src.key != "" {
		delete(s.sources, src.key)
		s.saver.put(src.key, nil)
	}
	src.Token, src.Secret, src.key = callback, secret, sourceKey(callback)
	s.sources[src.key] = src
	return nil
}

// keep remembers the source. s.mu is locked.
func (s *Subscriber) keep(src *source) { s.saver.put(src.key, src) }

// end has the hub told that the subscription is not wanted any more. s.mu is locked.
func (s *Subscriber) end(src *source, why string) {
	s.Log.Info("a subscription at a hub is ended", "feed", src.Feed, "hub", hostOf(src.Hub), "reason", why)
	if s.byFeed[src.Feed] == src {
		delete(s.byFeed, src.Feed)
	}
	src.Ending, src.Asked, src.Attempts, src.Next, src.Owed = true, "", 0, s.Now().UTC(), false
	if !src.Since.IsZero() {
		src.record = record{}
		s.fallBack(src)
	}
	s.keep(src)
	nudge(s.wake)
}

// drop forgets the source. s.mu is locked.
func (s *Subscriber) drop(src *source) {
	delete(s.sources, src.key)
	if s.byFeed[src.Feed] == src {
		delete(s.byFeed, src.Feed)
	}
	s.saver.put(src.key, nil)
}

// lose takes note that there is no subscription. s.mu is locked.
func (s *Subscriber) lose(src *source, trouble string) {
	src.Until, src.Since, src.Before, src.Trouble = time.Time{}, time.Time{}, time.Time{}, trouble
	s.fallBack(src)
}

// fallBack has the feed polled by its schedule. s.mu is locked.
func (s *Subscriber) fallBack(src *source) {
	feed := src.Feed
	s.polls.add(string(feed), func(ctx context.Context) {
		err := s.receiver.Fallback(ctx, feed)
		if err != nil && !errors.Is(err, aggregator.ErrNotFound) && ctx.Err() == nil {
			s.Log.Error("a feed is polled later than its schedule says", "feed", feed, "error", fmt.Errorf("fall back to polling: %w", err))
		}
	})
}

// pollSoon has the feed polled for what could not be taken. s.mu is locked.
func (s *Subscriber) pollSoon(src *source) {
	src.polling = true
	s.polls.add(string(src.Feed), func(ctx context.Context) {
		_, err := s.receiver.Deliver(ctx, src.Feed, aggregator.Pushed{})
		if errors.Is(err, aggregator.ErrNotFound) {
			err = nil
		} else if err != nil {
			sleep(ctx, owedRetry)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		src.polling = false
		if err == nil {
			src.Owed, src.pinged = false, true
			s.keep(src)
		}
		nudge(s.wake)
	})
}
