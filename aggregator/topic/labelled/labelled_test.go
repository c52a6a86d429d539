package labelled_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic/labelled"
)

func TestRead(t *testing.T) {
	got, err := labelled.Read(strings.NewReader("\ufeff" + `{"title": "A <b>", "text": "R&D", "language": "en", "topics": ["x"]}

{"feed": "f", "url": "https://example.org/", "author": "Jane", "categories": ["c"], "published": "2026-01-31", "topics": []}
{"published": "2026-01-31T12:00:00+02:00", "topics": []}`))
	if err != nil {
		t.Fatal(err)
	}
	var items []*aggregator.Item
	for i := range got {
		items = append(items, got[i].Item())
	}
	want := []*aggregator.Item{
		{Title: "A <b>", Content: "<p>R&amp;D</p>", Language: "en"},
		{
			Feed: "f", URL: "https://example.org/", Content: "<p></p>", Authors: []aggregator.Author{{Name: "Jane"}}, Categories: []string{"c"},
			Published: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		},
		{Content: "<p></p>", Published: time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("items differ (-want +got):\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":         {"\n\n", "there are none"},
		"no JSON":         {"{\"topics\": []}\n\n{", "line 3"},
		"an unknown key":  {`{"topics": [], "label": "x"}`, "label"},
		"no topics":       {`{"title": "x"}`, `line 1: no topics; write "topics": []`},
		"two on one line": {`{"topics": []} {"topics": []}`, "write one a line"},
		"no date":         {`{"topics": [], "published": "yesterday"}`, "write 2026-01-31"},
		"a line too long": {`{"topics": [], "text": "` + strings.Repeat("x", 5<<20) + `"}`, "line 1"},
	} {
		if _, err := labelled.Read(strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, tc.want)
		}
	}
}

func TestMeasure(t *testing.T) {
	items := []labelled.Item{
		{Title: "ab", Topics: []aggregator.TopicID{"a"}}, {Title: "a", Topics: []aggregator.TopicID{"a"}},
		{Title: "", Topics: []aggregator.TopicID{"a", "other"}}, {Title: "", Topics: []aggregator.TopicID{}},
	}
	match := func(it *aggregator.Item) (found []aggregator.TopicID) {
		for _, r := range it.Title {
			found = append(found, aggregator.TopicID(r))
		}
		return found
	}
	scores, mistakes := labelled.Measure(items, []aggregator.TopicID{"a", "b", "c"}, match)
	if diff := cmp.Diff([]labelled.Score{{Right: 2, Missed: 1}, {Wrong: 1}, {}}, scores); diff != "" {
		t.Errorf("scores differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]labelled.Mistake{{"b", 0, true}, {"a", 2, false}}, mistakes); diff != "" {
		t.Errorf("mistakes differ (-want +got):\n%s", diff)
	}
	for _, tc := range []struct {
		score                 labelled.Score
		precision, recall, f1 float64
	}{
		{labelled.Score{Right: 2, Missed: 2}, 1, 0.5, 2.0 / 3}, {labelled.Score{Wrong: 1}, 0, 1, 0}, {labelled.Score{}, 1, 1, 1},
		{labelled.Score{Right: 3, Wrong: 1}, 0.75, 1, 6.0 / 7},
	} {
		if p, r, f := tc.score.Precision(), tc.score.Recall(), tc.score.F1(); p != tc.precision || r != tc.recall || f != tc.f1 {
			t.Errorf("%+v: %v %v %v, want %v %v %v", tc.score, p, r, f, tc.precision, tc.recall, tc.f1)
		}
	}
}
