package publish

import (
	"container/list"
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// cache keeps the latest rendering of each resource, up to a bound of bytes; those that were not asked for the longest
// go first. It is safe for use by many goroutines, which wait for each other where they want the same rendering.
type cache struct {
	limit  int64
	flight singleflight.Group
	// slots bounds how many renderings are made at once, and so their memory: readers may ask for many different ones.
	slots chan struct{}
	// turn waits for what is to be had in place of a slot to make a rendering of a search, and gives what ends it.
	turn func(context.Context) (done func(), err error)
	seed maphash.Seed
	// keeping is held by who puts an edition in the place of another.
	keeping sync.Mutex

	mu    sync.Mutex
	used  int64
	order *list.List // of *cached, the latest asked for first
	kept  map[resource]*list.Element
}

type cached struct {
	key       resource
	rendering *rendering
	size      int64
}

func newCache(limit int64, turn func(context.Context) (func(), error)) *cache {
	return &cache{
		limit: limit, turn: turn, order: list.New(), kept: map[resource]*list.Element{},
		slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))), seed: maphash.MakeSeed(),
	}
}

// renderTimeout ends a rendering that the store keeps waiting.
const renderTimeout = 30 * time.Second

// get is the resource's rendering for the version, made by render where it is not kept. The rendering is made once
// however many ask, and goes on when the one who asked first is gone.
func (c *cache) get(ctx context.Context, key resource, v version, render func(context.Context) (*rendering, error)) (*rendering, error) {
	if r := c.find(key, v); r != nil {
		return r, nil
	}
	result := c.flight.DoChan(fmt.Sprintf("%+v %+v", key, v), func() (made any, err error) {
		// In this goroutine a panic would end the whole daemon, not just a request.
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("render %s: panic: %v\n%s", key.kind, p, debug.Stack())
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderTimeout)
		defer cancel()
		done, err := c.enter(ctx, key)
		if err != nil {
			return nil, err
		}
		defer done()
		if r := c.find(key, v); r != nil { // it was made since
			return r, nil
		}
		r, err := render(ctx)
		if err != nil {
			return nil, err
		}
		c.keep(key, r)
		return r, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case made := <-result:
		if made.Err != nil {
			return nil, made.Err
		}
		return made.Val.(*rendering), nil
	}
}

// enter waits until the resource may be rendered; done ends that. Searches, which take long, have a bound of their own: what
// takes no time is not to wait for them.
func (c *cache) enter(ctx context.Context, key resource) (done func(), err error) {
	if key.cut.query != "" {
		return c.turn(ctx)
	}
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("render %s: too much to render at once: %w", key.kind, ctx.Err())
	}
}

func (c *cache) find(key resource, v version) *rendering {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[key]
	if !ok || e.Value.(*cached).rendering.version != v {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).rendering
}

// keep puts the rendering in the place of the one before, if there is room for it at all.
func (c *cache) keep(key resource, r *rendering) {
	if !key.isFeed() {
		c.put(key, r)
		return
	}
	c.keeping.Lock()
	defer c.keeping.Unlock()
	var before *edition
	c.mu.Lock()
	if e, ok := c.kept[key]; ok {
		before = e.Value.(*cached).rendering.edition
	}
	c.mu.Unlock()
	r.edition = newEdition(key.kind, r.form.plain().body, before, c.seed)
	r.edition.tags.add(r.form.plain().etag[0], r.edition.number)
	c.put(key, r)
}

func (c *cache) put(key resource, r *rendering) {
	r.grow = func(bytes int) { c.grow(key, r, int64(bytes)) }
	r.form.made = func(v *variant) {
		if r.edition != nil {
			r.edition.tags.add(v.etag[0], r.edition.number)
		}
		r.grow(len(v.body) + tagSize)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.kept[key]; ok {
		c.drop(e)
	}
	size := r.size()
	if size > c.limit {
		return
	}
	c.kept[key] = c.order.PushFront(&cached{key, r, size})
	c.used += size
	c.shrink()
}

// grow counts what was made of a rendering since it was put here.
func (c *cache) grow(key resource, r *rendering, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[key]
	if !ok || e.Value.(*cached).rendering != r {
		return
	}
	e.Value.(*cached).size += bytes
	c.used += bytes
	c.shrink()
}

// shrink drops what was not asked for the longest until the rest is within the limit.
func (c *cache) shrink() {
	for c.used > c.limit {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	old := c.order.Remove(e).(*cached)
	delete(c.kept, old.key)
	c.used -= old.size
}
