package publish

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	pageType = "text/html; charset=utf-8"
	dayForm  = "2 January 2006"
	// headlines is how many stories the first page shows of each topic.
	headlines = 4
	// pageStories is how many a topic's page shows.
	pageStories = 50
	// foreverAge is for what is asked for by the hash of its content.
	foreverAge = 365 * 24 * time.Hour
)

//go:embed web
var web embed.FS

// loadPages reads the templates and the files that the pages need.
func (s *site) loadPages() error {
	s.files = map[string]*rendering{}
	for path, mediaType := range map[string]string{"/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml"} {
		body, err := web.ReadFile("web" + path)
		if err != nil {
			return fmt.Errorf("read page files: %w", err)
		}
		if s.files[path], err = newRendering(mediaType, body); err != nil {
			return err
		}
		s.files[path].made = s.options.Now()
	}
	s.styleURL = s.prefix + "/style.css?v=" + fileVersion(s.files["/style.css"])
	pages, err := template.New("pages").Funcs(template.FuncMap{
		"day":     func(t time.Time) string { return t.Format(dayForm) },
		"minute":  func(t time.Time) string { return t.Format("15:04") },
		"machine": rfc3339,
	}).ParseFS(web, "web/*.html")
	if err != nil {
		return fmt.Errorf("read page templates: %w", err)
	}
	s.pages = pages
	return nil
}

func fileVersion(file *rendering) string { return strings.Trim(file.identity.etag, `"`)[:12] }

// frame is what every page has.
type frame struct {
	Site, Title, Description string
	Home, Style, Icon, OPML  string
	Generator                string
	// Feeds are for readers to find the page's feeds by.
	Feeds []subscription
}

type subscription struct{ Name, Type, URL string }

func (s *site) frame(title, description string) frame {
	return frame{
		Site: s.options.Title, Title: title, Description: description,
		Home: s.prefix + "/", Style: s.styleURL, Icon: s.prefix + "/icon.svg", OPML: s.prefix + "/opml",
		Generator: strings.TrimSpace(s.options.Generator + " " + s.options.Version),
	}
}

func (s *site) subscriptions(c channel) []subscription {
	at := s.prefix + c.path
	return []subscription{
		{"Atom", "application/atom+xml", at + ".atom"},
		{"RSS", "application/rss+xml", at + ".rss"},
		{"JSON Feed", "application/feed+json", at + ".json"},
	}
}

// listing is a channel with some of its stories, as pages show it.
type listing struct {
	Title, Description, Page string
	Anchor                   string
	Feeds                    []subscription
	Stories                  []pageStory
}

type pageStory struct {
	Anchor, Title, Link, Excerpt string
	Language                     string
	// Label names the language where it is not that of the page.
	Label     string
	Published time.Time
	Sources   []pageSource
	Topics    []pageTopic
	// NewDay is the day, for the first story that came on it; SameDay is set where the story was published that day too.
	NewDay  string
	SameDay bool
}

type pageSource struct{ Name, Link string }

type pageTopic struct{ Name, Page string }

func (s *site) listing(d *document) listing {
	l := listing{
		Title: d.title, Description: d.description, Page: s.prefix + d.path, Feeds: s.subscriptions(d.channel),
		Anchor: strings.TrimPrefix(strings.ReplaceAll(d.path, "/", "-"), "-"),
	}
	day := ""
	for i := range d.entries {
		p := s.pageStory(d, &d.entries[i])
		if today := d.entries[i].place.Format(dayForm); today != day {
			p.NewDay, day = today, today
		}
		p.SameDay = p.Published.Format(dayForm) == day
		l.Stories = append(l.Stories, p)
	}
	return l
}

func (s *site) pageStory(d *document, e *entry) pageStory {
	p := pageStory{
		Anchor: e.anchor, Title: e.title, Link: e.link, Language: e.language, Published: e.published,
	}
	if e.excerpt != e.title {
		p.Excerpt = e.excerpt
	}
	if primary, _, _ := strings.Cut(e.language, "-"); primary != "en" {
		p.Label = e.language
	}
	if e.reports[0].url == "" { // the link would lead to this very place
		p.Link = e.reports[0].source.home
	}
	first := e.reports[0]
	p.Sources = append(p.Sources, pageSource{first.source.title, first.where()})
	for _, r := range otherReports(e.reports) {
		p.Sources = append(p.Sources, pageSource{r.source.title, r.where()})
	}
	for _, id := range e.topics {
		if c, ok := s.channels[id]; ok && id != d.topic {
			p.Topics = append(p.Topics, pageTopic{c.title, s.prefix + c.path})
		}
	}
	return p
}

// indexPage lists the topics with their latest headlines.
func (s *site) indexPage(ctx context.Context) ([]byte, error) {
	page := struct {
		frame
		Topics []listing
		All    listing
	}{frame: s.frame(s.options.Title, "")}
	for _, c := range s.topics() {
		d, err := s.document(ctx, c.topic, headlines)
		if err != nil {
			return nil, err
		}
		page.Topics = append(page.Topics, s.listing(d))
	}
	d, err := s.document(ctx, aggregator.AllTopics, headlines)
	if err != nil {
		return nil, err
	}
	page.All = s.listing(d)
	page.Feeds = page.All.Feeds
	return s.execute("index.html", page)
}

func (s *site) topicPage(d *document) ([]byte, error) {
	page := struct {
		frame
		Listing listing
	}{s.frame(d.title, d.description), s.listing(d)}
	page.Feeds = page.Listing.Feeds
	return s.execute("topic.html", page)
}

func (s *site) execute(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

// pageHeaders allows a page its own style sheet and icon and nothing else: no script, no third party is ever asked.
func (s *site) pageHeaders(header http.Header) {
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
}

// message answers with a page that says in a sentence what is wrong.
func (s *site) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	page := struct {
		frame
		Text string
	}{s.frame(title, ""), text}
	body, err := s.execute("message.html", page)
	header := w.Header()
	s.pageHeaders(header)
	header.Set("Content-Type", pageType)
	if err != nil {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		body = []byte(text + "\n")
	}
	header.Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader that is gone needs no answer
	}
}

// serveFile sends a file of the pages. One that is asked for by its hash may be kept for ever.
func (s *site) serveFile(w http.ResponseWriter, r *http.Request, file *rendering) {
	maxAge := s.options.MaxAge
	if r.URL.Query().Get("v") == fileVersion(file) {
		maxAge = foreverAge
	}
	s.send(w, r, file, s.options.Now(), maxAge)
}
