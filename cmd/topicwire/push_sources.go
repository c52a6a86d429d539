package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/websub"
)

// callbackPath is what the callbacks of subscriptions are below, below the base URL.
const callbackPath = "/websub/"

// newSubscriber makes the subscriber to polled feeds, nil where none is wanted and none is left to be ended.
func (s *station) newSubscriber(ctx context.Context) (*websub.Subscriber, error) {
	c := s.config.WebSub
	left, err := websub.AnySource(ctx, s.store)
	if err != nil || !left && len(c.Subscribed) == 0 {
		return nil, err
	}
	return websub.NewSubscriber(websub.SubscriberOptions{
		Notes: s.store, Transport: s.pushTransport(), UserAgent: userAgent(s.config.Contact),
		Callback: s.config.BaseURL + callbackPath, Wanted: func(id aggregator.FeedID) bool { return c.Subscribed[id] },
		Ceiling: c.PollCeiling, MaxBody: s.config.Fetch.MaxBody,
		HostOf: func(url string) string { return hosts.KeyOf(url).Tenant },
		Now:    s.now, Jitter: rand.Float64, Log: s.log,
	}), nil
}

// polled is what polls ask about push.
func (p *push) polled(feed aggregator.FeedID, seen poll.Push) time.Duration {
	return p.subscriber.Polled(feed, seen.Offer, seen.Listed, seen.News)
}

// ready returns when polls may begin: what they find of hubs is not lost then.
func (p *push) ready(ctx context.Context) {
	if p.subscriber == nil {
		return
	}
	select {
	case <-p.subscriber.Ready():
	case <-ctx.Done():
	}
}

// mounted is the part of the site that a request asks for. As for the site itself, a proxy may pass the path of the base
// URL on or not.
func (p *push) mounted(r *http.Request) string {
	mount := ""
	if u, err := url.Parse(p.base); err == nil {
		mount = strings.TrimRight(u.Path, "/")
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, mount); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return r.URL.Path
}

// isCallback reports whether the path is that of a callback.
func isCallback(at string) bool { return path.Dir(at)+"/" == callbackPath }

// pushReport is how a subscription to a feed is doing, in 'feeds show'.
type pushReport struct {
	// Hub is the host of the hub. Until is when the subscription ends unless it is renewed, null where there is none.
	Hub   string     `json:"hub"`
	Until *time.Time `json:"until"`
	// Trusted is from when on the hub has told of every new item, so that the feed is polled less often.
	Trusted    *time.Time `json:"trusted"`
	Delivered  *time.Time `json:"delivered"`
	Deliveries int        `json:"deliveries"`
	// Unsigned counts the deliveries that were ignored, Trouble says what is wrong.
	Unsigned int    `json:"unsigned"`
	Trouble  string `json:"trouble"`
}

func newPushReport(s websub.SourceState) *pushReport {
	return &pushReport{
		Hub: s.Hub, Until: orNull(s.Until), Trusted: orNull(s.Trusted), Delivered: orNull(s.Delivered),
		Deliveries: s.Deliveries, Unsigned: s.Unsigned, Trouble: s.Trouble,
	}
}

// describe is the subscription in a phrase.
func (r *pushReport) describe() string {
	var text string
	switch {
	case r.Until == nil:
		text = "not subscribed at " + r.Hub
	case r.Delivered == nil:
		text = "subscribed at " + r.Hub + ", which has sent nothing yet"
	default:
		text = "subscribed at " + r.Hub + ", which last sent something on " + minute(r.Delivered) + " UTC"
	}
	if r.Trouble != "" {
		text += fmt.Sprintf(" (%s)", r.Trouble)
	}
	return text
}

// pushNotes are the subscriptions to feeds as the site's pages show them.
func (s *station) pushNotes(ctx context.Context) (map[aggregator.FeedID]string, error) {
	states, err := websub.Sources(ctx, s.store)
	if err != nil {
		return nil, err
	}
	notes := make(map[aggregator.FeedID]string, len(states))
	for id, state := range states {
		notes[id] = newPushReport(state).describe()
	}
	return notes, nil
}
