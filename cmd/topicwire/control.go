package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/export"
	"github.com/topicwire/topicwire/aggregator/poll"
)

// The control socket is HTTP over a Unix socket beside the store, open to the store's owner alone. The process that
// holds the store serves it, since bbolt lets in only one; commands ask there for what they need of the store.

// socketPath is where the process that holds the store file listens for commands.
func socketPath(storeFile string) string { return storeFile + ".sock" }

// maxSocketPath is what fits into a socket address on every system that Go runs on.
const maxSocketPath = 103

// listenControl opens the control socket. Only the holder of the store's lock may call it: a socket that is there is a
// dead process's. It is made in a folder that nobody else can enter and moved to its place once it is closed to others.
func listenControl(path string) (net.Listener, error) {
	folder := filepath.Dir(path)
	// MkdirTemp below puts up to ten digits into its name.
	if longest := max(len(path), len(folder)+len("/.s0123456789/s")); longest > maxSocketPath {
		return nil, fmt.Errorf("control socket %s: the path is longer than the %d bytes that a socket may have by %d; move the store to a shorter path", path, maxSocketPath, longest-maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove a dead control socket: %w", err)
	}
	dir, err := os.MkdirTemp(folder, ".s")
	if err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	defer os.RemoveAll(dir)
	nascent := filepath.Join(dir, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: nascent, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(nascent, 0o600), os.Rename(nascent, path)); err != nil {
		listener.Close()
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	return listener, nil
}

// controlHandler serves a station. What needs the config to be in force waits until ready is closed.
func controlHandler(s *station, ready <-chan struct{}, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-ready:
				f(w, r)
			case <-r.Context().Done():
			}
		})
	}
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, about{PID: os.Getpid(), Version: version, Config: configHash(s.config).String()}, nil)
	})
	serveStore(handle, s, log)
	serveStories(handle, s)
	mux.HandleFunc("GET /feeds", func(w http.ResponseWriter, r *http.Request) {
		reports, err := s.Feeds(r.Context())
		reply(w, reports, err)
	})
	handle("POST /test", func(w http.ResponseWriter, r *http.Request) {
		var req testRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		report, err := s.Test(r.Context(), req)
		reply(w, report, err)
	})
	handle("GET /explain", func(w http.ResponseWriter, r *http.Request) {
		report, err := s.Explain(r.Context(), r.FormValue("item"))
		reply(w, report, err)
	})
	handle("POST /fetch", func(w http.ResponseWriter, r *http.Request) {
		all := r.FormValue("all") == "true"
		log.Info("a command asked for a pass", "all", all)
		streamFetch(w, r, s, all)
	})
	handle("POST /resume", func(w http.ResponseWriter, r *http.Request) {
		id := aggregator.FeedID(r.FormValue("feed"))
		log.Info("a command resumes a feed", "feed", id)
		report, err := s.Resume(r.Context(), id)
		reply(w, report, err)
	})
	handle("GET /export", func(w http.ResponseWriter, r *http.Request) { streamExport(w, r, s) })
	handle("GET /publish", func(w http.ResponseWriter, r *http.Request) { servePublish(w, r, s) })
	return mux
}

// about is what the holder of the store says of itself.
type about struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
	Config  string `json:"config"`
}

// slowestReader is how long a command may take to read a line of an answer before it is left alone.
const slowestReader = 10 * time.Second

// streamFetch makes a pass and tells the caller of each poll as it ends. A caller that does not read must not hold up the
// polls: it is dropped, and its pass ends with it.
func streamFetch(w http.ResponseWriter, r *http.Request, d desk, all bool) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	messages := make(chan fetchMessage, 256)
	send := func(m fetchMessage) {
		select {
		case messages <- m:
		case <-ctx.Done():
		}
	}
	if r.FormValue(progressParam) == "true" {
		ctx = aggregator.WithProgress(ctx, func(p aggregator.Progress) { send(fetchMessage{Progress: &p}) })
	}
	go func() {
		defer close(messages)
		summary, err := d.Fetch(ctx, all, func(report pollReport) { send(fetchMessage{Poll: &report}) })
		last := fetchMessage{Summary: &summary}
		if err != nil {
			last.Error = err.Error()
		}
		send(last)
	}()
	stream, connection := json.NewEncoder(w), http.NewResponseController(w)
	for m := range messages {
		_ = connection.SetWriteDeadline(time.Now().Add(slowestReader))
		if err := errors.Join(stream.Encode(m), connection.Flush()); err != nil {
			cancel()
		}
	}
}

