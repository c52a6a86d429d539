package poll_test

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/storage/memory"
)

// dueStore is the store in memory with an index of due times, since that looks at all feeds to find the next.
type dueStore struct {
	*memory.Store
	mu  sync.Mutex
	due dueHeap
}

type dueEntry struct {
	at   time.Time
	feed aggregator.FeedID
}

type dueHeap []dueEntry

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	return cmp.Or(h[i].at.Compare(h[j].at), cmp.Compare(h[i].feed, h[j].feed)) < 0
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(dueEntry)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (s *dueStore) add(at time.Time, feed aggregator.FeedID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heap.Push(&s.due, dueEntry{at, feed})
}

// Claim implements poll.Queue.
func (s *dueStore) Claim(ctx context.Context, now time.Time, d time.Duration, limit int) (leases []aggregator.Lease, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(leases) < limit && len(s.due) > 0 && !s.due[0].at.After(now) {
		lease, err := s.ClaimFeed(ctx, heap.Pop(&s.due).(dueEntry).feed, now, d)
		if err != nil {
			return nil, err
		}
		leases = append(leases, lease)
	}
	return leases, nil
}

// NextDue implements poll.Queue.
func (s *dueStore) NextDue(context.Context, time.Time) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.due) == 0 {
		return time.Time{}, nil
	}
	return s.due[0].at, nil
}

// CommitEach implements poll.Store.
func (s *dueStore) CommitEach(ctx context.Context, polls []*aggregator.Poll) []error {
	for _, p := range polls {
		defer s.add(p.State.Due, p.Feed)
	}
	return s.Store.CommitEach(ctx, polls)
}

// CommitPrepared implements poll.Store.
func (s *dueStore) CommitPrepared(ctx context.Context, prepared []aggregator.Prepared) []error {
	for _, p := range prepared {
		defer s.add(p.Due(), p.Feed())
	}
	return s.Store.CommitPrepared(ctx, prepared)
}

// Postpone implements poll.Queue.
func (s *dueStore) Postpone(ctx context.Context, leases ...aggregator.Lease) error {
	for _, l := range leases {
		defer s.add(l.Due, l.Feed)
	}
	return s.Store.Postpone(ctx, leases...)
}

// Release implements poll.Queue.
func (s *dueStore) Release(ctx context.Context, leases ...aggregator.Lease) error {
	for _, l := range leases {
		defer s.add(l.Due, l.Feed)
	}
	return s.Store.Release(ctx, leases...)
}

// request is a line of the week's log.
type request struct {
	url, host  string
	began, end time.Time
	status     int
}

// world answers for all publishers and logs what it is asked.
type world struct {
	mu    sync.Mutex
	log   []request
	polls map[string]int
}

// Get implements poll.Fetcher. What a publisher is like is in its URL.
func (w *world) Get(_ context.Context, req fetch.Request) (*fetch.Response, error) {
	began := time.Now()
	w.mu.Lock()
	w.polls[req.URL]++
	n := w.polls[req.URL]
	w.mu.Unlock()
	took := time.Duration(50+int(aggregator.HashOf(req.URL)[0])) * time.Millisecond
	if strings.Contains(req.URL, "/slow") {
		took = 20 * time.Second
	}
	time.Sleep(took)
	resp, err := w.answer(req.URL, n, began)
	entry := request{url: req.URL, host: hosts.KeyOf(req.URL).Host, began: began, end: time.Now()}
	var failure *fetch.Error
	if errors.As(err, &failure) {
		entry.status = failure.Status
	} else {
		entry.status = resp.Status
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, entry)
	return resp, err
}

// throttledFor is what the host busy.com asks for at some hours of the day.
const throttledFor = 2 * time.Hour

