package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// phase is what a Get is waiting for.
type phase int32

const (
	// waiting is for an answer: most find a connection open.
	waiting phase = iota
	lookingUp
	dialling
	handshaking
	reading
)

func (p phase) String() string {
	switch p {
	case lookingUp:
		return "looking up the host's address"
	case dialling:
		return "connecting to the host"
	case handshaking:
		return "the TLS handshake"
	case waiting:
		return "waiting for an answer"
	}
	return "reading the answer"
}

// progress is the phase, and since when. It travels in the request's context, where a dial finds it; httptrace's hooks
// would be set up for each request.
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
	return phaseIn(now), time.Duration(now >> phaseBits)
}

func phaseIn(now int64) phase { return phase(now & (1<<phaseBits - 1)) }

func (p *progress) stamp(to phase) int64 { return int64(time.Since(p.began))<<phaseBits | int64(to) }

func (p *progress) set(to phase) { p.now.Store(p.stamp(to)) }

// dial is one dial for a Get, which notes how far it has come. It may go on after the request has found another connection:
// then the limit for headers begins when the dial has ended. It notes nothing more once the Get is at something else: an
// answer, the next hop or another dial.
type dial struct {
	of *progress
	// noted is what it wrote last.
	noted int64
	phase phase
}

// dial begins one.
func (p *progress) dial() *dial { return &dial{of: p, noted: p.now.Load()} }

func (d *dial) enter(to phase) {
	d.phase = to
	stamp := d.of.stamp(to)
	if phaseIn(d.noted) != reading && d.of.now.CompareAndSwap(d.noted, stamp) {
		d.noted = stamp
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

// watch ends a Get that exceeds one of its limits. It is asked to look how far the Get has come at least as often as the
// shortest limit is long, so that nothing has to be set up or torn down from phase to phase.
//
// It is the Get's context as well, which is where a dial finds the progress. It ends when its parent does, by its limits, and
// with stop.
type watch struct {
	progress
	client *Client
	parent *parent
	// values is the context that the Get is made for.
	values context.Context
	done   chan struct{}
	// before and after are its neighbours among those that are running, whose lock they need.
	before, after *watch

	mu sync.Mutex
	// cause is why the context has ended, hooks are called then.
	cause error
	hooks *hook
	// timer is for looks after the first. Nothing is looked at that has ended.
	timer *time.Timer
	// window is when the rate's present window began, and had is what had come by then.
	window time.Duration
	had    int64
}

// hook is a function that is called when its watch ends, one of a list.
type hook struct {
	f    func()
	of   *watch
	next *hook
}

// errStopped is why the context of a Get has ended that is over.
var errStopped = errors.New("the request is over")

// start begins a Get. stop must be called when it is over.
func (w *watch) start(ctx context.Context, c *Client) {
	w.client = c
	w.done = make(chan struct{})
	w.values = ctx
	c.running.add(ctx, w)
}

func (w *watch) stop() {
	w.client.running.remove(w)
	w.end(errStopped)
}

// end ends the context, unless it has ended.
func (w *watch) end(cause error) {
	w.mu.Lock()
	hooks := w.hooks
	if w.cause == nil {
		w.cause, w.hooks = cause, nil
		close(w.done)
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Unlock()
	for h := hooks; h != nil; h = h.next {
		go h.f()
	}
}

// ended is why the Get was given up, nil where it was not.
func (w *watch) ended() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// Deadline, Done, Err and Value implement context.Context.
func (w *watch) Deadline() (time.Time, bool) { return w.values.Deadline() }

// Done implements context.Context.
func (w *watch) Done() <-chan struct{} { return w.done }

// Err implements context.Context.
func (w *watch) Err() error {
	if w.ended() == nil {
		return nil
	}
	return context.Canceled
}

// Value has the progress beside what the context has.
func (w *watch) Value(key any) any {
	if key == (progressKey{}) {
		return &w.progress
	}
	return w.values.Value(key)
}

// AfterFunc is how package context has a context end with this one, without a goroutine.
func (w *watch) AfterFunc(f func()) (stop func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cause != nil {
		go f()
		return func() bool { return false }
	}
	h := &hook{f, w, w.hooks}
	w.hooks = h
	return h.remove
}

// remove keeps the function from being called. It reports whether it was there to be removed.
func (h *hook) remove() bool {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	for at := &h.of.hooks; *at != nil; at = &(*at).next {
		if *at == h {
			*at = h.next
			return true
		}
	}
	return false
}

// shortest is the shortest limit. No limit can run out between two looks that are so far apart and the one that follows.
func (o *Options) shortest() time.Duration {
	d := min(o.HeaderTimeout, o.Timeout)
	if o.MinRate > 0 {
		d = min(d, o.RateWindow)
	}
	return d
}

// look ends the Get where it has exceeded a limit.
func (w *watch) look() {
	w.mu.Lock()
	failure := w.judge()
	w.mu.Unlock()
	if failure != nil {
		w.end(failure)
	}
}

// judge is the limit that the Get has exceeded, or sets the timer for the next look. w.mu is locked.
func (w *watch) judge() error {
	if w.cause != nil {
		return nil
	}
	options := &w.client.options
	now := time.Since(w.began)
	ends, failure := options.Timeout, &limitError{key: "fetch.timeout", limit: options.Timeout}
	switch at, since := w.where(); {
	case at == waiting && since+options.HeaderTimeout < ends:
		ends, failure = since+options.HeaderTimeout, &limitError{key: "fetch.header_timeout", limit: options.HeaderTimeout}
	case at == reading && options.MinRate > 0:
		if w.window < since {
			w.window, w.had = since, 0
		}
		if windowEnds := w.window + options.RateWindow; windowEnds < ends {
			rate := int64(float64(w.read.Load()-w.had) / max(now-w.window, options.RateWindow).Seconds())
			if now < windowEnds || rate < options.MinRate {
				ends, failure = windowEnds, &limitError{rate: rate, least: options.MinRate}
			} else {
				w.window, w.had = now, w.read.Load()
			}
		}
	}
	if now >= ends {
		failure.phase, _ = w.where()
		failure.read = w.read.Load()
		return failure
	}
	next := min(ends-now, options.shortest())
	if w.timer == nil {
		w.timer = time.AfterFunc(next, w.look)
	} else {
		w.timer.Reset(next)
	}
	return nil
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
func (w *watch) limit(err error) *limitError {
	var ours *limitError
	if errors.As(w.ended(), &ours) {
		return ours
	}
	// The limits of the dialer and the handshake, and the system's own for an address that does not answer.
	var timeout net.Error
	var dns *net.DNSError
	if !errors.Is(err, errConnectTimeout) && (errors.As(err, &dns) || !errors.As(err, &timeout) || !timeout.Timeout()) {
		return nil
	}
	e := &limitError{key: "fetch.connect_timeout", limit: w.client.options.ConnectTimeout}
	if e.limit >= w.client.options.Timeout {
		e.key = "fetch.timeout"
	}
	e.phase, _ = w.where()
	var dialled *dialError
	if errors.As(err, &dialled) {
		e.phase = dialled.at
	}
	e.read = w.read.Load()
	return e
}
