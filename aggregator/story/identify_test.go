package story_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
	"github.com/topicwire/topicwire/aggregator/story"
)

const home = "https://example.org/"

// entry writes an item in short: guid, link, title and text.
func entry(guid, link, title, text string) aggregator.Item {
	return aggregator.Item{GUID: guid, URL: link, Title: title, Content: text}
}

func TestIdentifyIDs(t *testing.T) {
	guid := func(key string) aggregator.ItemID { return aggregator.NewItemID("f", "guid", key) }
	link := func(key string) aggregator.ItemID { return aggregator.NewItemID("f", "link", key) }
	page := func(key string) aggregator.StoryID { return aggregator.NewStoryID("url", key) }
	own := func(id aggregator.ItemID) aggregator.StoryID { return aggregator.NewStoryID("item", id.String()) }
	type identity struct {
		ID      aggregator.ItemID
		Aliases []aggregator.ItemID
		Story   aggregator.StoryID
	}
	for name, tc := range map[string]struct {
		item aggregator.Item
		want identity
	}{
		"guid and link": {
			entry("g", "https://www.example.org/a/?utm_source=x", "T", ""),
			identity{guid("g"), []aggregator.ItemID{link("example.org/a")}, page("example.org/a")},
		},
		"white space around a guid": {
			entry(" g\n", "https://example.org/a", "T", ""),
			identity{guid("g"), []aggregator.ItemID{link("example.org/a")}, page("example.org/a")},
		},
		"case and slashes of a guid count": {
			entry("HTTP://E.org/", "", "T", ""), identity{guid("HTTP://E.org/"), nil, own(guid("HTTP://E.org/"))},
		},
		"text with markup": {
			entry("g", "", "T", "<p>one</p>two &amp; three"), identity{guid("g"), nil, own(guid("g"))},
		},
		"link alone": {
			entry("", "http://example.org/a", "T", ""), identity{link("example.org/a"), nil, page("example.org/a")},
		},
		"the home page identifies nothing": {
			entry("g", "http://www.example.org", "T", ""), identity{guid("g"), nil, own(guid("g"))},
		},
		"nor does another site's front page": {
			entry("g", "https://other.example.org/?utm_source=x", "T", ""), identity{guid("g"), nil, own(guid("g"))},
		},
		"a front page with a query is a page": {
			entry("g", "https://example.org/?p=1", "T", ""),
			identity{guid("g"), []aggregator.ItemID{link("example.org?p=1")}, page("example.org?p=1")},
		},
		"a link that is no web address": {
			entry("g", "mailto:a@example.org", "T", ""), identity{guid("g"), nil, own(guid("g"))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			batch := story.Identify("f", home, []aggregator.Item{tc.item}, nil)
			if len(batch.Items) != 1 || len(batch.Repairs()) != 0 {
				t.Fatalf("got %d items, repairs %q; want 1 item, no repairs", len(batch.Items), batch.Repairs())
			}
			it := batch.Items[0]
			if diff := cmp.Diff(tc.want, identity{it.ID, it.Aliases, it.Story}); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if it.Feed != "f" || it.CanonicalURL != story.Canonical(tc.item.URL) || it.GUID != strings.TrimSpace(tc.item.GUID) {
				t.Errorf("item %+v: want its feed, canonical URL and trimmed guid set", it)
			}
			if it.Plain != markup.PlainText(it.Text()) {
				t.Errorf("plain text %q of %q", it.Plain, it.Text())
			}
		})
	}
}