func (w *world) answer(url string, n int, now time.Time) (*fetch.Response, error) {
	fail := func(status int, retryAfter time.Time) (*fetch.Response, error) {
		return nil, &fetch.Error{URL: url, Status: status, RetryAfter: retryAfter, Err: fmt.Errorf("status %d", status)}
	}
	switch {
	case strings.Contains(url, "busy.com") && now.Hour()%6 == 3:
		return fail(429, time.Now().Add(throttledFor))
	case strings.Contains(url, "/gone"):
		return fail(410, time.Time{})
	case strings.Contains(url, "/broken"):
		return fail(500, time.Time{})
	}
	resp := &fetch.Response{URL: url, Status: 304, NotModified: true, Validators: aggregator.Validators{ETag: `"1"`}}
	if n%8 == 1 {
		resp, _ = document(`"1"`, fmt.Sprintf("%d|%s%d|news", n, url, n))()
		resp.URL = url
	}
	if strings.Contains(url, "/fresh") {
		resp.Freshness.CacheControl = "max-age=43200"
	}
	return resp, nil
}

// weekOfFeeds are feeds of all kinds: most have a host of their own, a tenth are on one platform, some share hosts.
func weekOfFeeds() []aggregator.Feed {
	specs := []string{"@every 6h", "0 */8 * * *", "@daily", "@every 12h", "@adaptive 2h 1d"}
	kinds := []string{"plain", "plain", "plain", "plain", "fresh", "plain", "slow", "broken", "plain", "gone"}
	feeds := make([]aggregator.Feed, 0, weekFeeds)
	for i := range weekFeeds {
		host := fmt.Sprintf("own%d.com", i)
		switch {
		case i%10 == 1:
			host = fmt.Sprintf("s%d.big.com", i)
		case i%10 == 2:
			host = fmt.Sprintf("shared%d.com", i/200)
		case i%200 == 3:
			host = fmt.Sprintf("s%d.busy.com", i)
		}
		kind := kinds[i/10%len(kinds)]
		if kind == "slow" && i%10 == 1 {
			kind = "plain" // the platform is quick
		}
		feeds = append(feeds, aggregator.Feed{
			ID: aggregator.FeedID(fmt.Sprint("f", i)), URL: fmt.Sprintf("https://%s/%s%d", host, kind, i), Schedule: specs[i%len(specs)],
		})
	}
	return feeds
}

// weekLimits are those of hosts; the platform may be asked more.
var weekLimits = hosts.Limits{
	Each: hosts.Limit{Connections: 2, Delay: 250 * time.Millisecond}, Hosts: map[string]hosts.Limit{"big.com": {Connections: 4, Delay: 100 * time.Millisecond}},
}

// TestWeek simulates a week of feeds of all kinds and checks the log of it.
func TestWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := &world{polls: make(map[string]int)}
		store := &dueStore{Store: memory.New(time.Now)}
		feeds := weekOfFeeds()
		err := store.SyncFeeds(t.Context(), feeds, func(aggregator.Feed, aggregator.FeedState) time.Time { return began })
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range feeds {
			store.add(began, f.ID)
		}
		random := uint64(1)
		var mu sync.Mutex
		poller := poll.New(poll.Options{
			Store: store, Queue: store, Directory: store, Archive: store, Fetcher: w, Topics: topics{}, Workers: 64, Timeout: 30 * time.Second,
			Grace: time.Second, Hosts: weekLimits, Now: time.Now,
			Jitter: func() float64 {
				mu.Lock()
				defer mu.Unlock()
				random = random*6364136223846793005 + 1442695040888963407
				return float64(random>>11) / (1 << 53)
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); poller.Run(ctx) }()
		time.Sleep(7 * 24 * time.Hour)
		cancel()
		<-ended
		t.Logf("%d feeds were polled %d times", len(feeds), len(w.log))
		checkHosts(t, w.log)
		checkFeeds(t, feeds, w.log, began)
	})
}

