package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator/publish/chart"
)

// rects are the bars of the drawing: class, top and height.
func rects(t *testing.T, svg string) (bars []map[string]string, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return bars, text
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "rect" {
				attrs := map[string]string{}
				for _, a := range token.Attr {
					attrs[a.Name.Local] = a.Value
				}
				bars = append(bars, attrs)
			}
		case xml.CharData:
			text += string(token) + "|"
		}
	}
}

func float(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBars(t *testing.T) {
	first := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	series := []chart.Series{
		{Name: "A & <b>", Values: []int{3, 0, 40, 1}},
		{Name: "C", Values: []int{1, 0, 10, 0}},
	}
	bars, text := rects(t, string(chart.Bars(first, series, `volume of "A"`)))
	if len(bars) != 5 {
		t.Fatalf("%d bars, want 5: %v", len(bars), bars)
	}
	// On the third day 40 and 10 items stand on each other, and the whole is as high as the axis says: 50 of 60.
	low, high := bars[2], bars[3]
	if low["class"] != "s0" || high["class"] != "s1" || float(t, high["y"])+float(t, high["height"]) != float(t, low["y"]) {
		t.Errorf("%v does not stand on %v", high, low)
	}
	if got := float(t, low["height"]) / float(t, high["height"]); got != 4 {
		t.Errorf("40 items are %g times as high as 10", got)
	}
	for _, want := range []string{"|0|", "|20|", "|60|", "20 November 2026: 4\nC: 1\nA & <b>: 3|", "|20 Nov|", "|23 Nov|", "Reports a day|", "Day of publication (UTC)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no text %q in %q", want, text)
		}
	}
	if x, width := float(t, bars[4]["x"]), float(t, bars[4]["width"]); x+width > 100 || x < 75 {
		t.Errorf("the last day's bar is at %g%% and %g%% wide", x, width)
	}
}

func TestDrawingsOfNothing(t *testing.T) {
	for name, svg := range map[string]string{
		"no series": string(chart.Bars(time.Time{}, nil, "")),
		"no days":   string(chart.Bars(time.Time{}, []chart.Series{{Name: "a"}}, "")),
		"no items":  string(chart.Bars(time.Time{}, []chart.Series{{Name: "a", Values: []int{0, 0}}}, "")),
		"spark":     string(chart.Sparkline(nil, `<">`)),
		"strip":     string(chart.Strip([]chart.Cell{chart.None, 99}, `<">`)),
	} {
		bars, _ := rects(t, svg)
		if len(bars) > 0 || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", name, svg)
		}
	}
}

func TestSparkline(t *testing.T) {
	svg := string(chart.Sparkline([]int{0, 1, 1000}, "30 days"))
	rects(t, svg)
	if strings.Count(svg, "v-") != 2 || !strings.Contains(svg, "v-34h") || !strings.Contains(svg, `aria-label="30 days"`) {
		t.Errorf("want a low bar and a full one: %s", svg)
	}
}

func TestEachKindOfCellHasItsShape(t *testing.T) {
	shapes := map[string]bool{}
	for _, c := range []chart.Cell{chart.None, chart.Tall, chart.Short, chart.Hollow, chart.Crossed} {
		svg := string(chart.Strip([]chart.Cell{c}, "x"))
		rects(t, svg)
		_, d, _ := strings.Cut(svg, ` d="`)
		shapes[d] = true
	}
	if len(shapes) != 5 {
		t.Errorf("shapes %v, want five", shapes)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := chart.Thousands(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
