package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

func TestProgressLine(t *testing.T) {
	for _, tc := range []struct {
		p     aggregator.Progress
		first int64
		since time.Duration
		want  string
	}{
		{aggregator.Progress{What: "checking items", Unit: "items", Done: 12_345, Total: 1_000_000}, 0, 10 * time.Second,
			"checking items: 12,345 of 1,000,000 items, 1,234/s, 13 min left"},
		{aggregator.Progress{What: "polling", Unit: "feeds", Done: 9, Total: 10}, 0, 3 * time.Second, "polling: 9 of 10 feeds, 3/s, 1 s left"},
		{aggregator.Progress{What: "polling", Unit: "feeds", Total: 10}, 0, 3 * time.Second, "polling: 0 of 10 feeds"},
		{aggregator.Progress{What: "copying", Unit: "bytes", Done: 3 << 30, Total: 4 << 30}, 0, time.Minute, "copying: 3.0 GiB of 4.0 GiB, 51.2 MiB/s, 21 s left"},
		{aggregator.Progress{What: "exporting", Unit: "bytes", Done: 3 << 20}, 0, time.Second, "exporting: 3.0 MiB, 3.0 MiB/s"},
		{aggregator.Progress{What: "filing", Done: 60, Total: 100}, 50, 10 * time.Hour, "filing: 60%, 40 h 0 min left"},
		{aggregator.Progress{What: "filing", Done: 1, Total: 1 << 40}, 0, time.Hour, "filing: 0%, days left"},
		{aggregator.Progress{What: "checking pages"}, 0, time.Second, "checking pages"},
		{aggregator.Progress{What: strings.Repeat("é", 100)}, 0, 0, strings.Repeat("é", 79)},
	} {
		if got := progressLine(tc.p, tc.first, tc.since); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.p, got, tc.want)
		}
	}
}

// TestScreen holds that the line is drawn neither early nor often, and that it is gone before anything else is printed.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	s := &screen{w: &out, now: func() time.Time { return now }}
	p := program{screen: s}
	stdout := s.above(&out)
	ctx, end := p.showProgress(t.Context(), false)
	report := aggregator.ProgressFor(ctx)
	for i := range 100 { // ten seconds
		report(aggregator.Progress{What: "polling", Unit: "feeds", Done: int64(i), Total: 100})
		if i == 50 {
			fmt.Fprint(stdout, "a line\n")
		}
		now = now.Add(100 * time.Millisecond)
	}
	end()
	text := out.String()
	if first := "\r\x1b[Kpolling: 5 of 100 feeds, 10/s, 10 s left"; !strings.HasPrefix(text, first) {
		t.Errorf("begins with %q, want %q", text[:min(len(text), 60)], first)
	}
	if n := strings.Count(text, "polling:"); n != 48 {
		t.Errorf("drawn %d times in 9.5 seconds, want 48", n)
	}
	if !strings.Contains(text, "left\r\x1b[Ka line\n\r\x1b[Kpolling") || !strings.HasSuffix(text, "left\r\x1b[K") {
		t.Errorf("the line is not taken away: %q", text)
	}
	for _, hidden := range []program{{screen: s}, {}} {
		if ctx, _ := hidden.showProgress(t.Context(), hidden.screen != nil); aggregator.ProgressFor(ctx) != nil {
			t.Error("progress is shown where it is to be hidden")
		}
	}
	if newScreen(&out, &out, time.Now) != nil {
		t.Error("a buffer is taken for a terminal")
	}
}

// TestProgressOfTheDaemon holds that the progress of what a daemon does reaches the command, and the end too.
func TestProgressOfTheDaemon(t *testing.T) {
	whole := aggregator.Progress{What: "checking", Unit: "items", Done: 1, Total: 2}
	seen := make(chan struct{}, 1)
	work := map[string]func(ctx context.Context) (any, error){
		"/good": func(ctx context.Context) (any, error) {
			if report := aggregator.ProgressFor(ctx); report != nil {
				report(whole)
				<-seen
			}
			return map[string]int{"items": 7}, nil
		},
		"/usage": func(context.Context) (any, error) { return nil, usageError{errors.New("a mistake")} },
		"/bad":   func(context.Context) (any, error) { return nil, errors.New("a fault") },
		"/odd":   func(context.Context) (any, error) { return func() {}, nil },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { replyLong(w, r, work[r.URL.Path]) }))
	defer server.Close()
	d := &remoteDesk{&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}}}}
	defer d.close()
	var got []aggregator.Progress
	watched := aggregator.WithProgress(t.Context(), func(p aggregator.Progress) {
		got = append(got, p)
		seen <- struct{}{}
	})
	for _, ctx := range []context.Context{t.Context(), watched} {
		var answer struct{ Items int }
		if err := d.askLong(ctx, "/good", url.Values{}, &answer); err != nil || answer.Items != 7 {
			t.Errorf("%+v, %v", answer, err)
		}
		var usage usageError
		if err := d.askLong(ctx, "/usage", url.Values{}, &answer); !errors.As(err, &usage) || err.Error() != "a mistake" {
			t.Errorf("a usage error comes as %v", err)
		}
		if err := d.askLong(ctx, "/bad", url.Values{}, &answer); err == nil || errors.As(err, &usage) || err.Error() != "the daemon says: a fault" {
			t.Errorf("an error comes as %v", err)
		}
	}
	if err := d.askLong(watched, "/odd", url.Values{}, nil); err == nil {
		t.Error("a result that cannot be sent is no error")
	}
	if len(got) != 1 || got[0] != whole {
		t.Errorf("progress %+v, want %+v", got, whole)
	}
}
