package bolt

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// readyState is a state that is ready to be stored: its record, but for the count of items in it and the checksum, which only
// the transaction knows. It takes a fifth of the memory of the state.
type readyState struct {
	record []byte
	due    instant
	// movedTo is where the feed is polled, if not at its own URL.
	movedTo string
}

func ready(s *aggregator.FeedState) readyState {
	const most = 256
	return readyState{record: appendState(make([]byte, 0, most), s), due: instantOf(s.Due), movedTo: s.MovedTo}
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
	c := &commit{feed: feed, token: token, state: ready(state)}
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
