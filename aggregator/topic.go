package aggregator

// TopicID names a topic in the config, in links and in exports.
type TopicID string

// AllTopics is where every story is listed, whatever its topics. It is not a valid id in a config.
const AllTopics TopicID = ""

// Topic is a named query.
type Topic struct {
	ID          TopicID
	Title       string
	Description string
	// Query is in the query language that package topic documents.
	Query string
	// Feeds, when there are any, are the only ones whose items the query is asked about. They do not restrict what
	// a feed forces into the topic.
	Feeds []FeedID
	// Formerly are ids under which the topic was published before, the first one first: what asks for it there is led
	// to it, and its feed keeps the id that it had then.
	Formerly []TopicID
}
