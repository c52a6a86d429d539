package publish

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// draft is a document as it is written.
type draft struct {
	mediaType string
	body      []byte
	// feeds are those whose polls may change the document, as far as that is known.
	feeds []aggregator.FeedID
}

// rendering is a document as bytes, in all encodings, with what is to be known of it.
type rendering struct {
	// version tells the state of the store that was rendered, made is when that began: after version was read.
	version version
	made    time.Time
	form    *form
	feeds   []aggregator.FeedID
	// next is when a poll may change the document next, as it was last read; reading is held by who reads it.
	next    atomic.Pointer[nextPoll]
	reading sync.Mutex
	// control is the latest Cache-Control that was sent.
	control atomic.Pointer[control]
	// edition is what of a feed can be sent to those who have an earlier edition of it; nil for other documents.
	edition *edition
	// grow is told how many bytes were made of the rendering after it was.
	grow func(bytes int)
	// mediaType and dates are fields of the header: the second in which the rendering was begun, and the one after it.
	mediaType   []string
	begun, full []string
}

func newRendering(p *packers, d draft, v version, made time.Time) *rendering {
	// A clone has no room that the writer left.
	second := made.UTC().Truncate(time.Second)
	return &rendering{
		grow:    func(int) {},
		version: v, made: made, form: newForm(p, bytes.Clone(d.body)), feeds: d.feeds, mediaType: []string{d.mediaType},
		begun: []string{second.Format(http.TimeFormat)}, full: []string{second.Add(time.Second).Format(http.TimeFormat)},
	}
}

// size is about what the rendering holds of memory, without the encodings that are not made yet.
func (r *rendering) size() int64 {
	return int64(cap(r.form.plain().body)+r.edition.size()) + 1536
}

// dates are what a request that was asked at that time is told of when the rendering changed: shown to the reader, and
// to compare the reader's conditions with, which is zero where no date may vouch for the bytes yet.
//
// The store's own time of the change will not do: the same state gives other bytes after a change of the config, two
// changes come within one second, which is all that a date in HTTP can tell, and a change is seen some time after it
// was dated. So the date is the full second after the rendering was begun, and it is given to requests that were asked
// from then on. Whatever differs is begun later still and gets a later date, after a restart too. Before that, the
// second in which the rendering was begun is shown, which vouches for nothing.
func (r *rendering) dates(asked time.Time) (shown []string, compared time.Time) {
	if next := r.made.Truncate(time.Second).Add(time.Second); !asked.Before(next) {
		return r.full, next
	}
	return r.begun, time.Time{}
}

// version tells the states of a resource apart.
type version struct {
	// seq and changed are of the one topic that a feed shows; a page has all that it depends on in rest.
	seq     uint64
	changed int64
	rest    string
}
