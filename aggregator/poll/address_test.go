package poll_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/poll"
)

// TestHostsAtOneAddressShareItsLimit has 40 domains at one slow address, one of which has a limit of its own, and 40 that
// are at addresses of their own. There are no more workers than the address alone could keep busy.
func TestHostsAtOneAddressShareItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 10 * time.Second
		var mu sync.Mutex
		var active, most int
		var quick time.Duration
		began := time.Now()
		w, ids := publicWire(t, 80, func(o *poll.Options) {
			o.Now, o.Workers = time.Now, 4
			o.Hosts.Hosts = map[string]hosts.Limit{"x0.com": {Connections: 1}}
			o.Addresses = hosts.Limits{Each: hosts.Limit{Connections: 3}}
			o.Address = func(_ context.Context, url string) string {
				var n int
				if _, err := fmt.Sscanf(url, "https://x%d.com/", &n); err != nil || n >= 40 {
					return "" // as where a name cannot be looked up
				}
				return "192.0.2.1"
			}
		})
		for i, id := range ids {
			w.answer("https://"+string(id)+".com/", func() (*fetch.Response, error) {
				if i >= 40 {
					mu.Lock()
					quick = max(quick, time.Since(began))
					mu.Unlock()
					return &fetch.Response{Status: 304, NotModified: true}, nil
				}
				if i > 0 {
					mu.Lock()
					active++
					most = max(most, active)
					mu.Unlock()
				}
				time.Sleep(slow)
				if i > 0 {
					mu.Lock()
					active--
					mu.Unlock()
				}
				return &fetch.Response{Status: 304, NotModified: true}, nil
			})
		}
		summary, err := w.Pass(t.Context(), false, nil)
		if err != nil || summary.NotModified != 80 {
			t.Errorf("pass: %+v, %v; want all 80", summary, err)
		}
		if most != 3 {
			t.Errorf("%d hosts of the address were asked at once, want 3", most)
		}
		if quick > 2*slow {
			t.Errorf("hosts elsewhere waited %s for a worker", quick)
		}
	})
}

// TestStoppedRunGivesBackWhatWaitsForAnAddress has more hosts at an address than it may be asked for.
func TestStoppedRunGivesBackWhatWaitsForAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ids := publicWire(t, 10, func(o *poll.Options) {
			o.Now, o.Workers, o.Fetcher = time.Now, 8, stuck{}
			o.Addresses = hosts.Limits{Each: hosts.Limit{Connections: 2}}
			o.Address = func(context.Context, string) string { return "192.0.2.1" }
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		synctest.Wait()
		cancel()
		<-ended
		leases, err := w.store.Claim(t.Context(), time.Now(), time.Minute, 100)
		if err != nil || len(leases) != len(ids) {
			t.Errorf("%d feeds can be claimed afterwards (%v), want all %d", len(leases), err, len(ids))
		}
	})
}
