// Package story decides which items are one: whether an item that a feed lists is one that the store has, and which
// items of different feeds report the same page.
//
// Publishers give three things to tell items by, and break each of them: guids that change when a site moves or are
// shared by all items, links that carry a new tracking parameter at every fetch or lead to the same page for every item,
// and texts that are edited. Identify therefore takes a whole document: what identifies an item is what no other item of
// the document has. What a stored item was known by when it was new may no longer be what its feed tells items apart by;
// Lookups are all the ids that it may have, and Resolve finds the stored item among the answers. Both are pure: the
// store is asked in between, by the caller.
//
// Across feeds, items are one story if their links lead to the same page. Canonical is that link without what does not
// matter to the page, Key what two such links are compared by. Dates never take part, and neither do titles alone:
// daily briefings and release notes repeat them.
package story
