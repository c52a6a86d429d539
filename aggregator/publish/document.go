package publish

import (
	"cmp"
	"context"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
)

// document is a list of stories made ready to be written in any format. All text in it is clean, all HTML sanitised,
// all links are absolute URIs, all dates can be written; the package comment says more.
type document struct {
	channel
	// page is the URL of the page for people; self has no extension.
	page, self string
	language   string
	updated    time.Time
	entries    []entry
	// feed is the single source, where it is the feed of one.
	feed aggregator.FeedID
	// feeds are the sources of the entries, and what else the topic is made of: whose polls may change the document.
	feeds   []aggregator.FeedID
	history history
}

// add adds an entry.
func (d *document) add(e entry) {
	d.entries = append(d.entries, e)
	if d.updated.Before(e.updated) {
		d.updated = e.updated
	}
}

type entry struct {
	// id is the entry's tag URI; anchor names it on a page.
	id, anchor string
	story      aggregator.StoryID
	// link leads to the story: to the publisher's page, or to the anchor on the topic's page where there is none.
	link       string
	title      string
	content    string
	summary    string // "" where it says no more than the content
	excerpt    string // plain text
	authors    []aggregator.Author
	categories []string
	language   string
	published  time.Time
	updated    time.Time
	place      time.Time // in the order of stories, as a date that every format can write
	order      time.Time // the same, exact
	files      []aggregator.Enclosure
	comments   string // where they can be read, "" where that is not known
	replies    int    // how many there are
	image      string
	revision   int
	topics     []aggregator.TopicID
	// reports are those of the story; the first is the one that the entry is made of.
	reports []report
}

type report struct {
	item       aggregator.ItemID
	source     *source
	title, url string
	published  time.Time
	dateSource aggregator.DateSource
	firstSeen  time.Time
}

// document makes the document of a topic's latest stories, or of what a single source published, as the cut wants it.
func (s *site) document(ctx context.Context, res resource) (*document, error) {
	sources := sourceReader{site: s, known: map[aggregator.FeedID]*source{}}
	d, err := s.emptyDocument(ctx, res)
	if err != nil {
		return nil, err
	}
	size := 0
	for story, err := range s.stories(ctx, res) {
		if err != nil {
			return nil, err
		}
		e, err := s.entry(ctx, d, &sources, &story)
		if err != nil {
			return nil, err
		}
		d.add(e)
		size += sizeOf(&story.Items[0])
		if size > maxDocument && len(d.entries) >= s.options.Stories {
			break
		}
	}
	if len(d.entries) == 0 {
		d.updated = firstTime(s.born)
	}
	d.language = commonLanguage(d.entries)
	d.feeds = append(sources.order, d.channel.feeds...)
	return d, nil
}

// emptyDocument says whose stories the document has.
func (s *site) emptyDocument(ctx context.Context, res resource) (*document, error) {
	d := &document{channel: s.channels[res.topic], feed: res.feed}
	d.page = s.pageURL(d.path)
	if res.feed != "" {
		c, src, err := s.sourceChannel(ctx, res.feed)
		if err != nil {
			return nil, err
		}
		d.channel, d.page = c, cmp.Or(src.home, s.pageURL("/"))
	}
	d.self = s.base + d.path
	if q := res.cut.query; q != "" {
		d.title += ": " + oneLine(q, maxName)
		d.id += "?q=" + url.QueryEscape(q)
	}
	return d, nil
}

// maxDocument bounds the HTML that a document is made of, in bytes, beyond the stories that it has in any case: the
// window may hold a thousand long reads, and a feed of that size would help nobody.
const maxDocument = 16 << 20

// sizeOf is how much HTML a document is given by the item, in bytes.
func sizeOf(it *aggregator.Item) int {
	return min(len(it.Content), maxHTML) + min(len(it.Summary), maxHTML)
}

func (s *site) entry(ctx context.Context, d *document, sources *sourceReader, story *aggregator.Story) (entry, error) {
	e, err := s.outline(ctx, sources, story)
	if err != nil {
		return entry{}, err
	}
	it, src := &story.Items[0], e.reports[0].source
	e.authors = authorsOf(it.Authors, src)
	e.categories = categoriesOf(it.Categories)
	e.files = filesOf(it.Enclosures, src)
	e.comments = src.link(it.Comments)
	e.replies = max(it.CommentCount, 0)
	e.image = src.link(it.Image)
	e.content = sanitise(s.policy, it.Text(), src)
	if d.feed != "" { // two of its items may be of one story
		e.id = s.tag("item/" + it.ID.String())
	}
	switch {
	case e.link != "":
	case d.feed != "":
		e.link = s.pageURL(storyPath(e.story))
	default:
		e.link = d.page + "#" + e.anchor
	}
	if it.Content != "" {
		e.summary = sanitise(s.policy, it.Summary, src)
	}
	if len(e.authors) == 0 {
		e.authors = []aggregator.Author{{Name: src.title, URL: src.home}}
	}
	if e.content == "" {
		e.content = "<p>" + anchorTo(e.link, e.title, "") + "</p>"
	}
	if e.summary == e.content {
		e.summary = ""
	}
	e.content += reportedBy(e.reports, e.link)
	return e, nil
}

