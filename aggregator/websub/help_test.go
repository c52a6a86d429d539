package websub_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage/memory"
)

// world is what the roles talk to: handlers by host. Requests reach them without a network, in the bubble of a test.
type world struct {
	mu    sync.Mutex
	hosts map[string]http.HandlerFunc
}

func newWorld() *world { return &world{hosts: make(map[string]http.HandlerFunc)} }

func (w *world) serve(host string, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[host] = h
}

var errUnreachable = errors.New("connection refused")

// RoundTrip implements http.RoundTripper.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	h := w.hosts[req.URL.Host]
	w.mu.Unlock()
	if h == nil {
		return nil, errUnreachable
	}
	answered := make(chan *recorder, 1)
	go func() {
		rec := &recorder{header: http.Header{}, status: http.StatusOK}
		h(rec, req)
		answered <- rec
	}()
	select {
	case rec := <-answered:
		return &http.Response{
			StatusCode: rec.status, Header: rec.header, Request: req, Body: io.NopCloser(bytes.NewReader(rec.body.Bytes())),
		}, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

type recorder struct {
	header  http.Header
	status  int
	written bool
	body    bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.written {
		r.status, r.written = status, true
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.written = true
	return r.body.Write(b)
}

// shelf is a store of versions, which tests move.
type shelf struct {
	*memory.Store
	mu       sync.Mutex
	versions map[aggregator.TopicID]aggregator.Version
	broken   error
}

func newShelf() *shelf {
	return &shelf{Store: memory.New(nil), versions: make(map[aggregator.TopicID]aggregator.Version)}
}

func (s *shelf) move(topic aggregator.TopicID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.versions[topic]
	v.Seq++
	s.versions[topic] = v
}

func (s *shelf) Version(_ context.Context, topic aggregator.TopicID) (aggregator.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[topic], s.broken
}

func (s *shelf) PutNotes(ctx context.Context, notes ...aggregator.Note) error {
	s.mu.Lock()
	broken := s.broken
	s.mu.Unlock()
	if broken != nil {
		return broken
	}
	return s.Store.PutNotes(ctx, notes...)
}

func (s *shelf) breakDown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

// form is the form of a request.
func form(t *testing.T, r *http.Request) url.Values {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		t.Error(err)
	}
	return values
}

// logTo is a log that a test reads: nothing secret may be in it.
func logTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines is a buffer for a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func none() float64 { return 0 }

// running runs f until stop is called, which waits for its end.
func running(t *testing.T, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("run: %v", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