func streamExport(w http.ResponseWriter, r *http.Request, s *station) {
	req, err := exportRequestFrom(r.URL.Query())
	if err == nil {
		err = s.hasTopic(req.Topic)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// The outcome is known only after the body: it goes into trailers (RFC 9110 section 6.5).
	w.Header().Set("Trailer", rowsTrailer+", "+errorTrailer)
	rows, err := s.Export(r.Context(), req, w)
	w.Header().Set(rowsTrailer, strconv.Itoa(rows))
	if err != nil {
		w.Header().Set(errorTrailer, url.QueryEscape(err.Error()))
	}
}

const (
	rowsTrailer  = "Topicwire-Rows"
	errorTrailer = "Topicwire-Error"
)

// fetchMessage is a line of the answer to a fetch: a poll, progress where that was asked for, or at the end the summary.
type fetchMessage struct {
	Poll     *pollReport          `json:"poll,omitempty"`
	Progress *aggregator.Progress `json:"progress,omitempty"`
	Summary  *poll.Summary        `json:"summary,omitempty"`
	Error    string               `json:"error,omitempty"`
}

func reply(w http.ResponseWriter, value any, err error) {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (req exportRequest) query() url.Values {
	q := url.Values{"topic": {string(req.Topic)}, "format": {string(req.Format)}}
	for name, t := range map[string]time.Time{"since": req.Since, "until": req.Until} {
		if !t.IsZero() {
			q.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	q.Set("bom", strconv.FormatBool(req.Options.BOM))
	q.Set("formula_guard", strconv.FormatBool(req.Options.FormulaGuard))
	return q
}

func exportRequestFrom(q url.Values) (exportRequest, error) {
	req := exportRequest{
		Topic:   aggregator.TopicID(q.Get("topic")),
		Format:  export.Format(q.Get("format")),
		Options: export.Options{BOM: q.Get("bom") == "true", FormulaGuard: q.Get("formula_guard") == "true"},
	}
	for name, t := range map[string]*time.Time{"since": &req.Since, "until": &req.Until} {
		if !q.Has(name) {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, q.Get(name))
		if err != nil {
			return exportRequest{}, fmt.Errorf("%s: %w", name, err)
		}
		*t = at
	}
	return req, nil
}

// remoteDesk asks the daemon at the other end of a control socket.
type remoteDesk struct{ client *http.Client }

// dialDesk reaches the daemon that listens at path, if there is one.
func dialDesk(ctx context.Context, path string) (*remoteDesk, bool) {
	if len(path) > maxSocketPath {
		return nil, false
	}
	var dialer net.Dialer
	dial := func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) }
	probe, err := dial(ctx)
	if err != nil {
		return nil, false
	}
	probe.Close()
	return &remoteDesk{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}, true
}

func (d *remoteDesk) close() { d.client.CloseIdleConnections() }

// ask sends a request to the daemon. The caller closes the body of the answer.
func (d *remoteDesk) ask(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return nil, err
		}
	}
	address := "http://daemon" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, &sent)
	if err != nil {
		return nil, err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	err = errors.New(string(bytes.TrimSpace(text)))
	if resp.StatusCode == http.StatusBadRequest {
		return nil, usageError{err}
	}
	return nil, fmt.Errorf("the daemon says: %w", err)
}

func (d *remoteDesk) askFor(ctx context.Context, method, path string, query url.Values, body, into any) error {
	resp, err := d.ask(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	return nil
}

func (d *remoteDesk) about(ctx context.Context) (a about, err error) {
	return a, d.askFor(ctx, http.MethodGet, "/about", nil, nil, &a)
}

// Feeds implements desk.
func (d *remoteDesk) Feeds(ctx context.Context) (reports []feedReport, err error) {
	return reports, d.askFor(ctx, http.MethodGet, "/feeds", nil, nil, &reports)
}

// Resume implements desk.
func (d *remoteDesk) Resume(ctx context.Context, id aggregator.FeedID) (report feedReport, err error) {
	return report, d.askFor(ctx, http.MethodPost, "/resume", url.Values{"feed": {string(id)}}, nil, &report)
}

// Test implements desk.
func (d *remoteDesk) Test(ctx context.Context, req testRequest) (report testReport, err error) {
	return report, d.askFor(ctx, http.MethodPost, "/test", nil, req, &report)
}

// Explain implements desk.
func (d *remoteDesk) Explain(ctx context.Context, item string) (report explainReport, err error) {
	return report, d.askFor(ctx, http.MethodGet, "/explain", url.Values{"item": {item}}, nil, &report)
}

// Fetch implements desk.
func (d *remoteDesk) Fetch(ctx context.Context, all bool, report func(pollReport)) (poll.Summary, error) {
	progress := aggregator.ProgressFor(ctx)
	query := url.Values{"all": {strconv.FormatBool(all)}, progressParam: {strconv.FormatBool(progress != nil)}}
	resp, err := d.ask(ctx, http.MethodPost, "/fetch", query, nil)
	if err != nil {
		return poll.Summary{}, err
	}
	defer resp.Body.Close()
	for lines := json.NewDecoder(resp.Body); ; {
		var message fetchMessage
		if err := lines.Decode(&message); err != nil {
			return poll.Summary{}, fmt.Errorf("the daemon ended before the pass did: %w", err)
		}
		switch {
		case message.Poll != nil:
			report(*message.Poll)
		case message.Progress != nil && progress != nil:
			progress(*message.Progress)
		case message.Error != "":
			return *message.Summary, errors.New(message.Error)
		case message.Summary != nil:
			return *message.Summary, nil
		}
	}
}

// Export implements desk.
func (d *remoteDesk) Export(ctx context.Context, req exportRequest, w io.Writer) (int, error) {
	resp, err := d.ask(ctx, http.MethodGet, "/export", req.query(), nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	w = countingWriter(ctx, w, aggregator.Progress{What: "exporting", Unit: "bytes"})
	if _, err := io.Copy(w, resp.Body); err != nil {
		return 0, fmt.Errorf("read the daemon's export: %w", err)
	}
	rows, err := strconv.Atoi(resp.Trailer.Get(rowsTrailer))
	if failure := resp.Trailer.Get(errorTrailer); failure != "" {
		text, _ := url.QueryUnescape(failure)
		return rows, errors.New(text)
	}
	if err != nil {
		return rows, errors.New("the daemon ended before the export did")
	}
	return rows, nil
}
