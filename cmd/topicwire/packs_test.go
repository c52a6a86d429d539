package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPacks switches packs on as an operator does.
func TestPacks(t *testing.T) {
	dir := workdir(t, `
packs: [data-protection]
topics:
  - {pack: cloud-computing, id: cloud, query: karachi}
`)
	var topics []struct{ ID, Title, Query string }
	if err := json.Unmarshal([]byte(must(t, dir, "topics", "list", "--json")), &topics); err != nil {
		t.Fatal(err)
	}
	if len(topics) != 2 || topics[0].ID != "data-protection" || topics[1].ID != "cloud" || topics[1].Title != "Cloud computing" {
		t.Fatalf("topics %+v", topics)
	}
	if !strings.Contains(topics[1].Query, "hyperscaler*") || !strings.HasSuffix(topics[1].Query, "OR (karachi)") {
		t.Errorf("the query of cloud is %s", topics[1].Query)
	}

	var packs []struct{ ID, Query string }
	if err := json.Unmarshal([]byte(must(t, dir, "topics", "packs", "--json")), &packs); err != nil {
		t.Fatal(err)
	}
	if len(packs) != 7 {
		t.Errorf("%d packs, want 7", len(packs))
	}
	for _, p := range packs {
		if p.Query == "" || !strings.Contains(must(t, dir, "topics", "packs", p.ID), p.Query) {
			t.Errorf("pack %q is not printed with its query", p.ID)
		}
	}
	if out := must(t, dir, "topics", "packs"); !strings.Contains(out, "antitrust") || strings.Contains(out, "OR") {
		t.Errorf("the list of packs is\n%s", out)
	}
	if got := topicwire(t, dir, "topics", "packs", "weather"); got.code != 2 || !strings.Contains(got.stderr, "there are ai-policy, ") {
		t.Errorf("an unknown pack ends with %d: %s", got.code, got.stderr)
	}
}
