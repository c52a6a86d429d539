package near_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/story/near"
)

// prose is a text of n words that no other seed has.
func prose(seed string, n int) string {
	r := random(seed)
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("%c%c%c%s", 'a'+r.IntN(26), 'a'+r.IntN(26), 'a'+r.IntN(26), []string{"ing", "er", "ly", "on"}[r.IntN(4)])
	}
	return strings.Join(words, " ")
}

func text(title, body string) *near.Text {
	return near.Read(&aggregator.Item{Title: title, Content: body, Language: "en-GB"})
}

func sketch(body string) near.Sketch {
	s, _ := near.SketchOf(&aggregator.Item{Content: body})
	return s
}

func TestCompare(t *testing.T) {
	report, footer := prose("report", 120), prose("footer", 120)
	side := func(feed aggregator.FeedID, text *near.Text, siblings ...*near.Text) *near.Side {
		return near.NewSide(text, feed, found, siblings)
	}
	family := func(names ...string) (all []*near.Text) {
		for _, name := range names {
			all = append(all, text(name, prose(name, 60)+" "+footer))
		}
		return all
	}
	late := near.NewSide(text("", report), "b", found.Add(near.Window+time.Minute), nil)
	french := side("b", near.Read(&aggregator.Item{Content: report, Language: "fr"}))
	unknown := side("b", near.Read(&aggregator.Item{Content: report}))
	tests := []struct {
		name string
		a, b *near.Side
		want near.Reason
	}{
		{"equal", side("a", text("One", report)), side("b", text("Two", report)), near.SameText},
		{"case and markup", side("a", text("", report)), side("b", text("", "<p>"+strings.ToUpper(report)+"</p>")), near.SameText},
		{"a soft hyphen", side("a", text("", report)), side("b", text("", strings.Replace(report, "ing", "in\u00adg", 3))), near.SameText},
		{"the beginning", side("a", text("", report)), side("b", text("", strings.Join(strings.Fields(report)[:50], " "))), near.Truncated},
		{"the end", side("a", text("", report)), side("b", text("", strings.Join(strings.Fields(report)[70:], " "))), near.OtherStart},
		{"below something new", side("a", text("", report)), side("b", text("", prose("news", 60)+" "+report)), near.OtherStart},
		{"short", side("a", text("", prose("short", 47))), side("b", text("", prose("short", 47))), near.TooShort},
		{"one word", side("a", text("", strings.Repeat("again ", 100))), side("b", text("", strings.Repeat("again ", 100))), near.TooShort},
		{"another language", side("a", text("", report)), french, near.Language},
		{"a language that is not known", side("a", text("", report)), unknown, near.SameText},
		{"found later", side("a", text("", report)), late, near.TooFar},
		{"unlike", side("a", text("", report)), side("b", text("", footer)), near.Unlike},
		{"a footer that all have", side("a", text("", prose("x", 50)+" "+footer), family("1", "2", "3")...),
			side("b", text("", prose("y", 50)+" "+footer)), near.Unlike},
		{"hardly more than a footer", side("a", text("", "one two three four "+footer), family("1", "2", "3")...),
			side("b", text("", "one two three five "+footer)), near.Boiler},
		{"a report above such footers", side("a", text("", report+" "+footer), family("1", "2", "3")...),
			side("b", text("", report)), near.SameText},
		{"versions in titles", side("a", text("Release 1.2.3", report)), side("b", text("Release 1.2.4", report)), near.Titles},
		{"months in titles", side("a", text("Digest for March", report)), side("b", text("Digest for April", report)), near.Titles},
		{"a number in one title", side("a", text("7 hurt in fire", report)), side("b", text("Fire in mill", report)), near.SameText},
		{"a number in one title of one feed", side("a", text("Thread 7", report)), side("a", text("Thread", report)), near.Titles},
		{"a number that changed", side("a", text("", report+" the toll rose to 12 by noon")), side("b", text("", report+" the toll rose to 15 by noon")), near.Numbers},
		{"a number that moved", side("a", text("", report+" in the end 12 came "+prose("z", 9))),
			side("b", text("", prose("z", 9)+" in the end 12 came "+report)), near.SameText},
		{"two of one feed", side("a", text("", report)), side("a", text("", report+" "+prose("more", 30))), near.OneFeed},
		{"twice in one feed", side("a", text("Same", report)), side("a", text("Same", report)), near.SameText},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := near.Compare(test.a, test.b)
			if v.Reason != test.want || v.Same != (v.Reason == near.SameText || v.Reason == near.Truncated) {
				t.Errorf("got %+v, want %q", v, test.want)
			}
			back := near.Compare(test.b, test.a)
			back.Words[0], back.Words[1] = back.Words[1], back.Words[0]
			if back != v {
				t.Errorf("not symmetric:\n%+v\n%+v", v, back)
			}
			if own := near.Compare(test.a, test.a); own.Reason != near.SameText && own.Reason != near.TooShort && own.Reason != near.Boiler {
				t.Errorf("not like itself: %+v", own)
			}
		})
	}
}

