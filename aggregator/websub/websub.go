// Package websub is push, as WebSub (W3C Recommendation of 23 January 2018) has it, in its three roles.
//
// A Publisher tells hubs that a merged feed has changed. A Hub takes subscriptions to this site's own merged feeds, makes
// sure that they are meant, and delivers the whole document to each subscriber when it changes. A Subscriber asks the hubs
// of polled feeds to be told of changes, hands over what they send, and says how much of polling that makes unnecessary.
//
// What is to be done follows from what is stored, not from a list of things to do: a hub is to be told of a topic whose
// Version is not the one that it was last told of, and a subscriber is to be sent one whose Version is not the one that it
// last got. A notice (Publisher.Notice, Hub.Notice) makes them look at once; without one they look after a while, which
// finds what another process stored. So a kill at any instant loses nothing, a change that comes while another is being
// delivered needs no entry of its own, and a subscriber that was away gets the newest state once.
//
// What is remembered is kept as notes (storage.NoteStore). Many of them share one write. A note that is lost with a crash
// means at most that something is sent twice.
//
// A hub is trusted by what it has shown: the longer it has told everything that polls would have found, the less its feed is
// polled, and one poll that is first with the news ends that. So a hub that is lost without a word costs time and no item.
//
// Callbacks are what strangers say that they are. Requests to them are made over the transport that the caller hands in,
// which refuses addresses that are not public when it connects; they are limited in time, in number by host, and in rate
// before a subscription is confirmed. No secret, no callback and no path of one is ever logged: a callback's URL is a
// secret of its subscriber, so that only its host is named.
package websub

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"iter"
	"log/slog"
	"net/url"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Notes is where the package remembers what must outlive the process. Its promises are those of storage.NoteStore.
type Notes interface {
	Notes(ctx context.Context, space string) iter.Seq2[aggregator.Note, error]
	PutNotes(ctx context.Context, notes ...aggregator.Note) error
}

// Versions tells the states of topics apart. Its promise is that of storage.ReadStore.
type Versions interface {
	Version(ctx context.Context, topic aggregator.TopicID) (aggregator.Version, error)
}

// Published is a topic and the URLs of its merged feed, one for each format.
type Published struct {
	Topic aggregator.TopicID
	URLs  []string
}

// DefaultWindow is for how long changes are gathered after a notice before anybody is told; DefaultCheck is how often is
// looked without one.
const (
	DefaultWindow = 2 * time.Second
	DefaultCheck  = time.Minute
)

// requestTimeout bounds one request to a hub or to a callback, from the connection to the end of the answer.
const requestTimeout = 15 * time.Second

// hostOf is what of a URL may be shown.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "a URL that cannot be read"
	}
	return u.Host
}

// webURL is the parsed absolute http or https URL, whether it is one, and no longer than limit.
func webURL(raw string, limit int) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > limit || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return nil, false
	}
	return u, true
}

// maxURL bounds the URLs that are taken from others, in bytes.
const maxURL = 2048

// backoff is how long to wait after so many failures in a row, 1 or more: from first, twice as long each time, up to
// longest; and of that a random part of at least a half, so that those who failed together do not come back together.
func backoff(failures int, first, longest time.Duration, jitter func() float64) time.Duration {
	wait := longest
	if shift := failures - 1; shift < 32 && first<<shift > 0 {
		wait = min(first<<shift, longest)
	}
	return wait/2 + time.Duration(jitter()*float64(wait/2))
}

// token is a text of 32 bytes from random that nobody can guess.
func token(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

func orRandom(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}

func orLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

func orHostOf(f func(string) string) func(string) string {
	if f == nil {
		return hostOf
	}
	return f
}

func orDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// lookPause is the least time between two looks for what is to be done.
const lookPause = 100 * time.Millisecond

// attend has the lanes open, and looks what is to be done until ctx ends, as often as wait lets it: it is given when there
// will be more and for how long to wait at least. ready is closed when that begins.
func attend(
	ctx context.Context, ready chan<- struct{}, look func(context.Context) time.Time,
	wait func(ctx context.Context, next time.Time, pause time.Duration), all ...*lanes,
) {
	for _, l := range all {
		l.open(ctx)
		defer l.close()
	}
	close(ready)
	for ctx.Err() == nil {
		began := time.Now()
		next := look(ctx)
		// However much there is, looking takes a small part of the time.
		wait(ctx, next, max(lookPause, 10*time.Since(began)))
	}
}

// sleep waits for d, and reports whether ctx has not ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// nudge makes who waits on the channel, which holds one value, look once more.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
