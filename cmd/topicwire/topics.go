package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/topic"
)

func (p *program) topicsCommand() *cobra.Command {
	return group("topics", "The topics and what their queries match", p.topicsListCommand(), p.topicsTestCommand(), p.topicsExplainCommand(), p.topicsPacksCommand())
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
