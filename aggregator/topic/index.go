package topic

// pattern numbers a part, which several terms of several topics may share.
type pattern int32

// none is no pattern.
const none pattern = -1

// index finds the patterns that a word fits.
type index struct {
	exact    map[string]pattern
	prefixes trie
	globs    globIndex
	stems    stemIndex
}

func newIndex() index {
	return index{exact: map[string]pattern{}, prefixes: newTrie(), globs: newGlobIndex(), stems: newStemIndex()}
}

// number is the pattern of the part, which becomes the given one if it had none.
func (x *index) number(p part, fresh pattern) pattern {
	switch {
	case p.stem != "":
		return x.stems.number(p, fresh)
	case p.glob:
		return x.globs.number(p.word, fresh)
	case p.prefix:
		end := x.prefixes.end(p.word)
		if *end == none {
			*end = fresh
		}
		return *end
	}
	number, ok := x.exact[p.word]
	if !ok {
		number = fresh
		x.exact[p.word] = fresh
	}
	return number
}

// trie holds prefixes by their bytes, so that a word that begins with none of them is left after its first few bytes,
// however many there are.
type trie struct {
	// roots are the nodes of the first bytes, 0 for none; edges lead from a node and a byte to the next node.
	roots [256]uint32
	edges map[uint64]uint32
	// ends has for each node the pattern of the prefix that ends there.
	ends []pattern
}

func newTrie() trie { return trie{edges: map[uint64]uint32{}, ends: []pattern{none}} }

func edge(node uint32, c byte) uint64 { return uint64(node)<<8 | uint64(c) }

// end is the place for the pattern of a prefix, which must not be empty. It is good until the next call.
func (t *trie) end(prefix string) *pattern {
	node := t.roots[prefix[0]]
	if node == 0 {
		node = t.grow()
		t.roots[prefix[0]] = node
	}
	for i := 1; i < len(prefix); i++ {
		next, ok := t.edges[edge(node, prefix[i])]
		if !ok {
			next = t.grow()
			t.edges[edge(node, prefix[i])] = next
		}
		node = next
	}
	return &t.ends[node]
}

func (t *trie) grow() uint32 {
	t.ends = append(t.ends, none)
	return uint32(len(t.ends) - 1)
}

// beginnings calls f with the pattern of each prefix that the word begins with.
func (t *trie) beginnings(word []byte, f func(pattern)) {
	if len(word) == 0 {
		return
	}
	node := t.roots[word[0]]
	for i := 1; node != 0; i++ {
		if p := t.ends[node]; p != none {
			f(p)
		}
		if i == len(word) {
			return
		}
		node = t.edges[edge(node, word[i])]
	}
}
