package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/export"
	"github.com/topicwire/topicwire/aggregator/story"
)

// change is what a command did to the feeds of the config file, as --json prints it.
type change struct {
	File string `json:"file"`
	// Written is false where nothing had to be written, and for a dry run.
	Written bool          `json:"written"`
	Added   []changedFeed `json:"added"`
	Removed []changedFeed `json:"removed"`
	// Known are those that the config has already.
	Known   []changedFeed `json:"known"`
	Skipped []skippedLine `json:"skipped"`
	// Effect says when the change counts.
	Effect string `json:"effect"`
}

type changedFeed struct {
	ID aggregator.FeedID `json:"id"`
	// URL is fit to be shown.
	URL   string `json:"url"`
	Title string `json:"title"`
	// Line is where in the file that was read it stands, 0 where there was none.
	Line int `json:"line"`
}

type skippedLine struct {
	Line int    `json:"line"`
	Why  string `json:"why"`
}

// candidate is a feed that is to be added, from a line of a file where Line is not 0.
type candidate struct {
	aggregator.Feed
	Line int
}

// changeFlags are those of all commands that change the config.
type changeFlags struct{ dryRun, asJSON bool }

func (f *changeFlags) on(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print what would change in the config file and leave it as it is")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print a JSON object that says what was done")
}

func (p *program) feedsAddCommand() *cobra.Command {
	var flags changeFlags
	var feed candidate
	var id string
	var topics []string
	cmd := &cobra.Command{
		Use:   "add URL|FILE",
		Short: "Add a feed, or the feeds of a file with a URL on each line, to the config",
		Long: `Add a feed to the config file, which keeps its comments and its order. With a file (or - for standard input),
every line of it that is not empty and does not begin with # is a feed's URL. A feed that the config has
already is named and not added twice.

The publisher is not asked: the first poll is the one request that a new feed costs, and says what is wrong
with it. 'topicwire feeds discover URL' looks beforehand.`,
		Example: `  topicwire feeds add https://example.org/feed.xml --tag news --schedule "@every 2h"
  topicwire feeds add urls.txt --dry-run`,
		Args: arguments(1, "want the URL of one feed, or a file of URLs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			feed.ID = aggregator.FeedID(id)
			for _, t := range topics {
				feed.Topics = append(feed.Topics, aggregator.TopicID(t))
			}
			if strings.Contains(args[0], "://") {
				feed.URL = args[0]
				return p.addFeeds(cmd.Context(), []candidate{feed}, nil, flags)
			}
			if feed.ID != "" || feed.Title != "" {
				return usageError{errors.New("--id and --title are for one feed, not for a file of them")}
			}
			feeds, err := feedsOfFile(cmd.InOrStdin(), args[0], feed)
			if err != nil {
				return err
			}
			return p.addFeeds(cmd.Context(), feeds, nil, flags)
		},
	}
	flags.on(cmd)
	cmd.Flags().StringVar(&id, "id", "", "the feed's name in links and exports; the default is made from the URL")
	cmd.Flags().StringVar(&feed.Title, "title", "", "shown in place of the publisher's title")
	cmd.Flags().StringVar(&feed.Schedule, "schedule", "", "when it is polled; the default is that of the config")
	cmd.Flags().StringArrayVar(&feed.Tags, "tag", nil, "a label of your own; may be given several times")
	cmd.Flags().StringArrayVar(&topics, "topic", nil, "a topic that all its items are filed under; may be given several times")
	cmd.Flags().BoolVar(&feed.Private, "private", false, "the URL is a secret, never to be published")
	cmd.Flags().BoolVar(&feed.AllowPrivate, "allow-private", false, "the feed may be at a private address")
	return cmd
}

func (p *program) feedsRemoveCommand() *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:   "remove FEED",
		Short: "Take a feed out of the config",
		Long: `Take a feed out of the config file, which keeps its other comments and its order. What the feed brought stays
stored and published; only its polls end.`,
		Example: "  topicwire feeds remove aws-news",
		Args:    arguments(1, oneFeed),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := aggregator.FeedID(args[0])
			cfg, _, err := p.loadConfig()
			if err != nil {
				return err
			}
			i := slices.IndexFunc(cfg.Feeds, func(f aggregator.Feed) bool { return f.ID == id })
			if i < 0 {
				return usageError{fmt.Errorf("no feed %q in the config; 'topicwire feeds list' lists them", id)}
			}
			c := newChange()
			c.Removed = append(c.Removed, newChangedFeed(cfg.Feeds[i], 0))
			return p.changeConfig(cmd.Context(), cfg, c, flags, func(file string, data []byte, o config.Options) ([]byte, error) {
				return config.RemoveFeed(file, data, id, o)
			})
		},
	}
	flags.on(cmd)
	return cmd
}