func TestIdentifyDocument(t *testing.T) {
	for name, tc := range map[string]struct {
		items   []aggregator.Item
		kept    int
		stories int // told apart by Story
		repairs []string
	}{
		"all in order": {
			[]aggregator.Item{entry("1", "https://e.org/1", "A", ""), entry("2", "https://e.org/2", "B", "")}, 2, 2, nil,
		},
		"an item listed twice": {
			[]aggregator.Item{entry("1", "https://e.org/1", "A", "x"), entry("1", "https://e.org/1?utm_source=r", "A", "y")}, 1, 1,
			[]string{"1 item is listed twice: the first is kept"},
		},
		"one guid for different links": {
			[]aggregator.Item{entry("1", "https://e.org/1", "A", ""), entry("1", "https://e.org/2", "A", "")}, 2, 2,
			[]string{"2 items share their guid with others: told apart by link or text"},
		},
		"one guid and one link for different titles": {
			[]aggregator.Item{entry("1", "https://e.org/1", "A", ""), entry("1", "https://e.org/1", "B", "")}, 2, 2,
			[]string{"2 items share their guid with others: told apart by link or text"},
		},
		"one guid, one title and the home page for different texts": {
			[]aggregator.Item{entry("1", home, "A", "x"), entry("1", home, "A", "y"), entry("1", home, "A", "x")}, 2, 2,
			[]string{
				"1 item is listed twice: the first is kept",
				"2 items share their guid with others: told apart by link or text",
			},
		},
		"one link for different guids is nobody's story": {
			[]aggregator.Item{entry("1", "https://e.org/live", "A", ""), entry("2", "https://e.org/live", "A", "")}, 2, 2, nil,
		},
		"one link, no guids, different texts": {
			[]aggregator.Item{entry("", "https://e.org/live", "A", ""), entry("", "https://e.org/live", "B", "")}, 2, 2, nil,
		},
		"no guids, links that identify nothing, the same text": {
			[]aggregator.Item{entry("", home, "A", "x"), entry("", "https://other.org", "A", "x")}, 1, 1,
			[]string{"1 item is listed twice: the first is kept"},
		},
		"neither guid, link, title nor text, but different files": {
			[]aggregator.Item{
				{Enclosures: []aggregator.Enclosure{{URL: "https://e.org/1.mp3"}}},
				{Enclosures: []aggregator.Enclosure{{URL: "https://e.org/2.mp3"}}},
			}, 2, 2, nil,
		},
		"nothing at all": {nil, 0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			batch := story.Identify("f", home, tc.items, nil)
			ids, stories := map[aggregator.ItemID]bool{}, map[aggregator.StoryID]bool{}
			for _, it := range batch.Items {
				ids[it.ID], stories[it.Story] = true, true
			}
			if len(batch.Items) != tc.kept || len(ids) != tc.kept || len(stories) != tc.stories {
				t.Errorf("%d items, %d ids, %d stories; want %d, %d, %d",
					len(batch.Items), len(ids), len(stories), tc.kept, tc.kept, tc.stories)
			}
			if diff := cmp.Diff(tc.repairs, batch.Repairs()); diff != "" {
				t.Errorf("repairs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOneStoryInTwoFeeds(t *testing.T) {
	a := story.Identify("a", "https://a.example.org", []aggregator.Item{entry("1", "https://paper.example/story/?utm_medium=feed", "A", "")}, nil)
	b := story.Identify("b", "https://b.example.org", []aggregator.Item{entry("x", "http://m.paper.example/story", "B", "")}, nil)
	if a.Items[0].Story != b.Items[0].Story {
		t.Error("the same page in two feeds is two stories")
	}
	if a.Items[0].ID == b.Items[0].ID {
		t.Error("items of two feeds have the same id")
	}
}

func TestHashes(t *testing.T) {
	base := aggregator.Item{
		GUID: "g", URL: "https://e.org/1", Title: "A title", Summary: "s", Content: "<p>One  two</p>", Language: "en",
		Image: "https://e.org/i.png", Authors: []aggregator.Author{{Name: "N"}}, Categories: []string{"c"},
		Enclosures: []aggregator.Enclosure{{URL: "https://e.org/f", Type: "audio/mpeg", Length: 1}},
		Published:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for name, tc := range map[string]struct {
		change    func(*aggregator.Item)
		all, text bool // whether the hash changes
	}{
		"nothing":                     {func(*aggregator.Item) {}, false, false},
		"the zone of a date":          {func(it *aggregator.Item) { it.Published = it.Published.In(time.FixedZone("", 3600)) }, false, false},
		"what we know of it":          {func(it *aggregator.Item) { it.FirstSeen, it.Topics = time.Now(), []aggregator.TopicID{"t"} }, false, false},
		"guid":                        {func(it *aggregator.Item) { it.GUID = "h" }, true, false},
		"tracking in the link":        {func(it *aggregator.Item) { it.URL += "?utm_source=x" }, true, false},
		"published":                   {func(it *aggregator.Item) { it.Published = it.Published.Add(time.Second) }, true, false},
		"updated":                     {func(it *aggregator.Item) { it.Updated = it.Published }, true, false},
		"language":                    {func(it *aggregator.Item) { it.Language = "de" }, true, false},
		"image":                       {func(it *aggregator.Item) { it.Image = "" }, true, false},
		"an author":                   {func(it *aggregator.Item) { it.Authors = append(it.Authors, aggregator.Author{Name: "M"}) }, true, false},
		"a category":                  {func(it *aggregator.Item) { it.Categories = []string{"d"} }, true, false},
		"a file's length":             {func(it *aggregator.Item) { it.Enclosures = []aggregator.Enclosure{{URL: "https://e.org/f", Length: 2}} }, true, false},
		"the page with the comments":  {func(it *aggregator.Item) { it.Comments = "https://e.org/1#c" }, true, false},
		"how many comments there are": {func(it *aggregator.Item) { it.CommentCount++ }, false, false},
		"where it is from":            {func(it *aggregator.Item) { it.Source.Title = "Wire" }, true, false},
		"a recording's duration": {func(it *aggregator.Item) {
			it.Enclosures = []aggregator.Enclosure{{URL: "https://e.org/f", Type: "audio/mpeg", Length: 1, Duration: 1}}
		}, true, false},
		"a summary beside content": {func(it *aggregator.Item) { it.Summary = "t" }, true, false},
		"markup and white space":   {func(it *aggregator.Item) { it.Content = "<div>One two\n</div>" }, true, false},
		"white space of the title": {func(it *aggregator.Item) { it.Title = "A\n title" }, true, false},
		"the title":                {func(it *aggregator.Item) { it.Title = "Another" }, true, true},
		"the case of the title":    {func(it *aggregator.Item) { it.Title = "A Title" }, true, true},
		"the text":                 {func(it *aggregator.Item) { it.Content = "<p>One two three</p>" }, true, true},
		"words across the fields":  {func(it *aggregator.Item) { it.Title, it.Content = "A", "title One two" }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			it := base
			tc.change(&it)
			before, after := story.Identify("f", home, []aggregator.Item{base}, nil).Items[0], story.Identify("f", home, []aggregator.Item{it}, nil).Items[0]
			if changed := before.Hash != after.Hash; changed != tc.all {
				t.Errorf("Hash changed: %v, want %v", changed, tc.all)
			}
			if changed := before.TextHash != after.TextHash; changed != tc.text {
				t.Errorf("TextHash changed: %v, want %v", changed, tc.text)
			}
			if before.Hash.IsZero() || before.TextHash.IsZero() {
				t.Error("a hash was not set")
			}
		})
	}
}

// The order of a document says nothing of its items.
func TestIdentifyDoesNotDependOnOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		items := randomDocument(random)
		byItem := func(items []aggregator.Item) map[string]string {
			ids := map[string]string{}
			for _, it := range story.Identify("f", home, items, nil).Items {
				// What repeats are told by is left out of the name: any of them may be the one that is kept.
				ids[fmt.Sprint(it.ID)] = fmt.Sprint(it.Aliases, it.Story, it.GUID)
			}
			return ids
		}
		want := byItem(items)
		shuffled := slices.Clone(items)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(want, byItem(shuffled)); diff != "" {
			t.Fatalf("document %+v\nshuffled %+v\n(-want +got):\n%s", items, shuffled, diff)
		}
	}
}

// Titles that differ in white space alone are one title, whatever the white space.
func TestWhiteSpaceIsFolded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "word", " ", "  ", "\n", "\v", "\r", "\x1c", "é", "\u00a0", "\u0085", "\u3000", "\xff"}
	textHash := func(title string) aggregator.Hash {
		return story.Identify("f", home, []aggregator.Item{{GUID: "g", Title: title}}, nil).Items[0].TextHash
	}
	for range 5000 {
		title := ""
		for range random.IntN(6) {
			title += pieces[random.IntN(len(pieces))]
		}
		if folded := strings.Join(strings.Fields(title), " "); textHash(title) != textHash(folded) {
			t.Fatalf("the title %q is not that of %q", title, folded)
		}
	}
}

// randomDocument has few guids, links and texts, so that they collide in every way.
func randomDocument(random *rand.Rand) []aggregator.Item {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	items := make([]aggregator.Item, random.IntN(6))
	for i := range items {
		items[i] = entry(pick("", "g1", "g2", "g3"), pick("", home, "https://e.org/1", "https://e.org/2", "http://www.e.org/2/"),
			pick("", "A", "B"), pick("", "x", "y"))
	}
	return items
}

func TestLinkIdentifies(t *testing.T) {
	entry := func(guid, path string) aggregator.Item {
		return aggregator.Item{GUID: guid, URL: "http://a.test/" + path, Title: guid + path, Content: guid + path}
	}
	document := []aggregator.Item{
		entry("1", "page"), entry("", "other"), entry("2", "shared"), entry("3", "shared"), entry("4", ""), {GUID: "5", Title: "No link"},
	}
	items := story.Identify("a", "http://a.test/home", document, nil).Items
	for i, want := range []bool{true, true, false, false, false, false} {
		if got := story.LinkIdentifies(&items[i]); got != want {
			t.Errorf("the link %q of item %d identifies: %t", items[i].URL, i, got)
		}
	}
}
