package poll

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/hosts"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

// reached takes note of whether the answer's host could be reached. It reports whether the poll is to be forgotten because
// it is this machine that has no network.
func (p *Poller) reached(j *job, failure error, now time.Time) (forget bool) {
	refused := refusal(failure)
	if j.status.Feed.AllowPrivate || failure != nil && refused == nil {
		return false
	}
	key, ok := j.key, refused == nil || !refused.Unreached
	if !ok {
		key = hosts.KeyOf(refused.URL)
	}
	if !key.Public() {
		return false
	}
	since := p.outage.Since()
	down := p.outage.Saw(key.Host, ok, now)
	switch {
	case down && since.IsZero():
		p.Log.Error("hardly any host can be reached: this machine's network or its name server is down; nothing is counted against the feeds, and polling goes on when one host answers")
	case !down && ok && !since.IsZero():
		p.Log.Info("hosts can be reached again", "after", now.Sub(since).Round(time.Second))
	}
	return down && !ok
}

// hold leaves the answer's host alone for as long as it asks for, and says until when.
func (p *Poller) hold(j *job, failure error, now time.Time) time.Time {
	refused := refusal(failure)
	if refused == nil {
		return time.Time{}
	}
	until := schedule.HostHold(refused.Status, refused.RetryAfter, now, j.status.State.Pace.Throttled+1, p.Jitter)
	if until.IsZero() {
		return until
	}
	p.waiting.Hold(j.key, until, now)
	if refused.URL != "" {
		p.waiting.Hold(hosts.KeyOf(refused.URL), until, now)
	}
	p.Log.Info("a host asks to be left alone", "host", j.key.Tenant, "until", until, "status", refused.Status)
	return until
}

// plan decides where and when the feed is polled next.
func (p *Poller) plan(ctx context.Context, j *job, seen *answer, failure error, o *outcome, now time.Time) error {
	moved, err := p.follow(ctx, j, seen, failure, o, now)
	if moved || err != nil {
		return err
	}
	state := &o.State
	a := schedule.Answer{
		At: now, Previous: j.status.State.LastSuccess, OK: failure == nil, Status: state.LastPoll.Status, Arrivals: o.arrivals,
	}
	if resp := seen.response; resp != nil {
		a.Headers, a.RetryAfter = schedule.Headers(resp.Freshness), resp.RetryAfter
	} else if refused := refusal(failure); refused != nil {
		a.Headers, a.RetryAfter = schedule.Headers(refused.Freshness), refused.RetryAfter
	}
	if failure == nil && seen.doc != nil {
		hints := schedule.Document(seen.doc.Hints)
		a.Document, a.Listed = &hints, seen.doc.Listed
		if seen.response.Delta {
			// What a difference does not list is still there.
			a.Listed += len(j.listing)
		}
	}
	state.Pace = schedule.Learn(j.status.State.Pace, a)
	if longest := now.Add(schedule.MaxRetryAfter); !state.Pace.NotBefore.Before(longest) {
		if asked := latest(schedule.ReadHeaders(a.Headers, now).RetryAfter, a.RetryAfter); asked.After(longest) {
			p.Log.Warn("the publisher asks to be left alone for longer than is kept to", "feed", j.status.Feed.ID, "asked", asked, "kept_to", longest)
		}
	}
	state.Failures = schedule.Failures(j.status.State.Failures, a)
	state.Due = p.due(&j.status.Feed, state, seen.held, now, p.spared(j, seen, failure, state))
	if state.Pace.Stopped != "" && j.status.State.Pace.Stopped == "" {
		p.Log.Warn("feed stopped; 'topicwire feeds resume' polls it again", "feed", j.status.Feed.ID, "reason", state.Pace.Stopped)
	}
	return nil
}

// spared is for how long the feed need not be polled, since a hub tells what is new.
func (p *Poller) spared(j *job, seen *answer, failure error, state *aggregator.FeedState) time.Duration {
	if p.Push == nil || failure != nil {
		return 0
	}
	push := Push{Listed: state.LastPoll.Listed, News: state.LastPoll.New}
	if doc, resp := seen.doc, seen.response; doc != nil && !resp.Delta {
		offer := aggregator.Offer{Document: resp.URL, Topic: resp.Self, Hubs: resp.Hubs}
		// Headers come before the document (WebSub section 4).
		if len(offer.Hubs) == 0 {
			offer.Hubs = doc.Hubs
		}
		if offer.Topic == "" {
			offer.Topic = doc.Self
		}
		push.Offer = &offer
	}
	return p.Push(j.status.Feed.ID, push)
}

