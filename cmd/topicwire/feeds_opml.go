package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/export"
	"github.com/topicwire/topicwire/aggregator/opml"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

func (p *program) feedsImportCommand() *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Add the feeds of an OPML file to the config",
		Long: `Add the feeds of an OPML file, as feed readers export it, to the config file, which keeps its comments and its
order. Folders and categories become tags. A feed that the config has already, also under another spelling of
its URL, is named and not added again, so that the same file can be imported twice. What cannot be taken is named
with its line. No publisher is asked.`,
		Example: `  topicwire feeds import subscriptions.opml --dry-run
  topicwire feeds import subscriptions.opml`,
		Args: arguments(1, "want one OPML file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readDocument(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			text, err := scan.Text(body, "")
			if err != nil {
				return fmt.Errorf("import %s: %w", args[0], err)
			}
			list, err := opml.Read(text)
			if err != nil {
				return fmt.Errorf("import %s: %w", args[0], err)
			}
			var feeds []candidate
			for _, f := range list.Feeds {
				feeds = append(feeds, imported(f))
			}
			var skipped []skippedLine
			for _, s := range list.Skipped {
				skipped = append(skipped, skippedLine{s.Line, s.What})
			}
			return p.addFeeds(cmd.Context(), feeds, skipped, flags)
		},
	}
	flags.on(cmd)
	return cmd
}

// imported is a feed of an OPML file as the config has it.
func imported(f opml.Feed) candidate {
	feed := aggregator.Feed{URL: f.URL, Title: f.Title}
	if f.Title == f.URL {
		feed.Title = ""
	}
	// A scheme that only feed readers know.
	if rest, ok := strings.CutPrefix(feed.URL, "feed:"); ok {
		feed.URL = rest
		if strings.HasPrefix(rest, "//") {
			feed.URL = "http:" + rest
		}
	}
	for _, label := range slices.Concat(f.Folders, f.Categories) {
		if tag := tagOf(label); tag != "" && !slices.Contains(feed.Tags, tag) {
			feed.Tags = append(feed.Tags, tag)
		}
	}
	return candidate{Feed: feed, Line: f.Line}
}

// tagOf is a label cut to what a tag may have.
func tagOf(label string) string {
	const longest = 64
	for len(label) > longest || !utf8.ValidString(label) {
		label = label[:min(longest, len(label)-1)]
	}
	return strings.TrimSpace(label)
}

func (p *program) feedsExportCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the feeds as OPML, for another reader to import",
		Long: `Write the feeds of the config as OPML 2.0. The first tag of a feed is its folder, all of them are its categories.
Feeds whose URL is a secret ('private: true', user information, a ${VARIABLE}) are left out, and counted on
standard error.`,
		Example: "  topicwire feeds export -o feeds.opml",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := p.loadConfig()
			if err != nil {
				return err
			}
			reports, err := p.knownFeeds(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			feeds, private := exportedFeeds(cfg.Feeds, reports)
			write := func(w io.Writer) error { return opml.Write(w, "The feeds of "+cfg.BaseURL, p.now(), feeds) }
			if output != "" && output != "-" {
				err = export.ToFile(cmd.Context(), output, 0o644, write)
			} else {
				err = write(p.stdout)
			}
			if err != nil {
				return fmt.Errorf("export feeds: %w", err)
			}
			fmt.Fprintf(p.stderr, "%d feeds written, %d left out whose URL is a secret\n", len(feeds), private)
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "the file to write; standard output by default")
	return cmd
}

// knownFeeds is what the store knows of the feeds: nothing where there is none yet.
func (p *program) knownFeeds(ctx context.Context, cfg *config.Config) (map[aggregator.FeedID]feedReport, error) {
	known := make(map[aggregator.FeedID]feedReport)
	file, err := storeFile(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	d, _, done, err := p.desk(ctx, false)
	if err != nil {
		return nil, err
	}
	defer done()
	reports, err := d.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range reports {
		known[r.ID] = r
	}
	return known, nil
}

// exportedFeeds are the feeds that may be shown to others, and the number of the rest.
func exportedFeeds(feeds []aggregator.Feed, reports map[aggregator.FeedID]feedReport) (public []opml.Feed, private int) {
	for _, f := range feeds {
		if f.Private {
			private++
			continue
		}
		report := reports[f.ID]
		out := opml.Feed{Title: firstNonEmpty(f.Title, report.Title, string(f.ID)), URL: f.URL, Page: report.Link, Categories: f.Tags}
		if len(f.Tags) > 0 {
			out.Folders = f.Tags[:1]
		}
		public = append(public, out)
	}
	return public, private
}
