package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/topic"
)

func (p *program) topicsCommand() *cobra.Command {
	return group("topics", "The topics and what their queries match", p.topicsListCommand(), p.topicsTestCommand(), p.topicsPacksCommand())
}

// topicReport is a line of 'topics list'.
type topicReport struct {
	ID          aggregator.TopicID  `json:"id"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Query       string              `json:"query"`
	Feeds       []aggregator.FeedID `json:"feeds"`
	URL         string              `json:"url"`
	// Refiling is how far stored items are filed by this config's topics, null where all of them are. Until it is done
	// the topic has what earlier queries filed there, too.
	Refiling *refilingReport `json:"refiling"`
}

// refilingReport is a refiling that is not done.
type refilingReport struct {
	Position uint64 `json:"position"`
	End      uint64 `json:"end"`
}

func (p *program) topicsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the topics with their queries and where they are published",
		Example: "  topicwire topics list --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := p.loadConfig()
			if err != nil {
				return err
			}
			refiling := p.refiling(cmd.Context(), cfg)
			reports := make([]topicReport, 0, len(cfg.Topics))
			for _, t := range cfg.Topics {
				reports = append(reports, topicReport{
					ID: t.ID, Title: t.Title, Description: t.Description, Query: topic.OneLine(t.Query),
					Feeds: append([]aggregator.FeedID{}, t.Feeds...), URL: cfg.BaseURL + "/topics/" + string(t.ID), Refiling: refiling,
				})
			}
			if refiling != nil {
				fmt.Fprintf(p.stderr, "the topics changed, and stored items are filed anew: %s done; until then topics have what earlier queries filed there\n",
					refiledPart(aggregator.Refiling{Position: refiling.Position, End: refiling.End}))
			}
			if asJSON {
				return printJSON(p.stdout, reports)
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "TOPIC\tTITLE\tURL\tQUERY")
			for _, r := range reports {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.ID, r.Title, r.URL, r.Query)
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// refiling is how far the daemon has come with filing stored items under changed topics; nil where it is done, or where no
// daemon holds the store.
func (p *program) refiling(ctx context.Context, cfg *config.Config) *refilingReport {
	file, err := storeFile(cfg)
	if err != nil {
		return nil
	}
	remote, ok := dialDesk(ctx, socketPath(file))
	if !ok {
		return nil
	}
	defer remote.close()
	state, err := remote.Refiling(ctx)
	if err != nil {
		fmt.Fprintf(p.stderr, "whether stored items are filed anew is not known: %v\n", err)
		return nil
	}
	if !state.Running() {
		return nil
	}
	return &refilingReport{Position: state.Position, End: state.End}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (p *program) topicsTestCommand() *cobra.Command {
	var (
		asJSON bool
		named  string
		limit  int
	)
	cmd := &cobra.Command{
		Use:   "test QUERY",
		Short: "Show what a query matches among the stored items",
		Long: `Show how many of the stored items a query matches, and the latest of them with the words that matched.
Items that a feed forces into a topic are not counted. The query language is described in docs/query-language.md.`,
		Example: `  topicwire topics test '"data protection" OR gdpr*'
  topicwire topics test 'title:(cloud AND pakistan) -lang:de' --limit 50
  topicwire topics test --topic cloud --json     # the query of a topic in the config`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case named == "" && len(args) == 0:
				return usageError{fmt.Errorf("give a query or --topic; see '%s --help'", cmd.CommandPath())}
			case named == "" && len(args) > 1:
				return usageError{fmt.Errorf("want one query, got %d arguments: put the query in quotes", len(args))}
			case named != "" && len(args) > 0:
				return usageError{fmt.Errorf("give a query or --topic, not both")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usageError{fmt.Errorf("--limit %d: want 0 or more", limit)}
			}
			req := testRequest{Limit: limit}
			if named == "" {
				req.Query = args[0]
			}
			d, cfg, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			if named != "" {
				t, err := findTopic(cfg, named)
				if err != nil {
					return err
				}
				req.Query, req.Feeds = t.Query, t.Feeds
			}
			report, err := d.Test(cmd.Context(), req)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(p.stdout, report)
			}
			return printTest(p.stdout, report)
		},
	}
	cmd.Flags().StringVar(&named, "topic", "", "test the query of this topic of the config")
	cmd.Flags().IntVar(&limit, "limit", 20, "show at most so many items")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	p.completeTopics(cmd)
	return cmd
}

// findTopic is the config's topic with the given id.
func findTopic(cfg *config.Config, id string) (aggregator.Topic, error) {
	ids := make([]string, 0, len(cfg.Topics))
	for _, t := range cfg.Topics {
		if string(t.ID) == id {
			return t, nil
		}
		ids = append(ids, string(t.ID))
	}
	return aggregator.Topic{}, usageError{fmt.Errorf("no topic %q in the config; it has %s", id, strings.Join(ids, ", "))}
}

// completeTopics makes a shell complete the command's --topic by the topics of the config.
func (p *program) completeTopics(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("topic", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cfg, _, err := p.loadConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var ids []cobra.Completion
		for _, t := range cfg.Topics {
			ids = append(ids, cobra.CompletionWithDesc(string(t.ID), t.Title))
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	})
}

func printTest(w io.Writer, r testReport) error {
	fmt.Fprintf(w, "%s\nmatches %d of %d items\n", r.Query, r.Matched, r.Items)
	if len(r.Latest) > 0 {
		fmt.Fprintln(w)
	}
	for _, m := range r.Latest {
		fmt.Fprintf(w, "%s  %s  %s\n", m.Published.UTC().Format("2006-01-02"), m.Feed, oneLine(m.Title))
		fmt.Fprintf(w, "            %s\n            %s\n", strings.Join(m.Terms, ", "), m.URL)
	}
	if more := r.Matched - len(r.Latest); more > 0 {
		fmt.Fprintf(w, "\n%d more; --limit shows more of them\n", more)
	}
	return nil
}

// latestMatches keeps the latest of the items that it is given, up to a limit.
type latestMatches struct {
	limit int
	items []aggregator.Item
}

func (l *latestMatches) add(it aggregator.Item) {
	l.items = append(l.items, it)
	if len(l.items) >= 2*l.limit+64 {
		l.items = l.sorted()
	}
}

// sorted are the latest, newest first.
func (l *latestMatches) sorted() []aggregator.Item {
	slices.SortFunc(l.items, func(a, b aggregator.Item) int {
		if c := b.Published.Compare(a.Published); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return l.items[:min(len(l.items), l.limit)]
}
