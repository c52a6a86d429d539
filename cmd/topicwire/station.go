package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/schedule"
	"github.com/topicwire/topicwire/aggregator/topic"
	"github.com/topicwire/topicwire/storage"
)

const (
	// pollGrace is what polls under way have left at a SIGTERM, serveGrace what requests have, those that wait for a
	// poll among them. The program has ended ten seconds after the signal.
	pollGrace  = 5 * time.Second
	serveGrace = 7 * time.Second
	// workersPerCPU is how many polls a processor carries: they wait for publishers most of the time.
	workersPerCPU = 16
)

// station is the program with its store open: what run, fetch and serve work with, and other commands when there is no
// daemon that holds the store.
type station struct {
	config    *config.Config
	store     storage.Store
	topics    *topic.Matcher
	poller    *poll.Poller
	authority string
	log       *slog.Logger
	now       func() time.Time
}

// openStation opens the store of cfg. The caller closes the station's store.
func (p *program) openStation(ctx context.Context, cfg *config.Config, log *slog.Logger) (*station, error) {
	matcher, err := topic.NewMatcher(cfg.Topics)
	if err != nil {
		return nil, err
	}
	store, err := storage.Open(ctx, cfg.Store, storage.Options{Now: p.now})
	if err != nil {
		return nil, err
	}
	s := &station{config: cfg, store: store, topics: matcher, log: log, now: p.now}
	s.poller = s.newPoller()
	return s, nil
}

func (s *station) newPoller() *poll.Poller {
	f := s.config.Fetch
	workers := f.Workers
	if workers == 0 {
		workers = workersPerCPU * runtime.GOMAXPROCS(0)
	}
	return poll.New(poll.Options{
		Store: s.store,
		Queue: s.store,
		Fetcher: fetch.New(fetch.Options{
			UserAgent:    userAgent(s.config.Contact),
			Timeout:      f.Timeout,
			MaxBody:      f.MaxBody,
			MaxRedirects: f.Redirects,
			AllowPrivate: f.AllowPrivate,
			Now:          s.now,
		}),
		Topics:  s.topics,
		Workers: workers,
		Timeout: f.Timeout,
		Grace:   pollGrace,
		Now:     s.now,
		Jitter:  rand.Float64,
		Log:     s.log,
	})
}

// userAgent names the product and whom a publisher can turn to.
func userAgent(contact string) string {
	agent := "topicwire/" + version
	if contact != "" {
		agent += " (+" + contact + ")"
	}
	return agent
}

// apply makes the store follow the config: its feeds, and the topics of the items it has.
func (s *station) apply(ctx context.Context) error {
	authority, err := s.store.Authority(ctx, authorityFor(s.config.BaseURL, s.now()))
	if err != nil {
		return err
	}
	s.authority = authority
	now := s.now().UTC()
	err = s.store.SyncFeeds(ctx, s.config.Feeds, func(f aggregator.Feed, state aggregator.FeedState) time.Time {
		return firstDue(f, state, now)
	})
	if err != nil {
		return fmt.Errorf("take over the feeds of the config: %w", err)
	}
	forced := forcedTopics(s.config.Feeds)
	refiled, err := s.store.Refile(ctx, s.rules(), func(it aggregator.Item) []aggregator.TopicID {
		return poll.Topics(s.topics, forced[it.Feed], &it)
	})
	if err != nil {
		return fmt.Errorf("file stored items under the topics of the config: %w", err)
	}
	if refiled > 0 {
		s.log.Info("the topics changed: stored items were filed anew", "items", refiled)
	}
	return nil
}

// firstDue is when a feed that is new to the store, or whose URL or schedule changed, is polled next: a feed that was
// never polled at once, any other when its schedule says so, since a restart is no reason to ask a publisher again.
func firstDue(f aggregator.Feed, state aggregator.FeedState, now time.Time) time.Time {
	if state.LastPoll.At.IsZero() {
		return now
	}
	spec, err := schedule.Parse(f.Schedule)
	if err != nil {
		return now
	}
	return spec.Next(f.ID, state.LastPoll.At)
}

// rules changes whenever stored items may have to be filed under other topics.
func (s *station) rules() aggregator.Hash {
	parts := []string{s.topics.Rules().String()}
	for _, f := range s.config.Feeds {
		for _, t := range f.Topics {
			parts = append(parts, string(f.ID), string(t))
		}
	}
	return aggregator.HashOf(parts...)
}

func forcedTopics(feeds []aggregator.Feed) map[aggregator.FeedID][]aggregator.TopicID {
	forced := make(map[aggregator.FeedID][]aggregator.TopicID)
	for _, f := range feeds {
		if len(f.Topics) > 0 {
			forced[f.ID] = f.Topics
		}
	}
	return forced
}

// authorityFor is what published ids are built on (RFC 4151 section 2.1): the name of the host that publishes and a day
// on which it was the operator's. The store keeps the first one for ever.
func authorityFor(baseURL string, now time.Time) string {
	host := "localhost"
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() != "" {
		host = strings.ToLower(u.Hostname())
	}
	return host + "," + now.UTC().Format(time.DateOnly)
}

// storeFile is the path of the config's store, for what is kept beside it.
func storeFile(cfg *config.Config) (string, error) {
	path, ok := strings.CutPrefix(cfg.Store, "bolt://")
	if !ok {
		return "", usageError{fmt.Errorf("store %s: want bolt://PATH", cfg.Store)}
	}
	return path, nil
}

// desk finds who answers a command: the daemon that holds the store where there is one, else a station of the command's
// own. create says whether a store that does not exist yet is made. done must be called at the end.
func (p *program) desk(ctx context.Context, create bool) (d desk, cfg *config.Config, done func(), err error) {
	cfg, _, err = p.loadConfig()
	if err != nil {
		return nil, nil, nil, err
	}
	file, err := storeFile(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	if remote, ok := dialDesk(ctx, socketPath(file)); ok {
		return remote, cfg, remote.close, nil
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, nil, nil, fmt.Errorf("there is no store at %s yet: 'topicwire fetch' or 'topicwire run' makes it", filepath.Clean(file))
	}
	log, err := p.logger()
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := p.openStation(ctx, cfg, log)
	if err != nil {
		return nil, nil, nil, err
	}
	return s, cfg, func() {
		if err := s.store.Close(); err != nil {
			log.Error("close the store", "error", err)
		}
	}, nil
}
