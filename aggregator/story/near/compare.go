package near

import (
	"cmp"
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// Window is how far apart two items may have been found.
	Window = 7 * 24 * time.Hour
	// Siblings is how many other items of a feed tell its boilerplate.
	Siblings = 4
)

// The thresholds. They were set on the half of the labelled pairs that is for that.
const (
	// leastJaccard is the part of all shingles that both texts must have. A text that is the beginning of the other one
	// needs less of it, but leastContained of its own shingles in the other.
	leastJaccard   = 0.55
	leastContained = 0.75
	// leastLead is the part of each text's beginning that must be found in the other one.
	leastLead = 0.5
	// leastOwn is the part of all shingles that two items of one feed must share.
	leastOwn = 0.9
	// minShingles is how many must be left when boilerplate is taken off.
	minShingles = 30
	// mostForeign is the part of the shorter text's numbers that need not be in the longer one, beside one. mostChanged
	// is in how many places numbers may have changed.
	mostForeign = 0.25
	mostChanged = 0
)

// Side is an item to be compared. It is made by NewSide and does not change.
type Side struct {
	text  *Text
	feed  aggregator.FeedID
	found time.Time
	// boilerplate and values are sorted, each once.
	boilerplate, values []uint64
}

// NewSide makes a side of an item of the feed that was first seen at the time found. siblings are other items of the feed:
// what several of them have too is boilerplate, and does not count. They are not kept.
func NewSide(text *Text, feed aggregator.FeedID, found time.Time, siblings []*Text) *Side {
	s := &Side{text: text, feed: feed, found: found, values: values(text)}
	s.boilerplate = s.boilerplateIn(siblings)
	return s
}

// Reason says why two items are one story by their texts, or why not.
type Reason string

// The reasons.
const (
	SameText   Reason = "nearly the same text"
	Truncated  Reason = "one is the beginning of the other"
	TooShort   Reason = "a text is too short to be compared"
	Language   Reason = "their languages differ"
	TooFar     Reason = "they were found too far apart"
	Boiler     Reason = "what they share is what their feeds put under every item"
	Unlike     Reason = "their texts differ"
	OtherStart Reason = "they begin differently, as a follow-up does"
	Titles     Reason = "their titles have different numbers or dates"
	Numbers    Reason = "their texts have different numbers"
	OneFeed    Reason = "they are of one feed, and not nearly equal"
)

// Verdict is what a comparison found.
type Verdict struct {
	Same   bool   `json:"same"`
	Reason Reason `json:"reason"`
	// Words counts the words of the two texts.
	Words [2]int `json:"words"`
	// Jaccard is the part of all shingles that both have, Contained the part of the shorter text's that the longer has,
	// Lead the part of a text's beginning that the other has anywhere, the lesser of the two.
	Jaccard   float64 `json:"jaccard"`
	Contained float64 `json:"contained"`
	Lead      float64 `json:"lead"`
	// Boilerplate counts the shingles that were taken off before.
	Boilerplate int `json:"boilerplate"`
	// Changed counts the places beside the same words in which the numbers differ, Foreign those of the shorter text that the longer
	// does not have, of Of.
	Changed int `json:"numbers_changed"`
	Foreign int `json:"numbers_foreign"`
	Of      int `json:"numbers"`
}

// Compare tells whether the items carry one report.
func Compare(a, b *Side) Verdict {
	v := Verdict{Words: [2]int{a.text.Words, b.text.Words}}
	switch {
	case !a.text.Comparable() || !b.text.Comparable():
		v.Reason = TooShort
	case a.text.Language != "" && b.text.Language != "" && a.text.Language != b.text.Language:
		v.Reason = Language
	case a.found.Sub(b.found).Abs() > Window:
		v.Reason = TooFar
	}
	v.measure(a, b)
	if v.Reason == "" {
		v.Reason = v.judge(a, b)
	}
	v.Same = v.Reason == SameText || v.Reason == Truncated
	return v
}

// measure finds the numbers of the verdict.
func (v *Verdict) measure(a, b *Side) {
	boilerplate := union(a.boilerplate, b.boilerplate)
	all := [2][]uint64{without(a.text.shingles, boilerplate), without(b.text.shingles, boilerplate)}
	v.Boilerplate = len(a.text.shingles) - len(all[0]) + len(b.text.shingles) - len(all[1])
	if min(len(all[0]), len(all[1])) < minShingles {
		switch {
		case v.Reason != "":
		case v.Boilerplate > 0:
			v.Reason = Boiler
		default:
			v.Reason = TooShort
		}
		if len(all[0]) == 0 || len(all[1]) == 0 {
			return
		}
	}
	shared := common(all[0], all[1])
	v.Jaccard = float64(shared) / float64(len(all[0])+len(all[1])-shared)
	v.Contained = float64(shared) / float64(min(len(all[0]), len(all[1])))
	v.Lead = min(leadIn(a.text, boilerplate, all[1]), leadIn(b.text, boilerplate, all[0]))
	v.Changed = changed(a.text, b.text, a.values, b.values)
	shorter, longer := a.values, b.values
	if len(all[0]) > len(all[1]) || len(all[0]) == len(all[1]) && len(shorter) > len(longer) {
		shorter, longer = longer, shorter
	}
	v.Of, v.Foreign = len(shorter), len(shorter)-common(shorter, longer)
}

