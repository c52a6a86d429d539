package pack_test

import (
	"crypto/sha256"
	"flag"
	"html"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
	"github.com/topicwire/topicwire/aggregator/topic/labelled"
	"github.com/topicwire/topicwire/aggregator/topic/pack"
	"github.com/topicwire/topicwire/aggregator/topic/stem"
)

// misses shows what single items come out wrong, of the half that queries are tuned on alone: who looks at those of the
// other half has spoilt it.
var misses = flag.Bool("misses", false, "show the items of tune.jsonl that packs get wrong")

// leastF1 is what each pack has to reach on the half that it was not tuned on.
const leastF1 = 0.95

func readLabelled(t testing.TB, name string) []labelled.Item {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	items, err := labelled.Read(f)
	if err != nil {
		t.Fatalf("testdata/%s: %v", name, err)
	}
	return items
}

// TestQuality measures the packs on both halves of the labelled items. With -v it prints the figures.
func TestQuality(t *testing.T) {
	packs := all(t)
	ids := make([]aggregator.TopicID, len(packs))
	for i, p := range packs {
		ids[i] = p.ID
	}
	matcher := newMatcher(t, packs)
	for _, half := range []string{"tune.jsonl", "held-out.jsonl"} {
		items := readLabelled(t, half)
		scores, mistakes := labelled.Measure(items, ids, matcher.Match)
		for i, s := range scores {
			t.Logf("%-14s  %-18s  of %2d: precision %.3f  recall %.3f  F1 %.3f",
				half, ids[i], s.Right+s.Missed, s.Precision(), s.Recall(), s.F1())
			if half == "held-out.jsonl" && s.F1() < leastF1 {
				t.Errorf("%s: F1 is %.3f on %s, want %.2f", ids[i], s.F1(), half, leastF1)
			}
		}
		if *misses && half == "tune.jsonl" {
			for _, m := range mistakes {
				t.Logf("%s: found is %t, labels are %v: %s", m.Topic, m.Found, items[m.Item].Topics, items[m.Item].Title)
			}
		}
	}
}

// drawn is what the halves were drawn with: the first byte of the SHA-256 of it and the title is even for the half to
// tune on.
const drawn = "topicwire packs, first draw\n"

func TestHalvesAreAsDrawn(t *testing.T) {
	titles := make(map[string]bool)
	known := make(map[aggregator.TopicID]int)
	for _, p := range all(t) {
		known[p.ID] = 0
	}
	languages := make(map[string]int)
	for half, want := range map[string]byte{"tune.jsonl": 0, "held-out.jsonl": 1} {
		for _, l := range readLabelled(t, half) {
			if got := sha256.Sum256([]byte(drawn + l.Title)); got[0]%2 != want {
				t.Errorf("%s is not the half that %q was drawn into", half, l.Title)
			}
			if titles[l.Title] {
				t.Errorf("%q is there twice", l.Title)
			}
			titles[l.Title] = true
			languages[l.Language]++
			for _, id := range l.Topics {
				if _, ok := known[id]; !ok {
					t.Errorf("%q is labelled %s, which is no pack", l.Title, id)
				}
				known[id]++
			}
		}
	}
	if len(titles) < 500 {
		t.Errorf("%d labelled items, want 500", len(titles))
	}
	for id, n := range known {
		if n < 50 {
			t.Errorf("%d items are labelled %s, want 50", n, id)
		}
	}
	for _, language := range []string{"en", "es", "fr", "de", "ar", "ur", "hi", "zh"} {
		if languages[language] < 50 {
			t.Errorf("%d items are in %s, want 50", languages[language], language)
		}
	}
}

func all(t testing.TB) []aggregator.Topic {
	t.Helper()
	packs, err := pack.All()
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

func newMatcher(t testing.TB, topics []aggregator.Topic) *topic.Matcher {
	t.Helper()
	matcher, err := topic.NewMatcher(topics)
	if err != nil {
		t.Fatal(err)
	}
	return matcher
}

// TestLanguages tells the languages of the labelled items by their texts, which are about as short as summaries are.
func TestLanguages(t *testing.T) {
	items := readLabelled(t, "tune.jsonl")
	told := 0
	for _, l := range items {
		switch got := stem.Language(l.Title + "\n" + l.Text); got {
		case l.Language:
			told++
		case "":
		default:
			t.Errorf("the language of %q is told as %s, want %s", l.Title, got, l.Language)
		}
	}
	if t.Logf("%d of %d are told", told, len(items)); told < len(items)*9/10 {
		t.Errorf("the language of %d of %d is told, want nine tenths", told, len(items))
	}
}

// TestLongArticles joins stories that a pack does not find, of the half to tune on, into long articles, which it should not find
// either: the more an article talks of, the more often words meet that have nothing to do with each other.
func TestLongArticles(t *testing.T) {
	const articles, paragraphs = 25, 12
	items := readLabelled(t, "tune.jsonl")
	random := rand.New(rand.NewPCG(8, 8))
	for _, p := range all(t) {
		matcher := newMatcher(t, []aggregator.Topic{p})
		others := make(map[string][]string) // by language
		for _, l := range items {
			if len(matcher.Match(l.Item())) == 0 {
				others[l.Language] = append(others[l.Language], "<p>"+html.EscapeString(l.Title+". "+l.Text)+"</p>")
			}
		}
		for _, language := range slices.Sorted(maps.Keys(others)) {
			stories, wrong := others[language], 0
			for range articles {
				article := aggregator.Item{Title: "...", Language: language}
				for range paragraphs {
					article.Content += stories[random.IntN(len(stories))]
				}
				wrong += len(matcher.Match(&article))
			}
			t.Logf("%-18s  %s  finds %2d of %d articles of %d stories of which it finds none", p.ID, language, wrong, articles, paragraphs)
			if wrong > articles/10 {
				t.Errorf("%s finds %d of %d articles in %s that are not about it", p.ID, wrong, articles, language)
			}
		}
	}
}
