package aggregator

// Offer is what a feed's document says of push (WebSub section 4).
type Offer struct {
	// Document is the URL that the document came from, Topic the one to subscribe to, Hubs are where. There are none where
	// the document does not offer push.
	Document, Topic string
	Hubs            []string
}

// Pushed is a document that a hub has sent for a feed.
type Pushed struct {
	// Document is the URL that the feed's own document comes from: what relative links are resolved against.
	Document string
	// ContentType is the header of that name, Body what came with it: at best the feed's document or a feed of what is new
	// in it, and nothing at all where the hub only says that there is news.
	ContentType string
	Body        []byte
}
