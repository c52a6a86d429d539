package publish

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator/publish/chart"
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
		s.files[path] = newRendering(s.packers, draft{mediaType: mediaType, body: body}, version{}, s.options.Now())
	}
	pages, err := template.New("pages").Funcs(template.FuncMap{
		"day":       func(t time.Time) string { return t.Format(dayForm) },
		"shortday":  func(t time.Time) string { return t.Format("2 Jan 2006") },
		"minute":    func(t time.Time) string { return t.Format("15:04") },
		"machine":   rfc3339,
		"date":      func(t time.Time) string { return t.Format(time.DateOnly) },
		"thousands": chart.Thousands,
		"count":     count,
		"dir":       direction,
	}).ParseFS(web, "web/*.html")
	if err != nil {
		return fmt.Errorf("read page templates: %w", err)
	}
	s.pages = pages
	return nil
}

// count writes a number of things: "1 story", "2,000 stories".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return chart.Thousands(n) + " " + many
}

func fileVersion(file *rendering) string { return strings.Trim(file.form.plain().etag[0], `"`)[:12] }

// frame is what every page has.
type frame struct {
	Site, Title, Description       string
	Home, All, Status, Style, Icon string
	OPML, Generator                string
	// Here is the page's path, as the site's navigation has it.
	Here string
	// Canonical is the page's own address, "" for one that is not for search engines.
	Canonical string
	// Feeds are for readers to find the page's feeds by.
	Feeds []subscription
	// Policy is the page's security policy, where no server says it.
	Policy string
	// Wide is set on a page that needs more room than text does.
	Wide bool
	// Notice is what there is to know about the whole of the page, "" for nothing.
	Notice string
}

type subscription struct{ Name, Type, URL string }

// frame is that of the page at the path; an empty one is that of a page that has no address worth keeping.
func (s *site) frame(l links, path, title, description string) frame {
	f := frame{
		Site: s.options.Title, Title: title, Description: description, Here: path,
		Home: l.page("/"), All: l.page("/all"), Status: l.page("/status"), OPML: l.opml(), Icon: l.file("/icon.svg"),
		Style:     l.file("/style.css") + "?v=" + fileVersion(s.files["/style.css"]),
		Generator: strings.TrimSpace(s.options.Generator + " " + s.options.Version),
	}
	if l.static {
		f.Policy = staticPolicy
	}
	if path != "" {
		f.Canonical = s.pageURL(path)
	}
	return f
}

func (s *site) subscriptions(l links, c channel, of cutting) []subscription {
	query := of.String()
	return []subscription{
		{"Atom", "application/atom+xml", l.file(c.path+".atom") + query},
		{"RSS", "application/rss+xml", l.file(c.path+".rss") + query},
		{"JSON Feed", "application/feed+json", l.file(c.path+".json") + query},
	}
}

func (s *site) execute(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

// staticPolicy is what a page that is a file allows itself.
const staticPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

// pageHeaders allows a page its own style sheet, icon and forms and nothing else: no script, no third party is ever asked.
func (s *site) pageHeaders(header http.Header) {
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
}

// message answers with a page that says in a sentence what is wrong.
func (s *site) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	page := struct {
		frame
		Text string
	}{s.frame(s.links(), "", title, ""), text}
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
