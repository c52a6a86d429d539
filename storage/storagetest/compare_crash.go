package storagetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
)

// crashInCall opens the store again in the middle of a call. What the call had to do is then there or not, each poll as a
// whole; work that is done in parts is begun again, and ends as it would have.
func (p *pair) crashInCall() {
	p.crashes++
	switch p.rnd.IntN(6) {
	case 0:
		rules, file := p.newRules()
		p.crashAndRepeat(func(s storage.Store) error {
			_, err := s.Refile(p.ctx, rules, file)
			return err
		})
	case 1:
		keep, now := p.retention()
		p.crashAndRepeat(func(s storage.Store) error {
			_, err := s.Prune(p.ctx, keep, now)
			return err
		})
	case 2:
		old := p.store
		p.crashDuring(func() error {
			_, err := old.Compact(p.ctx)
			return err
		})
	default:
		p.crashInPolls()
	}
	p.model = p.model.Reopen()
}

// mostReads take about as long as a call.
const mostReads = 5000

// crashDuring is crash, in the middle of a call to the old store.
func (p *pair) crashDuring(call func() error) {
	ended := make(chan error, 1)
	old := p.store
	p.Cleanup(func() { p.ok(old.Close()) })
	go func() { ended <- call() }()
	// How many reads fit in before the crash decides how far the call has come.
	for range p.rnd.IntN(mostReads) {
		if _, err := old.Listing(p.ctx, poolFeeds[0]); !errors.Is(err, aggregator.ErrNotFound) {
			p.ok(err)
		}
	}
	p.store = p.open()
	p.ok(<-ended)
}

// crashAndRepeat does in the new store what the crash met with, and once to the model.
func (p *pair) crashAndRepeat(call func(storage.Store) error) {
	old := p.store
	p.crashDuring(func() error { return call(old) })
	p.ok(call(p.store))
	p.ok(call(p.model))
}

// crashInPolls commits some polls at once. The model gets those that the new store has.
func (p *pair) crashInPolls() {
	for _, s := range p.both() {
		p.ok(s.MakeDue(p.ctx, p.now))
	}
	p.claimBoth(len(poolFeeds), time.Hour)
	var polls, stored []*aggregator.Poll
	var tokens []uint64
	for _, id := range poolFeeds {
		l, ok := p.leases[id]
		if !ok || p.rnd.IntN(3) == 0 {
			continue
		}
		poll := p.outcomeOf(id)
		poll.Token = l[0].Token
		poll.State.Validators.ETag = fmt.Sprint("crash ", p.crashes)
		polls, tokens = append(polls, &poll), append(tokens, l[1].Token)
	}
	old := p.store
	p.crashDuring(func() error {
		for _, err := range old.CommitEach(p.ctx, polls) {
			if err != nil && !errors.Is(err, aggregator.ErrLeaseLost) {
				return err
			}
		}
		return nil
	})
	for i, poll := range polls {
		status, err := p.store.Feed(p.ctx, poll.Feed)
		p.ok(err)
		if status.State.Validators == poll.State.Validators {
			poll.Token = tokens[i]
			stored = append(stored, poll)
		}
	}
	for _, err := range p.model.CommitEach(p.ctx, stored) {
		p.ok(err)
	}
}
