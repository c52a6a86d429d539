package hosts_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/hosts"
)

var start = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func key(name string) hosts.Key { return hosts.Key{Host: name, Tenant: name} }

// room is a queue with a clock.
type room struct {
	*hosts.Queue[string]
	t   *testing.T
	now time.Time
}

func newRoom(t *testing.T, l hosts.Limits) *room {
	return &room{Queue: hosts.New[string](l), t: t, now: start}
}

func (r *room) after(d time.Duration) *room { r.now = start.Add(d); return r }

// push pushes items for a host; all must be taken.
func (r *room) push(host string, items ...string) {
	r.t.Helper()
	for _, item := range items {
		if later := r.Push(item, key(host), r.now); !later.IsZero() {
			r.t.Errorf("%s is refused until %s", item, later.Sub(start))
		}
	}
}

// pop takes all that have their turn now. What is given back has "!" and the time behind it.
func (r *room) pop(want ...string) (turns []hosts.Turn[string]) {
	r.t.Helper()
	var got []string
	for turn, ok := r.Pop(r.now); ok; turn, ok = r.Pop(r.now) {
		if !turn.Later.IsZero() {
			got = append(got, fmt.Sprintf("%s!%s", turn.Item, turn.Later.Sub(start)))
			continue
		}
		got = append(got, turn.Item)
		turns = append(turns, turn)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("at %s (-want +got):\n%s", r.now.Sub(start), diff)
	}
	return turns
}

func (r *room) wake(want time.Duration) {
	r.t.Helper()
	if got := r.Wake(r.now); !got.Equal(start.Add(want)) {
		r.t.Errorf("at %s: wakes at %s, want %s", r.now.Sub(start), got.Sub(start), want)
	}
}

func TestAHostGetsSoManyConnectionsAtOnce(t *testing.T) {
	r := newRoom(t, hosts.Limits{Hosts: map[string]hosts.Limit{"big": {Connections: 3}}})
	r.push("a", "a1", "a2", "a3", "a4")
	r.push("big", "b1", "b2", "b3", "b4")
	turns := r.pop("a1", "b1", "a2", "b2", "b3")
	r.Done(turns[0], r.now)
	r.pop("a3")
	r.Done(turns[1], r.now)
	r.Done(turns[3], r.now)
	r.pop("b4")
	if n := r.Len(); n != 1 {
		t.Errorf("%d wait, want 1", n)
	}
}

func TestAHostIsAskedNoFasterThanItsDelay(t *testing.T) {
	r := newRoom(t, hosts.Limits{
		Each:  hosts.Limit{Connections: 9, Delay: time.Second},
		Hosts: map[string]hosts.Limit{"quick": {Delay: 0}},
	})
	r.push("a", "a1", "a2", "a3")
	r.push("quick", "q1", "q2")
	r.pop("a1", "q1", "q2")
	r.wake(time.Second)
	r.after(999 * time.Millisecond).pop()
	r.after(time.Second).pop("a2")
	r.after(5 * time.Second).pop("a3")
	// The delay counts for who comes when nobody waits, too.
	r.after(5500*time.Millisecond).push("a", "a4")
	r.pop()
	r.wake(6 * time.Second)
	r.after(6 * time.Second).pop("a4")
}

func TestHostsTakeTurns(t *testing.T) {
	r := newRoom(t, hosts.Limits{Each: hosts.Limit{Connections: 100}})
	for i := range 3 {
		r.push("a", fmt.Sprint("a", i))
	}
	r.push("b", "b0", "b1")
	r.push("c", "c0")
	r.pop("a0", "b0", "c0", "a1", "b1", "a2")
}

func TestASlowHostHoldsUpNobody(t *testing.T) {
	r := newRoom(t, hosts.Limits{})
	r.push("slow", "s1", "s2", "s3", "s4", "s5")
	r.pop("s1", "s2")
	for i := range 100 {
		r.after(time.Duration(i)*time.Second/2).push("quick", "q")
		for _, turn := range r.pop("q") {
			r.Done(turn, r.now)
		}
	}
}

