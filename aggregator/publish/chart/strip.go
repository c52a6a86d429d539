package chart

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// Cell is what a strip shows of one event: each kind has a shape of its own, so that no one needs to tell colours apart.
type Cell uint8

// The kinds of cells.
const (
	// None is an empty place.
	None Cell = iota
	// Tall is a full bar, Short a bar of a third; Hollow is a frame, Crossed a frame with a cross in it.
	Tall
	Short
	Hollow
	Crossed
)

const (
	cellWidth, cellGap = 6, 2
	stripHeight        = 18
)

// Strip draws the cells in a row. The label says in words what they show.
func Strip(cells []Cell, label string) template.HTML {
	var paths [Crossed + 1]strings.Builder
	for i, c := range cells {
		x := i * (cellWidth + cellGap)
		switch c {
		case Tall:
			fmt.Fprintf(&paths[c], "M%d 0h%dv%dh-%[2]dz", x, cellWidth, stripHeight)
		case Short:
			fmt.Fprintf(&paths[c], "M%d %dh%dv%dh-%[3]dz", x, stripHeight-6, cellWidth, 6)
		case Hollow:
			fmt.Fprintf(&paths[c], "M%d.75 .75h%gv%gh-%[2]gz", x, cellWidth-1.5, stripHeight-1.5)
		case Crossed:
			fmt.Fprintf(&paths[c], "M%d.75 .75h%gv%gh-%[2]gzl%[2]g %[3]gm0-%[3]gl-%[2]g %[3]g", x, cellWidth-1.5, stripHeight-1.5)
		default:
			fmt.Fprintf(&paths[None], "M%d %gh%d", x, stripHeight-.5, cellWidth)
		}
	}
	var b strings.Builder
	width := len(cells)*(cellWidth+cellGap) - cellGap
	fmt.Fprintf(&b, `<svg class="strip" role="img" aria-label="%s" width="%d" height="%d" viewBox="0 0 %[2]d %[3]d">`,
		html.EscapeString(label), width, stripHeight)
	for c, class := range []string{"none", "tall", "short", "hollow", "crossed"} {
		if d := paths[c].String(); d != "" {
			fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, class, d)
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