// outline is the entry without what only feeds carry. Its link is "" where the story has no page of its own.
func (s *site) outline(ctx context.Context, sources *sourceReader, story *aggregator.Story) (entry, error) {
	it := &story.Items[0]
	e := entry{
		story:     story.ID,
		id:        s.tag("story/" + story.ID.String()),
		anchor:    "story-" + story.ID.String(),
		language:  languageTag(it.Language),
		published: firstTime(it.Published, it.FirstSeen, it.OrderTime, it.Revised, s.born),
		place:     firstTime(it.OrderTime, it.Published, it.FirstSeen, s.born),
		order:     it.OrderTime,
		revision:  it.Revision,
		topics:    topicsOf(story),
		excerpt:   excerptOf(it, maxExcerpt),
	}
	e.updated = firstTime(it.Revised, e.published)
	for i := range story.Items[:min(len(story.Items), maxReports)] {
		src, err := sources.source(ctx, story.Items[i].Feed)
		if err != nil {
			return entry{}, err
		}
		e.reports = append(e.reports, s.report(&story.Items[i], src))
	}
	e.link = e.reports[0].url
	e.title = e.reports[0].title
	if e.title == "" {
		if e.title = cut(e.excerpt, 100); e.title == "" {
			e.title = "Untitled, from " + e.reports[0].source.title
		}
		e.reports[0].title = e.title
	}
	return e, nil
}

// topicsOf are the topics of a story: those of all its reports, sorted.
func topicsOf(story *aggregator.Story) []aggregator.TopicID {
	var topics []aggregator.TopicID
	for i := range story.Items {
		topics = append(topics, story.Items[i].Topics...)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func (s *site) report(it *aggregator.Item, src *source) report {
	return report{
		item: it.ID, source: src, title: oneLine(it.Title, maxTitle), url: src.link(it.URL),
		published: firstTime(it.Published, it.FirstSeen, it.OrderTime, it.Revised, s.born), dateSource: it.DateSource,
		firstSeen: firstTime(it.FirstSeen, it.Published, it.OrderTime, s.born),
	}
}

// where is where a report can be read: on its own page, else at its source's home, else nowhere.
func (r *report) where() string {
	if r.url != "" {
		return r.url
	}
	return r.source.home
}

// reportedBy is the line that names a story's sources where there are several: many readers do not show the formats'
// own fields for them. The names stand in elements of their own, so that one in another script turns nothing around.
func reportedBy(reports []report, link string) string {
	others := otherReports(reports)
	if len(others) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n" + `<p lang="en" dir="ltr">Reported by ` + anchorTo(link, reports[0].source.title, "") + ". Also reported by: ")
	for i := range others {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(anchorTo(others[i].where(), others[i].source.title, others[i].title))
	}
	b.WriteString(".</p>")
	return b.String()
}

// otherReports are the reports but the first, without those that differ from an earlier one in nothing that is shown.
func otherReports(reports []report) []report {
	type shown struct{ title, where string }
	var others []report
	seen := map[shown]bool{{reports[0].source.title, reports[0].where()}: true}
	for i := 1; i < len(reports); i++ {
		key := shown{reports[i].source.title, reports[i].where()}
		if !seen[key] {
			seen[key] = true
			others = append(others, reports[i])
		}
	}
	return others
}

func anchorTo(link, text, title string) string {
	text = `<bdi>` + html.EscapeString(text) + `</bdi>`
	if link == "" {
		return text
	}
	if title != "" {
		title = ` title="` + html.EscapeString(title) + `"`
	}
	return `<a href="` + html.EscapeString(link) + `"` + title + ">" + text + "</a>"
}

func authorsOf(authors []aggregator.Author, src *source) []aggregator.Author {
	var out []aggregator.Author
	for _, a := range authors {
		b := aggregator.Author{Name: oneLine(a.Name, maxName), Email: mailAddress(a.Email), URL: src.link(a.URL)}
		if b.Name == "" {
			b.Name, _, _ = strings.Cut(b.Email, "@")
		}
		if b.Name == "" {
			b.Name = strings.TrimPrefix(strings.TrimPrefix(b.URL, "https://"), "http://")
		}
		if b.Name != "" && !slices.ContainsFunc(out, func(c aggregator.Author) bool { return c == b }) && len(out) < maxAuthors {
			out = append(out, b)
		}
	}
	return out
}

func categoriesOf(categories []string) []string {
	var out []string
	for _, c := range categories {
		c = oneLine(c, maxName)
		if c != "" && !slices.ContainsFunc(out, func(d string) bool { return strings.EqualFold(c, d) }) && len(out) < maxCategory {
			out = append(out, c)
		}
	}
	return out
}

func filesOf(files []aggregator.Enclosure, src *source) []aggregator.Enclosure {
	var out []aggregator.Enclosure
	for _, f := range files {
		f = aggregator.Enclosure{URL: src.link(f.URL), Type: mediaType(f.Type), Length: max(f.Length, 0), Duration: max(f.Duration, 0)}
		if f.URL != "" && !slices.ContainsFunc(out, func(g aggregator.Enclosure) bool { return f.URL == g.URL }) && len(out) < maxFiles {
			out = append(out, f)
		}
	}
	return out
}

// excerptOf is the beginning of what the item says, as plain text: of the summary, which was written to be one, where
// there is one. It has at most limit characters.
func excerptOf(it *aggregator.Item, limit int) string {
	for _, fragment := range []string{it.Summary, it.Content} {
		if text := oneLine(beginning(fragment, 2*limit), limit); text != "" {
			return text
		}
	}
	return ""
}

// beginning is what the HTML begins with, as plain text: so many letters at least, where there are as many in what is read of
// it. Most texts are much longer than that, and need not be read whole.
func beginning(fragment string, letters int) string {
	const least, most = 4 << 10, 64 << 10
	for size := least; ; size *= 4 {
		text := markup.PlainText(cutBytes(fragment, size))
		if len(text) >= 4*letters || size >= len(fragment) || size >= most { // a letter has up to four bytes
			return text
		}
	}
}
