package websub

import (
	"slices"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// Polled takes note of what a poll saw that did not fail: what the document offers (nil where it was not read whole),
// how many items it lists and how many of them were new. It is for how long the feed need not be polled, since a hub
// tells what is new: as long as it has done so without a miss, and at most the Ceiling or the time in which half of the
// document is likely to be replaced.
func (s *Subscriber) Polled(feed aggregator.FeedID, offer *aggregator.Offer, listed, news int) time.Duration {
	if !s.isReady() || !s.Wanted(feed) {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now().UTC()
	if src := s.byFeed[feed]; src != nil && src.polled(news, now) {
		s.Log.Info("a poll brought what the hub had not told; the feed is polled by its schedule", "feed", feed, "hub", hostOf(src.Hub), "new", news)
		s.keep(src)
	}
	if offer != nil {
		s.offered(feed, *offer, now)
	}
	src := s.byFeed[feed]
	if src == nil || src.Until.IsZero() || !now.Before(src.Until) {
		return 0
	}
	return min(src.spare(listed, now), s.Ceiling, src.Until.Sub(now))
}

// offered subscribes to what a feed offers, and ends what it does not offer any more. s.mu is locked.
func (s *Subscriber) offered(feed aggregator.FeedID, o aggregator.Offer, now time.Time) {
	src := s.byFeed[feed]
	hubs, topic, ok := usable(o)
	switch {
	case !ok && src == nil:
		return
	case !ok:
		if src.Missing++; src.Missing >= offersMissed {
			s.end(src, "the feed does not offer it any more")
			return
		}
		s.keep(src)
		return
	case src != nil && (src.Topic == topic && slices.Contains(hubs, src.Hub) || src.unsettled(o.Document, now)):
		if src.Missing > 0 || src.Document != o.Document || !slices.Equal(src.Hubs, hubs) {
			src.Missing, src.Document, src.Hubs = 0, o.Document, hubs
			s.keep(src)
		}
		return
	case src != nil:
		s.end(src, "the feed offers another now")
	}
	s.begin(feed, o.Document, topic, hubs)
}

// unsettled says that the subscription is to last a while, whatever its document offers: some documents offer others at each
// poll.
func (src *source) unsettled(document string, now time.Time) bool {
	return src.Document == document && !src.Until.IsZero() && now.Sub(src.Began) < topicRest
}

// usable are the hubs that may be asked, and what to subscribe to there.
func usable(o aggregator.Offer) (hubs []string, topic string, ok bool) {
	for _, raw := range o.Hubs {
		if u, ok := webURL(raw, maxURL); ok && u.User == nil {
			u.Fragment, u.RawFragment = "", ""
			hubs = append(hubs, u.String())
		}
	}
	topic = o.Topic
	if topic == "" {
		topic = o.Document
	}
	u, ok := webURL(topic, maxURL)
	return hubs, topic, ok && u.User == nil && len(hubs) > 0
}
