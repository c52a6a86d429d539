package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	stories "github.com/topicwire/topicwire/aggregator/story/group"
)

// storyDesk says why items are one story or not, and how an item has changed.
type storyDesk interface {
	// Compare compares two items, each given by its id or its URL.
	Compare(ctx context.Context, a, b string) (comparison, error)
	// History is an item with its earlier texts.
	History(ctx context.Context, item string) (itemHistory, error)
}

// itemLine is an item in the answer to a command.
type itemLine struct {
	ID        aggregator.ItemID  `json:"id"`
	Story     aggregator.StoryID `json:"story"`
	Feed      aggregator.FeedID  `json:"feed"`
	Title     string             `json:"title"`
	URL       string             `json:"url"`
	FirstSeen time.Time          `json:"first_seen"`
}

func newItemLine(it *aggregator.Item) itemLine {
	return itemLine{ID: it.ID, Story: it.Story, Feed: it.Feed, Title: it.Title, URL: it.URL, FirstSeen: it.FirstSeen}
}

// comparison is what 'stories explain' prints.
type comparison struct {
	Items [2]itemLine `json:"items"`
	stories.Explanation
}

func (p *program) storiesCommand() *cobra.Command {
	return group("stories", "Which items are one story", p.storiesExplainCommand())
}

func (p *program) storiesExplainCommand() *cobra.Command {
	return asking(p, &cobra.Command{
		Use:   "explain A B",
		Short: "Say why two items are one story or not",
		Long: `Compare two stored items, each given by its id or its URL, by the three steps that decide whether items are one
story: the guid, the page that they link to, the text. docs/stories.md describes them. A URL that several
items have is the one that was found first.

Which story an item is of was decided when it was stored; the steps say what would be decided now.`,
		Example: `  topicwire stories explain https://example.org/report https://example.net/copy
  topicwire stories explain 0b9b1ed3ab4e1d3ef3bbec0d1d3ce3d1 https://example.net/copy --json`,
		Args: arguments(2, "want two items, by id or URL"),
	}, func(ctx context.Context, d desk, args []string) (comparison, error) {
		return d.Compare(ctx, args[0], args[1])
	}, printComparison)
}

func printComparison(w io.Writer, c comparison) error {
	for i, it := range c.Items {
		fmt.Fprintf(w, "%s  %s  %s  %s\n   story %s  %s\n", string("AB"[i]), it.ID, it.Feed, oneLine(it.Title), it.Story, it.URL)
	}
	one := "two stories"
	if c.OneStory {
		one = "one story"
	}
	fmt.Fprintf(w, "\nThey are stored as %s.\n\n", one)
	step := func(name string, same bool, reason string) {
		verdict := "apart"
		if same {
			verdict = "same"
		}
		fmt.Fprintf(w, "%-5s %-6s %s\n", name, verdict, reason)
	}
	keys := func(s stories.Step) {
		for i, key := range s.Keys {
			fmt.Fprintf(w, "      %s  %s\n", string("AB"[i]), oneLine(key))
		}
	}
	step("guid", c.GUID.Same, c.GUID.Reason)
	keys(c.GUID)
	step("page", c.URL.Same, c.URL.Reason)
	keys(c.URL)
	step("text", c.Text.Same, string(c.Text.Reason))
	v := c.Text
	number := func(name, format string, args ...any) {
		fmt.Fprintf(w, "      %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	if c.Exact {
		fmt.Fprintln(w, "      does not count: the config says stories: exact")
	}
	number("words", "%d and %d", v.Words[0], v.Words[1])
	number("alike", "%.0f%% of all runs of words, %.0f%% of the shorter text's", 100*v.Jaccard, 100*v.Contained)
	number("beginning", "%.0f%% found in the other text", 100*v.Lead)
	number("boilerplate", "%d runs of words taken off", v.Boilerplate)
	number("numbers", "%d changed, %d of %d not in the longer text", v.Changed, v.Foreign, v.Of)
	return nil
}

// loadStories reads the last days' items, so that the first poll with a new item need not wait for that.
func (s *station) loadStories(ctx context.Context) {
	if !s.config.Stories.Near {
		return
	}
	if err := s.grouper.Load(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the items of the last days cannot be read to compare new ones with; it is tried again when one comes", "error", err)
	}
}

// Compare implements desk.
func (s *station) Compare(ctx context.Context, a, b string) (c comparison, err error) {
	var items [2]aggregator.Item
	for i, name := range []string{a, b} {
		if items[i], err = s.findItem(ctx, name); err != nil {
			return c, err
		}
		c.Items[i] = newItemLine(&items[i])
	}
	c.Explanation, err = s.grouper.Explain(ctx, &items[0], &items[1])
	c.Exact = c.Exact || !s.config.Stories.Near
	return c, err
}

// Compare implements desk.
func (d *remoteDesk) Compare(ctx context.Context, a, b string) (c comparison, err error) {
	return c, d.askFor(ctx, http.MethodGet, "/compare", url.Values{"a": {a}, "b": {b}}, nil, &c)
}

// serveStories adds what the control socket answers of stories.
func serveStories(handle func(string, func(http.ResponseWriter, *http.Request)), s *station) {
	handle("GET /compare", func(w http.ResponseWriter, r *http.Request) {
		c, err := s.Compare(r.Context(), r.FormValue("a"), r.FormValue("b"))
		reply(w, c, err)
	})
	handle("GET /history", func(w http.ResponseWriter, r *http.Request) {
		h, err := s.History(r.Context(), strings.TrimSpace(r.FormValue("item")))
		reply(w, h, err)
	})
}
