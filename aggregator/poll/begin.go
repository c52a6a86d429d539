package poll

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// papers is what a poll knows and finds out. They are large, and used again for other polls.
type papers struct {
	// status is the feed as it was at the time read, which is when the poll begins or a moment before.
	status aggregator.FeedStatus
	read   time.Time
	// at is when the poll began, seen and failure are what it met with.
	at      time.Time
	seen    answer
	failure error
	// listing has the items of the feed's last document where the poll brought another.
	listing []aggregator.ListedItem
}

// group are jobs that were leased together, in the order in which most of them begin. The store is asked about their
// feeds for some at a time, since a transaction for each costs more than what is read in it.
type group struct {
	errand *errand
	// since, where it is not zero, keeps feeds from being polled that were polled since then.
	since time.Time
	// left counts the jobs that have not ended. When none is left, ended is closed, where somebody waits for that; the
	// Poller's lock guards it.
	left  atomic.Int32
	ended chan struct{}

	mu sync.Mutex
	// jobs are nil where they have begun or ended.
	jobs []*job
	// question is memory for the next one.
	question question
}

// question is what the store is asked about some jobs.
type question struct {
	jobs     []*job
	leases   []aggregator.Lease
	statuses []*aggregator.FeedStatus
}

func (q *question) add(j *job) {
	q.jobs, q.leases, q.statuses = append(q.jobs, j), append(q.leases, j.lease), append(q.statuses, &j.status)
}

// clear keeps the memory, and nothing of what was in it: a group lasts as long as its slowest poll.
func (q *question) clear() {
	clear(q.jobs)
	clear(q.leases)
	clear(q.statuses)
	q.jobs, q.leases, q.statuses = q.jobs[:0], q.leases[:0], q.statuses[:0]
}

// begun is the place of a job that has none among those that wait.
const begun = -1

const (
	// readAhead is for how many polls the store is asked at once, readAheadFor how long its answer is that of a poll that
	// begins. What changes meanwhile could as well have changed a moment later, while the poll was under way.
	readAhead    = 64
	readAheadFor = time.Second
)

// begin looks the feed up. It reports false, and has ended the job, where it is not to be polled.
func (p *Poller) begin(j *job, now time.Time) bool {
	err := p.lookUp(j, now)
	switch {
	case errors.Is(err, aggregator.ErrLeaseLost):
		p.Log.Info("feed not polled: it was changed, removed or given to another poller meanwhile", "feed", j.lease.Feed)
		p.end(j)
		return false
	case err != nil && j.errand.persist && j.errand.ctx.Err() == nil:
		// The lease is not given back: what cannot be read now is tried again when it has run out, and not in a loop.
		p.Log.Error("feed not polled: it cannot be read from the store", "feed", j.lease.Feed, "error", err)
		p.end(j)
		return false
	case err != nil:
		p.giveBack(err, j)
		return false
	}
	if !j.since.IsZero() && !j.status.State.LastPoll.At.Before(j.since) {
		p.release(j.lease)
		p.end(j)
		return false
	}
	j.at = now
	return true
}

// lookUp gives the job its papers, and does the same for the next ones of its group.
func (p *Poller) lookUp(j *job, now time.Time) error {
	g := j.group
	g.mu.Lock()
	defer g.mu.Unlock()
	behind := g.jobs[j.place+1:]
	g.jobs[j.place], j.place = nil, begun
	fresh := func(other *job) bool { return other.papers != nil && now.Sub(other.read) < readAheadFor }
	if fresh(j) {
		return nil
	}
	q := &g.question
	defer q.clear()
	add := func(other *job) {
		if other.papers == nil {
			other.papers = p.papers.Get().(*papers)
		}
		q.add(other)
	}
	add(j)
	for _, other := range behind {
		if len(q.jobs) == readAhead {
			break
		}
		if other != nil && !fresh(other) {
			add(other)
		}
	}
	errs := p.Queue.LeasedEach(j.errand.polls, q.leases, q.statuses)
	for i, other := range q.jobs {
		if errs[i] == nil { // else it meets with that again when it begins
			other.read = now
		}
	}
	return errs[0]
}

// endPapers keeps the job's papers for another.
func (p *Poller) endPapers(j *job) {
	if j.place != begun {
		// Another one that begins may be giving it papers.
		j.group.mu.Lock()
		j.group.jobs[j.place], j.place = nil, begun
		j.group.mu.Unlock()
	}
	if j.papers != nil {
		*j.papers = papers{}
		p.papers.Put(j.papers)
		j.papers = nil
	}
}
