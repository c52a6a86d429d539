package bolt

import (
	"context"

	"github.com/topicwire/topicwire/aggregator"
)

// tally reports how far a walk has come, where somebody asks. It is nil where nobody does.
type tally struct {
	listener func(aggregator.Progress)
	stored   int64
	aggregator.Progress
}

// reportEach is for how many things there is one report.
const reportEach = 1 << 8

// newTally counts the items of the store, for walks over them.
func (s *Store) newTally(ctx context.Context) (*tally, error) {
	t := &tally{listener: aggregator.ProgressFor(ctx)}
	if t.listener == nil {
		return nil, nil
	}
	for status, err := range s.Feeds(ctx) {
		if err != nil {
			return nil, err
		}
		t.stored += int64(status.State.Items)
	}
	return t, nil
}

// part begins a part of the work that counts items; total may be 0.
func (t *tally) part(what string, total int64) {
	if t == nil {
		return
	}
	t.Progress = aggregator.Progress{What: what, Unit: "items", Total: total}
	t.listener(t.Progress)
}

// partOfItems begins a part of the work that looks at every item.
func (t *tally) partOfItems(what string) {
	if t != nil {
		t.part(what, t.stored)
	}
}

// counted counts n more.
func (t *tally) counted(n int) {
	if t == nil || n == 0 {
		return
	}
	before := t.Done
	t.Done += int64(n)
	if before/reportEach != t.Done/reportEach || t.Done == t.Total {
		t.listener(t.Progress)
	}
}
