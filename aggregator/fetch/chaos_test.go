package fetch_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/fetch"
	"github.com/topicwire/topicwire/aggregator/fetch/chaos"
)

var update = flag.Bool("update", false, "rewrite the table of misbehaviours in docs/misbehaviour.md")

// limited makes one limit short, since the outcome of a case that runs into it does not depend on how short it is. The
// others stay long, so that a slow machine does not run into them instead.
func limited(key string) fetch.Options {
	o := fetch.Options{
		Timeout: time.Minute, ConnectTimeout: time.Minute, HeaderTimeout: time.Minute, MinRate: -1,
		// The answer's size is not what the slow ones are about.
		MaxBody: 8 << 20,
	}
	const short = 150 * time.Millisecond
	switch key {
	case "fetch.timeout":
		o.Timeout = short
	case "fetch.connect_timeout":
		o.ConnectTimeout = short
	case "fetch.header_timeout":
		o.HeaderTimeout = short
	case "fetch.min_rate":
		o.MinRate, o.RateWindow = fetch.DefaultMinRate, short
	}
	return o
}

// TestChaos polls every host of the chaos origin, by a client with its guard up.
func TestChaos(t *testing.T) {
	origin := chaos.Start(t)
	for _, c := range chaos.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			var clock atomic.Int64
			o := limited(c.Limit)
			o.Now = func() time.Time { return now().Add(time.Duration(clock.Load())) }
			o.Resolver, o.Connect, o.Roots = origin.Network, origin.Network.Connect, origin.Roots
			client := fetch.New(o)
			defer client.Close()
			var validators aggregator.Validators
			for i, want := range c.Gets {
				// The secret must not show, whatever goes wrong.
				url := strings.Replace(origin.URL(c), "://", "://reader:s3cret@", 1)
				resp, err := client.Get(t.Context(), fetch.Request{URL: url, Validators: validators})
				if all := fmt.Sprintf("%v %+v", err, resp); strings.Contains(all, "s3cret") {
					t.Errorf("the password shows: %s", all)
				}
				got := observe(t, resp, err, o.Now())
				if want.Error != "" && strings.Contains(got.Error, want.Error) {
					got.Error = want.Error
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("GET %d (-want +got):\n%s%v", i+1, diff, err)
				}
				if resp != nil {
					validators = resp.Validators
				}
				clock.Add(int64(time.Hour))
			}
		})
	}
	if n := origin.Trapped(); n > 0 {
		t.Errorf("%d requests reached a server that is nobody's business", n)
	}
}

// observe is what a Get came to.
func observe(t *testing.T, resp *fetch.Response, err error, now time.Time) chaos.Want {
	t.Helper()
	if err != nil {
		var failure *fetch.Error
		if !errors.As(err, &failure) {
			t.Fatalf("%v is no *fetch.Error", err)
		}
		w := chaos.Want{Error: failure.Err.Error(), Status: failure.Status, Unreached: failure.Unreached}
		if !failure.RetryAfter.IsZero() {
			w.RetryAfter = failure.RetryAfter.Sub(now)
		}
		return w
	}
	w := chaos.Want{Status: resp.Status, NotModified: resp.NotModified, Delta: resp.Delta}
	if resp.Moved != "" {
		_, path, _ := strings.Cut(strings.TrimPrefix(resp.Moved, "http://"), "/")
		w.Moved = "/" + path
	}
	return w
}

// TestChaosDirect polls the hosts by their ports, as a program that is tested from outside does, in case a case works
// only by name.
func TestChaosDirect(t *testing.T) {
	origin := chaos.Start(t)
	for _, c := range chaos.Cases() {
		url := origin.Direct(c)
		if url == "" || c.Guarded || c.Limit != "" {
			continue
		}
		client := fetch.New(fetch.Options{AllowPrivate: true, MaxBody: 8 << 20, Now: now, Roots: origin.Roots})
		resp, err := client.Get(t.Context(), fetch.Request{URL: url})
		client.Close()
		got, want := observe(t, resp, err, now()), c.Gets[0]
		if got.Status != want.Status || !strings.Contains(got.Error, want.Error) || (got.Error == "") != (want.Error == "") {
			t.Errorf("%s: status %d, %v; want %d, %q", c.Name, got.Status, err, want.Status, want.Error)
		}
	}
}

// TestManualListsTheMisbehaviours holds the manual's table against the cases.
func TestManualListsTheMisbehaviours(t *testing.T) {
	const file, begin, end = "../../docs/misbehaviour.md", "<!-- the table begins -->\n", "<!-- the table ends -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around its table", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+chaos.Table()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(chaos.Table(), table); diff != "" {
		t.Errorf("%s is not what the cases say; go test ./aggregator/fetch -update (-want +got):\n%s", file, diff)
	}
}
