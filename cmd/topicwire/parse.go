package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/story"
)

func (p *program) parseCommand() *cobra.Command {
	var (
		asJSON bool
		source parse.Source
	)
	cmd := &cobra.Command{
		Use:   "parse FILE|-",
		Short: "Show what would be stored of a document, and what was mended in it",
		Long: `Read a feed from a file or from standard input and show what would be stored of it and what was mended or
left out. Nothing is stored and no config is needed. The exit code is 1 where the document is no feed.`,
		Example: `  topicwire parse feed.xml
  curl -s https://example.org/feed | topicwire parse - --url https://example.org/feed --json | jq .repairs`,
		Args: arguments(1, "want one file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readDocument(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			source.Seen = p.now().UTC()
			doc, err := parse.Parse(body, source)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			report := newParseReport(doc)
			if asJSON {
				return printJSON(p.stdout, report)
			}
			return printParsed(p.stdout, report)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object with feed, items and repairs")
	cmd.Flags().StringVar(&source.URL, "url", "", "where the document is from, for relative links")
	cmd.Flags().StringVar(&source.ContentType, "content-type", "", "the Content-Type it was served with, for its charset")
	return cmd
}

// maxDocument is far above what any feed has and far below what a machine has.
const maxDocument = 256 << 20

// readDocument reads a file, or standard input for "-".
func readDocument(stdin io.Reader, name string) ([]byte, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		stdin = file
	}
	body, err := io.ReadAll(io.LimitReader(stdin, maxDocument+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(body) > maxDocument:
		return nil, fmt.Errorf("read %s: more than %d MiB, which is no feed", name, maxDocument>>20)
	}
	return body, nil
}

// parseReport is what 'parse --json' prints.
type parseReport struct {
	Feed    parsedFeed   `json:"feed"`
	Items   []parsedItem `json:"items"`
	Repairs []string     `json:"repairs"`
}

type parsedFeed struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Link        string `json:"link"`
	Language    string `json:"language"`
	Description string `json:"description"`
	// Listed counts the items in the bytes.
	Listed       int      `json:"listed"`
	TTL          string   `json:"ttl,omitempty"`
	UpdatePeriod string   `json:"update_period,omitempty"`
	SkipHours    []int    `json:"skip_hours,omitempty"`
	SkipDays     []string `json:"skip_days,omitempty"`
}

type parsedItem struct {
	GUID         string            `json:"guid"`
	URL          string            `json:"url"`
	CanonicalURL string            `json:"canonical_url"`
	Title        string            `json:"title"`
	Authors      []parsedAuthor    `json:"authors"`
	Summary      string            `json:"summary"`
	Content      string            `json:"content"`
	Categories   []string          `json:"categories"`
	Language     string            `json:"language"`
	Published    *time.Time        `json:"published"`
	Updated      *time.Time        `json:"updated"`
	Image        string            `json:"image"`
	Enclosures   []parsedEnclosure `json:"enclosures"`
	Comments     string            `json:"comments"`
	CommentCount int               `json:"comment_count"`
	Source       parsedSource      `json:"source"`
}

type parsedAuthor struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	URL   string `json:"url"`
}

type parsedEnclosure struct {
	URL    string `json:"url"`
	Type   string `json:"type"`
	Length int64  `json:"length"`
	// Duration is in seconds.
	Duration float64 `json:"duration"`
}

type parsedSource struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

func newParseReport(doc *parse.Document) parseReport {
	batch := story.Identify("", doc.Link, doc.Items, nil)
	r := parseReport{
		Feed: parsedFeed{
			ID: doc.ID, Title: doc.Title, Link: doc.Link, Language: doc.Language, Description: doc.Description,
			Listed: doc.Listed, SkipHours: doc.Hints.SkipHours,
		},
		Items:   make([]parsedItem, 0, len(batch.Items)),
		Repairs: append(append([]string{}, doc.Repairs...), batch.Repairs()...),
	}
	if doc.Hints.TTL > 0 {
		r.Feed.TTL = doc.Hints.TTL.String()
	}
	if doc.Hints.UpdatePeriod > 0 {
		r.Feed.UpdatePeriod = doc.Hints.UpdatePeriod.String()
	}
	for _, day := range doc.Hints.SkipDays {
		r.Feed.SkipDays = append(r.Feed.SkipDays, day.String())
	}
	for _, it := range batch.Items {
		item := parsedItem{
			GUID: it.GUID, URL: it.URL, CanonicalURL: it.CanonicalURL, Title: it.Title,
			Authors: []parsedAuthor{}, Summary: it.Summary, Content: it.Content, Enclosures: []parsedEnclosure{},
			Categories: append([]string{}, it.Categories...), Language: it.Language, Published: orNull(it.Published),
			Updated: orNull(it.Updated), Image: it.Image,
			Comments: it.Comments, CommentCount: it.CommentCount, Source: parsedSource(it.Source),
		}
		for _, a := range it.Authors {
			item.Authors = append(item.Authors, parsedAuthor(a))
		}
		for _, e := range it.Enclosures {
			item.Enclosures = append(item.Enclosures, parsedEnclosure{e.URL, e.Type, e.Length, e.Duration.Seconds()})
		}
		r.Items = append(r.Items, item)
	}
	return r
}

func printParsed(w io.Writer, r parseReport) error {
	fmt.Fprintf(w, "feed      %s\n", oneLine(r.Feed.Title))
	for _, line := range []struct{ name, value string }{
		{"link", r.Feed.Link}, {"language", r.Feed.Language}, {"id", r.Feed.ID},
	} {
		if line.value != "" {
			fmt.Fprintf(w, "%-9s %s\n", line.name, line.value)
		}
	}
	fmt.Fprintf(w, "items     %d of %d listed\n", len(r.Items), r.Feed.Listed)
	if len(r.Repairs) == 0 {
		fmt.Fprintln(w, "repairs   none")
	}
	for _, repair := range r.Repairs {
		fmt.Fprintf(w, "repair    %s\n", repair)
	}
	for _, it := range r.Items {
		published := "no date         "
		if it.Published != nil {
			published = minute(it.Published)
		}
		_, err := fmt.Fprintf(w, "\n%s  %s\n", published, firstNonEmpty(oneLine(it.Title), "(no title)"))
		if err != nil {
			return err
		}
		var names []string
		for _, a := range it.Authors {
			names = append(names, firstNonEmpty(a.Name, a.Email, a.URL))
		}
		for _, line := range []struct{ name, value string }{
			{"url", it.URL}, {"guid", it.GUID}, {"authors", strings.Join(names, ", ")},
			{"categories", strings.Join(it.Categories, ", ")}, {"image", it.Image},
			{"comments", it.Comments}, {"source", strings.TrimSpace(it.Source.Title + " " + it.Source.URL)},
			{"text", sizes(it.Summary, it.Content)},
		} {
			if line.value != "" {
				fmt.Fprintf(w, "    %-10s  %s\n", line.name, oneLine(line.value))
			}
		}
		for _, e := range it.Enclosures {
			fmt.Fprintf(w, "    enclosure   %s %s\n", e.URL, e.Type)
		}
	}
	return nil
}

func sizes(summary, content string) string {
	var parts []string
	if summary != "" {
		parts = append(parts, fmt.Sprintf("summary of %d bytes", len(summary)))
	}
	if content != "" {
		parts = append(parts, fmt.Sprintf("content of %d bytes", len(content)))
	}
	return strings.Join(parts, ", ")
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
