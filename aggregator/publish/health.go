package publish

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish/chart"
)

const (
	// healthAge is for how long what was read of the feeds is shown, at least: no number of readers makes the store be
	// read more often. Where reading takes long it is healthRest times as long.
	healthAge  = 15 * time.Second
	healthRest = 10
)

// condition is how a feed is doing, the worst first.
type condition uint8

const (
	conditionStopped condition = iota
	conditionFailing
	conditionHeld
	conditionWaiting
	conditionFine
	// anyCondition is none of them, and counts them.
	anyCondition
)

// conditionWords are those of addresses and of style sheets, then those for people.
var conditionWords = [anyCondition][2]string{
	{"stopped", "Stopped"}, {"failing", "Failing"}, {"held", "Asked to slow down"}, {"waiting", "Not polled yet"}, {"fine", "Fine"},
}

// feedHealth is what the page shows of a feed.
type feedHealth struct {
	ID, Title, Home, URL string
	condition            condition
	// Trouble says in plain words what is wrong and what to do, "" for nothing. Notes are what else there is to know.
	Trouble  string
	Notes    []string
	Schedule string
	Items    int
	// Stories leads to the stories that it brought, "" where there is no search.
	Stories string
	// PerDay is how many items a day the feed brings, below 0 where that is not known yet.
	PerDay                 float64
	LastPoll, LastNew, Due time.Time
	history                aggregator.History
}

// Word and Class are the feed's condition in words and for the style sheet.
func (f *feedHealth) Word() string  { return conditionWords[f.condition][1] }
func (f *feedHealth) Class() string { return conditionWords[f.condition][0] }

// Rate is PerDay in words.
func (f *feedHealth) Rate() string {
	switch {
	case f.PerDay < 0:
		return "–"
	case f.PerDay > 0 && f.PerDay < 0.1:
		return "< 0.1"
	case f.PerDay < 10:
		return strconv.FormatFloat(f.PerDay, 'f', 1, 64)
	}
	return chart.Thousands(int(f.PerDay + .5))
}

// Strip draws the last polls, the latest at the right.
func (f *feedHealth) Strip() template.HTML {
	cells := make([]chart.Cell, len(f.history))
	var counts [aggregator.MarkFailed + 1]int
	for i, p := range f.history {
		mark := min(p.Mark, aggregator.MarkFailed)
		counts[mark]++
		cells[len(cells)-1-i] = [...]chart.Cell{chart.None, chart.Tall, chart.Short, chart.Hollow, chart.Crossed}[mark]
	}
	polls := len(f.history) - counts[aggregator.MarkNone]
	if polls == 0 {
		return chart.Strip(cells, "No polls yet")
	}
	label := fmt.Sprintf("Last %s since %s:", count(polls, "poll", "polls"), f.history[polls-1].At().Format("2 January 15:04"))
	var parts []string
	for mark := aggregator.MarkNews; mark <= aggregator.MarkFailed; mark++ {
		if n := counts[mark]; n > 0 {
			words := [...]string{"", "with news", "without news", "asked to slow down", "failed"}[mark]
			parts = append(parts, strconv.Itoa(n)+" "+words)
		}
	}
	return chart.Strip(cells, label+" "+strings.Join(parts, ", "))
}

// health is what was read of all feeds at one time.
type health struct {
	at     time.Time
	until  time.Time
	feeds  []feedHealth
	counts [anyCondition]int
	items  int
}

