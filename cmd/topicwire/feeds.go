package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
)

func (p *program) feedsCommand() *cobra.Command {
	return group("feeds", "The feeds that are polled and how they are doing", p.feedsListCommand(), p.feedsShowCommand(),
		p.feedsResumeCommand(), p.feedsDiscoverCommand(), p.feedsAddCommand(), p.feedsRemoveCommand(), p.feedsImportCommand(),
		p.feedsExportCommand())
}

func (p *program) feedsListCommand() *cobra.Command {
	var asJSON, failed bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the feeds with their last poll, next poll and what is wrong with them",
		Example: `  topicwire feeds list
  topicwire feeds list --failed          # only those whose last poll failed
  topicwire feeds list --json | jq '.[] | select(.failures > 3) | .url'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, _, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			reports, err := d.Feeds(cmd.Context())
			if err != nil {
				return err
			}
			if failed {
				reports = slices.DeleteFunc(reports, func(r feedReport) bool {
					return r.State != "stopped" && (r.LastPoll == nil || r.LastPoll.Outcome != aggregator.OutcomeFailed)
				})
			}
			if asJSON {
				return printJSON(p.stdout, reports)
			}
			return printFeeds(p.stdout, reports)
		},
	}
	cmd.Flags().BoolVar(&failed, "failed", false, "list only the feeds whose last poll failed, and those that are stopped")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func (p *program) feedsShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show FEED",
		Short:   "Show all that is known of a feed: its last poll, what was mended in its document, what is wrong",
		Example: "  topicwire feeds show aws-news",
		Args:    arguments(1, oneFeed),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, _, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			reports, err := d.Feeds(cmd.Context())
			if err != nil {
				return err
			}
			i := slices.IndexFunc(reports, func(r feedReport) bool { return string(r.ID) == args[0] })
			switch {
			case i < 0:
				return usageError{fmt.Errorf("no feed %q; 'topicwire feeds list' lists them", args[0])}
			case asJSON:
				return printJSON(p.stdout, reports[i])
			}
			return printFeed(p.stdout, reports[i])
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func (p *program) feedsResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume FEED",
		Short: "Poll a feed again that was stopped because its publisher answered 410 (Gone) twice",
		Long: `Poll a feed again that was stopped because its publisher answered 410 (Gone) twice, a day apart. It is due
at once, and stopped again only after two more such answers. What it had is kept.`,
		Example: "  topicwire feeds resume aws-news",
		Args:    arguments(1, oneFeed),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, _, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			report, err := d.Resume(cmd.Context(), aggregator.FeedID(args[0]))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%s: polled again, next at %s\n", report.ID, minute(report.Due))
			return err
		},
	}
}

func printFeed(w io.Writer, r feedReport) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name string, value any) { fmt.Fprintf(table, "%s\t%v\n", name, value) }
	line("feed", r.ID)
	line("title", oneLine(r.Title))
	line("url", r.URL)
	if r.MovedTo != "" {
		line("moved to", r.MovedTo+" (polled there; the config has the url above)")
	}
	if r.MoveRefused != "" {
		line("not moved", r.MoveRefused)
	}
	line("schedule", r.Schedule)
	if len(r.Tags) > 0 {
		line("tags", strings.Join(r.Tags, ", "))
	}
	line("state", r.State)
	if r.Stopped != "" {
		line("stopped", r.Stopped+"; 'topicwire feeds resume "+string(r.ID)+"' polls it again")
	}
	line("items", r.Items)
	if r.Restless != nil {
		line("restless", *r.Restless)
	}
	line("next poll", minute(r.Due))
	if r.NotBefore != nil {
		line("not before", minute(r.NotBefore)+", as the publisher asks")
	}
	line("last new item", minute(r.LastNew))
	line("last good poll", minute(r.LastSuccess))
	if r.Push != nil {
		line("push", r.Push.describe())
		if r.Push.Until != nil {
			line("subscribed until", minute(r.Push.Until)+", and renewed before")
		}
		if r.Push.Trusted != nil {
			line("polled less", "since its hub has told all that is new since "+minute(r.Push.Trusted))
		}
	}
	if r.Failures > 0 {
		line("failed in a row", r.Failures)
	}
	if last := r.LastPoll; last != nil {
		line("last poll", fmt.Sprintf("%s, %s after %.1f s, status %d, %d bytes", minute(&last.At), last.Outcome, last.Seconds, last.Status, last.Bytes))
		line("listed", fmt.Sprintf("%d items, %d new, %d changed, %d older than max_age", last.Listed, last.New, last.Changed, last.TooOld))
		if last.Error != "" {
			line("error", last.Error)
		}
		for _, repair := range last.Repairs {
			line("repair", repair)
		}
	}
	return table.Flush()
}

func sortFeedReports(reports []feedReport) {
	slices.SortFunc(reports, func(a, b feedReport) int { return cmp.Compare(a.ID, b.ID) })
}

func printFeeds(w io.Writer, reports []feedReport) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FEED\tSTATE\tITEMS\tLAST POLL\tNEXT POLL\tLAST NEW\tNOTES")
	counts := make(map[string]int)
	for _, r := range reports {
		counts[r.State]++
		var polled *time.Time
		if r.LastPoll != nil {
			polled = &r.LastPoll.At
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", r.ID, r.State, r.Items, minute(polled), minute(r.Due), minute(r.LastNew), notes(r))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var summary []string
	for _, state := range []string{"ok", "failed", "throttled", "stopped", "not polled yet", "removed"} {
		if n := counts[state]; n > 0 {
			summary = append(summary, fmt.Sprintf("%d %s", n, state))
		}
	}
	_, err := fmt.Fprintf(w, "\n%d feeds: %s (times are UTC)\n", len(reports), strings.Join(summary, ", "))
	return err
}

// notes is what there is to say of the last poll, on one line.
func notes(r feedReport) string {
	if r.LastPoll == nil {
		return ""
	}
	var parts []string
	if r.Stopped != "" {
		parts = append(parts, r.Stopped)
	} else if r.LastPoll.Error != "" {
		note := r.LastPoll.Error
		if r.Failures > 1 {
			note = fmt.Sprintf("%d times: %s", r.Failures, note)
		}
		parts = append(parts, note)
	}
	if r.MovedTo != "" {
		parts = append(parts, "moved to "+r.MovedTo)
	}
	if r.MoveRefused != "" {
		parts = append(parts, r.MoveRefused)
	}
	if r.Restless != nil {
		parts = append(parts, "restless: "+*r.Restless)
	}
	parts = append(parts, r.LastPoll.Repairs...)
	if n := r.LastPoll.TooOld; n > 0 {
		parts = append(parts, fmt.Sprintf("%d items older than max_age left out", n))
	}
	return strings.Join(strings.Fields(strings.Join(parts, "; ")), " ")
}

func minute(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