// checkHosts holds the log against the limits of hosts and against what they ask for.
func checkHosts(t *testing.T, log []request) {
	byHost := make(map[string][]request)
	for _, r := range log {
		byHost[r.host] = append(byHost[r.host], r)
	}
	for host, requests := range byHost {
		limit, own := weekLimits.Hosts[host]
		if !own {
			limit = weekLimits.Each
		}
		slices.SortFunc(requests, func(a, b request) int { return a.began.Compare(b.began) })
		var open []request
		var held time.Time
		for i, r := range requests {
			open = slices.DeleteFunc(open, func(o request) bool { return !o.end.After(r.began) })
			open = append(open, r)
			if len(open) > limit.Connections {
				t.Errorf("%s: %d requests at once, at most %d are allowed", host, len(open), limit.Connections)
			}
			if i > 0 && r.began.Sub(requests[i-1].began) < limit.Delay {
				t.Errorf("%s: requests %s apart, at least %s are wanted", host, r.began.Sub(requests[i-1].began), limit.Delay)
			}
			if r.began.Before(held) {
				t.Errorf("%s: asked at %s, though it asked to be left alone until %s", host, r.began, held)
			}
			for _, before := range requests[:i] {
				if before.status == 429 && !before.end.After(r.began) && before.end.Add(throttledFor).After(held) {
					held = before.end.Add(throttledFor)
				}
			}
			if r.began.Before(held) && t.Failed() {
				break
			}
		}
	}
	if len(byHost["busy.com"]) == 0 || !slices.ContainsFunc(byHost["busy.com"], func(r request) bool { return r.status == 429 }) {
		t.Error("no host was throttled: the week shows nothing")
	}
}

// paces are the least and the greatest distance between two polls of a healthy feed by its schedule, the first polls
// after the start left out. A cron time fires up to 5 minutes late, and a host may have to be waited for.
var paces = map[string][2]time.Duration{
	"@every 6h": {3 * time.Hour, 9 * time.Hour}, "0 */8 * * *": {8*time.Hour - 10*time.Minute, 8*time.Hour + 10*time.Minute},
	"@daily": {24*time.Hour - 10*time.Minute, 24*time.Hour + 10*time.Minute}, "@every 12h": {6 * time.Hour, 18 * time.Hour},
	"@adaptive 2h 1d": {2 * time.Hour, 25 * time.Hour},
}

// checkFeeds holds the log against the feeds' schedules and what their publishers say.
func checkFeeds(t *testing.T, feeds []aggregator.Feed, log []request, began time.Time) {
	byURL := make(map[string][]request)
	for _, r := range log {
		byURL[r.url] = append(byURL[r.url], r)
	}
	const week = 7 * 24 * time.Hour
	for _, f := range feeds {
		requests := byURL[f.URL]
		slices.SortFunc(requests, func(a, b request) int { return a.began.Compare(b.began) })
		pace := paces[f.Schedule]
		least, most := pace[0], pace[1]
		healthy := true
		switch {
		case strings.Contains(f.URL, "/gone"):
			if len(requests) != 2 || requests[1].began.Sub(requests[0].began) < 24*time.Hour {
				t.Errorf("%s: %d polls of a feed that is gone, want two a day apart", f.URL, len(requests))
			}
			continue
		case strings.Contains(f.URL, "/broken"), strings.Contains(f.URL, "busy.com"):
			healthy = false
		case strings.Contains(f.URL, "/fresh"):
			least, most = max(least, 12*time.Hour-6*time.Minute), max(most, 24*time.Hour+10*time.Minute)
		}
		if len(requests) == 0 || requests[0].began.Sub(began) > 15*time.Minute {
			t.Errorf("%s: not polled within a quarter of an hour", f.URL)
			continue
		}
		for i := 2; i < len(requests); i++ {
			distance := requests[i].began.Sub(requests[i-1].began)
			if distance < least || healthy && distance > most {
				t.Errorf("%s (%s): polls %s apart, want %s to %s", f.URL, f.Schedule, distance, least, most)
				break
			}
		}
		last := requests[len(requests)-1].began
		if rest := began.Add(week).Sub(last); healthy && rest > most+15*time.Minute || rest > 49*time.Hour {
			t.Errorf("%s (%s): not polled for the last %s", f.URL, f.Schedule, rest)
		}
	}
}