// readHealth is the health of the active feeds, read anew where what was read last is too old.
func (s *site) readHealth(ctx context.Context) (*health, error) {
	select {
	case s.healthTurn <- struct{}{}:
		defer func() { <-s.healthTurn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	began := s.options.Now()
	if h := s.lastHealth; h != nil && began.Before(h.until) && !began.Before(h.at) {
		return h, nil
	}
	notes, err := s.feedNotes(ctx)
	if err != nil {
		return nil, fmt.Errorf("read notes on feeds: %w", err)
	}
	h := &health{at: began}
	for status, err := range s.src.Feeds(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read feeds: %w", err)
		}
		if !status.Active {
			continue
		}
		f := s.healthOf(&status)
		if note := notes[status.Feed.ID]; note != "" && !status.Feed.Private {
			f.Notes = append(f.Notes, oneLine(note, maxText))
		}
		h.feeds = append(h.feeds, f)
		h.counts[f.condition]++
		h.items += f.Items
	}
	ended := s.options.Now()
	h.until = ended.Add(max(healthAge, healthRest*ended.Sub(began)))
	s.lastHealth = h
	return h, nil
}

func (s *site) feedNotes(ctx context.Context) (map[aggregator.FeedID]string, error) {
	if s.options.FeedNotes == nil {
		return nil, nil
	}
	return s.options.FeedNotes(ctx)
}

func (s *site) healthOf(status *aggregator.FeedStatus) feedHealth {
	state, src := &status.State, s.source(*status)
	f := feedHealth{
		ID: string(status.Feed.ID), Title: src.title, Home: src.home, URL: src.url, Schedule: status.Feed.Schedule,
		Items: state.Items, PerDay: -1, LastPoll: state.LastPoll.At, LastNew: state.LastNew, Due: state.Due, history: state.History,
	}
	if r := state.Pace.Rhythm; r.Watched >= 24 {
		f.PerDay = max(0, 24*float64(r.Arrivals)/float64(r.Watched))
	}
	failed := state.LastPoll.Outcome == aggregator.OutcomeFailed
	switch {
	case state.Pace.Stopped != "":
		f.condition, f.Due = conditionStopped, time.Time{}
	case state.LastPoll.At.IsZero():
		f.condition = conditionWaiting
	case state.Pace.Throttled > 0:
		f.condition = conditionHeld
	case failed:
		f.condition = conditionFailing
	default:
		f.condition = conditionFine
	}
	if f.condition != conditionFine && f.condition != conditionWaiting {
		f.Trouble = troubleOf(status)
	}
	if state.Failures > 1 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d failures in a row", state.Failures))
	}
	if until := state.Pace.NotBefore; until.After(state.LastPoll.At) && f.condition == conditionFailing {
		f.Notes = append(f.Notes, "its publisher asked not to be asked before "+until.Format("2 January 15:04")+" UTC")
	}
	if !status.Feed.Private {
		if state.MovedTo != "" {
			f.Notes = append(f.Notes, "polled at "+webLink(state.MovedTo)+", where it has moved to")
		}
		if state.Move.Refused != "" {
			f.Notes = append(f.Notes, oneLine(state.Move.Refused, maxText))
		}
	}
	if state.IsRestless() {
		f.Notes = append(f.Notes, "more than half of its items change at each poll, so their texts are kept once a day")
	}
	if n := len(state.LastPoll.Repairs); n > 0 {
		f.Notes = append(f.Notes, "the last document had faults that were mended")
	}
	return f
}

// troubleOf says in plain words what is wrong with the feed. Of a private one it says no more than the status: errors
// name addresses.
func troubleOf(status *aggregator.FeedStatus) string {
	record := status.State.LastPoll
	text := ""
	switch {
	case status.Feed.Private && record.Status >= 300:
		text = fmt.Sprintf("the publisher answered with the status %d %s", record.Status, http.StatusText(record.Status))
	case status.Feed.Private:
		text = "the last poll failed; 'topicwire feeds show " + string(status.Feed.ID) + "' says why"
	case status.State.Pace.Stopped != "":
		text = status.State.Pace.Stopped
	default:
		text = record.Error
		if rest, ok := strings.CutPrefix(text, "get "); ok { // the address stands beside it
			if _, reason, ok := strings.Cut(rest, ": "); ok {
				text = reason
			}
		}
	}
	if text = sentence(text); text == "" {
		return ""
	}
	return text + "."
}

// sentence is the text of an error as a page shows it: with a capital, without the full stop.
func sentence(text string) string {
	text = strings.TrimSuffix(oneLine(text, maxText), ".")
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}
