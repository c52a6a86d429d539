package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// manyFeeds is how many feeds make it worth to give memory back to the machine at once.
const manyFeeds = 10_000

func (p *program) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "The daemon: polls on schedule and serves",
		Long: `Poll every feed on its schedule and serve the merged feeds and pages, until SIGTERM or Ctrl-C. Polls under
way are then finished or given back, within ten seconds.

Other commands work meanwhile: they reach the daemon by a socket beside the store.`,
		Example: `  topicwire run                               # the built-in example, or config.yaml where there is one
  topicwire run -c /etc/topicwire/config.yaml --log-format json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.daemon(cmd.Context(), true) },
	}
}

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve only: what the store has, without polling",
		Long: `Serve the merged feeds and pages of the store without polling on schedule, until SIGTERM or Ctrl-C. With
'topicwire fetch' from cron this is the whole of topicwire: fetch asks the serving process to poll,
because a bolt store is open in one process only.`,
		Example: "  topicwire serve -c /etc/topicwire/config.yaml",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.daemon(cmd.Context(), false) },
	}
}

// daemon serves until ctx ends, and polls meanwhile where it should.
func (p *program) daemon(ctx context.Context, polls bool) error {
	cfg, _, err := p.loadConfig()
	if err != nil {
		return err
	}
	log, err := p.logger()
	if err != nil {
		return err
	}
	file, err := storeFile(cfg)
	if err != nil {
		return err
	}
	s, err := p.openStation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, stop := context.WithCancelCause(ctx)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop(nil)
	// Commands find the daemon before it is ready, since taking over many feeds takes a while.
	ready := make(chan struct{})
	controlListener, err := listenControl(socketPath(file))
	if err != nil {
		return err
	}
	defer os.Remove(socketPath(file))
	control := &http.Server{
		Handler: controlHandler(s, ready, log),
		// A pass or an export that a command asked for ends with the program, not when it likes.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	parts.Go(func() { stop(serveHTTP(ctx, controlListener, control)) })
	if err := s.follow(ctx); err != nil {
		return err
	}
	public, err := s.publisher(ctx)
	if err != nil {
		return err
	}
	public = s.push.handler(public)
	jobs, err := s.maintenance(file)
	if err != nil {
		return err
	}
	publicListener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen (config key listen): %w", err)
	}
	s.filed = make(chan struct{})
	close(ready)
	if len(cfg.Feeds) > manyFeeds {
		debug.FreeOSMemory() // what reading the config took, several times what is left of it
	}
	log.Info("serving", "address", "http://"+publicListener.Addr().String()+"/", "base_url", cfg.BaseURL, "store", file,
		"feeds", len(cfg.Feeds), "topics", len(cfg.Topics), "polling", polls)
	parts.Go(func() { stop(serveHTTP(ctx, publicListener, publicServer(public))) })
	parts.Go(func() { jobs.Run(ctx) })
	parts.Go(func() { s.keepRefiling(ctx) })
	parts.Go(func() { s.keepArchive(ctx) })
	parts.Go(func() { stop(s.push.run(ctx)) })
	if polls {
		parts.Go(func() { s.loadStories(ctx) })
		parts.Go(func() {
			s.push.ready(ctx)
			s.poller.Run(ctx)
		})
	}
	<-ctx.Done()
	parts.Wait()
	log.Info("stopped")
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (s *station) publisher(ctx context.Context) (http.Handler, error) {
	removed, err := s.removedTopics(ctx)
	if err != nil {
		return nil, err
	}
	o := s.publishOptions()
	o.Removed = removed
	return publish.New(s.store, o)
}

func (s *station) publishOptions() publish.Options {
	o := publish.Options{
		BaseURL:    s.config.BaseURL,
		Authority:  s.authority,
		Topics:     s.config.Topics,
		Stories:    s.config.Publish.Stories,
		Window:     s.config.Publish.Window,
		MinAge:     s.config.Publish.MinAge,
		MaxAge:     s.config.Publish.MaxAge,
		Represent:  represent(s.config.Publish),
		Hubs:       s.push.hubs(),
		FeedNotes:  s.pushNotes,
		CacheBytes: s.config.Publish.CacheBytes,
		Version:    version,
		Now:        s.now,
		Generator:  "topicwire",
		Log:        s.log,
		ParseQuery: s.parseQuery,
	}
	if s.config.Publish.Archive {
		o.Archive = s.archive
	}
	return o
}

func (s *station) parseQuery(text string) (publish.Search, error) {
	if _, err := s.queries.Parse(text); err != nil {
		return nil, err
	}
	return func() (func(*aggregator.Item) bool, error) {
		// A search asks thousands of items: a matcher reads each once, whatever the query.
		matcher, err := s.queries.NewMatcher([]aggregator.Topic{{ID: "search", Query: text}})
		if err != nil {
			return nil, err
		}
		return func(it *aggregator.Item) bool { return len(matcher.Match(it)) > 0 }, nil
	}, nil
}

// publicServer bounds what a client can make the server wait for.
func publicServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// serveHTTP serves until ctx ends and then lets requests under way finish for a while.
func serveHTTP(ctx context.Context, listener net.Listener, server *http.Server) error {
	stopped := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveGrace)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	err := server.Serve(listener)
	if unhook() {
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	<-stopped
	return context.Canceled
}
