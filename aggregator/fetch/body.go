package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// errTooBig is a reader that had more to say than it may.
var errTooBig = errors.New("too big")

// body reads the answer's body, closes it, and undoes its encodings.
func (g *get) body(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	limit, key := g.client.options.MaxDownload, g.client.options.downloadKey
	if resp.ContentLength > limit {
		return nil, because("the answer has %s, above the limit %s (%s): raise it if the feed is worth it",
			size(resp.ContentLength), key, size(limit))
	}
	encodings, err := encodingsOf(resp.Header)
	if err != nil {
		return nil, err
	}
	scratch := g.client.scratch.get()
	defer g.client.scratch.put(scratch)
	raw, err := readUpTo((*scratch)[:0], counted{resp.Body, &g.watch.read}, limit)
	*scratch, g.bytes = raw, int64(len(raw))
	switch {
	case err == errTooBig:
		return nil, because("the answer is above the limit %s (%s): raise it if the feed is worth it", key, size(limit))
	case errors.Is(err, io.ErrUnexpectedEOF):
		of := ""
		if resp.ContentLength > 0 {
			of = fmt.Sprintf(" of %d", resp.ContentLength)
		}
		return nil, because("the answer was cut off after %d%s bytes: nothing to do unless it lasts", len(raw), of)
	case err != nil:
		return nil, err
	}
	body, err := g.decode(raw, encodings)
	if err != nil || body != nil {
		return body, err
	}
	if most := g.client.options.MaxBody; int64(len(raw)) > most {
		return nil, because("the document has %s, above the limit fetch.max_body (%s): raise it if the feed is worth it",
			size(int64(len(raw))), size(most))
	}
	return handOver(scratch), nil
}

// counted tells the watch how much of the body has come.
type counted struct {
	io.Reader
	read *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// decode undoes the encodings, the last one first. It returns nil where there was nothing to undo.
func (g *get) decode(raw []byte, encodings []string) (body []byte, err error) {
	data := raw
	// What is left when all labels are undone may still be compressed: servers that hand out files by name send
	// compressed ones without a word. No document begins like this.
	for _, label := range slices.Backward(append([]string{identity}, encodings...)) {
		encoding := actualEncoding(data, label)
		if encoding == identity {
			continue
		}
		if body, err = g.inflate(data, encoding); err != nil {
			return nil, err
		}
		data = body
	}
	return body, nil
}

// inflate undoes one encoding into a slice of its own.
func (g *get) inflate(data []byte, encoding string) ([]byte, error) {
	limit := g.client.options.MaxBody
	scratch := g.client.scratch.get()
	defer g.client.scratch.put(scratch)
	out, err := g.client.decoders.decode((*scratch)[:0], data, encoding, limit)
	*scratch = out
	switch {
	case err == errUnknownEncoding:
		return nil, because("the answer is encoded as %q, which was not asked for and is not understood", clip(encoding))
	case err == errTooBig:
		return nil, because("the document is above the limit fetch.max_body (%s) when decompressed (from %s of %s): "+
			"raise it if the feed is worth it", size(limit), size(int64(len(data))), encoding)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, because("the answer's %s data ends too early: nothing to do unless it lasts", encoding)
	case err != nil:
		return nil, because("the answer's %s data is damaged (%v): nothing to do unless it lasts", encoding, err)
	}
	return handOver(scratch), nil
}

// handOver is what the buffer holds as a slice of its own, never nil: a copy, or the buffer itself where that is too
// large to be kept for the next answer.
func handOver(scratch *[]byte) []byte {
	out := *scratch
	if cap(out) > maxScratch {
		*scratch = nil
		return out
	}
	return append(make([]byte, 0, len(out)), out...)
}

// readUpTo appends what r has to dst, errTooBig if that is more than limit bytes. The slice grows with what comes.
func readUpTo(dst []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		room := dst[len(dst):cap(dst)]
		// One byte above the limit tells a body that is too big from one that just fits.
		if left := limit + 1 - int64(len(dst)); int64(len(room)) > left {
			room = room[:left]
		}
		n, err := r.Read(room)
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)) > limit:
			return dst[:limit], errTooBig
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// discard reads what little an answer without a document has, so that its connection can be used again, and closes it.
func discard(resp *http.Response) {
	const little = 16 << 10
	if resp.ContentLength != 0 && resp.ContentLength <= little {
		// How it ends does not matter: the status has said what there is to say.
		_, _ = io.CopyN(io.Discard, resp.Body, little)
	}
	resp.Body.Close()
}

// maxScratch is the largest buffer that is kept for the next answer, in bytes.
const maxScratch = 1 << 20

// scratchPool keeps buffers that bodies are read into before their size is known.
type scratchPool struct{ pool sync.Pool }

func (p *scratchPool) get() *[]byte {
	if buf, ok := p.pool.Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, 0, 32<<10)
	return &buf
}

func (p *scratchPool) put(buf *[]byte) {
	if cap(*buf) > 0 && cap(*buf) <= maxScratch {
		p.pool.Put(buf)
	}
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
