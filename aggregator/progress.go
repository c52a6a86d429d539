package aggregator

import "context"

// Progress is how far a long piece of work has come. A piece of work may have several parts, one after the other, each
// with a What of its own.
type Progress struct {
	// What says what is being done, as in "checking items".
	What string `json:"what"`
	// Unit is what Done and Total count, in the plural; empty where only their ratio means something.
	Unit string `json:"unit"`
	// Done never falls while What stays. Total is 0 where nobody knows it.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

type progressKey struct{}

// WithProgress is a context in which those who do long work tell report how far they have come. report is called often,
// from one goroutine at a time, and the work waits for it.
func WithProgress(ctx context.Context, report func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, report)
}

// ProgressFor is whom to tell of progress: what WithProgress was given, or nil where nobody asks.
func ProgressFor(ctx context.Context) func(Progress) {
	report, _ := ctx.Value(progressKey{}).(func(Progress))
	return report
}
