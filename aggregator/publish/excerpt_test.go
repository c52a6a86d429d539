package publish_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

// An excerpt is the beginning of the text, wherever in the HTML that is.
func TestAnExcerptIsTheBeginningOfTheText(t *testing.T) {
	long := strings.Repeat("слово ", 40_000)
	for name, tc := range map[string]struct{ content, want string }{
		"short":                   {"<p>Just <b>this</b>.</p>", "Just this."},
		"long":                    {"<p>" + long + "</p>", "слово слово слово слово"},
		"behind much markup":      {strings.Repeat("<div class=x></div>", 1500) + "<p>At last.</p>", "At last."},
		"too far behind":          {strings.Repeat("<div class=x></div>", 5000) + "<p>At last.</p>", ""},
		"a script before":         {"<script>" + strings.Repeat("var a;", 2000) + "</script><p>Seen.</p>", "Seen."},
		"cut in a tag and a rune": {strings.Repeat("ü<i>", 3000) + "<p>x</p>", "üüüüüüüü"},
	} {
		t.Run(name, func(t *testing.T) {
			it := item("courier", name, 1, "cloud")
			it.Content = tc.content
			src := &memory{stories: []aggregator.Story{story(it)}}
			var feed struct{ Items []struct{ Summary string } }
			if err := json.Unmarshal(get(t, handler(t, src), "/all.json").Body.Bytes(), &feed); err != nil {
				t.Fatal(err)
			}
			got := feed.Items[0].Summary
			if !strings.HasPrefix(got, tc.want) || (len(tc.content) < 1000 || tc.want == "" || strings.Contains(tc.want, ".")) && got != tc.want {
				t.Errorf("excerpt %q, want %q", got, tc.want)
			}
			if len([]rune(got)) > 500 || strings.Contains(got, "<") {
				t.Errorf("excerpt %q", got)
			}
		})
	}
}
