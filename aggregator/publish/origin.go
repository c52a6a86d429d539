package publish

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/topicwire/topicwire/aggregator"
)

// source is a feed as an entry names it. url and home may be empty.
type source struct {
	feed                 aggregator.FeedID
	id, title, url, home string
	// rights says in a line who may do what with what the feed says, "" where the publisher does not.
	rights string
	// secret is the feed's URL, as a published link would show it, where that is private.
	secret string
}

// sourceReader looks each feed up once for a document.
type sourceReader struct {
	site  *site
	known map[aggregator.FeedID]*source
	// order has the feeds as they were first asked for.
	order []aggregator.FeedID
}

func (r *sourceReader) source(ctx context.Context, id aggregator.FeedID) (*source, error) {
	if src, ok := r.known[id]; ok {
		return src, nil
	}
	status, err := r.site.src.Feed(ctx, id)
	if err != nil && !errors.Is(err, aggregator.ErrNotFound) {
		return nil, fmt.Errorf("read feed %q: %w", id, err)
	}
	status.Feed.ID = id
	src := r.site.source(status)
	r.known[id] = src
	r.order = append(r.order, id)
	return src, nil
}

func (s *site) source(status aggregator.FeedStatus) *source {
	src := &source{
		feed:  status.Feed.ID,
		id:    s.tag("feed/" + url.PathEscape(string(status.Feed.ID))),
		title: oneLine(status.DisplayTitle(), maxName),
		url:   webLink(status.Feed.URL),
		// A sentence at most: some publishers put their terms there.
		rights: oneLine(status.State.Rights, maxTitle),
	}
	if src.title == "" {
		src.title = "Unnamed feed"
	}
	if status.Feed.Private {
		src.secret, src.url = withoutPlace(src.url), ""
	} else if isPublicID(status.State.DocumentID) {
		src.id = status.State.DocumentID
	}
	src.home = src.link(status.State.Link)
	if status.Feed.Private && sharesParts(status.Feed.URL, src.home) {
		src.home = ""
	}
	return src
}

// The forms of ids that are not links (RFC 4151 section 2.1, RFC 2141 section 2, RFC 4122 section 3).
var (
	tagID  = regexp.MustCompile(`^tag:(?:[a-z0-9._-]+@)?[a-z0-9.-]+,[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?:[^#]+$`)
	urnID  = regexp.MustCompile(`^(?i:urn):[A-Za-z0-9][A-Za-z0-9-]{1,31}:[A-Za-z0-9()+,.:=@;$_!*'%-]+$`)
	uuidID = regexp.MustCompile(`^(?i:urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
)

// isPublicID reports whether a document's id can stand where Atom wants one, as it is: ids are compared character by
// character, so it is taken unchanged or not at all (RFC 4287 section 4.2.6). It must be an absolute URI, and one of a
// scheme for ids: validators refuse many others. Documents that are not Atom have ids of all kinds.
func isPublicID(id string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(id), ":")
	switch {
	case len(id) > maxURL || escapeURI(id) != id:
		return false
	case scheme == "tag":
		return tagID.MatchString(id)
	case strings.HasPrefix(strings.ToLower(id), "urn:uuid:"):
		return uuidID.MatchString(id)
	case scheme == "urn":
		return urnID.MatchString(id)
	}
	return id != "" && webLink(id) == id
}

// withoutPlace is the link to the whole of what it leads to, without a slash at the end.
func withoutPlace(link string) string {
	page, _, _ := strings.Cut(link, "#")
	return strings.TrimRight(page, "/")
}

// link is webLink but for the URL of a private feed: what is relative in a feed that names no page is resolved against
// the feed's own URL, and a link to a place within the text then shows it.
func (s *source) link(raw string) string {
	if l := webLink(raw); !s.isSecret(l) {
		return l
	}
	return ""
}

// isSecret reports whether the link leads to a private feed itself.
func (s *source) isSecret(link string) bool {
	return s.secret != "" && withoutPlace(link) == s.secret
}

// sharesParts reports whether a home page's path or query has any word of the feed's URL but its host: which of them is
// the secret is not known, and publishers put it in both.
func sharesParts(feedURL, home string) bool {
	secrets, shown := parts(feedURL), parts(home)
	return slices.ContainsFunc(shown, func(word string) bool { return slices.Contains(secrets, word) })
}

// parts are the words of a URL's user information, path, query and fragment, in lower case. One that cannot be read is
// all one part.
func parts(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil {
		return []string{raw}
	}
	text := strings.Join([]string{u.User.String(), u.EscapedPath(), u.RawQuery, u.EscapedFragment()}, " ")
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
