package parse

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// Most of what a poll brings was there the last time. An item whose bytes are the same, and whose head says the same
// about it, is the same item: it is neither given to gofeed nor put together again.

// skipKnown takes the known items out of what is left to read, and notes the hashes of all.
func (b *builder) skipKnown(data []byte, s *survey) {
	if b.known == nil {
		return
	}
	inherited := aggregator.HashOf(s.inherited, []byte(b.url))
	fresh := s.items[:0:0]
	for _, f := range s.items {
		if b.isKnown(inherited, data[f.at.start:f.at.end]) {
			s.cuts = append(s.cuts, f.at)
			continue
		}
		fresh = append(fresh, f)
	}
	s.items = fresh
	// Cuts inside a cut come after it, and are then passed over.
	slices.SortFunc(s.cuts, func(x, y span) int { return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(y.end, x.end)) })
}

func (b *builder) isKnown(inherited aggregator.Hash, item []byte) bool {
	hash := aggregator.HashOf(inherited[:], item)
	if !b.known(hash) {
		b.fresh = append(b.fresh, hash)
		return false
	}
	b.doc.Skipped = append(b.doc.Skipped, hash)
	return true
}

// freshJSON is a JSON feed without its known items.
func (b *builder) freshJSON(in *input) []byte {
	if b.known == nil || len(in.spans) == 0 {
		return in.data
	}
	first, last := in.spans[0].start, in.spans[len(in.spans)-1].end
	head, tail := in.data[:first], in.data[last:]
	inherited := aggregator.HashOf(head, tail, []byte(b.url))
	var fresh [][]byte
	for _, at := range in.spans {
		if item := in.data[at.start:at.end]; !b.isKnown(inherited, item) {
			fresh = append(fresh, item)
		}
	}
	return slices.Concat(head, bytes.Join(fresh, []byte(",")), tail)
}
