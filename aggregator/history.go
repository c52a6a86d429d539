package aggregator

import (
	"net/http"
	"time"
)

// HistoryLen is how many polls of a feed are remembered in short.
const HistoryLen = 24

// History is the last polls of a feed in short, the latest first; the rest of it is zero. It has a fixed size.
type History [HistoryLen]PastPoll

// PastPoll is what a History keeps of a poll. Its zero value is no poll.
type PastPoll struct {
	// Minute is when the poll began, in full minutes since the beginning of 1970 in UTC.
	Minute uint32
	Mark   Mark
}

// Mark says how a poll ended.
type Mark uint8

// The marks of polls. Their numbers are stored.
const (
	// MarkNone is no poll.
	MarkNone Mark = iota
	// MarkNews is a poll that brought new or changed items, MarkQuiet one without error that brought none.
	MarkNews
	MarkQuiet
	// MarkHeld is an answer that asks to be asked less often (429), MarkFailed any other poll that ended in an error.
	MarkHeld
	MarkFailed
)

// Add is the history after one more poll.
func (h History) Add(r PollRecord) History {
	copy(h[1:], h[:])
	h[0] = PastPoll{Minute: uint32(r.At.Unix() / 60), Mark: markOf(r)}
	return h
}

func markOf(r PollRecord) Mark {
	switch {
	case r.Outcome == OutcomeFailed && r.Status == http.StatusTooManyRequests:
		return MarkHeld
	case r.Outcome == OutcomeFailed:
		return MarkFailed
	case r.New+r.Changed > 0:
		return MarkNews
	}
	return MarkQuiet
}

// At is when the poll began, without its seconds.
func (p PastPoll) At() time.Time { return time.Unix(60*int64(p.Minute), 0).UTC() }
