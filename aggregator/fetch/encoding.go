package fetch

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// maxLayers bounds how many encodings a body may be wrapped in. One is usual, two happen by mistake.
const maxLayers = 3

// The names of the content codings (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). The deflate coding is zlib data by
// the specification and raw DEFLATE data in some servers.
const (
	identity   = "identity"
	gzipped    = "gzip"
	deflated   = "deflate"
	rawDeflate = "raw deflate"
	brotlied   = "br"
	zstandard  = "zstd"
)

// encodingsOf are the content codings of the answer in the order in which they were applied.
func encodingsOf(h http.Header) ([]string, error) {
	var list []string
	for _, line := range h["Content-Encoding"] {
		for token := range strings.SplitSeq(line, ",") {
			token = strings.ToLower(strings.TrimSpace(token))
			switch token {
			case "", identity:
				continue
			case "x-gzip": // RFC 9110 section 8.4.1.3
				token = gzipped
			}
			if list = append(list, token); len(list) > maxLayers {
				return nil, because("the answer is encoded more than %d times over: the publisher's server is broken",
					maxLayers)
			}
		}
	}
	return list, nil
}

// actualEncoding is how data is encoded, which its label may get wrong: identity for a document whose compression is
// only claimed (a proxy that undid it and left the header), and the other way round.
func actualEncoding(data []byte, label string) string {
	switch {
	case len(data) == 0:
		return identity
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}): // RFC 1952 section 2.3.1
		return gzipped
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878 section 3.1.1
		return zstandard
	case looksLikeText(data), label == gzipped && hasWideMark(data):
		return identity
	case label == deflated && !isZlib(data):
		return rawDeflate
	}
	return label
}

// isZlib looks for the two-byte header of RFC 1950 section 2.2.
func isZlib(data []byte) bool {
	return len(data) >= 2 && data[0]&0x0f == 8 && (int(data[0])<<8|int(data[1]))%31 == 0
}

// looksLikeText reports whether data begins like a document does: with "<" or "{", perhaps after a byte order mark and
// white space, and without a control character, which compressed data does not go without for long.
func looksLikeText(data []byte) bool {
	head := bytes.TrimPrefix(data[:min(len(data), 512)], []byte("\xef\xbb\xbf"))
	for _, b := range head {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f' {
			return false
		}
	}
	head = bytes.TrimLeft(head, " \t\r\n\f")
	return len(head) > 0 && (head[0] == '<' || head[0] == '{')
}

// hasWideMark looks for the byte order mark of UTF-16.
func hasWideMark(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff})
}

// errUnknownEncoding is a label that no decoder goes by.
var errUnknownEncoding = errors.New("unknown encoding")

// decoders keeps decompressors for the next answer, since each is tens of kilobytes of tables.
type decoders struct{ gzip, zlib, flate, brotli, zstd sync.Pool }

// decode appends to dst what data holds, up to limit bytes.
func (d *decoders) decode(dst, data []byte, encoding string, limit int64) ([]byte, error) {
	src := bytes.NewReader(data)
	// A decoder that waits in its pool must not keep the body.
	defer src.Reset(nil)
	switch encoding {
	case gzipped:
		return d.gunzip(dst, src, limit)
	case deflated:
		r, err := reuse(&d.zlib, src, zlib.NewReader,
			func(r io.ReadCloser) error { return r.(zlib.Resetter).Reset(src, nil) })
		if err != nil {
			return dst, err
		}
		defer d.zlib.Put(r)
		return readUpTo(dst, r, limit)
	case rawDeflate:
		r, err := reuse(&d.flate, src,
			func(src io.Reader) (io.ReadCloser, error) { return flate.NewReader(src), nil },
			func(r io.ReadCloser) error { return r.(flate.Resetter).Reset(src, nil) })
		if err != nil {
			return dst, err
		}
		defer d.flate.Put(r)
		return readUpTo(dst, r, limit)
	case brotlied:
		r, err := reuse(&d.brotli, src,
			func(src io.Reader) (*brotli.Reader, error) { return brotli.NewReader(src), nil },
			func(r *brotli.Reader) error { return r.Reset(src) })
		if err != nil {
			return dst, err
		}
		defer d.brotli.Put(r)
		return readUpTo(dst, r, limit)
	case zstandard:
		r, err := reuse(&d.zstd, src, newZstd, func(r *zstd.Decoder) error { return r.Reset(src) })
		if err != nil {
			return dst, err
		}
		defer d.zstd.Put(r)
		return readUpTo(dst, r, limit)
	}
	return dst, errUnknownEncoding
}

// gunzip reads all members of a gzip file (RFC 1952 section 2.2). What follows the last one and is none is padding,
// which some servers add.
func (d *decoders) gunzip(dst []byte, src *bytes.Reader, limit int64) ([]byte, error) {
	r, err := reuse(&d.gzip, src,
		func(src io.Reader) (*gzip.Reader, error) { return gzip.NewReader(src) },
		func(r *gzip.Reader) error { return r.Reset(src) })
	if err != nil {
		return dst, err
	}
	defer d.gzip.Put(r)
	for {
		r.Multistream(false)
		if dst, err = readUpTo(dst, r, limit); err != nil {
			return dst, err
		}
		if err := r.Reset(src); err != nil {
			return dst, nil
		}
	}
}

// newZstd makes a decoder that works in the caller's goroutine and with no larger a window than RFC 9659 allows in
// HTTP, which bounds its memory.
func newZstd(src io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20))
}

// reuse takes a decoder from the pool and resets it, or makes one.
func reuse[T any](pool *sync.Pool, src io.Reader, fresh func(io.Reader) (T, error), reset func(T) error) (T, error) {
	if r, ok := pool.Get().(T); ok {
		return r, reset(r)
	}
	return fresh(src)
}
