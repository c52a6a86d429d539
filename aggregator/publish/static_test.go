package publish_test

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

var (
	href     = regexp.MustCompile(`href="([^"]*)"`)
	relative = regexp.MustCompile(`href="([a-z.]+[^":]*)"`)
)

// static writes the site and returns its files.
func static(t *testing.T, src publish.Source, change ...func(*publish.Options)) map[string]string {
	t.Helper()
	o := options()
	for _, c := range change {
		c(&o)
	}
	files := map[string]string{}
	err := publish.Static(t.Context(), src, o, func(name string, body []byte) error {
		if _, twice := files[name]; twice {
			t.Errorf("%s is written twice", name)
		}
		files[name] = string(body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// many is a topic with so many stories, and one without any.
func many(n int) *memory {
	src := &memory{version: aggregator.Version{Seq: uint64(n), Changed: noon}}
	for i := range n {
		src.stories = append(src.stories, story(item("a", fmt.Sprint(i), 300-i, "cloud")))
	}
	return src
}

func TestAStaticSiteIsWhole(t *testing.T) {
	src := gallery()
	files := static(t, src)
	for _, name := range []string{
		"index.html", "all/index.html", "all.atom", "topics/cloud/index.html", "topics/cloud.atom", "topics/cloud.rss", "topics/cloud.json",
		"topics/quiet/index.html", "status/index.html", "feeds/courier.atom", "feeds/courier.rss", "feeds/courier.json", "topics.opml", "style.css", "icon.svg",
		"stories/" + storyOf("https://courier.example/cloud-office") + "/index.html",
	} {
		if files[name] == "" {
			t.Errorf("no file %s", name)
		}
	}
	if diff := cmp.Diff(files, static(t, src, at(noon.AddDate(1, 0, 0)))); diff != "" {
		t.Errorf("the same store gives other bytes a year later:\n%s", diff)
	}
	for name, body := range files {
		if strings.HasSuffix(name, ".html") {
			checkLinks(t, files, name, body)
		}
	}
	checkAtom(t, "https://wire.example.org/topics/cloud.atom", []byte(files["topics/cloud.atom"]))
	if want := `href="https://wire.example.org/topics/cloud/index.html"`; !strings.Contains(files["topics/cloud.atom"], want) {
		t.Errorf("the feed does not lead to the page that is written: no %s", want)
	}
	if body := files["status/index.html"]; !strings.Contains(body, "as of <time datetime=\"2026-11-22T12:00:00Z\">") || strings.Contains(body, "?sort=") || strings.Contains(body, token) {
		t.Errorf("the feeds' health:\n%s", body)
	}
}

// checkLinks follows what a page leads to within the site.
func checkLinks(t *testing.T, files map[string]string, name, body string) {
	t.Helper()
	checkPage(t, []byte(relative.ReplaceAllString(body, `href="/$1"`)))
	inside := 0
	for _, m := range href.FindAllStringSubmatch(body, -1) {
		link, err := url.Parse(m[1])
		if err != nil || link.IsAbs() || strings.HasPrefix(m[1], "#") {
			continue
		}
		inside++
		if target := path.Join(path.Dir(name), link.Path); files[target] == "" {
			t.Errorf("%s leads to %s, which is not there", name, target)
		}
	}
	if inside < 6 || !strings.Contains(body, `<meta http-equiv="Content-Security-Policy"`) || strings.Contains(body, "<form") {
		t.Errorf("%s: %d links within the site:\n%s", name, inside, body)
	}
}

func TestPagesThatAreFullStayAsTheyAre(t *testing.T) {
	for n, want := range map[int]int{0: 0, 99: 0, 150: 2} {
		older := 0
		for name := range static(t, many(n)) {
			if ok, _ := path.Match("topics/cloud/*/index.html", name); ok {
				older++
			}
		}
		if older != want {
			t.Errorf("%d stories: %d older pages, want %d", n, older, want)
		}
	}
	before, after := static(t, many(230)), static(t, many(239))
	changed := 0
	for name, body := range before {
		if after[name] != body && strings.HasPrefix(name, "topics/cloud/") {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("new stories change %d pages of the topic, want the latest alone", changed)
	}
	// From the latest page back, every story is met once.
	seen := map[string]bool{}
	name, pages := "topics/cloud/index.html", 0
	for ; pages < 9; pages++ {
		for _, id := range all(articleID, before[name]) {
			if seen[id] {
				t.Errorf("%s has the story %s again", name, id)
			}
			seen[id] = true
		}
		m := olderLink.FindStringSubmatch(before[name])
		if m == nil {
			break
		}
		name = path.Join(path.Dir(name), m[1])
	}
	if len(seen) != 230 || pages != 3 {
		t.Errorf("%d stories on %d pages, want 230 on 4", len(seen), pages+1)
	}
}

func TestAStaticSiteUnderAPath(t *testing.T) {
	files := static(t, sample(), baseURL("https://example.org/wire/"))
	if want := `<link rel="canonical" href="https://example.org/wire/topics/cloud/index.html">`; !strings.Contains(files["topics/cloud/index.html"], want) {
		t.Errorf("no %s", want)
	}
	for name, body := range files {
		if strings.HasSuffix(name, ".html") {
			checkLinks(t, files, name, body)
		}
	}
}
