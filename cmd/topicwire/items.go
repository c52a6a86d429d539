package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/diff"
	"github.com/topicwire/topicwire/aggregator/markup"
	"github.com/topicwire/topicwire/aggregator/story"
)

// itemHistory is what 'items history' prints: the present item and its changes, oldest first.
type itemHistory struct {
	itemLine
	// Revision is the number of the present text, Noisy says that it has changed so often that no longer all are kept.
	Revision int          `json:"revision"`
	Noisy    bool         `json:"noisy"`
	Changes  []itemChange `json:"changes"`
}

// itemChange is one kept text with what is different from the one before.
type itemChange struct {
	Revision int       `json:"revision"`
	At       time.Time `json:"at"`
	Title    string    `json:"title"`
	// TitleDiff and TextDiff are empty where nothing changed, and for the first text; Words counts the text's words.
	TitleDiff []piece `json:"title_diff"`
	TextDiff  []piece `json:"text_diff"`
	Words     int     `json:"words"`
}

// piece is a part of a difference: "same", "removed", "added", or "left" for same words that are left out.
type piece struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

func (p *program) itemsCommand() *cobra.Command {
	return group("items", "The stored items", p.itemsHistoryCommand())
}

func (p *program) itemsHistoryCommand() *cobra.Command {
	return asking(p, &cobra.Command{
		Use:   "history ITEM",
		Short: "Show how the title and text of an item have changed",
		Long: `Show the texts that were kept of an item, given by its id or its URL: when each came, and what was then removed,
as [-this-], and added, as {+this+}. Unchanged words far from a change are left out.`,
		Example: `  topicwire items history https://example.org/report
  topicwire items history 0b9b1ed3ab4e1d3ef3bbec0d1d3ce3d1 --json | jq '.changes[].at'`,
		Args: arguments(1, "want one item, by id or URL"),
	}, func(ctx context.Context, d desk, args []string) (itemHistory, error) {
		return d.History(ctx, args[0])
	}, printHistory)
}

func printHistory(w io.Writer, h itemHistory) error {
	fmt.Fprintf(w, "%s  %s  %s\n%s\n", h.ID, h.Feed, oneLine(h.Title), h.URL)
	if h.Noisy {
		fmt.Fprintln(w, "noisy: it changes so often that one text a day is kept")
	}
	for i, c := range h.Changes {
		fmt.Fprintf(w, "\n%s  text %d, %d words\n", c.At.UTC().Format("2006-01-02 15:04:05"), c.Revision, c.Words)
		if i == 0 {
			fmt.Fprintf(w, "  title: %s\n", oneLine(c.Title))
		}
		if len(c.TitleDiff) > 0 {
			fmt.Fprintf(w, "  title: %s\n", marked(c.TitleDiff))
		}
		if len(c.TextDiff) > 0 {
			fmt.Fprintf(w, "  %s\n", marked(c.TextDiff))
		}
	}
	return nil
}

// marked is a difference on one line, as git's word diff has it.
func marked(pieces []piece) string {
	var parts []string
	for _, p := range pieces {
		text := oneLine(p.Text)
		switch p.Kind {
		case "removed":
			text = "[-" + text + "-]"
		case "added":
			text = "{+" + text + "+}"
		case "left":
			text = "..."
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// contextWords is how many unchanged words are shown beside a change.
const contextWords = 12

// History implements desk.
func (s *station) History(ctx context.Context, name string) (h itemHistory, err error) {
	it, err := s.findItem(ctx, name)
	if err != nil {
		return h, err
	}
	texts, err := s.store.Revisions(ctx, it.ID)
	if err != nil {
		return h, fmt.Errorf("read the earlier texts of item %s: %w", it.ID, err)
	}
	texts = append(texts, aggregator.Revision{
		Item: it.ID, Number: it.Revision, From: it.Revised, Title: it.Title, Summary: it.Summary, Content: it.Content,
	})
	h = itemHistory{itemLine: newItemLine(&it), Revision: it.Revision, Noisy: it.Noisy()}
	var title, text string
	for i, r := range texts {
		c := itemChange{Revision: r.Number, At: r.From, Title: r.Title, TitleDiff: []piece{}, TextDiff: []piece{}}
		next := markup.PlainText((&aggregator.Item{Summary: r.Summary, Content: r.Content}).Text())
		c.Words = len(strings.Fields(next))
		if i > 0 && title != r.Title {
			c.TitleDiff = pieces(diff.Words(title, r.Title))
		}
		if i > 0 && text != next {
			c.TextDiff = pieces(diff.Around(diff.Words(text, next), contextWords))
		}
		h.Changes = append(h.Changes, c)
		title, text = r.Title, next
	}
	return h, nil
}

// findItem is the stored item of the given id or link: the one that was found first where several have the link.
func (s *station) findItem(ctx context.Context, name string) (aggregator.Item, error) {
	if id, err := aggregator.ParseItemID(name); err == nil {
		it, err := s.store.Item(ctx, id)
		if errors.Is(err, aggregator.ErrNotFound) {
			return it, usageError{fmt.Errorf("no item has the id %s", id)}
		}
		return it, err
	}
	none := usageError{fmt.Errorf("no item has the id or link %q; 'topicwire topics test QUERY --json' lists both", name)}
	key := story.Key(story.Canonical(name))
	if key == "" {
		return aggregator.Item{}, none
	}
	same, err := s.store.Story(ctx, aggregator.NewStoryID("url", key))
	if err != nil && !errors.Is(err, aggregator.ErrNotFound) {
		return aggregator.Item{}, err
	}
	for _, it := range same.Items {
		if story.Key(it.CanonicalURL) == key {
			return it, nil
		}
	}
	// Its story may be another's, by guid or by text, or the link may not identify it.
	for it, err := range s.store.Items(ctx, aggregator.ItemQuery{}) {
		if err != nil {
			return it, err
		}
		if story.Key(it.CanonicalURL) == key {
			return it, nil
		}
	}
	return aggregator.Item{}, none
}

func pieces(all []diff.Piece) []piece {
	names := map[diff.Kind]string{diff.Same: "same", diff.Removed: "removed", diff.Added: "added", diff.Left: "left"}
	out := make([]piece, 0, len(all))
	for _, p := range all {
		out = append(out, piece{names[p.Kind], p.Text})
	}
	return out
}

// History implements desk.
func (d *remoteDesk) History(ctx context.Context, name string) (h itemHistory, err error) {
	return h, d.askFor(ctx, http.MethodGet, "/history", url.Values{"item": {name}}, nil, &h)
}
