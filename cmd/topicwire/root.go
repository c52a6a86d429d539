package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/schedule"
	"github.com/topicwire/topicwire/aggregator/topic"
	"github.com/topicwire/topicwire/aggregator/topic/pack"
)

// version is that of the program, in its User-Agent and its published feeds.
const version = "0.1.0"

// The exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// defaultConfig is looked for in the working directory when no --config is given.
const defaultConfig = "config.yaml"

// usageError is a mistake in how the program was called or configured.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// program is what all commands share: the flags of the root command and where to print.
type program struct {
	stdout, stderr io.Writer
	// screen shows progress; nil where nobody would see it.
	screen     *screen
	now        func() time.Time
	configFile string
	logLevel   string
	logFormat  string
	// terminal says that standard output is one.
	terminal bool
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	screen := newScreen(stdout, stderr, time.Now)
	printed := &checkedWriter{Writer: screen.above(stdout)}
	stderr = screen.above(stderr)
	p := &program{stdout: printed, stderr: stderr, screen: screen, now: time.Now, terminal: isTerminal(stdout)}
	root := p.command()
	root.SetArgs(args)
	root.SetOut(printed)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	switch {
	case err == nil && printed.err != nil:
		fmt.Fprintf(stderr, "%s: write to standard output: %v\n", cmd.CommandPath(), printed.err)
		return exitFailed
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, err)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(stderr, "%s: stopped before the end\n", cmd.CommandPath())
		return exitFailed
	}
	fmt.Fprintf(stderr, "%s: %v\n", cmd.CommandPath(), err)
	return exitFailed
}

// checkedWriter remembers the first error, so that no command needs to look at each line that it prints.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "topicwire",
		Short: "A wire service per topic: feeds in, merged topic feeds out",
		Long: `topicwire polls news and policy feeds on a schedule, keeps every item once, files each under the
topics that you describe, and republishes each topic as a merged feed, a page and an export.

Without --config it reads config.yaml in the working directory and, where there is none, starts from
the example that is built in.`,
		Example: `  topicwire run                                   # poll on schedule and serve http://127.0.0.1:8080/
  topicwire fetch -c config.yaml                  # poll what is due and exit: for cron
  topicwire feeds list                            # how each feed is doing
  topicwire topics test '"data protection" -ads'  # what would this query match
  topicwire export --topic cloud --since 2026-01-01 --format csv -o cloud.csv`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			_, err := p.logger()
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&p.configFile, "config", "c", "", "the config file (default "+defaultConfig+", else the built-in example)")
	flags.StringVar(&p.logLevel, "log-level", "info", "what to log to standard error: debug, info, warn or error")
	flags.StringVar(&p.logFormat, "log-format", "text", "how to log: text or json")
	root.AddCommand(
		p.runCommand(), p.fetchCommand(), p.serveCommand(), p.checkCommand(),
		p.feedsCommand(), p.topicsCommand(), p.storiesCommand(), p.itemsCommand(), p.exportCommand(), p.publishCommand(), p.storeCommand(), p.parseCommand(),
	)
	return root
}

// noArguments refuses arguments with what may be meant instead.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	what := fmt.Sprintf("unknown argument %q", args[0])
	if cmd.HasSubCommands() {
		cmd.SuggestionsMinimumDistance = 2
		what = fmt.Sprintf("unknown command %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			what += fmt.Sprintf("; did you mean %q?", near[0])
		}
	}
	return usageError{fmt.Errorf("%s: %s; see '%s --help'", cmd.CommandPath(), what, cmd.CommandPath())}
}

// oneFeed is wanted by commands about a feed of the config.
const oneFeed = "want the id of one feed"

// arguments refuses another number of arguments, with what is wanted.
func arguments(n int, wanted string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s; see '%s --help'", wanted, cmd.CommandPath())}
		}
		return nil
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: noArguments, RunE: func(cmd *cobra.Command, _ []string) error {
		return cmd.Help()
	}}
	cmd.AddCommand(commands...)
	return cmd
}

// loadConfig reads the config that the flags name; name is for messages. Every problem in it is in the error, which is a
// usage error.
func (p *program) loadConfig() (cfg *config.Config, name string, err error) {
	file := p.configFile
	if file == "" {
		file = defaultConfig
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(p.stderr, "no %s here: starting from the built-in example, with the store in this folder; "+
				"copy config.example.yaml to %s to make it yours\n", defaultConfig, defaultConfig)
			cfg, err := p.parseConfig(defaultConfig, []byte(exampleConfig))
			return cfg, "the built-in example", err
		}
	}
	options, err := configOptions()
	if err != nil {
		return nil, file, err
	}
	if cfg, err = config.Load(file, options); err != nil {
		return nil, file, usageError{err}
	}
	return cfg, file, nil
}

func (p *program) parseConfig(file string, data []byte) (*config.Config, error) {
	options, err := configOptions()
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(file, data, options)
	if err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

// configOptions are what a config is read with.
func configOptions() (config.Options, error) {
	var specs schedule.Specs
	packs, err := pack.All()
	return config.Options{
		Packs: packs,
		Env:   os.LookupEnv,
		CheckSchedule: func(spec string) error {
			_, err := specs.Parse(spec)
			return err
		},
		CheckHost: hosts.CheckName,
		Queries: func(named map[string]string) func(name, query string) error {
			library := topic.NewLibrary(named)
			return func(name, query string) error {
				if name != "" {
					return library.Err(name)
				}
				_, err := library.Parse(query)
				return err
			}
		},
	}, err
}

// logger writes to standard error as the flags say. It becomes the default too, for what net/http has to say to nobody in
// particular.
func (p *program) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(p.logLevel)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q: want debug, info, warn or error", p.logLevel)}
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch p.logFormat {
	case "text":
		handler = slog.NewTextHandler(p.stderr, options)
	case "json":
		handler = slog.NewJSONHandler(p.stderr, options)
	default:
		return nil, usageError{fmt.Errorf("--log-format %q: want text or json", p.logFormat)}
	}
	log := slog.New(handler)
	slog.SetDefault(log)
	return log, nil
}
