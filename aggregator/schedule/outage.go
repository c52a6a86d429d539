package schedule

import (
	"math/bits"
	"sync"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// outageHosts is how many different hosts must be out of reach, at least, and outageShare of how many that were
	// tried three must be, before the fault is taken to be on this side.
	outageHosts = 3
	// window is the time that is looked at, in two halves. Where polls are rare it goes back as far as it takes to see
	// a few hosts, but not beyond longWindow.
	halfWindow = 30 * time.Second
	fewHosts   = 2
	longWindow = 30 * time.Minute
	// probeEvery is how often a poll is let through during an outage to see whether it is over.
	probeEvery = 30 * time.Second
)

// Outage finds out that the own line, or the own name server, is down: more than three quarters of the hosts that were
// tried within a minute, and at least three, are out of reach. What fails then says nothing of the feeds: it must not be
// counted. It is over as soon as one host answers.
//
// Its zero value is ready for use. It is safe for use by many goroutines, and its size does not grow.
type Outage struct {
	mu     sync.Mutex
	halves [2]half // the present and the one before
	down   bool
	since  time.Time
	probed time.Time
}

// half is what was seen in one half of the window: a set of hosts for each of the two ways to end. A set is a bit for
// each hash, which counts different hosts well enough up to some thousands, where only the share matters.
type half struct {
	began           time.Time
	reached, failed hostSet
}

const hostBits = 2048

type hostSet [hostBits / 64]uint64

// Saw takes note of how an attempt to reach a host ended: reached means that a connection was made, whatever the answer
// was then; not reached, that its name was not resolved or no connection came about. It reports whether there is an
// outage, which for an attempt that failed means: do not count it. Hosts at private addresses are not to be told of.
func (o *Outage) Saw(host string, reached bool, now time.Time) (down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if reached && o.down {
		// The failures of the outage must not make the next one.
		o.down, o.halves = false, [2]half{}
	}
	o.turn(now)
	hash := aggregator.HashOf(host)
	bit := (uint(hash[0])<<8 | uint(hash[1])) % hostBits
	for i := range o.halves {
		o.halves[i].reached.drop(bit)
		o.halves[i].failed.drop(bit)
	}
	if reached {
		o.halves[0].reached.add(bit)
		return false
	}
	o.halves[0].failed.add(bit)
	if o.down {
		return true
	}
	failed := o.halves[0].failed.count() + o.halves[1].failed.count()
	others := o.halves[0].reached.count() + o.halves[1].reached.count()
	if failed >= outageHosts && failed > 3*others {
		o.down, o.since, o.probed = true, now, now
	}
	return o.down
}

// Since is when the present outage was found, zero where there is none.
func (o *Outage) Since() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return time.Time{}
	}
	return o.since
}

// Allow says whether a poll may start now. During an outage that is one each half minute, to see whether it is over; the
// others are to stay due. wait is the time to the next that may, 0 where this one may.
func (o *Outage) Allow(now time.Time) (wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return 0
	}
	since := now.Sub(o.probed)
	if since >= 0 && since < probeEvery {
		return probeEvery - since
	}
	o.probed = now
	return 0
}

// turn begins a new half when the present one is full, and forgets what is too old.
func (o *Outage) turn(now time.Time) {
	present := &o.halves[0]
	age := now.Sub(present.began)
	switch {
	case age < 0 || age >= longWindow:
		o.halves = [2]half{{began: now}, {}}
	case age >= halfWindow && present.reached.count()+present.failed.count() >= fewHosts:
		o.halves = [2]half{{began: now}, *present}
	}
	if previous := &o.halves[1]; now.Sub(previous.began) >= longWindow {
		*previous = half{}
	}
}

func (s *hostSet) add(bit uint)  { s[bit/64] |= 1 << (bit % 64) }
func (s *hostSet) drop(bit uint) { s[bit/64] &^= 1 << (bit % 64) }

func (s *hostSet) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}
