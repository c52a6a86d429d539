package specimen

import (
	"bytes"
	"compress/gzip"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// Mutant is a feed with a fault in it, and without.
type Mutant struct {
	Fault         string
	Without, With []byte
}

// Mutants puts each fault into the feed, where it belongs to one item into the one in the middle, and yields none for a
// feed of fewer than five items. text is the feed in UTF-8, which some faults are made of.
func Mutants(feed, text []byte) iter.Seq[Mutant] {
	return func(yield func(Mutant) bool) {
		p, ok := middle(feed)
		if !ok {
			return
		}
		for _, f := range faults {
			m := Mutant{Fault: f.name, Without: feed}
			if f.whole != nil {
				m.Without, m.With = f.whole(text)
			} else {
				m.With = f.put(feed, p)
			}
			if !yield(m) {
				return
			}
		}
	}
}

// fault is something that publishers' programs do to a feed.
type fault struct {
	name string
	// put puts it into the item at p, or anywhere.
	put func(feed []byte, p place) []byte
	// whole makes it of the whole text of a feed, which has to be changed for it. Either this or put is set.
	whole func(text []byte) (without, with []byte)
}

// place is an item, and the content of its title.
type place struct{ start, end, title, titleEnd int }

var (
	itemStart   = regexp.MustCompile(`<(item|entry)[\s>]`)
	titleStart  = regexp.MustCompile(`<title[^>]*>`)
	declaration = regexp.MustCompile(`^\s*<\?xml[^>]*\?>`)
	lastEnd     = regexp.MustCompile(`</[A-Za-z:]+>\s*$`)
	endOfItem   = regexp.MustCompile(`</(item|entry)>`)
)

// middle is the place of the item in the middle of the feed.
func middle(feed []byte) (place, bool) {
	starts := itemStart.FindAllIndex(feed, -1)
	if len(starts) < 5 {
		return place{}, false
	}
	at := len(starts) / 2
	p := place{start: starts[at][0], end: starts[at+1][0]}
	ends := endOfItem.FindAllIndex(feed[:p.end], -1)
	p.end = ends[len(ends)-1][1]
	title := titleStart.FindIndex(feed[p.start:p.end])
	if title == nil {
		return place{}, false
	}
	p.title = p.start + title[1]
	p.titleEnd = p.title + bytes.Index(feed[p.title:], []byte("</title>"))
	return p, true
}

// inTitle puts text at the end of the item's title, as markup and outside of a CDATA section.
func inTitle(text string) func([]byte, place) []byte {
	return func(feed []byte, p place) []byte { return insert(feed, p.titleEnd, text) }
}

// inItem puts text behind the item's start tag.
func inItem(text string) func([]byte, place) []byte {
	return func(feed []byte, p place) []byte {
		return insert(feed, p.start+bytes.IndexByte(feed[p.start:], '>')+1, text)
	}
}

func before(text string) func([]byte, place) []byte {
	return func(feed []byte, _ place) []byte { return insert(feed, 0, text) }
}

func behind(text string) func([]byte, place) []byte {
	return func(feed []byte, _ place) []byte { return insert(feed, len(feed), text) }
}

// declare gives the feed another XML declaration.
func declare(text string) func([]byte, place) []byte {
	return func(feed []byte, _ place) []byte { return append([]byte(text), declaration.ReplaceAll(feed, nil)...) }
}

func insert(feed []byte, at int, text string) []byte {
	return append(append(append([]byte(nil), feed[:at]...), text...), feed[at:]...)
}

func remove(feed []byte, at, end int) []byte {
	return append(append([]byte(nil), feed[:at]...), feed[end:]...)
}

// wide writes the text in UTF-16.
func wide(low bool, bom bool) func([]byte) ([]byte, []byte) {
	return func(text []byte) (without, with []byte) {
		units := utf16.Encode([]rune(string(declaration.ReplaceAll(text, nil))))
		if bom {
			units = append([]uint16{0xFEFF}, units...)
		}
		for _, u := range units {
			if low {
				with = append(with, byte(u), byte(u>>8))
			} else {
				with = append(with, byte(u>>8), byte(u))
			}
		}
		return text, with
	}
}

// western writes the whole text in windows-1252, under the given declaration. The characters that windows-1252 does not
// have are left out on both sides; quotation marks and accents make sure that there are some that it has.
func western(declared string) func([]byte) ([]byte, []byte) {
	return func(text []byte) (without, with []byte) {
		text = bytes.ReplaceAll(declaration.ReplaceAll(text, nil), []byte("</title>"), []byte(" “café”</title>"))
		out := []byte(declared)
		for _, r := range string(text) {
			c := r
			if i := slices.Index(westernC1, r); i >= 0 {
				c = rune(0x80 + i)
			}
			if c < 0x80 || c >= 0xA0 && c <= 0xFF || c != r {
				out = append(out, byte(c))
				without = append(without, string(r)...)
			}
		}
		return without, out
	}
}

// westernC1 is what windows-1252 has from 0x80 to 0x9F, where ISO-8859-1 has controls; zero where it has nothing.
var westernC1 = []rune("€\x00‚ƒ„…†‡ˆ‰Š‹Œ\x00Ž\x00\x00‘’“”•–—˜™š›œ\x00žŸ")

func upperTags(feed []byte, p place) []byte {
	item := regexp.MustCompile(`</?[a-zA-Z]+[ >]`).ReplaceAllFunc(feed[p.start:p.end], func(tag []byte) []byte {
		for _, name := range []string{"item", "entry", "title", "link", "guid", "description", "pubDate", "updated", "published", "id"} {
			if strings.EqualFold(strings.Trim(string(tag), "</> "), name) {
				return bytes.ToUpper(tag)
			}
		}
		return tag
	})
	return append(append(append([]byte(nil), feed[:p.start]...), item...), feed[p.end:]...)
}

// wholeTitle replaces the item's title element.
func wholeTitle(with func(content string) string) func([]byte, place) []byte {
	return func(feed []byte, p place) []byte {
		content := string(feed[p.title:p.titleEnd])
		end := p.titleEnd + len("</title>")
		return append(append(append([]byte(nil), feed[:p.title]...), with(content)...), feed[end:]...)
	}
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b) // a bytes.Buffer does not fail
	w.Close()
	return out.Bytes()
}

