package main_test

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// front is the public address of a daemon, which has another one after each start: a web server before it.
type front struct {
	URL   string
	proxy atomic.Pointer[httputil.ReverseProxy]
}

func newFront(t *testing.T) *front {
	f := &front{}
	f.URL = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := f.proxy.Load(); p != nil {
			p.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})).URL
	return f
}

func (f *front) lead(t *testing.T, to *daemon) {
	t.Helper()
	u, err := url.Parse(to.url)
	if err != nil {
		t.Fatal(err)
	}
	f.proxy.Store(httputil.NewSingleHostReverseProxy(u))
}

// growing is an origin whose feed gets items.
type growing struct {
	items atomic.Int64
	// head is put into the channel.
	head atomic.Value
}

func (g *growing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head, _ := g.head.Load().(string)
	fmt.Fprint(w, strings.Replace(simpleFeed("news", int(g.items.Load())), "<item>", head+"<item>", 1))
}

// A new item at an origin reaches subscribers of the built-in hub and of a hub elsewhere, signed; and a kill of the hub
// while it delivers loses nothing. How soon is a matter of package websub's tests, which have a clock of their own.
func TestPushRoundTrip(t *testing.T) {
	origin, site := &growing{}, newFront(t)
	origin.items.Store(1)
	elsewhere := beginPeer(t, "hub")
	wd := workdir(t, fmt.Sprintf(`listen: 127.0.0.1:0
base_url: %s
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
websub: {hub: true, hubs: [%q], window: 100ms, allow_private: true}
topics: [{id: news, query: news}]
`, site.URL, elsewhere.url)+feedConfig(serve(t, origin).URL, "news"))
	d := start(t, wd, "serve")
	site.lead(t, d)
	must(t, wd, "fetch", "--all")

	topic, hold := site.URL+"/topics/news.atom", filepath.Join(t.TempDir(), "hold")
	environment := func(hub, secret string) []string {
		return []string{"HUB=" + hub, "TOPIC=" + topic, "SECRET=" + secret, "HOLD=" + hold}
	}
	near := beginPeer(t, "subscriber", environment(site.URL+"/hub", "near-secret")...)
	far := beginPeer(t, "subscriber", environment(elsewhere.url, "far-secret")...)
	near.expect(t, "asked")
	far.expect(t, "asked")

	origin.items.Store(2)
	must(t, wd, "fetch", "--all")
	for name, p := range map[string]*peer{"the built-in hub": near, "the hub elsewhere": far} {
		got := p.delivery(t, "news 1")
		if !got.Signed || got.Type != "application/atom+xml; charset=utf-8" {
			t.Errorf("%s delivered, signed: %v, as %s:\n%s", name, got.Signed, got.Type, got.Text)
		}
		if self := "<" + topic + `>; rel="self"`; p == near && (!slices.Contains(got.Links, self) || !strings.Contains(strings.Join(got.Links, " "), "/hub>")) {
			t.Errorf("links %q", got.Links)
		}
	}

	writeFile(t, hold, "")
	origin.items.Store(3)
	must(t, wd, "fetch", "--all")
	near.expect(t, "held")
	if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if err := os.Remove(hold); err != nil {
		t.Fatal(err)
	}
	site.lead(t, start(t, wd, "serve"))
	if got := near.delivery(t, "news 2"); !got.Signed {
		t.Errorf("after a kill the hub delivered, signed: %v:\n%s", got.Signed, got.Text)
	}
	checkPushSecrets(t, wd, d)
}

// checkPushSecrets looks for what only hub and subscriber may know.
func checkPushSecrets(t *testing.T, wd string, d *daemon) {
	t.Helper()
	for where, text := range map[string]string{"log": d.log.String(), "stats": must(t, wd, "store", "stats", "--json"), "feeds": must(t, wd, "feeds", "list", "--json")} {
		if strings.Contains(text, "near-secret") || strings.Contains(text, "callback?a=1") {
			t.Errorf("the %s shows a secret:\n%s", where, text)
		}
	}
}

