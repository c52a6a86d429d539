package websub

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// deliver sends a subscriber the present state of its topic (WebSub section 7).
func (h *Hub) deliver(ctx context.Context, s *subscription) {
	h.mu.Lock()
	callback, secret, last, gone := s.Callback, s.Secret, s.Sum, s.gone
	h.mu.Unlock()
	if gone {
		return
	}
	v, err := h.Versions.Version(ctx, h.topics[s.Topic])
	var doc *document
	if err == nil {
		doc, err = h.shelf.get(ctx, s.Topic, v.Seq)
	}
	if err != nil {
		if ctx.Err() == nil {
			h.Log.Error("a feed cannot be delivered just now; it is tried again", "url", s.Topic, "error", err)
		}
		h.settle(s, func() { s.Next = h.Now().Add(contentRetry).UTC() })
		return
	}
	if doc.sum == last {
		// The topic moved and its document did not.
		h.settle(s, func() { s.Seq = v.Seq })
		return
	}
	began := h.Now()
	answer, err := h.client.do(ctx, delivery(callback, secret, doc))
	if ctx.Err() != nil {
		return // the next process delivers it
	}
	h.settle(s, func() { h.delivered(s, v.Seq, doc.sum, h.Now().Sub(began), answer, err) })
}

// delivery is the request that hands the document over.
func delivery(callback, secret string, doc *document) request {
	header := http.Header{"Content-Type": {doc.Type}}
	if len(doc.Links) > 0 {
		header["Link"] = doc.Links
	}
	if secret != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(doc.Body)
		header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	return request{method: http.MethodPost, url: callback, header: header, body: doc.Body, keep: 200}
}

// settle changes the subscription after a delivery, remembers that and has the hub look again.
func (h *Hub) settle(s *subscription, change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.busy = false
	if s.gone {
		return
	}
	change()
	if !s.gone {
		h.saver.put(s.key, s)
	}
	nudge(h.again)
}

// delivered takes note of what came of a delivery. h.mu is locked.
func (h *Hub) delivered(s *subscription, seq uint64, sum string, took time.Duration, answer reply, err error) {
	now := h.Now()
	s.slow = took > slowDelivery
	switch {
	case err == nil && answer.ok():
		s.Seq, s.Sum = seq, sum
		s.Failing, s.Attempts, s.Next = time.Time{}, 0, time.Time{}
		h.Log.Debug("delivered a feed", "url", s.Topic, "host", s.host)
		return
	case err == nil && answer.status == http.StatusGone:
		h.Log.Info("a subscriber is gone", "url", s.Topic, "host", s.host)
		h.remove(s)
		return
	case err == nil:
		err = fmt.Errorf("answered %d", answer.status) // what it says may be anybody's
	}
	s.slow = true
	s.Attempts++
	if s.Failing.IsZero() {
		s.Failing = now.UTC()
	}
	if now.Sub(s.Failing) >= h.GiveUp {
		h.Log.Warn("a subscription ended, since nothing could be delivered for long", "url", s.Topic, "host", s.host, "error", err)
		h.remove(s)
		h.requests.add(s.host, func(ctx context.Context) { h.deny(ctx, s, "deliveries have failed for too long") })
		return
	}
	wait := max(backoff(s.Attempts, deliveryRetry, deliveryLongest, h.Jitter), min(answer.retryAfter, deliveryLongest))
	s.Next = now.Add(wait).UTC()
	h.Log.Info("a delivery failed; it is tried again", "url", s.Topic, "host", s.host, "error", err, "in", wait.Round(time.Second))
}

// document is a Content with its hash.
type document struct {
	Content
	sum string
}

// shelfSize is how many documents are kept for the next deliveries of the same.
const shelfSize = 16

// shelf makes each document once for the many subscribers that are sent it.
type shelf struct {
	contents Contents

	mu   sync.Mutex
	kept []*shelved // the latest asked for last
}

type shelved struct {
	url string
	mu  sync.Mutex
	seq uint64
	doc *document
}

func (s *shelf) get(ctx context.Context, url string, seq uint64) (*document, error) {
	s.mu.Lock()
	at := slices.IndexFunc(s.kept, func(k *shelved) bool { return k.url == url })
	var mine *shelved
	switch {
	case at >= 0:
		mine = s.kept[at]
		s.kept = slices.Delete(s.kept, at, at+1)
	default:
		mine = &shelved{url: url}
		if len(s.kept) >= shelfSize {
			s.kept = slices.Delete(s.kept, 0, 1)
		}
	}
	s.kept = append(s.kept, mine)
	s.mu.Unlock()
	mine.mu.Lock()
	defer mine.mu.Unlock()
	if mine.doc != nil && mine.seq == seq {
		return mine.doc, nil
	}
	content, err := s.contents.Content(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	sum := sha256.Sum256(content.Body)
	mine.doc, mine.seq = &document{Content: content, sum: hex.EncodeToString(sum[:16])}, seq
	return mine.doc, nil
}