func TestWhatWaitsInVainIsGivenBack(t *testing.T) {
	r := newRoom(t, hosts.Limits{Park: time.Minute})
	r.push("slow", "s1", "s2", "s3", "s4")
	turns := r.pop("s1", "s2")
	r.wake(time.Minute)
	r.after(59 * time.Second).pop()
	r.after(time.Minute).pop("s3!1m0.1s", "s4!1m0.2s")
	if n := r.Len(); n != 0 {
		t.Errorf("%d wait, want none", n)
	}
	r.Done(turns[0], r.now)
	r.Done(turns[1], r.now)
	// Now it is known how slow the host is, no more is taken than it gets to.
	for i := range 3 {
		if later := r.Push("next", key("slow"), r.now); !later.IsZero() {
			t.Errorf("item %d is refused until %s", i, later.Sub(start))
		}
	}
	r.pop("next", "next")
	later := r.Push("next", key("slow"), r.now)
	for i := 0; later.IsZero() && i < 20; i++ {
		later = r.Push("next", key("slow"), r.now)
	}
	if wait := later.Sub(r.now); wait < time.Minute || wait > time.Hour {
		t.Errorf("refused for %s, want about as long as the host takes", wait)
	}
}

func TestHeldHostsAreLeftAlone(t *testing.T) {
	r := newRoom(t, hosts.Limits{})
	r.push("a", "a1")
	r.Hold(key("a"), start.Add(30*time.Second), start)
	r.Hold(key("a"), start.Add(10*time.Second), start) // The later one counts.
	r.pop()
	r.wake(30 * time.Second)
	r.after(29 * time.Second).pop()
	if _, later, ok := r.TryStart("now", key("a"), r.now); ok || !later.Equal(start.Add(30*time.Second)) {
		t.Errorf("may start: %t, else at %s", ok, later.Sub(start))
	}
	if held := r.Held(key("a"), r.now); !held.Equal(start.Add(30 * time.Second)) {
		t.Errorf("held until %s", held.Sub(start))
	}
	r.after(30 * time.Second).pop("a1")
	if held := r.Held(key("a"), r.now); !held.IsZero() {
		t.Errorf("still held until %s", held.Sub(start))
	}
}

func TestALongHoldGivesBackWhatWaits(t *testing.T) {
	r := newRoom(t, hosts.Limits{})
	r.push("a", "a1", "a2", "a3", "a4")
	r.pop("a1", "a2")
	r.Hold(key("a"), start.Add(2*time.Hour), start)
	r.pop("a3!2h0m0s", "a4!2h0m0.1s")
	later := r.Push("a5", key("a"), start)
	if wait := later.Sub(start); wait != 2*time.Hour+200*time.Millisecond {
		t.Errorf("a5 is refused for %s", wait)
	}
	if other := r.Push("b1", key("b"), start); !other.IsZero() {
		t.Errorf("another host is refused until %s", other)
	}
}

func TestATenantsHoldIsNotItsNeighbours(t *testing.T) {
	r := newRoom(t, hosts.Limits{Each: hosts.Limit{Connections: 9}})
	bad, good := hosts.KeyOf("https://bad.github.io/feed"), hosts.KeyOf("https://good.github.io/feed")
	for _, k := range []hosts.Key{bad, good, bad, good} {
		if later := r.Push(k.Tenant, k, start); !later.IsZero() {
			t.Fatal("refused")
		}
	}
	r.Hold(bad, start.Add(time.Minute/2), start)
	r.pop("bad.github.io!30s", "good.github.io", "bad.github.io!30.022222222s", "good.github.io")
	if later := r.Push("x", bad, start); later.IsZero() {
		t.Error("the held tenant is taken")
	}
	if later := r.Push("x", good, start); !later.IsZero() {
		t.Error("its neighbour is refused")
	}
	r.pop("x")
}

func TestTryStart(t *testing.T) {
	r := newRoom(t, hosts.Limits{Each: hosts.Limit{Connections: 1, Delay: time.Second}})
	turn, _, ok := r.TryStart("1", key("a"), r.now)
	if !ok {
		t.Fatal("a host that nobody asks cannot be asked")
	}
	if _, later, ok := r.TryStart("2", key("a"), r.now); ok || !later.IsZero() {
		t.Errorf("a second one: %t, else at %s; want to wait for Done", ok, later)
	}
	r.Done(turn, r.now)
	if _, later, ok := r.TryStart("2", key("a"), r.now); ok || !later.Equal(start.Add(time.Second)) {
		t.Errorf("a second one: %t, else at %s; want to wait for the delay", ok, later)
	}
	r.push("a", "waits")
	if _, _, ok := r.after(time.Second).TryStart("2", key("a"), r.now); ok {
		t.Error("it comes before one that waits")
	}
	r.pop("waits")
}

