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
	// Tall is a full bar, Short a bar of a third; Hollow is a frame, Crossed a cross.
	Tall
	Short
	Hollow
	Crossed
)

const (
	cellWidth, cellGap = 6, 2
	stripHeight        = 18
)

// Strip draws the cells in a row. The label says in words what they show; without one the strip is an ornament.
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
			fmt.Fprintf(&paths[c], "M%d.5 %dl5 9m0-9l-5 9", x, stripHeight-10)
		default:
			fmt.Fprintf(&paths[None], "M%d %gh%d", x, stripHeight-.5, cellWidth)
		}
	}
	var b strings.Builder
	width := len(cells)*(cellWidth+cellGap) - cellGap
	role := `aria-hidden="true"`
	if label != "" {
		role = `role="img" aria-label="` + html.EscapeString(label) + `"`
	}
	fmt.Fprintf(&b, `<svg class="strip" %s width="%d" height="%d" viewBox="0 0 %[2]d %[3]d">`, role, width, stripHeight)
	for c, class := range []string{"none", "tall", "short", "hollow", "crossed"} {
		if d := paths[c].String(); d != "" {
			fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, class, d)
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
