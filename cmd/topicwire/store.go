package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/export"
	"github.com/topicwire/topicwire/storage"
)

// storeDesk is the part of a desk that looks after the store.
type storeDesk interface {
	// Stats says what the store holds.
	Stats(ctx context.Context) (aggregator.StoreStats, error)
	// Check holds the store against itself and mends it where repair is set.
	Check(ctx context.Context, repair bool) (aggregator.CheckReport, error)
	// Compact gives back the space that the store does not need.
	Compact(ctx context.Context) (aggregator.CompactReport, error)
	// Prune removes what the config's retention lets go.
	Prune(ctx context.Context) (aggregator.PruneReport, error)
	// Backup writes a copy of the store.
	Backup(ctx context.Context, w io.Writer) error
	// Refiling says how far stored items are filed by the topics of the config.
	Refiling(ctx context.Context) (aggregator.Refiling, error)
}

func (p *program) storeCommand() *cobra.Command {
	return group("store", "The store: what it holds, copies of it, and its upkeep",
		p.storeStatsCommand(), p.storeBackupCommand(), p.storeCompactCommand(), p.storeCheckCommand(), p.storePruneCommand())
}

// onStore is a command that asks something of the store and prints the answer, as JSON where that is asked for.
func onStore[T any](
	p *program, cmd *cobra.Command, ask func(context.Context, desk) (T, error), show func(io.Writer, T) error,
) *cobra.Command {
	cmd.Args = noArguments
	return asking(p, cmd, func(ctx context.Context, d desk, _ []string) (T, error) { return ask(ctx, d) }, show)
}

// asking is a command that asks something about its arguments and prints the answer, as JSON where that is asked for.
func asking[T any](
	p *program, cmd *cobra.Command, ask func(context.Context, desk, []string) (T, error), show func(io.Writer, T) error,
) *cobra.Command {
	var asJSON bool
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, _, done, err := p.desk(cmd.Context(), false)
		if err != nil {
			return err
		}
		defer done()
		ctx, end := p.showProgress(cmd.Context(), asJSON)
		answer, err := ask(ctx, d, args)
		end()
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(p.stdout, answer)
		}
		return show(p.stdout, answer)
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func (p *program) storeStatsCommand() *cobra.Command {
	return onStore(p, &cobra.Command{
		Use:   "stats",
		Short: "Show what the store holds and what that takes on the disk",
	}, func(ctx context.Context, d desk) (aggregator.StoreStats, error) { return d.Stats(ctx) }, printStats)
}

func (p *program) storeCompactCommand() *cobra.Command {
	return onStore(p, &cobra.Command{
		Use:   "compact",
		Short: "Give back the space that the store does not need",
		Long: `Write the store anew, without the room that removed items left, and put the new file in the place of the
old one. Polls wait until it is done; what is served is not affected. The disk holds both files for a
while. When it is stopped, the store is as it was.`,
	}, func(ctx context.Context, d desk) (aggregator.CompactReport, error) { return d.Compact(ctx) },
		func(w io.Writer, r aggregator.CompactReport) error {
			_, err := fmt.Fprintf(w, "%s before, %s after\n", size(r.Before), size(r.After))
			return err
		})
}

func (p *program) storePruneCommand() *cobra.Command {
	return onStore(p, &cobra.Command{
		Use:   "prune",
		Short: "Remove the items that the config's retention lets go",
		Long: `Remove the items, with their revisions, that the retention of the config lets go. The daemon does so by itself on
the schedule of maintenance.prune. What is removed is remembered, so that it is not new when a feed
lists it again. The file stays as large as it is; 'topicwire store compact' gives the room back.`,
	}, func(ctx context.Context, d desk) (aggregator.PruneReport, error) { return d.Prune(ctx) },
		func(w io.Writer, r aggregator.PruneReport) error {
			_, err := fmt.Fprintf(w, "removed %d items and %d earlier texts\n", r.Items, r.Revisions)
			return err
		})
}

