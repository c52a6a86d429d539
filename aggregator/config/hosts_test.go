package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/config"
)

// What a host's limit leaves out is what all hosts have, wherever in the file that is said.
func TestHostLimits(t *testing.T) {
	o := options()
	o.CheckHost = func(name string) error {
		if strings.HasPrefix(name, "www.") {
			return errors.New("shares a limit; write example.org")
		}
		return nil
	}
	c, err := config.Parse("config.yaml", []byte(`fetch:
  hosts:
    Example.com: {connections: 4, delay: 0s}
    "192.0.2.1": {connections: 9}
    "intranet:81": {delay: 1s}
  host_connections: 3
  host_delay: 2s
  max_body: 1MiB
`), o)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]config.HostLimit{
		"example.com": {Connections: 4}, "192.0.2.1": {Connections: 9, Delay: 2 * time.Second}, "intranet:81": {Connections: 3, Delay: time.Second},
	}
	if diff := cmp.Diff(want, c.Fetch.Hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if c.Fetch.MaxDownload != 1<<20 {
		t.Errorf("max_download is %d, want max_body's 1 MiB", c.Fetch.MaxDownload)
	}
	for text, says := range map[string]string{
		"fetch: {hosts: {www.example.org: {connections: 1}}}":         "shares a limit",
		"fetch: {hosts: {\"https://example.org\": {connections: 1}}}": "is no name of a host",
		"fetch: {hosts: {example.org: {connection: 1}}}":              "did you mean \"connections\"",
		"fetch: {hosts: {example.org: 4}}":                            "must be a section",
		"fetch: {hosts: 4}":                                           "must be a section",
	} {
		if _, err := config.Parse("config.yaml", []byte(text), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}
