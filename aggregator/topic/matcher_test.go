package topic_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

func newMatcher(t testing.TB, topics ...aggregator.Topic) *topic.Matcher {
	t.Helper()
	m, err := topic.NewMatcher(topics)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMatcher(t *testing.T) {
	m := newMatcher(t,
		aggregator.Topic{ID: "telecom", Query: "5g OR spectrum"},
		aggregator.Topic{ID: "cloud", Query: "cloud"},
		aggregator.Topic{ID: "data-protection", Query: `"data protection" OR title:privacy`},
		aggregator.Topic{ID: "daily", Query: "cloud", Feeds: []aggregator.FeedID{"karachi-akhbar", "business-daily"}},
		aggregator.Topic{ID: "weekly", Query: "cloud", Feeds: []aggregator.FeedID{"weekly"}},
		aggregator.Topic{ID: "all-english", Query: "lang:en"},
		aggregator.Topic{ID: "all-of-pakistan", Query: "lang:en-PK OR lang:ur"},
		aggregator.Topic{ID: "the-feed", Query: "feed:business* OR feed:other"},
		aggregator.Topic{ID: "the-feed-by-id", Query: "feed:business-daily -football"},
	)
	want := []aggregator.TopicID{"all-english", "all-of-pakistan", "cloud", "daily", "data-protection", "the-feed", "the-feed-by-id"}
	if diff := cmp.Diff(want, m.Match(office)); diff != "" {
		t.Errorf("topics of the item (-want +got):\n%s", diff)
	}
	if got := m.Match(&aggregator.Item{Title: "x"}); got != nil {
		t.Errorf("topics of an item about nothing: %v, want nil", got)
	}
	if diff := cmp.Diff(want, m.Match(office)); diff != "" {
		t.Errorf("topics of the item when asked again (-want +got):\n%s", diff)
	}
}

func TestMatcherWithoutTopics(t *testing.T) {
	if got := newMatcher(t).Match(office); got != nil {
		t.Errorf("topics: %v, want nil", got)
	}
}

func TestNewMatcherErrors(t *testing.T) {
	_, err := topic.NewMatcher([]aggregator.Topic{{ID: "good", Query: "a"}, {ID: "bad", Query: "a OR"}})
	var wrong *topic.SyntaxError
	if !errors.As(err, &wrong) || wrong.Offset() != 2 || !strings.Contains(err.Error(), `"bad"`) {
		t.Errorf("a bad query: %v, want a *SyntaxError at 2 and the topic's name", err)
	}
	_, err = topic.NewMatcher([]aggregator.Topic{{ID: "one", Query: "a"}, {ID: "two", Query: "b"}, {ID: "one", Query: "c"}})
	if err == nil || !strings.Contains(err.Error(), `"one"`) {
		t.Errorf("an id that is there twice: %v, want an error that names it", err)
	}
}

func TestRules(t *testing.T) {
	base := []aggregator.Topic{{ID: "a", Title: "A", Query: "x OR y"}, {ID: "b", Query: "z", Feeds: []aggregator.FeedID{"f", "g"}}}
	rules := newMatcher(t, base...).Rules()
	for name, tc := range map[string]struct {
		change func(topics []aggregator.Topic) []aggregator.Topic
		same   bool
	}{
		"the order of topics": {func(topics []aggregator.Topic) []aggregator.Topic { slices.Reverse(topics); return topics }, true},
		"a title":             {func(topics []aggregator.Topic) []aggregator.Topic { topics[0].Title = "B"; return topics }, true},
		"spaces in a query":   {func(topics []aggregator.Topic) []aggregator.Topic { topics[0].Query = "( x )\nOR y"; return topics }, true},
		"the order of feeds": {func(topics []aggregator.Topic) []aggregator.Topic {
			topics[1].Feeds = []aggregator.FeedID{"g", "f"}
			return topics
		}, true},
		"a query": {func(topics []aggregator.Topic) []aggregator.Topic { topics[0].Query = "x OR z"; return topics }, false},
		"an id":   {func(topics []aggregator.Topic) []aggregator.Topic { topics[0].ID = "c"; return topics }, false},
		"a feed": {func(topics []aggregator.Topic) []aggregator.Topic {
			topics[1].Feeds = topics[1].Feeds[:1]
			return topics
		}, false},
		"a topic less": {func(topics []aggregator.Topic) []aggregator.Topic {
			return topics[:1]
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := tc.change(slices.Clone(base))
			if got := newMatcher(t, changed...).Rules(); (got == rules) != tc.same {
				t.Errorf("rules %s after, %s before: same is %t, want %t", got, rules, got == rules, tc.same)
			}
			// Each topic has its own: one that is as before keeps them.
			matcher, before := newMatcher(t, changed...), newMatcher(t, base...)
			for _, topic := range changed {
				i := slices.IndexFunc(base, func(old aggregator.Topic) bool { return old.ID == topic.ID })
				kept := i >= 0 && (tc.same || reflect.DeepEqual(base[i], topic))
				if got := matcher.RulesOf(topic.ID); got.IsZero() || (got == before.RulesOf(topic.ID)) != kept {
					t.Errorf("rules of %q %s after, %s before, want the same: %t", topic.ID, got, before.RulesOf(topic.ID), kept)
				}
			}
		})
	}
}

// vocabulary is small, so that random queries match random items often.
var vocabulary = []string{
	"data", "protection", "cloud", "clouds", "c", "C++", ".net", "net", "#law", "law", "data-law", "l'école", "ecole", "Straße",
	"закон", "данные", "حماية", "البيانات", "ڈیٹا", "डेटा", "संरक्षण", "数据", "据保", "数据保护", "护", "クラウド", "개인", "개인정보", "ข้อมูล", "5G", "U.S.", "co",
}

func randomTerm(random *rand.Rand) string {
	word := func() string { return vocabulary[random.IntN(len(vocabulary))] }
	switch random.IntN(18) {
	case 0:
		return `"` + word() + " " + word() + `"`
	case 1:
		return `"` + word() + " " + word() + " " + word() + `"`
	case 2:
		return "title:" + word()
	case 3:
		return "category:" + word()
	case 4:
		return "feed:" + []string{"a", "ab", "b", "a*", "*"}[random.IntN(5)]
	case 5:
		return "lang:" + []string{"en", "en-GB", "ur"}[random.IntN(3)]
	case 6:
		return []string{"da", "clo", "c", "дан", "डे", "data pro", "net", "개"}[random.IntN(8)] + "*"
	case 7:
		return `"` + word() + ` pro* ` + word() + `"`
	case 8:
		return []string{"*tion", "pro*tion", "*oud*", "*rot*", "*سات*", "d*ata", "개*정보", "*정보", "*strasse", "*net"}[random.IntN(10)]
	case 9:
		return []string{"url:", "author:", ""}[random.IntN(3)] + []string{"cloud", "law", "example.org"}[random.IntN(3)]
	case 11:
		return "~" + []string{"", "en:", "de:"}[random.IntN(3)] + []string{"clouding", "protecting", "title:data", `"data protects"`, "écoles", "strassen", "개인정보"}[random.IntN(7)]
	case 10:
		return []string{"host:org", "host:a.example.org", "host:example.net", "published:2026-01..", "published:<2026-02", "published:2025"}[random.IntN(6)]
	}
	return word()
}

func randomQuery(random *rand.Rand, depth int) string {
	if depth == 0 || random.IntN(4) == 0 {
		return randomTerm(random)
	}
	a, b := randomQuery(random, depth-1), randomQuery(random, depth-1)
	switch random.IntN(9) {
	case 0, 1:
		return "(" + a + " OR " + b + ")"
	case 2:
		return a + " NOT (" + b + ")"
	case 3:
		return "NOT (" + a + ") " + b
	case 4:
		return "(" + a + ") -(" + b + ")"
	case 5:
		return fmt.Sprintf("%d of (%s, %s, %s)", 1+random.IntN(3), a, b, randomTerm(random))
	case 6:
		return randomNear(random, depth)
	case 7:
		return a + " NOT " + randomNear(random, depth)
	}
	return "(" + a + ") " + b
}

func randomNear(random *rand.Rand, depth int) string {
	side := func() string {
		if depth > 1 && random.IntN(3) == 0 {
			return "(" + randomNear(random, depth-1) + ")"
		}
		a, b := vocabulary[random.IntN(len(vocabulary))], vocabulary[random.IntN(len(vocabulary))]
		return []string{a, `"` + a + " " + b + `"`, "(" + a + " OR " + b + ")", "title:" + a, "da*", "*tion"}[random.IntN(6)]
	}
	return fmt.Sprintf("%s NEAR/%d %s", side(), 1+random.IntN(6), side())
}

func randomItem(random *rand.Rand) *aggregator.Item {
	text := func(most int) string {
		var b strings.Builder
		for range random.IntN(most) {
			b.WriteString(vocabulary[random.IntN(len(vocabulary))])
			b.WriteString([]string{" ", " ", " ", ", ", "-", "", " filler ", "<p>"}[random.IntN(8)])
		}
		return b.String()
	}
	return &aggregator.Item{
		Feed:     aggregator.FeedID([]string{"a", "ab", "abc", "B", ""}[random.IntN(5)]),
		Language: []string{"", "en", "en-gb", "fr", "ur-PK"}[random.IntN(5)],
		Title:    text(5), Summary: text(8), Content: text(25),
		Categories: []string{text(3), text(3)},
		URL:        []string{"", "https://a.example.org/law", "https://example.net/%"}[random.IntN(3)],
		Authors:    [][]aggregator.Author{nil, {{Name: "cloud law"}}, {{Name: "law"}, {Email: "a@example.org"}}}[random.IntN(3)],
		Published:  []time.Time{{}, time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}[random.IntN(3)],
	}
}

// The matcher goes by an index, a query on its own by walking its tree: they must say the same, also when the
// matcher is used by many at once.
func TestMatcherAgreesWithQueries(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	var topics []aggregator.Topic
	var queries []*topic.Query
	for len(topics) < 300 {
		query := randomQuery(random, random.IntN(4))
		q, err := topic.Parse(query)
		if err != nil {
			continue // what asks for nothing that must occur
		}
		added := aggregator.Topic{ID: aggregator.TopicID(fmt.Sprintf("t%04d", len(topics))), Query: query}
		if random.IntN(10) == 0 {
			added.Feeds = []aggregator.FeedID{"a", "B"}
		}
		topics, queries = append(topics, added), append(queries, q)
	}
	m := newMatcher(t, topics...)
	items := make([]*aggregator.Item, 80)
	for i := range items {
		items[i] = randomItem(random)
	}
	matched := 0
	var lock sync.Mutex
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := worker; i < len(items); i += 4 {
				var want []aggregator.TopicID
				for j, q := range queries {
					if (topics[j].Feeds == nil || slices.Contains(topics[j].Feeds, items[i].Feed)) && q.Match(items[i]) {
						want = append(want, topics[j].ID)
					}
				}
				if diff := cmp.Diff(want, m.Match(items[i])); diff != "" {
					t.Errorf("item %+v (-queries +matcher):\n%s", items[i], diff)
				}
				lock.Lock()
				matched += len(want)
				lock.Unlock()
			}
		})
	}
	wait.Wait()
	if share := float64(matched) / float64(len(items)*len(topics)); share < 0.05 || share > 0.95 {
		t.Errorf("%.0f %% of all pairs match: the test tells little", 100*share)
	}
}