func TestHowMuchIsReady(t *testing.T) {
	r := newRoom(t, hosts.Limits{
		Each: hosts.Limit{Connections: 3, Delay: time.Second}, Hosts: map[string]hosts.Limit{"fast": {Connections: 3}},
	})
	ready := func(want int) {
		t.Helper()
		if r.HasReady(want+1) || !r.HasReady(want) {
			t.Errorf("at %s not %d are ready", r.now.Sub(start), want)
		}
	}
	ready(0)
	r.push("slow", "a", "b", "c")
	ready(1)
	r.push("fast", "d", "e")
	ready(3)
	r.push("fast", "f", "g")
	ready(4)
	turns := r.pop("a", "d", "e", "f")
	ready(0)
	for _, turn := range turns[:2] {
		r.Done(turn, r.now)
	}
	ready(1) // of the fast one: the slow one's delay is not over
	r.pop("g")
	r.after(time.Second).pop("b")
	ready(0)
}

func TestACapacityForAll(t *testing.T) {
	r := newRoom(t, hosts.Limits{Capacity: 10})
	refused := 0
	for i := range 20 {
		if later := r.Push("x", key(fmt.Sprint("host", i)), r.now); !later.IsZero() {
			refused++
		}
	}
	if refused != 10 || r.Len() != 10 {
		t.Errorf("%d refused and %d wait, want 10 each", refused, r.Len())
	}
}

func TestHostsAreForgotten(t *testing.T) {
	r := newRoom(t, hosts.Limits{Each: hosts.Limit{Delay: time.Second}})
	for round := range 5 {
		for i := range 2000 {
			r.push(fmt.Sprintf("host%d-%d", round, i), "x")
		}
		for turn, ok := r.Pop(r.now); ok; turn, ok = r.Pop(r.now) {
			r.Done(turn, r.now)
		}
		if n := r.Hosts(); n != 2000 {
			t.Errorf("%d hosts within their delay, want 2000", n)
		}
		r.after(time.Duration(round+1) * time.Minute)
		r.pop()
		if n := r.Hosts(); n != 0 {
			t.Errorf("%d hosts are remembered for nothing", n)
		}
	}
}

// TestTenThousandFeedsOfOneHost plays the life of a poller whose feeds, but for a few, are all of one host, and all due
// at once.
func TestTenThousandFeedsOfOneHost(t *testing.T) {
	const feeds, took = 10000, 300 * time.Millisecond
	q := hosts.New[int](hosts.Limits{Each: hosts.Limit{Connections: 2, Delay: 250 * time.Millisecond}})
	type event struct {
		at   time.Time
		turn hosts.Turn[int]
	}
	var (
		due      = make(map[time.Time][]int) // the store's queue, in whole seconds
		running  []event
		polled   = make(map[int]int)
		putOff   int
		lastPoll time.Time
		latest   time.Time
		most     int
	)
	for i := range feeds {
		due[start] = append(due[start], i)
	}
	put := func(feed int, at time.Time) {
		putOff++
		at = at.Truncate(time.Second).Add(time.Second)
		due[at] = append(due[at], feed)
	}
	for now := start; len(polled) < feeds; now = now.Add(50 * time.Millisecond) {
		if now.After(start.Add(3 * time.Hour)) {
			t.Fatalf("%d of %d polled after three hours", len(polled), feeds)
		}
		for _, feed := range due[now] {
			if later := q.Push(feed, key("big"), now); !later.IsZero() {
				put(feed, later)
			}
		}
		running = slices.DeleteFunc(running, func(e event) bool {
			if e.at.After(now) {
				return false
			}
			q.Done(e.turn, now)
			return true
		})
		for turn, ok := q.Pop(now); ok; turn, ok = q.Pop(now) {
			if !turn.Later.IsZero() {
				put(turn.Item, turn.Later)
				continue
			}
			if gap := now.Sub(lastPoll); gap < 250*time.Millisecond {
				t.Fatalf("two polls within %s", gap)
			}
			lastPoll, latest = now, now
			polled[turn.Item]++
			running = append(running, event{now.Add(took), turn})
		}
		most = max(most, len(running))
	}
	if most > 2 {
		t.Errorf("%d polls at once", most)
	}
	// At four a second they take 42 minutes.
	if spent := latest.Sub(start); spent > 70*time.Minute {
		t.Errorf("all polled after %s", spent)
	}
	if putOff > 2*feeds {
		t.Errorf("%d put off %d times: more than twice each", feeds, putOff)
	}
	t.Logf("all polled after %s, put off %d times", latest.Sub(start), putOff)
}

