package bolt

import (
	"context"
	"iter"
	"sync"

	"github.com/topicwire/topicwire/aggregator"
)

// versionsKept bounds how many Versions are kept.
const versionsKept = 100_000

// versionCache has the Versions that were asked for, since whoever serves a topic asks for its Version with each request. What
// a transaction changes is forgotten when it is in the file.
type versionCache struct {
	mu    sync.RWMutex
	known map[aggregator.TopicID]aggregator.Version
	// since is the last transaction that changed any: what an earlier one has read may be of before that.
	since int
}

func (c *versionCache) get(topic aggregator.TopicID) (v aggregator.Version, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok = c.known[topic]
	return v, ok
}

// put keeps what the transaction with the id has read.
func (c *versionCache) put(topic aggregator.TopicID, v aggregator.Version, tx int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if tx < c.since {
		return
	}
	if c.known == nil || len(c.known) >= versionsKept {
		c.known = make(map[aggregator.TopicID]aggregator.Version)
	}
	c.known[topic] = v
}

// forget takes out what the transaction with the id has changed.
func (c *versionCache) forget(topics iter.Seq2[aggregator.TopicID, uint64], tx int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic := range topics {
		delete(c.known, topic)
		c.since = tx // where there is any
	}
}

// reset forgets everything. Another file has transactions of its own.
func (c *versionCache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.since = nil, 0
}

// Version tells the states of a topic apart; see storage.ReadStore.
func (s *Store) Version(ctx context.Context, topic aggregator.TopicID) (v aggregator.Version, err error) {
	if err := ctx.Err(); err != nil || len(topic) > maxName {
		return v, err
	}
	if !s.closed.Load() && !s.damaged.Load() {
		if v, ok := s.versions.get(topic); ok {
			return v, nil
		}
	}
	err = s.view(func(r *reader) error {
		rec, err := r.version(topic)
		if err != nil {
			return err
		}
		v = aggregator.Version{Seq: rec.Seq, Changed: rec.Changed.time()}
		// Within the transaction no other file can take the place of this one.
		s.versions.put(topic, v, r.tx.ID())
		return nil
	})
	return v, err
}
