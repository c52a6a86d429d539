package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Validate the config: every problem with its place and how to mend it",
		Long: `Validate the config and print every problem as file:line:column: what is wrong; how to mend it.
Nothing is polled and no store is opened. The exit code is 0 for a good config and 2 for any other.`,
		Example: "  topicwire check -c /etc/topicwire/config.yaml",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			cfg, file, err := p.loadConfig()
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s: good: %d feeds, %d topics\n", file, len(cfg.Feeds), len(cfg.Topics))
			return nil
		},
	}
}