func newChange() *change {
	return &change{Added: []changedFeed{}, Removed: []changedFeed{}, Known: []changedFeed{}, Skipped: []skippedLine{}}
}

func newChangedFeed(f aggregator.Feed, line int) changedFeed {
	return changedFeed{ID: f.ID, URL: shownURL(f), Title: f.Title, Line: line}
}

// feedsOfFile are the feeds of a file of URLs, each with the settings of like.
func feedsOfFile(stdin io.Reader, name string, like candidate) ([]candidate, error) {
	text, err := readDocument(stdin, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError{fmt.Errorf("%q is neither a URL (write https://%[1]s) nor a file", name)}
	case err != nil:
		return nil, err
	case bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")):
		return nil, usageError{fmt.Errorf("%s is no list of URLs; if it is OPML, 'topicwire feeds import %[1]s' reads it", name)}
	}
	var feeds []candidate
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		feed := like
		feed.URL, feed.Line = line, i+1
		feeds = append(feeds, feed)
	}
	return feeds, nil
}

// addFeeds adds those of the candidates to the config file that it does not have and that can be polled. What was skipped
// before them goes into the report.
func (p *program) addFeeds(ctx context.Context, candidates []candidate, skipped []skippedLine, flags changeFlags) error {
	cfg, _, err := p.loadConfig()
	if err != nil {
		return err
	}
	c := newChange()
	c.Skipped = append(c.Skipped, skipped...)
	ids, urls := make(map[aggregator.FeedID]bool), make(map[string]aggregator.Feed)
	for _, f := range cfg.Feeds {
		ids[f.ID] = true
		urls[feedKey(f.URL)] = f
	}
	var added []aggregator.Feed
	for _, one := range candidates {
		feed, key := one.Feed, feedKey(one.URL)
		if known, ok := urls[key]; ok && key != "" {
			known.URL = feed.URL
			c.Known = append(c.Known, newChangedFeed(known, one.Line))
			continue
		}
		if feed.ID == "" {
			feed.ID = freeID(feed.URL, ids)
		}
		if err := addable(feed); err != nil {
			if len(candidates) == 1 && one.Line == 0 {
				return usageError{err}
			}
			c.Skipped = append(c.Skipped, skippedLine{one.Line, err.Error()})
			continue
		}
		ids[feed.ID], urls[key] = true, feed
		added = append(added, feed)
		c.Added = append(c.Added, newChangedFeed(feed, one.Line))
	}
	slices.SortStableFunc(c.Skipped, func(a, b skippedLine) int { return a.Line - b.Line })
	if len(added) == 0 {
		return p.printChange(c, flags)
	}
	return p.changeConfig(ctx, cfg, c, flags, func(file string, data []byte, o config.Options) ([]byte, error) {
		return config.AddFeeds(file, data, added, o)
	})
}

// feedKey is equal for URLs of one feed: their canonical form, with the user information, since that may make another
// feed of it.
func feedKey(raw string) string {
	key := story.Key(story.Canonical(raw))
	if u, err := url.Parse(raw); err == nil && u.User != nil && key != "" {
		key = u.User.String() + "@" + key
	}
	return key
}

// freeID is the id that the config would give to a feed, with a number where it is taken.
func freeID(raw string, taken map[aggregator.FeedID]bool) aggregator.FeedID {
	u, err := url.Parse(raw)
	if err != nil {
		return "feed"
	}
	id := config.FeedIDFromURL(u)
	for n := 2; taken[id]; n++ {
		base := config.FeedIDFromURL(u)
		suffix := fmt.Sprintf("-%d", n)
		id = base[:min(len(base), 64-len(suffix))] + aggregator.FeedID(suffix)
	}
	return id
}

