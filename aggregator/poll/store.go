package poll

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// finished is a poll whose outcome is to be stored.
type finished struct {
	job     *job
	seen    *answer
	failure error
	at      time.Time
	// outcome is set where the answer brought no document.
	outcome outcome
}

// finish stores the outcome of a poll, and then takes a value out of slots.
func (p *Poller) finish(f *finished, slots <-chan struct{}) {
	record, err := p.settle(f.job.errand.polls, f.job, f.seen, f.failure, f.at)
	p.settled(f.job, &record, err)
	<-slots
}

// settled ends a poll whose outcome was stored, or was not. The lease is then given back.
func (p *Poller) settled(j *job, record *aggregator.PollRecord, err error) {
	p.log(j.errand.polls, &j.feed, record, err)
	switch {
	case errors.Is(err, aggregator.ErrLeaseLost):
		p.end(j)
	case err != nil:
		p.giveBack(err, j)
	default:
		p.tell(&j.feed, record)
		p.end(j)
	}
}

// soon are polls that brought no document, which are most: what waits is stored with one call, so that none needs a
// goroutine of its own.
type soon struct {
	mu      sync.Mutex
	waiting []*finished
	// busy says that somebody stores what waits.
	busy bool
}

// gatherFor is how long outcomes are waited for, in steps of gatherStep, as long as polls are under way that may bring
// some: what is stored together costs each a part of the same pages and of the same fsync.
const (
	gatherFor  = 40 * time.Millisecond
	gatherStep = 2 * time.Millisecond
)

// gather waits until many outcomes are there, or all that can come soon.
func (p *Poller) gather() {
	had := 0
	for range gatherFor / gatherStep {
		p.soon.mu.Lock()
		n := len(p.soon.waiting)
		p.soon.mu.Unlock()
		if n == had || n >= lightOutcomes/2 || n >= int(p.inHand.Load()) {
			return
		}
		had = n
		time.Sleep(gatherStep)
	}
}

// finishSoon has the outcome stored with others. The poll holds a value of light until then.
func (p *Poller) finishSoon(f *finished) {
	var err error
	if f.outcome, err = p.conclude(f.job.errand.polls, f.job, f.seen, f.failure, f.at); err != nil {
		go p.finish(f, p.light)
		return
	}
	p.soon.mu.Lock()
	defer p.soon.mu.Unlock()
	p.soon.waiting = append(p.soon.waiting, f)
	if !p.soon.busy {
		p.soon.busy = true
		go p.storeSoon()
	}
}

// storeSoon stores what waits until nothing does.
func (p *Poller) storeSoon() {
	var batch []*finished
	var polls []aggregator.Poll
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
		polls = polls[:0]
		for _, f := range batch {
			polls = append(polls, f.job.result(&f.outcome))
		}
		// An outcome that is there is worth storing, also when the program is about to stop.
		errs := p.Store.CommitEach(context.Background(), polls)
		for i, f := range batch {
			if err := errs[i]; err != nil && !errors.Is(err, aggregator.ErrLeaseLost) {
				go p.finish(f, p.light) // which tries it alone, and again where the poll's errand wants that
				continue
			}
			p.settled(f.job, &f.outcome.state.LastPoll, errs[i])
			<-p.light
		}
	}
}
