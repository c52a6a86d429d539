package topic

import (
	"slices"
	"strings"
)

// scratch is what a Matcher notes of one item: where which patterns occur and which topics they trigger. It takes the
// scanner's words as they come; the text itself is not kept.
type scratch struct {
	m       *Matcher
	scanner scanner
	// where is the place that is being read, at the number of the present word, as spans have it.
	where place
	at    int32
	// text is what is being read, lookups where its words are looked for by their stems.
	text    string
	lookups []*lookup
	// made are the lookups of all items so far.
	made map[string]*lookup

	occurrences []occurrence
	// seen has for each pattern where it occurs, latest its last occurrence, 0 for none, counted from 1.
	seen   []place
	latest []int32
	// before and here are where the occurrences of the word before the present one, and of it, begin.
	before, here int

	// candidates are the topics that were triggered, which triggered tells for each.
	candidates []int32
	triggered  []bool
}

// occurrence is a pattern at a word. They are in the order of the text.
type occurrence struct {
	pattern pattern
	at      int32
	// previous is the pattern's occurrence before this one, 0 for none, counted from 1.
	previous int32
	where    place
}

func newScratch(m *Matcher) *scratch {
	s := &scratch{m: m, made: map[string]*lookup{}, seen: make([]place, m.count), latest: make([]int32, m.count), triggered: make([]bool, len(m.topics))}
	s.scanner.sink, s.scanner.plain = s, s
	return s
}

// maxKept is how many occurrences a scratch may hold memory for while it is not used.
const maxKept = 1 << 16

// release forgets the item. Only what was written is cleared: the rest grows with the number of topics.
func (m *Matcher) release(s *scratch) {
	for _, o := range s.occurrences {
		s.seen[o.pattern], s.latest[o.pattern] = 0, 0
	}
	for _, topic := range s.candidates {
		s.triggered[topic] = false
	}
	if cap(s.occurrences) > maxKept || cap(s.scanner.tok.bytes) > maxKept {
		return
	}
	s.occurrences, s.candidates = s.occurrences[:0], s.candidates[:0]
	s.at, s.before, s.here, s.text = 0, 0, 0, ""
	m.scratch.Put(s)
}

func (s *scratch) gap() { s.at += nextLine }

func (s *scratch) plain(w *plainWord, size int, spelling string) {
	s.at++
	word, met := w[:size], len(s.occurrences)
	if s.m.sieve.holds(w.hash(size)) {
		if p, ok := s.m.index.exact[string(word)]; ok {
			s.meet(p)
		}
	}
	s.meetParts(word, true)
	if len(s.lookups) > 0 {
		s.meetStems(word, spelling)
	}
	if len(s.occurrences) > met { // a word that none is at parts its neighbours as well
		s.before, s.here = s.here, met
		s.meetPairs()
	}
}

func (s *scratch) word(t *token) {
	s.at++
	s.before, s.here = s.here, len(s.occurrences)
	if !t.before && len(t.bytes) == 1+t.size {
		s.meetSpelling(t.word(), true) // by far the most common
	} else {
		t.spellings(s.meetSpelling)
	}
	if len(s.lookups) > 0 && t.class == letter {
		s.meetStems(t.word(), spellingOf(t, s.text))
	}
	s.meetPairs()
}

// meetPairs triggers what asks for two patterns side by side, at the word before and at the present one.
func (s *scratch) meetPairs() {
	if s.here == len(s.occurrences) || s.before == s.here || s.occurrences[s.before].at != s.at-1 {
		return
	}
	for _, first := range s.occurrences[s.before:s.here] {
		for _, second := range s.occurrences[s.here:] {
			s.trigger(s.m.byPair[pairKey(first.pattern, second.pattern)])
		}
	}
}

func (s *scratch) meetSpelling(spelling []byte, beginning bool) {
	if p, ok := s.m.index.exact[string(spelling)]; ok {
		s.meet(p)
	}
	s.meetParts(spelling, beginning)
}

// meetParts notes the patterns that are compared with parts of words.
func (s *scratch) meetParts(spelling []byte, beginning bool) {
	if beginning && len(spelling) > 0 && s.m.index.prefixes.roots[spelling[0]] != 0 {
		s.m.index.prefixes.beginnings(spelling, s.meet)
	}
	if s.m.index.globs.patterns != nil {
		s.m.index.globs.matching(spelling, s.meet)
	}
}

