package aggregator

import "time"

// Move is what is remembered of a permanent redirect until it is old enough to be believed.
type Move struct {
	// Target is where the redirect leads, empty where there is none.
	Target string
	// Since is when it was first seen, Polls how many polls in a row saw it.
	Since time.Time
	Polls int
}
