package bolt

import (
	"bytes"
	"container/list"
	"sync"
)

// cacheBytes is how much the frames that are kept unpacked take, with their records.
const cacheBytes = 16 << 20

// frameCache has the frames that were asked for last as they were unpacked: who reads the latest stories reads the same
// few over and over. One of them stands for a frame whose record has the same bytes, whatever became of the file
// meanwhile.
type frameCache struct {
	limit int

	mu     sync.Mutex
	frames map[uint64]*list.Element
	// recent is in the order of use, the latest first.
	recent list.List
	size   int
}

// cachedFrame is the element of a frameCache. Nobody changes what is in it.
type cachedFrame struct {
	// seq is the first of the frame.
	seq          uint64
	record, cbor []byte
}

func newFrameCache(limit int) *frameCache {
	return &frameCache{limit: limit, frames: make(map[uint64]*list.Element)}
}

// get is what is in the frame, nil where that is not known.
func (c *frameCache) get(f frame) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.frames[f.seqs[0]]
	if e == nil {
		return nil
	}
	cached := e.Value.(*cachedFrame)
	if !bytes.Equal(cached.record, f.record) {
		return nil
	}
	c.recent.MoveToFront(e)
	return cached.cbor
}

// put keeps what is in the frame, and forgets what was asked for the longest ago.
func (c *frameCache) put(f frame, cbor []byte) {
	next := &cachedFrame{seq: f.seqs[0], record: bytes.Clone(f.record), cbor: cbor}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.frames[next.seq]; e != nil {
		c.drop(e)
	}
	c.frames[next.seq] = c.recent.PushFront(next)
	for c.size += next.size(); c.size > c.limit; {
		c.drop(c.recent.Back())
	}
}

func (c *frameCache) drop(e *list.Element) {
	old := c.recent.Remove(e).(*cachedFrame)
	delete(c.frames, old.seq)
	c.size -= old.size()
}

func (f *cachedFrame) size() int { return len(f.record) + len(f.cbor) }
