package bolt

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// readyState is a state that is ready to be stored: its record, but for the count of items in it and the checksum, which only
// the transaction knows. Many wait, and it takes a tenth of the memory of the state.
type readyState struct {
	record []byte
	due    instant
	// movedTo is where the feed is polled, if not at its own URL.
	movedTo string
}

// roomForState is an empty slice that has room for most records of states.
func roomForState() []byte { return make([]byte, 0, 256) }

// readyIn makes a state ready in the room that a slice, which is empty, has; what is too long for that has its own.
func readyIn(room []byte, s *aggregator.FeedState) readyState {
	return readyState{record: appendState(room, s), due: instantOf(s.Due), movedTo: s.MovedTo}
}

// ready makes a state ready in no more memory than it needs.
func (s *Store) ready(state *aggregator.FeedState) readyState {
	room := s.stateRoom.Get().(*[]byte)
	made := readyIn((*room)[:0], state)
	*room = made.record
	made.record = append(make([]byte, 0, len(made.record)+crc32.Size), made.record...)
	s.stateRoom.Put(room)
	return made
}

// finish is the record of the state of a feed with so many items.
func (s *readyState) finish(items int) []byte {
	binary.BigEndian.PutUint64(s.record[1+instantLen:], uint64(items))
	return appendSum(s.record)
}

// Feed and Due implement aggregator.Prepared.
func (c *commit) Feed() aggregator.FeedID { return c.feed }

// Due implements aggregator.Prepared.
func (c *commit) Due() time.Time { return c.state.due.time() }

// Prepare makes ready what a poll leaves that brought no items; see storage.PollStore.
func (s *Store) Prepare(feed aggregator.FeedID, token uint64, state *aggregator.FeedState) aggregator.Prepared {
	c := &commit{feed: feed, token: token, state: s.ready(state)}
	c.size = len(c.state.record)
	return c
}

// CommitPrepared commits what Prepare has made; see storage.PollStore.
func (s *Store) CommitPrepared(ctx context.Context, prepared []aggregator.Prepared) []error {
	commits := make([]*commit, len(prepared))
	err := ctx.Err()
	for i, p := range prepared {
		commits[i] = p.(*commit)
		commits[i].err = err
	}
	if err == nil {
		s.commit(ctx, commits)
	}
	errs := make([]error, len(prepared))
	for i, c := range commits {
		errs[i] = c.err
	}
	return errs
}
