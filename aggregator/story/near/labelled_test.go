package near_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/markup"
)

// An article of testdata/articles.jsonl.
type article struct {
	Language      string   `json:"language"`
	Title         string   `json:"title"`
	Headline      string   `json:"headline"`
	Text          []string `json:"text"`
	FollowupTitle string   `json:"followup_title"`
	Followup      []string `json:"followup"`
}

// labelled is an item with the report that it carries: two items are one story where their reports are the same.
type labelled struct {
	item   aggregator.Item
	report string
	kind   string
}

var found = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// source is what copies are made of.
type source struct {
	name, title, headline, language string
	paragraphs                      []string
}

func (s source) words() int { return len(strings.Fields(strings.Join(s.paragraphs, " "))) }

// edits are how an outlet makes its copy of a report; each has its outlet's feed.
var edits = []struct {
	name string
	edit func(r *rand.Rand, s *source)
}{
	{"none", func(*rand.Rand, *source) {}},
	{"re-title", func(_ *rand.Rand, s *source) { s.title = s.headline }},
	{"truncate", func(r *rand.Rand, s *source) { truncate(r, s) }},
	{"re-title and truncate", func(r *rand.Rand, s *source) { s.title = s.headline; truncate(r, s) }},
	{"boilerplate", func(_ *rand.Rand, s *source) { addBoilerplate(s) }},
	{"re-title and boilerplate", func(_ *rand.Rand, s *source) { s.title = s.headline; addBoilerplate(s) }},
	{"reorder", func(r *rand.Rand, s *source) { reorder(r, s) }},
	{"typo", func(r *rand.Rand, s *source) { mistype(r, s) }},
}

// truncate keeps the beginning: half of the words to four fifths of them, and as many as can be compared.
func truncate(r *rand.Rand, s *source) {
	words := strings.Fields(strings.Join(s.paragraphs, " "))
	keep := max(55, len(words)*(50+r.IntN(30))/100)
	if keep < len(words) {
		words = append(words[:keep:keep], "[...]")
	}
	s.paragraphs = []string{strings.Join(words, " ")}
}

func addBoilerplate(s *source) {
	s.paragraphs[0] = "THE HARBOUR COURIER, Tuesday – " + s.paragraphs[0]
	s.paragraphs = append(s.paragraphs,
		"The Harbour Courier is made by its readers. Become a member from three coins a month, and find our letters, our podcasts and the archive of all issues in one place. Write to the desk when you know more about this than we do.")
}

// reorder moves a paragraph that is not the first behind another.
func reorder(r *rand.Rand, s *source) {
	if n := len(s.paragraphs); n > 2 {
		i := 1 + r.IntN(n-2)
		s.paragraphs[i], s.paragraphs[i+1] = s.paragraphs[i+1], s.paragraphs[i]
	}
}

// mistype changes two words of a hundred, and always one: two letters change places.
func mistype(r *rand.Rand, s *source) {
	for n := max(1, s.words()/50); n > 0; n-- {
		p := r.IntN(len(s.paragraphs))
		words := strings.Fields(s.paragraphs[p])
		if len(words) == 0 {
			continue
		}
		w := []rune(words[r.IntN(len(words))])
		if len(w) > 3 && !strings.ContainsAny(string(w), "0123456789") {
			for i := range words {
				if words[i] == string(w) {
					w[1], w[2] = w[2], w[1]
					words[i] = string(w)
					break
				}
			}
			s.paragraphs[p] = strings.Join(words, " ")
		}
	}
}

// copies are the source as it is and as each edit makes it.
func copies(s source) []labelled {
	var all []labelled
	for _, e := range edits {
		edited := s
		edited.paragraphs = append([]string(nil), s.paragraphs...)
		e.edit(random(s.name+e.name), &edited)
		all = append(all, label(edited, s.name, e.name, "outlet "+e.name))
	}
	return all
}

// otherNumbers is the next report of the same kind: the same words with other numbers. ok is false where the beginning, which
// a copy that is cut has too, has no number to tell the two by.
func otherNumbers(s source) (l labelled, ok bool) {
	start := strings.Fields(strings.Join(s.paragraphs, " "))
	ok = strings.ContainsAny(strings.Join(start[:min(50, len(start))], " "), "0123456789")
	shift := func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+3)%10
		}
		return r
	}
	next := s
	next.paragraphs = nil
	for _, p := range s.paragraphs {
		words := strings.Fields(p)
		for i, w := range words {
			if !strings.ContainsAny(w, "&") { // no entities
				words[i] = strings.Map(shift, w)
			}
		}
		next.paragraphs = append(next.paragraphs, strings.Join(words, " "))
	}
	return label(next, s.name+" with other numbers", "other numbers", "outlet numbers"), ok
}

