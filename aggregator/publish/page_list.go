package publish

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// listing is a channel with some of its stories, as pages show it.
type listing struct {
	Title, Description, Page string
	Anchor                   string
	Feeds                    []subscription
	Stories                  []pageStory
	// Spark is the volume of the last days, Recent says it in words.
	Spark  template.HTML
	Recent string
}

// pageStory is a story in a list.
type pageStory struct {
	Anchor, Title, Link, Excerpt string
	// Page is the story's own page.
	Page     string
	Language string
	// Label names the language where it is not that of the page.
	Label     string
	Published time.Time
	Sources   []pageSource
	Topics    []pageTopic
	// Reports counts the items of the story, Revisions the changes of its text, where there are any.
	Reports, Revisions int
	// NewDay is the day, for the first story that came on it; SameDay is set where the story was published that day too.
	NewDay  string
	SameDay bool
}

type pageSource struct{ Name, Link string }

type pageTopic struct{ Name, Page string }

func (s *site) listing(l links, c channel, entries []entry) listing {
	out := listing{
		Title: c.title, Description: c.description, Page: l.page(c.path), Feeds: s.subscriptions(l, c, cutting{}),
		Anchor: strings.TrimPrefix(strings.ReplaceAll(c.path, "/", "-"), "-"),
	}
	day := ""
	for i := range entries {
		p := s.pageStory(l, c.topic, &entries[i])
		if today := entries[i].place.Format(dayForm); today != day {
			p.NewDay, day = today, today
		}
		p.SameDay = p.Published.Format(dayForm) == day
		out.Stories = append(out.Stories, p)
	}
	return out
}

// storyPath is the path of a story's page.
func storyPath(id aggregator.StoryID) string { return "/stories/" + id.String() }

func (s *site) pageStory(l links, topic aggregator.TopicID, e *entry) pageStory {
	p := pageStory{
		Anchor: e.anchor, Title: e.title, Link: e.link, Page: l.page(storyPath(e.story)), Language: e.language,
		Label: languageLabel(e.language), Published: e.published, Revisions: max(0, e.revision-1),
	}
	if e.excerpt != e.title {
		p.Excerpt = e.excerpt
	}
	if p.Link == "" {
		p.Link = p.Page
	}
	first := e.reports[0]
	p.Sources = append(p.Sources, pageSource{first.source.title, first.where()})
	for _, r := range otherReports(e.reports) {
		p.Sources = append(p.Sources, pageSource{r.source.title, r.where()})
	}
	p.Reports = len(p.Sources)
	p.Topics = s.pageTopics(l, topic, e.topics)
	return p
}

// pageTopics are the published ones of the topics but for one.
func (s *site) pageTopics(l links, but aggregator.TopicID, topics []aggregator.TopicID) (out []pageTopic) {
	for _, id := range topics {
		if c, ok := s.channels[id]; ok && id != but {
			out = append(out, pageTopic{c.title, l.page(c.path)})
		}
	}
	return out
}

// outlines are the topic's latest stories behind a place.
func (s *site) outlines(ctx context.Context, topic aggregator.TopicID, behind aggregator.StoryPlace, limit int) ([]entry, error) {
	sources := sourceReader{site: s, known: map[aggregator.FeedID]*source{}}
	var entries []entry
	for story, err := range s.src.Stories(ctx, aggregator.StoryQuery{Topic: topic, Behind: behind, Limit: limit}) {
		if err != nil {
			return nil, fmt.Errorf("read stories of topic %q: %w", topic, err)
		}
		if len(story.Items) == 0 {
			continue
		}
		s.represent(&story, topic)
		e, err := s.outline(ctx, &sources, &story)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// topicsPerPage is how many topics the first page lists.
const topicsPerPage = 60

// indexPage lists some of the topics with their latest headlines.
func (s *site) indexPage(ctx context.Context, l links, number int) ([]byte, error) {
	all := s.channels[aggregator.AllTopics]
	shown, parts := s.topicsOnPart(number)
	page := struct {
		frame
		Topics     []listing
		Everything listing
		Parts      parting
	}{frame: s.frame(l, "/", s.options.Title, "")}
	page.Parts = partingOf(l, "/", number, parts)
	if number > 1 {
		page.Canonical = ""
	}
	until, err := s.today(ctx)
	if err != nil {
		return nil, err
	}
	channels := append(slices.Clip(shown), all)
	lists := make([]listing, len(channels))
	for i, c := range channels {
		entries, err := s.outlines(ctx, c.topic, aggregator.StoryPlace{}, headlines)
		if err != nil {
			return nil, err
		}
		lists[i] = s.listing(l, c, entries)
	}
	_, err = s.countFor(ctx, func(ctx context.Context) error {
		for i, c := range channels {
			if len(lists[i].Stories) == 0 {
				continue
			}
			volume, err := s.volume(ctx, c.topic, until, sparkDays)
			if err != nil {
				return err
			}
			lists[i].Spark, lists[i].Recent = sparkOf(volume, until)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	page.Topics, page.Everything = lists[:len(shown)], lists[len(shown)]
	page.Feeds = page.Everything.Feeds
	if page.Notice, err = s.refiling(ctx); err != nil {
		return nil, err
	}
	return s.execute("index.html", page)
}

// topicsOnPart are the topics on one of the first page's parts, and how many parts there are.
func (s *site) topicsOnPart(number int) (shown []channel, parts int) {
	all := s.topics()
	parts = max(1, (len(all)+topicsPerPage-1)/topicsPerPage)
	from := min(len(all), (number-1)*topicsPerPage)
	return all[from:min(len(all), from+topicsPerPage)], parts
}

// parting is the way between the parts of a long list.
type parting struct {
	Number, Parts       int
	Previous, Following string
}

func partingOf(l links, path string, number, parts int) parting {
	p := parting{Number: number, Parts: parts}
	if number > 1 {
		p.Previous = l.part(path, number-1)
	}
	if number < parts {
		p.Following = l.part(path, number+1)
	}
	return p
}
