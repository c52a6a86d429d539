package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/publish"
	"github.com/topicwire/topicwire/aggregator/schedule"
	stories "github.com/topicwire/topicwire/aggregator/story/group"
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
	queries   *topic.Library
	topics    *topic.Matcher
	poller    *poll.Poller
	grouper   *stories.Grouper
	authority string
	log       *slog.Logger
	now       func() time.Time
	// push tells others what polls bring; it does nothing where the config does not ask for it.
	push *push
	// archive is the history of the merged feeds, takenIn what its topics take in; nil until they are needed.
	archive *publish.Archive
	takenIn map[aggregator.TopicID]aggregator.Hash
	// filed is closed when the stored items are filed under the topics of the config; nil where nobody has to wait.
	filed chan struct{}
}

// openStation opens the store of cfg. The caller closes the station's store.
func (p *program) openStation(ctx context.Context, cfg *config.Config, log *slog.Logger) (*station, error) {
	queries := topic.NewLibrary(cfg.Queries)
	matcher, err := queries.NewMatcher(cfg.Topics)
	if err != nil {
		return nil, err
	}
	store, err := storage.Open(ctx, cfg.Store, storage.Options{Now: p.now})
	if err != nil {
		return nil, err
	}
	s := &station{config: cfg, store: store, queries: queries, topics: matcher, log: log, now: p.now}
	if s.push, err = s.newPush(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s.grouper = stories.New(stories.Options{Store: store, Now: s.now, Exact: cfg.Stories.Exact})
	s.poller = s.newPoller()
	s.push.receiver = s.poller
	return s, nil
}

func (s *station) newPoller() *poll.Poller {
	f := s.config.Fetch
	workers := f.Workers
	if workers == 0 {
		workers = workersPerCPU * runtime.GOMAXPROCS(0)
	}
	client := fetch.New(fetchOptions(s.config, s.now))
	var push func(aggregator.FeedID, poll.Push) time.Duration
	if s.push.subscriber != nil {
		push = s.push.polled
	}
	var grouper poll.Grouper
	if s.config.Stories.Near {
		grouper = s.grouper
	}
	return poll.New(poll.Options{
		Stories:   grouper,
		Push:      push,
		Store:     watchedStore{s.store, s.committed},
		Queue:     s.store,
		Directory: s.store,
		Archive:   s.store,
		Fetcher:   client,
		Addresses: addressLimits(f),
		Address:   client.Address,
		Topics:    s.topics,
		Workers:   workers,
		Timeout:   f.Timeout,
		Grace:     pollGrace,
		Hosts:     hostLimits(f),
		Bounds: schedule.Bounds{
			Floor: f.MinInterval, FloorUnvalidated: f.MinIntervalUnvalidated, Ceiling: f.HintCeiling,
		},
		Headers: func(feed aggregator.FeedID) map[string]string { return s.config.Headers[feed] },
		Now:     s.now,
		Jitter:  rand.Float64,
		Log:     s.log,
	})
}

func fetchOptions(cfg *config.Config, now func() time.Time) fetch.Options {
	f := cfg.Fetch
	minRate := f.MinRate
	if minRate == 0 {
		minRate = -1 // where 0 is the default
	}
	maxDownload := f.MaxDownload
	if maxDownload == f.MaxBody {
		maxDownload = 0 // errors then name the key that the operator knows
	}
	return fetch.Options{
		UserAgent:      userAgent(cfg.Contact),
		Timeout:        f.Timeout,
		ConnectTimeout: f.ConnectTimeout,
		HeaderTimeout:  f.HeaderTimeout,
		MinRate:        minRate,
		MaxBody:        f.MaxBody,
		MaxDownload:    maxDownload,
		MaxHeader:      f.MaxHeader,
		MaxRedirects:   f.Redirects,
		AllowPrivate:   f.AllowPrivate,
		Now:            now,
	}
}

// addressLimits are the limits of addresses that several hosts are at: the delay between fetches is their own.
func addressLimits(f config.Fetch) hosts.Limits {
	limits := hosts.Limits{Each: hosts.Limit{Connections: f.AddressConnections}, Hosts: make(map[string]hosts.Limit)}
	for name, limit := range f.Hosts {
		if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
			limits.Hosts[fetch.Network(addr)] = hosts.Limit{Connections: limit.Connections}
		}
	}
	return limits
}

