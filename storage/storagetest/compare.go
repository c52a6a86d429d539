package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/storage"
	"github.com/topicwire/topicwire/storage/memory"
)

// Compare does steps random operations, reopenings and crashes between and in them among them, to a backend and to the
// model in storage/memory, and checks that both answer alike all along. The seed is fixed: what fails fails again, but for
// the instant at which a crash meets an operation.
func Compare(t *testing.T, fresh Fresh, steps int) {
	t.Helper()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := &pair{
				bench: newBench(t, fresh), model: memory.New(nil), rnd: rand.New(rand.NewPCG(seed, 2026)),
				now: start, leases: make(map[aggregator.FeedID][2]aggregator.Lease),
			}
			p.last = p.versions()
			for step := range steps / 4 {
				what := p.step()
				if t.Failed() {
					t.Fatalf("step %d: %s", step, what)
				}
				p.compareVersions(fmt.Sprintf("step %d: %s", step, what))
				if step%16 == 0 || slices.Contains(rare, what) {
					p.compare(fmt.Sprintf("step %d: %s", step, what))
				}
			}
		})
	}
}

// rare are the operations after which all is compared. After others it is from time to time.
var rare = []string{"refile", "prune", "check and compact", "crash", "crash in a call", "reopen"}

// pair is a store and the model of it.
type pair struct {
	*bench
	model *memory.Store
	rnd   *rand.Rand
	now   time.Time
	// leases are held, or were: some are kept after they ended.
	leases map[aggregator.FeedID][2]aggregator.Lease
	last   [2][]aggregator.Version
	rules  int
	// crashes counts those in calls.
	crashes int
}

var (
	poolFeeds  = []aggregator.FeedID{"a", "b", "c", "d", "e"}
	poolTopics = []aggregator.TopicID{"cloud", "cloudy", "privacy", "t"}
)

const (
	poolItems   = 12 // of each feed
	poolStories = 15
)

func (p *pair) both() [2]storage.Store { return [2]storage.Store{p.store, p.model} }

// step does one operation to both and gives its name.
func (p *pair) step() string {
	p.now = p.now.Add(time.Duration(p.rnd.Int64N(int64(10 * time.Minute))))
	switch n := p.rnd.IntN(100); {
	case n < 55:
		p.poll()
		return "poll"
	case n < 75:
		p.claimBoth(p.rnd.IntN(4), time.Duration(p.rnd.Int64N(int64(40*time.Minute))))
		return "claim"
	case n < 81:
		p.release()
		return "release"
	case n < 88:
		p.syncBoth()
		return "sync"
	case n < 92:
		at := p.now.Add(time.Duration(p.rnd.Int64N(int64(time.Hour))))
		for _, s := range p.both() {
			p.ok(s.MakeDue(p.ctx, at))
		}
		return "make due"
	case n < 94:
		p.refile()
		return "refile"
	case n < 96:
		p.prune()
		return "prune"
	case n < 97:
		p.maintain()
		return "check and compact"
	case n < 98:
		p.crash()
		p.model = p.model.Reopen()
		return "crash"
	case n < 99:
		p.crashInCall()
		return "crash in a call"
	default:
		p.reopen()
		p.model = p.model.Reopen()
		return "reopen"
	}
}

func (p *pair) syncBoth() {
	var feeds []aggregator.Feed
	for _, id := range poolFeeds {
		if p.rnd.IntN(5) == 0 {
			continue
		}
		f := feed(id)
		f.URL += fmt.Sprint("?", p.rnd.IntN(8)/7)
		f.Schedule = fmt.Sprint("@every ", 1+p.rnd.IntN(8)/7, "h")
		f.Title = fmt.Sprint(p.rnd.IntN(2))
		feeds = append(feeds, f)
	}
	base := p.now.Add(time.Duration(p.rnd.Int64N(int64(time.Hour))))
	for _, s := range p.both() {
		p.ok(s.SyncFeeds(p.ctx, feeds, func(f aggregator.Feed, old aggregator.FeedState) time.Time {
			return base.Add(time.Duration(len(f.URL)+len(old.Validators.ETag)+int(f.ID[0])) * time.Second)
		}))
	}
}

func (p *pair) claimBoth(limit int, duration time.Duration) {
	var got [2][]aggregator.Lease
	for i, s := range p.both() {
		leases, err := s.Claim(p.ctx, p.now, duration, limit)
		p.ok(err)
		got[i] = leases
	}
	p.same("number of leases", len(got[0]), len(got[1]))
	for i, l := range got[0] {
		want := got[1][i]
		p.leases[l.Feed] = [2]aggregator.Lease{l, want}
		want.Token = l.Token
		p.same("lease", l, want)
		// Who polls looks a feed up first, and a backend may remember what it gave.
		status, err := p.store.Leased(p.ctx, l)
		p.ok(err)
		expected, err := p.model.Feed(p.ctx, l.Feed)
		p.ok(err)
		p.same("leased feed", status, expected)
	}
}

// pick is a feed's latest leases, which may have ended.
func (p *pair) pick() ([2]aggregator.Lease, bool) {
	l, ok := p.leases[poolFeeds[p.rnd.IntN(len(poolFeeds))]]
	return l, ok
}

func (p *pair) release() {
	if l, ok := p.pick(); ok {
		postpone, due := p.rnd.IntN(2) == 0, p.now.Add(time.Duration(p.rnd.Int64N(int64(time.Hour))))
		for i, s := range p.both() {
			if postpone {
				l[i].Due = due
				p.ok(s.Postpone(p.ctx, l[i]))
				continue
			}
			p.ok(s.Release(p.ctx, l[i]))
		}
	}
}

