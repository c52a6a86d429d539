package publish_test

import (
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mmcdole/gofeed"
)

// read is what a reader shows of an entry.
type read struct {
	ID, Title, Link, Content string
	Published                time.Time
	Author                   string
	Categories               []string
	// File is the first enclosed file, Picture the entry's own.
	File, Picture string
}

// reader is a program or a library that people read feeds with.
type reader struct {
	formats []string
	read    func(t *testing.T, body string) []read
	// authors are what it makes of the two of the first entry, by format: few readers show more than one.
	authors map[string]string
	// lacks are the fields that it does not have.
	lacks []string
}

var readers = map[string]reader{
	"gofeed": {
		formats: []string{"atom", "rss", "json"}, read: readByGofeed,
		authors: map[string]string{"atom": "Amna Khan", "rss": "Amna Khan", "json": "Amna Khan"},
	},
	"feedparser": {
		formats: []string{"atom", "rss"}, read: readByFeedparser, authors: map[string]string{"atom": "Jo Bell", "rss": "Amna Khan"},
	},
	"sfeed": {
		formats: []string{"atom", "rss"}, read: readBySfeed, authors: map[string]string{"atom": "Amna Khan", "rss": "Amna Khan"},
		lacks: []string{"Picture"},
	},
	"newsboat": {
		formats: []string{"atom", "rss"}, read: readByNewsboat, authors: map[string]string{"atom": "Amna Khan, Jo Bell", "rss": "Jo Bell"},
		lacks: []string{"Picture", "Categories"},
	},
}

// Every reader reads every format that it knows, and the same in each.
func TestReadersReadAllFormatsAlike(t *testing.T) {
	h := handler(t, sample())
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			for _, format := range reader.formats {
				got := reader.read(t, get(t, h, "/topics/cloud."+format).Body.String())
				slices.SortFunc(got, func(a, b read) int { return b.Published.Compare(a.Published) })
				for i := range got {
					// RSS does not say whether a title is text or HTML. What could be taken for markup is escaped; these show that.
					if format == "rss" {
						got[i].Title = html.UnescapeString(got[i].Title)
					}
					if got[i].Content == "" || strings.Contains(got[i].Content, "script") {
						t.Errorf("%s: content %q", format, got[i].Content)
					}
				}
				want := sampleAsRead()
				want[0].Author = reader.authors[format]
				if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(read{}, append(reader.lacks, "Content")...)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", format, diff)
				}
			}
		})
	}
}

// sampleAsRead is what readers show of the sample's first topic.
func sampleAsRead() []read {
	const tag = "tag:wire.example.org,2026-11-01:story/"
	note := sample().stories[3].ID.String()
	return []read{{
		ID: tag + storyOf("https://courier.example/cloud-office"), Link: "https://courier.example/cloud-office",
		Title:     "Provider to open Karachi office & data centre as <localisation> bill nears",
		Published: noon.Add(-time.Hour), Categories: []string{"Cloud", "Pakistan", "R&D"},
		File: "https://courier.example/talk.mp3", Picture: "https://courier.example/a.jpg",
	}, {
		ID: tag + note, Link: "https://wire.example.org/topics/cloud#story-" + note, Author: "bare",
		Title: "A short note that has neither a title nor a page of its own.", Published: noon.Add(-30 * time.Hour),
	}}
}

func readByGofeed(t *testing.T, body string) (entries []read) {
	t.Helper()
	feed, err := gofeed.NewParser().ParseString(body)
	if err != nil {
		t.Fatal(err)
	}
	if feed.Title != "Cloud computing" || feed.Link != "https://wire.example.org/topics/cloud" {
		t.Errorf("feed %q at %q", feed.Title, feed.Link)
	}
	for _, it := range feed.Items {
		r := read{ID: it.GUID, Title: it.Title, Link: it.Link, Content: it.Content, Published: it.PublishedParsed.UTC(), Categories: it.Categories}
		if len(it.Authors) > 0 {
			r.Author = it.Authors[0].Name
		}
		if len(it.Enclosures) > 0 {
			r.File = it.Enclosures[0].URL
		}
		if thumbnails := it.Extensions["media"]["thumbnail"]; len(thumbnails) > 0 {
			r.Picture = thumbnails[0].Attrs["url"]
		} else if it.Image != nil {
			r.Picture = it.Image.URL
		}
		entries = append(entries, r)
	}
	return entries
}

