package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// histogram says when items were published.
type histogram struct {
	// Unit is day, month or year: the shortest of which there are not too many.
	Unit string `json:"unit"`
	// Bars are in order and without a gap.
	Bars []bar `json:"bars"`
}

// bar is how many items are from a day, a month or a year of UTC, written as 2026-01-31, 2026-01 or 2026.
type bar struct {
	Start string `json:"start"`
	Items int    `json:"items"`
}

// The most days and months that a histogram has bars for. Years may be 9999.
const (
	maxDays   = 62
	maxMonths = 60
)

// dayCounts counts items by their day.
type dayCounts map[time.Time]int

func (c dayCounts) add(at time.Time) {
	at = at.UTC()
	c[time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)]++
}

func (c dayCounts) histogram() histogram {
	h := histogram{Unit: "day", Bars: []bar{}}
	if len(c) == 0 {
		return h
	}
	days := slices.SortedFunc(maps.Keys(c), time.Time.Compare)
	first, last := days[0], days[len(days)-1]
	layout, step := time.DateOnly, [3]int{0, 0, 1}
	switch months := 12*(last.Year()-first.Year()) + int(last.Month()-first.Month()); {
	case months >= maxMonths:
		h.Unit, layout, step = "year", "2006", [3]int{1, 0, 0}
		first = time.Date(first.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case last.Sub(first) >= maxDays*24*time.Hour:
		h.Unit, layout, step = "month", "2006-01", [3]int{0, 1, 0}
		first = time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	for at := first; !at.After(last); {
		next := at.AddDate(step[0], step[1], step[2])
		b := bar{Start: at.Format(layout)}
		for ; len(days) > 0 && days[0].Before(next); days = days[1:] {
			b.Items += c[days[0]]
		}
		h.Bars = append(h.Bars, b)
		at = next
	}
	return h
}

// longestBar is how many signs the longest bar has.
const longestBar = 50

func (h histogram) print(w io.Writer) {
	most := 0
	for _, b := range h.Bars {
		most = max(most, b.Items)
	}
	digits := len(fmt.Sprint(most))
	for _, b := range h.Bars {
		length := b.Items * longestBar / max(1, most)
		if b.Items > 0 {
			length = max(1, length)
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-10s  %*d  %s", b.Start, digits, b.Items, strings.Repeat("#", length)), " "))
	}
}
