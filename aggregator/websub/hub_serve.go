package websub

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxForm bounds a request to the hub in bytes, maxSecret a subscriber's secret (WebSub section 5.1).
	maxForm   = 16 << 10
	maxSecret = 200
	modeOn    = "subscribe"
	modeOff   = "unsubscribe"
)

// refusal is the answer to a request that is not accepted.
type refusal struct {
	status int
	text   string
	wait   time.Duration
}

// ServeHTTP takes a request to subscribe, to unsubscribe or to look for changes (WebSub section 5.1). What it accepts is
// on the disk before it answers 202, and is confirmed afterwards.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	refused := h.take(w, r)
	if refused == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if refused.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	if refused.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refused.wait/time.Second)+1))
	}
	http.Error(w, refused.text, refused.status)
}

func (h *Hub) take(w http.ResponseWriter, r *http.Request) *refusal {
	select {
	case <-h.ready:
	default:
		return &refusal{http.StatusServiceUnavailable, "the hub is just starting", 5 * time.Second}
	}
	if r.Method != http.MethodPost {
		return &refusal{status: http.StatusMethodNotAllowed, text: "this is a WebSub hub: subscribe with POST"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return &refusal{status: http.StatusBadRequest, text: "the form cannot be read, or is longer than 16 KiB"}
	}
	switch mode := strings.ToLower(r.PostForm.Get("hub.mode")); mode {
	case modeOn, modeOff:
		return h.request(r.Context(), mode, r.PostForm)
	case "publish":
		return h.published(r.PostForm)
	}
	return &refusal{status: http.StatusBadRequest, text: "hub.mode must be subscribe or unsubscribe"}
}

// published takes note that one of this site's feeds may have changed.
func (h *Hub) published(form url.Values) *refusal {
	for _, u := range append(form["hub.url"], form["hub.topic"]...) {
		if _, ours := h.topics[u]; ours {
			h.Notice()
			return nil
		}
	}
	return &refusal{status: http.StatusNotFound, text: "this hub has the feeds of its own site only"}
}

// request takes a request to subscribe or to unsubscribe. Whether there is such a subscription is only said to who
// confirms it.
func (h *Hub) request(ctx context.Context, mode string, form url.Values) *refusal {
	topic, callback := form.Get("hub.topic"), form.Get("hub.callback")
	ask := &asked{Mode: mode, Secret: form.Get("hub.secret"), Lease: h.DefaultLease}
	if _, ours := h.topics[topic]; !ours {
		return &refusal{status: http.StatusNotFound, text: "hub.topic must be a feed of this site, as its link rel=self gives it"}
	}
	u, ok := webURL(callback, maxURL)
	if !ok || strings.Contains(callback, "#") {
		return &refusal{status: http.StatusBadRequest, text: "hub.callback must be an http or https URL without a fragment, of up to 2048 bytes"}
	}
	if len(ask.Secret) > maxSecret {
		return &refusal{status: http.StatusBadRequest, text: "hub.secret must have up to 200 bytes"}
	}
	if raw := form.Get("hub.lease_seconds"); raw != "" {
		seconds, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || seconds < 0 {
			return &refusal{status: http.StatusBadRequest, text: "hub.lease_seconds must be a number of seconds"}
		}
		if seconds > 0 {
			ask.Lease = max(h.MinLease, min(h.MaxLease, time.Duration(min(seconds, 1<<32))*time.Second))
		}
	}
	host := h.HostOf(u.String())
	if refused := h.limited(host); refused != nil {
		return refused
	}
	h.mu.Lock()
	s, refused := h.wanted(topic, callback, host)
	if refused == nil {
		s.Asked = ask
		h.saver.put(s.key, s)
	}
	h.mu.Unlock()
	if refused != nil {
		return refused
	}
	if err := h.saver.written(ctx); err != nil {
		return &refusal{http.StatusServiceUnavailable, "the subscription cannot be stored at present", time.Minute}
	}
	h.requests.add(s.host, func(ctx context.Context) { h.confirm(ctx, s, ask) })
	return nil
}

// limited bounds how many requests are made to hosts that strangers name.
func (h *Hub) limited(host string) *refusal {
	if h.requests.queued() >= maxVerifications {
		return &refusal{http.StatusServiceUnavailable, "too many requests wait to be confirmed", time.Minute}
	}
	now := h.Now()
	for _, limit := range []struct {
		of  *rates
		key string
	}{{h.fromHost, host}, {h.fromAll, ""}} {
		if wait, ok := limit.of.take(limit.key, now); !ok {
			return &refusal{http.StatusTooManyRequests, "too many requests for this host", wait}
		}
	}
	return nil
}

// wanted is the subscription of a callback to a URL, a new one where there is none and room for it. h.mu is locked.
func (h *Hub) wanted(topic, callback, host string) (*subscription, *refusal) {
	key := subscriptionKey(topic, callback)
	if s := h.subs[key]; s != nil {
		return s, nil
	}
	if h.byURL[topic] >= h.PerTopic || h.byHost[host] >= h.PerHost {
		return nil, &refusal{http.StatusTooManyRequests, "there are too many subscriptions to this feed, or of this host", time.Hour}
	}
	s := &subscription{Topic: topic, Callback: callback, key: key, host: host}
	h.add(s)
	return s, nil
}

// confirm asks the callback whether it meant the request (WebSub section 5.3).
func (h *Hub) confirm(ctx context.Context, s *subscription, ask *asked) {
	// What is published until here the subscriber can read; what comes while it is asked is news.
	var seq uint64
	if v, err := h.Versions.Version(ctx, h.topics[s.Topic]); err == nil {
		seq = v.Seq
	}
	meant := h.verify(ctx, s, ask)
	if ctx.Err() != nil {
		return // the next process asks again
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.gone || s.Asked != ask {
		return // another request came meanwhile, and counts
	}
	s.Asked = nil
	switch {
	case meant && ask.Mode == modeOff:
		h.Log.Info("a subscription was ended by its subscriber", "url", s.Topic, "host", s.host)
		h.remove(s)
		return
	case meant:
		if s.Until.IsZero() {
			s.Seq = seq
		}
		s.Until, s.Secret = h.Now().Add(ask.Lease).UTC(), ask.Secret
		s.Failing, s.Attempts, s.Next, s.slow = time.Time{}, 0, time.Time{}, false
		h.Log.Info("a subscription was confirmed", "url", s.Topic, "host", s.host, "until", s.Until)
		nudge(h.again)
	case s.Until.IsZero():
		h.Log.Info("a request to subscribe was not confirmed", "url", s.Topic, "host", s.host)
		h.remove(s)
		return
	}
	h.saver.put(s.key, s)
}

func (h *Hub) verify(ctx context.Context, s *subscription, ask *asked) bool {
	challenge, err := token(h.Random)
	if err != nil {
		h.Log.Error("no challenge for a subscriber", "error", err)
		return false
	}
	query := url.Values{"hub.mode": {ask.Mode}, "hub.topic": {s.Topic}, "hub.challenge": {challenge}}
	if ask.Mode == modeOn {
		query.Set("hub.lease_seconds", strconv.Itoa(int(ask.Lease/time.Second)))
	}
	answer, err := h.client.do(ctx, request{method: http.MethodGet, url: withQuery(s.Callback, query), keep: int64(len(challenge)) + 1})
	if err != nil {
		h.Log.Debug("a callback could not be reached", "host", s.host, "error", err)
		return false
	}
	return answer.ok() && subtle.ConstantTimeCompare(answer.body, []byte(challenge)) == 1
}

// withQuery adds to what query the callback already has.
func withQuery(callback string, query url.Values) string {
	if !strings.Contains(callback, "?") {
		return callback + "?" + query.Encode()
	}
	return strings.TrimSuffix(callback, "&") + "&" + query.Encode()
}

// deny tells a subscriber that its subscription is no more (WebSub section 5.2), as well as can be.
func (h *Hub) deny(ctx context.Context, s *subscription, reason string) {
	query := url.Values{"hub.mode": {"denied"}, "hub.topic": {s.Topic}, "hub.reason": {reason}}
	if _, err := h.client.do(ctx, request{method: http.MethodGet, url: withQuery(s.Callback, query), keep: 1 << 10}); err != nil {
		h.Log.Debug("a subscriber could not be told that its subscription has ended", "host", s.host, "error", err)
	}
}
