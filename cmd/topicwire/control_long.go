package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// progressParam asks for an answer in lines, each a longMessage, with the progress of what was asked for.
	progressParam = "progress"
	// sizeHeader says how many bytes a body will have, where that is known beforehand and the body may yet break off.
	sizeHeader = "Topicwire-Size"
)

// longMessage is a line of the answer to what takes long: how far it has come, and at the end the result or an error.
type longMessage struct {
	Progress *aggregator.Progress `json:"progress,omitempty"`
	Result   json.RawMessage      `json:"result,omitempty"`
	Error    string               `json:"error,omitempty"`
	// Usage says that the error is a usage error.
	Usage bool `json:"usage,omitempty"`
}

// replyLong answers with what do returns, and with its progress until then where the request asks for it. A caller that
// does not read is dropped, and the work ends with it.
func replyLong(w http.ResponseWriter, r *http.Request, do func(ctx context.Context) (any, error)) {
	if r.FormValue(progressParam) != "true" {
		value, err := do(r.Context())
		reply(w, value, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	messages := make(chan longMessage, 1)
	go func() {
		defer close(messages)
		var sent time.Time
		value, err := do(aggregator.WithProgress(ctx, func(p aggregator.Progress) {
			if now := time.Now(); now.Sub(sent) >= progressEach {
				select {
				case messages <- longMessage{Progress: &p}:
					sent = now
				default: // the work does not wait for who looks on
				}
			}
		}))
		last := resultMessage(value, err)
		select {
		case messages <- last:
		case <-ctx.Done():
		}
	}()
	stream, connection := json.NewEncoder(w), http.NewResponseController(w)
	for m := range messages {
		_ = connection.SetWriteDeadline(time.Now().Add(slowestReader))
		if err := errors.Join(stream.Encode(m), connection.Flush()); err != nil {
			cancel()
		}
	}
}

func resultMessage(value any, err error) longMessage {
	if err == nil {
		var m longMessage
		if m.Result, err = json.Marshal(value); err == nil {
			return m
		}
	}
	var usage usageError
	return longMessage{Error: err.Error(), Usage: errors.As(err, &usage)}
}

// askLong asks the daemon for something that takes long, and passes its progress on where somebody asks for it.
func (d *remoteDesk) askLong(ctx context.Context, path string, query url.Values, into any) error {
	progress := aggregator.ProgressFor(ctx)
	if progress == nil {
		return d.askFor(ctx, http.MethodPost, path, query, nil, into)
	}
	query.Set(progressParam, "true")
	resp, err := d.ask(ctx, http.MethodPost, path, query, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for lines := json.NewDecoder(resp.Body); ; {
		var m longMessage
		if err := lines.Decode(&m); err != nil {
			return fmt.Errorf("the daemon ended before it was done: %w", err)
		}
		switch {
		case m.Progress != nil:
			progress(*m.Progress)
		case m.Usage:
			return usageError{errors.New(m.Error)}
		case m.Error != "":
			return fmt.Errorf("the daemon says: %s", m.Error)
		default:
			return json.Unmarshal(m.Result, into)
		}
	}
}

// countingWriter is w, with what is written reported as the progress of p where somebody asks.
func countingWriter(ctx context.Context, w io.Writer, p aggregator.Progress) io.Writer {
	report := aggregator.ProgressFor(ctx)
	if report == nil {
		return w
	}
	return &countedWriter{w, report, p}
}

type countedWriter struct {
	io.Writer
	report func(aggregator.Progress)
	aggregator.Progress
}

func (c *countedWriter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.Done += int64(n)
	c.report(c.Progress)
	return n, err
}
