package publish

import (
	"bytes"
	"compress/gzip"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// rendering is a document as bytes, in each encoding that is offered.
type rendering struct {
	// version tells the state of the store that was rendered, made is when that began: after version was read.
	version   string
	made      time.Time
	mediaType string
	identity  variant
	gzip      variant
}

type variant struct {
	etag string
	body []byte
}

// newVariant gives the body a strong entity tag (RFC 9110 section 8.8.3) that depends on nothing but its bytes.
func newVariant(body []byte) variant {
	sum := sha256.Sum256(body)
	return variant{etag: `"` + hex.EncodeToString(sum[:16]) + `"`, body: body}
}

func newRendering(mediaType string, body []byte) (*rendering, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compress %s: %w", mediaType, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress %s: %w", mediaType, err)
	}
	return &rendering{mediaType: mediaType, identity: newVariant(body), gzip: newVariant(packed.Bytes())}, nil
}

// size is about what the rendering holds of memory.
func (r *rendering) size() int64 {
	return int64(cap(r.identity.body)+cap(r.gzip.body)) + 512
}

// dates are what a request that was asked at that time is told of when the rendering changed: shown to the reader, and
// to compare the reader's conditions with, which is zero where no date may vouch for the bytes yet.
//
// The store's own time of the change will not do: the same state gives other bytes after a change of the config, two
// changes come within one second, which is all that a date in HTTP can tell, and a change is seen some time after it
// was dated. So the date is the full second after the rendering was begun, and it is given to requests that were asked
// from then on. Whatever differs is begun later still and gets a later date, after a restart too. Before that, the
// second in which the rendering was begun is shown, which vouches for nothing.
func (r *rendering) dates(asked time.Time) (shown, compared time.Time) {
	second := r.made.UTC().Truncate(time.Second)
	if next := second.Add(time.Second); !asked.Before(next) {
		return next, next
	}
	return second, time.Time{}
}

// cache keeps the latest rendering of each resource, up to a bound of bytes; those that were not asked for the longest
// go first. It is safe for use by many goroutines, which wait for each other where they want the same rendering.
type cache struct {
	limit  int64
	flight singleflight.Group
	// slots bounds how many renderings are made at once, and so their memory: readers may ask for many different ones.
	slots chan struct{}

	mu    sync.Mutex
	used  int64
	order *list.List // of *cached, the latest asked for first
	kept  map[resource]*list.Element
}

type cached struct {
	key       resource
	rendering *rendering
}

func newCache(limit int64) *cache {
	return &cache{
		limit: limit, order: list.New(), kept: map[resource]*list.Element{},
		slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
	}
}

// renderTimeout ends a rendering that the store keeps waiting.
const renderTimeout = 30 * time.Second

// get is the resource's rendering for the version, made by render where it is not kept. The rendering is made once
// however many ask, and goes on when the one who asked first is gone.
func (c *cache) get(ctx context.Context, key resource, version string, render func(context.Context) (*rendering, error)) (*rendering, error) {
	if r := c.find(key, version); r != nil {
		return r, nil
	}
	result := c.flight.DoChan(fmt.Sprintf("%+v %s", key, version), func() (made any, err error) {
		// In this goroutine a panic would end the whole daemon, not just a request.
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("render %s: panic: %v\n%s", key.kind, p, debug.Stack())
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderTimeout)
		defer cancel()
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		case <-ctx.Done():
			return nil, fmt.Errorf("render %s: too much to render at once: %w", key.kind, ctx.Err())
		}
		if r := c.find(key, version); r != nil { // it was made since
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

func (c *cache) find(key resource, version string) *rendering {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[key]
	if !ok || e.Value.(*cached).rendering.version != version {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).rendering
}

func (c *cache) keep(key resource, r *rendering) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.kept[key]; ok {
		c.drop(e)
	}
	if r.size() > c.limit {
		return
	}
	c.kept[key] = c.order.PushFront(&cached{key, r})
	for c.used += r.size(); c.used > c.limit; {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	old := c.order.Remove(e).(*cached)
	delete(c.kept, old.key)
	c.used -= old.rendering.size()
}
