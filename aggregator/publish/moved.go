package publish

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// addMoved notes where topics were before, and which are no longer there.
func (s *site) addMoved() error {
	s.moved, s.removed = map[aggregator.TopicID]aggregator.TopicID{}, map[aggregator.TopicID]bool{}
	for _, t := range s.options.Topics {
		for _, earlier := range t.Formerly {
			if _, taken := s.channels[earlier]; taken {
				return fmt.Errorf("topic %q was formerly %q, which another is now", t.ID, earlier)
			}
			s.moved[earlier] = t.ID
		}
	}
	for _, id := range s.options.Removed {
		s.removed[id] = true
	}
	return nil
}

// serveMoved answers for an address of a topic that has another id by now, or is no longer published, and reports whether
// it was one.
func (s *site) serveMoved(w http.ResponseWriter, r *http.Request, path string) bool {
	name, ok := strings.CutPrefix(path, "/topics/")
	if !ok || len(s.moved)+len(s.removed) == 0 {
		return false
	}
	// What follows an id: an extension, a page of the archive, or nothing. Ids may have dots in them.
	for _, id := range []string{name, beforeLast(name, "."), strings.SplitN(name, "/", 2)[0]} {
		topic, rest := aggregator.TopicID(id), name[len(id):]
		if now, ok := s.moved[topic]; ok {
			to := s.prefix + s.channels[now].path + (&url.URL{Path: rest}).EscapedPath()
			if r.URL.RawQuery != "" {
				to += "?" + r.URL.RawQuery
			}
			w.Header().Set("Cache-Control", "public, max-age=86400")
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return true
		}
		if s.removed[topic] {
			s.message(w, r, http.StatusGone, "No longer published",
				"This topic is no longer published here. Please take the feed out of your reader. The first page lists the topics that there are.")
			return true
		}
	}
	return false
}

func beforeLast(s, separator string) string {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i]
	}
	return s
}