func (p *program) storeCheckCommand() *cobra.Command {
	var repair bool
	var found error
	cmd := onStore(p, &cobra.Command{
		Use:   "check",
		Short: "Hold the store against itself, and mend it",
		Long: `Read every item and hold it against every index, and every index against the items. Polls wait until it is
done. The exit code is 1 where something is wrong.

With --repair the indexes are made anew from the items. Items that cannot be read are left out then;
a copy of the store beforehand is a good idea. A file whose pages are damaged is beyond repair: put a
backup in its place.`,
		Example: `  topicwire store check
  topicwire store check --repair`,
	}, func(ctx context.Context, d desk) (aggregator.CheckReport, error) {
		report, err := d.Check(ctx, repair)
		if report.Found > 0 && !report.Repaired {
			found = errProblems{report.Found}
		}
		return report, err
	}, printCheck)
	cmd.Flags().BoolVar(&repair, "repair", false, "make the indexes anew from the items where something is wrong")
	show := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := show(cmd, args); err != nil {
			return err
		}
		return found
	}
	return cmd
}

func (p *program) storeBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store while it is in use, and check the copy",
		Long: `Write a copy of the store, as of one instant, to a file or, with -, to standard output, while polls and readers
go on. The copy is checked whole before the command ends: a file that is not right is removed, and
nothing is written to standard output before the check. A copy is a store: to go back to it, stop
topicwire, put it in the place of the store, start.`,
		Example: `  topicwire store backup /mnt/backup/topicwire.db
  topicwire store backup - | zstd | ssh elsewhere 'cat > topicwire.db.zst'`,
		Args: arguments(1, "name the file to write, or - for standard output"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, _, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			ctx, end := p.showProgress(cmd.Context(), false)
			defer end()
			if args[0] == "-" {
				return backupTo(ctx, d, p.stdout)
			}
			report, err := backupFile(ctx, d, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stderr, "%s: %d items, checked\n", args[0], report.Items)
			return nil
		},
	}
}

// backupFile writes a copy of the store to a file, and removes it again where it does not pass its check.
func backupFile(ctx context.Context, d interface {
	Backup(ctx context.Context, w io.Writer) error
}, path string) (aggregator.CheckReport, error) {
	err := export.ToFile(ctx, path, 0o600, func(w io.Writer) error { return d.Backup(ctx, w) })
	if err != nil {
		return aggregator.CheckReport{}, fmt.Errorf("back up the store: %w", err)
	}
	report, err := storage.Verify(ctx, "bolt://"+path)
	if err != nil {
		return report, errors.Join(fmt.Errorf("the copy was removed again, it is not right: %w", err), os.Remove(path))
	}
	return report, nil
}

// backupTo writes a copy that was checked to w.
func backupTo(ctx context.Context, d desk, w io.Writer) error {
	dir, err := os.MkdirTemp("", "topicwire")
	if err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "copy.db")
	if _, err := backupFile(ctx, d, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	return nil
}

// size is a number of bytes for people.
func size(n int64) string {
	const units = "KMGT"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

func printStats(w io.Writer, s aggregator.StoreStats) error {
	fmt.Fprintf(w, "%s on the disk, %s of it free; %d items, %d earlier texts, %d pruned; last Seq %d\n",
		size(s.Bytes), size(s.Free), s.Items, s.Revisions, s.Pruned, s.LastSeq)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nbucket\tentries\ton disk\tused\t\n")
	for _, b := range s.Buckets {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t\n", b.Name, b.Entries, size(b.Bytes), size(b.Used))
	}
	countTable(table, "feed", s.Feeds)
	countTable(table, "topic", s.Topics)
	return table.Flush()
}

// countTable lists what has most items first.
func countTable[K ~string](w io.Writer, what string, counts map[K]int) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\titems\t\n", what)
	for _, id := range slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		fmt.Fprintf(w, "%s\t%d\t\n", id, counts[id])
	}
}

// errProblems is a check that found something and did not mend it.
type errProblems struct{ found int }

func (e errProblems) Error() string {
	return fmt.Sprintf("%d problems; copy the store, then 'topicwire store check --repair' makes the indexes anew", e.found)
}

func printCheck(w io.Writer, r aggregator.CheckReport) error {
	for _, p := range r.Problems {
		fmt.Fprintln(w, p)
	}
	if more := r.Found - len(r.Problems); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	fmt.Fprintf(w, "%d items checked, %d problems", r.Items, r.Found)
	if r.Repaired {
		fmt.Fprintf(w, "; repaired, %d items could not be read and are gone", r.Lost)
	}
	fmt.Fprintln(w)
	return nil
}

// Stats implements desk.
func (s *station) Stats(ctx context.Context) (aggregator.StoreStats, error) {
	return s.store.Stats(ctx)
}

