package websub

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ask asks the hub to subscribe or to unsubscribe (WebSub section 5.1). What it will be asked to confirm is on the disk
// before.
func (s *Subscriber) ask(ctx context.Context, src *source) {
	s.mu.Lock()
	if !src.Ending && src.Until.IsZero() && src.Attempts > 0 {
		s.tryAnother(src)
	}
	src.Asked = modeOn
	if src.Ending {
		src.Asked = modeOff
	}
	mode, hub, key := src.Asked, src.Hub, src.key
	form := url.Values{
		"hub.mode": {mode}, "hub.topic": {src.Topic}, "hub.callback": {src.Below + src.Token},
	}
	if mode == modeOn {
		form.Set("hub.lease_seconds", strconv.FormatInt(int64(s.Lease/time.Second), 10))
		form.Set("hub.secret", src.Secret)
	}
	s.keep(src)
	s.mu.Unlock()
	unwritten := s.saver.written(ctx)
	var answer reply
	var err error
	if unwritten == nil {
		answer, err = s.client.post(ctx, hub, form, 1<<10)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	src.busy = false
	defer nudge(s.wake)
	if ctx.Err() != nil || s.sources[key] != src || src.Asked != mode {
		return // confirmed, refused or ended meanwhile
	}
	if unwritten != nil {
		s.Log.Error("a hub cannot be asked while what it will confirm cannot be stored; it is tried again", "feed", src.Feed, "error", unwritten, "in", askRetry)
		src.Next = s.Now().UTC().Add(askRetry)
		return
	}
	src.Attempts++
	now := s.Now().UTC()
	wait := max(backoff(src.Attempts, askRetry, askLongest, s.Jitter), min(answer.retryAfter, askLongest))
	switch {
	case err == nil && answer.ok():
		src.Next = now.Add(max(wait, confirmWait))
		src.Trouble = "its hub has not confirmed the subscription yet"
		s.Log.Debug("a hub took a request", "feed", src.Feed, "hub", hostOf(hub), "mode", mode)
	default:
		why := src.tidy(answer.phrase())
		if err != nil {
			why = src.tidy(err.Error())
		}
		src.Next = now.Add(wait)
		src.Trouble = "its hub did not take the request to " + mode + ": " + why
		s.Log.Warn("a hub did not take a request; it is tried again", "feed", src.Feed, "hub", hostOf(hub), "mode", mode, "error", why, "in", wait.Round(time.Second))
	}
	s.keep(src)
}

// tryAnother makes the next request that for another hub where the feed offers several, under another callback: the one
// that was asked may still confirm, and is then refused. s.mu is locked.
func (s *Subscriber) tryAnother(src *source) {
	if len(src.Hubs) < 2 {
		return
	}
	if err := s.identify(src); err != nil {
		s.Log.Error("no callback for a hub", "feed", src.Feed, "error", err)
		return
	}
	src.Hub = src.Hubs[(slices.Index(src.Hubs, src.Hub)+1)%len(src.Hubs)]
}

// tidy is what a hub says, as it may be logged and shown: in short, and without what is secret.
func (src *source) tidy(text string) string {
	for _, secret := range []string{src.Token, src.Secret, src.Topic, url.QueryEscape(src.Topic)} {
		text = strings.ReplaceAll(text, secret, "(hidden)")
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	return strings.ToValidUTF8(text[:min(len(text), 200)], "") // the last letter may be cut
}

// confirm answers a hub that asks whether a request was meant (WebSub section 5.3), or that says that it ends a
// subscription (section 5.2). Only what was asked for, and was not confirmed yet, is.
func (s *Subscriber) confirm(src *source, q url.Values) (challenge string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mode, now := q.Get("hub.mode"), s.Now().UTC()
	if s.sources[src.key] != src || q.Get("hub.topic") != src.Topic {
		return "", false
	}
	if mode == "denied" {
		if !src.Ending {
			s.denied(src, q.Get("hub.reason"), now)
		}
		return "", true
	}
	challenge = q.Get("hub.challenge")
	if mode == "" || mode != src.Asked || challenge == "" {
		return "", false
	}
	if mode == modeOff {
		s.drop(src)
		return challenge, true
	}
	lease := s.Lease
	if seconds, err := strconv.ParseInt(q.Get("hub.lease_seconds"), 10, 64); err == nil && seconds > 0 {
		lease = max(leastLease, min(time.Duration(min(seconds, 1<<32))*time.Second, mostLease))
	}
	if src.Until.IsZero() {
		s.Log.Info("subscribed to a feed at its hub", "feed", src.Feed, "hub", hostOf(src.Hub), "lease", lease)
	}
	src.Until = now.Add(lease)
	// From two thirds of the lease on there is time for several tries.
	src.Next = now.Add(lease*2/3 + time.Duration(s.Jitter()*float64(lease/12)))
	src.Asked, src.Attempts, src.Trouble = "", 0, ""
	s.keep(src)
	nudge(s.wake)
	return challenge, true
}

// denied takes note that the hub does not want the subscription. s.mu is locked.
func (s *Subscriber) denied(src *source, reason string, now time.Time) {
	trouble := "its hub denied the subscription"
	if reason = src.tidy(reason); reason != "" {
		trouble += ": " + reason
	}
	s.Log.Warn("a hub denied a subscription; the feed is polled by its schedule", "feed", src.Feed, "hub", hostOf(src.Hub), "reason", reason)
	s.lose(src, trouble)
	src.Asked, src.Next = "", now.Add(backoff(32, askRetry, askLongest, s.Jitter))
	if src.Attempts++; src.Attempts < len(src.Hubs) {
		src.Next = now.Add(askRetry)
	}
	s.keep(src)
	nudge(s.wake)
}

// answerConfirmation answers a GET of a callback.
func (s *Subscriber) answerConfirmation(w http.ResponseWriter, r *http.Request, src *source) {
	challenge, ok := s.confirm(src, r.URL.Query())
	if !ok {
		http.Error(w, "this was not asked for", http.StatusNotFound)
		return
	}
	// What is echoed is nobody's page.
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(challenge))
}
