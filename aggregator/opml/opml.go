// Package opml reads and writes lists of feeds as readers exchange them: OPML 2.0 (http://opml.org/spec2.opml).
//
// The files that readers export keep to the letter of that specification as little as feeds keep to theirs. Read takes
// what is meant: attributes in any case, outlines without a title or a type, folders in folders, feeds in feeds,
// entities of HTML, ampersands that were not escaped. What it cannot take is named with its line and passed over, so that
// one bad line does not cost the list.
package opml

// Feed is an entry of a list.
type Feed struct {
	// Title is plain text and may be empty, as may Page, the URL of the feed's home page.
	Title string
	// URL is where the feed is, as the list gives it.
	URL, Page string
	// Folders are the titles of the outlines that the feed is in, the outermost first; Categories are those of its
	// attribute "category", without duplicates. None is empty.
	Folders, Categories []string
	// Line is where in the file it stands, from 1. Write does not use it.
	Line int
}

// Skipped is something of a file that could not be taken for a feed.
type Skipped struct {
	// Line counts from 1.
	Line int
	// What says what is wrong.
	What string
}

// List is what a file lists.
type List struct {
	// Title is the list's own and may be empty.
	Title string
	// Feeds and Skipped are in the order of the file.
	Feeds   []Feed
	Skipped []Skipped
}
