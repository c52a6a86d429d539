package websub_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topicwire/topicwire/aggregator/websub"
)

var topics = []websub.Published{
	{Topic: "", URLs: []string{"https://wire.example/all.atom"}},
	{Topic: "cloud", URLs: []string{"https://wire.example/topics/cloud.atom", "https://wire.example/topics/cloud.rss"}},
}

// pings is a hub that notes what it is told.
type pings struct {
	mu     sync.Mutex
	told   []string
	answer func(try int) (status int, header http.Header)
	tries  int
}

func (p *pings) serve(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := form(t, r)
		if r.Method != http.MethodPost || f.Get("hub.mode") != "publish" || !slices.Equal(f["hub.url"], f["hub.topic"]) {
			t.Errorf("%s with %v is no ping", r.Method, f)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tries++
		if p.answer != nil {
			if status, header := p.answer(p.tries); status != 0 {
				for name, values := range header {
					w.Header()[name] = values
				}
				w.WriteHeader(status)
				return
			}
		}
		p.told = append(p.told, strings.Join(f["hub.url"], " "))
		w.WriteHeader(http.StatusNoContent)
	}
}

func (p *pings) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

func publisher(w *world, s *shelf, log *lines) *websub.Publisher {
	return websub.NewPublisher(websub.PublisherOptions{
		Versions: s, Notes: s, Transport: w, UserAgent: "topicwire/test", Hubs: []string{"https://hub.example/push?key=hunter2"},
		Topics: topics, Jitter: none, Log: logTo(log),
	})
}

const cloudURLs = "https://wire.example/topics/cloud.atom https://wire.example/topics/cloud.rss"

func TestPublisherTellsAHubOnceForEachWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, hub, log := newWorld(), newShelf(), &pings{}, &lines{}
		w.serve("hub.example", hub.serve(t))
		s.move("cloud") // what there is already is no news
		p := publisher(w, s, log)
		defer running(t, p.Run)()
		synctest.Wait()
		s.move("cloud")
		p.Notice()
		time.Sleep(websub.DefaultWindow / 2)
		if told := hub.seen(); len(told) > 0 {
			t.Errorf("the hub was told of %q before the window ended", told)
		}
		s.move("cloud")
		p.Notice()
		time.Sleep(websub.DefaultWindow)
		if told := hub.seen(); !slices.Equal(told, []string{cloudURLs}) {
			t.Errorf("the hub was told of %q, want the topic once, with the URL of each format", told)
		}
		time.Sleep(time.Hour)
		if told := hub.seen(); len(told) != 1 {
			t.Errorf("the hub was told of %q without a change", told)
		}
		if strings.Contains(log.String(), "hunter2") {
			t.Errorf("the log shows more of a hub than its host:\n%s", log)
		}
	})
}

// A store that another process fills gives no notice.
func TestPublisherLooksByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, hub := newWorld(), newShelf(), &pings{}
		w.serve("hub.example", hub.serve(t))
		defer running(t, publisher(w, s, &lines{}).Run)()
		synctest.Wait()
		s.move("")
		time.Sleep(websub.DefaultCheck + time.Second)
		if told := hub.seen(); !slices.Equal(told, []string{"https://wire.example/all.atom"}) {
			t.Errorf("the hub was told of %q", told)
		}
	})
}

func TestPublisherTriesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(try int) (int, http.Header)
		// after is when the hub has been told at the latest, tries how many requests that took.
		after time.Duration
		tries int
	}{
		"a hub that fails": {func(try int) (int, http.Header) {
			if try <= 3 {
				return http.StatusInternalServerError, nil
			}
			return 0, nil
		}, 30 * time.Second, 4},
		"a hub that asks for time": {func(try int) (int, http.Header) {
			if try == 1 {
				return http.StatusTooManyRequests, http.Header{"Retry-After": {"600"}}
			}
			return 0, nil
		}, 11 * time.Minute, 2},
		"a hub that has moved": {func(try int) (int, http.Header) {
			if try == 1 {
				return http.StatusTemporaryRedirect, http.Header{"Location": {"/new"}}
			}
			return 0, nil
		}, 3 * time.Second, 2},
		"a hub that does not want it": {func(int) (int, http.Header) { return http.StatusForbidden, nil }, time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s, hub := newWorld(), newShelf(), &pings{answer: c.answer}
				w.serve("hub.example", hub.serve(t))
				p := publisher(w, s, &lines{})
				defer running(t, p.Run)()
				synctest.Wait()
				s.move("cloud")
				p.Notice()
				time.Sleep(c.after)
				if hub.mu.Lock(); hub.tries != c.tries {
					t.Errorf("%d requests, want %d", hub.tries, c.tries)
				}
				hub.mu.Unlock()
			})
		})
	}
}

// What a hub was told of is remembered, and what it was not told of is found by the next process.
func TestPublisherGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, hub := newWorld(), newShelf(), &pings{}
		p := publisher(w, s, &lines{})
		stop := running(t, p.Run)
		synctest.Wait()
		s.move("cloud")
		p.Notice()
		time.Sleep(time.Minute) // nobody answers
		stop()
		w.serve("hub.example", hub.serve(t))
		for try := range 2 {
			if err := publisher(w, s, &lines{}).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if told := hub.seen(); !slices.Equal(told, []string{cloudURLs}) {
				t.Errorf("after %d more processes the hub was told of %q", try+1, told)
			}
		}
		w.serve("hub.example", nil)
		s.move("")
		if err := publisher(w, s, &lines{}).Once(t.Context()); err == nil {
			t.Error("a hub that does not answer is no error")
		}
	})
}

func TestPublisherOutlivesAStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, hub := newWorld(), newShelf(), &pings{}
		w.serve("hub.example", hub.serve(t))
		p := publisher(w, s, &lines{})
		stop := running(t, p.Run)
		synctest.Wait()
		s.move("cloud")
		s.breakDown(fmt.Errorf("the disk is full"))
		p.Notice()
		time.Sleep(time.Minute)
		if told := hub.seen(); len(told) > 0 {
			t.Errorf("the hub was told of %q from a store that cannot be read", told)
		}
		s.breakDown(nil)
		time.Sleep(5 * time.Minute)
		stop()
		if err := publisher(w, s, &lines{}).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if told := hub.seen(); !slices.Equal(told, []string{cloudURLs}) {
			t.Errorf("the hub was told of %q", told)
		}
	})
}
