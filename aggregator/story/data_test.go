package story_test

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/story"
)

// dataLines are the lines of a data file that say something, in fields. No line may be there twice.
func dataLines(t *testing.T, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	seen := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if key := strings.Join(fields, " "); seen[key] {
			t.Errorf("%s has %q twice", name, key)
		} else {
			seen[key] = true
		}
		lines = append(lines, fields)
	}
	if len(lines) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return lines
}

// hostFor is a host that the pattern means.
func hostFor(pattern string) string {
	if name, ok := strings.CutSuffix(pattern, ".*"); ok {
		return "www." + name + ".co.uk"
	}
	return pattern
}

func TestEveryTrackingParameterIsLeftOut(t *testing.T) {
	for _, fields := range dataLines(t, "tracking-parameters.txt") {
		host := "example.org"
		if len(fields) == 2 {
			host = hostFor(fields[1])
		}
		if len(fields) > 2 || fields[0] != strings.ToLower(fields[0]) {
			t.Errorf("line %q: want a name in lower case and at most a host", fields)
		}
		parameter := strings.Replace(fields[0], "*", "any", 1)
		if !strings.Contains(parameter, "=") {
			parameter += "=1"
		}
		// The path keeps this clear of the links that redirectors have.
		want := "https://" + host + "/a/page?zz=1"
		if got := story.Canonical("https://" + host + "/a/page?" + parameter + "&zz=1"); got != want {
			t.Errorf("line %q: got %q, want %q", fields, got, want)
		}
	}
}

func TestEveryRedirectorIsUndone(t *testing.T) {
	const target = "https://example.org/a?x=1"
	for _, fields := range dataLines(t, "redirectors.txt") {
		if len(fields) < 3 {
			t.Errorf("line %q: want a host, a path and parameters", fields)
			continue
		}
		for _, parameter := range fields[2:] {
			link := "https://" + hostFor(fields[0]) + fields[1] + "?z=1&" + parameter + "=" + url.QueryEscape(target)
			if got := story.Canonical(link); got != target {
				t.Errorf("Canonical(%q) = %q, want %q", link, got, target)
			}
		}
	}
}

// A publisher cannot make a link costly by nesting redirects.
func TestNestedRedirectsAreBounded(t *testing.T) {
	for n, want := range map[int]string{8: "https://example.org/a", 9: "", 560: ""} {
		link := strings.Repeat("https://www.google.com/url?q=", n) + "https://example.org/a"
		if got := story.Canonical(link); got != want {
			t.Errorf("within %d redirects: got %q, want %q", n, got, want)
		}
	}
}
