package diff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator/diff"
)

// shown writes pieces as [-removed-], [+added+] and [...] for what was left out.
func shown(all []diff.Piece) string {
	var b strings.Builder
	for _, p := range all {
		switch p.Kind {
		case diff.Same:
			b.WriteString(p.Text)
		case diff.Removed:
			b.WriteString("[-" + p.Text + "-]")
		case diff.Added:
			b.WriteString("[+" + p.Text + "+]")
		case diff.Left:
			b.WriteString("[...]")
		}
	}
	return b.String()
}

func TestWords(t *testing.T) {
	for _, tc := range []struct{ name, before, after, want string }{
		{"nothing", "", "", ""},
		{"the same", "a b", "a b", "a b"},
		{"all new", "", "a b", "[+a b+]"},
		{"all gone", "a b", "", "[-a b-]"},
		{"a word replaced", "hire 200 people", "hire 250 people", "hire [-200 -][+250 +]people"},
		{"a word added to the last", "is delayed", "is delayed again", "is delayed [+again+]"},
		{"a word added at the end", "one two ", "one two three", "one two [+three+]"},
		{"a word gone in the middle", "one two three", "one three", "one [-two -]three"},
		{"what went stands before what came", "a b c d e", "a x y d e", "a [-b c -][+x y +]d e"},
		{"changes in two places", "the bill is before the ministry today", "the bill was before the ministry", "the bill [-is -][+was +]before the ministry [-today-]"},
		{"Chinese, by letter", "数据保护法", "数据安全法", "数据[-保护-][+安全+]法"},
		{"lines", "one\ntwo\n", "one\nthree\n", "one\n[-two -][+three+]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, shown(diff.Words(tc.before, tc.after))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func trimmed(text string) string { return strings.TrimRightFunc(text, unicode.IsSpace) }

// both are the texts that pieces are made of, without white space at their ends.
func both(all []diff.Piece) (before, after string) {
	for _, p := range all {
		if p.Kind != diff.Added {
			before += p.Text
		}
		if p.Kind != diff.Removed {
			after += p.Text
		}
	}
	return trimmed(before), trimmed(after)
}

func TestTheTextsAreInTheirDifference(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(words, vocabulary int) string {
		var b strings.Builder
		for range rnd.IntN(words + 1) {
			fmt.Fprintf(&b, "%c ", 'a'+rnd.IntN(vocabulary))
		}
		return b.String()
	}
	for range 2000 {
		before, after := text(30, 4), text(30, 4)
		all := diff.Words(before, after)
		if a, b := both(all); a != trimmed(before) || b != trimmed(after) {
			t.Fatalf("of %q and %q: %q", before, after, shown(all))
		}
		changed := 0
		for _, p := range all {
			if p.Kind != diff.Same {
				changed += len(strings.Fields(p.Text))
			}
		}
		if want := distance(strings.Fields(before), strings.Fields(after)); changed != want {
			t.Fatalf("of %q and %q: %d words changed, want %d: %q", before, after, changed, want, shown(all))
		}
	}
}

// distance is the number of words to take out and to put in, by the textbook's table.
func distance(a, b []string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		last := row[0]
		row[0] = i + 1
		for j := range b {
			next := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				next = last
			}
			last, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

func TestTextsWithoutAnythingInCommonAreBounded(t *testing.T) {
	before, after := strings.Repeat("a ", 200_000), strings.Repeat("b ", 200_000)
	if all := diff.Words(before, after); len(all) != 2 || all[0].Kind != diff.Removed || all[1].Kind != diff.Added {
		t.Errorf("%d pieces, want the old text and the new one", len(all))
	}
	before, after = strings.Repeat("a b ", 10_000), strings.Repeat("c d ", 10_000)
	if a, b := both(diff.Words(before, after)); a != trimmed(before) || b != trimmed(after) {
		t.Error("the texts are not in their difference")
	}
}

func TestAround(t *testing.T) {
	before := strings.Repeat("x ", 50) + "old " + strings.Repeat("y ", 50) + "gone " + strings.Repeat("z ", 50)
	after := strings.Repeat("x ", 50) + "new " + strings.Repeat("y ", 50) + strings.Repeat("z ", 50)
	got := shown(diff.Around(diff.Words(before, after), 2))
	if want := "[...]x x [-old -][+new +]y y [...]y y [-gone -]z z [...]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := shown(diff.Around(diff.Words("a b c", "a b c d"), 2)); got != "a b c [+d+]" {
		t.Errorf("%q; short pieces stay whole", got)
	}
}

func FuzzWords(f *testing.F) {
	f.Add("one two", "one three")
	f.Add("数据 保护\xff", "\xffقانون")
	f.Fuzz(func(t *testing.T, before, after string) {
		if a, b := both(diff.Words(before, after)); a != trimmed(before) || b != trimmed(after) {
			t.Errorf("of %q and %q: %q and %q", before, after, a, b)
		}
	})
}