// meetStems notes the patterns that are compared by stems.
func (s *scratch) meetStems(word []byte, spelling string) {
	for _, p := range s.m.index.stems.exact[string(word)] {
		s.meet(p)
	}
	for _, l := range s.lookups {
		l.matching(spelling, s.meet)
	}
}

// meet notes that the present word fits the pattern.
func (s *scratch) meet(p pattern) {
	s.seen[p] |= s.where
	switch latest := s.latest[p]; {
	case latest == 0:
		s.trigger(s.m.byPattern[p])
	case s.occurrences[latest-1].at == s.at:
		return // met by another of its spellings, or at another place in it
	}
	s.occurrences = append(s.occurrences, occurrence{p, s.at, s.latest[p], s.where})
	s.latest[p] = int32(len(s.occurrences))
}

func (s *scratch) trigger(topics []int32) {
	for _, topic := range topics {
		if !s.triggered[topic] {
			s.triggered[topic] = true
			s.candidates = append(s.candidates, topic)
		}
	}
}

// meetValues triggers the topics that ask for the document's feed, language or host.
func (s *scratch) meetValues(d *document) {
	s.trigger(s.m.always)
	if len(s.m.byHost) > 0 {
		for _, host := range d.hosts {
			for more := true; more; _, host, more = strings.Cut(host, ".") {
				s.trigger(s.m.byHost[host])
			}
		}
	}
	if number, ok := s.m.feeds.exact[d.feed]; ok {
		s.trigger(s.m.byFeed[number])
	}
	s.m.feeds.prefixes.beginnings([]byte(d.feed), func(number pattern) { s.trigger(s.m.byFeed[number]) })
	for i := 0; i < len(d.lang); i++ {
		end := strings.IndexByte(d.lang[i:], '-')
		if end < 0 {
			s.trigger(s.m.byLang[d.lang])
			return
		}
		i += end
		s.trigger(s.m.byLang[d.lang[:i]])
	}
}

func (s *scratch) holds(n *compiled, d *document) bool {
	switch n.op {
	case opNot:
		return !s.holds(&n.kids[0], d)
	case opTerm:
		if n.word == none {
			return d.isOf(n.leaf.term)
		}
		return s.seen[n.word]&n.where != 0 && (n.number == 1 || s.phrase(n))
	case opNear:
		return s.holds(&n.kids[0], d) && s.holds(&n.kids[1], d) && len(s.spans(n)) > 0
	}
	// So many have to be true, and so many may still be false.
	need := needed(n.op, int(n.number), len(n.kids), false)
	spare := len(n.kids) - need
	for i := range n.kids {
		if s.holds(&n.kids[i], d) {
			need--
		} else {
			spare--
		}
		if need == 0 || spare < 0 {
			break
		}
	}
	return need == 0
}

// spans are the stretches of words that a side of NEAR is found at, or a NEAR itself, sorted.
func (s *scratch) spans(n *compiled) []span {
	var spans []span
	switch n.op {
	case opNear:
		return near(s.spans(&n.kids[0]), s.spans(&n.kids[1]), n.number)
	case opTerm:
		patterns := n.leaf.patterns
		longer := int32(len(patterns) - 1)
		for i := s.latest[patterns[0]]; i != 0; i = s.occurrences[i-1].previous {
			if o := s.occurrences[i-1]; o.where&n.where != 0 && s.follow(patterns[1:], int(i-1)) {
				spans = append(spans, span{o.at, o.at + longer})
			}
		}
		slices.Reverse(spans)
		return spans
	}
	for i := range n.kids {
		spans = merged(spans, s.spans(&n.kids[i]))
	}
	return spans
}

// phrase reports whether the patterns occur one behind the other.
func (s *scratch) phrase(n *compiled) bool {
	patterns := n.leaf.patterns
	for _, p := range patterns {
		if s.seen[p]&n.where == 0 {
			return false
		}
	}
	for i := s.latest[patterns[0]]; i != 0; i = s.occurrences[i-1].previous {
		if s.occurrences[i-1].where&n.where != 0 && s.follow(patterns[1:], int(i-1)) {
			return true
		}
	}
	return false
}

// follow reports whether the patterns occur at the words behind the occurrence.
func (s *scratch) follow(rest []pattern, behind int) bool {
	at := s.occurrences[behind].at
	i := behind
	for _, p := range rest {
		at++
		found := false
		for ; i < len(s.occurrences) && s.occurrences[i].at <= at; i++ {
			found = found || s.occurrences[i].at == at && s.occurrences[i].pattern == p
		}
		if !found {
			return false
		}
	}
	return true
}
