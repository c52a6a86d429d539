package parse

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// maxHubs bounds the hubs of a document.
const maxHubs = 8

// offers takes the links that lead to hubs, and to what to subscribe to there. A relative one is resolved against the
// document's own URL where nothing declares another base: the home page may be anywhere.
func (b *builder) offers(links []link) {
	where := scope{declared: b.scope.declared, page: b.scope.page}
	for _, l := range links {
		rels := strings.Fields(l.rel)
		isHub, isSelf := slices.Contains(rels, "hub"), slices.Contains(rels, "self")
		if !isHub && !isSelf || strings.TrimSpace(l.href) == "" {
			continue
		}
		u := clean(where.url(l.href))
		if u == "" {
			continue
		}
		if isHub && len(b.doc.Hubs) < maxHubs && !slices.Contains(b.doc.Hubs, u) {
			b.doc.Hubs = append(b.doc.Hubs, u)
		}
		if isSelf && b.doc.Self == "" {
			b.doc.Self = u
		}
	}
}

// hubLinks are the hubs of a JSON feed, which gofeed does not read.
func hubLinks(data []byte) []link {
	if !bytes.Contains(data, []byte(`"hubs"`)) {
		return nil
	}
	var head struct {
		Hubs []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"hubs"`
	}
	if json.Unmarshal(data, &head) != nil {
		return nil
	}
	var links []link
	for _, h := range head.Hubs {
		if strings.EqualFold(h.Type, "WebSub") {
			links = append(links, link{href: h.URL, rel: "hub"})
		}
	}
	return links
}