// below is a report above what is left of another one: words that say nothing, since what they are taken from is a report
// too, then half of the other's.
func below(s, other source) labelled {
	words := strings.Fields(strings.Join(other.paragraphs, " "))
	random(s.name).Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	f := s
	f.title = other.title
	old := strings.Fields(strings.Join(s.paragraphs, " "))
	f.paragraphs = []string{strings.Join(words[:min(60, len(words))], " "), strings.Join(old[len(old)/2:], " ")}
	return label(f, s.name+" quoted below "+other.name, "quoted below", "outlet quoting")
}

func random(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), 7))
}

func label(s source, report, kind, feed string) labelled {
	return labelled{report: report, kind: kind, item: aggregator.Item{
		ID: aggregator.NewItemID(aggregator.FeedID(feed), "test", s.name+kind), Feed: aggregator.FeedID(feed),
		Title: s.title, Language: s.language, Content: "<p>" + strings.Join(s.paragraphs, "</p>\n<p>") + "</p>", FirstSeen: found,
	}}
}

// written are the articles of testdata with their copies and their follow-ups. A follow-up quotes two or three of the
// report's paragraphs, or all of them; what is told from the other one is a report of its own.
func written(t testing.TB) []labelled {
	t.Helper()
	data, err := os.ReadFile("testdata/articles.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []labelled
	for decoder := json.NewDecoder(bytes.NewReader(data)); decoder.More(); {
		var a article
		if err := decoder.Decode(&a); err != nil {
			t.Fatal(err)
		}
		s := source{name: a.Title, title: a.Title, headline: a.Headline, language: a.Language, paragraphs: a.Text}
		all = append(all, copies(s)...)
		if l, ok := otherNumbers(s); ok {
			all = append(all, l)
		}
		for quoted := 2; quoted <= len(a.Text); quoted++ {
			f := s
			f.name, f.title = fmt.Sprint(a.FollowupTitle, quoted), a.FollowupTitle
			f.paragraphs = append(append([]string(nil), a.Followup...), a.Text[len(a.Text)-quoted:]...)
			// The same follow-up with more or less of the background below it is one report.
			all = append(all, label(f, a.FollowupTitle, "follow-up", fmt.Sprint("outlet follow-up ", quoted)))
		}
	}
	return all
}

// templated are posts that repeat most of their words and are each a report of its own: numbers seeds them.
func templated(seed string) []labelled {
	var all []labelled
	add := func(kind, feed string, n int, title string, paragraphs ...string) {
		s := source{name: fmt.Sprint(kind, seed, n), title: title, paragraphs: paragraphs, language: "en"}
		all = append(all, label(s, s.name, kind, feed))
	}
	r := random(seed)
	for n := range 8 {
		add("release notes", "releases "+seed, n, fmt.Sprintf("Kettle 4.%d.%d released", n/3, n%3),
			fmt.Sprintf("We are happy to announce Kettle 4.%d.%d, the %d. release of this year. It mends %d errors and brings %d small improvements to the scheduler and to the log. Thanks to all %d people who sent changes, tested the candidates and wrote the manual.",
				n/3, n%3, n+3, 5+r.IntN(60), 2+r.IntN(9), 10+r.IntN(40)),
			fmt.Sprintf("Packages for all systems are on the usual servers; their sums are signed with key %08X. Whoever comes from a version before 4.0 reads the notes on upgrading first, makes a copy of the data, and runs the check with the new program before the service is started again.", r.Uint32()))
		add("price list", "market "+seed, n, "Prices at the wholesale market",
			fmt.Sprintf("Tomatoes %d.%02d, onions %d.%02d, potatoes %d.%02d, carrots %d.%02d, apples %d.%02d, pears %d.%02d and lemons %d.%02d a kilogram; eggs %d.%02d a dozen; rice %d.%02d and lentils %d.%02d a sack.",
				r.IntN(9), r.IntN(100), r.IntN(9), r.IntN(100), r.IntN(9), r.IntN(100), r.IntN(9), r.IntN(100), r.IntN(9), r.IntN(100), r.IntN(9), r.IntN(100),
				r.IntN(9), r.IntN(100), r.IntN(9), r.IntN(100), 10+r.IntN(90), r.IntN(100), 10+r.IntN(90), r.IntN(100)),
			"All prices are those that the inspectors of the market found at six in the morning, without tax and for goods of the first class. The list is made each working day by the association of traders and may be copied with its name. Complaints go to the office behind gate four.")
		topics := []string{"clay sensors in orchards", "a bell in a tower", "fibre in the valley", "the port's new crane", "how lenders move ledgers", "radio and small languages",
			"what a licence forbids", "rents and their models", "the price of digging", "maps of old wells", "a court's calendar", "ferries in winter"}
		r.Shuffle(len(topics), func(i, j int) { topics[i], topics[j] = topics[j], topics[i] })
		add("weekly digest", "digest "+seed, n, "What we read this week",
			"Here is what the desk read, heard and argued about this week, in no order at all. Send us what we missed, and tell a friend who would like this letter; it is free and comes each Friday before lunch, unless the editor is ill.",
			"On our list: "+strings.Join(topics[:5], "; ")+".",
			"You get this letter because you asked for it. To stop it, answer with one word, or follow the link at its end.")
	}
	// Different notes above one long footer, in two feeds of one publisher.
	notes := []string{
		"The library on the square stays open until nine on weekdays, and its roof will be green by summer. Volunteers water it and get the keys.",
		"Bus line seven ends at the mill from next month, because the bridge is too weak for the new vehicles. A path along the river shortens the walk.",
		"Children of the second form have counted swifts and found more nests than ever, most of them under the tiles of the old brewery.",
		"The choir looks for basses. Who can hold a note may come on Thursday, and who cannot may bring cake, as the conductor puts it.",
		"A fox has moved into the ruins behind the station, and the railway has put up a sign that asks travellers not to share their breakfast.",
		"The swimming pool closes for repairs; until the pump is back, season tickets are good in the next town, where the water is colder.",
	}
	for n, text := range notes {
		add("shared boilerplate", fmt.Sprintf("town %d %s", n%2, seed), n, strings.Join(strings.Fields(text)[:4], " "), text+" ("+seed+")",
			"The town's news service is made by the press office in the town hall, room four. It does not answer for the content of pages that it links to. Texts and pictures may be used by newspapers and schools when the source is named; all others ask first. Office hours are in the mornings. The service comes as a letter, as a feed and on the board beside the fountain, where it is read most.",
			"Visit the town's fair, its museum and the path around the lake, or become a member of one of forty clubs. Whoever wants to found another finds the form on our pages, together with a list of rooms that can be had for nothing.")
	}
	return all
}

// half is where a report belongs: to the half that thresholds were set on, or to the one that is only reported on. What is
// made of a report without being it belongs where the report does.
func half(report string) string {
	report, _, _ = strings.Cut(report, " with other numbers")
	report, _, _ = strings.Cut(report, " quoted below ")
	if random("half of "+report).Uint64()%2 == 0 {
		return "tuning"
	}
	return "reported"
}

// split gives the written articles of a half with their follow-ups, and templated posts of its own.
func split(t testing.TB, all []labelled, name string) []labelled {
	t.Helper()
	var those []labelled
	for _, l := range all {
		if half(l.report) == name {
			those = append(those, l)
		}
	}
	return append(those, templated(name)...)
}

// captured are the items of the feeds in a folder with copies of each, as far as they are long enough.
func captured(t testing.TB, folder string) []labelled {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []labelled
	known := map[string]bool{}
	for _, file := range files {
		var before *source
		for _, it := range readFeed(t, file) {
			var paragraphs []string
			for _, p := range strings.Split(markup.PlainText(it.Text()), "\n") {
				if strings.TrimSpace(p) != "" {
					paragraphs = append(paragraphs, strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(p))
				}
			}
			s := source{title: it.Title, headline: "In other words", language: it.Language, paragraphs: paragraphs}
			// Some captures are of one feed in several formats.
			s.name = fmt.Sprint(it.Title, " ", strings.Join(paragraphs, " "))
			start := strings.Join(strings.Fields(s.name)[:min(12, len(strings.Fields(s.name)))], " ")
			if s.words() < 70 || known[start] {
				continue
			}
			known[start] = true
			s.name = filepath.Base(file) + " " + start
			those := copies(s)
			those[0].item.Feed = aggregator.FeedID(filepath.Base(file))
			all = append(all, those...)
			if l, ok := otherNumbers(s); ok {
				all = append(all, l)
			}
			if before != nil {
				all = append(all, below(*before, s))
			}
			before = &s
		}
	}
	return all
}
