package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
	"github.com/topicwire/topicwire/aggregator/topic"
)

// tryFlags are the flags of 'topics test'.
type tryFlags struct {
	json   bool
	topic  string
	labels string
	limit  int
}

func (p *program) topicsTestCommand() *cobra.Command {
	var flags tryFlags
	cmd := &cobra.Command{
		Use:   "test QUERY|FILE",
		Short: "Show what a query matches among the stored items, or how well it does on labelled ones",
		Long: `Show how many of the stored items a query matches, when they were published, and the latest of them with the
words that matched: in colour on a terminal, in brackets elsewhere. An argument that names a file is read as a file with
one query. Items that a feed forces into a topic are not counted. The query language is described in
docs/query-language.md.

With --labels, the items are those of a file of JSON Lines instead, each with the topics that it belongs to, and the
answer is precision, recall and F1 of each topic of the config, of --topic, or of a query in place of that topic's own:

  {"title": "...", "text": "...", "language": "en", "topics": ["cloud"]}

feed, url, author, categories and published may be there, too. It needs no store.`,
		Example: `  topicwire topics test '"data protection" OR gdpr*'
  topicwire topics test 'title:(cloud AND pakistan) -lang:de' --limit 50
  topicwire topics test cloud.txt                          # a query in a file, in many lines
  topicwire topics test --topic cloud --json               # the query of a topic in the config
  topicwire topics test --labels labelled.jsonl            # how good the topics are
  topicwire topics test 'cloud NEAR/9 provider*' --topic cloud --labels labelled.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error { return flags.checkArguments(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.limit < 0 {
				return usageError{fmt.Errorf("--limit %d: want 0 or more", flags.limit)}
			}
			query, err := p.queryArgument(args)
			if err != nil {
				return err
			}
			if flags.labels != "" {
				return p.tryLabels(query, flags)
			}
			return p.tryStore(cmd.Context(), query, flags)
		},
	}
	cmd.Flags().StringVar(&flags.topic, "topic", "", "test the query of this topic of the config")
	cmd.Flags().StringVar(&flags.labels, "labels", "", "measure on the labelled items of this file (JSON Lines)")
	cmd.Flags().IntVar(&flags.limit, "limit", 20, "show at most so many items")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print a JSON object")
	p.completeTopics(cmd)
	return cmd
}

func (f *tryFlags) checkArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return usageError{fmt.Errorf("want one query, got %d arguments: put the query in quotes", len(args))}
	case f.labels != "":
		return nil
	case f.topic == "" && len(args) == 0:
		return usageError{fmt.Errorf("give a query, a file with one, --topic or --labels; see '%s --help'", cmd.CommandPath())}
	case f.topic != "" && len(args) > 0:
		return usageError{fmt.Errorf("give a query or --topic, not both")}
	}
	return nil
}

// namedQuery is a query and where it is from.
type namedQuery struct {
	// file is empty for one that was given as it is.
	file, text string
}

// queryArgument is the query that is given, itself or as a file that has it; nil where there is none.
func (p *program) queryArgument(args []string) (*namedQuery, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if info, err := os.Stat(args[0]); err != nil || !info.Mode().IsRegular() {
		return &namedQuery{text: args[0]}, nil
	}
	const maxFile = 1 << 20
	f, err := os.Open(args[0])
	if err != nil {
		return nil, usageError{fmt.Errorf("read the query: %w", err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, usageError{fmt.Errorf("read the query: %w", err)}
	}
	fmt.Fprintf(p.stderr, "the query is that in the file %s\n", args[0])
	return &namedQuery{args[0], strings.TrimPrefix(string(data), "\ufeff")}, nil
}

// check is a usage error that points at what is wrong with the query.
func (q *namedQuery) check(cfg *config.Config) error {
	_, err := topic.NewLibrary(cfg.Queries).Parse(q.text)
	var wrong *topic.SyntaxError
	if err == nil || !errors.As(err, &wrong) {
		return err
	}
	before := q.text[:wrong.At]
	start := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(q.text[start:], "\n")
	column := utf8.RuneCountInString(before[start:])
	where := "query"
	if q.file != "" {
		where = q.file
	}
	return usageError{fmt.Errorf("%s:%d:%d: %w\n%s", where, strings.Count(before, "\n")+1, column+1, err, pointer(line, column))}
}

// pointer is the part of a line around the given character, with a mark below it.
func pointer(line string, at int) string {
	const around = 50
	letters := []rune(plain(line))
	start, end := max(0, at-around), min(len(letters), at+around)
	return fmt.Sprintf("    %s\n    %*s", string(letters[start:end]), at-start+1, "^")
}

// tryStore shows what a query matches in the store.
func (p *program) tryStore(ctx context.Context, query *namedQuery, flags tryFlags) error {
	d, cfg, done, err := p.desk(ctx, false)
	if err != nil {
		return err
	}
	defer done()
	req := testRequest{Limit: flags.limit}
	if query == nil {
		t, err := findTopic(cfg, flags.topic)
		if err != nil {
			return err
		}
		req.Query, req.Feeds = t.Query, t.Feeds
	} else {
		if err := query.check(cfg); err != nil {
			return err
		}
		req.Query = query.text
	}
	report, err := d.Test(ctx, req)
	if err != nil {
		return err
	}
	if flags.json {
		return printJSON(p.stdout, report)
	}
	p.printTest(report)
	return nil
}

// maxShown is how many places of an item's text 'topics test' shows.
const maxShown = 3

func (p *program) printTest(r testReport) {
	w, marks := p.stdout, p.marks()
	fmt.Fprintf(w, "%s\nmatches %d of %d items\n", r.Query, r.Matched, r.Items)
	if len(r.Histogram.Bars) > 0 {
		fmt.Fprintln(w)
		r.Histogram.print(w)
	}
	for _, m := range r.Latest {
		fmt.Fprintf(w, "\n%s  %s  %s\n            %s\n", m.Published.UTC().Format("2006-01-02"), m.Feed, marks.title(m.Title, m.Hits), m.URL)
		shown := 0
		for _, h := range m.Hits {
			if h.Field != "title" && shown < maxShown {
				fmt.Fprintf(w, "            %s: %s\n", h.Field, marks.hit(h))
				shown++
			}
		}
		fmt.Fprintf(w, "            %s\n", plain(strings.Join(m.Terms, ", ")))
	}
	if more := r.Matched - len(r.Latest); more > 0 {
		fmt.Fprintf(w, "\n%d more; --limit shows more of them\n", more)
	}
}

// Test implements desk.
func (s *station) Test(ctx context.Context, req testRequest) (testReport, error) {
	query, err := s.queries.Parse(req.Query)
	if err != nil {
		return testReport{}, usageError{fmt.Errorf("query: %w", err)}
	}
	matcher, err := s.queries.NewMatcher([]aggregator.Topic{{ID: "test", Query: req.Query, Feeds: req.Feeds}})
	if err != nil {
		return testReport{}, usageError{err}
	}
	report := testReport{Query: query.String(), Latest: []testMatch{}}
	latest, days := latestMatches{limit: req.Limit}, dayCounts{}
	for it, err := range s.store.Items(ctx, aggregator.ItemQuery{}) {
		if err != nil {
			return testReport{}, err
		}
		report.Items++
		if len(matcher.Match(&it)) == 0 {
			continue
		}
		report.Matched++
		days.add(it.Published)
		latest.add(it)
	}
	report.Histogram = days.histogram()
	for _, it := range latest.sorted() {
		report.Latest = append(report.Latest, testMatch{
			ID: it.ID, Feed: it.Feed, Published: it.Published, Title: it.Title, URL: it.URL,
			Terms: matchedWords(query.Explain(&it)), Hits: hitReports(query, &it),
		})
	}
	return report, nil
}

// matchedWords are the words of an item that a query's terms matched, each once.
func matchedWords(hits []topic.Hit) []string {
	words := []string{}
	for _, hit := range hits {
		for _, w := range hit.Words {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	return words
}

// latestMatches keeps the latest of the items that it is given, up to a limit.
type latestMatches struct {
	limit int
	items []aggregator.Item
}

func (l *latestMatches) add(it aggregator.Item) {
	l.items = append(l.items, it)
	if len(l.items) >= 2*l.limit+64 {
		l.items = l.sorted()
	}
}

// sorted are the latest, newest first.
func (l *latestMatches) sorted() []aggregator.Item {
	slices.SortFunc(l.items, func(a, b aggregator.Item) int {
		if c := b.Published.Compare(a.Published); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return l.items[:min(len(l.items), l.limit)]
}
