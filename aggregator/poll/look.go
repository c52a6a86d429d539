package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/parse"
)

// headers are those of the feed. They are for the URL that the operator gave, not for one that the feed has moved to.
func (p *Poller) headers(j *job) map[string]string {
	if p.Headers == nil || j.lease.URL != j.status.Feed.URL {
		return nil
	}
	return p.Headers(j.status.Feed.ID)
}

// wholeEvery is how often a document is asked for without validators, against publishers who answer 304 for ever.
const wholeEvery = 7 * 24 * time.Hour

// validators are those to ask with.
func validators(state *aggregator.FeedState, at time.Time) aggregator.Validators {
	last := &state.LastPoll
	switch {
	case at.Sub(state.LastWhole) >= wholeEvery:
		return aggregator.Validators{}
	case last.Outcome == aggregator.OutcomeFailed && last.Status == http.StatusIMUsed:
		// The publisher's differences cannot be read.
		return aggregator.Validators{}
	}
	return state.Validators
}

// look fetches the feed and reads it into what the job has seen. An error is the feed's failure; what is known of the answer
// is then in the record there.
func (p *Poller) look(ctx context.Context, j *job) error {
	resp, err := p.Fetcher.Get(ctx, fetch.Request{
		URL: j.lease.URL, Parsed: j.url, Validators: validators(&j.status.State, j.at), Header: p.headers(j), AllowPrivate: j.status.Feed.AllowPrivate,
	})
	j.url = nil
	if err != nil {
		return err
	}
	seen := &j.seen
	seen.response, seen.State = resp, j.status.State
	state := &seen.State
	state.Validators = resp.Validators
	state.LastSuccess = j.at
	record := &state.LastPoll
	record.Status, record.Bytes, record.Error = resp.Status, resp.Bytes, ""
	record.New, record.Changed = 0, 0
	switch {
	case resp.NotModified:
		record.Outcome = aggregator.OutcomeNotModified
		seen.same = true
		return nil
	case resp.Delta:
		seen.same = true
	default:
		state.LastWhole = j.at
		state.BodyHash = aggregator.HashOf(resp.Body)
		if state.BodyHash == j.status.State.BodyHash {
			record.Outcome = aggregator.OutcomeUnchanged
			seen.same = true
			return nil
		}
	}
	return p.read(ctx, j)
}

// read parses the items that were not in the feed's last document as they are now.
func (p *Poller) read(ctx context.Context, j *job) (err error) {
	seen, resp := &j.seen, j.seen.response
	if j.listing, err = p.Store.Listing(ctx, j.status.Feed.ID); err != nil {
		// It only saves work, and who asks the store next sees to it that it works again.
		j.listing = nil
	}
	before := make(map[aggregator.Hash]aggregator.ListedItem, len(j.listing))
	for _, l := range j.listing {
		before[l.Bytes] = l
	}
	doc, err := parse.Parse(resp.Body, parse.Source{
		URL: resp.URL, ContentType: resp.ContentType, Seen: j.at,
		Known: func(bytes aggregator.Hash) bool { _, ok := before[bytes]; return ok },
	})
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	seen.doc = doc
	for _, bytes := range doc.Skipped {
		seen.unread = append(seen.unread, before[bytes])
	}
	state := &seen.State
	// The first document says what the feed is. A later one is known to be the same feed's by what it has of it.
	seen.same = seen.same || j.status.State.LastSuccess.IsZero() || len(seen.unread) > 0 || doc.ID != "" && doc.ID == state.DocumentID
	state.Title, state.Link, state.Language, state.DocumentID, state.Rights = doc.Title, doc.Link, doc.Language, doc.ID, doc.Rights
	state.LastPoll.Outcome = aggregator.OutcomeStored
	state.LastPoll.Listed = doc.Listed
	return nil
}

// failed is the outcome of a poll that ended in an error. What earlier polls brought stays, the validators too: they
// still vouch for the document that is stored. answer has what is known of the publisher's answer.
func failed(j *job, answer *aggregator.PollRecord, failure error) outcome {
	var o outcome
	o.State = j.status.State
	o.State.LastPoll = aggregator.PollRecord{
		Outcome: aggregator.OutcomeFailed,
		Status:  answer.Status,
		Bytes:   answer.Bytes,
		Error:   withoutSecrets(j.status.Feed, strings.Join(strings.Fields(failure.Error()), " ")),
	}
	if refused := refusal(failure); refused != nil {
		o.State.LastPoll.Status, o.State.LastPoll.Bytes = refused.Status, refused.Bytes
	}
	return o
}

// withoutSecrets hides the query of a private feed's URL, which errors name: they are logged and listed.
func withoutSecrets(feed aggregator.Feed, text string) string {
	_, query, ok := strings.Cut(feed.URL, "?")
	if !feed.Private || !ok || query == "" {
		return text
	}
	return strings.ReplaceAll(text, query, "hidden")
}

// refusal is the failure as the fetcher describes it, nil where it is another.
func refusal(failure error) *fetch.Error {
	if failure == nil {
		return nil // the usual case, without memory for what is looked for
	}
	var refused *fetch.Error
	if errors.As(failure, &refused) {
		return refused
	}
	return nil
}
