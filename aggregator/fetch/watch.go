package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// phase is what a Get is waiting for.
type phase int32

const (
	connecting phase = iota
	lookingUp
	dialling
	handshaking
	waiting
	reading
)

func (p phase) String() string {
	switch p {
	case lookingUp:
		return "looking up the host's address"
	case dialling, connecting:
		return "connecting to the host"
	case handshaking:
		return "the TLS handshake"
	case waiting:
		return "waiting for an answer"
	}
	return "reading the answer"
}

// progress is the phase, and since when. It travels in the request's context, where a dial finds it; httptrace's hooks for
// dialling would be set up for each request, and most find a connection open.
type progress struct {
	began time.Time
	// now holds the phase in its lowest bits and, above them, the nanoseconds from began to the phase's beginning.
	now atomic.Int64
	// read counts what came of the body of the hop under way.
	read atomic.Int64
}

const phaseBits = 3

func (p *progress) where() (phase, time.Duration) {
	now := p.now.Load()
	return phase(now & (1<<phaseBits - 1)), time.Duration(now >> phaseBits)
}

func (p *progress) stamp(to phase) int64 { return int64(time.Since(p.began))<<phaseBits | int64(to) }

func (p *progress) set(to phase) { p.now.Store(p.stamp(to)) }

// advance never goes back: it may be called late, by a dial that goes on after the request found another connection.
func (p *progress) advance(to phase) {
	for {
		now := p.now.Load()
		if phase(now&(1<<phaseBits-1)) >= to || p.now.CompareAndSwap(now, p.stamp(to)) {
			return
		}
	}
}

type progressKey struct{}

// progressOf is the progress of the Get that ctx belongs to.
func progressOf(ctx context.Context) *progress {
	p, ok := ctx.Value(progressKey{}).(*progress)
	if !ok {
		return new(progress)
	}
	return p
}

// watch ends a Get that exceeds one of its limits. It is one timer, which wakes at least as often as the shortest limit
// is long and then asks how far the Get has come: so that nothing has to be set up or torn down from phase to phase.
//
// It is the Get's context as well, which is where a dial finds the progress.
type watch struct {
	context.Context
	progress
	options *Options
	cancel  context.CancelCauseFunc
	trace   httptrace.ClientTrace

	mu    sync.Mutex
	timer *time.Timer
	// window is when the rate's present window began, and had is what had come by then.
	window time.Duration
	had    int64
}

// start makes the context of the Get. stop must be called when it is over.
func (w *watch) start(ctx context.Context, o *Options) context.Context {
	w.options = o
	w.began = time.Now()
	ctx, w.cancel = context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.shortest(), w.look)
	w.trace.GotConn = w.gotConn
	w.Context = httptrace.WithClientTrace(ctx, &w.trace)
	return w
}

// Value has the progress beside what the context has.
func (w *watch) Value(key any) any {
	if key == (progressKey{}) {
		return &w.progress
	}
	return w.Context.Value(key)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.cancel(nil)
}

func (w *watch) gotConn(httptrace.GotConnInfo) { w.advance(waiting) }

// shortest is the shortest limit. No limit can run out between two looks that are so far apart and the one that follows.
func (w *watch) shortest() time.Duration {
	d := min(w.options.HeaderTimeout, w.options.Timeout)
	if w.options.MinRate > 0 {
		d = min(d, w.options.RateWindow)
	}
	return d
}

// look ends the Get or sets the timer for the next look.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.began)
	ends, failure := w.options.Timeout, &limitError{key: "fetch.timeout", limit: w.options.Timeout}
	switch at, since := w.where(); {
	case at == waiting && since+w.options.HeaderTimeout < ends:
		ends, failure = since+w.options.HeaderTimeout, &limitError{key: "fetch.header_timeout", limit: w.options.HeaderTimeout}
	case at == reading && w.options.MinRate > 0:
		if w.window < since {
			w.window, w.had = since, 0
		}
		if windowEnds := w.window + w.options.RateWindow; windowEnds < ends {
			rate := int64(float64(w.read.Load()-w.had) / max(now-w.window, w.options.RateWindow).Seconds())
			if now < windowEnds || rate < w.options.MinRate {
				ends, failure = windowEnds, &limitError{rate: rate, least: w.options.MinRate}
			} else {
				w.window, w.had = now, w.read.Load()
			}
		}
	}
	if now >= ends {
		failure.phase, _ = w.where()
		failure.read = w.read.Load()
		w.cancel(failure)
		return
	}
	w.timer.Reset(min(ends-now, w.shortest()))
}

// limitError is the cause of a Get's context that a watch ended.
type limitError struct {
	key   string
	limit time.Duration
	// rate and least are set where the limit is one of bytes a second.
	rate, least int64
	// phase is what it was waiting for, read how much of the body had come.
	phase phase
	read  int64
}

func (e *limitError) Error() string {
	if e.least > 0 {
		return fmt.Sprintf("the answer comes too slowly (%s so far, lately %s a second, where fetch.min_rate is %s): lower "+
			"that if the publisher is always that slow", size(e.read), size(e.rate), size(e.least))
	}
	what := e.phase.String()
	if e.phase == reading {
		what += fmt.Sprintf(" (%d bytes so far)", e.read)
	}
	return fmt.Sprintf("%s took longer than %s (%s) allows: raise it if the publisher is always that slow", what, e.key,
		e.limit)
}

// errConnectTimeout is the cause of a dial's context that ended by Options.ConnectTimeout.
var errConnectTimeout = errors.New("connecting took too long")

// limit is the limit that err is about, nil for any other error.
func (w *watch) limit(ctx context.Context, err error) *limitError {
	var ours *limitError
	if errors.As(context.Cause(ctx), &ours) {
		return ours
	}
	// The limits of the dialer and the handshake, and the system's own for an address that does not answer.
	var timeout net.Error
	var dns *net.DNSError
	if !errors.Is(err, errConnectTimeout) && (errors.As(err, &dns) || !errors.As(err, &timeout) || !timeout.Timeout()) {
		return nil
	}
	e := &limitError{key: "fetch.connect_timeout", limit: w.options.ConnectTimeout}
	if e.limit >= w.options.Timeout {
		e.key = "fetch.timeout"
	}
	e.phase, _ = w.where()
	e.read = w.read.Load()
	return e
}
