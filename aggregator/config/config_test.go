package config_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/config"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// fault is what the checks of these tests report: a query with FAULT in it, at its place.
type fault struct{ offset int }

func (f fault) Error() string { return "FAULT is no word; write another" }
func (f fault) Offset() int   { return f.offset }

// options stand in for the other packages: a schedule is five fields or begins with @, a query is good unless it says
// otherwise.
func options() config.Options {
	env := map[string]string{"SECRET": "hunter2 hunter2", "HOST": "example.net", "EMPTY": "", "PORT": "9090", "PAGE": "about"}
	var packs []aggregator.Topic
	for _, id := range []aggregator.TopicID{"ai-policy", "antitrust", "cloud-computing", "cybersecurity", "telecom-regulation"} {
		packs = append(packs, aggregator.Topic{ID: id, Title: "Title of " + string(id), Description: "All of it", Query: string(id)})
	}
	return config.Options{
		Packs: packs,
		Env:   func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		CheckSchedule: func(spec string) error {
			if strings.HasPrefix(spec, "CRON_TZ=") {
				_, spec, _ = strings.Cut(spec, " ")
			}
			if n := len(strings.Fields(spec)); !strings.HasPrefix(spec, "@") && n != 5 {
				return fmt.Errorf("%d fields in %q, want 5", n, spec)
			}
			if strings.HasPrefix(spec, "61") {
				return errors.New("minute 61 is above 59")
			}
			return nil
		},
		Queries: func(named map[string]string) func(name, query string) error { return queryCheck(named) },
	}
}

// queryCheck is what is wrong with a query: FAULT is at a place, and so is a name that is not there.
func queryCheck(named map[string]string) func(name, query string) error {
	return func(_, query string) error {
		if i := strings.Index(query, "FAULT"); i >= 0 {
			return fmt.Errorf("parse query: %w", fault{i})
		}
		if strings.HasSuffix(query, "END") {
			return fault{len(query)}
		}
		if strings.Contains(query, "OR (LONG") {
			return errors.New("the query is too long; split it")
		}
		if strings.HasPrefix(query, "~zz:") {
			return errors.New("no stems in zz; the languages are others")
		}
		if query == "NOPLACE" {
			return errors.New("not this one")
		}
		if i := strings.Index(query, "@"); i >= 0 {
			name := strings.Fields(query[i+1:])[0]
			text, ok := named[name]
			switch {
			case !ok:
				return noName{fault{i}}
			case strings.Contains(text, "FAULT"):
				return elsewhere{fault{i}, name}
			}
		}
		return nil
	}
}

// noName is the fault of a name that no query has.
type noName struct{ fault }

func (noName) Error() string { return "no such name; write another" }

// elsewhere is a fault of a named query where another refers to it.
type elsewhere struct {
	fault
	name string
}

func (e elsewhere) InNamed() string { return e.name }

func TestProblemsAreReportedAllAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the test files: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = config.Parse(filepath.Base(file), data, options())
			var problems config.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error is %v, want Problems", err)
			}
			var b strings.Builder
			for _, p := range problems {
				fmt.Fprintf(&b, "%s\n\t[%s]\n", p, p.Key)
			}
			got := b.String()
			for _, secret := range []string{"hunter2", "secret", "sec/ret"} {
				if strings.Contains(got, secret) {
					t.Errorf("a problem shows %q:\n%s", secret, got)
				}
			}
			checkFaultPlaces(t, string(data), problems)
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("problems differ (-want +got); -update rewrites the golden file:\n%s", diff)
			}
		})
	}
}

// checkFaultPlaces holds what golden files cannot show: the place of a fault in a query is where FAULT stands.
func checkFaultPlaces(t *testing.T, source string, problems config.Problems) {
	t.Helper()
	lines := strings.Split(source, "\n")
	for _, p := range problems {
		if !strings.Contains(p.Text, "FAULT is no word") || strings.Contains(lines[p.Line-1], "END") {
			continue
		}
		if rest := string([]rune(lines[p.Line-1])[p.Column-1:]); !strings.HasPrefix(rest, "FAULT") {
			t.Errorf("%s: there is %q, want FAULT", p, rest)
		}
	}
}
