package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"regexp"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/export"
	"github.com/topicwire/topicwire/aggregator/poll"
	"github.com/topicwire/topicwire/aggregator/schedule"
	"github.com/topicwire/topicwire/aggregator/websub"
)

// desk answers the commands that work whether or not a daemon holds the store: a station does so itself, a remoteDesk
// asks the daemon. Its values are those that --json prints and the control socket carries.
type desk interface {
	// Feeds lists all feeds by id.
	Feeds(ctx context.Context) ([]feedReport, error)
	// Resume has a feed that was stopped be polled again, and says how it is then.
	Resume(ctx context.Context, id aggregator.FeedID) (feedReport, error)
	// Fetch polls the feeds that are due, or all of them, and tells report of each.
	Fetch(ctx context.Context, all bool, report func(pollReport)) (poll.Summary, error)
	// Export writes the items that are asked for.
	Export(ctx context.Context, req exportRequest, w io.Writer) (rows int, err error)
	// Test says what a query matches in the store.
	Test(ctx context.Context, req testRequest) (testReport, error)
	// Explain says why the item of the given id or link is in its topics.
	Explain(ctx context.Context, item string) (explainReport, error)
	storeDesk
	publishDesk
	storyDesk
}

// feedReport is a line of 'feeds list'.
type feedReport struct {
	ID    aggregator.FeedID `json:"id"`
	Title string            `json:"title"`
	URL   string            `json:"url"`
	// Link is the feed's home page, as its publisher says.
	Link     string   `json:"link"`
	Schedule string   `json:"schedule"`
	Tags     []string `json:"tags"`
	// State is "ok", "failed", "throttled" (its publisher answers 429), "stopped" (it is no longer polled, see Stopped),
	// "not polled yet" or "removed" (no longer in the config).
	State string `json:"state"`
	// MovedTo is where it is polled in place of URL, empty where it is URL itself; MoveRefused says why a permanent
	// redirect is not believed; Stopped says why it is no longer polled.
	MovedTo     string `json:"moved_to"`
	MoveRefused string `json:"move_refused"`
	Stopped     string `json:"stopped"`
	// NotBefore is the time until which its publisher asked not to be asked again.
	NotBefore *time.Time `json:"not_before"`
	Items     int        `json:"items"`
	// Restless is null, or says that most of its items change at each poll and what that means for what is stored.
	Restless    *string    `json:"restless"`
	Due         *time.Time `json:"due"`
	LastSuccess *time.Time `json:"last_success"`
	LastNew     *time.Time `json:"last_new"`
	Failures    int        `json:"failures"`
	LastPoll    *pollEntry `json:"last_poll"`
	// Push is the subscription at the feed's hub, null where there is none.
	Push *pushReport `json:"push"`
}

// pollEntry is one poll in a list.
type pollEntry struct {
	At      time.Time          `json:"at"`
	Seconds float64            `json:"seconds"`
	Outcome aggregator.Outcome `json:"outcome"`
	Status  int                `json:"status"`
	Bytes   int64              `json:"bytes"`
	Error   string             `json:"error"`
	Repairs []string           `json:"repairs"`
	Listed  int                `json:"listed"`
	New     int                `json:"new"`
	Changed int                `json:"changed"`
	TooOld  int                `json:"too_old"`
}

// pollReport is a line of 'fetch'.
type pollReport struct {
	Feed aggregator.FeedID `json:"feed"`
	pollEntry
}

// exportRequest is what 'export' asks for.
type exportRequest struct {
	Topic        aggregator.TopicID
	Since, Until time.Time
	Format       export.Format
	Options      export.Options
}

// testRequest is what 'topics test' asks for.
type testRequest struct {
	Query string `json:"query"`
	// Feeds, when there are any, are the only ones that are asked, as for a topic.
	Feeds []aggregator.FeedID `json:"feeds"`
	Limit int                 `json:"limit"`
}

// testReport is what a query matches.
type testReport struct {
	Query string `json:"query"`
	// Matched counts the items that match, Items all that were looked at.
	Matched int `json:"matched"`
	Items   int `json:"items"`
	// Histogram says when those that match were published.
	Histogram histogram `json:"histogram"`
	// Latest are the latest of those that match, newest first.
	Latest []testMatch `json:"latest"`
}

