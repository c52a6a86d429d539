package publish_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/publish"
)

// memory is a source that holds what a test puts in.
type memory struct {
	stories []aggregator.Story
	feeds   map[aggregator.FeedID]aggregator.FeedStatus
	version aggregator.Version
	// revisions are the earlier texts of items.
	revisions map[aggregator.ItemID][]aggregator.Revision
	refiling  aggregator.Refiling
	err       error
	// reads counts the lists that were asked for.
	reads atomic.Int64
	// gate, when set, is waited for before a list begins.
	gate chan struct{}
}

func (m *memory) Stories(ctx context.Context, q aggregator.StoryQuery) iter.Seq2[aggregator.Story, error] {
	return func(yield func(aggregator.Story, error) bool) {
		m.reads.Add(1)
		if m.gate != nil {
			select {
			case <-m.gate:
			case <-ctx.Done():
			}
		}
		if m.err != nil {
			yield(aggregator.Story{}, m.err)
			return
		}
		list := slices.DeleteFunc(slices.Clone(m.stories), func(s aggregator.Story) bool {
			return q.Topic != aggregator.AllTopics && !slices.ContainsFunc(s.Items, func(it aggregator.Item) bool {
				return slices.Contains(it.Topics, q.Topic)
			})
		})
		slices.SortStableFunc(list, func(a, b aggregator.Story) int {
			return cmp.Or(b.Items[0].OrderTime.Compare(a.Items[0].OrderTime), slices.Compare(a.ID[:], b.ID[:]))
		})
		n := 0
		for _, s := range list {
			place := aggregator.StoryPlace{Time: s.Items[0].OrderTime, Story: s.ID}
			if !q.Behind.IsZero() && !q.Behind.Before(place) {
				continue
			}
			if q.Limit > 0 && n == q.Limit || !yield(s, nil) {
				return
			}
			n++
		}
	}
}

func (m *memory) Story(_ context.Context, id aggregator.StoryID) (aggregator.Story, error) {
	for _, s := range m.stories {
		if s.ID == id {
			return s, m.err
		}
	}
	return aggregator.Story{}, cmp.Or(m.err, fmt.Errorf("story %v: %w", id, aggregator.ErrNotFound))
}

func (m *memory) Revisions(_ context.Context, id aggregator.ItemID) ([]aggregator.Revision, error) {
	return m.revisions[id], m.err
}

func (m *memory) Volume(_ context.Context, q aggregator.VolumeQuery) ([]aggregator.DayVolume, error) {
	since, until := q.Days()
	counts := map[aggregator.DayVolume]int{}
	for _, s := range m.stories {
		for _, it := range s.Items {
			day := it.Published.UTC().Truncate(24 * time.Hour)
			if (q.Topic == aggregator.AllTopics || slices.Contains(it.Topics, q.Topic)) && !day.Before(since) && day.Before(until) {
				counts[aggregator.DayVolume{Day: day, Feed: it.Feed}]++
			}
		}
	}
	var volume []aggregator.DayVolume
	for v, n := range counts {
		v.Items = n
		volume = append(volume, v)
	}
	slices.SortFunc(volume, func(a, b aggregator.DayVolume) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Feed, b.Feed))
	})
	return volume, m.err
}

func (m *memory) Feeds(context.Context) iter.Seq2[aggregator.FeedStatus, error] {
	return func(yield func(aggregator.FeedStatus, error) bool) {
		if m.err != nil {
			yield(aggregator.FeedStatus{}, m.err)
			return
		}
		for _, id := range slices.Sorted(maps.Keys(m.feeds)) {
			if !yield(m.feeds[id], nil) {
				return
			}
		}
	}
}

func (m *memory) Refiling(context.Context) (aggregator.Refiling, error) { return m.refiling, m.err }

func (m *memory) Version(context.Context, aggregator.TopicID) (aggregator.Version, error) {
	return m.version, m.err
}

func (m *memory) Feed(_ context.Context, id aggregator.FeedID) (aggregator.FeedStatus, error) {
	if f, ok := m.feeds[id]; ok {
		return f, nil
	}
	return aggregator.FeedStatus{}, fmt.Errorf("feed %q: %w", id, aggregator.ErrNotFound)
}

