package parse

import (
	"bytes"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// Most of what a poll brings was there the last time. An item whose bytes are the same, and whose head says the same
// about it, is the same item: it is neither given to gofeed nor put together again.

// knownXML is what look asks of items in XML: nil where all are to be read.
func (b *builder) knownXML() func(item, inherited []byte) (aggregator.Hash, bool) {
	if b.known == nil {
		return nil
	}
	var hash aggregator.Hash
	return func(item, inherited []byte) (aggregator.Hash, bool) {
		if hash.IsZero() {
			hash = aggregator.HashOf(inherited, []byte(b.url))
		}
		return b.isKnown(hash, item)
	}
}

// isKnown is the hash of an item and whether it is known; if so, it is noted as skipped.
func (b *builder) isKnown(inherited aggregator.Hash, item []byte) (aggregator.Hash, bool) {
	hash := aggregator.HashOf(inherited[:], item)
	if !b.known(hash) {
		return hash, false
	}
	b.doc.Skipped = append(b.doc.Skipped, hash)
	return hash, true
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
		item := in.data[at.start:at.end]
		if hash, known := b.isKnown(inherited, item); !known {
			fresh = append(fresh, item)
			b.fresh = append(b.fresh, hash)
		}
	}
	return slices.Concat(head, bytes.Join(fresh, []byte(",")), tail)
}
