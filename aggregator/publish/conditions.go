package publish

import (
	"iter"
	"net/http"
	"strings"
	"time"
)

// notModified reports whether a request's conditions say that its sender has the document (RFC 9110 section 13.2.2). The
// tags win over the date, and weak ones compare as strong ones do. A date counts only where it is the one that was
// sent: after a clock was put right, or from another server's clock, a later one vouches for nothing (section 13.1.3
// names such servers).
func notModified(header http.Header, tag string, modified time.Time) bool {
	if fields := header["If-None-Match"]; len(fields) > 0 {
		for t := range entityTags(fields) {
			if t == tag || t == "*" {
				return true
			}
		}
		return false
	}
	fields := header["If-Modified-Since"]
	if len(fields) == 0 || modified.IsZero() {
		return false
	}
	since, err := http.ParseTime(fields[0])
	return err == nil && since.Equal(modified)
}

// entityTags are those of a field such as If-None-Match, which is a list and may be sent in several lines (RFC 9110
// section 5.3), without the mark of weak ones, and "*". It ends at what is no tag.
func entityTags(fields []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, rest := range fields {
			for {
				rest = strings.TrimLeft(rest, " \t,")
				if strings.HasPrefix(rest, "*") {
					yield("*")
					return
				}
				rest = strings.TrimPrefix(rest, "W/")
				if len(rest) < 2 || rest[0] != '"' {
					break
				}
				end := strings.IndexByte(rest[1:], '"')
				if end < 0 {
					break
				}
				if !yield(rest[:end+2]) {
					return
				}
				rest = rest[end+2:]
			}
		}
	}
}

// asksForMore reports whether a request has conditions or a range that are rare with feeds and that net/http knows.
func asksForMore(header http.Header) bool {
	for _, name := range []string{"Range", "If-Match", "If-Unmodified-Since"} {
		if len(header[name]) > 0 {
			return true
		}
	}
	return false
}
