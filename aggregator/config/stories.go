package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/topicwire/topicwire/aggregator"
)

// Stories says which items are one story.
type Stories struct {
	// Near is whether items whose texts are nearly the same, or that have the same globally unique guid, are one; else only
	// those with the same page are.
	Near bool
	// Exact are the feeds whose items go by their pages alone though Near is set.
	Exact map[aggregator.FeedID]bool
}

// readNear reads how stories are found.
func (r *reader) readNear(n ast.Node, into *bool) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	switch s.text {
	case "near":
		*into = true
	case "exact":
		*into = false
	default:
		r.wrong(s, "is neither near nor exact",
			"write near to make one story of items whose texts are nearly the same, exact for those that link to the same page only")
	}
}

// exactFeeds are the feeds that say so of themselves.
func exactFeeds(d *draft) map[aggregator.FeedID]bool {
	var exact map[aggregator.FeedID]bool
	for i, f := range d.feeds {
		if f.exact {
			if exact == nil {
				exact = make(map[aggregator.FeedID]bool)
			}
			exact[d.Config.Feeds[i].ID] = true
		}
	}
	return exact
}

// The criteria by which the report is chosen that stands for a story in a merged feed.
const (
	// ByPriority prefers the feed with the greatest priority, ByEarliest the report that was found first, ByLongest the
	// one with the longest text.
	ByPriority = "priority"
	ByEarliest = "earliest"
	ByLongest  = "longest"
)

var criteria = []string{ByPriority, ByEarliest, ByLongest}

// readCriteria reads a list of criteria, the first of which counts most.
func (r *reader) readCriteria(n ast.Node, into *[]string) {
	var given []string
	if !r.each(n, r.name(), func(_ int, n ast.Node) {
		s, ok := r.entry(n)
		switch {
		case !ok:
		case !slices.Contains(criteria, s.text):
			r.wrong(s, "is no way to choose", "write some of "+strings.Join(criteria, ", "))
		case slices.Contains(given, s.text):
			r.problem(s.at, fmt.Sprintf("%s names %s twice", r.name(), s.shown()), "remove one of them")
		default:
			given = append(given, s.text)
		}
	}) || len(given) == 0 {
		return
	}
	*into = given
}

// priorities are those of the feeds that have one.
func priorities(d *draft) map[aggregator.FeedID]int {
	var given map[aggregator.FeedID]int
	for i, f := range d.feeds {
		if f.priority != 0 {
			if given == nil {
				given = make(map[aggregator.FeedID]int)
			}
			given[d.Config.Feeds[i].ID] = f.priority
		}
	}
	return given
}
