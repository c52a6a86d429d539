package topic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/topicwire/topicwire/aggregator"
)

// version is that of the language's implementation. It has to grow with every change after which a query could match
// other items than before: stored items are then filed anew.
const version = 1

// Matcher finds the topics of items. It does not change and may be used by many goroutines at once.
type Matcher struct {
	topics []compiledTopic // sorted by id
	rules  aggregator.Hash
	index  index
	sieve  sieve // of index.exact
	// count is how many patterns there are, asked the places that terms are looked for in.
	count int
	asked place

	// The topics, by their place in topics, that each trigger is for.
	byPattern [][]int32
	byPair    map[uint64][]int32
	byLang    map[string][]int32
	byHost    map[string][]int32
	// always are the topics that any item may be in: those that ask for a date alone.
	always []int32
	// feeds leads from feed ids and their beginnings to byFeed.
	feeds  index
	byFeed [][]int32

	scratch sync.Pool // of *scratch
}

type compiledTopic struct {
	id    aggregator.TopicID
	feeds []aggregator.FeedID // sorted; none for all
	root  compiled
	rules aggregator.Hash
}

// compiled is a node whose words are patterns. The nodes of a topic lie together: most that are evaluated were not lately.
type compiled struct {
	op    op
	where place
	// number is that of words for a term.
	number int32
	// word is the pattern of a term's rarest word, none where nothing is looked for among words.
	word pattern
	kids []compiled
	leaf *leaf // of a term
}

// leaf is what there is to a term.
type leaf struct {
	patterns []pattern // nil where it is not looked for among words
	term     *term
}

// NewMatcher makes a matcher of topics whose queries refer to no named query.
func NewMatcher(topics []aggregator.Topic) (*Matcher, error) {
	return (*Library)(nil).NewMatcher(topics)
}

// NewMatcher makes a matcher of the topics. The error names the topic whose query cannot be parsed and is then a
// *SyntaxError inside, or the id that is there twice.
func (l *Library) NewMatcher(topics []aggregator.Topic) (*Matcher, error) {
	m := &Matcher{index: newIndex(), byPair: map[uint64][]int32{}, byLang: map[string][]int32{}, byHost: map[string][]int32{}, feeds: newIndex()}
	topics = slices.Clone(topics)
	slices.SortFunc(topics, func(a, b aggregator.Topic) int { return strings.Compare(string(a.ID), string(b.ID)) })
	rules := []string{"topics", strconv.Itoa(version)}
	for i, t := range topics {
		if i > 0 && topics[i-1].ID == t.ID {
			return nil, fmt.Errorf("compile topic %q: there are two of this id; rename one", t.ID)
		}
		q, err := l.Parse(t.Query)
		if err != nil {
			return nil, fmt.Errorf("compile topic %q: parse its query: %w", t.ID, err)
		}
		feeds := slices.Clone(t.Feeds)
		slices.Sort(feeds)
		own := []string{string(t.ID), q.String(), strconv.Itoa(len(feeds))}
		for _, feed := range feeds {
			own = append(own, string(feed))
		}
		m.topics = append(m.topics, compiledTopic{
			id: t.ID, feeds: feeds, root: m.compile(q.root), rules: aggregator.HashOf(append(own, strconv.Itoa(version))...),
		})
		m.register(int32(i))
		rules = append(rules, own...)
	}
	m.rules = aggregator.HashOf(rules...)
	m.sieve = newSieve(m.index.exact)
	m.scratch.New = func() any { return newScratch(m) }
	return m, nil
}

// Rules tells states of the topics apart: it changes when the topics that Match gives for a stored item could change,
// with the topics' ids, queries, the named queries that these refer to, and feeds, and with the implementation of the
// language.
func (m *Matcher) Rules() aggregator.Hash { return m.rules }

// RulesOf is what Rules is, of one topic alone; zero where there is no such topic.
func (m *Matcher) RulesOf(topic aggregator.TopicID) aggregator.Hash {
	i, ok := slices.BinarySearchFunc(m.topics, topic, func(t compiledTopic, id aggregator.TopicID) int {
		return strings.Compare(string(t.id), string(id))
	})
	if !ok {
		return aggregator.Hash{}
	}
	return m.topics[i].rules
}

// compile makes the nodes of a query, the root first.
func (m *Matcher) compile(root *node) compiled {
	left := make([]compiled, root.size()-1)
	var into func(c *compiled, n *node)
	into = func(c *compiled, n *node) {
		*c = compiled{op: n.op, number: int32(n.number), word: none}
		c.kids, left = left[:len(n.kids):len(n.kids)], left[len(n.kids):]
		for i, kid := range n.kids {
			into(&c.kids[i], kid)
		}
		if n.op != opTerm {
			return
		}
		c.where, c.leaf = places(n.term.field), &leaf{term: n.term}
		m.asked |= c.where
		c.number = int32(len(n.term.parts))
		least := 0
		for i, p := range n.term.parts {
			c.leaf.patterns = append(c.leaf.patterns, m.pattern(p))
			if cost := p.cost(); i == 0 || cost < least {
				c.word, least = c.leaf.patterns[i], cost
			}
		}
	}
	var c compiled
	into(&c, root)
	return c
}

// size counts the nodes.
func (n *node) size() int {
	size := 1
	for _, kid := range n.kids {
		size += kid.size()
	}
	return size
}

// pattern is the number of the part.
func (m *Matcher) pattern(p part) pattern {
	if number := m.index.number(p, pattern(m.count)); number != pattern(m.count) {
		return number
	}
	m.count++
	m.byPattern = append(m.byPattern, nil)
	return pattern(m.count - 1)
}

// register puts the topic where its triggers lead.
func (m *Matcher) register(topic int32) {
	add := func(topics []int32) []int32 {
		if n := len(topics); n > 0 && topics[n-1] == topic {
			return topics
		}
		return append(topics, topic)
	}
	for _, t := range choose(&m.topics[topic].root, false).triggers {
		switch t.kind {
		case onPattern:
			m.byPattern[t.key] = add(m.byPattern[t.key])
		case onPair:
			m.byPair[t.key] = add(m.byPair[t.key])
		case onLang:
			m.byLang[t.value.word] = add(m.byLang[t.value.word])
		case onHost:
			m.byHost[t.value.word] = add(m.byHost[t.value.word])
		case onAny:
			m.always = add(m.always)
		case onFeed:
			number := m.feeds.number(t.value, pattern(len(m.byFeed)))
			if int(number) == len(m.byFeed) {
				m.byFeed = append(m.byFeed, nil)
			}
			m.byFeed[number] = add(m.byFeed[number])
		}
	}
}

// Match names the topics that the item is filed under by their queries, sorted; nil if there are none. A topic with
// Feeds is only asked about items of these. Topics that the item's feed forces on it are not Match's concern.
func (m *Matcher) Match(item *aggregator.Item) []aggregator.TopicID {
	d := newDocument(item, m.asked)
	s := m.scratch.Get().(*scratch)
	defer m.release(s)
	if len(m.index.stems.tables) > 0 {
		s.lookups = m.index.stems.lookups(d.language(), s.made)
	}
	d.scan(&s.scanner, func(where place, text string) { s.where, s.text = where, text })
	s.meetValues(&d)
	slices.Sort(s.candidates)
	var found []aggregator.TopicID
	for _, i := range s.candidates {
		t := &m.topics[i]
		if len(t.feeds) > 0 {
			if _, ok := slices.BinarySearch(t.feeds, item.Feed); !ok {
				continue
			}
		}
		if s.holds(&t.root, &d) {
			found = append(found, t.id)
		}
	}
	return found
}
