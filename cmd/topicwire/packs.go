package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic/pack"
)

// packReport is an entry of what 'topics packs' prints.
type packReport struct {
	ID          aggregator.TopicID `json:"id"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Query       string             `json:"query"`
}

func (p *program) topicsPacksCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "packs [ID...]",
		Short: "List the ready topics, or print the queries of some",
		Long: `List the ready topics that the config can switch on (packs: [cloud-computing]), or print those of the given ids
with their queries. docs/packs.md says what each is about.`,
		Example: `  topicwire topics packs
  topicwire topics packs antitrust               # its query, to copy or to learn from
  topicwire topics packs --json`,
		RunE: func(_ *cobra.Command, ids []string) error {
			packs, err := pack.All()
			if err != nil {
				return err
			}
			reports, err := packReports(packs, ids)
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				return printJSON(p.stdout, reports)
			case len(ids) > 0:
				for _, r := range reports {
					fmt.Fprintf(p.stdout, "# %s: %s. %s\n%s\n", r.ID, r.Title, r.Description, r.Query)
				}
				return nil
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "PACK\tTITLE\tABOUT")
			for _, r := range reports {
				fmt.Fprintf(table, "%s\t%s\t%s\n", r.ID, r.Title, r.Description)
			}
			return table.Flush()
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			packs, err := pack.All()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			var ids []cobra.Completion
			for _, t := range packs {
				ids = append(ids, cobra.CompletionWithDesc(string(t.ID), t.Title))
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// packReports are the packs of the given ids in their order, all of them where none is given.
func packReports(packs []aggregator.Topic, ids []string) ([]packReport, error) {
	var known []string
	for _, t := range packs {
		known = append(known, string(t.ID))
	}
	if len(ids) == 0 {
		ids = known
	}
	reports := make([]packReport, 0, len(ids))
	for _, id := range ids {
		i := slices.Index(known, id)
		if i < 0 {
			return nil, usageError{fmt.Errorf("no pack %q; there are %s", id, strings.Join(known, ", "))}
		}
		t := packs[i]
		reports = append(reports, packReport{ID: t.ID, Title: t.Title, Description: t.Description, Query: t.Query})
	}
	return reports, nil
}
