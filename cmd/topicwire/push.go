package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/publish"
	"github.com/topicwire/topicwire/aggregator/websub"
)

// push is what the program does about WebSub. Parts that the config does not ask for are nil.
type push struct {
	config    config.WebSub
	publisher *websub.Publisher
	hub       *websub.Hub
	documents *siteDocuments
	// subscriber is told of what the receiver, which polls, finds.
	subscriber *websub.Subscriber
	receiver   websub.Receiver
	// base is the address of the site.
	base string
	log  *slog.Logger
}

// newPush makes what the config asks for. The store is there already; nothing is begun.
func (s *station) newPush(ctx context.Context) (p *push, err error) {
	c := s.config.WebSub
	p = &push{config: c, base: s.config.BaseURL, log: s.log}
	if p.subscriber, err = s.newSubscriber(ctx); err != nil {
		return nil, err
	}
	if len(c.Hubs) == 0 && !c.Hub {
		return p, nil
	}
	published, err := s.published()
	if err != nil {
		return nil, err
	}
	transport := s.pushTransport()
	agent := userAgent(s.config.Contact)
	if len(c.Hubs) > 0 {
		p.publisher = websub.NewPublisher(websub.PublisherOptions{
			Versions: s.store, Notes: s.store, Transport: transport, UserAgent: agent,
			Hubs: c.Hubs, Topics: published, Window: c.Window, Jitter: rand.Float64, Log: s.log,
		})
	}
	if c.Hub {
		p.documents = &siteDocuments{}
		p.hub = websub.NewHub(websub.HubOptions{
			Topics: published, Contents: p.documents, Versions: s.store, Notes: s.store, Transport: transport, UserAgent: agent,
			MaxLease: c.MaxLease, PerTopic: c.TopicSubscriptions, PerHost: c.HostSubscriptions, GiveUp: c.GiveUpAfter,
			Window: c.Window, HostOf: func(url string) string { return hosts.KeyOf(url).Tenant },
			Now: s.now, Jitter: rand.Float64, Log: s.log,
		})
	}
	return p, nil
}

// pushTransport connects to hubs and callbacks.
func (s *station) pushTransport() http.RoundTripper {
	options := fetchOptions(s.config, s.now)
	options.AllowPrivate = s.config.WebSub.AllowPrivate
	return fetch.NewTransport(options, "websub.allow_private")
}

// published are the merged feeds that may be subscribed to.
func (s *station) published() ([]websub.Published, error) {
	topics := []aggregator.TopicID{aggregator.AllTopics}
	for _, t := range s.config.Topics {
		topics = append(topics, t.ID)
	}
	var all []websub.Published
	for _, id := range topics {
		urls, err := publish.FeedURLs(s.config.BaseURL, id)
		if err != nil {
			return nil, fmt.Errorf("list the merged feeds: %w", err)
		}
		all = append(all, websub.Published{Topic: id, URLs: urls})
	}
	return all, nil
}

// hubs are those that the merged feeds name.
func (p *push) hubs() []string {
	hubs := slices.Clone(p.config.Hubs)
	if p.hub != nil {
		hubs = slices.Insert(hubs, 0, p.base+hubPath)
	}
	return hubs
}

// run tells hubs and subscribers of changes until ctx ends.
func (p *push) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var parts sync.WaitGroup
	begin := func(run func(context.Context) error) {
		parts.Go(func() {
			if err := run(ctx); err != nil {
				stop(err)
			}
		})
	}
	if p.publisher != nil {
		begin(p.publisher.Run)
	}
	if p.hub != nil {
		begin(p.hub.Run)
	}
	if p.subscriber != nil {
		begin(func(ctx context.Context) error { return p.subscriber.Run(ctx, p.receiver) })
	}
	<-ctx.Done()
	parts.Wait()
	return context.Cause(ctx)
}

// hubPath is where the hub is, below the base URL.
const hubPath = "/hub"

// handler adds what push has to the site.
func (p *push) handler(site http.Handler) http.Handler {
	if p.hub != nil {
		p.documents.site = site
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch at := p.mounted(r); {
		case at == hubPath && p.hub != nil:
			p.hub.ServeHTTP(w, r)
		case isCallback(at) && p.subscriber != nil:
			p.subscriber.ServeHTTP(w, r)
		default:
			site.ServeHTTP(w, r)
		}
	})
}

// siteDocuments gives the hub what a reader would get.
type siteDocuments struct{ site http.Handler }

// Content implements websub.Contents.
func (d *siteDocuments) Content(ctx context.Context, url string) (websub.Content, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return websub.Content{}, err
	}
	answer := &answer{header: make(http.Header), status: http.StatusOK}
	d.site.ServeHTTP(answer, req)
	if answer.status != http.StatusOK {
		return websub.Content{}, fmt.Errorf("the site answers %d", answer.status)
	}
	return websub.Content{
		Type: answer.header.Get("Content-Type"), Links: answer.header.Values("Link"), Body: answer.body.Bytes(),
	}, nil
}

// answer is what a handler of this process answered.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// once tells the hubs what has changed since they were last told, for a command that ends. What a hub could not be told
// of is left for the next time.
func (p *push) once(ctx context.Context) {
	if p.publisher == nil {
		return
	}
	if err := p.publisher.Once(ctx); err != nil {
		p.log.Error("not all hubs could be told of what has changed; the next fetch tries again", "error", err)
	}
}

// committed is told of every poll that is stored.
func (p *push) committed(outcome *aggregator.Poll) {
	if len(outcome.Items) == 0 {
		return
	}
	if p.publisher != nil {
		p.publisher.Notice()
	}
	if p.hub != nil {
		p.hub.Notice()
	}
}

// watchedStore says what the polls have stored.
type watchedStore struct {
	poll.Store
	committed func(*aggregator.Poll)
}

// CommitEach implements poll.Store.
func (s watchedStore) CommitEach(ctx context.Context, polls []*aggregator.Poll) []error {
	errs := s.Store.CommitEach(ctx, polls)
	for i := range polls {
		if errs[i] == nil {
			s.committed(polls[i])
		}
	}
	return errs
}
