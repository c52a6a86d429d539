package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/export"
)

func (p *program) exportCommand() *cobra.Command {
	var (
		topicID, since, until, format, file string
		options                             export.Options
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the items of a topic and period as JSONL or CSV",
		Long: `Write the stored items of a topic that were published in a period, oldest stored first, to a file or to
standard output. The fields are described in docs/export.md; the same command over the same store
writes the same bytes.

A file appears under its name only when it is complete.`,
		Example: `  topicwire export --topic cloud --since 2026-01-01 --until 2026-01-31 -o cloud.jsonl
  topicwire export --topic data-protection --format csv -o law.csv
  topicwire export | jq -r .title                 # every item, as JSONL to standard output`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req := exportRequest{Topic: aggregator.TopicID(topicID), Options: options}
			var err error
			if req.Format, err = formatOf(format, file); err != nil {
				return usageError{err}
			}
			if req.Since, req.Until, err = export.ParsePeriod(since, until); err != nil {
				return usageError{err}
			}
			d, _, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			ctx, end := p.showProgress(cmd.Context(), false)
			defer end()
			if s, ok := d.(*station); ok {
				// The config may have changed since items were last filed under its topics.
				if err := s.refile(ctx); err != nil {
					return err
				}
			}
			if file == "" || file == "-" {
				_, err := d.Export(cmd.Context(), req, p.stdout)
				return err
			}
			rows := 0
			err = export.ToFile(ctx, file, 0o666, func(w io.Writer) (err error) {
				rows, err = d.Export(ctx, req, w)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stderr, "%s: %d items\n", file, rows)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&topicID, "topic", "", "only the items of this topic (default: all)")
	flags.StringVar(&since, "since", "", "only items published on or after this day or instant (2026-01-31, 2026-01-31T12:00:00Z)")
	flags.StringVar(&until, "until", "", "only items published up to the end of this day, or before this instant")
	flags.StringVar(&format, "format", "", "jsonl or csv (default: by the file's name, else jsonl)")
	flags.StringVarP(&file, "output", "o", "", "the file to write (default: standard output)")
	flags.BoolVar(&options.BOM, "bom", false, "begin a CSV with a byte order mark, for spreadsheets that want one")
	flags.BoolVar(&options.FormulaGuard, "formula-guard", false, "put a quote before CSV cells that a spreadsheet would run as formulas")
	p.completeTopics(cmd)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]cobra.Completion{"jsonl", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// formatOf is the export's format: the one that is named, else the one that the file's name ends in, else JSONL.
func formatOf(named, file string) (export.Format, error) {
	if named == "" {
		switch ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), "."); ext {
		case "csv", "parquet":
			named = ext
		default:
			named = "jsonl"
		}
	}
	return export.ParseFormat(named)
}
