package hosts

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The defaults of Limits.
const (
	DefaultConnections = 2
	DefaultDelay       = 250 * time.Millisecond
	DefaultPark        = time.Minute
	DefaultSpread      = time.Hour
	DefaultCapacity    = 8192
)

// Limit is what one host is asked of at most.
type Limit struct {
	// Connections is how many requests may be under way at once. Default DefaultConnections.
	Connections int
	// Delay is the least time from the beginning of one request to that of the next. Zero is none.
	Delay time.Duration
}

// Limits are what a Queue works with. The zero value of a field but Each.Delay is its default.
type Limits struct {
	// Each is the limit of every host that has none of its own, Hosts those of the ones that have, by Key.Host. One of an
	// address or a private name without a port is that of all its ports.
	Each  Limit
	Hosts map[string]Limit
	// Park is how long an item may wait in the queue before it is given back.
	Park time.Duration
	// Spread is over how long what cannot be asked soon is spread.
	Spread time.Duration
	// Capacity is how many items may wait, of all hosts together.
	Capacity int
}

// Queue holds items until their host may be asked. It is made by New and safe for use by many goroutines.
type Queue[T any] struct {
	limits Limits

	mu    sync.Mutex
	hosts map[string]*host[T]
	// waiting counts the items of all hosts.
	waiting int
	// ready are hosts whose first item has its turn, each at most once, in the order in which they became so; later
	// those whose first item has to wait for a time; idle those without items that are remembered until a time.
	ready       list[T]
	later, idle byTime[T]
	holds       holds
	// free are hosts that are no longer remembered, for the next ones.
	free []*host[T]
}

// Turn is an item whose time has come, and the right to a request to its host. It ends with Done.
type Turn[T any] struct {
	Item T
	Key  Key
	// Later, when set, is the answer that the item has waited in vain: there is no right to a request, Done is not to be
	// called, and the item is to be tried again at that time.
	Later time.Time

	started time.Time
}

// New makes a queue without items.
func New[T any](l Limits) *Queue[T] {
	if l.Each.Connections <= 0 {
		l.Each.Connections = DefaultConnections
	}
	if l.Park <= 0 {
		l.Park = DefaultPark
	}
	if l.Spread <= 0 {
		l.Spread = DefaultSpread
	}
	if l.Capacity <= 0 {
		l.Capacity = DefaultCapacity
	}
	return &Queue[T]{limits: l, hosts: make(map[string]*host[T]), holds: make(holds)}
}

// Push gives an item to the queue, behind those of its host that are there. A time that is not zero means that the queue
// did not take it, because its host is held, or has more to do than it can within Limits.Park, or because the queue is
// full: it is then to be tried again at that time. Those times are spread, so that what was refused together does not
// come back together.
func (q *Queue[T]) Push(item T, key Key, now time.Time) (later time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.host(key.Host, now)
	switch held := q.held(key); {
	case held.After(now):
		later = h.spread(held, q.limits.Spread)
	default:
		start := h.estimate(now)
		if start.Sub(now) < q.limits.Park && q.waiting < q.limits.Capacity {
			h.push(entry[T]{item, key.Tenant, now.Add(q.limits.Park)})
			q.waiting++
			break
		}
		// As where one is given back.
		later = h.spread(earliest(start, now.Add(q.limits.Spread)), q.limits.Spread)
	}
	q.place(h, now)
	return later
}

// Pop takes the item that has its turn, of the host that has waited longest for its own; ok is false where there is none
// now. It also gives back, one by one, items that have waited in vain (see Turn.Later).
func (q *Queue[T]) Pop(now time.Time) (turn Turn[T], ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for h := q.idle.due(now); h != nil; h = q.idle.due(now) {
		q.place(h, now)
	}
	for h := q.later.due(now); h != nil; h = q.later.due(now) {
		q.place(h, now)
	}
	for h := q.ready.pop(); h != nil; h = q.ready.pop() {
		verdict, later := q.judge(h, now)
		if verdict == wait {
			q.place(h, now)
			continue
		}
		e := h.pop()
		q.waiting--
		turn = Turn[T]{Item: e.item, Key: Key{h.name, e.tenant}, started: now}
		if verdict == start {
			h.begin(now)
		} else {
			turn.Later = h.spread(later, q.limits.Spread)
		}
		q.place(h, now)
		return turn, true
	}
	return Turn[T]{}, false
}

// TryStart is the right to a request to a host for what is not in the queue. Where there is none now, ok is false, and
// later is when it is worth trying again; zero where that depends on a Done. Items that wait for the host come first.
func (q *Queue[T]) TryStart(item T, key Key, now time.Time) (turn Turn[T], later time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.host(key.Host, now)
	defer q.place(h, now)
	switch {
	case q.held(key).After(now):
		return turn, q.held(key), false
	case h.active >= h.limit.Connections:
		return turn, time.Time{}, false
	case h.items() > 0 || h.next.After(now):
		return turn, h.estimate(now), false
	}
	h.begin(now)
	return Turn[T]{Item: item, Key: key, started: now}, time.Time{}, true
}

// Done ends a turn: its request is over. It is called once for each turn that has no Later.
func (q *Queue[T]) Done(turn Turn[T], now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.host(turn.Key.Host, now)
	h.end(now.Sub(turn.started))
	q.place(h, now)
}

