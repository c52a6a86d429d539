package websub

import (
	"context"
	"sync"
	"time"
)

// lanes run jobs, so many at once and so many for one host, and take hosts in turn: one that is slow, or has many jobs,
// holds up no other until it fills them all alone.
type lanes struct {
	width, perHost int

	mu      sync.Mutex
	ctx     context.Context
	running int
	// waiting counts the jobs that have not begun.
	waiting int
	hosts   map[string]*lane
	// turn are the hosts that have a job waiting and may begin it.
	turn []*lane
	jobs sync.WaitGroup
}

type lane struct {
	host    string
	running int
	waiting []func(context.Context)
	inTurn  bool
}

func newLanes(width, perHost int) *lanes {
	return &lanes{width: width, perHost: perHost, hosts: make(map[string]*lane)}
}

// open lets jobs begin, with ctx.
func (l *lanes) open(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx = ctx
	l.begin()
}

// close waits for the jobs that have begun, and drops the others. It comes after the end of open's context.
func (l *lanes) close() {
	l.mu.Lock()
	l.turn, l.hosts, l.waiting, l.ctx = nil, make(map[string]*lane), 0, nil
	l.mu.Unlock()
	l.jobs.Wait()
}

// add has a job run when it is its turn.
func (l *lanes) add(host string, job func(context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.hosts[host]
	if at == nil {
		at = &lane{host: host}
		l.hosts[host] = at
	}
	at.waiting = append(at.waiting, job)
	l.waiting++
	l.ask(at)
	l.begin()
}

// queued is how many jobs have not begun.
func (l *lanes) queued() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// ask gives the host a turn where it has something to begin. l.mu is locked.
func (l *lanes) ask(at *lane) {
	if !at.inTurn && len(at.waiting) > 0 && at.running < l.perHost {
		at.inTurn = true
		l.turn = append(l.turn, at)
	}
}

// begin begins what may begin. l.mu is locked.
func (l *lanes) begin() {
	for l.ctx != nil && l.ctx.Err() == nil && l.running < l.width && len(l.turn) > 0 {
		at := l.turn[0]
		l.turn = l.turn[1:]
		job := at.waiting[0]
		at.waiting = at.waiting[1:]
		at.inTurn = false
		l.waiting--
		l.running++
		at.running++
		l.ask(at)
		l.jobs.Add(1)
		go l.run(l.ctx, at, job)
	}
}

func (l *lanes) run(ctx context.Context, at *lane, job func(context.Context)) {
	defer l.jobs.Done()
	job(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	at.running--
	if at.running == 0 && len(at.waiting) == 0 {
		delete(l.hosts, at.host)
	}
	l.ask(at)
	l.begin()
}

// rates bound how often something is done for each key: rate times a second, and so many at once after a rest.
type rates struct {
	rate, burst float64

	mu   sync.Mutex
	held map[string]*rate
}

type rate struct {
	left float64
	at   time.Time
}

// maxRates is how many keys are remembered before those that have rested are forgotten.
const maxRates = 4096

func newRates(perSecond, burst float64) *rates {
	return &rates{rate: perSecond, burst: burst, held: make(map[string]*rate)}
}

// take reports whether it may be done for the key now; where not, wait is when to ask again.
func (r *rates) take(key string, now time.Time) (wait time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.held[key]
	if at == nil {
		if len(r.held) >= maxRates {
			for k, v := range r.held {
				if r.filled(v, now) >= r.burst {
					delete(r.held, k)
				}
			}
		}
		at = &rate{left: r.burst, at: now}
		r.held[key] = at
	}
	at.left, at.at = r.filled(at, now), now
	if at.left < 1 {
		return time.Duration((1 - at.left) / r.rate * float64(time.Second)), false
	}
	at.left--
	return 0, true
}

func (r *rates) filled(at *rate, now time.Time) float64 {
	return min(r.burst, at.left+max(0, now.Sub(at.at).Seconds())*r.rate)
}