// addable says what is wrong with a feed by itself, in the words of the config's own check.
func addable(f aggregator.Feed) error {
	f.Topics, f.Schedule = nil, "" // the config itself says whether these are right
	_, err := config.AddFeeds("", nil, []aggregator.Feed{f}, config.Options{})
	var problems config.Problems
	if errors.As(err, &problems) {
		return fmt.Errorf("%s; %s", problems[0].Text, problems[0].Mend)
	}
	return err
}

// changeConfig puts an edited text in the place of the config file, whole or not at all, and prints what was done.
func (p *program) changeConfig(
	ctx context.Context, cfg *config.Config, c *change, flags changeFlags, edit func(string, []byte, config.Options) ([]byte, error),
) error {
	c.File = p.configFile
	if c.File == "" {
		c.File = defaultConfig
	}
	info, err := os.Stat(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{fmt.Errorf("no %s to change here; write one first, from config.example.yaml", c.File)}
	} else if err != nil {
		return fmt.Errorf("change config: %w", err)
	}
	data, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("change config: %w", err)
	}
	options, err := configOptions()
	if err != nil {
		return err
	}
	text, err := edit(c.File, data, options)
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		return usageError{fmt.Errorf("%s is left as it is, since with the change it would be wrong (lines are those it would have):\n%w", c.File, problems)}
	case err != nil:
		return usageError{fmt.Errorf("change %s: %w", c.File, err)}
	}
	if flags.dryRun {
		c.Effect = "nothing was written (--dry-run)"
		if !flags.asJSON {
			return printEdit(p.stdout, c.File, string(data), string(text))
		}
		return p.printChange(c, flags)
	}
	if now, err := os.ReadFile(c.File); err != nil || !bytes.Equal(now, data) {
		return fmt.Errorf("%s was changed by somebody else meanwhile; call this again", c.File)
	}
	err = export.ToFile(ctx, c.File, info.Mode().Perm(), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("change config: %w", err)
	}
	c.Written, c.Effect = true, p.effect(ctx, cfg)
	return p.printChange(c, flags)
}

// effect says when a change of the config counts.
func (p *program) effect(ctx context.Context, cfg *config.Config) string {
	if file, err := storeFile(cfg); err == nil {
		if remote, ok := dialDesk(ctx, socketPath(file)); ok {
			defer remote.close()
			if about, err := remote.about(ctx); err == nil {
				return fmt.Sprintf("process %d, which holds the store, takes it over when it is restarted", about.PID)
			}
		}
	}
	return "it counts from the next 'topicwire run' or 'topicwire fetch' on"
}

func (p *program) printChange(c *change, flags changeFlags) error {
	if flags.asJSON {
		return printJSON(p.stdout, c)
	}
	for _, part := range []struct {
		feeds []changedFeed
		what  string
	}{{c.Added, "added"}, {c.Removed, "removed"}, {c.Known, "already there"}} {
		for _, f := range part.feeds {
			fmt.Fprintf(p.stdout, "%s%s: %s (%s)\n", lineOf(f.Line), part.what, f.ID, f.URL)
		}
	}
	for _, s := range c.Skipped {
		fmt.Fprintf(p.stdout, "%sskipped: %s\n", lineOf(s.Line), s.Why)
	}
	fmt.Fprintf(p.stdout, "%d added, %d removed, %d already there, %d skipped\n", len(c.Added), len(c.Removed), len(c.Known), len(c.Skipped))
	if c.Effect != "" {
		fmt.Fprintf(p.stdout, "%s: %s\n", c.File, c.Effect)
	}
	return nil
}

func lineOf(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d: ", line)
}

// printEdit shows how two texts differ, as diff -u does where they differ in one place.
func printEdit(w io.Writer, name, before, after string) error {
	const around = 3
	a, b := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(after))
	start, end := 0, 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	from, to := max(0, start-around), min(end, around)
	fmt.Fprintf(w, "--- %s\n+++ %[1]s\n@@ -%d,%d +%d,%d @@\n", name, from+1, len(a)-end+to-from, from+1, len(b)-end+to-from)
	for _, part := range []struct {
		mark  string
		lines []string
	}{{" ", a[from:start]}, {"-", a[start : len(a)-end]}, {"+", b[start : len(b)-end]}, {" ", a[len(a)-end : len(a)-end+to]}} {
		for _, line := range part.lines {
			fmt.Fprintf(w, "%s%s\n", part.mark, strings.TrimRight(line, "\r\n"))
		}
	}
	return nil
}
