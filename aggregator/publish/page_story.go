package publish

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/diff"
	"github.com/topicwire/topicwire/aggregator/markup"
)

const (
	// storyExcerpt is how many characters of each report a story's page has.
	storyExcerpt = 700
	// maxChanges bounds the changes of text that a story's page shows, the latest of each report; maxCompared bounds the
	// text that is compared, in bytes.
	maxChanges  = 20
	maxCompared = 64 << 10
	// contextWords is how many unchanged words are shown beside each change.
	contextWords = 12
)

// storyPage is a story with all its reports and what changed in them.
type storyPage struct {
	frame
	Topics  []pageTopic
	Reports []pageReport
	// More counts the reports that are left out.
	More  int
	First time.Time
}

type pageReport struct {
	// ID is the item's, for exports.
	ID, Feed string
	// FeedStories leads to the other stories of its feed, "" where there is no search.
	FeedStories     string
	Title, Link     string
	Source          pageSource
	Excerpt         string
	Language, Label string
	Authors         []string
	Published       time.Time
	// Dated is set where Published is the publisher's own date.
	Dated              bool
	FirstSeen, Revised time.Time
	Revision           int
	// Changes are the latest changes of the text, latest first; Earlier counts those that are left out.
	Changes []textChange
	Earlier int
}

// textChange is what changed from one revision to the next.
type textChange struct {
	// Number is that of the revision that came then.
	Number int
	At     time.Time
	Title  []diff.Piece
	Text   []diff.Piece
}

func (s *site) storyPage(ctx context.Context, l links, story *aggregator.Story) ([]byte, error) {
	sources := sourceReader{site: s, known: map[aggregator.FeedID]*source{}}
	e, err := s.outline(ctx, &sources, story)
	if err != nil {
		return nil, err
	}
	page := storyPage{
		frame: s.frame(l, storyPath(story.ID), e.title, e.excerpt), First: e.reports[0].firstSeen,
		More: len(story.Items) - len(e.reports), Topics: s.pageTopics(l, aggregator.AllTopics, e.topics),
	}
	for _, id := range e.topics {
		if c, ok := s.channels[id]; ok {
			for _, f := range s.subscriptions(l, c, cutting{})[:1] {
				page.Feeds = append(page.Feeds, subscription{c.title, f.Type, f.URL})
			}
		}
	}
	if len(page.Feeds) == 0 {
		page.Feeds = s.subscriptions(l, s.channels[aggregator.AllTopics], cutting{})
	}
	for i, r := range e.reports {
		report, err := s.pageReport(ctx, l, &story.Items[i], r)
		if err != nil {
			return nil, err
		}
		page.Reports = append(page.Reports, report)
	}
	return s.execute("story.html", page)
}

func (s *site) pageReport(ctx context.Context, l links, it *aggregator.Item, r report) (pageReport, error) {
	out := pageReport{
		ID: it.ID.String(), Feed: string(it.Feed), Title: r.title, Link: r.url, Source: pageSource{r.source.title, r.source.home},
		Excerpt: excerptOf(it, storyExcerpt), Language: languageTag(it.Language), Published: r.published,
		Dated: it.DateSource != aggregator.DateFromFirstSeen, FirstSeen: r.firstSeen, Revised: firstTime(it.Revised, r.firstSeen),
		Revision: it.Revision, FeedStories: s.storiesOf(l, string(it.Feed)),
	}
	out.Label = languageLabel(out.Language)
	if out.Title == "" {
		out.Title = "Untitled"
	}
	for _, a := range authorsOf(it.Authors, r.source) {
		out.Authors = append(out.Authors, a.Name)
	}
	if it.Revision < 2 {
		return out, nil
	}
	earlier, err := s.src.Revisions(ctx, it.ID)
	if err != nil {
		return out, fmt.Errorf("read revisions of item %s: %w", it.ID, err)
	}
	out.Changes = changesOf(it, earlier)
	out.Earlier = max(0, it.Revision-1-len(out.Changes))
	return out, nil
}

// wording is a text as it is compared.
type wording struct {
	number      int
	at          time.Time
	title, text string
}

// changesOf are the latest changes of the item's text, latest first.
func changesOf(it *aggregator.Item, earlier []aggregator.Revision) []textChange {
	all := make([]wording, 0, len(earlier)+1)
	for _, r := range earlier[max(0, len(earlier)-maxChanges):] {
		old := aggregator.Item{Summary: r.Summary, Content: r.Content}
		all = append(all, wordingOf(r.Number, r.From, r.Title, old.Text()))
	}
	all = append(all, wordingOf(it.Revision, it.Revised, it.Title, it.Text()))
	var changes []textChange
	for i := len(all) - 1; i > 0; i-- {
		before, after := all[i-1], all[i]
		c := textChange{Number: after.number, At: firstTime(after.at)}
		if before.title != after.title {
			c.Title = diff.Words(before.title, after.title)
		}
		if before.text != after.text {
			c.Text = diff.Around(diff.Words(before.text, after.text), contextWords)
		}
		changes = append(changes, c)
	}
	return changes
}

func wordingOf(number int, at time.Time, title, text string) wording {
	text = closeDirections(clean(markup.PlainText(cutBytes(text, maxCompared))))
	return wording{number, at, oneLine(title, maxTitle), text}
}

// storyVersion tells the states of a story apart.
func storyVersion(story *aggregator.Story) string {
	var b strings.Builder
	for i := range story.Items {
		it := &story.Items[i]
		b.WriteString(strconv.FormatUint(it.Seq, 36) + "." + strconv.Itoa(it.Revision))
		for _, t := range slices.Sorted(slices.Values(it.Topics)) {
			b.WriteString("," + string(t))
		}
		b.WriteByte(' ')
	}
	return b.String()
}
