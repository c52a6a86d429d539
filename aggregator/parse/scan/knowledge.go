package scan

import "strings"

// What is known of the elements of feeds, by their keys: the lower-case name without the prefix of the root, or with
// any other prefix.

// feedNames are the elements without a prefix that feeds have in a channel, feed, item or entry, where none of them
// is inside of another of those that hold text.
var feedNames = set(`rss rdf feed channel item entry
	title link description guid pubdate author category comments enclosure source
	id updated published issued modified created content summary subtitle tagline rights contributor generator
	language copyright managingeditor webmaster lastbuilddate ttl docs cloud rating image textinput skiphours skipdays
	items logo icon abstract lastmod urlset url loc`)

// feedPrefixes are those of elements beside them.
var feedPrefixes = set(`rdf rss atom atom10 a10 content dc dcterms media itunes podcast slash sy wfw thr georss geo feedburner
	news cc creativecommons admin gd yt opensearch googleplay dcterm trackback pingback webfeeds`)

// containers are the elements that hold elements and no text to speak of.
var containers = set(`rss rdf feed channel item entry author contributor image textinput skiphours skipdays items seq
	bag source urlset url rdf:seq rdf:bag media:group media:content itunes:owner news:news news:publication`)

// frames are the containers that a feed is built of; the others are looked into only if they are not in order.
var frames = set("rss rdf feed channel item entry urlset url")

// inside lists for a container what may be inside of it; another feed element there means that its end is missing.
var inside = map[string]map[string]bool{
	"author":           set("name uri url email homepage"),
	"contributor":      set("name uri url email homepage"),
	"image":            set("url title link width height description"),
	"textinput":        set("title link name description"),
	"skiphours":        set("hour"),
	"skipdays":         set("day"),
	"items":            set("seq bag li rdf:seq rdf:bag rdf:li"),
	"media:group":      {},
	"media:content":    {},
	"itunes:owner":     {},
	"news:news":        {},
	"news:publication": {},
}

// voidElements are the elements of HTML that have no end tag (HTML standard, section 13.1.2).
var voidElements = set("area base br col embed hr img input link meta param source track wbr")

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// isFeedName reports whether an element of that name belongs to a feed and not to a text in it.
func isFeedName(name []byte) bool {
	lower := strings.ToLower(string(name))
	if prefix, local, found := strings.Cut(lower, ":"); found {
		return feedPrefixes[prefix] || feedNames[local] && (prefix == "rss" || prefix == "atom")
	}
	return feedNames[lower]
}
