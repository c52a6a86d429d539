package poll

import (
	"context"
	"errors"
	"slices"
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
	p.log(j.errand.polls, &j.status.Feed, record, err)
	switch {
	case errors.Is(err, aggregator.ErrLeaseLost):
		p.end(j)
	case err != nil:
		p.giveBack(err, j)
	default:
		p.tell(&j.status.Feed, record)
		p.end(j)
	}
}

// soon are polls that brought no document, which are most: what waits is stored with one call, so that none needs a
// goroutine of its own.
type soon struct {
	mu      sync.Mutex
	waiting []*job
	// busy says that somebody stores what waits, with polls as memory; enough has a value when there may be no reason for
	// that one to wait.
	busy   bool
	polls  []*aggregator.Poll
	enough chan struct{}
}

// gatherFor is how long outcomes are waited for, as long as polls are under way that may bring some, and gatherMost how many
// are waited for: what is stored together costs each a part of the same pages and of the same fsync.
const (
	gatherFor  = 100 * time.Millisecond
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

// finishSoon has the outcome stored with others. The poll holds a value of light until then.
func (p *Poller) finishSoon(j *job) {
	if err := p.conclude(j.errand.polls, j, &j.seen, j.failure, j.at, &j.outcome); err != nil {
		go p.finish(j, p.light)
		return
	}
	p.soon.mu.Lock()
	defer p.soon.mu.Unlock()
	p.soon.waiting = append(p.soon.waiting, j)
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
	var batch []*job
	for {
		clear(batch)
		p.gather()
		p.soon.mu.Lock()
		batch, p.soon.waiting = p.soon.waiting, batch[:0]
		p.soon.busy = len(batch) > 0
		p.soon.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		polls := slices.Grow(p.soon.polls[:0], len(batch))
		for _, j := range batch {
			polls = append(polls, j.result(&j.outcome))
		}
		// An outcome that is there is worth storing, also when the program is about to stop.
		errs := p.Store.CommitEach(context.Background(), polls)
		for i, j := range batch {
			if err := errs[i]; err != nil && !errors.Is(err, aggregator.ErrLeaseLost) {
				go p.finish(j, p.light) // which tries it alone, and again where the poll's errand wants that
				continue
			}
			p.settled(j, &j.outcome.State.LastPoll, errs[i])
			<-p.light
		}
		clear(polls)
		p.soon.polls = polls
	}
}
