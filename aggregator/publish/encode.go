package publish

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// encoding is a content coding (RFC 9110 section 8.4.1) that is offered.
type encoding int

const (
	identity encoding = iota
	gzipped
	brotlied
	encodings // how many there are
)

// brotliLevel makes feeds a sixth smaller than gzip does, in about its time; the levels above take several times that.
const brotliLevel = 5

// variant is a document in one encoding, with the header fields that tell of it as a header holds them. Nobody changes
// the fields, so that all answers share them.
type variant struct {
	body                 []byte
	etag, length, coding []string
}

// newVariant gives the body a strong entity tag (RFC 9110 section 8.8.3) that depends on nothing but its bytes.
func newVariant(coding encoding, body []byte) *variant {
	sum := sha256.Sum256(body)
	v := &variant{
		body: body, etag: []string{`"` + hex.EncodeToString(sum[:16]) + `"`}, length: []string{strconv.Itoa(len(body))},
	}
	switch coding {
	case gzipped:
		v.coding = []string{"gzip"}
	case brotlied:
		v.coding = []string{"br"}
	}
	return v
}

// form is a document in all encodings. Each is made when it is first asked for, once.
type form struct {
	packers  *packers
	variants [encodings]struct {
		once sync.Once
		made *variant
		err  error
	}
	// made, when set, is told of every variant that is made later than the first.
	made func(*variant)
}

func newForm(p *packers, body []byte) *form {
	f := &form{packers: p}
	f.variants[identity].once.Do(func() { f.variants[identity].made = newVariant(identity, body) })
	return f
}

// plain is the document as it is.
func (f *form) plain() *variant { return f.variants[identity].made }

func (f *form) variant(coding encoding) (*variant, error) {
	v := &f.variants[coding]
	v.once.Do(func() {
		packed, err := f.packers.pack(coding, f.plain().body)
		if err != nil {
			v.err = err
			return
		}
		v.made = newVariant(coding, packed)
		if f.made != nil {
			f.made(v.made)
		}
	})
	return v.made, v.err
}

// packers compress. What a compressor works with is large: it is used again, and slots bounds how many work at once.
type packers struct {
	pools [encodings]sync.Pool
	slots chan struct{}
}

func newPackers() *packers {
	p := &packers{slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	p.pools[gzipped].New = func() any { return gzip.NewWriter(io.Discard) }
	p.pools[brotlied].New = func() any { return brotli.NewWriterLevel(io.Discard, brotliLevel) }
	return p
}

type packer interface {
	io.WriteCloser
	Reset(io.Writer)
}

func (p *packers) pack(coding encoding, body []byte) ([]byte, error) {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	w := p.pools[coding].Get().(packer)
	defer p.pools[coding].Put(w)
	var packed bytes.Buffer
	w.Reset(&packed)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return bytes.Clone(packed.Bytes()), nil // without the room that the buffer has left
}

// preferred is the encoding that a request wants most by its Accept-Encoding (RFC 9110 section 12.5.3): of those with the
// greatest weight the one that makes the least bytes. A request that allows none is given the document as it is, which
// section 12.5.3 leaves to the server.
func preferred(accept []string) encoding {
	if len(accept) == 0 {
		return identity
	}
	const unset = -1
	weights := [encodings]float64{unset, unset, unset}
	others := float64(unset) // the weight of "*"
	for _, line := range accept {
		for line != "" {
			var part string
			part, line, _ = strings.Cut(line, ",")
			name, parameters, _ := strings.Cut(part, ";")
			weight := weightOf(parameters)
			switch name = strings.TrimSpace(name); {
			case strings.EqualFold(name, "br"):
				weights[brotlied] = weight
			case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
				weights[gzipped] = weight
			case strings.EqualFold(name, "identity"):
				weights[identity] = weight
			case name == "*":
				others = weight
			}
		}
	}
	best, greatest := identity, 0.0
	for coding := brotlied; coding >= identity; coding-- {
		weight := weights[coding]
		switch {
		case weight != unset:
		case others != unset:
			weight = others
		case coding != identity:
			weight = 0
		default: // allowed where nothing is said of it, and wanted less than what was named
			weight = 0.0005
		}
		if weight > greatest {
			best, greatest = coding, weight
		}
	}
	return best
}

// weightOf reads a weight (RFC 9110 section 12.4.2): 1 where there is none, 0 where it cannot be read.
func weightOf(parameters string) float64 {
	key, value, ok := strings.Cut(parameters, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(key), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
