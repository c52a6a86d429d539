package publish_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// timetable is a store whose feeds are polled when a test says.
type timetable struct {
	*memory
	due   map[aggregator.FeedID]time.Time
	asked atomic.Int64
	fails bool
}

func (s *timetable) Feed(ctx context.Context, id aggregator.FeedID) (aggregator.FeedStatus, error) {
	s.asked.Add(1)
	if s.fails {
		return aggregator.FeedStatus{}, errors.New("disk on fire")
	}
	status, err := s.memory.Feed(ctx, id)
	status.State.Due = s.due[id]
	return status, err
}

func TestAFeedMayBeKeptUntilTheNextPoll(t *testing.T) {
	bounds := func(o *publish.Options) {
		o.MinAge, o.MaxAge = time.Minute, time.Hour
		o.Topics = append(o.Topics, aggregator.Topic{ID: "few", Feeds: []aggregator.FeedID{"lost"}})
	}
	stopped := feed("courier", "The Courier")
	stopped.State.Pace.Stopped = "gone (410)"
	for name, tc := range map[string]struct {
		path string
		due  map[aggregator.FeedID]time.Time
		feed aggregator.FeedStatus
		want string
	}{
		"the first poll of its sources": {"/topics/cloud.atom", map[aggregator.FeedID]time.Time{
			"courier": noon.Add(20 * time.Minute), "agency": noon.Add(10*time.Minute + time.Second), "lost": noon.Add(2 * time.Minute),
		}, feed("courier", ""), "public, max-age=601"},
		"of a source that is stopped":  {"/topics/cloud.rss", map[aggregator.FeedID]time.Time{"courier": noon.Add(5 * time.Minute)}, stopped, "public, max-age=3600"},
		"of sources without a time":    {"/topics/cloud.rss", nil, feed("courier", ""), "public, max-age=3600"},
		"no longer than the bound":     {"/topics/cloud.json", map[aggregator.FeedID]time.Time{"courier": noon.Add(24 * time.Hour)}, feed("courier", ""), "public, max-age=3600"},
		"no less than the other bound": {"/topics/cloud.json", map[aggregator.FeedID]time.Time{"courier": noon.Add(time.Second)}, feed("courier", ""), "public, max-age=60"},
		"while a poll is due":          {"/topics/cloud.atom", map[aggregator.FeedID]time.Time{"courier": noon.Add(-time.Hour)}, feed("courier", ""), "public, max-age=60"},
		"a topic without stories":      {"/topics/quiet.atom", nil, feed("courier", ""), "public, max-age=60"},
		"without stories, of one feed": {"/topics/few.atom", map[aggregator.FeedID]time.Time{"lost": noon.Add(2 * time.Minute)}, feed("courier", ""), "public, max-age=120"},
		"a page":                       {"/topics/cloud", map[aggregator.FeedID]time.Time{"courier": noon.Add(20 * time.Minute)}, feed("courier", ""), "public, max-age=60"},
	} {
		src := &timetable{memory: sample(), due: tc.due}
		src.feeds["courier"] = tc.feed
		h := handler(t, src, at(noon), bounds)
		for range 2 {
			if w := get(t, h, tc.path); w.Code != http.StatusOK || w.Header().Get("Cache-Control") != tc.want {
				t.Errorf("%s: %d %q, want %q", name, w.Code, w.Header().Get("Cache-Control"), tc.want)
			}
		}
	}
}

func TestTheNextPollIsReadAgainWhenItIsPast(t *testing.T) {
	clock := &clock{noon}
	src := &timetable{memory: sample(), due: map[aggregator.FeedID]time.Time{"courier": noon.Add(10 * time.Minute)}}
	h := handler(t, src, clock.set, func(o *publish.Options) { o.MaxAge = time.Hour })
	ask := func(later time.Duration, want string) {
		t.Helper()
		clock.now = noon.Add(later)
		etag := get(t, h, "/topics/cloud.atom").Header().Get("ETag")
		w := get(t, h, "/topics/cloud.atom", "If-None-Match", etag)
		if got := w.Header().Get("Cache-Control"); w.Code != http.StatusNotModified || got != want {
			t.Errorf("after %v: %d %q, want %q", later, w.Code, got, want)
		}
	}
	ask(0, "public, max-age=600")
	reads := src.asked.Load()
	ask(4*time.Minute, "public, max-age=360")
	ask(9*time.Minute+30*time.Second, "public, max-age=60")
	if n := src.asked.Load(); n != reads {
		t.Errorf("read %d more times before the poll was due", n-reads)
	}
	ask(10*time.Minute, "public, max-age=60")
	ask(10*time.Minute+5*time.Second, "public, max-age=60")
	if n := src.asked.Load() - reads; n > 4 {
		t.Errorf("read %d times within seconds", n)
	}
	src.due["courier"] = noon.Add(40 * time.Minute) // polled, and nothing new
	ask(11*time.Minute, "public, max-age=1740")
	src.fails = true
	ask(41*time.Minute, "public, max-age=60")
}
