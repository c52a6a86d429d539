package scan

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// What a byte may be in XML (sections 2.2 and 2.3). Bytes beyond ASCII are looked at by isName.
const (
	nameStart byte = 1 << iota
	nameByte
	spaceByte
)

var classes = func() (table [256]byte) {
	for c := range table {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
			table[c] = nameStart | nameByte
		case '0' <= c && c <= '9', c == '-', c == '.', c == ':':
			table[c] = nameByte
		case c == ' ', c == '\t', c == '\n', c == '\r':
			table[c] = spaceByte
		}
	}
	return table
}()

// isName reports whether name is one for elements and attributes by Namespaces in XML (section 4): at most one colon,
// with something on both sides.
func isName(name []byte) bool {
	if len(name) == 0 || classes[name[0]]&nameStart == 0 && name[0] < utf8.RuneSelf {
		return false
	}
	colon := bytes.IndexByte(name, ':')
	if colon == len(name)-1 || colon > 0 && bytes.IndexByte(name[colon+1:], ':') >= 0 {
		return false
	}
	ascii := true
	for _, c := range name {
		if c >= utf8.RuneSelf {
			ascii = false
		} else if classes[c]&nameByte == 0 {
			return false
		}
	}
	return ascii || isForeignName(name)
}

// isForeignName reports whether the characters beyond ASCII are letters that names have had since the first edition of
// XML 1.0 (appendix B): those of the scripts that element names were ever written in.
func isForeignName(name []byte) bool {
	for _, r := range string(name) {
		switch {
		case r < utf8.RuneSelf, r >= 0xC0 && r <= 0x131 && r != 0xD7 && r != 0xF7, r >= 0x14A && r <= 0x17E,
			r >= 0x38E && r <= 0x3CE && r != 0x3A2, r >= 0x401 && r <= 0x45C && r != 0x40D && r != 0x450,
			r >= 0x5D0 && r <= 0x5EA, r >= 0x621 && r <= 0x63A, r >= 0x641 && r <= 0x64A, r >= 0x905 && r <= 0x939,
			r >= 0x3041 && r <= 0x3094, r >= 0x30A1 && r <= 0x30FA, r >= 0x4E00 && r <= 0x9FA5, r >= 0xAC00 && r <= 0xD7A3:
		default:
			return false
		}
	}
	return true
}

// localOf is the part of a name behind its prefix.
func localOf(name []byte) []byte { return name[bytes.IndexByte(name, ':')+1:] }

// prefixOf is the prefix of a name, empty where it has none.
func prefixOf(name []byte) []byte { return name[:max(bytes.IndexByte(name, ':'), 0)] }

// foldIs reports whether name is the lower-case ASCII word, in any case.
func foldIs(name []byte, word string) bool {
	if len(name) != len(word) {
		return false
	}
	for i := range name {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

func isItemName(local []byte) bool {
	switch len(local) {
	case 4:
		return foldIs(local, "item")
	case 5:
		return foldIs(local, "entry")
	}
	return false
}

// textNames are the elements without a prefix whose markup a parser takes as it is: it does not look at the elements
// inside of them one by one.
func isTextName(local []byte) bool {
	switch len(local) {
	case 2:
		return foldIs(local, "id")
	case 4:
		return foldIs(local, "link") || foldIs(local, "guid") || foldIs(local, "info")
	case 5:
		return foldIs(local, "title")
	case 6:
		return foldIs(local, "rights")
	case 7:
		return foldIs(local, "content") || foldIs(local, "summary") || foldIs(local, "tagline") || foldIs(local, "encoded")
	case 8:
		return foldIs(local, "subtitle") || foldIs(local, "category") || foldIs(local, "fullitem")
	case 9:
		return foldIs(local, "copyright")
	case 11:
		return foldIs(local, "description")
	}
	return false
}

// The namespaces of the feed formats.
const (
	atom10Space = "http://www.w3.org/2005/Atom"
	atom03Space = "http://purl.org/atom/ns#"
	rdfSpace    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	rss10Space  = "http://purl.org/rss/1.0/"
	rss090Space = "http://channel.netscape.com/rdf/simple/0.9/"
	rss09Space  = "http://my.netscape.com/rdf/simple/0.9/"
	// madeUpSpace is the start of the namespace of a prefix that nobody knows.
	madeUpSpace = "urn:undeclared:"
)

// wellKnownSpace is the namespace that a prefix stands for in feeds that forget to declare it.
func wellKnownSpace(prefix string) string {
	switch strings.ToLower(prefix) {
	case "atom", "atom10", "a10":
		return atom10Space
	case "content":
		return "http://purl.org/rss/1.0/modules/content/"
	case "dc":
		return "http://purl.org/dc/elements/1.1/"
	case "dcterms":
		return "http://purl.org/dc/terms/"
	case "media":
		return "http://search.yahoo.com/mrss/"
	case "itunes":
		return "http://www.itunes.com/dtds/podcast-1.0.dtd"
	case "podcast":
		return "https://podcastindex.org/namespace/1.0"
	case "slash":
		return "http://purl.org/rss/1.0/modules/slash/"
	case "sy":
		return "http://purl.org/rss/1.0/modules/syndication/"
	case "wfw":
		return "http://wellformedweb.org/CommentAPI/"
	case "thr":
		return "http://purl.org/syndication/thread/1.0"
	case "georss":
		return "http://www.georss.org/georss"
	case "geo":
		return "http://www.w3.org/2003/01/geo/wgs84_pos#"
	case "feedburner":
		return "http://rssnamespace.org/feedburner/ext/1.0"
	case "rdf":
		return rdfSpace
	case "rss":
		return rss10Space
	case "xhtml":
		return "http://www.w3.org/1999/xhtml"
	case "xlink":
		return "http://www.w3.org/1999/xlink"
	case "cc":
		return "http://web.resource.org/cc/"
	case "admin":
		return "http://webns.net/mvcb/"
	case "news":
		return "http://www.google.com/schemas/sitemap-news/0.9"
	case "image":
		return "http://www.google.com/schemas/sitemap-image/1.1"
	case "gd":
		return "http://schemas.google.com/g/2005"
	case "yt":
		return "http://www.youtube.com/xml/schemas/2015"
	case "opensearch":
		return "http://a9.com/-/spec/opensearch/1.1/"
	}
	return ""
}
