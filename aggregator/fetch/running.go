package fetch

import (
	"context"
	"sync"
	"time"
)

// running are the Gets of a client that are under way, in the order in which they began. Most are over before anything has
// to be done about them: so one timer has those looked at whose first look is due, which is the same time after their
// beginning for each, and a context that many of them are made for is told once that they want to know when it ends.
type running struct {
	mu          sync.Mutex
	first, last *watch
	// fresh is the first that was not looked at yet. The timer is set for its look.
	fresh   *watch
	timer   *time.Timer
	set     bool
	parents map[<-chan struct{}]*parent
}

// parent is a context that some of the Gets are made for.
type parent struct {
	ctx  context.Context
	gets int
	// forget has it no longer tell when it ends.
	forget func() bool
}

// add puts a Get behind the others.
func (r *running) add(ctx context.Context, w *watch) {
	w.began = time.Now()
	r.put(ctx, w)
	if ctx.Err() != nil {
		// Those that were there then may have been told already.
		w.end(context.Cause(ctx))
	}
}

func (r *running) put(ctx context.Context, w *watch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.before = r.last; r.last == nil {
		r.first = w
	} else {
		r.last.after = w
	}
	r.last = w
	if r.fresh == nil {
		r.fresh = w
	}
	r.wake(w.began)
	w.parent = r.adopt(ctx)
}

// remove takes a Get out.
func (r *running) remove(w *watch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fresh == w {
		r.fresh = w.after
	}
	if w.before == nil {
		r.first = w.after
	} else {
		w.before.after = w.after
	}
	if w.after == nil {
		r.last = w.before
	} else {
		w.after.before = w.before
	}
	w.before, w.after = nil, nil
	if p := w.parent; p != nil {
		if p.gets--; p.gets == 0 {
			p.forget()
			delete(r.parents, p.ctx.Done())
		}
	}
}

// adopt sees to it that the Gets of a context end with it. It is nil for one that does not end. r.mu is locked.
func (r *running) adopt(ctx context.Context) *parent {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	p := r.parents[done]
	if p == nil {
		if r.parents == nil {
			r.parents = make(map[<-chan struct{}]*parent)
		}
		p = &parent{ctx: ctx}
		p.forget = context.AfterFunc(ctx, func() { r.end(p) })
		r.parents[done] = p
	}
	p.gets++
	return p
}

// end ends the Gets of a context that has ended.
func (r *running) end(p *parent) {
	var gets []*watch
	r.mu.Lock()
	for w := r.first; w != nil; w = w.after {
		if w.parent == p {
			gets = append(gets, w)
		}
	}
	r.mu.Unlock()
	for _, w := range gets {
		w.end(context.Cause(p.ctx))
	}
}

// wake sets the timer for the first look that is due, unless it is set. r.mu is locked.
func (r *running) wake(now time.Time) {
	if r.fresh == nil || r.set {
		return
	}
	r.set = true
	wait := r.fresh.began.Add(r.fresh.client.options.shortest()).Sub(now)
	if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.look)
	} else {
		r.timer.Reset(wait)
	}
}

// look has the Gets looked at whose first look is due.
func (r *running) look() {
	var due []*watch
	r.mu.Lock()
	now := time.Now()
	for ; r.fresh != nil && now.Sub(r.fresh.began) >= r.fresh.client.options.shortest(); r.fresh = r.fresh.after {
		due = append(due, r.fresh)
	}
	r.set = false
	r.wake(now)
	r.mu.Unlock()
	for _, w := range due {
		w.look()
	}
}
