package aggregator

import "time"

// Never is the due time of a feed that is not to be polled again until somebody resumes it.
var Never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Pace is what a feed's state remembers from poll to poll in order to tell when the next one is worth making. It has a
// fixed size and its zero value is that of a feed that was never polled. Package schedule gives it its meaning.
type Pace struct {
	Hints  Hints
	Rhythm Rhythm
	// NotBefore is the time until which the publisher asked not to be asked again; zero or past where it did not.
	NotBefore time.Time
	// Throttled counts the answers 429 in a row.
	Throttled int
	// Gone is when the feed first answered 410 in the present row of failures; zero where it did not.
	Gone time.Time
	// Stopped says why the feed is no longer polled. Empty for a feed that is.
	Stopped string
}

// Hints are what a publisher says about when its feed is worth asking for again. Each is zero where it says nothing.
type Hints struct {
	// FreshUntil is when the last answer is no longer fresh by its HTTP headers. It is at most the time of the answer
	// where they say something that has already ended.
	FreshUntil time.Time
	// The others are those of the last document that was read. TTL is RSS's ttl; UpdatePeriod is the Syndication
	// module's period divided by its frequency, counted from UpdateBase where there is one.
	TTL, UpdatePeriod time.Duration
	UpdateBase        time.Time
	// SkipHours has bit h set for each hour of the day in GMT, SkipDays bit d for each time.Weekday in GMT, in which
	// the document does not change.
	SkipHours uint32
	SkipDays  uint8
}

// Rhythm is what was learnt of when a feed publishes. All counts fade with time.
type Rhythm struct {
	// Seen is the last look that the counts include, Latest the newest arrival that is known. Zero means none.
	Seen, Latest time.Time
	// Arrivals is how many arrivals there were in Watched hours.
	Arrivals, Watched float32
	// ByHour and ByDay count arrivals by the hour of the day and by the time.Weekday, in UTC, over Covered hours.
	ByHour  [24]float32
	ByDay   [7]float32
	Covered float32
	// Fill is how long the feed is expected to take to replace half of its document, where the last look found that it
	// does so fast; else zero.
	Fill time.Duration
}

// Move is what is remembered of a permanent redirect until it is old enough to be believed.
type Move struct {
	// Target is where the redirect leads, empty where there is none.
	Target string
	// Since is when it was first seen, Polls how many polls in a row saw it.
	Since time.Time
	Polls int
	// Refused says why the permanent redirect that the last poll saw is not believed. Empty where there was none.
	Refused string
}
