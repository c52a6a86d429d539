package poll

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// finish stores the outcome of a poll, and then takes a value out of slots.
func (p *Poller) finish(j *job, slots <-chan struct{}) {
	record, err := p.settle(j.errand.polls, j, &j.seen, j.failure, j.at)
	p.settled(j, &record, err)
	<-slots
}

// settled ends a poll whose outcome was stored, or was not. The lease is then given back.
func (p *Poller) settled(j *job, record *aggregator.PollRecord, err error) {
	p.log(j.errand.polls, j.lease.Feed, record, err)
	switch {
	case errors.Is(err, aggregator.ErrLeaseLost):
		p.end(j)
	case err != nil:
		p.giveBack(err, j)
	default:
		p.tell(j.lease.Feed, record)
		p.end(j)
	}
}

// quiet is a poll that has brought no document, as most do, and waits for its feed's state to be stored. Its papers are of use
// to others meanwhile.
type quiet struct {
	job    *job
	state  aggregator.Prepared
	record aggregator.PollRecord
}

// soon are quiet polls: what waits is stored with one call, so that none needs a goroutine of its own.
type soon struct {
	mu      sync.Mutex
	waiting []quiet
	// busy says that somebody stores what waits; enough has a value when there may be no reason for that one to wait.
	busy   bool
	enough chan struct{}
	// batch and states are memory for who stores.
	batch  []quiet
	states []aggregator.Prepared
}

// gatherFor is how long outcomes are waited for, as long as polls are under way that may bring some, and gatherMost how many
// are waited for: what is stored together costs each a part of the same pages and of the same fsync.
const (
	gatherFor  = 250 * time.Millisecond
	gatherMost = lightOutcomes / 2
)

// gather waits until many outcomes are there, or all that can come soon.
func (p *Poller) gather() {
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	for {
		p.soon.mu.Lock()
		n := len(p.soon.waiting)
		p.soon.mu.Unlock()
		if n == 0 || p.enough(n) {
			return
		}
		select {
		case <-p.soon.enough:
		case <-timer.C:
			return
		}
	}
}

// enough reports whether n outcomes are all that are worth waiting for.
func (p *Poller) enough(n int) bool { return n >= gatherMost || n >= int(p.inHand.Load()) }

// finishSoon has the outcome of a poll that has ended now stored with others. It holds a value of light until then.
func (p *Poller) finishSoon(j *job, now time.Time) {
	o := &j.seen.outcome
	err := p.conclude(j.errand.polls, j, &j.seen, j.failure, o, j.at, now)
	switch {
	case err != nil:
		go p.finish(j, p.light)
		return
	case o.Relist:
		go p.finishMoved(j)
		return
	}
	q := quiet{j, p.Store.Prepare(j.lease.Feed, j.lease.Token, &o.State), o.State.LastPoll}
	p.endPapers(j)
	p.soon.mu.Lock()
	defer p.soon.mu.Unlock()
	p.soon.waiting = append(p.soon.waiting, q)
	switch {
	case !p.soon.busy:
		p.soon.busy = true
		go p.storeSoon()
	case p.enough(len(p.soon.waiting)):
		p.mayBeEnough()
	}
}

func (p *Poller) mayBeEnough() {
	select {
	case p.soon.enough <- struct{}{}:
	default:
	}
}

// storeSoon stores what waits until nothing does.
func (p *Poller) storeSoon() {
	for {
		p.gather()
		p.soon.mu.Lock()
		batch := p.soon.waiting
		p.soon.waiting, p.soon.batch = p.soon.batch[:0], batch
		p.soon.busy = len(batch) > 0
		p.soon.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		states := p.soon.states[:0]
		for i := range batch {
			states = append(states, batch[i].state)
		}
		// An outcome that is there is worth storing, also when the program is about to stop.
		errs := p.Store.CommitPrepared(context.Background(), states)
		for i := range batch {
			q := &batch[i]
			if err := errs[i]; err != nil && !errors.Is(err, aggregator.ErrLeaseLost) {
				go p.storeAlone(*q) // and again where the poll's errand wants that
				continue
			}
			p.settled(q.job, &q.record, errs[i])
			<-p.light
		}
		clear(batch)
		clear(states)
		p.soon.states = states
	}
}

// finishMoved stores the outcome of a poll that has brought no document, but another URL of its feed.
func (p *Poller) finishMoved(j *job) {
	record := j.seen.State.LastPoll
	err := p.untilStored(j.errand.polls, j, func() error { return p.store(j.errand.polls, j, &j.seen.outcome) })
	p.settled(j, &record, err)
	<-p.light
}

// storeAlone stores the outcome of a quiet poll by itself.
func (p *Poller) storeAlone(q quiet) {
	err := p.untilStored(q.job.errand.polls, q.job, func() error {
		return p.Store.CommitPrepared(context.Background(), []aggregator.Prepared{q.state})[0]
	})
	p.settled(q.job, &q.record, err)
	<-p.light
}
