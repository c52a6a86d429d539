package topic

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// trigger is something that an item has to have for a query to be possibly true.
type trigger struct {
	kind triggerKind
	// key is the pattern, or the two patterns of a pair.
	key uint64
	// value is the feed, language or host asked for.
	value part
}

type triggerKind uint8

const (
	onPattern triggerKind = iota
	onPair
	onFeed
	onLang
	onHost
	// onAny is met by every item.
	onAny
)

// pairKey is the key of two patterns of which the second fits the word behind the first's.
func pairKey(first, second pattern) uint64 { return uint64(first)<<32 | uint64(second) }

// choice is a set of triggers, one of which is met whenever what they are for is true. A nil set is for what can be
// true of an item that has nothing in particular.
type choice struct {
	triggers []trigger
	// cost is a guess of how often one of them is met. It only has to rank choices.
	cost int
}

// The guesses for an item that is about anything: languages split all items into few heaps, feeds into many.
const (
	anyCost        = 50000
	langCost       = 5000
	feedPrefixCost = 1500
	feedCost       = 600
	hostCost       = 600
)

// choose finds the triggers of n, or of its negation.
func choose(n *compiled, negated bool) choice {
	switch n.op {
	case opTerm:
		if negated {
			return choice{}
		}
		return n.leaf.choice()
	case opNot:
		return choose(&n.kids[0], !negated)
	case opNear:
		if negated {
			return choice{}
		}
	}
	need := len(n.kids) // both sides of NEAR
	if n.op != opNear {
		need = needed(n.op, int(n.number), len(n.kids), negated)
	}
	// Of so many kids, one is true whenever the node is: take the rarest.
	var choices []choice
	for i := range n.kids {
		if c := choose(&n.kids[i], negated); c.triggers != nil {
			choices = append(choices, c)
		}
	}
	of := len(n.kids) - need + 1
	if len(choices) < of {
		return choice{}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(a.cost, b.cost) })
	chosen := choices[0]
	for _, c := range choices[1:of] {
		chosen.triggers = append(slices.Clip(chosen.triggers), c.triggers...)
		chosen.cost += c.cost
	}
	return chosen
}

// choice is the triggers of a term. Of a phrase it is the pair of words that is likely the rarest: one word of it
// alone can be common where the phrase is not, and where each letter is a word all are.
func (n *leaf) choice() choice {
	t := n.term
	switch {
	case t.field == "published":
		return choice{[]trigger{{kind: onAny}}, anyCost}
	case t.field == "host":
		return choice{[]trigger{{kind: onHost, value: t.value}}, hostCost}
	case t.field == "lang":
		return choice{[]trigger{{kind: onLang, value: t.value}}, langCost}
	case t.field == "feed" && t.value.prefix:
		return choice{[]trigger{{kind: onFeed, value: t.value}}, feedPrefixCost}
	case t.field == "feed":
		return choice{[]trigger{{kind: onFeed, value: t.value}}, feedCost}
	case len(t.parts) == 1:
		return choice{[]trigger{{kind: onPattern, key: uint64(n.patterns[0])}}, t.parts[0].cost()}
	}
	best := choice{}
	for i := 1; i < len(t.parts); i++ {
		cost := 1 + t.parts[i-1].cost()*t.parts[i].cost()/1000
		if best.triggers == nil || cost < best.cost {
			best = choice{[]trigger{{kind: onPair, key: pairKey(n.patterns[i-1], n.patterns[i])}}, cost}
		}
	}
	return best
}

// cost guesses how common the words are that fit the part: the shorter, the more common, and a beginning more than a
// whole word.
func (p part) cost() int {
	word := strings.TrimLeft(p.word, ".#@")
	if p.glob {
		word, _ = anchor(word)
	}
	byLength := [...]int{1000, 400, 200, 80, 40, 25, 16, 12, 10, 8, 6, 5, 4}
	cost := byLength[min(len(byLength)-1, utf8.RuneCountInString(word))]
	if p.prefix || p.glob || p.stem != "" {
		cost *= 4
	}
	return cost
}
