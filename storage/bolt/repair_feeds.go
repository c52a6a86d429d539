package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/topicwire/topicwire/aggregator"
)

// feedsAndStates copies what can be read of the feeds, with what the items say of their number.
func (n *rebuilding) feedsAndStates(ctx context.Context) error {
	counted := 0
	err := n.scan(ctx, feedsBucket, func(r *reader, k, v []byte) error {
		var rec feedRecord
		err := r.decodeFeed(v, &rec)
		state, stateErr := r.state(k)
		switch {
		case n.strict && (err != nil || stateErr != nil):
			return fmt.Errorf("feed %q: %w", k, errors.Join(err, stateErr))
		case err != nil:
			// The config describes the feed, and the next start stores it again.
			return nil
		case stateErr != nil:
			// It is polled at once, without validators, as if it were new.
			state = aggregator.FeedState{}
		}
		counted += state.Items
		state.Items = n.feeds[aggregator.FeedID(k)]
		return n.putFeed(r, k, &rec, &state, stateErr == nil)
	})
	err = errors.Join(err, n.enterDue())
	if n.uncounted {
		for _, items := range n.feeds {
			counted -= items
		}
		n.lost = max(n.lost, counted)
	}
	return err
}

func (n *rebuilding) putFeed(r *reader, k []byte, rec *feedRecord, state *aggregator.FeedState, listed bool) error {
	if err := n.put(feedsBucket, k, encodeFeed(rec)); err != nil {
		return err
	}
	if err := n.put(statesBucket, stateKey(k), encodeState(state)); err != nil {
		return err
	}
	if b := r.bucket(listingsBucket); listed && b != nil { // Format 1 has none.
		if v := b.Get(k); len(v) > 0 {
			if err := n.put(listingsBucket, k, v); err != nil {
				return err
			}
		}
	}
	if rec.Inactive {
		return nil
	}
	n.due = append(n.due, dueFeed{instantOf(state.Due), bytes.Clone(k), rec.entry(k, state.MovedTo)})
	if len(n.due) < feedsPerWrite {
		return nil
	}
	return n.enterDue()
}

// enterDue stores what is due of the feeds so far.
func (n *rebuilding) enterDue() error {
	feeds := n.due
	n.due = nil
	if err := n.commit(); err != nil || len(feeds) == 0 {
		return err
	}
	return n.built.update(func(w *writer) error {
		for _, f := range feeds {
			w.enterDue(f)
		}
		return nil
	})
}