type testMatch struct {
	ID        aggregator.ItemID `json:"id"`
	Feed      aggregator.FeedID `json:"feed"`
	Published time.Time         `json:"published"`
	Title     string            `json:"title"`
	URL       string            `json:"url"`
	// Terms are the words of the item that the query's terms matched.
	Terms []string `json:"terms"`
	// Hits are where they are.
	Hits []hitReport `json:"hits"`
}

func newFeedReport(s aggregator.FeedStatus) feedReport {
	r := feedReport{
		ID: s.Feed.ID, Title: s.DisplayTitle(), URL: shownURL(s.Feed), Link: s.State.Link, Schedule: s.Feed.Schedule,
		Tags: s.Feed.Tags, Items: s.State.Items, Failures: s.State.Failures,
		LastSuccess: orNull(s.State.LastSuccess), LastNew: orNull(s.State.LastNew),
		MovedTo: shownURL(aggregator.Feed{URL: s.State.MovedTo, Private: s.Feed.Private}), MoveRefused: s.State.Move.Refused,
	}
	if s.Feed.Private {
		r.MoveRefused = queryInText.ReplaceAllString(r.MoveRefused, "?hidden")
	}
	if s.State.IsRestless() {
		note := fmt.Sprintf("more than half of its items change at each poll, %d times in a row: their texts are kept once a day, and changes of dates and the like are not stored", s.State.Restless)
		r.Restless = &note
	}
	if r.Tags == nil {
		r.Tags = []string{}
	}
	if !s.State.LastPoll.At.IsZero() {
		entry := newPollEntry(s.State.LastPoll)
		r.LastPoll = &entry
	}
	switch {
	case !s.Active:
		r.State = "removed"
		return r
	case s.State.Pace.Stopped != "":
		r.State, r.Stopped = "stopped", s.State.Pace.Stopped
		return r
	case r.LastPoll == nil:
		r.State = "not polled yet"
	case s.State.Pace.Throttled > 0:
		r.State = "throttled"
	case r.LastPoll.Outcome == aggregator.OutcomeFailed:
		r.State = "failed"
	default:
		r.State = "ok"
	}
	r.Due, r.NotBefore = orNull(s.State.Due), orNull(s.State.Pace.NotBefore)
	return r
}

