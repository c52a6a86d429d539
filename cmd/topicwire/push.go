package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/publish"
	"github.com/topicwire/topicwire/aggregator/websub"
)

// push is what the program does about WebSub. Parts that the config does not ask for are nil.
type push struct {
	config    config.WebSub
	publisher *websub.Publisher
	log       *slog.Logger
}

// newPush makes what the config asks for. The store is there already; nothing is begun.
func (s *station) newPush() (*push, error) {
	c := s.config.WebSub
	p := &push{config: c, log: s.log}
	if len(c.Hubs) == 0 {
		return p, nil
	}
	published, err := s.published()
	if err != nil {
		return nil, err
	}
	transport := s.pushTransport()
	p.publisher = websub.NewPublisher(websub.PublisherOptions{
		Versions: s.store, Notes: s.store, Transport: transport, UserAgent: userAgent(s.config.Contact),
		Hubs: c.Hubs, Topics: published, Window: c.Window, Jitter: rand.Float64, Log: s.log,
	})
	return p, nil
}

// pushTransport connects to hubs.
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
func (p *push) hubs() []string { return slices.Clone(p.config.Hubs) }

// run tells the hubs of changes until ctx ends.
func (p *push) run(ctx context.Context) error {
	if p.publisher == nil {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if err := p.publisher.Run(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

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
	if p.publisher != nil && len(outcome.Items) > 0 {
		p.publisher.Notice()
	}
}

// watchedStore says what the polls have stored.
type watchedStore struct {
	poll.Store
	push *push
}

// CommitEach implements poll.Store.
func (s watchedStore) CommitEach(ctx context.Context, polls []aggregator.Poll) []error {
	errs := s.Store.CommitEach(ctx, polls)
	for i := range polls {
		if errs[i] == nil {
			s.push.committed(&polls[i])
		}
	}
	return errs
}
