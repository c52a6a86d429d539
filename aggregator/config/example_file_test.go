package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/config"
)

const exampleFile = "../../config.example.yaml"

// switchedOff is how the example writes a setting that is not active: prose has a space after the #.
var switchedOff = regexp.MustCompile(`(?m)^( *)#([a-z])`)

func readExample(t *testing.T) (active, all []byte) {
	t.Helper()
	active, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return active, switchedOff.ReplaceAll(active, []byte("$1$2"))
}

func TestExampleLoadsAndIsAsRichAsItClaims(t *testing.T) {
	c, err := config.Load(exampleFile, options())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Feeds) < 20 || len(c.Topics) < 6 {
		t.Errorf("%d feeds and %d topics, want at least 20 and 6", len(c.Feeds), len(c.Topics))
	}
}

// A setting that the example does not show is one that no operator finds.
func TestExampleShowsEveryKey(t *testing.T) {
	_, all := readExample(t)
	var file map[string]any
	if err := yaml.Unmarshal(all, &file); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	collect(shown, "", file)
	for _, key := range config.Keys() {
		if !shown[key] {
			t.Errorf("%s is not in the example, neither active nor switched off", key)
		}
	}
}

func collect(shown map[string]bool, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			shown[path+key] = true
			collect(shown, path+key+".", v)
		}
	case []any:
		for _, v := range value {
			collect(shown, path, v)
		}
	}
}

// What the example says of a setting that is switched off is what happens without it.
func TestExampleShowsTheDefaults(t *testing.T) {
	active, all := readExample(t)
	for name, data := range map[string][]byte{"as it is": active, "with every setting switched on": all} {
		c, err := config.Parse(filepath.Join("/etc/topicwire", "config.yaml"), data, options())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.Feeds, c.Topics, c.Queries, c.Contact = nil, nil, nil, ""
		c.Retention.Feeds, c.Retention.Topics = nil, nil
		if diff := cmp.Diff(config.Default("/etc/topicwire"), c); diff != "" {
			t.Errorf("%s, the example differs from the defaults (-default +example):\n%s", name, diff)
		}
	}
}
