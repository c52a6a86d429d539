package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// What one transaction takes at most. A poll that is larger than maxBatchBytes has one for itself.
const (
	maxBatchPolls = 8192
	maxBatchBytes = 8 << 20
	// maxGather is how long a transaction waits for as many polls as the last one had, and worthBytes is what is worth one
	// without waiting. More in a transaction takes less of the one who writes, but leaves less to those who compress meanwhile.
	maxGather  = 4 * time.Millisecond
	worthBytes = 3 << 19
)

// commit is a poll that waits to be written.
type commit struct {
	feed  aggregator.FeedID
	token uint64
	state readyState
	// found is what the poll has found beside that, nil where it is nothing: many commits wait that have only a state.
	found *findings
	size  int
	// call is what waits for the outcome, err the outcome.
	call *call
	err  error
}

// leasedCommit is a commit whose lease stands, with the feed's place and what the lease knows of the state that the poll's takes
// the place of.
type leasedCommit struct {
	*commit
	place uint32
	old   knownHead
}

// call is one call of Commit, CommitEach or CommitPrepared.
type call struct {
	// open counts its commits that have no outcome yet; done is closed when there is none.
	open atomic.Int64
	done chan struct{}
}

func newCall(commits int) *call {
	c := &call{done: make(chan struct{})}
	c.open.Store(int64(commits))
	return c
}

// end gives the commit its outcome.
func (c *commit) end(err error) {
	c.err = err
	if c.call.open.Add(-1) == 0 {
		close(c.call.done)
	}
}

// queue is what waits, in order of arrival.
type queue struct {
	mu      sync.Mutex
	waiting []*commit
	// size is that of all that wait.
	size int
	// wanted is how many whoever gathers waits for, enough what tells that they are there; nil while nobody gathers.
	wanted int
	enough chan struct{}
}

func (q *queue) add(c ...*commit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, c...)
	for _, c := range c {
		q.size += c.size
	}
	if q.enough != nil && q.worth() {
		close(q.enough)
		q.enough = nil
	}
}

// worth reports whether what waits is worth a transaction. q.mu is locked.
func (q *queue) worth() bool { return len(q.waiting) >= q.wanted || q.size >= worthBytes }

// gather waits until so many commits wait, or so much, for a few milliseconds at most. Callers that commit in step, each
// waiting for the last answer before the next poll, would otherwise fall into two halves that write by turns.
func (q *queue) gather(wanted int) {
	q.mu.Lock()
	q.wanted = wanted
	if q.worth() {
		q.mu.Unlock()
		return
	}
	enough := make(chan struct{})
	q.enough = enough
	q.mu.Unlock()
	timer := time.NewTimer(maxGather)
	defer timer.Stop()
	select {
	case <-enough:
	case <-timer.C:
		q.mu.Lock()
		defer q.mu.Unlock()
		q.enough = nil
	}
}

// withdraw ends the commits of a call that still wait.
func (q *queue) withdraw(by *call, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(c *commit) bool {
		if c.call != by {
			return false
		}
		q.size -= c.size
		c.end(err)
		return true
	})
}

// take removes what the next transaction is to write.
func (q *queue) take() []*commit {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.waiting) && n < maxBatchPolls {
		next := q.waiting[n].size
		if n > 0 && size+next > maxBatchBytes {
			break
		}
		n, size = n+1, size+next
	}
	q.size -= size
	batch := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return batch
}

// Commit applies the poll whole; see storage.PollStore. When ctx ends before the poll is taken into a transaction,
// nothing is stored and the error is that of ctx; when it ends later, Commit waits for the outcome.
func (s *Store) Commit(ctx context.Context, poll aggregator.Poll) error {
	return s.CommitEach(ctx, []*aggregator.Poll{&poll})[0]
}

// CommitEach commits the polls as so many calls of Commit at once do; see storage.PollStore.
func (s *Store) CommitEach(ctx context.Context, polls []*aggregator.Poll) []error {
	commits := make([]commit, len(polls))
	waiting := make([]*commit, 0, len(polls))
	for i := range commits {
		c := &commits[i]
		if c.err = s.makeCommit(ctx, c, polls[i]); c.err == nil {
			waiting = append(waiting, c)
		}
	}
	s.commit(ctx, waiting)
	errs := make([]error, len(polls))
	for i := range commits {
		errs[i] = commits[i].err
	}
	return errs
}

// commit gives the commits their outcomes.
func (s *Store) commit(ctx context.Context, commits []*commit) {
	if len(commits) == 0 {
		return
	}
	this := newCall(len(commits))
	for _, c := range commits {
		c.call = this
	}
	s.queue.add(commits...)
	s.write(ctx, this)
}

// write sees to it that the commits of a call, which are queued, have their outcomes.
func (s *Store) write(ctx context.Context, this *call) {
	for {
		select {
		case <-this.done:
			return
		default:
		}
		select {
		case <-this.done:
			return
		case s.writing <- struct{}{}:
			s.commitBatch()
			s.unlock()
		case <-ctx.Done():
			s.queue.withdraw(this, ctx.Err())
			<-this.done
			return
		}
	}
}

// makeCommit prepares a poll to be queued.
func (s *Store) makeCommit(ctx context.Context, c *commit, poll *aggregator.Poll) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.feed, c.token, c.state, c.size = poll.Feed, poll.Token, s.ready(&poll.State), 512+listedLen*len(poll.Listing)
	if len(poll.Items) == 0 && !poll.Relist {
		return nil
	}
	c.found = s.newFindings(poll)
	size, err := c.found.check()
	c.size += size
	if err == nil && len(c.found.items) > 0 {
		var m *framer
		select {
		case m = <-s.framers:
		case <-ctx.Done():
			s.giveBack(c)
			return ctx.Err()
		}
		err = c.found.encode(m, s.pack())
		s.framers <- m
	}
	if err != nil {
		s.giveBack(c)
		return fmt.Errorf("commit poll of feed %q: %w: %w", poll.Feed, aggregator.ErrRefused, err)
	}
	return nil
}

// commitBatch writes what waits. Who calls it holds writing.
func (s *Store) commitBatch() {
	if s.lastBatch > 1 {
		s.queue.gather(min(2*s.lastBatch, maxBatchPolls))
	}
	taken := s.queue.take()
	batch := make([]leasedCommit, 0, len(taken))
	for _, c := range taken {
		place, old, ok := s.leases.begin(c.feed, c.token)
		if !ok {
			c.end(fmt.Errorf("commit poll of feed %q: %w", c.feed, aggregator.ErrLeaseLost))
			continue
		}
		batch = append(batch, leasedCommit{c, place, old})
	}
	s.lastBatch = len(batch)
	if len(batch) == 0 {
		return
	}
	err := s.apply(batch...)
	for _, c := range batch {
		own := err
		if err != nil && len(batch) > 1 && !errors.Is(err, errDamaged) && !errors.Is(err, errClosed) && !errors.Is(err, errDisk) {
			own = s.apply(c)
		}
		s.leases.end(c.feed, c.state.due, own == nil)
		if own != nil {
			own = fmt.Errorf("commit poll of feed %q: %w", c.feed, own)
		}
		s.giveBack(c.commit)
		c.end(own)
	}
	if err == nil {
		s.trainWhenReady()
		s.surveyWhenWorth()
	}
}

func (s *Store) apply(batch ...leasedCommit) error {
	return s.transact(func(w *writer) error {
		for i := range batch {
			if err := w.applyPoll(&batch[i]); err != nil {
				return err
			}
		}
		s.lastSeq = w.bucket(itemsBucket).Sequence()
		return nil
	})
}
