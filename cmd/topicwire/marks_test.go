package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	date := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at.Add(20 * time.Hour)
	}
	for name, tc := range map[string]struct {
		days string
		unit string
		bars int
		want string // the first bars
	}{
		"nothing":         {"", "day", 0, "[]"},
		"a day":           {"2026-01-31 2026-01-31", "day", 1, "[{2026-01-31 2}]"},
		"days with a gap": {"2026-02-01 2026-01-30", "day", 3, "[{2026-01-30 1} {2026-01-31 0} {2026-02-01 1}]"},
		"many days":       {"2026-01-31 2026-04-02", "day", 62, "[{2026-01-31 1} {2026-02-01 0} {2026-02-02 0}]"},
		"months":          {"2026-01-31 2026-04-03 2026-01-01", "month", 4, "[{2026-01 2} {2026-02 0} {2026-03 0}]"},
		"many months":     {"2021-02-28 2026-01-01", "month", 60, "[{2021-02 1} {2021-03 0} {2021-04 0}]"},
		"years":           {"2021-01-31 2026-01-01", "year", 6, "[{2021 1} {2022 0} {2023 0}]"},
	} {
		c := dayCounts{}
		for day := range strings.FieldsSeq(tc.days) {
			c.add(date(day))
		}
		h := c.histogram()
		if got := fmt.Sprint(h.Bars[:min(3, len(h.Bars))]); h.Unit != tc.unit || len(h.Bars) != tc.bars || got != tc.want {
			t.Errorf("%s: %d bars by %s, %s; want %d by %s, %s", name, len(h.Bars), h.Unit, got, tc.bars, tc.unit, tc.want)
		}
	}
	var b strings.Builder
	histogram{Bars: []bar{{"2026-01", 1}, {"2026-02", 0}, {"2026-03", 200}}}.print(&b)
	if want := "2026-01       1  #\n2026-02       0\n2026-03     200  " + strings.Repeat("#", 50) + "\n"; b.String() != want {
		t.Errorf("printed\n%swant\n%s", b.String(), want)
	}
}

func TestMarks(t *testing.T) {
	hit := func(offset int, words string) hitReport {
		return hitReport{Field: "title", Offset: offset, Words: words}
	}
	for _, tc := range []struct {
		title, want string
		hits        []hitReport
	}{
		{"Données  sûres\tici", "[Données]  [sûres] ici", []hitReport{hit(9, "sûres"), hit(0, "Données")}},
		{"data law now", "[data law] now", []hitReport{hit(0, "data"), hit(0, "data law"), hit(5, "law")}},
		{"not there", "not there", []hitReport{hit(4, "their"), hit(90, "x"), {Field: "text", Words: "not"}}},
	} {
		if got := (marks{"[", "]"}).title(tc.title, tc.hits); got != tc.want {
			t.Errorf("%q marked: %q, want %q", tc.title, got, tc.want)
		}
	}
	p := &program{terminal: true}
	t.Setenv("NO_COLOR", "")
	if got := p.marks().hit(hitReport{Words: "a\x1bb", Before: "x\n", After: " y"}); got != "x \x1b[1;33mab\x1b[0m y" {
		t.Errorf("on a terminal: %q", got)
	}
	t.Setenv("NO_COLOR", "1")
	if got := p.marks().hit(hitReport{Words: "a"}); got != "[a]" {
		t.Errorf("on a terminal without colour: %q", got)
	}
}

func TestContext(t *testing.T) {
	for _, tc := range []struct{ text, last, first string }{
		{"one two three", "three", "one two"}, {"数据保护法", "据保护法", "数据保护"}, {"ab", "ab", "ab"}, {"abcdefghijk", "defghijk", "abcdefgh"},
	} {
		n := 8
		if tc.text == "数据保护法" {
			n = 4
		}
		if last, first := lastLetters(tc.text, n), firstLetters(tc.text, n); last != tc.last || first != tc.first {
			t.Errorf("%q: last %q, first %q, want %q and %q", tc.text, last, first, tc.last, tc.first)
		}
	}
}

// A title that a page gives, and that no parser has cleaned, does not steer the terminal.
func TestOneLineSteersNoTerminal(t *testing.T) {
	for text, want := range map[string]string{
		"two\n  lines\u00a0here ":          "two lines here",
		"\x1b]0;owned\a\x1b[31mred\x1b[0m": "]0;owned[31mred[0m",
		"\u009b31mred":                     "31mred",
		"":                                 "",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", text, got, want)
		}
	}
}
