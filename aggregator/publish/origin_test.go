package publish_test

import (
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

func TestASourceHasTheIDOfItsDocument(t *testing.T) {
	const own = "tag:wire.example.org,2026-11-01:feed/courier"
	for name, tc := range map[string]struct{ id, want string }{
		"a link":                          {"https://courier.example/feed", "https://courier.example/feed"},
		"a link as it is spelt":           {"http://courier.example:80/a/../Feed?b#c", "http://courier.example:80/a/../Feed?b#c"},
		"a tag":                           {"tag:courier.example,2005:/news", "tag:courier.example,2005:/news"},
		"a tag of a person":               {"tag:jo@courier.example,2005-01:1", "tag:jo@courier.example,2005-01:1"},
		"a UUID":                          {"urn:uuid:60A76C80-d399-11d9-b93c-0003939e0af6", "urn:uuid:60A76C80-d399-11d9-b93c-0003939e0af6"},
		"another URN":                     {"urn:isbn:0451450523", "urn:isbn:0451450523"},
		"none":                            {"", own},
		"a relative one":                  {"/feed", own},
		"a name":                          {"courier", own},
		"a scheme that is not registered": {"yt:channel:UC1", own},
		"a script":                        {"javascript:alert(1)", own},
		"a UUID that is none":             {"urn:uuid:1", own},
		"a tag without a date":            {"tag:courier.example:1", own},
		"white space within":              {"https://courier.example/the feed", own},
		"another script":                  {"https://courier.example/خبر", own},
		"a broken escape":                 {"https://courier.example/%zz", own},
		"markup":                          {`https://courier.example/"><b>`, own},
		"a password":                      {"https://reader:secret@courier.example/", own},
		"longer than links may be":        {"https://courier.example/" + strings.Repeat("x", 9000), own},
	} {
		t.Run(name, func(t *testing.T) {
			status := feed("courier", "The Courier")
			status.State.DocumentID = tc.id
			src := &memory{
				stories: []aggregator.Story{story(item("courier", "note", 1, "cloud"))},
				feeds:   map[aggregator.FeedID]aggregator.FeedStatus{"courier": status},
			}
			checkAll(t, src)
			body := get(t, handler(t, src), "/all.atom").Body.String()
			_, source, _ := strings.Cut(body, "<source>")
			if !strings.Contains(source, "<id>"+tc.want+"</id>") {
				t.Errorf("the source's id is not %s:\n%s", tc.want, source)
			}
		})
	}
}
