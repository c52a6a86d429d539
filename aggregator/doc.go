// Package aggregator holds the words of the domain as plain types: feeds, items, stories, topics and polls.
//
// A feed is a source that is polled. A poll is one fetch of one feed and its outcome. An item is one entry of a
// feed, kept once however often the feed lists it; an earlier text of an item is a revision. The items that report
// the same thing are one story, which is what a merged feed shows as one entry. A topic is a named query; what it
// publishes is its merged feed.
//
// The path of an item through the packages below this one:
//
//	due feeds -> fetch -> parse -> identity (story) -> topics (topic) -> one commit (storage) -> publish, export
//
// The package does no I/O and imports nothing but the standard library; every other package of the project imports
// it, and the steps do not import each other: poll and cmd put them together. Interfaces are declared where they
// are used, so none is here.
//
// All times are in UTC. A zero time.Time means "not known".
package aggregator