func TestWordsWithoutSpaces(t *testing.T) {
	letters := []rune("云计算数据保护法案周二提交内阁审议公司等待已久要求敏感信息存储境内服务器并赋予新委员会罚款权力行业组织表示本地化规则将提高成本出口商购买新加坡法兰克福容量")
	it := near.Read(&aggregator.Item{Content: string(letters), Language: "zh"})
	if it.Words != len(letters) || !it.Comparable() {
		t.Errorf("%d words of %d letters", it.Words, len(letters))
	}
}

// TestSketchesTellLikeness holds the estimate against what it estimates.
func TestSketchesTellLikeness(t *testing.T) {
	words := strings.Fields(prose("likeness", 400))
	for _, changed := range []int{0, 5, 10, 20} {
		x := near.NewIndex(4)
		x.Add(near.Entry{Found: found, Sketch: sketch(strings.Join(words, " "))})
		other := append([]string(nil), words...)
		for i := range changed {
			other[i*len(other)/max(1, changed)+7] = "changed"
		}
		changedSketch := sketch(strings.Join(other, " "))
		candidates := x.Candidates(&changedSketch, found, 0)
		if len(candidates) != 1 || candidates[0].Alike < 0.5 {
			t.Errorf("%d words of 400 changed: candidates %+v", changed, candidates)
		}
	}
	x := near.NewIndex(4)
	x.Add(near.Entry{Found: found, Sketch: sketch(strings.Join(words, " "))})
	if other := sketch(prose("another", 400)); len(x.Candidates(&other, found, 0)) != 0 {
		t.Error("texts without a common word are candidates")
	}
}

func TestIndexKeepsTheLatest(t *testing.T) {
	const limit, all = 64, 1000
	x := near.NewIndex(limit)
	sketches := make([]near.Sketch, all+1)
	for i := 1; i <= all; i++ {
		sketches[i] = sketch(prose(fmt.Sprint(i), 60))
		id := aggregator.ItemID{}
		binary.BigEndian.PutUint32(id[:], uint32(i))
		feed := aggregator.FeedID(fmt.Sprint("feed ", i%3))
		if serial := x.Add(near.Entry{Item: id, Feed: feed, Found: found, Sketch: sketches[i]}); int(serial) != i {
			t.Fatalf("entry %d has serial %d", i, serial)
		}
		if i%7 == 0 {
			x.Remove(near.Serial(i))
		}
	}
	if x.Len() != limit {
		t.Fatalf("%d entries, want %d", x.Len(), limit)
	}
	for i := 1; i <= all; i++ {
		there := i > all-limit && i%7 != 0
		candidates := x.Candidates(&sketches[i], found, 0)
		if there != (len(candidates) == 1 && candidates[0].Serial == near.Serial(i) && candidates[0].Alike == 1) {
			t.Errorf("entry %d: candidates %+v, want it there: %t", i, candidates, there)
		}
		if _, ok := x.Item(near.Serial(i)); ok != there {
			t.Errorf("entry %d is there: %t, want %t", i, ok, there)
		}
	}
	last := near.Serial(all)
	if got := x.Candidates(&sketches[all], found, last); len(got) != 0 {
		t.Errorf("before itself: %+v", got)
	}
	if got := x.Candidates(&sketches[all], found.Add(near.Window+time.Minute), 0); len(got) != 0 {
		t.Errorf("after the window: %+v", got)
	}
	siblings := x.Siblings("feed 1", 3, func(s near.Serial, _ aggregator.ItemID) bool { return s == last })
	if len(siblings) != 3 || siblings[0] != last-3 || siblings[1] != last-9 || siblings[2] != last-12 {
		t.Errorf("siblings %v of %d", siblings, last)
	}
	x.SetStory(last, aggregator.StoryID{7})
	if story, ok := x.Story(last); !ok || story != (aggregator.StoryID{7}) {
		t.Errorf("story %v, %t", story, ok)
	}
}

// TestIndexDoesNotDependOnItsBound: what is found is the same whether the index has just grown or has room.
func TestIndexDoesNotDependOnItsBound(t *testing.T) {
	small, large := near.NewIndex(8192), near.NewIndex(1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		var s near.Sketch
		for b := range s {
			s[b] = uint16(r.IntN(6)) // so that many have a band in common
		}
		e := near.Entry{Feed: "f", Found: found, Sketch: s}
		if i%50 == 0 {
			a, b := small.Candidates(&s, found, 0), large.Candidates(&s, found, 0)
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("%d entries: %v, %v", i, a, b)
			}
		}
		small.Add(e)
		large.Add(e)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Release 1.2, of May", "<p>It mends 12.5 errors, 1:0</p>")
	f.Add("\u0639\u0627\u0645 \u0661\u0662", "云计算 ก่อน \u00ad\xff")
	f.Fuzz(func(t *testing.T, title, body string) {
		it := near.Read(&aggregator.Item{Title: title, Content: body})
		if it.Words > 2000 {
			t.Errorf("%d words", it.Words)
		}
		if _, ok := near.SketchOf(&aggregator.Item{Content: body}); ok != it.Comparable() {
			t.Errorf("%d words, can be compared: %t", it.Words, ok)
		}
		s := near.NewSide(it, "a", found, nil)
		if v := near.Compare(s, s); it.Comparable() && !v.Same {
			t.Errorf("not like itself: %+v", v)
		}
	})
}
