package hosts

import (
	"container/heap"
	"slices"
	"time"
)

// firstPace is how long a request is taken to last before one has; leastSpacing bounds how near to each other refused
// items are told to come back.
const (
	firstPace    = 200 * time.Millisecond
	leastSpacing = time.Millisecond
)

// host is what is remembered of one. Its entries are a queue: what is before head is gone.
type host[T any] struct {
	name    string
	limit   Limit
	entries []entry[T]
	head    int
	// active counts the requests under way; next is when the Delay since the last one's beginning is over; pace is how
	// long a request lasts, the latest ones counting most.
	active int
	next   time.Time
	pace   time.Duration
	// cursor is the time that the last refused item was told.
	cursor time.Time

	// at is where the queue has the host; wake, index and following are its place there.
	at        where
	wake      time.Time
	index     int
	following *host[T]
}

// entry is an item that waits.
type entry[T any] struct {
	item    T
	tenant  string
	expires time.Time
}

type where uint8

const (
	nowhere where = iota
	inReady
	inHeap
)

func (h *host[T]) items() int { return len(h.entries) - h.head }

func (h *host[T]) front() *entry[T] { return &h.entries[h.head] }

func (h *host[T]) push(e entry[T]) {
	if n := len(h.entries); n == cap(h.entries) {
		h.entries = slices.Grow(h.entries, n+1) // A long queue is soon longer, and append would copy it four times as often.
	}
	h.entries = append(h.entries, e)
}

func (h *host[T]) pop() entry[T] {
	e := h.entries[h.head]
	h.entries[h.head] = entry[T]{}
	h.head++
	// What is gone must not grow with the host's life.
	if h.head*2 >= len(h.entries) {
		n := copy(h.entries, h.entries[h.head:])
		clear(h.entries[n:])
		h.entries, h.head = h.entries[:n], 0
	}
	return e
}

// free reports whether a request may begin now, as far as the limits go.
func (h *host[T]) free(now time.Time) bool {
	return h.active < h.limit.Connections && !h.next.After(now)
}

// ready is about how many items can be had now of a host whose first one has its turn.
func (h *host[T]) ready() int {
	if h.limit.Delay > 0 {
		return 1
	}
	return max(1, min(h.items(), h.limit.Connections-h.active))
}

func (h *host[T]) begin(now time.Time) {
	h.active++
	h.next = now.Add(h.limit.Delay)
}

func (h *host[T]) end(took time.Duration) {
	h.active = max(h.active-1, 0)
	h.pace += (max(took, 0) - h.pace) / 4
}

// spacing is how far apart the host's requests begin when they are as many as may be.
func (h *host[T]) spacing() time.Duration {
	return max(h.limit.Delay, h.pace/time.Duration(h.limit.Connections), leastSpacing)
}

// estimate is when a request can begin that is behind all that wait.
func (h *host[T]) estimate(now time.Time) time.Time {
	ahead := h.items()
	if h.active >= h.limit.Connections {
		ahead++
	}
	return latest(h.next, now).Add(time.Duration(ahead) * h.spacing())
}

// spread is the time that an item is told that cannot begin before the earliest one: each a spacing after the one before
// it, and from the beginning again where that would be more than within later.
func (h *host[T]) spread(earliest time.Time, within time.Duration) time.Time {
	h.cursor = h.cursor.Add(h.spacing())
	if h.cursor.Before(earliest) || h.cursor.After(earliest.Add(within)) {
		h.cursor = earliest
	}
	return h.cursor
}

// list is a queue of hosts.
type list[T any] struct {
	first, last *host[T]
}

func (l *list[T]) push(h *host[T]) {
	h.at, h.following = inReady, nil
	if l.first == nil {
		l.first = h
	} else {
		l.last.following = h
	}
	l.last = h
}

func (l *list[T]) remove(h *host[T]) {
	var before *host[T]
	for at := l.first; at != nil; before, at = at, at.following {
		if at != h {
			continue
		}
		if before == nil {
			l.first = h.following
		} else {
			before.following = h.following
		}
		if l.last == h {
			l.last = before
		}
		h.following, h.at = nil, nowhere
		return
	}
}

func (l *list[T]) pop() *host[T] {
	h := l.first
	if h != nil {
		l.first, h.following, h.at = h.following, nil, nowhere
	}
	return h
}

// byTime is a heap of hosts, the earliest wake first.
type byTime[T any] struct{ hosts []*host[T] }

func (b *byTime[T]) add(h *host[T], wake time.Time) {
	h.wake, h.at = wake, inHeap
	heap.Push(b, h)
}

func (b *byTime[T]) remove(h *host[T]) {
	if h.at == inHeap && h.index < len(b.hosts) && b.hosts[h.index] == h {
		heap.Remove(b, h.index)
	}
}

// due takes out the first host whose time has come, nil where there is none.
func (b *byTime[T]) due(now time.Time) *host[T] {
	if len(b.hosts) == 0 || b.hosts[0].wake.After(now) {
		return nil
	}
	return b.first()
}

// first takes out the first host.
func (b *byTime[T]) first() *host[T] { return heap.Pop(b).(*host[T]) }

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (b *byTime[T]) Len() int           { return len(b.hosts) }
func (b *byTime[T]) Less(i, j int) bool { return b.hosts[i].wake.Before(b.hosts[j].wake) }
func (b *byTime[T]) Swap(i, j int) {
	b.hosts[i], b.hosts[j] = b.hosts[j], b.hosts[i]
	b.hosts[i].index, b.hosts[j].index = i, j
}

func (b *byTime[T]) Push(x any) {
	h := x.(*host[T])
	h.index = len(b.hosts)
	b.hosts = append(b.hosts, h)
}

func (b *byTime[T]) Pop() any {
	last := len(b.hosts) - 1
	h := b.hosts[last]
	b.hosts[last] = nil
	b.hosts = b.hosts[:last]
	h.at = nowhere
	return h
}
