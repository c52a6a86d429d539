// Package scan is what a publisher's bytes go through before a feed parser sees them.
//
// Feeds are written by hand, by templates and by programs that join strings, and a strict parser loses a whole feed
// over one stray byte, while a lenient one loses items without a word. Worse, some documents of less than a megabyte
// take a parser gigabytes of memory or end its process. So nothing is handed to the parser unless Scan let it pass:
//
//	bytes -> decode (to UTF-8) -> find the root -> verify -+-> Result
//	                                                 |     |
//	                                                 +-> mend -> verify
//
// The verifier reads the document once, without allocating for what it meets, and answers one of three things: this
// is well-formed and within the limits (then the very bytes are the result, with the places of the items in them);
// this breaks a limit (then the feed has failed, at the cost of reading it); or there is a defect. Only then does the
// mender work: it writes the document anew, tag by tag, with what it knows of the structure of feeds (an item does
// not hold an item, a title ends before the link begins), and the verifier looks at what it wrote. So whatever comes
// out of Scan has passed the verifier, which means that encoding/xml accepts it in its strict mode.
//
// The mender's rule is to lose nothing that a reader could have read: it escapes what is not markup, closes what was
// not closed, and leaves out only what cannot be told from noise. Whatever it did is in Result.Repairs.
//
// Kinds that the parser does not know (Channel Definition Format, Google News sitemaps, a lone item, RSS items in an
// Atom feed) come out as the kind next to them that it does.
//
// The package does no I/O and keeps no state; Scan may be called from many goroutines.
package scan
