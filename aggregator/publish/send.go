package publish

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"
)

// sharedFields are of headers that many answers share. Nobody changes them.
type sharedFields struct {
	nosniff, varyEncoding, varyDelta, feed []string
}

func newSharedFields() sharedFields {
	return sharedFields{
		nosniff: []string{"nosniff"}, varyEncoding: []string{"Accept-Encoding"},
		varyDelta: []string{"Accept-Encoding, A-IM, If-None-Match"}, feed: []string{"feed"},
	}
}

// send answers with the rendering in the encoding that the request prefers, or says that its sender has it already. asked
// is a time before the rendering was looked up. It is what most requests end in: the fields of the header are ready,
// under the names that net/http gives them, and nothing is made for a single answer.
func (s *site) send(w http.ResponseWriter, r *http.Request, rendered *rendering, asked time.Time, maxAge time.Duration) {
	v := s.variant(r.Context(), rendered.form, r.Header)
	header := w.Header()
	header["Vary"] = s.fields.varyEncoding
	header["Cache-Control"] = rendered.cacheControl(maxAge)
	header["Etag"] = v.etag
	shown, modified := rendered.dates(asked)
	header["Last-Modified"] = shown
	more := asksForMore(r.Header)
	if !more && notModified(r.Header, v.etag[0], modified) {
		delete(header, "X-Content-Type-Options") // it is about a body
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header["Content-Type"] = rendered.mediaType
	if v.coding != nil {
		header["Content-Encoding"] = v.coding
	}
	switch {
	case more:
		if v.coding != nil && r.Header.Get("Range") == "" { // net/http leaves it out where there is an encoding
			header["Content-Length"] = v.length
		}
		http.ServeContent(w, conditions(r, modified), "", modified, bytes.NewReader(v.body))
	case !s.sendDelta(w, r, rendered, maxAge):
		s.write(w, r, http.StatusOK, v)
	}
}

// variant is the form in the encoding that is preferred, or as it is where that cannot be made.
func (s *site) variant(ctx context.Context, f *form, header http.Header) *variant {
	v, err := f.variant(preferred(header["Accept-Encoding"]))
	if err != nil {
		s.options.Log.ErrorContext(ctx, "could not compress", "error", err)
		return f.plain()
	}
	return v
}

func (s *site) write(w http.ResponseWriter, r *http.Request, status int, v *variant) {
	w.Header()["Content-Length"] = v.length
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(v.body) // a reader that is gone needs no answer
	}
}

// sendDelta answers a request that has an earlier edition of a feed, and understands that, with what is new since
// (RFC 3229). It reports whether it did. The entity tag is that of the whole, which the reader has then; caches that do
// not know of deltas must not keep the answer (section 10.8.1).
func (s *site) sendDelta(w http.ResponseWriter, r *http.Request, rendered *rendering, maxAge time.Duration) bool {
	if rendered.edition == nil || !wantsFeedDelta(r.Header["A-Im"]) {
		return false
	}
	base := rendered.edition.tags.latest(r.Header["If-None-Match"])
	if base.number == 0 || base.number >= rendered.edition.number {
		return false
	}
	delta, ok := rendered.delta(base.number)
	if !ok {
		return false
	}
	v := s.variant(r.Context(), delta, r.Header)
	header := w.Header()
	header["Im"] = s.fields.feed
	header["Delta-Base"] = []string{base.tag}
	header["Vary"] = s.fields.varyDelta
	header["Cache-Control"] = []string{"no-store, im, " + strings.TrimPrefix(rendered.cacheControl(maxAge)[0], "public, ")}
	delete(header, "Content-Encoding")
	if v.coding != nil {
		header["Content-Encoding"] = v.coding
	}
	s.write(w, r, http.StatusIMUsed, v)
	return true
}

// conditions is the request with its conditions in the form in which net/http takes them for what they are: of a list in
// several lines it reads the first alone, and of a date it asks whether it is later. See notModified.
func conditions(r *http.Request, modified time.Time) *http.Request {
	r = r.Clone(r.Context())
	if tags := r.Header["If-None-Match"]; len(tags) > 1 {
		r.Header["If-None-Match"] = []string{strings.Join(tags, ", ")}
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	if err != nil || !since.Equal(modified) {
		r.Header.Del("If-Modified-Since")
	}
	return r
}
