package poll

import (
	"context"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/hosts"
)

// giveBackWaiting gives the leases back of polls that have not started, which are those that which says.
func (p *Poller) giveBackWaiting(cause error, which func(*job) bool) {
	now := p.Now()
	jobs := p.waiting.Remove(which, now)
	for _, turn := range p.crowded.Remove(func(turn hosts.Turn[*job]) bool { return which(turn.Item) }, now) {
		p.waiting.Done(turn, now)
		jobs = append(jobs, turn.Item)
	}
	p.giveBack(cause, jobs...)
}

// giveBack ends polls that were not made or not stored.
func (p *Poller) giveBack(cause error, jobs ...*job) {
	if len(jobs) == 0 {
		return
	}
	leases := make([]aggregator.Lease, 0, len(jobs))
	for _, j := range jobs {
		leases = append(leases, j.lease)
	}
	p.release(leases...)
	for _, j := range jobs {
		if j.errand.failed != nil && j.errand.ctx.Err() == nil {
			j.errand.failed(j, cause)
		}
		p.end(j)
	}
	p.mayHaveRoom()
}

// giveBackLater ends polls whose hosts cannot be asked soon: their feeds are due when their hosts can.
func (p *Poller) giveBackLater(turns []hosts.Turn[*job], now time.Time) {
	if len(turns) == 0 {
		return
	}
	leases := make([]aggregator.Lease, 0, len(turns))
	for _, turn := range turns {
		lease := turn.Item.lease
		lease.Due = turn.Later.UTC()
		leases = append(leases, lease)
	}
	if err := p.Queue.Postpone(context.Background(), leases...); err != nil {
		p.Log.Error("put off feeds whose hosts cannot be asked yet", "feeds", len(leases), "error", err)
		p.release(leases...)
	}
	for _, turn := range turns {
		if e := turn.Item.errand; e.putOff != nil {
			e.putOff(turn.Item, turn.Later, !p.waiting.Held(turn.Key, now).IsZero())
		}
		p.end(turn.Item)
	}
	p.mayHaveRoom()
}

// end notes that a poll is over.
func (p *Poller) end(j *job) {
	p.endPapers(j)
	if p.inHand.Add(-1) == roomInHand {
		p.mayHaveRoom()
	}
	p.mayBeEnough()
	if j.left.Add(-1) == 0 {
		p.endGroup(j.group)
	}
}

func (p *Poller) endGroup(g *group) {
	p.mu.Lock()
	delete(p.running, g)
	if g.ended != nil {
		close(g.ended)
	}
	p.mu.Unlock()
	g.errand.groups.Done()
}