// TestNeverTooMuch pushes, pops, holds and finishes at random and checks the promises against a plain account of them.
func TestNeverTooMuch(t *testing.T) {
	limits := hosts.Limits{
		Each: hosts.Limit{Connections: 2, Delay: 100 * time.Millisecond}, Capacity: 300, Park: 20 * time.Second,
		Hosts: map[string]hosts.Limit{"h0": {Connections: 5}, "h1": {Connections: 1, Delay: 3 * time.Second}},
	}
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		q := hosts.New[int](limits)
		limitOf := func(host string) hosts.Limit {
			if l, ok := limits.Hosts[host]; ok {
				return l
			}
			return limits.Each
		}
		var running []hosts.Turn[int]
		active, last, held := map[string]int{}, map[string]time.Time{}, map[string]time.Time{}
		in, out, next := 0, 0, 0
		began := func(turn hosts.Turn[int], now time.Time) {
			host := turn.Key.Host
			active[host]++
			if active[host] > limitOf(host).Connections || now.Sub(last[host]) < limitOf(host).Delay || held[host].After(now) {
				t.Fatalf("seed %d: %s has %d requests, the last %s ago, held for %s", seed, host, active[host], now.Sub(last[host]), held[host].Sub(now))
			}
			last[host] = now
			running = append(running, turn)
		}
		now := start
		for range 5000 {
			now = now.Add(time.Duration(random.IntN(200)) * time.Millisecond)
			k := key(fmt.Sprint("h", random.IntN(12)))
			switch random.IntN(10) {
			case 0, 1, 2, 3:
				next++
				later := q.Push(next, k, now)
				if later.IsZero() {
					in++
				} else if !later.After(now) {
					t.Fatalf("seed %d: refused until a time that is over", seed)
				}
			case 4, 5, 6:
				if turn, ok := q.Pop(now); ok {
					out++
					if turn.Later.IsZero() {
						began(turn, now)
					} else if !turn.Later.After(now.Add(-time.Nanosecond)) {
						t.Fatalf("seed %d: given back until a time that is over", seed)
					}
				} else if wake := q.Wake(now); !wake.IsZero() && !wake.After(now) {
					t.Fatalf("seed %d: nothing to pop at %s, but to wake at %s", seed, now, wake)
				}
			case 7, 8:
				if len(running) > 0 {
					i := random.IntN(len(running))
					active[running[i].Key.Host]--
					q.Done(running[i], now)
					running = slices.Delete(running, i, i+1)
				}
			default:
				if random.IntN(5) == 0 {
					until := now.Add(time.Duration(random.IntN(60)) * time.Second)
					q.Hold(k, until, now)
					if until.After(held[k.Host]) {
						held[k.Host] = until
					}
				} else if turn, _, ok := q.TryStart(-1, k, now); ok {
					began(turn, now)
				}
			}
			if q.Len() != in-out || q.Len() > limits.Capacity {
				t.Fatalf("seed %d: %d wait, %d went in and %d out", seed, q.Len(), in, out)
			}
		}
		// Nothing is kept for ever.
		for _, turn := range running {
			q.Done(turn, now)
		}
		now = now.Add(24 * time.Hour)
		for turn, ok := q.Pop(now); ok; turn, ok = q.Pop(now) {
			if turn.Later.IsZero() {
				q.Done(turn, now)
			}
			now = now.Add(time.Minute)
		}
		now = now.Add(24 * time.Hour)
		if _, ok := q.Pop(now); ok || q.Len() != 0 || q.Hosts() != 0 {
			t.Errorf("seed %d: %d items and %d hosts are left", seed, q.Len(), q.Hosts())
		}
	}
}