// due is when the feed is polled next. held is the time until which its host is left alone, spared for how long it need
// not be polled.
func (p *Poller) due(feed *aggregator.Feed, state *aggregator.FeedState, held, now time.Time, spared time.Duration) time.Time {
	spec, err := p.specs.Parse(feed.Schedule)
	switch {
	case state.Pace.Stopped != "":
		return aggregator.Never
	case err != nil:
		// The config has checked it; whatever else put it into the store must not make a feed be polled in a loop.
		p.Log.Error("feed has an unreadable schedule; polling it daily", "feed", feed.ID, "schedule", feed.Schedule, "error", err)
		return latest(now.Add(24*time.Hour), state.Pace.NotBefore)
	}
	bounds := p.Bounds
	bounds.Floor = max(bounds.Floor, spared)
	return schedule.Due(spec, feed.ID, schedule.Outcome{
		Now: now, Failures: state.Failures, Status: state.LastPoll.Status, RetryAfter: held, Pace: state.Pace,
		Unvalidated: !state.LastSuccess.IsZero() && state.Validators == (aggregator.Validators{}), Bounds: bounds,
	}, p.Jitter)
}

// follow takes note of a permanent redirect and, where it is to be believed, makes the feed be polled at its target, at
// once. It reports whether it did.
func (p *Poller) follow(ctx context.Context, j *job, seen *answer, failure error, o *outcome, now time.Time) (bool, error) {
	before := j.status.State.Move
	s := p.whereabouts(j, seen, failure, o.same, now)
	if note := before.Refused; note != "" && strings.HasPrefix(note, movedNote+withoutUser(s.Target)) && !strings.Contains(note, takenMark) {
		// What was found there at first was not this feed, and has been stored since: it says nothing that it is known.
		s.Same = false
	}
	move, decision := schedule.Moved(before, s)
	move.Refused = decision.Refused
	switch {
	case s.Status == 0 || s.Status >= 500:
		move.Refused = before.Refused // no news
	case s.Target != "" && decision.Refused == "" && before.Refused == takenBy(s.Target, before.Refused):
		move.Refused = before.Refused
	}
	o.State.Move = move
	if decision.To == "" {
		return false, nil
	}
	other, err := p.whoHas(ctx, decision.To, j.status.Feed.ID)
	if err != nil {
		return false, err
	}
	if other != "" {
		o.State.Move.Refused = movedNote + withoutUser(decision.To) + takenMark + string(other) + ": remove one of the two"
		return false, nil
	}
	p.Log.Info("feed has moved", "feed", j.status.Feed.ID,
		"from", withoutSecrets(j.status.Feed, withoutUser(j.lease.URL)), "to", withoutSecrets(j.status.Feed, withoutUser(decision.To)))
	state := o.State.Unread()
	o.Relist, o.Listing = true, nil
	state.Move, state.MovedTo = aggregator.Move{}, decision.To
	if decision.To == j.status.Feed.URL {
		state.MovedTo = ""
	}
	state.Pace, state.Failures = aggregator.Pace{Rhythm: j.status.State.Pace.Rhythm}, 0
	state.Due = now
	o.State = state
	return true, nil
}

// movedNote begins the notes on permanent redirects that are not believed, here and in package schedule; takenMark is in
// the one that says that another feed is at the target.
const (
	movedNote = "moved permanently to "
	takenMark = ", which is polled already as "
)

// takenBy is the given note where it says that the target is another feed, else "-".
func takenBy(target, note string) string {
	if note != "" && strings.HasPrefix(note, movedNote+withoutUser(target)+takenMark) {
		return note
	}
	return "-"
}

// whoHas is another feed that is polled at the URL, empty where there is none.
func (p *Poller) whoHas(ctx context.Context, at string, but aggregator.FeedID) (aggregator.FeedID, error) {
	for status, err := range p.Directory.Feeds(ctx) {
		if err != nil {
			return "", err
		}
		if status.Active && status.Feed.ID != but && (status.Feed.URL == at || status.URL() == at) {
			return status.Feed.ID, nil
		}
	}
	return "", nil
}

// whereabouts is what a poll saw of where its feed lives.
func (p *Poller) whereabouts(j *job, seen *answer, failure error, same bool, now time.Time) schedule.Sighting {
	s := schedule.Sighting{At: now, URL: j.lease.URL, Headers: len(p.headers(j)) > 0}
	if resp := seen.response; resp != nil {
		s.Redirected, s.Target, s.Private = redirected(j.lease.URL, resp.URL), resp.Moved, resp.Private
		s.Status, s.Same = resp.Status, same && failure == nil
	} else if refused := refusal(failure); refused != nil {
		s.Status = refused.Status
		s.Redirected = refused.URL != "" && redirected(j.lease.URL, refused.URL)
	}
	return s
}

// redirected reports whether an answer that came from one URL is to a request for another. Errors cut long URLs.
func redirected(requested, answered string) bool {
	if requested == answered || answered == "" {
		return false // the usual case, without reading the URL
	}
	u, err := url.Parse(requested)
	if err != nil {
		return false
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	text := u.String()
	if start, cut := strings.CutSuffix(answered, "..."); cut && strings.HasPrefix(text, start) {
		return false
	}
	return text != answered
}

func withoutUser(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "a URL that cannot be read"
	}
	u.User = nil
	return u.String()
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
