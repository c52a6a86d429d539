// Package chart draws volumes of news as SVG that stands in an HTML page: a sparkline for a list, and bars by day and
// source with labelled axes. It says what to draw by classes; colours and fonts are the style sheet's, so that a page needs
// no style of its own and follows the reader's preference for light or dark.
//
// Widths are in per cent of the place that the page gives, heights in pixels: on a phone bars get narrower and text stays
// as large as it is.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// Series is the volume of one source, a value for each day.
type Series struct {
	Name   string
	Values []int
}

// Total is the sum of the values.
func (s Series) Total() (sum int) {
	for _, v := range s.Values {
		sum += v
	}
	return sum
}

// Sizes in pixels.
const (
	sparkWidth, sparkHeight = 160, 36
	plotTop, plotHeight     = 22, 150
	axisHeight              = 42
)

// gutter is the part of the width, in per cent, that is left to the values of the vertical axis.
const gutter = 8

// Sparkline draws one bar for each value. The label says in words what it shows.
func Sparkline(values []int, label string) template.HTML {
	var b strings.Builder
	top := max(1, most(values))
	fmt.Fprintf(&b, `<svg class="spark" role="img" aria-label="%s" width="%d" height="%d" viewBox="0 0 %[2]d %d">`,
		html.EscapeString(label), sparkWidth, sparkHeight, sparkHeight)
	fmt.Fprintf(&b, `<path class="base" d="M0 %gh%d"/>`, sparkHeight-.5, sparkWidth)
	step := float64(sparkWidth) / float64(max(1, len(values)))
	b.WriteString(`<path class="bars" d="`)
	for i, v := range values {
		if v > 0 {
			h := max(1.5, float64(sparkHeight-2)*float64(v)/float64(top))
			fmt.Fprintf(&b, "M%s %dv-%sh%sv%sz", number(float64(i)*step), sparkHeight-1, number(h), number(step*.78), number(h))
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String())
}

// Bars draws the days from first on, each as the series' values one on top of the other, the first series at the bottom.
// All series have a value for each day. The label says in words what it shows; the numbers are for a table beside it.
func Bars(first time.Time, series []Series, label string) template.HTML {
	days := 0
	if len(series) > 0 {
		days = len(series[0].Values)
	}
	totals := make([]int, days)
	for _, s := range series {
		for i, v := range s.Values {
			totals[i] += v
		}
	}
	step, top := scale(most(totals))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="bars" role="img" aria-label="%s" width="100%%" height="%d">`,
		html.EscapeString(label), plotTop+plotHeight+axisHeight)
	b.WriteString(`<text class="axis" x="0" y="11">Reports a day</text>`)
	for v := 0; v <= top; v += step {
		y := number(height(v, top))
		fmt.Fprintf(&b, `<line class="grid" x1="%d%%" x2="100%%" y1="%s" y2="%[2]s"/>`, gutter, y)
		fmt.Fprintf(&b, `<text class="axis" x="%g%%" y="%s" dy="4" text-anchor="end">%s</text>`, gutter-1.2, y, Thousands(v))
	}
	fmt.Fprintf(&b, `<svg x="%d%%" width="%d%%" height="100%%">`, gutter, 100-gutter)
	for i := range days {
		drawDay(&b, first.AddDate(0, 0, i), i, days, series, totals[i], top)
	}
	drawDates(&b, first, days)
	b.WriteString("</svg></svg>")
	return template.HTML(b.String())
}

// drawDay draws a column, with its numbers as what a pointer is shown.
func drawDay(b *strings.Builder, day time.Time, i, days int, series []Series, total, top int) {
	if total == 0 {
		return
	}
	share := 100 / float64(days)
	x, width := number(float64(i)*share), number(share*.8)
	fmt.Fprintf(b, `<g><title>%s: %s`, day.Format("2 January 2006"), Thousands(total))
	for n := len(series) - 1; n >= 0 && len(series) > 1; n-- {
		if v := series[n].Values[i]; v > 0 {
			fmt.Fprintf(b, "\n%s: %s", html.EscapeString(series[n].Name), Thousands(v))
		}
	}
	b.WriteString("</title>")
	below := 0
	for n, s := range series {
		if v := s.Values[i]; v > 0 {
			y, foot := height(below+v, top), height(below, top)
			fmt.Fprintf(b, `<rect class="s%d" x="%s%%" y="%s" width="%s%%" height="%s"/>`, n, x, number(y), width, number(foot-y))
			below += v
		}
	}
	b.WriteString("</g>")
}

// drawDates labels the horizontal axis at both ends and at a few days between them.
func drawDates(b *strings.Builder, first time.Time, days int) {
	const labels = 5
	for n := range labels {
		i, anchor := n*(days-1)/(labels-1), "middle"
		x := (float64(i) + .4) * 100 / float64(max(1, days))
		switch n {
		case 0:
			anchor, x = "start", 0
		case labels - 1:
			anchor, x = "end", 100
		}
		fmt.Fprintf(b, `<text class="axis" x="%s%%" y="%d" text-anchor="%s">%s</text>`, number(x), plotTop+plotHeight+17, anchor,
			first.AddDate(0, 0, i).Format("2 Jan"))
	}
	fmt.Fprintf(b, `<text class="axis" x="50%%" y="%d" text-anchor="middle">Day of publication (UTC)</text>`, plotTop+plotHeight+36)
}

// height is where the value stands in the plot, in pixels from the top of the drawing.
func height(v, top int) float64 { return plotTop + plotHeight*(1-float64(v)/float64(top)) }

// scale is the distance between the lines of the vertical axis, a round number, and the value of the highest: at least the
// given one.
func scale(value int) (step, top int) {
	step = 1
	for i := 0; step*4 < value; i++ {
		step = step * []int{2, 5, 10}[i%3] / []int{1, 2, 5}[i%3]
	}
	top = max(step, (value+step-1)/step*step)
	return step, top
}

func most(values []int) (top int) {
	for _, v := range values {
		top = max(top, v)
	}
	return top
}

// number writes a coordinate, to a hundredth.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

// Thousands writes a number as English readers group it: 12,345.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
