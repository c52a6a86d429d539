package publish

import (
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish/chart"
)

const (
	aDay = 24 * time.Hour
	// sparkDays is how many days a topic's sparkline has, chartDays how many its chart has.
	sparkDays = 30
	chartDays = 60
	// countTime is how long a page waits for the volumes that it shows: it is better without them than not at all.
	countTime = 5 * time.Second
	// chartSources is how many sources a chart tells apart; the rest is one more.
	chartSources = 5
)

// today is the end of the day on which the store last changed: where charts end. It depends on nothing but the store, and
// so do the pages; while feeds are polled it is the present day.
func (s *site) today(ctx context.Context) (time.Time, error) {
	v, err := s.src.Version(ctx, aggregator.AllTopics)
	if err != nil {
		return time.Time{}, fmt.Errorf("read version of all topics: %w", err)
	}
	if v.Changed.IsZero() {
		return s.born.UTC().Truncate(aDay).Add(aDay), nil
	}
	return v.Changed.UTC().Truncate(aDay).Add(aDay), nil
}

// countFor gives count the time that a page has for counting, all that it takes where nobody waits for the page. It reports
// whether that was enough.
func (s *site) countFor(ctx context.Context, count func(context.Context) error) (bool, error) {
	if s.static {
		err := count(ctx)
		return err == nil, err
	}
	limited, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	err := count(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		s.options.Log.WarnContext(ctx, "a page goes without its volume: counting takes too long", slog.Any("error", err))
		return false, nil
	}
	return err == nil, err
}

// volume counts the topic's items on each of so many days before until.
func (s *site) volume(ctx context.Context, topic aggregator.TopicID, until time.Time, days int) ([]aggregator.DayVolume, error) {
	volume, err := s.src.Volume(ctx, aggregator.VolumeQuery{Topic: topic, Since: until.AddDate(0, 0, -days), Until: until})
	if err != nil {
		return nil, fmt.Errorf("count items of topic %q: %w", topic, err)
	}
	return volume, nil
}

// sparkOf draws a volume of sparkDays days, and says it in words.
func sparkOf(volume []aggregator.DayVolume, until time.Time) (template.HTML, string) {
	values := make([]int, sparkDays)
	for _, v := range volume {
		if i := dayIn(v.Day, until, sparkDays); i >= 0 {
			values[i] += v.Items
		}
	}
	total := chart.Series{Values: values}.Total()
	words := count(total, "report", "reports") + " in 30 days"
	return chart.Sparkline(values, fmt.Sprintf("Volume by day: %s, at most %s on a day", words, chart.Thousands(slices.Max(values)))), words
}

// dayIn is the place of the day among so many that end at until, -1 where it is none of them.
func dayIn(day, until time.Time, days int) int {
	i := days - int(until.Sub(day)/aDay)
	if i < 0 || i >= days {
		return -1
	}
	return i
}

// volumeChart is the volume of a topic by day and source, as a drawing and as a table.
type volumeChart struct {
	Since, Last time.Time
	Total       int
	Drawing     template.HTML
	Legend      []legendEntry
	// Rows are the days on which there was anything, latest first.
	Rows []volumeRow
}

type legendEntry struct {
	// Class is the series' class in the drawing.
	Class, Name string
	Total       int
}

type volumeRow struct {
	Day    time.Time
	Link   string
	Values []int
	Total  int
}

// latestDay is the end of the day of the latest of the stories.
func latestDay(entries []entry) (end time.Time) {
	for i := range entries {
		if day := entries[i].published.Truncate(aDay).Add(aDay); day.After(end) {
			end = day
		}
	}
	return end
}

