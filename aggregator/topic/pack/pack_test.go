package pack

import (
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/topic"
)

func TestAll(t *testing.T) {
	packs, err := All()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range packs {
		ids = append(ids, string(p.ID))
		if _, err := topic.Parse(p.Query); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if strings.Contains(p.Query, "#") {
			t.Errorf("%s: the query still has a comment", p.ID)
		}
	}
	want := "ai-policy antitrust cloud-computing cybersecurity data-protection digital-rights telecom-regulation"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("packs %s, want %s", got, want)
	}
}

func TestParse(t *testing.T) {
	got, err := parse("title: A title\ndescription: What: it is.\n\n# English\ncloud OR\n# more\naws\n")
	if err != nil || got.Title != "A title" || got.Description != "What: it is." || got.Query != "cloud OR\naws" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, broken := range []string{"", "title: A\ndescription: B\n\n", "title: A\n\ncloud", "name: A\ndescription: B\n\ncloud"} {
		if got, err := parse(broken); err == nil {
			t.Errorf("%q is taken for %+v", broken, got)
		}
	}
}
