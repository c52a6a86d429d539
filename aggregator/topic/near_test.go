package topic_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What NEAR means, by trying all pairs of places, for two sides of single words.
func TestNearIsWhatItSays(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	matched := 0
	for range 1500 {
		var text []string
		for range 1 + random.IntN(12) {
			text = append(text, []string{"a", "b", "c", "x", "x", "x"}[random.IntN(6)])
		}
		if random.IntN(3) == 0 {
			text = slices.Insert(text, random.IntN(len(text)), "|") // the end of a paragraph
		}
		distance := 1 + random.IntN(5)
		first, second := []string{"a", "b"}[random.IntN(2)], []string{"a", "b", "c"}[random.IntN(3)]
		want := false
		for i := range text {
			for j := range text {
				apart := max(i-j, j-i)
				if text[i] == first && text[j] == second && apart >= 1 && apart <= distance && !slices.Contains(text[min(i, j):max(i, j)], "|") {
					want = true
				}
			}
		}
		query := fmt.Sprintf("%s NEAR/%d %s", first, distance, second)
		it := item("", "")
		it.Content = "<p>" + strings.ReplaceAll(strings.Join(text, " "), "|", "</p><p>") + "</p>"
		if got := matches(t, query, it); got != want {
			t.Fatalf("%s in %v: %t, want %t", query, text, got, want)
		}
		if want {
			matched++
		}
	}
	if matched < 250 || matched > 1250 {
		t.Errorf("%d of 1500 match: the test tells little", matched)
	}
}

// A text full of both sides, with sides of many terms, must not take much longer than reading it.
func TestNearOfALongText(t *testing.T) {
	query := "(a OR b OR \"a b\" OR a*) NEAR/100 (b OR \"b a\" OR b*) NEAR/100 (a OR b) NEAR/100 (a OR b) x"
	if matches(t, query, item("", strings.Repeat("a b ", 2000))) {
		t.Errorf("%s matches a text without x", query)
	}
	if !matches(t, query, item("", strings.Repeat("a b ", 2000)+"x")) {
		t.Errorf("%s does not match", query)
	}
}
