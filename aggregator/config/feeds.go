package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/topicwire/topicwire/aggregator"
)

// draft is the Config while it is read, with what can be checked only at the end.
type draft struct {
	*Config
	listenURL, baseURL string
	feeds              []*feedDraft
	topics             []topicDraft
	queries            []queryDraft
	// feedsBroken and topicsBroken say that not all of the list could be read: what refers to it is then not checked,
	// since it may be there.
	feedsBroken, topicsBroken bool
	webSubAt                  place
}

type feedDraft struct {
	aggregator.Feed
	key      string
	at       place
	id       ref
	url      feedURL
	urlGiven bool
	topics   []ref
	exact    bool
	priority int
	headers  map[string]string
	// keep is nil where the feed has no rule of its own.
	keep *aggregator.Keep
	// subscribe is nil where websub.subscribe counts.
	subscribe *bool
}

// forget lets go of the syntax tree.
func (f *feedDraft) forget() {
	f.id.node, f.url.node = nil, nil
	for i := range f.topics {
		f.topics[i].node = nil
	}
}

// ref is an id as the file gives it. at is zero where it does not.
type ref struct {
	scalar
	name string
}

func (f ref) given() bool { return f.at.line > 0 }

// feedURL is a feed's URL; parsed is nil where it is not right.
type feedURL struct {
	scalar
	parsed *url.URL
}

func (r *reader) readFeeds(n ast.Node, d *draft) {
	read := func(i int, n ast.Node) {
		f := &feedDraft{at: placeOf(n), key: fmt.Sprintf("feeds[%d]", i)}
		if isNull(n) {
			r.problem(f.at, "a feed without anything", "write its url, or remove the -")
			return
		}
		if !readFields(r, n, "a feed", feedFields, f) {
			d.feedsBroken = true
			return
		}
		if !f.urlGiven {
			r.problem(f.at, "a feed without a url", "add one, as in url: https://example.org/feed.xml")
		}
		f.Private = f.Private || len(f.headers) > 0
		f.forget()
		d.feeds = append(d.feeds, f)
	}
	if r.block != nil {
		d.feedsBroken = !r.eachPiece(read) || d.feedsBroken
		return
	}
	list := r.each(n, "feeds", read)
	d.feedsBroken = d.feedsBroken || !list
}

func (r *reader) readFeedURL(n ast.Node) feedURL {
	if resolved, ok := r.resolve(n); ok && isNull(resolved) {
		r.problem(placeOf(n), "url is empty", "write the feed's address, as in https://example.org/feed.xml")
		return feedURL{}
	}
	s, ok := r.scalar(n)
	if !ok {
		return feedURL{}
	}
	return feedURL{s, r.webURL(s, "https://example.org/feed.xml")}
}

// readID reads the id of a feed or topic (kind) and notes what is wrong with it.
func (r *reader) readID(n ast.Node, kind string) (ref, bool) {
	s, ok := r.scalar(n)
	if !ok {
		return ref{}, false
	}
	if text, mend := badID(s.text, kind); text != "" {
		if s.expanded {
			mend = idMend
		}
		r.problem(s.at, fmt.Sprintf("id %s %s", s.shown(), text), mend)
	}
	return ref{s, s.text}, true
}

const (
	maxID  = 64
	idMend = "use lower-case letters, digits, -, _ and ., beginning with a letter or digit"
)

// badID says what is wrong with an id, and nothing when it is right.
func badID(id, kind string) (text, mend string) {
	switch {
	case id == "":
		return "is empty", "write one, as in aws-news"
	case len(id) > maxID:
		return fmt.Sprintf("is longer than %d characters", maxID), "shorten it"
	case kind == "topic" && id == "all":
		return "is taken: /all.atom is the feed of all topics", "choose another"
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (i == 0 || c != '-' && c != '_' && c != '.') {
			mend = idMend
			if better := slug(id); better != "" {
				mend += ", as in " + quote(better)
			}
			return "holds characters that an id may not", mend
		}
	}
	for _, suffix := range reservedSuffixes {
		if strings.HasSuffix(id, suffix) {
			return "ends in " + suffix + ", as the addresses of published feeds do",
				"write " + quote(strings.TrimSuffix(id, suffix)+"-"+suffix[1:])
		}
	}
	return "", ""
}