func newPollEntry(r aggregator.PollRecord) pollEntry {
	entry := pollEntry{
		At: r.At, Seconds: r.Duration.Seconds(), Outcome: r.Outcome, Status: r.Status, Bytes: r.Bytes, Error: r.Error,
		Repairs: r.Repairs, Listed: r.Listed, New: r.New, Changed: r.Changed, TooOld: r.TooOld,
	}
	if entry.Repairs == nil {
		entry.Repairs = []string{}
	}
	return entry
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// queryInText is the query of a URL in a note.
var queryInText = regexp.MustCompile(`\?[^\s,;]*`)

// shownURL is the feed's URL as it may be shown: without user information, and without the query of a private feed.
func shownURL(f aggregator.Feed) string {
	u, err := url.Parse(f.URL)
	if err != nil || u.User == nil && (!f.Private || u.RawQuery == "") {
		return f.URL
	}
	u.User = nil
	if f.Private && u.RawQuery != "" {
		u.RawQuery = "hidden"
	}
	return u.String()
}

// Feeds implements desk. Feeds that the config names and the store does not know yet are listed as not polled.
func (s *station) Feeds(ctx context.Context) ([]feedReport, error) {
	configured := make(map[aggregator.FeedID]aggregator.Feed, len(s.config.Feeds))
	for _, f := range s.config.Feeds {
		configured[f.ID] = f
	}
	pushed, err := websub.Sources(ctx, s.store)
	if err != nil {
		return nil, err
	}
	var reports []feedReport
	for status, err := range s.store.Feeds(ctx) {
		if err != nil {
			return nil, err
		}
		f, named := configured[status.Feed.ID]
		status.Active = named
		if named {
			status.Feed = f
			delete(configured, f.ID)
		}
		report := newFeedReport(status)
		if state, ok := pushed[status.Feed.ID]; ok {
			report.Push = newPushReport(state)
		}
		reports = append(reports, report)
	}
	for _, f := range configured {
		reports = append(reports, newFeedReport(aggregator.FeedStatus{Feed: f, Active: true}))
	}
	sortFeedReports(reports)
	return reports, nil
}

// Resume implements desk.
func (s *station) Resume(ctx context.Context, id aggregator.FeedID) (feedReport, error) {
	now := s.now().UTC()
	lease, err := s.store.ClaimFeed(ctx, id, now, time.Minute)
	switch {
	case errors.Is(err, aggregator.ErrNotFound):
		return feedReport{}, usageError{fmt.Errorf("no feed %q is polled; 'topicwire feeds list' lists them", id)}
	case errors.Is(err, aggregator.ErrLeased):
		return feedReport{}, fmt.Errorf("feed %q is being polled, so it is not stopped", id)
	case err != nil:
		return feedReport{}, err
	}
	status, err := s.store.Leased(ctx, lease)
	if err != nil {
		return feedReport{}, errors.Join(err, s.store.Release(ctx, lease))
	}
	state := &status.State
	if state.Pace.Stopped == "" {
		return feedReport{}, errors.Join(s.store.Release(ctx, lease), usageError{fmt.Errorf("feed %q is not stopped", id)})
	}
	state.Pace, state.Due = schedule.Resume(state.Pace), now
	if err := s.store.Commit(ctx, aggregator.Poll{Feed: id, Token: lease.Token, State: *state}); err != nil {
		return feedReport{}, errors.Join(err, s.store.Release(ctx, lease))
	}
	return newFeedReport(status), nil
}

// Fetch implements desk.
func (s *station) Fetch(ctx context.Context, all bool, report func(pollReport)) (poll.Summary, error) {
	polled, err := s.countPolls(ctx, all)
	if err != nil {
		return poll.Summary{}, err
	}
	return s.poller.Pass(ctx, all, func(f aggregator.FeedID, r aggregator.PollRecord) {
		report(pollReport{Feed: f, pollEntry: newPollEntry(r)})
		polled()
	})
}

// countPolls is to be told of each poll of a pass, so that its progress is reported where somebody asks.
func (s *station) countPolls(ctx context.Context, all bool) (polled func(), err error) {
	report := aggregator.ProgressFor(ctx)
	if report == nil {
		return func() {}, nil
	}
	now, p := s.now(), aggregator.Progress{What: "polling", Unit: "feeds"}
	for status, err := range s.store.Feeds(ctx) {
		if err != nil {
			return nil, err
		}
		due := status.State.Due
		if all && status.State.Pace.Stopped == "" {
			due = status.State.Pace.NotBefore
		}
		if status.Active && !due.After(now) {
			p.Total++
		}
	}
	report(p)
	return func() {
		p.Done++
		p.Total = max(p.Total, p.Done) // one fell due, or was under way
		report(p)
	}, nil
}

// Export implements desk.
func (s *station) Export(ctx context.Context, req exportRequest, w io.Writer) (int, error) {
	if err := s.hasTopic(req.Topic); err != nil {
		return 0, err
	}
	if s.filed != nil {
		// An export of a topic that is half filed by earlier queries would be no answer to anybody.
		select {
		case <-s.filed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return export.Write(ctx, w, req.Format, s.watchItems(ctx, s.items(ctx, req)), req.Options)
}

// hasTopic is a usage error for a topic that the config does not have.
func (s *station) hasTopic(id aggregator.TopicID) error {
	if id == aggregator.AllTopics {
		return nil
	}
	_, err := findTopic(s.config, string(id))
	return err
}

func (s *station) items(ctx context.Context, req exportRequest) iter.Seq2[aggregator.Item, error] {
	return s.store.Items(ctx, aggregator.ItemQuery{Topic: req.Topic, Since: req.Since, Until: req.Until})
}

// watchItems are the items, with their progress reported where somebody asks: they come in the order of their Seq.
func (s *station) watchItems(ctx context.Context, items iter.Seq2[aggregator.Item, error]) iter.Seq2[aggregator.Item, error] {
	report := aggregator.ProgressFor(ctx)
	if report == nil {
		return items
	}
	return func(yield func(aggregator.Item, error) bool) {
		last, err := s.store.Version(ctx, aggregator.AllTopics)
		if err != nil {
			yield(aggregator.Item{}, err)
			return
		}
		for it, err := range items {
			if !yield(it, err) {
				return
			}
			report(aggregator.Progress{What: "exporting", Done: int64(it.Seq), Total: int64(max(last.Seq, it.Seq))})
		}
	}
}
