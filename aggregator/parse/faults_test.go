package parse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/parse"
	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// TestFaults puts each fault into each captured feed and reads it through the door. A case is good where at most one
// item of those without the fault is missing or has another title, link or date; a case is silent where there are fewer
// items and neither an error nor a repair says so.
func TestFaults(t *testing.T) {
	cases, good := 0, 0
	failures := make(map[string][]string)
	for name, body := range specimen.Feeds(t) {
		clean, err := scan.Scan(body, "", scan.DefaultLimits())
		if err != nil {
			t.Errorf("%s without a fault: %v", name, err)
			continue
		}
		src := parse.Source{URL: "https://feeds.example/" + name, Seen: seen}
		i := 0
		for m := range specimen.Mutants(body, clean.Data) {
			if i++; specimen.Slowness > 1 && (i+len(body))%6 > 0 {
				continue // a sixth of the cases is enough for the race detector
			}
			cases++
			without, err := parse.Parse(m.Without, src)
			if err != nil {
				t.Fatalf("%s without %s: %v", name, m.Fault, err)
			}
			with, err := parse.Parse(m.With, src)
			if err != nil {
				failures[m.Fault] = append(failures[m.Fault], name+": "+err.Error())
				continue
			}
			gone := missing(without, with)
			if gone <= 1 {
				good++
			} else {
				failures[m.Fault] = append(failures[m.Fault], fmt.Sprintf("%s: %d of %d, %q", name, gone, len(without.Items), with.Repairs))
			}
			if len(with.Items) < len(without.Items) && len(with.Repairs) == 0 {
				t.Errorf("%s with %s: %d of %d items and not a word", name, m.Fault, len(with.Items), len(without.Items))
			}
		}
	}
	t.Logf("%d of %d cases (%.1f%%) lose at most one item", good, cases, 100*float64(good)/float64(cases))
	for fault, list := range failures {
		t.Logf("%s: %d\n\t%s", fault, len(list), strings.Join(list, "\n\t"))
	}
	if good*100 < cases*97 && specimen.Slowness == 1 {
		t.Errorf("%d of %d cases lose at most one item, want 97%%", good, cases)
	}
}

// missing counts the items of the one document that the other does not have.
func missing(without, with *parse.Document) int {
	type told struct{ title, link, published, updated string }
	have := make(map[told]int)
	n := 0
	for _, it := range with.Items {
		have[told{it.Title, it.URL, it.Published.String(), it.Updated.String()}]++
	}
	for _, it := range without.Items {
		key := told{it.Title, it.URL, it.Published.String(), it.Updated.String()}
		if have[key]--; have[key] < 0 {
			n++
		}
	}
	return n
}
