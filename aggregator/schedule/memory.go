package schedule

import (
	"sync"
	"time"
)

// Specs reads specs and remembers those that it has read, since feeds by the million have a handful of them. Its zero value
// is ready, and safe for use by many goroutines.
type Specs struct {
	mu   sync.RWMutex
	read map[string]Spec
}

// maxSpecs bounds how many are remembered.
const maxSpecs = 1024

// Parse is the function of that name.
func (s *Specs) Parse(spec string) (Spec, error) {
	s.mu.RLock()
	parsed, ok := s.read[spec]
	s.mu.RUnlock()
	if ok {
		return parsed, nil
	}
	parsed, err := Parse(spec)
	if err != nil {
		return parsed, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil || len(s.read) >= maxSpecs {
		s.read = make(map[string]Spec)
	}
	s.read[spec] = parsed
	return parsed, nil
}

// gaps remembers the last gaps between two times of a cron spec that were asked about: finding the next time goes through
// the calendar, and feeds that are polled at about the same time ask for the same ones.
type gaps struct {
	mu     sync.Mutex
	recent [4]gap
	oldest int
}

// gap is a time from which on, up to the next, there is none.
type gap struct{ from, next time.Time }

// after is the first time after the given one, which find finds.
func (g *gaps) after(t time.Time, find func(time.Time) time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.recent {
		if r := &g.recent[i]; t.Before(r.next) && !t.Before(r.from) {
			return r.next
		}
	}
	next := find(t)
	g.recent[g.oldest] = gap{t, next}
	g.oldest = (g.oldest + 1) % len(g.recent)
	return next
}