// What a query says and what its explanation says must be the same.
func TestExplainAgreesWithMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for range 1500 {
		q, err := topic.Parse(randomQuery(random, random.IntN(4)))
		if err != nil {
			continue
		}
		item := randomItem(random)
		if matched, hits := q.Match(item), q.Explain(item); matched != (len(hits) > 0) {
			t.Fatalf("%s on %+v: match is %t, hits are %v", q, item, matched, hits)
		}
	}
}

// BenchmarkMatcher matches an item with more and more topics. Side by side they take turns, and each count's best turn is
// reported, so that what else the machine does is not counted: the last figure is how many times the cost of 10 topics that
// of 10,000 is.
func BenchmarkMatcher(b *testing.B) {
	words := newsWords()
	item := newsItem(words)
	counts := []int{10, 100, 1000, 10000}
	matchers := make([]*topic.Matcher, len(counts))
	for i, count := range counts {
		matchers[i] = newMatcher(b, benchTopics(count, words)...)
		b.Run(fmt.Sprintf("topics=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			found := 0
			for b.Loop() {
				found = len(matchers[i].Match(item))
			}
			b.ReportMetric(float64(found), "topics/item")
		})
	}
	b.Run("side-by-side", func(b *testing.B) {
		const items = 10
		best := make([]time.Duration, len(counts))
		for b.Loop() {
			for i, m := range matchers {
				start := time.Now()
				for range items {
					m.Match(item)
				}
				if took := time.Since(start); best[i] == 0 || took < best[i] {
					best[i] = took
				}
			}
		}
		b.ReportMetric(0, "ns/op")
		for i, count := range counts {
			b.ReportMetric(float64(best[i].Nanoseconds())/items, fmt.Sprintf("ns/%d-topics", count))
		}
		b.ReportMetric(float64(best[len(best)-1])/float64(best[0]), "times")
	})
}

