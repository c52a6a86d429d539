package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/topic"
	"github.com/topicwire/topicwire/aggregator/topic/labelled"
)

// labelsReport is how well topics do on labelled items.
type labelsReport struct {
	Items  int           `json:"items"`
	Topics []scoreReport `json:"topics"`
	// Mistakes are the first items that topics get wrong.
	Mistakes []mistakeReport `json:"mistakes"`
}

// scoreReport is one topic's line.
type scoreReport struct {
	Topic aggregator.TopicID `json:"topic"`
	// Labelled counts the items that belong to the topic; Right are those of them that it finds, Missed the others; Wrong are
	// those that it finds besides.
	Labelled  int     `json:"labelled"`
	Right     int     `json:"right"`
	Wrong     int     `json:"wrong"`
	Missed    int     `json:"missed"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

type mistakeReport struct {
	Topic aggregator.TopicID `json:"topic"`
	// Mistake is "wrong" or "missed".
	Mistake string `json:"mistake"`
	Title   string `json:"title"`
	// Terms are the words that a query which finds it wrongly found it by.
	Terms []string `json:"terms"`
}

// tryLabels measures topics of the config, or a query, on labelled items.
func (p *program) tryLabels(query *namedQuery, flags tryFlags) error {
	cfg, _, err := p.loadConfig()
	if err != nil {
		return err
	}
	f, err := os.Open(flags.labels)
	if err != nil {
		return usageError{fmt.Errorf("read labelled items: %w", err)}
	}
	defer f.Close()
	items, err := labelled.Read(f)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", flags.labels, err)}
	}
	topics, err := measuredTopics(cfg, query, flags.topic, items)
	if err != nil {
		return err
	}
	if query == nil && flags.topic == "" {
		p.warnOfLabels(topics, items)
	}
	report, err := measure(cfg, topics, items, flags.limit)
	if err != nil {
		return err
	}
	if flags.json {
		return printJSON(p.stdout, report)
	}
	return p.printLabels(report)
}

// measuredTopics are the topics to measure: those of the config, the one of the given name, or a query in place of its own.
func measuredTopics(cfg *config.Config, query *namedQuery, id string, items []labelled.Item) ([]aggregator.Topic, error) {
	switch {
	case query == nil && id == "":
		if len(cfg.Topics) == 0 {
			return nil, usageError{fmt.Errorf("the config has no topics; give a query")}
		}
		return withoutFeeds(cfg.Topics, items), nil
	case query == nil:
		t, err := findTopic(cfg, id)
		return withoutFeeds([]aggregator.Topic{t}, items), err
	}
	if err := query.check(cfg); err != nil {
		return nil, err
	}
	named := labelsOf(items)
	switch {
	case id == "" && len(named) == 1:
		id = named[0]
	case id == "":
		return nil, usageError{fmt.Errorf("which topic's labels is the query to be measured on? Say so by --topic; the file has %s", strings.Join(named, ", "))}
	case !slices.Contains(named, id):
		return nil, usageError{fmt.Errorf("no item is labelled %q; the file has %s", id, strings.Join(named, ", "))}
	}
	return []aggregator.Topic{{ID: aggregator.TopicID(id), Query: query.text}}, nil
}

// withoutFeeds lets topics find items of feeds that are not theirs where the items say nothing of feeds.
func withoutFeeds(topics []aggregator.Topic, items []labelled.Item) []aggregator.Topic {
	if slices.ContainsFunc(items, func(i labelled.Item) bool { return i.Feed != "" }) {
		return topics
	}
	topics = slices.Clone(topics)
	for i := range topics {
		topics[i].Feeds = nil
	}
	return topics
}

// labelsOf are the topics that items are labelled with, sorted.
func labelsOf(items []labelled.Item) []string {
	var names []string
	for _, item := range items {
		for _, id := range item.Topics {
			names = append(names, string(id))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// warnOfLabels says which labels no topic is measured on.
func (p *program) warnOfLabels(topics []aggregator.Topic, items []labelled.Item) {
	unknown := slices.DeleteFunc(labelsOf(items), func(name string) bool {
		return slices.ContainsFunc(topics, func(t aggregator.Topic) bool { return string(t.ID) == name })
	})
	if len(unknown) > 0 {
		fmt.Fprintf(p.stderr, "warning: items are labelled %s, which is no topic of the config\n", strings.Join(unknown, ", "))
	}
}

func measure(cfg *config.Config, topics []aggregator.Topic, items []labelled.Item, limit int) (labelsReport, error) {
	library := topic.NewLibrary(cfg.Queries)
	matcher, err := library.NewMatcher(topics)
	if err != nil {
		return labelsReport{}, usageError{err}
	}
	ids := make([]aggregator.TopicID, len(topics))
	queries := make(map[aggregator.TopicID]*topic.Query, len(topics))
	for i, t := range topics {
		ids[i] = t.ID
		if queries[t.ID], err = library.Parse(t.Query); err != nil {
			return labelsReport{}, usageError{err}
		}
	}
	scores, mistakes := labelled.Measure(items, ids, matcher.Match)
	report := labelsReport{Items: len(items), Topics: []scoreReport{}, Mistakes: []mistakeReport{}}
	for i, s := range scores {
		report.Topics = append(report.Topics, scoreReport{
			Topic: ids[i], Labelled: s.Right + s.Missed, Right: s.Right, Wrong: s.Wrong, Missed: s.Missed,
			Precision: s.Precision(), Recall: s.Recall(), F1: s.F1(),
		})
	}
	for _, m := range mistakes[:min(len(mistakes), limit)] {
		entry := mistakeReport{Topic: m.Topic, Mistake: "missed", Title: items[m.Item].Title, Terms: []string{}}
		if m.Found {
			entry.Mistake = "wrong"
			entry.Terms = matchedWords(queries[m.Topic].Explain(items[m.Item].Item()))
		}
		report.Mistakes = append(report.Mistakes, entry)
	}
	return report, nil
}

func (p *program) printLabels(r labelsReport) error {
	fmt.Fprintf(p.stdout, "%d labelled items\n\n", r.Items)
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "PRECISION\tRECALL\tF1\tLABELLED\tRIGHT\tWRONG\tMISSED\t  TOPIC")
	for _, s := range r.Topics {
		fmt.Fprintf(table, "%.3f\t%.3f\t%.3f\t%d\t%d\t%d\t%d\t  %s\n", s.Precision, s.Recall, s.F1, s.Labelled, s.Right, s.Wrong, s.Missed, s.Topic)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(r.Mistakes) > 0 {
		fmt.Fprintln(p.stdout)
	}
	mistakes := 0
	for _, s := range r.Topics {
		mistakes += s.Wrong + s.Missed
	}
	for _, m := range r.Mistakes {
		terms := ""
		if len(m.Terms) > 0 {
			terms = " (" + strings.Join(m.Terms, ", ") + ")"
		}
		fmt.Fprintln(p.stdout, plain(fmt.Sprintf("%s %s: %s%s", m.Topic, m.Mistake, m.Title, terms)))
	}
	if more := mistakes - len(r.Mistakes); more > 0 {
		fmt.Fprintf(p.stdout, "\n%d more; --limit shows more of them\n", more)
	}
	return nil
}
