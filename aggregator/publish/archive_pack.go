package publish

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/topicwire/topicwire/aggregator"
)

// pagePacker writes pages as the store keeps them.
type pagePacker struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxPage is the most that a page may claim to hold: a spoiled one must not make the process ask for all memory.
const maxPage = 256 << 20

func newPagePacker() (pagePacker, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return pagePacker{}, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxPage))
	return pagePacker{enc, dec}, err
}

// swaps are how documents are written before they are compressed: what they escape as it is, and what they do not escape
// by control characters, which no document has. All of them then say the same with the same bytes, so that the second and
// third take little room. RSS has its content without escapes.
var swaps = [...]struct{ write, read *strings.Replacer }{
	newSwap("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&#xA;", "\n", "&amp;", "&"),
	newSwap(),
	newSwap(`\"`, `"`, `\n`, "\n", `\\`, `\`),
}

// newSwap makes a swap of pairs of an escape and the character that it stands for.
func newSwap(escapes ...string) (s struct{ write, read *strings.Replacer }) {
	var write, read []string
	for i := 0; i < len(escapes); i += 2 {
		write, read = append(write, escapes[i], escapes[i+1]), append(read, escapes[i+1], escapes[i])
	}
	for i := 1; i < len(escapes); i += 2 {
		control := string(rune(1 + i/2))
		write, read = append(write, escapes[i], control), append(read, control, escapes[i])
	}
	s.write, s.read = strings.NewReplacer(write...), strings.NewReplacer(read...)
	return s
}

// pack writes when the page was made and its stories, and then its three documents in one zstd frame (RFC 8878), each
// behind its length, the last bit of which says that it is swapped.
func (p pagePacker) pack(page *archivePage) []byte {
	out := binary.AppendVarint(nil, page.made.Unix())
	out = binary.AppendUvarint(out, uint64(len(page.stories)))
	for _, id := range page.stories {
		out = append(out, id[:]...)
	}
	var documents []byte
	for i, d := range [][]byte{page.atom, page.rss, page.json} {
		written, swapped := swaps[i].write.Replace(string(d)), uint64(1)
		if swaps[i].read.Replace(written) != string(d) { // whatever is in it, it has to come back
			written, swapped = string(d), 0
		}
		documents = append(binary.AppendUvarint(documents, uint64(len(written))<<1|swapped), written...)
	}
	return p.enc.EncodeAll(documents, out)
}

var errPage = errors.New("what is stored of it is damaged")

func (p pagePacker) unpack(value []byte) (*archivePage, error) {
	seconds, n := binary.Varint(value)
	if n <= 0 {
		return nil, errPage
	}
	value = value[n:]
	count, n := binary.Uvarint(value)
	if n <= 0 || count > uint64(len(value)-n)/16 {
		return nil, errPage
	}
	value = value[n:]
	page := &archivePage{made: time.Unix(seconds, 0).UTC(), stories: make([]aggregator.StoryID, count)}
	for i := range page.stories {
		page.stories[i], value = aggregator.StoryID(value[:16]), value[16:]
	}
	documents, err := p.dec.DecodeAll(value, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPage, err)
	}
	for i, d := range []*[]byte{&page.atom, &page.rss, &page.json} {
		head, n := binary.Uvarint(documents)
		size := head >> 1
		if n <= 0 || size > uint64(len(documents)-n) {
			return nil, errPage
		}
		written := documents[n : n+int(size)]
		if head&1 == 1 {
			written = []byte(swaps[i].read.Replace(string(written)))
		}
		*d, documents = written, documents[n+int(size):]
	}
	return page, nil
}
