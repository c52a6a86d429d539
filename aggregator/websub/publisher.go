package websub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// pingRetry is how long a hub that failed is left alone at first, pingLongest at most.
	pingRetry   = 5 * time.Second
	pingLongest = time.Hour
	// onceTries is how often Once tries a hub, and onceRetry how long it waits in between at first.
	onceTries = 3
	onceRetry = time.Second
)

// PublisherOptions are what a Publisher works with. Versions, Notes, Transport, Topics and Jitter are required.
type PublisherOptions struct {
	Versions  Versions
	Notes     Notes
	Transport http.RoundTripper
	UserAgent string
	// Hubs are the URLs of the hubs that are told.
	Hubs []string
	// Topics are what is published.
	Topics []Published
	// Window and Check are DefaultWindow and DefaultCheck if 0.
	Window, Check time.Duration
	// Jitter gives numbers in [0, 1).
	Jitter func() float64
	Log    *slog.Logger
}

// Publisher tells hubs which merged feeds have changed. It is made by NewPublisher and safe for use by many goroutines.
type Publisher struct {
	PublisherOptions
	client client
	saver  *saver
	hubs   []*toldHub
}

// toldHub is a hub and what it was told. Only its own goroutine uses it but for notice.
type toldHub struct {
	url    string
	notice chan struct{}
	// told are the Versions of topics that it was last told of, as their Seq.
	told map[aggregator.TopicID]uint64
}

// tolds is what is remembered of a topic and a hub.
type tolds struct {
	Hub   string             `json:"hub"`
	Topic aggregator.TopicID `json:"topic"`
	Seq   uint64             `json:"seq"`
}

func (t tolds) key() string {
	sum := sha256.Sum256([]byte(t.Hub + "\x00" + string(t.Topic)))
	return hex.EncodeToString(sum[:16])
}

// NewPublisher makes a publisher. Nobody is told of anything before Run or Once.
func NewPublisher(o PublisherOptions) *Publisher {
	o.Log = orLog(o.Log)
	orDefault(&o.Window, DefaultWindow)
	orDefault(&o.Check, DefaultCheck)
	p := &Publisher{
		PublisherOptions: o,
		client:           client{o.Transport, o.UserAgent},
		saver:            newSaver(o.Notes, "websub.told", o.Log),
	}
	for _, hub := range o.Hubs {
		p.hubs = append(p.hubs, &toldHub{url: hub, notice: make(chan struct{}, 1), told: make(map[aggregator.TopicID]uint64)})
	}
	return p
}

// Notice says that topics may have changed. It returns at once.
func (p *Publisher) Notice() {
	for _, h := range p.hubs {
		nudge(h.notice)
	}
}

// Run tells the hubs of changes until ctx ends. A hub that is new is told of what changes from now on.
func (p *Publisher) Run(ctx context.Context) error {
	if err := p.load(ctx); err != nil {
		return err
	}
	p.saver.during(ctx, func() {
		var parts sync.WaitGroup
		for _, h := range p.hubs {
			parts.Go(func() { p.keepTelling(ctx, h) })
		}
		parts.Wait()
	})
	return nil
}

// Once tells the hubs of what has changed since they were last told, tries again a few times where that fails, and
// returns. What a hub was not told of is left for the next time.
func (p *Publisher) Once(ctx context.Context) error {
	if err := p.load(ctx); err != nil {
		return err
	}
	failures := make([]error, len(p.hubs))
	var hubs sync.WaitGroup
	for i, h := range p.hubs {
		hubs.Go(func() {
			for try := 1; ; try++ {
				if failures[i] = p.tell(ctx, h); failures[i] == nil || try == onceTries {
					return
				}
				if !sleep(ctx, backoff(try, onceRetry, pingLongest, p.Jitter)) {
					return
				}
			}
		})
	}
	hubs.Wait()
	return errors.Join(errors.Join(failures...), p.saver.flush(context.WithoutCancel(ctx)))
}