var faults = []fault{
	{name: "cut at half", put: func(feed []byte, _ place) []byte { return append([]byte(nil), feed[:len(feed)/2]...) }},
	{name: "last end tag missing", put: func(feed []byte, _ place) []byte { return lastEnd.ReplaceAll(bytes.TrimSpace(feed), nil) }},
	{name: "stray < in a title", put: inTitle(" a < b")},
	{name: "a heart in a title", put: inTitle(" I <3 it")},
	{name: "misnested tags in a title", put: inTitle(" <b><i>x</b></i>")},
	{name: "end of the item missing", put: func(feed []byte, p place) []byte {
		at := endOfItem.FindAllIndex(feed[p.start:p.end], -1)
		last := at[len(at)-1]
		return remove(feed, p.start+last[0], p.start+last[1])
	}},
	{name: "stray </div> in the item", put: inItem("</div>")},
	{name: "CDATA without end", put: wholeTitle(func(string) string { return "<![CDATA[open</title>" })},
	{name: "a byte that is not UTF-8", put: inTitle(" \xff")},
	{name: "U+FFFE", put: inTitle(" \xef\xbf\xbe")},
	{name: "windows-1252 in a title in declared UTF-8", put: inTitle(" \x93caf\xe9\x94")},
	{name: "windows-1252 in a title, nothing declared", put: func(feed []byte, p place) []byte {
		return declaration.ReplaceAll(insert(feed, p.titleEnd, " \x93caf\xe9\x94"), nil)
	}},
	{name: "windows-1252, declared as UTF-8", whole: western(`<?xml version="1.0" encoding="utf-8"?>`)},
	{name: "windows-1252, nothing declared", whole: western("")},
	{name: "&#8;", put: inTitle(" &#8;")},
	{name: "]]> in text", put: inTitle(" ]]> ")},
	{name: "PHP warning before the declaration", put: before("Warning: foo() expects 1 parameter in /x.php on line 3\n")},
	{name: "HTML before the declaration", put: before("<br />\n<b>Warning</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n")},
	{name: "UTF-16LE with BOM", whole: wide(true, true)},
	{name: "UTF-16BE without BOM", whole: wide(false, false)},
	{name: "UTF-16 declared, is UTF-8", put: declare(`<?xml version="1.0" encoding="utf-16"?>`)},
	{name: "label that nobody knows", put: declare(`<?xml version="1.0" encoding="x-nobody"?>`)},
	{name: "5 KB comment before the root", put: func(feed []byte, _ place) []byte {
		return append([]byte("<!-- "+strings.Repeat("comment ", 640)+"-->"), declaration.ReplaceAll(feed, nil)...)
	}},
	{name: "U+200B before the declaration", put: before("\u200b")},
	{name: "-- in a comment", put: inItem("<!-- a -- b -->")},
	{name: "<!- x ->", put: inItem("<!- x ->")},
	{name: "unquoted attribute", put: inItem("<extra a=b>x</extra>")},
	{name: "< in an attribute", put: inItem(`<extra a="x < y">x</extra>`)},
	{name: "XML 1.1", put: declare(`<?xml version="1.1" encoding="utf-8"?>`)},
	{name: "inside of an HTML page", put: func(feed []byte, _ place) []byte {
		return []byte("<html><body>" + string(declaration.ReplaceAll(feed, nil)) + "</body></html>")
	}},
	{name: "<img src=x> in a title", put: inTitle(" <img src=x>")},
	{name: "stray &", put: inTitle(" AT&T & co")},
	{name: "&nbsp;", put: inTitle("&nbsp;x")},
	{name: "entity that nobody knows", put: inTitle(" &nobody;")},
	{name: "backspace", put: inTitle(" \x08")},
	{name: "NUL", put: inTitle(" \x00")},
	{name: "undeclared prefix", put: inItem("<nobody:x>1</nobody:x>")},
	{name: "white space before the declaration", put: before("\n \n")},
	{name: "BOM", put: before("\ufeff")},
	{name: "two BOMs", put: before("\ufeff\ufeff")},
	{name: "label utf8", put: declare(`<?xml version="1.0" encoding="utf8"?>`)},
	{name: "junk behind the root", put: behind("<!-- x --><script>x</script> 1 < 2")},
	{name: "second document", put: func(feed []byte, _ place) []byte { return append(append([]byte(nil), feed...), feed...) }},
	{name: "duplicate attribute", put: inItem(`<extra a="1" a="2">x</extra>`)},
	{name: "upper-case tags", put: upperTags},
	{name: "two declarations", put: func(feed []byte, _ place) []byte {
		return append([]byte(`<?xml version="1.0"?><?xml version="1.0"?>`), declaration.ReplaceAll(feed, nil)...)
	}},
	{name: "<br> in a title", put: inTitle(" <br>")},
	{name: "crossed end tags", put: wholeTitle(func(c string) string { return c + " <i></title></i>" })},
	{name: "end of the title missing", put: wholeTitle(func(c string) string { return c })},
	{name: "gzip and a stray &", put: func(feed []byte, p place) []byte { return compress(insert(feed, p.titleEnd, " a & b")) }},
}
