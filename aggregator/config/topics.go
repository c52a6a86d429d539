package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/topicwire/topicwire/aggregator"
)

type topicDraft struct {
	aggregator.Topic
	key        string
	at         place
	id         ref
	idGiven    bool
	query      queryDraft
	queryGiven bool
	stem       stemDraft
	// pack is the topic that this one begins from; packGiven says that there is to be one, right or wrong.
	pack      *aggregator.Topic
	packGiven bool
	feeds     []ref
	formerly  []ref
	// keep is nil where the topic has no rule of its own.
	keep *aggregator.Keep
}

func (r *reader) readTopics(n ast.Node, d *draft) {
	list := r.each(n, "topics", func(i int, n ast.Node) {
		t := topicDraft{at: placeOf(n), key: fmt.Sprintf("topics[%d]", i)}
		if isNull(n) {
			r.problem(t.at, "a topic without anything", "write its id and query, or remove the -")
			return
		}
		if !readFields(r, n, "a topic", topicFields, &t) {
			d.topicsBroken = true
			return
		}
		if !t.idGiven && t.pack != nil {
			t.id = ref{scalar{at: t.at}, string(t.pack.ID)}
		}
		if !t.idGiven && !t.packGiven {
			r.problem(t.at, "a topic without an id", "add one, as in id: data-protection")
		}
		if !t.queryGiven && !t.packGiven {
			r.problem(t.at, "a topic without a query", `add one, as in query: '"data protection" OR privacy'`)
		}
		t.Query = t.query.text
		d.topicsBroken = d.topicsBroken || t.packGiven && t.pack == nil && !t.idGiven
		d.topics = append(d.topics, t)
	})
	d.topicsBroken = d.topicsBroken || !list
}

// finish checks what needs the whole file and puts the parts of the draft together.
func (r *reader) finish(d *draft) {
	d.BaseURL = firstOf(d.baseURL, d.listenURL, d.BaseURL)
	if d.Fetch.MaxDownload == 0 {
		d.Fetch.MaxDownload = d.Fetch.MaxBody
	}
	for name, limit := range d.Fetch.Hosts {
		if limit.Connections == 0 {
			limit.Connections = d.Fetch.HostConnections
		}
		if limit.Delay < 0 {
			limit.Delay = d.Fetch.HostDelay
		}
		d.Fetch.Hosts[name] = limit
	}
	r.finishQueries(d)
	feeds := r.finishFeeds(d)
	r.finishWebSub(d)
	topics := r.finishTopics(d)
	d.Retention.Feeds, d.Retention.Topics = ownRules(d)
	d.Stories.Exact, d.Publish.Priority = exactFeeds(d), priorities(d)
	for i, f := range d.feeds {
		r.checkRefs(f.topics, f.key+".topics", "topic", topics, d.topicsBroken)
		for _, t := range f.topics {
			d.Config.Feeds[i].Topics = append(d.Config.Feeds[i].Topics, aggregator.TopicID(t.name))
		}
	}
	for i, t := range d.topics {
		r.checkRefs(t.feeds, t.key+".feeds", "feed", feeds, d.feedsBroken)
		for _, f := range t.feeds {
			d.Config.Topics[i].Feeds = append(d.Config.Topics[i].Feeds, aggregator.FeedID(f.name))
		}
	}
}