func hostLimits(f config.Fetch) hosts.Limits {
	limits := hosts.Limits{
		Each:  hosts.Limit{Connections: f.HostConnections, Delay: f.HostDelay},
		Hosts: make(map[string]hosts.Limit, len(f.Hosts)),
	}
	for name, limit := range f.Hosts {
		limits.Hosts[name] = hosts.Limit(limit)
	}
	return limits
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
	if err := s.follow(ctx); err != nil {
		return err
	}
	return s.refile(ctx)
}

// follow makes the store's feeds those of the config.
func (s *station) follow(ctx context.Context) error {
	if err := s.openArchive(ctx); err != nil {
		return err
	}
	now := s.now().UTC()
	err := s.store.SyncFeeds(ctx, s.config.Feeds, func(f aggregator.Feed, state aggregator.FeedState) time.Time {
		return firstDue(f, state, now)
	})
	if err != nil {
		return fmt.Errorf("take over the feeds of the config: %w", err)
	}
	return nil
}

// adoptAuthority takes over what the store's published ids are built on.
func (s *station) adoptAuthority(ctx context.Context) (err error) {
	s.authority, err = s.store.Authority(ctx, authorityFor(s.config.BaseURL, s.now(), rand.Uint64()))
	return err
}

// firstDue is when a feed that is new to the store, or whose URL or schedule changed, is polled next: a feed that was
// never polled at that URL at once, any other when its schedule says so, since a restart is no reason to ask a publisher
// again. What the publisher asked for is kept to in any case.
func firstDue(f aggregator.Feed, state aggregator.FeedState, now time.Time) time.Time {
	switch {
	case state.Pace.Stopped != "":
		return aggregator.Never
	case state.LastPoll.At.IsZero():
		return now
	}
	spec, err := schedule.Parse(f.Schedule)
	if err != nil {
		return now
	}
	next := spec.Next(f.ID, state.LastPoll.At)
	if next.Before(state.Pace.NotBefore) {
		return state.Pace.NotBefore
	}
	return next
}

// dnsName is a name that published ids may be built on (RFC 4151 section 2.1).
var dnsName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// authorityFor is what published ids are built on (RFC 4151 section 2.1): the name of the host that publishes and a day
// on which it was the operator's. A base URL without a public name says nothing of the operator, and two of them must not
// publish the same ids: then it is a random name in a domain that nobody has (RFC 2606 section 2). The store keeps the
// first one for ever.
func authorityFor(baseURL string, now time.Time, random uint64) string {
	name := fmt.Sprintf("w%016x.invalid", random)
	if u, err := url.Parse(baseURL); err == nil {
		host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
		if len(host) <= 253 && dnsName.MatchString(host) && !strings.HasSuffix(host, ".localhost") {
			name = host
		}
	}
	return name + "," + now.UTC().Format(time.DateOnly)
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
		if err := p.compareConfigs(ctx, remote, cfg); err != nil {
			return nil, nil, nil, err
		}
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
	return s, cfg, s.close, nil
}

// compareConfigs warns where the daemon that is about to answer has another config than the command was given.
func (p *program) compareConfigs(ctx context.Context, remote *remoteDesk, cfg *config.Config) error {
	about, err := remote.about(ctx)
	if err != nil {
		return err
	}
	if about.Config != configHash(cfg).String() {
		fmt.Fprintf(p.stderr, "warning: the process that holds the store (%d) runs on another config than this command; its feeds and topics count until it is restarted\n", about.PID)
	}
	return nil
}

// configHash tells configs apart by all that they say. It takes the feeds one by one, since there may be a million of them.
func configHash(cfg *config.Config) aggregator.Hash {
	rest := *cfg
	rest.Feeds = nil
	hash := hashOfJSON(aggregator.Hash{}, rest)
	for i := range cfg.Feeds {
		hash = hashOfJSON(hash, &cfg.Feeds[i])
	}
	return hash
}

// hashOfJSON is a hash of what came before and of a value.
func hashOfJSON(before aggregator.Hash, value any) aggregator.Hash {
	text, err := json.Marshal(value)
	if err != nil {
		// Plain structs of plain values can be written.
		panic(err)
	}
	return aggregator.HashOf(before[:], text)
}

func (s *station) close() {
	if err := s.store.Close(); err != nil {
		s.log.Error("close the store", "error", err)
	}
}