// load reads what the hubs were told, and forgets hubs and topics that are no more. A hub or topic that is new is taken to
// have been told of what there is: nobody can have subscribed to it there.
func (p *Publisher) load(ctx context.Context) error {
	known := make(map[string]tolds)
	err := load(ctx, p.saver, func(key string, t tolds) { known[key] = t })
	if err != nil {
		return err
	}
	for _, h := range p.hubs {
		for _, published := range p.Topics {
			mine := tolds{Hub: h.url, Topic: published.Topic}
			if t, ok := known[mine.key()]; ok {
				h.told[published.Topic] = t.Seq
				delete(known, mine.key())
				continue
			}
			v, err := p.Versions.Version(ctx, published.Topic)
			if err != nil {
				return fmt.Errorf("read version of topic %q: %w", published.Topic, err)
			}
			p.note(h, published.Topic, v.Seq)
		}
	}
	for key := range known {
		p.saver.put(key, nil)
	}
	return nil
}

func (p *Publisher) note(h *toldHub, topic aggregator.TopicID, seq uint64) {
	h.told[topic] = seq
	t := tolds{Hub: h.url, Topic: topic, Seq: seq}
	p.saver.put(t.key(), t)
}

// keepTelling tells a hub of changes until ctx ends.
func (p *Publisher) keepTelling(ctx context.Context, h *toldHub) {
	failures := 0
	for ctx.Err() == nil {
		err := p.tell(ctx, h)
		if err != nil && ctx.Err() == nil {
			failures++
			wait := max(backoff(failures, pingRetry, pingLongest, p.Jitter), retryAfterOf(err))
			p.Log.Warn("a hub could not be told of changes; it is tried again", "hub", hostOf(h.url), "error", err, "in", wait.Round(time.Second))
			sleep(ctx, wait)
			continue
		}
		failures = 0
		timer := time.NewTimer(p.Check)
		select {
		case <-h.notice:
			sleep(ctx, p.Window)
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// tell tells a hub of all that it does not know yet. An error means that the rest is to be tried later.
func (p *Publisher) tell(ctx context.Context, h *toldHub) error {
	for _, published := range p.Topics {
		v, err := p.Versions.Version(ctx, published.Topic)
		if err != nil {
			return fmt.Errorf("read version of topic %q: %w", published.Topic, err)
		}
		if v.Seq == h.told[published.Topic] {
			continue
		}
		if err := p.ping(ctx, h, published); err != nil {
			return err
		}
		p.note(h, published.Topic, v.Seq)
	}
	return nil
}

// busyError is an answer of a hub that is to be asked again.
type busyError struct{ reply }

func (e busyError) Error() string { return e.phrase() }

func retryAfterOf(err error) time.Duration {
	var busy busyError
	if errors.As(err, &busy) {
		return min(busy.retryAfter, pingLongest)
	}
	return 0
}

// ping tells a hub that the topic has changed. WebSub leaves the form of this request open; this is the one that hubs
// have taken from its first draft on, with the parameter under both of its names.
func (p *Publisher) ping(ctx context.Context, h *toldHub, published Published) error {
	form := url.Values{"hub.mode": {"publish"}, "hub.url": published.URLs, "hub.topic": published.URLs}
	answer, err := p.client.post(ctx, h.url, form, 1<<10)
	switch {
	case err != nil:
		return err
	case answer.ok():
		p.Log.Debug("told a hub of a change", "hub", hostOf(h.url), "topic", published.Topic)
		return nil
	case answer.status == http.StatusTooManyRequests || answer.status == http.StatusRequestTimeout || answer.status >= 500:
		return busyError{answer}
	}
	// It would answer the same again: the next change is the next try.
	p.Log.Warn("a hub does not want to know of a topic", "hub", hostOf(h.url), "topic", published.Topic, "error", answer.phrase())
	return nil
}
