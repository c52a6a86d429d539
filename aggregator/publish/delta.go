package publish

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
)

// edition is what a rendering of a feed knows of those before it, to tell a reader who has one of them only what is new
// (RFC 3229, with the instance manipulation "feed": what has not changed is left out).
//
// An entry is the same where its bytes are. What is remembered is, for each entry of the present edition, the first
// edition that has had it ever since: who has that edition or a later one has the entry.
type edition struct {
	number uint32
	// entries are the places of the entries in the plain document, separator is what is between two of them.
	entries   []span
	separator string
	hashes    []uint64
	since     []uint32
	tags      *tagLog

	mu     sync.Mutex
	deltas map[uint32]*form
}

// span is a part of a document's bytes.
type span struct{ start, end int }

// maxDeltas is how many deltas of a rendering are kept: readers who come again have one of the latest editions.
const maxDeltas = 8

// newEdition is that of a rendering that follows one with the edition before, which is nil where there is none.
func newEdition(k kind, body []byte, before *edition, seed maphash.Seed) *edition {
	e := &edition{number: 1, tags: &tagLog{}, deltas: map[uint32]*form{}}
	e.entries, e.separator = entriesOf(k, body)
	known := map[uint64]uint32{}
	if before != nil {
		e.number, e.tags = before.number+1, before.tags
		for i, hash := range before.hashes {
			known[hash] = before.since[i]
		}
	}
	for _, s := range e.entries {
		hash := maphash.Bytes(seed, body[s.start:s.end])
		since, ok := known[hash]
		if !ok {
			since = e.number
		}
		e.hashes, e.since = append(e.hashes, hash), append(e.since, since)
	}
	return e
}

func (e *edition) size() int {
	if e == nil {
		return 0
	}
	return len(e.entries)*(16+8+4) + e.tags.size()
}

// entriesOf finds the entries in a feed as this package writes it. In XML, and in the HTML within it, no other element
// has the names; in JSON, a line ends only between values, and begins with as many spaces as the value is deep.
func entriesOf(k kind, body []byte) (entries []span, separator string) {
	begin, end, separator := "\n  <entry", "\n  </entry>", "\n"
	at := 0
	switch k {
	case kindRSS:
		begin, end = "\n    <item>", "\n    </item>"
	case kindJSON:
		begin, end, separator = "\n  {", "\n  }", ",\n"
		if at = bytes.Index(body, []byte("\n \"items\": [\n")); at < 0 {
			return nil, separator
		}
	}
	for {
		start := bytes.Index(body[at:], []byte(begin))
		if start < 0 {
			return entries, separator
		}
		start += at + 1 // behind the end of the line before
		length := bytes.Index(body[start:], []byte(end))
		if length < 0 {
			return entries, separator
		}
		at = start + length + len(end)
		entries = append(entries, span{start, at})
		if k == kindJSON && !bytes.HasPrefix(body[at:], []byte(",")) {
			return entries, separator // what follows is no longer in the list
		}
	}
}

// delta is the rendering's document with only those entries that were not in the edition as they are now; ok is false
// where that would be all of them.
func (r *rendering) delta(since uint32) (delta *form, ok bool) {
	e := r.edition
	e.mu.Lock()
	defer e.mu.Unlock()
	if f := e.deltas[since]; f != nil {
		return f, true
	}
	body := r.form.plain().body
	var parts [][]byte
	for i, s := range e.entries {
		if e.since[i] > since {
			parts = append(parts, body[s.start:s.end])
		}
	}
	if len(parts) == len(e.entries) {
		return nil, false
	}
	delta = newForm(r.form.packers, slices.Concat(
		body[:e.entries[0].start], bytes.Join(parts, []byte(e.separator)), body[e.entries[len(e.entries)-1].end:]))
	if len(e.deltas) < maxDeltas {
		e.deltas[since] = delta
		delta.made = func(v *variant) { r.grow(len(v.body)) }
		delta.made(delta.plain())
	}
	return delta, true
}

// tagLog remembers which edition of a feed an entity tag was given to.
type tagLog struct {
	mu   sync.Mutex
	tags []editionTag // oldest first
}

type editionTag struct {
	tag    string
	number uint32
}

// maxTags is how many are remembered: three for each edition in all encodings.
const maxTags = 192

// tagSize is about what a tag takes.
const tagSize = 80

func (l *tagLog) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tags) * tagSize
}

func (l *tagLog) add(tag string, number uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tags) == maxTags {
		l.tags = append(l.tags[:0], l.tags[1:]...)
	}
	l.tags = append(l.tags, editionTag{tag, number})
}

// maxAsked is how many of a request's tags are looked for: a header has room for thousands.
const maxAsked = 32

// latest is the latest edition that one of a request's first tags was given to.
func (l *tagLog) latest(ifNoneMatch []string) (found editionTag) {
	l.mu.Lock()
	defer l.mu.Unlock()
	looked := 0
	for tag := range entityTags(ifNoneMatch) {
		if looked++; looked > maxAsked {
			break
		}
		for _, known := range l.tags {
			if known.tag == tag && known.number > found.number {
				found = known
			}
		}
	}
	return found
}

// wantsFeedDelta reports whether a request's A-IM (RFC 3229 section 10.5.3) has "feed".
func wantsFeedDelta(fields []string) bool {
	for _, line := range fields {
		for part := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "feed") && weightOf(parameters) > 0 {
				return true
			}
		}
	}
	return false
}
