// Package publish shows what the store holds to readers: merged feeds in Atom, RSS and JSON Feed, pages for people, and
// an OPML list of the feeds, all behind one http.Handler that only reads.
//
// # One document, three formats
//
// A topic's stories are first made into a document, in which everything that came from outside is already harmless:
// text holds only characters that XML may carry, HTML is sanitised and balanced, links are absolute http or https
// URIs, languages are registered ones, dates have four-digit years. The formats only write down a document, so none of
// them has a rule of its own about what publishers may do, and the W3C feed validator finds no error in any of them,
// whatever the items hold. The types of gorilla/feeds are the base of what is written; they are extended where they
// cannot say what a merged feed has to say (several categories, a source with a link, several links per entry).
//
// # The same state, the same bytes
//
// A document is a function of the store's content alone. It does not know what time it is: the window of stories is
// counted back from the newest story, an entry's updated is the time of its text, the feed's is that of its newest
// entry, and an empty feed has the date of the site's birth. So a document is rendered once for each Version of its
// topic and kept, plain and compressed, as bytes under a bound of memory; its entity tag is a hash of those bytes, the
// same after a restart and the same on every machine that serves the same store. A new title of a source alone does
// not change the Version: it shows with the topic's next change.
//
// What a cache may do with it does depend on the time, and on when the document's sources are polled next (freshness.go).
// A reader with an earlier edition of a feed can be told only what is new (delta.go): since the same entry is the same
// bytes, that is found in the bytes themselves, and holds whatever made them change.
//
// # Pages
//
// Pages are templates over the same outlines of stories, without what only feeds carry. They are HTML and one style sheet:
// no script, no style of their own, nothing from another site. The pages of topics and stories are kept as documents are;
// their charts end on the day on which the store last changed. Searches are not kept, since there is no end of them, and
// bounded in what they look at. The page of the feeds' health is of one reading of all feeds, which is made anew at most
// every 15 seconds.
//
// # Ids
//
// Feeds and entries are identified by tag URIs (RFC 4151) that are built on Options.Authority and on the ids of topics
// and stories. They hold neither the site's address nor a date of an item, so that they stay the same when the site
// moves or a publisher edits: an id, once published, is for ever.
package publish