// Hold makes the queue leave the key's tenant alone until the given time, or longer where that was asked before. What
// waits for it longer than Limits.Park is given back.
func (q *Queue[T]) Hold(key Key, until, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.holds.set(key.Tenant, until, now)
	if h := q.hosts[key.Host]; h != nil {
		q.place(h, now)
	}
}

// Held is the time until which the key is held, zero where it is not.
func (q *Queue[T]) Held(key Key, now time.Time) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if held := q.held(key); held.After(now) {
		return held
	}
	return time.Time{}
}

// Wake is when Pop may have something that it does not have now, without a Push or Done before; zero where it will not.
func (q *Queue[T]) Wake(now time.Time) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.ready.first != nil:
		return now
	case len(q.later.hosts) > 0:
		return q.later.hosts[0].wake
	}
	return time.Time{}
}

// Remove takes out all items that wait and that which says so, in the order of their hosts' names and of their arrival.
func (q *Queue[T]) Remove(which func(T) bool, now time.Time) (removed []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(q.hosts)) {
		h := q.hosts[name]
		kept := h.entries[:h.head]
		for _, e := range h.entries[h.head:] {
			if which(e.item) {
				removed = append(removed, e.item)
				continue
			}
			kept = append(kept, e)
		}
		if len(kept) == len(h.entries) {
			continue
		}
		q.waiting -= len(h.entries) - len(kept)
		clear(h.entries[len(kept):])
		h.entries = kept
		if h.at == inReady {
			// A host without items must not stay among those that have one.
			q.ready.remove(h)
		}
		q.place(h, now)
	}
	return removed
}

// Len is how many items wait.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// HasReady reports whether Pop has about so many items now, one after the other: what is held or late is not looked at, nor
// what may have had its turn since the last Pop. Where Pop had nothing, it has none.
func (q *Queue[T]) HasReady(n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for h := q.ready.first; h != nil && n > 0; h = h.following {
		n -= h.ready()
	}
	return n <= 0
}

// Hosts is how many hosts the queue remembers: those with items or requests, and those that were asked a moment ago.
func (q *Queue[T]) Hosts() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.hosts)
}

// verdict is what becomes of a host's first item.
type verdict int

const (
	wait verdict = iota
	start
	giveBack
)

// judge says what becomes of the host's first item; later is when it is to be tried again where it is given back.
func (q *Queue[T]) judge(h *host[T], now time.Time) (v verdict, later time.Time) {
	e := h.front()
	held := q.held(Key{h.name, e.tenant})
	switch {
	case held.After(e.expires), held.After(now) && e.tenant != h.name:
		return giveBack, held
	case h.free(now) && !held.After(now):
		return start, time.Time{}
	case !e.expires.After(now):
		// It is the first of those that wait: what is behind it does not delay it.
		return giveBack, earliest(latest(h.next, now).Add(h.spacing()), now.Add(q.limits.Spread))
	}
	return wait, time.Time{}
}

// place puts the host where it belongs after something about it has changed.
func (q *Queue[T]) place(h *host[T], now time.Time) {
	if h.at == inReady {
		return // Pop looks at it again.
	}
	q.later.remove(h)
	q.idle.remove(h)
	if h.items() == 0 {
		switch until := latest(h.next, h.cursor); {
		case h.active > 0:
		case until.After(now):
			q.idle.add(h, until)
			if len(q.idle.hosts) > maxIdle {
				q.forget(q.idle.first())
			}
		default:
			q.forget(h)
		}
		return
	}
	if v, _ := q.judge(h, now); v != wait {
		q.ready.push(h)
		return
	}
	wake := h.front().expires
	if h.active < h.limit.Connections {
		wake = earliest(wake, latest(h.next, q.holds[h.name]))
	}
	q.later.add(h, wake)
}

// host is the one of the given name, new where it is not remembered.
func (q *Queue[T]) host(name string, now time.Time) *host[T] {
	if h := q.hosts[name]; h != nil {
		return h
	}
	var h *host[T]
	if n := len(q.free); n > 0 {
		h, q.free = q.free[n-1], q.free[:n-1]
	} else {
		h = new(host[T])
	}
	limit, own := q.limits.Hosts[name]
	if i := strings.LastIndexByte(name, ':'); !own && i > 0 {
		limit, own = q.limits.Hosts[name[:i]]
	}
	if !own {
		limit = q.limits.Each
	}
	if limit.Connections <= 0 {
		limit.Connections = q.limits.Each.Connections
	}
	h.name, h.limit, h.next, h.pace = name, limit, now, firstPace
	q.hosts[name] = h
	return h
}

// maxIdle bounds how many hosts are remembered without items or requests.
const maxIdle = 1 << 16

// forget drops a host and keeps its memory for the next one.
func (q *Queue[T]) forget(h *host[T]) {
	delete(q.hosts, h.name)
	const most = 1024
	if len(q.free) >= most || cap(h.entries) > 16 {
		return
	}
	*h = host[T]{entries: h.entries[:0]}
	q.free = append(q.free, h)
}

// held is the later one of the holds of the host and of the tenant.
func (q *Queue[T]) held(key Key) time.Time {
	if len(q.holds) == 0 {
		return time.Time{}
	}
	held := q.holds[key.Tenant]
	if key.Host != key.Tenant {
		held = latest(held, q.holds[key.Host])
	}
	return held
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
