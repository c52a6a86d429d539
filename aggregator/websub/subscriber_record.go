package websub

import (
	"context"
	"math"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// missGrace is how long after a poll that was first with the news its delivery may come and still count.
	missGrace = 5 * time.Minute
	// rateSpan is the time over which the rate of a source's items is taken.
	rateSpan = 24 * time.Hour
)

// record is what is known of how well a hub tells what is new.
type record struct {
	// Since is from when on it has told everything, zero where it has not shown that. Missed is when a poll was first,
	// Before the Since that ended then.
	Since  time.Time `json:"since,omitzero"`
	Missed time.Time `json:"missed,omitzero"`
	Before time.Time `json:"before,omitzero"`
	// Delivered is when the hub sent something last, Deliveries how often it did, Unsigned how often what it sent was not
	// signed as it should be.
	Delivered  time.Time `json:"delivered,omitzero"`
	Deliveries int       `json:"deliveries,omitempty"`
	Unsigned   int       `json:"unsigned,omitempty"`
	// PerHour is how many new items came in an hour of the last rateSpan, as of Counted.
	PerHour float64   `json:"per_hour,omitempty"`
	Counted time.Time `json:"counted,omitzero"`

	// pinged says that the hub has told of what the next poll brings.
	pinged bool
}

// delivered takes note of something that the hub sent, with so many new items; ping says that they are to be polled for.
func (r *record) delivered(news int, ping bool, now time.Time) {
	r.Delivered = now
	r.Deliveries++
	switch {
	case !r.Since.IsZero():
	case !r.Before.IsZero() && now.Sub(r.Missed) < missGrace:
		r.Since = r.Before
	default:
		r.Since = now
	}
	r.Before = time.Time{}
	r.pinged = r.pinged || ping
	r.count(news, now)
}

// polled takes note of a poll with so many new items. It reports whether the hub had missed them.
func (r *record) polled(news int, now time.Time) (missed bool) {
	told := r.pinged
	r.pinged = false
	r.count(news, now)
	if told || news == 0 || r.Since.IsZero() {
		return false
	}
	r.Before, r.Since, r.Missed = r.Since, time.Time{}, now
	return true
}

// count adds new items to the rate.
func (r *record) count(news int, now time.Time) {
	if news > 0 {
		r.PerHour, r.Counted = r.rate(now)+float64(news)/rateSpan.Hours(), now
	}
}

func (r *record) rate(now time.Time) float64 {
	return r.PerHour * math.Exp(-max(0, now.Sub(r.Counted).Hours())/rateSpan.Hours())
}

// spare is for how long nothing would be lost if the hub were lost now: as long as it has told everything, and at most
// the time in which half of so many listed items are replaced.
func (r *record) spare(listed int, now time.Time) time.Duration {
	if r.Since.IsZero() {
		return 0
	}
	spare := max(0, now.Sub(r.Since))
	if rate := r.rate(now); rate > 0 {
		spare = min(spare, time.Duration(min(float64(listed)/2/rate, 1e4)*float64(time.Hour)))
	}
	return spare
}

// sourceSpace is where subscriptions are remembered.
const sourceSpace = "websub.sources"

// SourceState is how a subscription to a polled feed is doing.
type SourceState struct {
	// Hub is the host of the hub.
	Hub string
	// Until is when the subscription ends unless it is renewed, zero where there is none.
	Until time.Time
	// Trusted is from when on the hub has told everything, zero where it has not shown that.
	Trusted time.Time
	// Delivered is when it sent something last, Deliveries how often it did, Unsigned how often that was ignored because it
	// was not signed as it should be.
	Delivered            time.Time
	Deliveries, Unsigned int
	// Trouble says what is wrong, in words without a secret; empty where nothing is.
	Trouble string
}

// Sources are the subscriptions to polled feeds that a Subscriber remembers there.
func Sources(ctx context.Context, notes Notes) (map[aggregator.FeedID]SourceState, error) {
	states := make(map[aggregator.FeedID]SourceState)
	err := load(ctx, newSaver(notes, sourceSpace, orLog(nil)), func(_ string, src source) {
		if !src.Ending {
			states[src.Feed] = SourceState{
				Hub: hostOf(src.Hub), Until: src.Until, Trusted: src.Since, Delivered: src.Delivered, Deliveries: src.Deliveries,
				Unsigned: src.Unsigned, Trouble: src.Trouble,
			}
		}
	})
	return states, err
}

// AnySource reports whether a Subscriber remembers anything there, be it a subscription that is to be ended.
func AnySource(ctx context.Context, notes Notes) (bool, error) {
	for _, err := range notes.Notes(ctx, sourceSpace) {
		return err == nil, err
	}
	return false, nil
}