func BenchmarkMatcherScripts(b *testing.B) {
	m := newMatcher(b, benchTopics(1000, newsWords())...)
	for name, text := range map[string]string{
		"english": "The cloud provider said on Monday that it would open an office. ", "french": "L’école a été protégée par la loi européenne. ",
		"urdu": "وزارت کے پاس ذاتی ڈیٹا کے تحفظ کا بل زیر غور ہے۔ ", "bengali": "তথ্য সুরক্ষা আইন নিয়ে নতুন করে আলোচনা চলছে। ",
		"chinese": "中国个人数据保护法草案正在审议之中，云计算服务商表示欢迎。", "korean": "정부는 클라우드를 도입하고 개인정보를 보호한다. ",
	} {
		b.Run(name, func(b *testing.B) {
			item := &aggregator.Item{Content: strings.Repeat(text, 1+2000/len(text))}
			b.SetBytes(int64(len(item.Content)))
			b.ReportAllocs()
			for b.Loop() {
				m.Match(item)
			}
		})
	}
}

func BenchmarkQueryMatch(b *testing.B) {
	q, err := topic.Parse(`"cloud computing" OR aws OR azure OR "data centre*" -football`)
	if err != nil {
		b.Fatal(err)
	}
	item := newsItem(newsWords())
	b.ReportAllocs()
	for b.Loop() {
		q.Match(item)
	}
}