// judge says what the numbers mean.
func (v *Verdict) judge(a, b *Side) Reason {
	same, one := v.Jaccard >= leastJaccard, a.feed == b.feed
	truncated := v.Contained >= leastContained
	switch {
	case !same && !truncated:
		return Unlike
	case v.Lead < leastLead:
		return OtherStart
	case one && v.Jaccard < leastOwn:
		return OneFeed
	case one && !slices.Equal(a.text.title, b.text.title), differ(a.text.title, b.text.title):
		return Titles
	case one && v.Changed+v.Foreign > 0, v.Changed > mostChanged,
		float64(v.Foreign) > 1+mostForeign*float64(v.Of):
		return Numbers
	case same:
		return SameText
	}
	return Truncated
}

// differ reports whether each of two titles has a number that the other has not.
func differ(a, b []uint64) bool {
	shared := common(a, b)
	return shared < len(a) && shared < len(b)
}

// leadIn is the part of a text's beginning that the other text has.
func leadIn(t *Text, boilerplate, other []uint64) float64 {
	lead := without(t.lead, boilerplate)
	if len(lead) == 0 {
		return 1 // all of it is boilerplate, which says nothing
	}
	return float64(common(lead, other)) / float64(len(lead))
}

// changed counts the contexts that both texts have and in which the numbers are others, at least one of them found nowhere
// in the other text: one that only moved has not changed. inX and inY are the texts' values.
func changed(x, y *Text, inX, inY []uint64) int {
	n := 0
	for a, b := x.numbers, y.numbers; len(a) > 0 && len(b) > 0; {
		i, j := run(a), run(b)
		switch c := cmp.Compare(a[0].context, b[0].context); {
		case c < 0:
			a = a[i:]
			continue
		case c > 0:
			b = b[j:]
			continue
		}
		if !meet(a[:i], b[:j]) && (strange(a[:i], inY) || strange(b[:j], inX)) {
			n++
		}
		a, b = a[i:], b[j:]
	}
	return n
}

// meet reports whether a number is in both. They are sorted and of one context.
func meet(a, b []number) bool {
	for len(a) > 0 && len(b) > 0 {
		switch c := cmp.Compare(a[0].value, b[0].value); {
		case c < 0:
			a = a[1:]
		case c > 0:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// strange reports whether one of the numbers is not among the values.
func strange(numbers []number, values []uint64) bool {
	return slices.ContainsFunc(numbers, func(n number) bool {
		_, there := slices.BinarySearch(values, n.value)
		return !there
	})
}

// run is how many numbers have the context of the first.
func run(numbers []number) int {
	i := 1
	for i < len(numbers) && numbers[i].context == numbers[0].context {
		i++
	}
	return i
}

// values are the numbers in a text, sorted, each once.
func values(t *Text) []uint64 {
	var all []uint64
	for _, n := range t.numbers {
		all = append(all, n.value)
	}
	return sorted(all)
}

// boilerplateIn are the shingles of the item that two or more of its siblings have as well, sorted. A sibling that is nearly
// equal is a copy of the item, and says nothing of what all have.
func (s *Side) boilerplateIn(siblings []*Text) []uint64 {
	own := s.text.shingles
	times := make([]int, len(own))
	for _, other := range siblings {
		shared := common(own, other.shingles)
		all := len(own) + len(other.shingles) - shared
		if float64(shared) >= leastOwn*float64(all) && changed(s.text, other, s.values, values(other)) == 0 {
			continue
		}
		i := 0
		for _, h := range other.shingles {
			for i < len(own) && own[i] < h {
				i++
			}
			if i < len(own) && own[i] == h {
				times[i]++
			}
		}
	}
	var found []uint64
	for i, n := range times {
		if n >= 2 {
			found = append(found, own[i])
		}
	}
	return found
}

// The sets below are sorted, each hash once.

// common counts what both have.
func common(a, b []uint64) int {
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			n, i, j = n+1, i+1, j+1
		}
	}
	return n
}

func union(a, b []uint64) []uint64 {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	all := make([]uint64, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			all, a = append(all, a[0]), a[1:]
		case a[0] > b[0]:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

func without(a, b []uint64) []uint64 {
	if len(b) == 0 {
		return a
	}
	var rest []uint64
	for _, h := range a {
		for len(b) > 0 && b[0] < h {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != h {
			rest = append(rest, h)
		}
	}
	return rest
}
