package parse

import (
	"bytes"

	"github.com/mmcdole/gofeed/rss"
)

// PlainItems are the items of an RSS document as they are read, those of them of which elements were kept from gofeed, and
// the same items as gofeed reads all of them by itself, but for xml:base. There are none where the document is no RSS.
func PlainItems(body []byte) (ours []*rss.Item, kept []bool, theirs []*rss.Item) {
	in, err := scanBody(body, "")
	if err != nil || in.kind != inputRSS {
		return nil, nil, nil
	}
	s := look(in.data, false, nil, in.spans, nil)
	feed, err := readRSS(in.data, &s)
	if err != nil {
		return nil, nil, nil
	}
	all, err := (&rss.Parser{}).Parse(bytes.NewReader(bytes.ReplaceAll(in.data, []byte("xml:base"), []byte("xml:none"))))
	if err != nil {
		return nil, nil, nil
	}
	for _, f := range s.items {
		kept = append(kept, f.plain != nil)
	}
	return feed.Items, kept, all.Items
}
