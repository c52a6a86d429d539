package fetch

import (
	"net/url"
	"slices"
	"strings"
)

// maxHubs bounds the hubs that are read of an answer.
const maxHubs = 8

// offered are the hubs that an answer's Link headers offer, and what to subscribe to there (RFC 8288, WebSub section 4),
// resolved against the URL of the answer. A link of another context (anchor) is not the document's.
func offered(lines []string, at *url.URL) (hubs []string, self string) {
	for _, line := range lines {
		for line != "" {
			var target string
			var rels []string
			target, rels, line = nextLink(line)
			isHub, isSelf := slices.Contains(rels, "hub"), slices.Contains(rels, "self")
			if !isHub && !isSelf {
				continue
			}
			u, err := at.Parse(target)
			if err != nil || target == "" || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
				continue
			}
			if isHub && len(hubs) < maxHubs && !slices.Contains(hubs, u.String()) {
				hubs = append(hubs, u.String())
			}
			if isSelf && self == "" {
				self = u.String()
			}
		}
	}
	return hubs, self
}

// nextLink cuts the first link off a header's value. rels are in lower case, none where the link has an anchor.
func nextLink(line string) (target string, rels []string, rest string) {
	_, line, _ = strings.Cut(line, "<")
	target, line, _ = strings.Cut(line, ">")
	target = strings.TrimSpace(target)
	anchored := false
	for {
		line = strings.TrimLeft(line, " \t;")
		if line == "" || line[0] == ',' {
			break
		}
		var name, value string
		end := strings.IndexAny(line, "=;,")
		if end < 0 {
			end = len(line)
		}
		name, line = strings.ToLower(strings.TrimSpace(line[:end])), line[end:]
		if strings.HasPrefix(line, "=") {
			value, line = parameter(strings.TrimLeft(line[1:], " \t"))
		}
		switch {
		case name == "anchor":
			anchored = true
		case name == "rel" && rels == nil:
			rels = strings.Fields(strings.ToLower(value))
		}
	}
	if anchored {
		rels = nil
	}
	return target, rels, strings.TrimPrefix(line, ",")
}

// parameter cuts the value of a parameter off what follows its =: a token or a quoted string.
func parameter(line string) (value, rest string) {
	if !strings.HasPrefix(line, `"`) {
		end := strings.IndexAny(line, ";,")
		if end < 0 {
			end = len(line)
		}
		return strings.TrimSpace(line[:end]), line[end:]
	}
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			return b.String(), line[i+1:]
		case c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
