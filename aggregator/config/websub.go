package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// WebSub is push.
type WebSub struct {
	// Hub makes this site a hub for its own merged feeds.
	Hub bool
	// MaxLease is for how long a subscription lasts at most; TopicSubscriptions bounds those to one feed, HostSubscriptions
	// those of one host; GiveUpAfter is for how long deliveries may fail before a subscription ends.
	MaxLease, GiveUpAfter                 time.Duration
	TopicSubscriptions, HostSubscriptions int
	// Hubs are the URLs of the hubs that are told when a merged feed changes, and that the feeds name.
	Hubs []string
	// Window is for how long changes are gathered before a hub or a subscriber is told.
	Window time.Duration
	// AllowPrivate lets hubs and callbacks be on loopback, private and link-local addresses.
	AllowPrivate bool
}

func defaultWebSub() WebSub {
	return WebSub{
		Window: 2 * time.Second, MaxLease: 30 * 24 * time.Hour, GiveUpAfter: 24 * time.Hour,
		TopicSubscriptions: 10_000, HostSubscriptions: 1000,
	}
}

var webSubFields = []field[WebSub]{
	{"hubs", func(r *reader, n ast.Node, w *WebSub) { r.readHubs(n, w) }},
	{"hub", func(r *reader, n ast.Node, w *WebSub) { r.readBool(n, &w.Hub) }},
	{"max_lease", func(r *reader, n ast.Node, w *WebSub) { r.readDuration(n, time.Hour, &w.MaxLease) }},
	{"topic_subscriptions", func(r *reader, n ast.Node, w *WebSub) { r.readInt(n, 1, 1_000_000, &w.TopicSubscriptions) }},
	{"host_subscriptions", func(r *reader, n ast.Node, w *WebSub) { r.readInt(n, 1, 1_000_000, &w.HostSubscriptions) }},
	{"give_up_after", func(r *reader, n ast.Node, w *WebSub) { r.readDuration(n, time.Minute, &w.GiveUpAfter) }},
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
	if d.baseURL == "" && (len(d.WebSub.Hubs) > 0 || d.WebSub.Hub) {
		r.problem(d.webSubAt, "websub needs base_url", "give base_url, the address of this site as hubs and subscribers see it")
	}
}
