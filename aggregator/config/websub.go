package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/topicwire/topicwire/aggregator"
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
	// Subscribe has the polled feeds that offer push be subscribed to; Subscribed are those feeds, with the
	// exceptions that feeds make. PollCeiling is the most that a feed is not polled while its hub tells what is new.
	Subscribe   bool
	Subscribed  map[aggregator.FeedID]bool
	PollCeiling time.Duration
	// AllowPrivate lets hubs and callbacks be on loopback, private and link-local addresses.
	AllowPrivate bool
}

func defaultWebSub() WebSub {
	return WebSub{
		Window: 2 * time.Second, MaxLease: 30 * 24 * time.Hour, GiveUpAfter: 24 * time.Hour,
		TopicSubscriptions: 10_000, HostSubscriptions: 1000, PollCeiling: 6 * time.Hour,
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
	{"subscribe", func(r *reader, n ast.Node, w *WebSub) { r.readBool(n, &w.Subscribe) }},
	{"poll_ceiling", func(r *reader, n ast.Node, w *WebSub) { r.readDuration(n, time.Minute, &w.PollCeiling) }},
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

// finishWebSub checks that others can find what they are told of, and says which feeds are subscribed to.
func (r *reader) finishWebSub(d *draft) {
	at := d.webSubAt
	for i, f := range d.feeds {
		// The address of a private feed is a secret, which its hub would be told.
		wanted := d.WebSub.Subscribe && !d.Config.Feeds[i].Private
		if f.subscribe != nil {
			if wanted = *f.subscribe; wanted && at == (place{}) {
				at = f.at
			}
		}
		if wanted {
			if d.WebSub.Subscribed == nil {
				d.WebSub.Subscribed = make(map[aggregator.FeedID]bool)
			}
			d.WebSub.Subscribed[d.Config.Feeds[i].ID] = true
		}
	}
	subscribes := d.WebSub.Subscribe || d.WebSub.Subscribed != nil
	switch {
	case d.baseURL == "" && (len(d.WebSub.Hubs) > 0 || d.WebSub.Hub || subscribes):
		r.problem(at, "websub needs base_url", "give base_url, the address of this site as hubs and subscribers see it")
	case subscribes && !d.WebSub.AllowPrivate && unreachable(d.baseURL):
		r.problem(at, "websub.subscribe needs a base_url that hubs can reach, and "+quote(d.baseURL)+" is an address of this machine or its network alone",
			"give the public address, or set websub.allow_private where the hubs are in the same network")
	}
}

// unreachable reports whether the URL is certainly at no public address.
func unreachable(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false // which is a problem of its own
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
