package scan_test

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf16"
)

// fault is something that publishers' programs do to a feed. It is put into the item at item, which has the bytes
// item.start to item.end of the feed.
type fault struct {
	name string
	put  func(feed []byte, item place) []byte
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

func wide(feed []byte, low bool, bom bool) []byte {
	var out []byte
	units := utf16.Encode([]rune(string(declaration.ReplaceAll(feed, nil))))
	if bom {
		units = append([]uint16{0xFEFF}, units...)
	}
	for _, u := range units {
		if low {
			out = append(out, byte(u), byte(u>>8))
		} else {
			out = append(out, byte(u>>8), byte(u))
		}
	}
	return out
}

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

var faults = []fault{
	{"cut at half", func(feed []byte, _ place) []byte { return append([]byte(nil), feed[:len(feed)/2]...) }},
	{"last end tag missing", func(feed []byte, _ place) []byte { return lastEnd.ReplaceAll(bytes.TrimSpace(feed), nil) }},
	{"stray < in a title", inTitle(" a < b")},
	{"a heart in a title", inTitle(" I <3 it")},
	{"misnested tags in a title", inTitle(" <b><i>x</b></i>")},
	{"end of the item missing", func(feed []byte, p place) []byte {
		at := endOfItem.FindAllIndex(feed[p.start:p.end], -1)
		last := at[len(at)-1]
		return remove(feed, p.start+last[0], p.start+last[1])
	}},
	{"stray </div> in the item", inItem("</div>")},
	{"CDATA without end", wholeTitle(func(string) string { return "<![CDATA[open</title>" })},
	{"a byte that is not UTF-8", inTitle(" \xff")},
	{"U+FFFE", inTitle(" \xef\xbf\xbe")},
	{"windows-1252 in declared UTF-8", inTitle(" \x93caf\xe9\x94")},
	{"windows-1252, nothing declared", func(feed []byte, p place) []byte {
		return declaration.ReplaceAll(insert(feed, p.titleEnd, " \x93caf\xe9\x94"), nil)
	}},
	{"&#8;", inTitle(" &#8;")},
	{"]]> in text", inTitle(" ]]> ")},
	{"PHP warning before the declaration", before("Warning: foo() expects 1 parameter in /x.php on line 3\n")},
	{"HTML before the declaration", before("<br />\n<b>Warning</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n")},
	{"UTF-16LE with BOM", func(feed []byte, _ place) []byte { return wide(feed, true, true) }},
	{"UTF-16BE without BOM", func(feed []byte, _ place) []byte { return wide(feed, false, false) }},
	{"UTF-16 declared, is UTF-8", declare(`<?xml version="1.0" encoding="utf-16"?>`)},
	{"label that nobody knows", declare(`<?xml version="1.0" encoding="x-nobody"?>`)},
	{"5 KB comment before the root", func(feed []byte, _ place) []byte {
		return append([]byte("<!-- "+strings.Repeat("comment ", 640)+"-->"), declaration.ReplaceAll(feed, nil)...)
	}},
	{"U+200B before the declaration", before("\u200b")},
	{"-- in a comment", inItem("<!-- a -- b -->")},
	{"<!- x ->", inItem("<!- x ->")},
	{"unquoted attribute", inItem("<extra a=b>x</extra>")},
	{"< in an attribute", inItem(`<extra a="x < y">x</extra>`)},
	{"XML 1.1", declare(`<?xml version="1.1" encoding="utf-8"?>`)},
	{"inside of an HTML page", func(feed []byte, _ place) []byte {
		return []byte("<html><body>" + string(declaration.ReplaceAll(feed, nil)) + "</body></html>")
	}},
	{"<img src=x> in a title", inTitle(" <img src=x>")},
	{"stray &", inTitle(" AT&T & co")},
	{"&nbsp;", inTitle("&nbsp;x")},
	{"entity that nobody knows", inTitle(" &nobody;")},
	{"backspace", inTitle(" \x08")},
	{"NUL", inTitle(" \x00")},
	{"undeclared prefix", inItem("<nobody:x>1</nobody:x>")},
	{"white space before the declaration", before("\n \n")},
	{"BOM", before("\ufeff")},
	{"two BOMs", before("\ufeff\ufeff")},
	{"label utf8", declare(`<?xml version="1.0" encoding="utf8"?>`)},
	{"junk behind the root", behind("<!-- x --><script>x</script> 1 < 2")},
	{"second document", func(feed []byte, _ place) []byte { return append(append([]byte(nil), feed...), feed...) }},
	{"duplicate attribute", inItem(`<extra a="1" a="2">x</extra>`)},
	{"upper-case tags", upperTags},
	{"two declarations", func(feed []byte, _ place) []byte {
		return append([]byte(`<?xml version="1.0"?><?xml version="1.0"?>`), declaration.ReplaceAll(feed, nil)...)
	}},
	{"<br> in a title", inTitle(" <br>")},
	{"crossed end tags", wholeTitle(func(c string) string { return c + " <i></title></i>" })},
	{"end of the title missing", wholeTitle(func(c string) string { return c })},
	{"gzip and a stray &", func(feed []byte, p place) []byte { return compress(insert(feed, p.titleEnd, " a & b")) }},
}
