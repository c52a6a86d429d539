package websub

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"math/bits"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// maxDeliveries is how many deliveries are read and stored at once, maxReading how many bytes they may have together or,
	// where that is more, as many as one may; sourceDeliveries is how many there are of one hub for one feed.
	maxDeliveries, sourceDeliveries = 32, 2
	maxReading                      = 64 << 20
	// startWait is how long a request waits for the subscriber to know what there is.
	startWait = 10 * time.Second
	// owedRetry is how long is waited after asking for a poll has failed.
	owedRetry = 10 * time.Second
)

// ServeHTTP answers the hubs at their callbacks.
func (s *Subscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	// Not every hub sends again what it is told to at a start.
	starting := time.NewTimer(startWait)
	defer starting.Stop()
	select {
	case <-s.ready:
	case <-starting.C:
		unavailable(w)
		return
	case <-r.Context().Done():
		return
	}
	// By the hash, so that how long the look-up takes says nothing about the tokens that there are.
	s.mu.Lock()
	src := s.sources[sourceKey(path.Base(r.URL.Path))]
	gone, secret := src == nil || src.Ending, ""
	if !gone {
		secret = src.Secret // the one of this callback: another hub may be asked meanwhile, under another
	}
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && src != nil:
		s.answerConfirmation(w, r, src)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		http.Error(w, "there is nothing here", http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "hubs confirm with GET and deliver with POST", http.StatusMethodNotAllowed)
	case gone:
		// A hub may end a subscription when it is told this (WebSub section 7).
		http.Error(w, "this subscription has ended", http.StatusGone)
	default:
		s.take(w, r, src, secret)
	}
}

// enter makes room for a delivery of so many bytes, where there is not too much to do; else the feed is polled. The caller
// ends it with leave.
func (s *Subscriber) enter(src *source, size int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src.taking == sourceDeliveries || s.taking == maxDeliveries || s.reading+size > max(maxReading, s.MaxBody) {
		s.owe(src)
		return false
	}
	src.taking++
	s.taking++
	s.reading += size
	return true
}

func (s *Subscriber) leave(src *source, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src.taking--
	s.taking--
	s.reading -= size
}

// owe takes note that the hub has something that could not be taken. s.mu is locked.
func (s *Subscriber) owe(src *source) {
	if !src.Owed {
		src.Owed = true
		s.keep(src)
	}
	nudge(s.wake)
}

// take takes a delivery that is to be signed with the secret (WebSub section 7). What is new in it is durable when it is
// acknowledged.
func (s *Subscriber) take(w http.ResponseWriter, r *http.Request, src *source, secret string) {
	size := s.MaxBody
	if r.ContentLength >= 0 { // else it is not known
		size = min(size, r.ContentLength)
	}
	if !s.enter(src, size) {
		unavailable(w)
		return
	}
	defer s.leave(src, size)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		// It cannot be checked, and would come again: all that is known is that there is news.
		body = nil
	case err != nil:
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	case !signed(r.Header.Values("X-Hub-Signature"), secret, body):
		// To be acknowledged and ignored (WebSub section 8).
		s.unsigned(src, r.Header.Get("X-Hub-Signature") == "")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	s.mu.Lock()
	document := src.Document
	s.mu.Unlock()
	got, err := s.receiver.Deliver(r.Context(), src.Feed, aggregator.Pushed{
		Document: document, ContentType: r.Header.Get("Content-Type"), Body: body,
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, aggregator.ErrNotFound):
		http.Error(w, "this subscription has ended", http.StatusGone)
	case err != nil:
		s.Log.Warn("what a hub sent could not be taken; the feed is polled, unless the hub sends it again before", "feed", src.Feed, "hub", hostOf(src.Hub), "error", err)
		s.owe(src)
		unavailable(w)
	default:
		src.delivered(got.New, got.Outcome == aggregator.OutcomeFailed, s.Now().UTC())
		if strings.HasPrefix(src.Trouble, notSigned) {
			src.Trouble = ""
		}
		s.keep(src)
		w.WriteHeader(http.StatusOK)
	}
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	http.Error(w, "this cannot be taken at present", http.StatusServiceUnavailable)
}

// notSigned begins the trouble of a hub whose deliveries are ignored.
const notSigned = "what its hub sent was ignored: "

// unsigned takes note of a delivery that is not signed as it should be.
func (s *Subscriber) unsigned(src *source, missing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src.Unsigned++
	src.Trouble = notSigned + "its signature is wrong"
	if missing {
		src.Trouble = notSigned + "it is not signed"
	}
	s.keep(src)
	if bits.OnesCount(uint(src.Unsigned)) == 1 { // and not each of them
		s.Log.Warn("a delivery of a hub was ignored", "feed", src.Feed, "hub", hostOf(src.Hub), "reason", strings.TrimPrefix(src.Trouble, notSigned), "times", src.Unsigned)
	}
}

// signed reports whether one of the headers signs the body with the secret, by one of the methods of WebSub section 8.
func signed(headers []string, secret string, body []byte) bool {
	for _, header := range headers {
		method, digest, _ := strings.Cut(strings.TrimSpace(header), "=")
		given, err := hex.DecodeString(digest)
		if err != nil {
			continue
		}
		var sum func() hash.Hash
		switch strings.ToLower(method) {
		case "sha1":
			sum = sha1.New
		case "sha256":
			sum = sha256.New
		case "sha384":
			sum = sha512.New384
		case "sha512":
			sum = sha512.New
		default:
			continue
		}
		mac := hmac.New(sum, []byte(secret))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), given) {
			return true
		}
	}
	return false
}