// Check implements desk.
func (s *station) Check(ctx context.Context, repair bool) (aggregator.CheckReport, error) {
	report, err := s.store.Check(ctx, repair)
	if report.Problems == nil {
		report.Problems = []string{}
	}
	return report, err
}

// Compact implements desk.
func (s *station) Compact(ctx context.Context) (aggregator.CompactReport, error) {
	return s.store.Compact(ctx)
}

// Prune implements desk.
func (s *station) Prune(ctx context.Context) (aggregator.PruneReport, error) {
	report, err := s.store.Prune(ctx, s.config.Retention, s.now())
	if err == nil && !s.config.Retention.Forever() {
		err = s.trimArchive(ctx)
	}
	return report, err
}

// Backup implements desk.
func (s *station) Backup(ctx context.Context, w io.Writer) error { return s.store.Backup(ctx, w) }

// Refiling implements desk.
func (s *station) Refiling(ctx context.Context) (aggregator.Refiling, error) {
	return s.store.Refiling(ctx)
}

// serveStore adds what a storeDesk answers to the control socket.
func serveStore(handle func(string, func(http.ResponseWriter, *http.Request)), d storeDesk, log *slog.Logger) {
	handle("GET /store", func(w http.ResponseWriter, r *http.Request) {
		stats, err := d.Stats(r.Context())
		reply(w, stats, err)
	})
	handle("POST /store/check", func(w http.ResponseWriter, r *http.Request) {
		log.Info("a command asked to check the store", "repair", r.FormValue("repair"))
		replyLong(w, r, func(ctx context.Context) (any, error) { return d.Check(ctx, r.FormValue("repair") == "true") })
	})
	handle("POST /store/compact", func(w http.ResponseWriter, r *http.Request) {
		log.Info("a command asked to compact the store")
		replyLong(w, r, func(ctx context.Context) (any, error) { return d.Compact(ctx) })
	})
	handle("POST /store/prune", func(w http.ResponseWriter, r *http.Request) {
		log.Info("a command asked to prune the store")
		replyLong(w, r, func(ctx context.Context) (any, error) { return d.Prune(ctx) })
	})
	handle("GET /store/refiling", func(w http.ResponseWriter, r *http.Request) {
		state, err := d.Refiling(r.Context())
		reply(w, state, err)
	})
	handle("GET /store/backup", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", errorTrailer)
		ctx := aggregator.WithProgress(r.Context(), func(p aggregator.Progress) {
			if p.Done == 0 { // before the first byte
				w.Header().Set(sizeHeader, strconv.FormatInt(p.Total, 10))
			}
		})
		if err := d.Backup(ctx, w); err != nil {
			w.Header().Set(errorTrailer, url.QueryEscape(err.Error()))
		}
	})
}

// Stats implements desk.
func (d *remoteDesk) Stats(ctx context.Context) (stats aggregator.StoreStats, err error) {
	return stats, d.askFor(ctx, http.MethodGet, "/store", nil, nil, &stats)
}

// Check implements desk.
func (d *remoteDesk) Check(ctx context.Context, repair bool) (report aggregator.CheckReport, err error) {
	return report, d.askLong(ctx, "/store/check", url.Values{"repair": {strconv.FormatBool(repair)}}, &report)
}

// Compact implements desk.
func (d *remoteDesk) Compact(ctx context.Context) (report aggregator.CompactReport, err error) {
	return report, d.askLong(ctx, "/store/compact", url.Values{}, &report)
}

// Prune implements desk.
func (d *remoteDesk) Prune(ctx context.Context) (report aggregator.PruneReport, err error) {
	return report, d.askLong(ctx, "/store/prune", url.Values{}, &report)
}

// Refiling implements desk.
func (d *remoteDesk) Refiling(ctx context.Context) (state aggregator.Refiling, err error) {
	return state, d.askFor(ctx, http.MethodGet, "/store/refiling", nil, nil, &state)
}

// Backup implements desk.
func (d *remoteDesk) Backup(ctx context.Context, w io.Writer) error {
	resp, err := d.ask(ctx, http.MethodGet, "/store/backup", nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	total, _ := strconv.ParseInt(resp.Header.Get(sizeHeader), 10, 64)
	w = countingWriter(ctx, w, aggregator.Progress{What: "copying the store", Unit: "bytes", Total: total})
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("read the daemon's copy: %w", err)
	}
	if failure := resp.Trailer.Get(errorTrailer); failure != "" {
		text, _ := url.QueryUnescape(failure)
		return errors.New(text)
	}
	return nil
}