func (m *memory) LatestItems(_ context.Context, id aggregator.FeedID, limit int) (items []aggregator.Item, err error) {
	m.reads.Add(1)
	for _, s := range m.stories {
		for _, it := range s.Items {
			if it.Feed == id && len(items) < limit {
				items = append(items, it)
			}
		}
	}
	return items, m.err
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func topics() []aggregator.Topic {
	return []aggregator.Topic{
		{ID: "cloud", Title: "Cloud computing", Description: "Who runs the machines, where they stand, and what that costs."},
		{ID: "data-protection", Title: "Data protection", Description: "Bills, rulings and fines on personal data."},
		{ID: "quiet", Title: "A quiet topic"},
	}
}

func options() publish.Options {
	return publish.Options{
		BaseURL: "https://wire.example.org", Authority: "wire.example.org,2026-11-01", Title: "The Wire",
		Topics: topics(), Generator: "topicwire", Version: "1.2.3", MinAge: time.Minute, MaxAge: 5 * time.Minute,
	}
}

// item is a plain item of a feed, at that many hours before noon.
func item(feed aggregator.FeedID, key string, hours int, topics ...aggregator.TopicID) aggregator.Item {
	at := noon.Add(-time.Duration(hours) * time.Hour)
	return aggregator.Item{
		ID: aggregator.NewItemID(feed, "guid", key), Feed: feed, Revision: 1, GUID: key,
		URL: "https://" + string(feed) + ".example/" + key, Title: "Title of " + key,
		Content: "<p>Text of " + key + ".</p>", Language: "en",
		Published: at, DateSource: aggregator.DateFromFeed, FirstSeen: at.Add(10 * time.Minute), Revised: at, OrderTime: at,
		Topics: topics,
	}
}

func story(items ...aggregator.Item) aggregator.Story {
	return aggregator.Story{ID: aggregator.NewStoryID("item", items[0].ID.String()), Items: items}
}

func feed(id aggregator.FeedID, title string) aggregator.FeedStatus {
	return aggregator.FeedStatus{
		Feed:   aggregator.Feed{ID: id, URL: "https://reader:secret@" + string(id) + ".example/feed.xml"},
		State:  aggregator.FeedState{Title: title, Link: "https://" + string(id) + ".example/"},
		Active: true,
	}
}

// sample is a small wire with a bit of everything that real feeds bring.
func sample() *memory {
	pakistan := item("courier", "cloud-office", 1, "cloud", "data-protection")
	pakistan.Title = "Provider to open Karachi office & data centre as <localisation> bill nears"
	pakistan.Summary = "The move comes while a bill that would keep personal data in the country is before the ministry."
	pakistan.Content = `<p>The company said it would <b>hire 200</b>.</p><img src="https://courier.example/a.jpg" width=640 alt="The &quot;tower&quot;">` +
		`<img src="https://stats.example/pixel.gif" width="1" height="1"><script>alert(1)</script><ul><li>one<li>two</ul><div>An unclosed part`
	pakistan.Authors = []aggregator.Author{{Name: "Amna Khan", Email: "amna@courier.example", URL: "https://courier.example/amna"}, {Name: "Jo Bell"}}
	pakistan.Categories = []string{"Cloud", "Pakistan", "cloud", " ", "R&D"}
	pakistan.Image = "https://courier.example/a.jpg"
	pakistan.Enclosures = []aggregator.Enclosure{
		{URL: "https://courier.example/talk.mp3", Type: "audio/mpeg", Length: 12345678, Duration: 20*time.Minute + 34*time.Second},
		{URL: "https://courier.example/talk.bin"},
	}
	pakistan.Comments, pakistan.CommentCount = "https://courier.example/cloud-office#comments", 17
	pakistan.Revision = 2
	pakistan.Revised = noon

	agency := item("agency", "4711", 2, "cloud")
	agency.URL = pakistan.URL
	agency.Title = "Cloud firm comes to Karachi"

	urdu := item("urdu", "bill", 5, "data-protection")
	urdu.Title = "ذاتی ڈیٹا کے تحفظ کا بل وزارت میں"
	urdu.Content = `<p dir="rtl">بل کے مطابق شہریوں کا ڈیٹا ملک میں رہے گا۔</p>`
	urdu.Language = "ur-PK"

	bare := item("bare", "note", 30, "cloud")
	bare.URL, bare.Title, bare.Language = "", "", ""
	bare.Content = "A short note that has neither a title nor a page of its own."
	bare.DateSource = aggregator.DateFromFirstSeen

	second := item("agency", "second", 4, "data-protection")
	second.Title = "Regulator fines broker"

	courier := feed("courier", "The Courier")
	courier.State.Rights = "© 2026 Courier & Sons <all rights reserved>"

	lost := feed("lost", "The Lost Gazette")
	lost.State.LastPoll = aggregator.PollRecord{
		At: noon, Outcome: aggregator.OutcomeFailed, Status: 404, Error: "get https://lost.example/feed.xml: not found (404): look for the feed's new URL",
	}
	lost.State.Failures, lost.State.Items, lost.State.Due = 3, 1200, noon.Add(4*time.Hour)
	for i := range 5 {
		lost.State.History = lost.State.History.Add(aggregator.PollRecord{
			At: noon.Add(time.Duration(i-4) * time.Hour), New: 1 - i, Outcome: []aggregator.Outcome{
				aggregator.OutcomeStored, aggregator.OutcomeNotModified, aggregator.OutcomeFailed, aggregator.OutcomeFailed, aggregator.OutcomeFailed,
			}[i],
		})
	}
	hush := feed("hush", "A private letter")
	hush.Feed.Private, hush.Feed.URL = true, "https://hush.example/s3cr3t-t0ken/feed"
	hush.State.LastPoll = aggregator.PollRecord{
		At: noon, Outcome: aggregator.OutcomeFailed, Status: 403, Error: "get https://hush.example/s3cr3t-t0ken/feed: refused (403)",
	}

	return &memory{
		stories: []aggregator.Story{
			{ID: aggregator.NewStoryID("url", pakistan.URL), Items: []aggregator.Item{pakistan, agency}},
			story(urdu), story(second), story(bare),
		},
		feeds: map[aggregator.FeedID]aggregator.FeedStatus{
			"courier": courier, "agency": feed("agency", "News & Agency"),
			"urdu": feed("urdu", "روزنامہ خبر"), "lost": lost, "hush": hush, "new": {Feed: aggregator.Feed{ID: "new"}, Active: true},
		},
		revisions: map[aggregator.ItemID][]aggregator.Revision{pakistan.ID: {{
			Item: pakistan.ID, Number: 1, From: noon.Add(-time.Hour), Title: "Provider to open Karachi office as bill nears",
			Content: "<p>The company said it would <b>hire 100</b>.</p>",
		}}},
		version: aggregator.Version{Seq: 9, Changed: noon.Add(90*time.Second + 5)},
	}
}

// storyOf is the id of the sample's story with that link.
func storyOf(url string) string { return aggregator.NewStoryID("url", url).String() }

func at(now time.Time) func(*publish.Options) {
	return func(o *publish.Options) { o.Now = func() time.Time { return now } }
}

// searchable gives the pages a search by a language of its own: an item matches a query that its title holds, and a
// bracket is a mistake.
func searchable(o *publish.Options) {
	o.ParseQuery = func(query string) (publish.Search, error) {
		if i := strings.IndexAny(query, "()"); i >= 0 {
			return nil, misplaced(i)
		}
		return func() (func(*aggregator.Item) bool, error) {
			return func(it *aggregator.Item) bool { return strings.Contains(strings.ToLower(it.Title), query) }, nil
		}, nil
	}
}

// misplaced is a mistake at a place in a query.
type misplaced int

func (m misplaced) Error() string { return "no brackets; leave it out" }
func (m misplaced) Offset() int   { return int(m) }

func handler(t testing.TB, src publish.Source, change ...func(*publish.Options)) http.Handler {
	t.Helper()
	o := options()
	for _, c := range change {
		c(&o)
	}
	h, err := publish.New(src, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// get answers a GET of the path; header holds pairs.
func get(t testing.TB, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return do(t, h, http.MethodGet, path, header...)
}

func do(t testing.TB, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), "ZgotmplZ") {
		t.Errorf("%s has something where a link belongs that is none", path)
	}
	return w
}