// python is the system's, for which its packages are.
const python = "/usr/bin/python3"

// run gives a program its input and gives what it says.
func run(t *testing.T, input string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "HOME="+t.TempDir(), "TERM=dumb")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, errorOutput(err))
	}
	return out
}

func errorOutput(err error) []byte {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.Stderr
	}
	return nil
}

func readByFeedparser(t *testing.T, body string) []read {
	t.Helper()
	_, err := os.Stat("/usr/lib/python3/dist-packages/feedparser")
	wantTool(t, err)
	out := run(t, body, python, "-c", `
import calendar, feedparser, json, sys
feed = feedparser.parse(sys.stdin.buffer.read())
assert not feed.bozo, feed.bozo_exception
assert feed.feed.title == "Cloud computing", feed.feed.title
print(json.dumps([{
  "ID": e.id, "Title": e.title, "Link": e.link, "Content": e.content[0].value, "Author": e.author_detail.name,
  "Unix": calendar.timegm(e.published_parsed), "Categories": [c.term for c in e.get("tags", [])],
  "File": e.enclosures[0].href if e.enclosures else "", "Picture": e.media_thumbnail[0]["url"] if "media_thumbnail" in e else "",
} for e in feed.entries]))`)
	return decodeRead(t, out)
}

// decodeRead reads the entries that a script wrote as JSON.
func decodeRead(t *testing.T, out []byte) (entries []read) {
	t.Helper()
	var rows []struct {
		read
		Unix int64
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, r := range rows {
		r.Published = time.Unix(r.Unix, 0).UTC()
		if len(r.Categories) == 0 {
			r.Categories = nil
		}
		entries = append(entries, r.read)
	}
	return entries
}

func readBySfeed(t *testing.T, body string) (entries []read) {
	t.Helper()
	sfeed, err := exec.LookPath("sfeed")
	wantTool(t, err)
	for line := range strings.Lines(string(run(t, body, sfeed, "https://wire.example.org/"))) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		seconds, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil || len(f) < 9 {
			t.Fatalf("line %q", line)
		}
		r := read{Published: time.Unix(seconds, 0).UTC(), Title: f[1], Link: f[2], Content: f[3], ID: f[5], Author: f[6], File: f[7]}
		if f[8] != "" {
			r.Categories = strings.Split(f[8], "|")
		}
		entries = append(entries, r)
	}
	return entries
}

func readByNewsboat(t *testing.T, body string) []read {
	t.Helper()
	newsboat, err := exec.LookPath("newsboat")
	wantTool(t, err)
	_, err = os.Stat(python)
	wantTool(t, err)
	mediaType := rssOrAtom(body)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	dir := t.TempDir()
	urls, cache := filepath.Join(dir, "urls"), filepath.Join(dir, "cache.db")
	if err := os.WriteFile(urls, []byte(server.URL+"/feed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", newsboat, "-u", urls, "-c", cache, "-C", os.DevNull, "-x", "reload")
	out := run(t, "", python, "-c", `
import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("select guid, title, url, content, author, pubDate, enclosure_url from rss_item")
print(json.dumps([dict(zip(["ID", "Title", "Link", "Content", "Author", "Unix", "File"], row)) for row in rows]))`, cache)
	return decodeRead(t, out)
}

func rssOrAtom(body string) string {
	return cmp.Or(map[bool]string{true: "application/rss+xml"}[strings.Contains(body, "<rss")], "application/atom+xml")
}
