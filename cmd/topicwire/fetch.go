package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/poll"
)

func (p *program) fetchCommand() *cobra.Command {
	var all, quiet, asJSON bool
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Poll the feeds that are due once, then exit: for cron",
		Long: `Poll every feed that is due once, store what is new, and exit. Where a daemon holds the store ('run' or
'serve'), it is asked to poll.

A feed that fails is printed and keeps what it had; the exit code is 1 only when the pass itself could
not be made or finished.`,
		Example: `  topicwire fetch -c config.yaml          # what is due by its schedule
  topicwire fetch -c config.yaml --all    # every feed, now
  */10 * * * * topicwire fetch -q -c /etc/topicwire/config.yaml   # in a crontab`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.logLevel == "info" && !cmd.Flags().Changed("log-level") {
				p.logLevel = "error" // what the polls have to say is printed below
			}
			d, cfg, done, err := p.desk(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer done()
			if s, ok := d.(*station); ok {
				ctx, end := p.showProgress(cmd.Context(), quiet || asJSON)
				err := s.apply(ctx)
				end()
				if err != nil {
					return err
				}
				hangUp, err := s.answerMeanwhile(cmd.Context(), cfg)
				if err != nil {
					return err
				}
				defer hangUp()
			}
			out := fetchPrinter{program: p, quiet: quiet, asJSON: asJSON}
			ctx, end := p.showProgress(cmd.Context(), quiet || asJSON)
			summary, err := d.Fetch(ctx, all, out.poll)
			end()
			out.summary(summary)
			if s, ok := d.(*station); ok {
				s.archiveOnce(cmd.Context())
				s.push.once(cmd.Context())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "poll every feed, whether it is due or not")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print only the feeds that failed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each poll and one for the summary")
	return cmd
}

// answerMeanwhile serves the control socket for as long as a command of its own has the store, so that others work
// meanwhile, an overlapping fetch among them. hangUp waits for those that are being answered.
func (s *station) answerMeanwhile(ctx context.Context, cfg *config.Config) (hangUp func(), err error) {
	file, err := storeFile(cfg)
	if err != nil {
		return nil, err
	}
	listener, err := listenControl(socketPath(file))
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	close(ready)
	server := &http.Server{
		Handler:     controlHandler(s, ready, s.log),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // ends at Shutdown
	return func() {
		os.Remove(socketPath(file))
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		serving.Wait()
	}, nil
}

// fetchPrinter prints a pass as it goes.
type fetchPrinter struct {
	*program
	quiet, asJSON bool
}

func (o fetchPrinter) poll(r pollReport) {
	switch {
	case o.asJSON:
		_ = json.NewEncoder(o.stdout).Encode(r)
	case r.Outcome == aggregator.OutcomeFailed:
		fmt.Fprintf(o.stderr, "%s: failed: %s\n", r.Feed, r.Error)
	case o.quiet:
	case r.New > 0 || r.Changed > 0:
		fmt.Fprintf(o.stdout, "%s: %d new, %d changed of %d items\n", r.Feed, r.New, r.Changed, r.Listed)
	default:
		fmt.Fprintf(o.stdout, "%s: nothing new (%s)\n", r.Feed, r.Outcome)
	}
}

func (o fetchPrinter) summary(s poll.Summary) {
	switch {
	case o.asJSON:
		_ = json.NewEncoder(o.stdout).Encode(struct {
			Summary poll.Summary `json:"summary"`
		}{s})
	case !o.quiet:
		fmt.Fprintf(o.stdout, "%d feeds polled: %d new items, %d changed; %d not modified, %d unchanged, %d failed\n",
			s.Feeds, s.New, s.Changed, s.NotModified, s.Unchanged, s.Failed)
		if s.Postponed > 0 {
			fmt.Fprintf(o.stdout, "%d feeds put off: their hosts asked to be left alone\n", s.Postponed)
		}
	}
}
