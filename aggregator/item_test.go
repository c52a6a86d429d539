package aggregator_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
)

// Every stored id and hash is made so, and none may ever become another.
func TestHashOf(t *testing.T) {
	for _, parts := range [][]string{
		{""}, {"one"}, {strings.Repeat("one", 1000)}, {"", ""}, {"feed", "guid", "7"}, {"a", strings.Repeat("b", 491)},
		{"a", strings.Repeat("b", 10_000), "", "c"}, make([]string, 60),
	} {
		var all bytes.Buffer
		for _, p := range parts {
			if len(parts) > 1 {
				fmt.Fprintf(&all, "%d:", len(p))
			}
			all.WriteString(p)
		}
		sum := sha256.Sum256(all.Bytes())
		if got := aggregator.HashOf(parts...); got != aggregator.Hash(sum[:16]) {
			t.Errorf("HashOf of %d parts, %d bytes: %v, want %x", len(parts), all.Len(), got, sum[:16])
		}
	}
}
