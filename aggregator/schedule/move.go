package schedule

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// movePolls in a row over moveTime must see a permanent redirect before it is believed: a misconfigured server, a
	// captive portal or an expired domain sends them too.
	movePolls = 3
	moveTime  = 24 * time.Hour
	// maxTarget is more than any feed's URL needs, in bytes.
	maxTarget = 2048
)

// Sighting is what one poll saw of where its feed lives.
type Sighting struct {
	At time.Time
	// URL is what was asked for.
	URL string
	// Redirected says that there was a redirect. Target is where it led if every hop was permanent (301 or 308), empty
	// if one was not.
	Redirected bool
	Target     string
	// Status is the HTTP status of the final answer, 0 where there was none.
	Status int
	// Same says that the answer is this feed's: a 304, the body of before, or a document that was read and has an item,
	// or the id, of the one of before.
	Same bool
	// Headers says that the feed's requests have headers of their own, which are for its URL.
	Headers bool
	// Private says that the target is at an address that is not public.
	Private bool
}

// MoveDecision is what a sighting means.
type MoveDecision struct {
	// To is the URL at which to poll the feed from now on, empty where it stays where it is.
	To string
	// Refused says why a permanent redirect is not believed however often it is seen. Empty where there is none, or
	// where it only has to be seen more often.
	Refused string
}

// Moved decides whether a feed has moved for good (RFC 9110 sections 15.4.2 and 15.4.9), and what to remember for the
// next poll.
//
// It has if polls in a row, at least three over at least a day, saw a redirect to one and the same target, permanent at
// each hop, and found the feed there; or if the old URL answers 404 or 410 after such a redirect was seen once. An answer
// from the old URL itself, another target, a temporary hop, and a target that is refused start the count anew. No answer
// and a server's error neither count nor start anew.
//
// A feed that has moved is due at its new URL: what the old one answered is then not to be learnt from, nor counted as a
// failure. Its id and its items' ids stay. Whether another feed is at the new URL already is for the caller to see.
func Moved(m aggregator.Move, s Sighting) (aggregator.Move, MoveDecision) {
	none := aggregator.Move{}
	switch {
	case !s.Redirected && (s.Status == http.StatusNotFound || s.Status == http.StatusGone):
		return none, MoveDecision{To: m.Target}
	case !s.Redirected && answeredWell(s.Status):
		return none, MoveDecision{}
	case !s.Redirected:
		return m, MoveDecision{}
	case s.Target == "":
		return none, MoveDecision{}
	}
	if why := refusal(s); why != "" {
		return none, MoveDecision{Refused: why}
	}
	switch {
	case !answeredWell(s.Status) && s.Target == m.Target:
		return m, MoveDecision{}
	case !answeredWell(s.Status):
		return none, MoveDecision{}
	case !s.Same:
		return none, MoveDecision{Refused: "moved permanently to " + shown(s.Target) +
			", where there is no feed that has anything in common with this one: look at it in a browser"}
	case s.Target != m.Target:
		m = aggregator.Move{Target: s.Target, Since: s.At.UTC()}
	}
	m.Polls = min(m.Polls, 1<<20) + 1
	if m.Polls >= movePolls && s.At.Sub(m.Since) >= moveTime {
		return none, MoveDecision{To: m.Target}
	}
	return m, MoveDecision{}
}

func answeredWell(status int) bool {
	return status >= 200 && status < 300 || status == http.StatusNotModified
}

// refusal is why the target of a permanent redirect cannot be a feed's new URL, whatever is found there.
func refusal(s Sighting) string {
	const moved = "moved permanently to "
	if len(s.Target) > maxTarget {
		return fmt.Sprintf("%sa URL of %d bytes, which is too long to be kept", moved, len(s.Target))
	}
	to, err := url.Parse(s.Target)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return moved + "what is no http or https URL"
	}
	from, err := url.Parse(s.URL)
	switch {
	case err != nil || from.Scheme == "https" && to.Scheme != "https":
		return moved + shown(s.Target) + ", which is not encrypted: an https feed is not moved to http"
	case from.User != nil:
		return moved + shown(s.Target) + ", which the credentials in the feed's URL are not for: change the URL in the config"
	case s.Headers:
		return moved + shown(s.Target) + ", which the feed's headers are not for: change the URL in the config"
	case to.User != nil:
		return moved + shown(s.Target) + " with a user name or password, which is not stored"
	case s.Private:
		return moved + shown(s.Target) + ", which is at an address that is not public"
	}
	return ""
}

// shown is a URL as it may appear in logs and lists: without credentials.
func shown(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "a URL that cannot be read"
	}
	u.User = nil
	const longest = 300
	text := u.String()
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return text
}