// newsWords are made-up words whose shares fall like those of a language (Zipf's law): the first are in most texts.
func newsWords() []string {
	random := rand.New(rand.NewPCG(4, 4))
	syllables := strings.Fields("da ta clo ud pro tec tion law min is try of fice bill lo cal ne ws re port mar ket in ter na con su mer")
	words := make([]string, 30000)
	for i := range words {
		for range 1 + random.IntN(2) + i%5/2 {
			words[i] += syllables[random.IntN(len(syllables))]
		}
		words[i] += string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676%26)}[:min(3, 1+i/100)])
	}
	return words
}

// newsItem is one of 2 KB of HTML.
func newsItem(words []string) *aggregator.Item {
	random := rand.New(rand.NewPCG(5, 5))
	zipf := rand.NewZipf(random, 1.1, 3, uint64(len(words)-1))
	var b strings.Builder
	for b.Len() < 2048 {
		b.WriteString("<p>")
		for range 40 {
			b.WriteString(words[zipf.Uint64()] + " ")
		}
		b.WriteString("</p>")
	}
	return &aggregator.Item{Feed: "news", Language: "en", Title: strings.Join(words[500:508], " "), Content: b.String(), Categories: []string{"News"}}
}

// benchTopics are about rare things, as topics are: of 10,000, an item is in a few.
func benchTopics(count int, words []string) []aggregator.Topic {
	random := rand.New(rand.NewPCG(6, 6))
	word := func() string {
		word := words[3000+random.IntN(len(words)-3000)]
		if random.IntN(20) > 0 {
			word += "ing" // which no item has
		}
		return word
	}
	common := func() string { return words[50+random.IntN(1000)] }
	topics := make([]aggregator.Topic, count)
	for i := range topics {
		query := fmt.Sprintf(`%s OR "%s %s" OR (%s title:%s) OR %s* NOT (%s OR %s)`, word(), common(), word(), word(), common(), word(), common(), common())
		switch i % 5 { // in each, something rare has to be there
		case 1:
			query += fmt.Sprintf(" OR (%s OR %s) NEAR/5 (%s OR %s)", common(), common(), word(), word())
		case 2:
			query += fmt.Sprintf(" OR 2 of (%s, %s, %s)", common(), word(), word())
		case 3:
			query += fmt.Sprintf(" OR *%s OR host:%s.example.org", word(), word())
		}
		topics[i] = aggregator.Topic{ID: aggregator.TopicID(fmt.Sprintf("t%05d", i)), Query: query}
	}
	return topics
}