func (p *pair) poll() {
	l, ok := p.pick()
	if !ok {
		return
	}
	poll := p.outcomeOf(l[0].Feed)
	var lost [2]bool
	for i, s := range p.both() {
		poll.Token = l[i].Token
		var err error
		if len(poll.Items) == 0 && !poll.Relist {
			err = s.CommitPrepared(p.ctx, []aggregator.Prepared{s.Prepare(poll.Feed, poll.Token, &poll.State)})[0]
		} else {
			err = s.Commit(p.ctx, poll)
		}
		lost[i] = errors.Is(err, aggregator.ErrLeaseLost)
		if !lost[i] {
			p.ok(err)
		}
	}
	p.same("lease lost", lost[0], lost[1])
}

// outcomeOf is a poll of the feed, without a token.
func (p *pair) outcomeOf(id aggregator.FeedID) aggregator.Poll {
	status, err := p.model.Feed(p.ctx, id)
	p.ok(err)
	state := status.State
	state.Due = p.now.Add(time.Duration(p.rnd.Int64N(int64(time.Hour))))
	state.Validators.ETag = fmt.Sprint(p.rnd.IntN(100))
	state.Failures = p.rnd.IntN(3)
	state.LastPoll = aggregator.PollRecord{At: p.now, Outcome: aggregator.OutcomeStored, Status: 200}
	var items []aggregator.Item
	for range p.rnd.IntN(5) {
		items = append(items, p.item(id))
	}
	poll := aggregator.Poll{Feed: id, State: state, Items: items, Relist: p.rnd.IntN(2) == 0}
	for n := range p.rnd.IntN(3) {
		poll.Listing = append(poll.Listing, aggregator.ListedItem{Bytes: aggregator.HashOf(fmt.Sprint(n))})
	}
	if p.rnd.IntN(4) == 0 {
		poll.State.MovedTo = fmt.Sprint("https://example.net/", p.rnd.IntN(2))
	}
	return poll
}

// poolStory is the n-th of few possible ones. Two at a time begin alike, since a store may have a part of an id in a key.
func poolStory(n int) aggregator.StoryID {
	id := storyID(fmt.Sprint(n / 2))
	id[len(id)-1] = byte(n % 2)
	return id
}

// item makes a new or changed item of few possible ones, so that everything meets everything.
func (p *pair) item(id aggregator.FeedID) aggregator.Item {
	it := item(id, fmt.Sprint(p.rnd.IntN(poolItems)), p.rnd.IntN(20))
	it.Story = poolStory(p.rnd.IntN(poolStories))
	it.OrderTime = at(p.rnd.IntN(20))
	for range p.rnd.IntN(4) {
		it.Topics = append(it.Topics, poolTopics[p.rnd.IntN(len(poolTopics))])
	}
	for range p.rnd.IntN(3) {
		it.Aliases = append(it.Aliases, itemID(id, fmt.Sprint(p.rnd.IntN(2*poolItems))))
	}
	if old, err := p.model.Item(p.ctx, it.ID); err == nil {
		it.Revision = old.Revision + p.rnd.IntN(2)
	}
	it.Title = fmt.Sprint("title ", p.rnd.Uint32())
	it.Hash = aggregator.HashOf(it.Title)
	return it
}

func (p *pair) refile() {
	rules, file := p.newRules()
	var n [2]int
	for i, s := range p.both() {
		changed, err := s.Refile(p.ctx, rules, file)
		p.ok(err)
		n[i] = changed
	}
	p.same("items filed anew", n[0], n[1])
}

// newRules are the topics of items from now on.
func (p *pair) newRules() (rules aggregator.Hash, file func(aggregator.Item) []aggregator.TopicID) {
	p.rules += p.rnd.IntN(3)
	rules = aggregator.HashOf(fmt.Sprint(p.rules))
	return rules, func(it aggregator.Item) []aggregator.TopicID {
		if sum := aggregator.HashOf(rules[:], it.ID[:]); sum[0]%4 == 0 {
			return []aggregator.TopicID{poolTopics[int(sum[1])%len(poolTopics)]}
		}
		return it.Topics
	}
}

func (p *pair) prune() {
	keep, now := p.retention()
	var reports [2]aggregator.PruneReport
	for i, s := range p.both() {
		report, err := s.Prune(p.ctx, keep, now)
		p.ok(err)
		reports[i] = report
	}
	p.same("pruned", reports[0], reports[1])
}

// retention is what is to be kept, and the time at which.
func (p *pair) retention() (keep aggregator.Retention, now time.Time) {
	rule := func() aggregator.Keep {
		return aggregator.Keep{
			Age: time.Duration(p.rnd.IntN(3)) * 5 * time.Minute, Items: p.rnd.IntN(3) * p.rnd.IntN(poolItems),
		}
	}
	keep = aggregator.Retention{
		General: rule(),
		Feeds:   map[aggregator.FeedID]aggregator.Keep{"a": rule(), "b": {}},
		Topics:  map[aggregator.TopicID]aggregator.Keep{"t": rule(), "cloud": rule()},
	}
	return keep, at(p.rnd.IntN(25))
}

func (p *pair) maintain() {
	_, err := p.store.Compact(p.ctx)
	p.ok(err)
	report, err := p.store.Check(p.ctx, false)
	p.ok(err)
	p.same("problems", report.Problems, []string(nil))
}
