package poll

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/hosts"
)

// errand is what polls are made for: a Run or a Pass.
type errand struct {
	poller *Poller
	// ctx ends when no more polls are to be started, polls (some time later) when those under way are to be given up.
	ctx, polls context.Context
	stop       func()
	// persist has polls try again as long as the store fails.
	persist bool
	// failed is told of polls that were not made or not stored though ctx had not ended, putOff of those whose host may
	// not be asked before a time; held says that the host asked for that itself. Both may be nil.
	failed func(j *job, err error)
	putOff func(j *job, until time.Time, held bool)
	groups sync.WaitGroup
}

// newErrand begins an errand. The caller ends it.
func (p *Poller) newErrand(ctx context.Context, persist bool) *errand {
	e := &errand{poller: p, ctx: ctx, persist: persist}
	polls, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		p.giveBackWaiting(nil, e.owns)
		timer := time.NewTimer(p.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-polls.Done():
		}
	})
	e.polls, e.stop = polls, func() { unhook(); cancel(context.Canceled) }
	return e
}

// end waits for the errand's polls.
func (e *errand) end() {
	e.groups.Wait()
	e.stop()
}

func (e *errand) owns(j *job) bool { return j.errand == e }

// job is a poll that is to be made.
type job struct {
	lease aggregator.Lease
	key   hosts.Key
	// url is the lease's, nil where it cannot be read, and once it has been asked.
	url *url.URL
	// group are the jobs that were leased with it, place is its own among those that have not begun.
	*group
	place int
	// papers is what a poll needs that is under way, nil before that and while no more than its outcome waits: a job that
	// waits is small.
	*papers
}

// locate says whom the job asks.
func (j *job) locate() {
	u, err := url.Parse(j.lease.URL)
	if err != nil || u.Host == "" {
		j.key = hosts.KeyOf(j.lease.URL)
		return
	}
	j.url, j.key = u, hosts.KeyOfURL(u)
}

// leaseTime is how long a lease lasts: a poll may wait for its host.
func (p *Poller) leaseTime() time.Duration { return p.Hosts.Park + p.Timeout + leaseMargin }

