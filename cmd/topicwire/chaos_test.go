package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/fetch/chaos"
)

// TestChaosBesideGoodFeeds polls every host of the chaos origin that has a port, beside 1,000 good feeds: each
// misbehaviour comes to what docs/misbehaviour.md says, and the good feeds are on time.
func TestChaosBesideGoodFeeds(t *testing.T) {
	const good = 1000
	mux := http.NewServeMux()
	mux.HandleFunc("/{name}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, simpleFeed(r.PathValue("name"), 3)) })
	site, origin := serve(t, mux), chaos.Start(t)
	wd := workdir(t, "")
	roots := filepath.Join(wd, "roots.pem")
	writeFile(t, roots, string(origin.RootPEM()))
	t.Setenv("SSL_CERT_FILE", roots)

	cases := make(map[string]chaos.Case)
	var config strings.Builder
	// The misbehaving hosts come first, and a worker each would not do for them.
	config.WriteString("fetch: {allow_private: true, workers: 32, connect_timeout: 3s, header_timeout: 4s, timeout: 15s, max_body: 8MiB, " +
		"hosts: {127.0.0.1: {connections: 8, delay: 0s}}}\nfeeds:\n")
	for _, c := range chaos.Cases() {
		url := origin.Direct(c)
		if url == "" || c.Guarded {
			continue
		}
		cases["chaos."+c.Name] = c
		fmt.Fprintf(&config, "  - {id: chaos.%s, url: %q}\n", c.Name, url)
	}
	for i := range good {
		fmt.Fprintf(&config, "  - {id: good%d, url: \"%s/good%[1]d\"}\n", i, site.URL)
	}
	if len(cases) < 60 {
		t.Fatalf("only %d hosts misbehave", len(cases))
	}
	writeFile(t, filepath.Join(wd, "config.yaml"), config.String())
	began := time.Now()
	must(t, wd, "fetch", "--quiet", "--all")
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("the pass took %s; no poll may take longer than fetch.timeout", took)
	}
	var last time.Duration
	for id, feed := range listFeeds(t, wd) {
		if c, bad := cases[id]; bad {
			checkChaos(t, c, feed, c.Gets[0])
			continue
		}
		if feed.State != "ok" || feed.Items != 3 {
			t.Errorf("%s: state %q with %d items: %+v", id, feed.State, feed.Items, feed.LastPoll)
			continue
		}
		last = max(last, feed.LastPoll.At.Sub(began))
	}
	// The hosts that drip and stall hold their workers for 10 s and more, each a few times over; a busy machine takes a while
	// for a thousand feeds too.
	if last > time.Minute {
		t.Errorf("the last of the good feeds was polled after %s", last)
	}
	t.Logf("%d misbehaving hosts, %d good feeds, the last of them polled after %s", len(cases), good, last)

	must(t, wd, "fetch", "--quiet", "--all")
	for id, feed := range listFeeds(t, wd) {
		if c, bad := cases[id]; bad && len(c.Gets) > 1 && feed.NotBefore == nil {
			checkChaos(t, c, feed, c.Gets[1])
		}
	}
	if n := origin.Trapped(); n > 0 && !t.Failed() {
		t.Logf("%d requests reached this machine's other server, as allow_private lets them", n)
	}
}

// parserRefuses are the cases whose answer can be fetched and is no feed.
var parserRefuses = map[string]string{
	"web-page": "a web page", "empty": "empty", "short-length": "",
}

func checkChaos(t *testing.T, c chaos.Case, feed feedLine, want chaos.Want) {
	t.Helper()
	says, refused := parserRefuses[c.Name]
	outcome := feed.LastPoll.Outcome
	switch {
	case feed.LastPoll.Status != want.Status:
		t.Errorf("%s: status %d, want %d (%s)", c.Name, feed.LastPoll.Status, want.Status, feed.LastPoll.Error)
	case want.Error != "":
		if outcome != "failed" || !strings.Contains(feed.LastPoll.Error, want.Error) {
			t.Errorf("%s: %s, %q; want an error with %q", c.Name, outcome, feed.LastPoll.Error, want.Error)
		}
	case refused:
		if outcome == "failed" && !strings.Contains(feed.LastPoll.Error, says) {
			t.Errorf("%s: %q, want %q", c.Name, feed.LastPoll.Error, says)
		}
	case want.NotModified != (outcome == "not modified"), outcome == "failed":
		t.Errorf("%s: %s (%s), want it read, not modified %v", c.Name, outcome, feed.LastPoll.Error, want.NotModified)
	}
	if asks := want.RetryAfter > 0; asks != (feed.NotBefore != nil) {
		t.Errorf("%s: not before %v, where it asks to wait for %s", c.Name, feed.NotBefore, want.RetryAfter)
	}
}
