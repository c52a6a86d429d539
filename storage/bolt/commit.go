package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// What one transaction takes at most. A poll that is larger than maxBatchBytes has one for itself.
const (
	maxBatchPolls = 2048
	maxBatchBytes = 8 << 20
	// maxGather is how long a transaction waits for as many polls as the last one had, and worthBytes is what is worth one
	// without waiting.
	maxGather  = 4 * time.Millisecond
	worthBytes = 1 << 20
)

// commit is a poll that waits to be written.
type commit struct {
	poll aggregator.Poll
	size int
	// pack made the frames of the poll's items.
	pack   *packer
	frames []madeFrame
	// place is where among the polls it was given.
	place int
	// done gets the outcome once.
	done chan error
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

// withdraw reports whether the commit was still waiting; it no longer is.
func (q *queue) withdraw(c *commit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, c)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.size -= c.size
	return true
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
	c, err := s.newCommit(ctx, poll)
	if err != nil {
		return err
	}
	s.queue.add(c)
	return s.written(ctx, c)
}

// CommitEach commits the polls as so many calls of Commit at once do; see storage.PollStore.
func (s *Store) CommitEach(ctx context.Context, polls []aggregator.Poll) []error {
	errs := make([]error, len(polls))
	commits := make([]*commit, 0, len(polls))
	for i, poll := range polls {
		c, err := s.newCommit(ctx, poll)
		if err != nil {
			errs[i] = err
			continue
		}
		c.place = i
		commits = append(commits, c)
	}
	s.queue.add(commits...)
	for _, c := range commits {
		errs[c.place] = s.written(ctx, c)
	}
	return errs
}

// written sees to it that a commit that was queued is written, and gives its outcome.
func (s *Store) written(ctx context.Context, c *commit) error {
	for {
		select {
		case err := <-c.done:
			return err
		default:
		}
		select {
		case err := <-c.done:
			return err
		case s.writing <- struct{}{}:
			s.commitBatch()
			s.unlock()
		case <-ctx.Done():
			if s.queue.withdraw(c) {
				return ctx.Err()
			}
			return <-c.done
		}
	}
}

// newCommit prepares a poll to be queued.
func (s *Store) newCommit(ctx context.Context, poll aggregator.Poll) (*commit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := checked(poll)
	if err == nil && len(c.poll.Items) > 0 {
		var m *framer
		select {
		case m = <-s.framers:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		err = c.encode(m, s.pack())
		s.framers <- m
	}
	if err != nil {
		return nil, fmt.Errorf("commit poll of feed %q: %w: %w", poll.Feed, aggregator.ErrRefused, err)
	}
	return c, nil
}

// checked checks what can be checked without the store.
func checked(poll aggregator.Poll) (*commit, error) {
	c := &commit{poll: poll, size: 512 + listedLen*len(poll.Listing), done: make(chan error, 1)}
	if len(poll.Items) == 0 {
		return c, nil
	}
	c.poll.Items = make([]aggregator.Item, 0, len(poll.Items))
	last := make(map[aggregator.ItemID]int, len(poll.Items))
	for i, it := range poll.Items {
		last[it.ID] = i
	}
	for i, it := range poll.Items {
		switch {
		case last[it.ID] != i:
			continue
		case it.ID == aggregator.ItemID{}:
			return nil, fmt.Errorf("item %q has no id", it.Title)
		case it.Story == aggregator.StoryID{}:
			return nil, fmt.Errorf("item %v has no story", it.ID)
		case it.Feed != poll.Feed:
			return nil, fmt.Errorf("item %v belongs to feed %q", it.ID, it.Feed)
		}
		topics, err := tidyTopics(it.Topics)
		if err != nil {
			return nil, fmt.Errorf("item %v: %w", it.ID, err)
		}
		it.Topics = topics
		c.poll.Items = append(c.poll.Items, it)
		c.size += textSize(&it)
	}
	return c, nil
}

// encode makes the frames of the items as if all were new, which most are: it is the larger part of the work, and here
// nobody waits for it.
func (c *commit) encode(m *framer, p *packer) (err error) {
	c.pack = p
	c.frames, err = m.frames(p, c.poll.Items)
	return err
}

// commitBatch writes what waits. Who calls it holds writing.
func (s *Store) commitBatch() {
	if s.lastBatch > 1 {
		s.queue.gather(min(2*s.lastBatch, maxBatchPolls))
	}
	var batch []*commit
	for _, c := range s.queue.take() {
		if !s.leases.begin(c.poll) {
			c.done <- fmt.Errorf("commit poll of feed %q: %w", c.poll.Feed, aggregator.ErrLeaseLost)
			continue
		}
		batch = append(batch, c)
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
		s.leases.end(c.poll, own == nil)
		if own != nil {
			own = fmt.Errorf("commit poll of feed %q: %w", c.poll.Feed, own)
		}
		c.done <- own
	}
	if err == nil {
		s.trainWhenReady()
	}
}

func (s *Store) apply(batch ...*commit) error {
	return s.update(func(w *writer) error {
		if err := w.lookAhead(batch); err != nil {
			return err
		}
		for _, c := range batch {
			if err := w.applyPoll(c); err != nil {
				return err
			}
		}
		s.lastSeq = w.bucket(itemsBucket).Sequence()
		return nil
	})
}
