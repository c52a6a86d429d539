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
	edges edges
	// ends has for each node the pattern of the prefix that ends there.
	ends []pattern
}

func newTrie() trie { return trie{ends: []pattern{none}} }

// edges is a hash table from a node and a byte to the next node, with open addressing: most look-ups of a text are for
// what is not there, and those end in the line of memory that they begin in.
type edges struct {
	slots []slot // as many as a power of two, at least half of them empty
	used  int
}

// slot is an edge, or empty where it leads to node 0.
type slot struct {
	key  uint64
	next uint32
}

func edge(node uint32, c byte) uint64 { return uint64(node)<<8 | uint64(c) }

// find is the slot of the edge, or the empty one where it would be. There must be slots.
func (e *edges) find(key uint64) *slot {
	mask := uint64(len(e.slots) - 1)
	// Fibonacci hashing spreads keys that lie side by side, as these do.
	for i := key * 0x9E3779B97F4A7C15 >> 32; ; i++ {
		if s := &e.slots[i&mask]; s.key == key || s.next == 0 {
			return s
		}
	}
}

// next is where the edge leads, 0 where there is none.
func (e *edges) next(node uint32, c byte) uint32 {
	if e.used == 0 {
		return 0
	}
	return e.find(edge(node, c)).next
}

// add adds an edge that is not there.
func (e *edges) add(node uint32, c byte, next uint32) {
	if 2*(e.used+1) > len(e.slots) {
		old := e.slots
		e.slots = make([]slot, max(16, 2*len(old)))
		for _, s := range old {
			if s.next != 0 {
				*e.find(s.key) = s
			}
		}
	}
	*e.find(edge(node, c)) = slot{edge(node, c), next}
	e.used++
}

// end is the place for the pattern of a prefix, which must not be empty. It is good until the next call.
func (t *trie) end(prefix string) *pattern {
	node := t.roots[prefix[0]]
	if node == 0 {
		node = t.grow()
		t.roots[prefix[0]] = node
	}
	for i := 1; i < len(prefix); i++ {
		next := t.edges.next(node, prefix[i])
		if next == 0 {
			next = t.grow()
			t.edges.add(node, prefix[i], next)
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
		node = t.edges.next(node, word[i])
	}
}

// endings is beginnings for a trie that holds endings written backwards.
func (t *trie) endings(word []byte, f func(pattern)) {
	if len(word) == 0 {
		return
	}
	node := t.roots[word[len(word)-1]]
	for i := len(word) - 2; node != 0; i-- {
		if p := t.ends[node]; p != none {
			f(p)
		}
		if i < 0 {
			return
		}
		node = t.edges.next(node, word[i])
	}
}