func TestManyWorkers(t *testing.T) {
	q := hosts.New[int](hosts.Limits{Each: hosts.Limit{Connections: 3}, Capacity: 1 << 20})
	var (
		mu     sync.Mutex
		active = make(map[string]int)
		done   = make(map[int]bool)
		wg     sync.WaitGroup
	)
	const items = 4000
	for p := range 4 {
		wg.Go(func() {
			for i := p; i < items; i += 4 {
				k := key(fmt.Sprint("h", i%50))
				if later := q.Push(i, k, start); !later.IsZero() {
					t.Errorf("item %d is refused until %s", i, later)
				}
				if i%97 == 0 {
					q.Hold(k, start, start)
				}
			}
		})
	}
	for range 8 {
		wg.Go(func() {
			for {
				turn, ok := q.Pop(start)
				if !ok {
					mu.Lock()
					n := len(done)
					mu.Unlock()
					if n == items {
						return
					}
					continue
				}
				mu.Lock()
				if active[turn.Key.Host]++; active[turn.Key.Host] > 3 {
					t.Errorf("%d at once at %s", active[turn.Key.Host], turn.Key.Host)
				}
				done[turn.Item] = true
				mu.Unlock()
				mu.Lock()
				active[turn.Key.Host]--
				mu.Unlock()
				q.Done(turn, start)
			}
		})
	}
	wg.Wait()
}

// BenchmarkQueue is the way of one poll through the queue, its key included.
func BenchmarkQueue(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			urls := make([]string, n)
			for i := range urls {
				urls[i] = fmt.Sprintf("https://feeds.host%d.example.com.pk/rss.xml", i)
			}
			q := hosts.New[*int](hosts.Limits{Each: hosts.Limit{Connections: 2, Delay: 250 * time.Millisecond}})
			now := start
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				now = now.Add(250 * time.Millisecond / time.Duration(n))
				q.Push(nil, hosts.KeyOf(urls[i%n]), now)
				if turn, ok := q.Pop(now); ok {
					q.Done(turn, now)
				}
				i++
			}
		})
	}
}

func TestRemove(t *testing.T) {
	r := newRoom(t, hosts.Limits{Each: hosts.Limit{Connections: 1, Delay: time.Second}})
	r.push("a", "a1", "a2", "a3")
	r.push("b", "b1")
	r.push("c", "c1", "c2")
	turns := r.pop("a1", "b1", "c1")
	r.push("d", "d1") // ready, and gone before its turn
	got := r.Remove(func(item string) bool { return item != "a3" }, r.now)
	if diff := cmp.Diff([]string{"a2", "c2", "d1"}, got); diff != "" || r.Len() != 1 {
		t.Errorf("removed (-want +got):\n%s%d left", diff, r.Len())
	}
	r.push("e", "e1")
	turns = append(turns, r.pop("e1")...)
	for _, turn := range turns {
		r.Done(turn, r.now)
	}
	r.after(2 * time.Second).pop("a3")
	if got := r.Remove(func(string) bool { return true }, r.now); len(got) != 0 || r.Len() != 0 {
		t.Errorf("removed %q from an empty queue, %d left", got, r.Len())
	}
}

func TestLimitOfAnAddressIsThatOfAllItsPorts(t *testing.T) {
	r := newRoom(t, hosts.Limits{
		Each:  hosts.Limit{Connections: 1},
		Hosts: map[string]hosts.Limit{"192.0.2.1": {Connections: 2}, "192.0.2.1:81": {Connections: 1}, "[2001:db8::1]": {Connections: 2}},
	})
	for host, want := range map[string][]string{
		"192.0.2.1:80": {"1", "2"}, "192.0.2.1:81": {"1"}, "[2001:db8::1]:443": {"1", "2"}, "192.0.2.2:80": {"1"},
	} {
		r.push(host, "1", "2", "3")
		r.pop(want...)
		r.Remove(func(string) bool { return true }, r.now)
	}
}
