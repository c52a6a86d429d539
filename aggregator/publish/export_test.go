package publish

import "github.com/topicwire/topicwire/aggregator"

// PackPage is a page's documents as the store keeps them.
func PackPage(stories []aggregator.StoryID, atom, rss, json []byte) ([]byte, error) {
	p, err := newPagePacker()
	if err != nil {
		return nil, err
	}
	return p.pack(&archivePage{stories: stories, atom: atom, rss: rss, json: json}), nil
}

// UnpackPage reads what PackPage writes.
func UnpackPage(packed []byte) (stories []aggregator.StoryID, documents [3][]byte, err error) {
	p, err := newPagePacker()
	if err != nil {
		return nil, documents, err
	}
	page, err := p.unpack(packed)
	if err != nil {
		return nil, documents, err
	}
	return page.stories, [3][]byte{page.atom, page.rss, page.json}, nil
}