// ownRules are the rules of retention that feeds and topics have of their own.
func ownRules(d *draft) (feeds map[aggregator.FeedID]aggregator.Keep, topics map[aggregator.TopicID]aggregator.Keep) {
	for i, f := range d.feeds {
		if f.keep != nil {
			if feeds == nil {
				feeds = make(map[aggregator.FeedID]aggregator.Keep)
			}
			feeds[d.Config.Feeds[i].ID] = *f.keep
		}
	}
	for i, t := range d.topics {
		if t.keep != nil {
			if topics == nil {
				topics = make(map[aggregator.TopicID]aggregator.Keep)
			}
			topics[d.Config.Topics[i].ID] = *t.keep
		}
	}
	return feeds, topics
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// finishFeeds fills in what the file leaves out, and returns the places of all ids.
func (r *reader) finishFeeds(d *draft) map[string]place {
	ids := make(map[string]place, len(d.feeds))
	urls := make(map[string]place, len(d.feeds))
	d.Config.Feeds = make([]aggregator.Feed, 0, len(d.feeds))
	for _, draft := range d.feeds {
		f := draft.Feed
		if u := draft.url.parsed; u != nil {
			f.URL = draft.url.text
			f.Private = f.Private || draft.url.expanded || u.User != nil
			r.unique(urls, sameURL(u), draft.url.at, draft.key+".url", func(first place) (string, string) {
				return fmt.Sprintf("url is that of the feed on line %d", first.line), "remove one of the two feeds"
			})
		}
		switch {
		case draft.id.given():
			f.ID = aggregator.FeedID(draft.id.name)
			r.unique(ids, draft.id.name, draft.id.at, draft.key+".id", func(first place) (string, string) {
				return fmt.Sprintf("id %s is that of the feed on line %d", draft.id.shown(), first.line),
					"give one of the two another id"
			})
		case draft.url.parsed != nil:
			f.ID = r.derivedID(draft, ids)
		}
		if f.Schedule == "" {
			f.Schedule = d.Schedule
		}
		if len(draft.headers) > 0 {
			if d.Headers == nil {
				d.Headers = make(map[aggregator.FeedID]map[string]string)
			}
			d.Headers[f.ID] = draft.headers
		}
		d.Config.Feeds = append(d.Config.Feeds, f)
	}
	return ids
}

// derivedID is the id of a feed that the file gives none.
func (r *reader) derivedID(f *feedDraft, ids map[string]place) aggregator.FeedID {
	switch {
	case f.url.expanded:
		r.problemWith(f.key, f.at, "a feed without an id, whose url holds a variable",
			"add an id: one made from the url would show what the variable holds")
		return ""
	case f.Private:
		r.problemWith(f.key, f.at, "a private feed without an id",
			"add an id: one made from the url would show parts of it")
		return ""
	}
	id := FeedIDFromURL(f.url.parsed)
	made := fmt.Sprintf("a feed without an id, and %s, made from its url, ", quote(string(id)))
	if text, _ := badID(string(id), "feed"); text != "" {
		r.problemWith(f.key, f.at, made+text, "add an id")
		return id
	}
	r.unique(ids, string(id), f.at, f.key, func(first place) (string, string) {
		return fmt.Sprintf("%sis that of the feed on line %d", made, first.line), "add an id"
	})
	return id
}

// unique notes a problem where name was seen before.
func (r *reader) unique(
	seen map[string]place, name string, at place, key string, say func(first place) (text, mend string),
) {
	if first, again := seen[name]; again {
		text, mend := say(first)
		r.problemWith(key, at, text, mend)
		return
	}
	seen[name] = at
}

func (r *reader) finishTopics(d *draft) map[string]place {
	ids := make(map[string]place, len(d.topics))
	d.Config.Topics = make([]aggregator.Topic, 0, len(d.topics))
	for _, draft := range d.topics {
		t := draft.extended()
		t.ID = aggregator.TopicID(draft.id.name)
		if draft.id.given() {
			r.unique(ids, draft.id.name, draft.id.at, draft.key+".id", func(first place) (string, string) {
				return fmt.Sprintf("id %s is that of the topic on line %d", quote(draft.id.name), first.line),
					"give one of the two another id"
			})
		}
		t.Title = firstOf(t.Title, string(t.ID))
		d.Config.Topics = append(d.Config.Topics, t)
	}
	r.finishFormerly(d, ids)
	return ids
}

// maxHints bounds how often all ids are searched for one that is near: it takes a while where they are many.
const maxHints = 20

// checkRefs notes the ids that nothing has.
func (r *reader) checkRefs(refs []ref, key, kind string, known map[string]place, broken bool) {
	if broken || r.full() {
		return
	}
	for _, f := range refs {
		if _, ok := known[f.name]; ok {
			continue
		}
		mend := fmt.Sprintf("describe it under %ss:, or remove it here", kind)
		if r.hints++; r.hints <= maxHints && !f.expanded {
			// A map has no order, and two names may be equally near.
			names := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(name string) bool {
				text, _ := badID(name, kind)
				return text != ""
			})
			if name := nearest(f.name, names); name != "" {
				mend = fmt.Sprintf("did you mean %q?", name)
			}
		}
		r.problemWith(key, f.at, fmt.Sprintf("no %s has the id %s", kind, f.shown()), mend)
	}
}