// What the hub of a source tells reaches this site's own subscribers without a poll, also after a kill; and without that
// hub polls bring it.
func TestPushFromASource(t *testing.T) {
	origin, site := &growing{}, newFront(t)
	origin.items.Store(1)
	source, hub := serve(t, origin).URL+"/news", beginPeer(t, "hub")
	origin.head.Store(fmt.Sprintf(`<link xmlns="http://www.w3.org/2005/Atom" rel="hub" href="%s"/><link xmlns="http://www.w3.org/2005/Atom" rel="self" href="%s"/>`, hub.url, source))
	config := fmt.Sprintf(`listen: 127.0.0.1:0
base_url: %s
schedule: SCHEDULE
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
websub: {hub: true, subscribe: true, window: 100ms, allow_private: true}
topics: [{id: news, query: news}]
feeds: [{id: news, url: %q}]
`, site.URL, source)
	wd := workdir(t, strings.Replace(config, "SCHEDULE", `"@daily"`, 1))
	d := start(t, wd, "serve")
	site.lead(t, d)
	must(t, wd, "fetch", "--all")
	asked := hub.expect(t, "subscriber")
	if got := hub.expect(t, "confirmed"); got.Text != "c" || got.URL != source {
		t.Fatalf("the hub asked whether the subscription to %s was meant, and got %q", got.URL, got.Text)
	}
	topic := site.URL + "/topics/news.atom"
	reader := beginPeer(t, "subscriber", "HUB="+site.URL+"/hub", "TOPIC="+topic, "SECRET=s")
	reader.expect(t, "asked")

	publish := func(items int64) {
		t.Helper()
		origin.items.Store(items)
		resp, err := http.PostForm(hub.url, url.Values{"hub.mode": {"publish"}, "hub.topic": {source}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	published := time.Now()
	publish(2)
	reader.delivery(t, "news 1")
	t.Logf("%v from the source's hub to a subscriber", time.Since(published).Round(time.Millisecond))

	kill := func() {
		t.Helper()
		if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-d.ended
		checkSourceSecrets(t, wd, d, site.URL, asked)
	}
	kill()
	d = start(t, wd, "serve")
	site.lead(t, d)
	publish(3)
	reader.delivery(t, "news 2")
	if shown := must(t, wd, "feeds", "show", "news"); !strings.Contains(shown, "subscribed at 127.0.0.1:") || !strings.Contains(shown, "which last sent something on") {
		t.Errorf("feeds show:\n%s", shown)
	}

	kill()
	_ = hub.cmd.Process.Kill()
	writeFile(t, filepath.Join(wd, "config.yaml"), strings.Replace(config, "SCHEDULE", `"@every 2s"`, 1))
	d = start(t, wd, "run")
	site.lead(t, d)
	origin.items.Store(4)
	reader.delivery(t, "news 3")
}

// checkSourceSecrets looks for what only the site and the hub of a source may know.
func checkSourceSecrets(t *testing.T, wd string, d *daemon, site string, asked event) {
	t.Helper()
	shown := map[string]string{
		"log": d.log.String(), "stats": must(t, wd, "store", "stats", "--json"), "feeds": must(t, wd, "feeds", "list", "--json"),
		"feed": must(t, wd, "feeds", "show", "news"), "export": must(t, wd, "export"),
	}
	must(t, wd, "publish", "--static", "site")
	page, err := os.ReadFile(filepath.Join(wd, "site", "status", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	if shown["status"] = string(page); !strings.Contains(shown["status"], "subscribed at 127.0.0.1:") {
		t.Errorf("the page of the feeds' health does not say that the feed is subscribed to:\n%s", page)
	}
	token := strings.TrimPrefix(asked.URL, site+"/websub/")
	if len(token) != 64 || len(asked.Text) != 64 {
		t.Fatalf("callback %s, secret %s", asked.URL, asked.Text)
	}
	for where, text := range shown {
		if strings.Contains(text, token) || strings.Contains(text, asked.Text) {
			t.Errorf("the %s shows a secret:\n%s", where, text)
		}
	}
}

// A pass without a daemon tells hubs too, and a callback at a private address is not connected to unless that is allowed.
func TestPushFromCron(t *testing.T) {
	origin, hub := &growing{}, beginPeer(t, "hub")
	origin.items.Store(1)
	config := fmt.Sprintf(`base_url: https://wire.example.org
fetch: {allow_private: true, hosts: {127.0.0.1: {connections: 1000, delay: 0s}}}
websub: {hubs: [%q], allow_private: ALLOWED}
topics: [{id: news, query: news}]
`, hub.url) + feedConfig(serve(t, origin).URL, "news")
	wd := workdir(t, strings.Replace(config, "ALLOWED", "false", 1))
	must(t, wd, "fetch", "--all")
	origin.items.Store(2)
	if r := topicwire(t, wd, "fetch", "--all"); r.code != 0 || !strings.Contains(r.stderr, "set websub.allow_private") {
		t.Errorf("a hub at a private address: exit code %d, %s", r.code, r.stderr)
	}
	writeFile(t, filepath.Join(wd, "config.yaml"), strings.Replace(config, "ALLOWED", "true", 1))
	must(t, wd, "fetch", "--all") // brings nothing, and tells what the last one did not
	pinged := map[string]bool{}
	for range 6 {
		pinged[hub.expect(t, "ping").URL] = true
	}
	for _, path := range []string{"/all.atom", "/all.rss", "/all.json", "/topics/news.atom", "/topics/news.rss", "/topics/news.json"} {
		if !pinged["https://wire.example.org"+path] {
			t.Errorf("the hub was not told of %s, but of %v", path, pinged)
		}
	}
}