// waitForRoom waits until polls can be started that do not only wait for a worker.
func (p *Poller) waitForRoom(ctx context.Context) error {
	for p.full() {
		select {
		case <-p.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	p.mayHaveRoom() // for another who waits
	return ctx.Err()
}

// full reports whether there are enough polls in hand: so many at all, or so many that could start.
func (p *Poller) full() bool {
	return p.inHand.Load() > roomInHand || p.waiting.HasReady(p.Workers+1)
}

// mayHaveRoom wakes up who waits for room, if there is any. There can be more than before only where inHand falls, which it does
// by one at a time and so passes roomInHand, and where fewer polls wait that could start: after next, which is called by
// workers and gives back what it finds late, and after what waits was given back.
func (p *Poller) mayHaveRoom() {
	if len(p.room) > 0 || p.full() {
		return // Whoever waits would wake up for each poll until it is not.
	}
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// jobsAtOnce is how many jobs are one piece of memory, which is there until the last of them has ended.
const jobsAtOnce = 32

// start makes polls of leases: they wait for their hosts, or are put off where their host has too much to do.
func (p *Poller) start(e *errand, now, since time.Time, leases ...aggregator.Lease) {
	if len(leases) == 0 {
		return
	}
	var refused []hosts.Turn[*job]
	jobs := make([]*job, 0, len(leases))
	together := &group{errand: e, since: since}
	for some := range slices.Chunk(leases, jobsAtOnce) {
		made := make([]job, len(some))
		for i, lease := range some {
			made[i] = job{lease: lease, group: together, place: len(jobs)}
			made[i].locate()
			jobs = append(jobs, &made[i])
		}
	}
	together.jobs = slices.Clone(jobs)
	together.left.Store(int32(len(jobs)))
	p.mu.Lock()
	p.running[together] = struct{}{}
	p.mu.Unlock()
	p.inHand.Add(int32(len(jobs)))
	e.groups.Add(1)
	for _, j := range jobs {
		if later := p.waiting.Push(j, j.key, now); !later.IsZero() {
			refused = append(refused, hosts.Turn[*job]{Item: j, Key: j.key, Later: later})
		}
	}
	p.giveBackLater(refused, now)
	p.mu.Lock()
	p.callWorkers()
	p.mu.Unlock()
	if e.ctx.Err() != nil {
		// Whoever gave back what was waiting may have come before these.
		p.giveBackWaiting(nil, e.owns)
	}
}

// callWorkers gives what may start to workers, as far as there are. p.mu is locked.
func (p *Poller) callWorkers() {
	for p.workers < p.Workers {
		t, ok := p.next()
		if !ok {
			return
		}
		p.workers++
		go p.work(t)
	}
}

// turn is the right to make a poll: that of its host, and that of its address where that is limited.
type turn struct {
	host    hosts.Turn[*job]
	address hosts.Turn[hosts.Turn[*job]]
}

// limited says that the address has been asked whether it has room, and had.
func (t *turn) limited() bool { return t.address.Key != (hosts.Key{}) }

// done gives the rights back.
func (p *Poller) done(t *turn, now time.Time) {
	p.waiting.Done(t.host, now)
	if t.limited() {
		p.crowded.Done(t.address, now)
	}
}

// next is a poll that may start now. Where there is none, the alarm is set for when there may be one. p.mu is locked.
func (p *Poller) next() (t turn, ok bool) {
	now := p.Now()
	var late []hosts.Turn[*job]
	if p.Address != nil {
		for t.address, ok = p.crowded.Pop(now); ok && !t.address.Later.IsZero(); t.address, ok = p.crowded.Pop(now) {
			p.waiting.Done(t.address.Item, now)
			t.address.Item.Later = t.address.Later
			late = append(late, t.address.Item)
		}
	}
	if t.host = t.address.Item; !ok {
		t.address = hosts.Turn[hosts.Turn[*job]]{}
		for t.host, ok = p.waiting.Pop(now); ok && !t.host.Later.IsZero(); t.host, ok = p.waiting.Pop(now) {
			late = append(late, t.host)
		}
	}
	if len(late) > 0 {
		go p.giveBackLater(late, now)
	}
	if ok {
		return t, true
	}
	wake := p.waiting.Wake(now)
	if other := p.crowded.Wake(now); wake.IsZero() || !other.IsZero() && other.Before(wake) {
		wake = other
	}
	if wake.IsZero() {
		return t, false
	}
	wait := max(wake.Sub(now), time.Millisecond)
	if p.alarm == nil {
		p.alarm = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.callWorkers()
		})
	} else {
		p.alarm.Reset(wait)
	}
	return t, false
}

// admitted reports whether the turn's address has room for it. Else the turn waits for that, without a worker, or is put
// off.
func (p *Poller) admitted(t *turn) bool {
	j := t.host.Item
	if _, own := p.Hosts.Hosts[j.key.Host]; own || p.Address == nil || t.limited() {
		return true
	}
	at := p.Address(j.errand.polls, j.lease.URL)
	if at == "" {
		return true
	}
	key, now := hosts.Key{Host: at, Tenant: at}, p.Now()
	var ok bool
	if t.address, _, ok = p.crowded.TryStart(t.host, key, now); ok {
		return true
	}
	if later := p.crowded.Push(t.host, key, now); !later.IsZero() {
		p.waiting.Done(t.host, now)
		t.host.Later = later
		p.giveBackLater([]hosts.Turn[*job]{t.host}, now)
	} else if j.errand.ctx.Err() != nil {
		// Whoever gave back what was waiting may have come before this.
		p.giveBackWaiting(nil, j.errand.owns)
	}
	return false
}

// work makes one poll after the other until there is none that may start.
func (p *Poller) work(t turn) {
	for ok := true; ok; {
		if p.admitted(&t) {
			p.poll(&t)
		}
		p.mu.Lock()
		if t, ok = p.next(); ok {
			p.callWorkers()
		} else {
			p.workers--
		}
		p.mu.Unlock()
		p.mayHaveRoom()
	}
}

// poll fetches and reads a feed. What comes of it is stored while the worker goes on, unless too much waits for that
// already.
func (p *Poller) poll(t *turn) {
	j, began := t.host.Item, p.Now().UTC()
	e := j.errand
	if e.ctx.Err() != nil || p.stalled.Load() > 0 {
		p.done(t, began)
		p.giveBack(errStalled, j)
		return
	}
	if !p.begin(j, began) {
		p.done(t, p.Now())
		return
	}
	j.failure = p.guarded(j.status.Feed.ID, func() error { return p.look(e.polls, j) })
	now := p.Now().UTC()
	j.seen.held = p.hold(j, j.failure, now)
	p.done(t, now)
	switch {
	case j.failure != nil && e.polls.Err() != nil:
		p.giveBack(context.Cause(e.polls), j)
	case p.reached(j, j.failure, now):
		p.giveBackWaiting(outageError{}, func(*job) bool { return true })
		p.giveBack(outageError{}, j)
	case j.seen.doc != nil:
		p.heavy <- struct{}{}
		go p.finish(j, p.heavy)
	default:
		p.light <- struct{}{}
		p.finishSoon(j, now)
	}
}
