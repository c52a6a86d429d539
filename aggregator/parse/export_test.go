package parse

import (
	"bytes"

	"github.com/mmcdole/gofeed/atom"
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
	all, err := (&rss.Parser{}).Parse(withoutBase(in.data))
	if err != nil {
		return nil, nil, nil
	}
	for _, f := range s.items {
		kept = append(kept, f.plain != nil)
	}
	return feed.Items, kept, all.Items
}

// PlainEntries is PlainItems for Atom. Titles of a declared type are left out.
func PlainEntries(body []byte) (ours []*atom.Entry, kept []bool, theirs []*atom.Entry) {
	in, err := scanBody(body, "")
	if err != nil || in.kind != inputAtom {
		return nil, nil, nil
	}
	s := look(in.data, true, nil, in.spans, nil)
	feed, err := readAtom(in.data, &s)
	if err != nil {
		return nil, nil, nil
	}
	all, err := (&atom.Parser{}).Parse(withoutBase(in.data))
	if err != nil {
		return nil, nil, nil
	}
	for i, f := range s.items {
		kept = append(kept, f.entry != nil)
		if f.title.kind != "" || f.title.mode != "" {
			feed.Entries[i].Title, all.Entries[i].Title = "", ""
		}
	}
	return feed.Entries, kept, all.Entries
}

func withoutBase(data []byte) *bytes.Reader {
	return bytes.NewReader(bytes.ReplaceAll(data, []byte("xml:base"), []byte("xml:none")))
}
