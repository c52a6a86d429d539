package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/topicwire/topicwire/aggregator"
)

// readPacks reads the list of packs that become topics as they are. They stand before the topics of the file, wherever
// the two lists are.
func (r *reader) readPacks(n ast.Node, d *draft) {
	var topics []topicDraft
	list := r.each(n, "packs", func(i int, n ast.Node) {
		s, ok := r.entry(n)
		if !ok {
			return
		}
		t := topicDraft{at: s.at, key: fmt.Sprintf("packs[%d]", i), packGiven: true}
		if t.pack = r.findPack(s); t.pack == nil {
			d.topicsBroken = true
			return
		}
		if slices.ContainsFunc(topics, func(other topicDraft) bool { return other.pack.ID == t.pack.ID }) {
			r.problem(s.at, fmt.Sprintf("packs names %s twice", s.shown()), "remove one of them")
			return
		}
		t.id = ref{s, s.text}
		topics = append(topics, t)
	})
	d.topicsBroken = d.topicsBroken || !list
	d.topics = append(topics, d.topics...)
}

// readPack reads the pack that a topic begins from and reports whether one is named, right or wrong.
func (r *reader) readPack(n ast.Node) (*aggregator.Topic, bool) {
	s, ok := r.scalar(n)
	if !ok {
		resolved, ok := r.resolve(n)
		return nil, !ok || !isNull(resolved)
	}
	return r.findPack(s), true
}

// findPack is the pack of that id, nil where there is none, which is then noted.
func (r *reader) findPack(s scalar) *aggregator.Topic {
	ids := make([]string, len(r.options.Packs))
	for i := range r.options.Packs {
		ids[i] = string(r.options.Packs[i].ID)
		if ids[i] == s.text {
			return &r.options.Packs[i]
		}
	}
	mend := "the packs are " + strings.Join(ids, ", ")
	if near := nearest(s.text, ids); near != "" && !s.expanded {
		mend = fmt.Sprintf("did you mean %q?", near)
	}
	r.problem(s.at, fmt.Sprintf("no pack has the id %s", s.shown()), mend)
	return nil
}

// checkExtended notes where a query that is good by itself is none together with its pack's, and reports whether it is one.
func (r *reader) checkExtended(t topicDraft, check func(name, query string) error) bool {
	if t.pack == nil {
		return true
	}
	t.stem = stemDraft{}
	if err := check("", t.extended().Query); err != nil {
		text, _, _ := strings.Cut(err.Error(), "; ")
		r.problemWith(t.key+".query", t.at, "query cannot be joined to that of the pack: "+text,
			"make it shorter, or a topic of its own")
		return false
	}
	return true
}

// extended is the topic with what its pack says where it says nothing itself. A query of its own finds more than the pack.
func (t topicDraft) extended() aggregator.Topic {
	topic := t.Topic
	if t.pack == nil {
		return t.stemmed(topic)
	}
	topic.Title = firstOf(topic.Title, t.pack.Title)
	topic.Description = firstOf(topic.Description, t.pack.Description)
	if topic.Query == "" {
		topic.Query = t.pack.Query
	} else {
		// Either may end in a comment.
		topic.Query = "(" + t.pack.Query + "\n)\nOR (" + topic.Query + "\n)"
	}
	return t.stemmed(topic)
}

// stemmed is the topic with its query as its stem: key has it.
func (t topicDraft) stemmed(topic aggregator.Topic) aggregator.Topic {
	if t.stem.sign != "" && topic.Query != "" {
		topic.Query = t.stem.sign + "(" + topic.Query + "\n)"
	}
	return topic
}
