package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// WebSub is push: how hubs are told of changes.
type WebSub struct {
	// Hubs are the URLs of the hubs that are told when a merged feed changes, and that the feeds name.
	Hubs []string
	// Window is for how long changes are gathered before a hub is told.
	Window time.Duration
	// AllowPrivate lets hubs be on loopback, private and link-local addresses.
	AllowPrivate bool
}

func defaultWebSub() WebSub { return WebSub{Window: 2 * time.Second} }

var webSubFields = []field[WebSub]{
	{"hubs", func(r *reader, n ast.Node, w *WebSub) { r.readHubs(n, w) }},
	{"window", func(r *reader, n ast.Node, w *WebSub) { r.readDuration(n, 0, &w.Window) }},
	{"allow_private", func(r *reader, n ast.Node, w *WebSub) { r.readBool(n, &w.AllowPrivate) }},
}

func (r *reader) readWebSub(n ast.Node, d *draft) {
	readFields(r, n, "websub", webSubFields, &d.WebSub)
	if n != nil {
		d.webSubAt = placeOf(n)
	}
}

// maxHubs bounds the hubs: each is told of each change.
const maxHubs = 16

func (r *reader) readHubs(n ast.Node, w *WebSub) {
	seen := make(map[string]bool)
	r.each(n, "hubs", func(_ int, n ast.Node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		u := r.webURL(s, "https://hub.example.org/")
		switch {
		case u == nil:
		case u.User != nil || u.Fragment != "":
			r.problem(s.at, "a hub has user information or a fragment", "remove what is before @ and behind #: the feeds show the hub to everybody")
		case seen[u.String()]:
			r.wrong(s, "is there twice", "remove one of them")
		case len(w.Hubs) == maxHubs:
			r.problem(s.at, "there are too many hubs", "name at most 16: each is told of each change")
		default:
			seen[u.String()] = true
			w.Hubs = append(w.Hubs, u.String())
		}
	})
}

// finishWebSub checks that others can find what they are told of.
func (r *reader) finishWebSub(d *draft) {
	if d.baseURL == "" && len(d.WebSub.Hubs) > 0 {
		r.problem(d.webSubAt, "websub needs base_url", "give base_url, the address of this site as hubs and subscribers see it")
	}
}
