package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

// explainReport says why an item is in its topics.
type explainReport struct {
	ID        aggregator.ItemID `json:"id"`
	Feed      aggregator.FeedID `json:"feed"`
	Published time.Time         `json:"published"`
	Language  string            `json:"language"`
	Title     string            `json:"title"`
	URL       string            `json:"url"`
	// Topics are those that match the item or that it is filed under, in the order of the config.
	Topics []topicExplanation `json:"topics"`
}

type topicExplanation struct {
	ID    aggregator.TopicID `json:"id"`
	Title string             `json:"title"`
	// Filed says that the item is stored as the topic's, Forced that its feed puts it there whatever the query says, Matched
	// that the query matches it now.
	Filed   bool `json:"filed"`
	Forced  bool `json:"forced"`
	Matched bool `json:"matched"`
	// Hits are where the item has the terms that make the query match.
	Hits []hitReport `json:"hits"`
}

func (p *program) topicsExplainCommand() *cobra.Command {
	return asking(p, &cobra.Command{
		Use:   "explain ITEM",
		Short: "Show which terms of which topics an item has, and where",
		Long: `Show the topics that a stored item is in and those whose queries match it now, with the terms that make them
match: in which field, at which character, and in what words. ITEM is the item's id, as 'topics test --json' and exports have
it, or its link.`,
		Example: `  topicwire topics explain 0f3c1f0a7b5d4c7e9d0a6b1c2d3e4f50
  topicwire topics explain https://example.org/news/office-opens --json`,
		Args: arguments(1, "give the id of one item, or its link"),
	}, func(ctx context.Context, d desk, args []string) (explainReport, error) {
		return d.Explain(ctx, args[0])
	}, p.printExplanation)
}

func (p *program) printExplanation(w io.Writer, r explainReport) error {
	marks := p.marks()
	fmt.Fprintf(w, "%s\n%s\n", plain(r.Title), r.URL)
	fmt.Fprintf(w, "item %s of feed %s, published %s", r.ID, r.Feed, r.Published.UTC().Format(time.RFC3339))
	if r.Language != "" {
		fmt.Fprintf(w, ", in %s", plain(r.Language))
	}
	fmt.Fprintln(w)
	if len(r.Topics) == 0 {
		fmt.Fprint(w, "\nin no topic\n")
	}
	for _, t := range r.Topics {
		fmt.Fprintf(w, "\n%s: %s\n", t.ID, t.inWords())
		for _, h := range t.Hits {
			fmt.Fprintf(w, "  %s  at %s %d: %s\n", h.Term, h.Field, h.Offset, marks.hit(h))
		}
		if len(t.Hits) == maxHits {
			fmt.Fprintln(w, "  ...")
		}
	}
	return nil
}

// inWords says how the item comes to be in the topic.
func (t topicExplanation) inWords() string {
	var words []string
	switch {
	case t.Matched && t.Filed:
		words = append(words, "its query matches")
	case t.Matched:
		words = append(words, "its query matches, and the item is not filed there yet")
	case t.Filed && !t.Forced:
		words = append(words, "filed there by an earlier query, which the present one does not do")
	}
	if t.Forced {
		words = append(words, "the feed puts all its items there")
	}
	return strings.Join(words, "; ")
}

// Explain implements desk.
func (s *station) Explain(ctx context.Context, name string) (explainReport, error) {
	it, err := s.findItem(ctx, name)
	if err != nil {
		return explainReport{}, err
	}
	report := explainReport{
		ID: it.ID, Feed: it.Feed, Published: it.Published, Language: it.Language, Title: it.Title, URL: it.URL, Topics: []topicExplanation{},
	}
	matched, forced := s.topics.Match(&it), forcedTopics(s.config, it.Feed)
	for _, t := range s.config.Topics {
		e := topicExplanation{
			ID: t.ID, Title: t.Title, Filed: slices.Contains(it.Topics, t.ID), Forced: slices.Contains(forced, t.ID),
			Matched: slices.Contains(matched, t.ID), Hits: []hitReport{},
		}
		if !e.Filed && !e.Matched && !e.Forced {
			continue
		}
		if e.Matched {
			query, err := s.queries.Parse(t.Query)
			if err != nil {
				return explainReport{}, err
			}
			e.Hits = hitReports(query, &it)
		}
		report.Topics = append(report.Topics, e)
	}
	return report, nil
}

// forcedTopics are those that all items of the feed are filed under.
func forcedTopics(cfg *config.Config, id aggregator.FeedID) []aggregator.TopicID {
	for _, f := range cfg.Feeds {
		if f.ID == id {
			return f.Topics
		}
	}
	return nil
}