// chartOf is the topic's chart of the last days; of those up to its latest item where there was nothing in them. It is nil
// where the topic has no items, or where counting them takes too long.
func (s *site) chartOf(ctx context.Context, l links, c channel, entries []entry) (*volumeChart, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	until, err := s.today(ctx)
	if err != nil {
		return nil, err
	}
	var volume []aggregator.DayVolume
	counted, err := s.countFor(ctx, func(ctx context.Context) (err error) {
		if volume, err = s.volume(ctx, c.topic, until, chartDays); err != nil || len(volume) > 0 {
			return err
		}
		until = latestDay(entries)
		volume, err = s.volume(ctx, c.topic, until, chartDays)
		return err
	})
	if !counted || err != nil {
		return nil, err
	}
	series, err := s.seriesOf(ctx, volume, until)
	if err != nil {
		return nil, err
	}
	out := &volumeChart{Since: until.AddDate(0, 0, -chartDays), Last: until.Add(-aDay)}
	for i, one := range series {
		out.Legend = append(out.Legend, legendEntry{fmt.Sprint("s", i), one.Name, one.Total()})
		out.Total += one.Total()
	}
	label := fmt.Sprintf("Reports by day and source from %s to %s, %s in all. The table below has the numbers.",
		out.Since.Format(dayForm), out.Last.Format(dayForm), chart.Thousands(out.Total))
	out.Drawing = chart.Bars(out.Since, series, label)
	for i := chartDays - 1; i >= 0; i-- {
		row := volumeRow{Day: out.Since.AddDate(0, 0, i)}
		for _, one := range series {
			row.Values = append(row.Values, one.Values[i])
			row.Total += one.Values[i]
		}
		if !l.static {
			row.Link = l.page(c.path) + "?until=" + row.Day.Format(time.DateOnly)
		}
		if row.Total > 0 {
			out.Rows = append(out.Rows, row)
		}
	}
	return out, nil
}

// seriesOf are the volumes of the sources with the most items, the greatest first, and of all others together.
func (s *site) seriesOf(ctx context.Context, volume []aggregator.DayVolume, until time.Time) ([]chart.Series, error) {
	byFeed := map[aggregator.FeedID][]int{}
	var feeds []aggregator.FeedID
	for _, v := range volume {
		i := dayIn(v.Day, until, chartDays)
		if i < 0 {
			continue
		}
		if byFeed[v.Feed] == nil {
			byFeed[v.Feed] = make([]int, chartDays)
			feeds = append(feeds, v.Feed)
		}
		byFeed[v.Feed][i] += v.Items
	}
	total := func(id aggregator.FeedID) int { return chart.Series{Values: byFeed[id]}.Total() }
	slices.SortFunc(feeds, func(a, b aggregator.FeedID) int {
		if d := total(b) - total(a); d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	shown := len(feeds)
	if shown > chartSources+1 { // one that is left over is no group
		shown = chartSources
	}
	sources := sourceReader{site: s, known: map[aggregator.FeedID]*source{}}
	var series []chart.Series
	for _, id := range feeds[:shown] {
		src, err := sources.source(ctx, id)
		if err != nil {
			return nil, err
		}
		series = append(series, chart.Series{Name: src.title, Values: byFeed[id]})
	}
	if rest := feeds[shown:]; len(rest) > 0 {
		others := chart.Series{Name: count(len(rest), "other source", "other sources"), Values: make([]int, chartDays)}
		for _, id := range rest {
			for i, v := range byFeed[id] {
				others.Values[i] += v
			}
		}
		series = append(series, others)
	}
	return series, nil
}

// refiling says how far the store is with filing items under changed topics, "" where it is done.
func (s *site) refiling(ctx context.Context) (string, error) {
	state, err := s.src.Refiling(ctx)
	if err != nil {
		return "", fmt.Errorf("read state of refiling: %w", err)
	}
	if !state.Running() {
		return "", nil
	}
	return fmt.Sprintf("The topics have changed, and stored stories are being filed anew: %d%% done. Until then this page may "+
		"lack stories that belong here, and have others.", 100*min(state.Position, state.End)/max(1, state.End)), nil
}
