package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
	"github.com/topicwire/topicwire/aggregator/publish/folder"
)

func (p *program) publishCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Write the whole site and its feeds as files, for any web server or object store",
		Long: `Write every page, every story and every merged feed as files into a folder. Only files whose bytes changed are
written, each whole or not at all; files that are no longer published are removed. Files that topicwire
did not make are left alone, and are an error where one is in the way.

Pages lead to each other by relative links to index.html files, so that any web server, object store or disk
serves them; feeds have the absolute links that base_url gives. The daemon does the same on schedule
with publish.static in the config.`,
		Example: `  topicwire publish --static /var/www/wire
  topicwire publish                               # into publish.static.dir of the config
  topicwire publish --static site && rclone sync site remote:bucket`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, cfg, done, err := p.desk(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer done()
			ctx, end := p.showProgress(cmd.Context(), asJSON)
			defer end()
			if s, ok := d.(*station); ok {
				// The config may have changed since items were last filed under its topics.
				if err := s.refile(ctx); err != nil {
					return err
				}
				s.archiveOnce(cmd.Context())
			}
			if dir == "" {
				dir = cfg.Publish.Static.Dir
			}
			report, err := publishInto(ctx, d, dir)
			end()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(p.stdout, report)
			}
			_, err = fmt.Fprintf(p.stdout, "%s: %d files, %d written, %d removed\n", dir, report.Files, report.Written, report.Removed)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "static", "", "the folder to write into (default: publish.static.dir of the config)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	_ = cmd.MarkFlagDirname("static")
	return cmd
}

// publishDesk writes the site as files.
type publishDesk interface {
	// Publish gives put every file of the site: its name, a path with slashes, and its bytes.
	Publish(ctx context.Context, put func(name string, body []byte) error) error
}

// publishInto brings a folder up to date with what d publishes.
func publishInto(ctx context.Context, d publishDesk, dir string) (folder.Report, error) {
	f, err := folder.Open(filepath.Clean(dir))
	if err != nil {
		return folder.Report{}, err
	}
	put := f.Put
	if report := aggregator.ProgressFor(ctx); report != nil {
		done := aggregator.Progress{What: "writing the site", Unit: "files"}
		put = func(name string, body []byte) error {
			done.Done++
			report(done)
			return f.Put(name, body)
		}
	}
	if err := d.Publish(ctx, put); err != nil {
		return folder.Report{}, errors.Join(err, f.Abandon())
	}
	return f.Finish()
}

// Publish implements desk.
func (s *station) Publish(ctx context.Context, put func(name string, body []byte) error) error {
	return publish.Static(ctx, s.store, s.publishOptions(), func(name string, body []byte) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return put(name, body)
	})
}

// publishStatic is the job of the daemon.
func (s *station) publishStatic(ctx context.Context) error {
	report, err := publishInto(ctx, s, s.config.Publish.Static.Dir)
	if err != nil {
		return err
	}
	s.log.Info("the site is written as files", "dir", s.config.Publish.Static.Dir, "files", report.Files, "written", report.Written,
		"removed", report.Removed)
	return nil
}

// servePublish sends the site's files as a tar archive: the command that asked for them writes them, with its own rights.
func servePublish(w http.ResponseWriter, r *http.Request, d publishDesk) {
	w.Header().Set("Trailer", errorTrailer)
	archive := tar.NewWriter(w)
	err := d.Publish(r.Context(), func(name string, body []byte) error {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			return err
		}
		_, err := archive.Write(body)
		return err
	})
	if err = errors.Join(err, archive.Close()); err != nil {
		w.Header().Set(errorTrailer, url.QueryEscape(err.Error()))
	}
}

// Publish implements desk.
func (d *remoteDesk) Publish(ctx context.Context, put func(name string, body []byte) error) error {
	resp, err := d.ask(ctx, http.MethodGet, "/publish", nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for archive := tar.NewReader(resp.Body); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return publishFailure(resp, fmt.Errorf("read the daemon's files: %w", err))
		}
		body, err := io.ReadAll(archive)
		if err != nil {
			return publishFailure(resp, fmt.Errorf("read the daemon's files: %w", err))
		}
		if err := put(header.Name, body); err != nil {
			return err
		}
	}
	// The trailers come behind the end of the body.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read the daemon's files: %w", err)
	}
	return publishFailure(resp, nil)
}

// publishFailure is what the daemon says went wrong, else err.
func publishFailure(resp *http.Response, err error) error {
	_, _ = io.Copy(io.Discard, resp.Body) // the trailers come behind it
	if failure := resp.Trailer.Get(errorTrailer); failure != "" {
		text, _ := url.QueryUnescape(failure)
		return errors.New(text)
	}
	return err
}
