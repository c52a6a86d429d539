package aggregator

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound means that the store has nothing under the name that was asked for.
	ErrNotFound = errors.New("not found")
	// ErrLeaseLost means that the feed is no longer leased to the poll that would store its outcome; nothing of it
	// was stored.
	ErrLeaseLost = errors.New("lease lost")
	// ErrLeased means that somebody else is polling the feed.
	ErrLeased = errors.New("feed is being polled")
	// ErrRefused means that the store is whole and will not take this outcome, now or later; nothing of it was stored.
	ErrRefused = errors.New("refused by the store")
	// ErrStoreBusy means that another process has the store open.
	ErrStoreBusy = errors.New("store is in use by another process")
)