// reservedSuffixes are those of published feeds: the page of a topic "x.atom" would be the feed of a topic "x".
var reservedSuffixes = []string{".atom", ".rss", ".json", ".xml", ".html", ".opml"}

// slug is what of a text may stand in an id, with - for the rest.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(s) {
		if (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(c)
			continue
		}
		gap = true
	}
	return strings.TrimLeft(b.String(), "._-")
}

// FeedIDFromURL is the id of a feed that the file gives none: the URL's host (without "www.") and path in lower case,
// all but letters and digits as "-" (the dots of the host stay). Where the URL has a query, or anything else that is not
// in the id, or the id would be longer than 64 bytes, it ends in "-" and 8 hexadecimal digits of a hash of all of the
// URL but its scheme and user information. The scheme does not matter, so that a feed that moves to https keeps its id.
//
//	https://www.example.org/News/feed.xml   example.org-news-feed-xml
//	https://example.org/?feed=rss2          example.org-4b03d2c3
func FeedIDFromURL(u *url.URL) aggregator.FeedID {
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	path := strings.NewReplacer(".", "-", "_", "-").Replace(u.EscapedPath())
	id := slug(host + path)
	plain := !strings.ContainsFunc(host+path, func(c rune) bool { return c > '~' || c == '%' })
	if u.RawQuery == "" && plain && len(id) <= maxID && id != "" {
		return aggregator.FeedID(id)
	}
	sum := sha256.Sum256([]byte(host + u.EscapedPath() + "?" + u.RawQuery))
	digest := hex.EncodeToString(sum[:4])
	if id = strings.TrimRight(id[:min(len(id), maxID-9)], "-._"); id != "" {
		digest = id + "-" + digest
	}
	return aggregator.FeedID(digest)
}

// readRefs reads a list of ids of the other kind; whether there are such is for later.
func (r *reader) readRefs(n ast.Node) []ref {
	var refs []ref
	r.each(n, r.name(), func(_ int, n ast.Node) {
		s, ok := r.entry(n)
		if !ok {
			return
		}
		if slices.ContainsFunc(refs, func(f ref) bool { return f.name == s.text }) {
			r.problem(s.at, fmt.Sprintf("%s names %s twice", r.name(), s.shown()), "remove one of them")
			return
		}
		refs = append(refs, ref{s, s.text})
	})
	return refs
}

// entry reads an entry of a list of single values, none of which may be empty.
func (r *reader) entry(n ast.Node) (scalar, bool) {
	s, ok := r.scalar(n)
	resolved, _ := r.resolve(n)
	if ok && s.text == "" || !ok && isNull(resolved) {
		r.problem(placeOf(n), "an empty entry in "+r.name(), "write something after the -, or remove it")
		return s, false
	}
	return s, ok
}

func (r *reader) readTags(n ast.Node, into *[]string) {
	r.each(n, "tags", func(_ int, n ast.Node) {
		s, ok := r.entry(n)
		switch {
		case !ok:
		case len(s.text) > maxID || strings.ContainsAny(s.text, "\n\r\t"):
			r.problem(s.at, fmt.Sprintf("tag %s is too long or has several lines", s.shown()),
				fmt.Sprintf("shorten it to at most %d bytes", maxID))
		case slices.Contains(*into, s.text):
			r.problem(s.at, fmt.Sprintf("tags names %s twice", s.shown()), "remove one of them")
		default:
			*into = append(*into, s.text)
		}
	})
}

// sameURL is equal for URLs of one feed: the scheme and a default port do not matter, nor what is not sent (a
// fragment). User information does.
func sameURL(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && !(u.Scheme == "http" && port == "80") && !(u.Scheme == "https" && port == "443") {
		host += ":" + port
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return u.User.String() + "@" + host + path + "?" + u.RawQuery
}
