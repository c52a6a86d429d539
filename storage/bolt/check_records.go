package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

func (c *check) segment(t *table, runs map[uint64]run, k, v []byte) {
	entries, ok := unsealed(v)
	w := t.width()
	if len(k) != 12 || !ok || len(entries)%w != 0 {
		c.problem("%s: segment %x is spoiled", t.bucket, k)
		return
	}
	r, ok := runs[binary.BigEndian.Uint64(k)]
	if !ok {
		c.problem("%s: segment %x is of no run", t.bucket, k)
		return
	}
	c.inRun[r.number] += uint64(len(entries) / w)
	var last []byte
	for e := entries; len(e) > 0; e = e[w:] {
		place := uint64(binary.BigEndian.Uint32(e)) / r.step()
		if place != uint64(binary.BigEndian.Uint32(k[8:])) || last != nil && bytes.Compare(last, e[:t.key]) >= 0 {
			c.problem("%s: segment %x is not in order", t.bucket, k)
			return
		}
		last = e[:t.key]
	}
}

// chunk holds the items of a chunk against the indexes.
func (c *check) chunk(r *reader, k, v []byte) error {
	ch, err := parseChunk(k, v)
	if err != nil {
		c.problem("%v", err)
		return nil
	}
	for _, f := range ch.frames {
		all, err := r.pack.unpacked(f)
		for i, seq := range f.seqs {
			c.report.Items++
			var it aggregator.Item
			if err == nil {
				it, err = r.codec.item(seq, all[i])
			}
			if err != nil {
				c.problem("item %d: %v", seq, err)
				continue
			}
			if err := c.item(r, &it); err != nil {
				c.problem("item %v (Seq %d): %v", it.ID, seq, err)
			}
		}
		c.counted(len(f.seqs))
	}
	return nil
}

// item holds an item against identity, stories, lists and members, which have to lead to it.
func (c *check) item(r *reader, it *aggregator.Item) error {
	c.feeds[it.Feed]++
	if last := r.bucket(itemsBucket).Sequence(); it.Seq == 0 || it.Seq > last {
		c.problem("item %v has the Seq %d, and the last that was given is %d", it.ID, it.Seq, last)
	}
	at, known, err := r.lookUp(it.ID)
	if err != nil {
		return err
	}
	if !known || at != (identity{it.Seq, it.Hash}) {
		c.problem("item %v (Seq %d) is not what its identity leads to", it.ID, it.Seq)
	}
	for _, alias := range it.Aliases {
		if _, known, err := r.lookUp(alias); err != nil || !known {
			c.problem("item %v has the alias %v, which leads nowhere", it.ID, alias)
		}
	}
	if r.bucket(feedsBucket).Get([]byte(it.Feed)) == nil {
		c.problem("item %v is of the feed %q, which is not there", it.ID, it.Feed)
	}
	if err := c.story(r, it); err != nil {
		return err
	}
	for _, topic := range append(it.Topics[:len(it.Topics):len(it.Topics)], aggregator.AllTopics) {
		if err := c.member(r, topic, it); err != nil {
			return err
		}
	}
	return nil
}

// story holds an item against its story, and the first item of a story against the lists.
func (c *check) story(r *reader, it *aggregator.Item) error {
	seqs, err := r.reportSeqs(it.Story)
	if err != nil {
		return err
	}
	if !slices.Contains(seqs, it.Seq) {
		c.problem("item %v is not entered in its story %v", it.ID, it.Story)
		return nil
	}
	slices.Sort(seqs)
	known := map[uint64]filed{it.Seq: {story: it.Story, report: reportOf(it)}}
	for i, seq := range seqs {
		if seq == it.Seq {
			seqs = seqs[i:]
			break
		}
		if earlier, err := r.reportsOf(it.Story, seqs[i:i+1], known); err != nil || len(earlier) > 0 {
			return err // That one stands for the story here.
		}
	}
	reports, err := r.reportsOf(it.Story, seqs, known)
	if err != nil {
		return err
	}
	for _, p := range listing(nil, reports) {
		c.places++
		number, ok, err := r.topicNumber(p.topic)
		if err != nil {
			return err
		}
		there := false
		if ok {
			there, err = r.isListed(number, listed{p.at, it.Story})
		}
		if err != nil {
			return err
		}
		if !there {
			c.problem("story %v is not listed under %q where it belongs", it.Story, p.topic)
		}
	}
	return nil
}

// member holds an item against the index of members.
func (c *check) member(r *reader, topic aggregator.TopicID, it *aggregator.Item) error {
	c.members++
	number, ok, err := r.topicNumber(topic)
	if err != nil {
		return err
	}
	b := c.blocks[number]
	if ok && (len(b.members) == 0 || it.Seq > b.key || it.Seq < b.members[0].seq) {
		k, v := r.bucket(membersBucket).Cursor().Seek(blockKey(number, it.Seq))
		if len(k) == blockKeyLen && binary.BigEndian.Uint32(k) == number {
			if b, err = parseBlock(nil, k, v); err != nil {
				return err
			}
			c.blocks[number] = b
		}
	}
	i, there := slices.BinarySearchFunc(b.members, it.Seq, func(m member, seq uint64) int { return cmp.Compare(m.seq, seq) })
	if !there {
		c.problem("item %v is not among the members of %q", it.ID, topic)
		return nil
	}
	m := b.members[i]
	feed, err := r.feedOf(m.feed)
	if err != nil {
		return err
	}
	back, ok, err := r.number(feedKind, string(feed))
	if err != nil {
		return err
	}
	if !ok || back != m.feed {
		c.problem("feed %q has no number", feed)
	}
	if m.published != instantOf(it.Published) || feed != it.Feed {
		c.problem("item %v is another among the members of %q: of feed %q, published %v", it.ID, topic, feed, m.published.time())
	}
	return nil
}

func (c *check) identity(r *reader, k, v []byte) error {
	at, ok := identityIn(v)
	switch {
	case !ok:
		c.problem("identity %x has %d bytes", k, len(v))
	case at.alias():
		if to, ok, err := r.lookUp(at.hash); err != nil || !ok || to.alias() {
			c.problem("alias %x leads to %x, which is no item", k, at.hash)
		}
	case at.pruned():
	default:
		c.identities++
		there := false
		if k, v := r.bucket(itemsBucket).Cursor().Seek(seqKey(at.seq)); k != nil {
			_, _, there, _ = frameIn(k, v, at.seq) // Whoever reads the items says what is wrong.
		}
		if !there {
			c.problem("identity %x leads to Seq %d, where there is no item", k, at.seq)
		}
	}
	return nil
}

func (c *check) revision(r *reader, k, v []byte) error {
	var rec revisionRecord
	if err := r.decode(v, &rec); err != nil {
		c.problem("revision %x: %v", k, err)
		return nil
	}
	if len(k) != 24 {
		c.problem("revision %x has a wrong key", k)
		return nil
	}
	if at, ok, err := r.lookUp(aggregator.ItemID(k[:16])); err != nil || !ok || at.pruned() || at.alias() {
		c.problem("revision %x is of no item", k)
	}
	return nil
}

// storyEntry counts: each item was found in its story, so that more entries than items are too many.
func (c *check) storyEntry(*reader, []byte, []byte) error {
	c.reports++
	return nil
}

func (c *check) feed(r *reader, k, v []byte) error {
	var rec feedRecord
	if err := r.decodeFeed(v, &rec); err != nil {
		c.problem("feed %q: %v", k, err)
		return nil
	}
	state, err := r.state(k)
	if err != nil {
		c.problem("state of feed %q: %v", k, err)
		return nil
	}
	id := aggregator.FeedID(k)
	if state.Items != c.feeds[id] {
		c.problem("feed %q has %d items and counts %d", id, c.feeds[id], state.Items)
	}
	entry, err := r.dueEntryOf(dueFeed{due: instantOf(state.Due), id: k})
	isDue := entry != nil
	switch {
	case err != nil:
		c.problem("%v", err)
	case isDue == rec.Inactive:
		c.problem("feed %q: active is %v, and it is entered as due: %v", id, !rec.Inactive, isDue)
	case isDue && !bytes.Equal(entry, rec.entry(k, state.MovedTo)):
		c.problem("feed %q: it is entered as due with another description or another URL than its own", id)
	}
	return nil
}

func (c *check) topic(r *reader, k, v []byte) error {
	var rec versionRecord
	if err := r.decode(v, &rec); err != nil {
		c.problem("version of topic %q: %v", k, err)
	} else if last := r.bucket(itemsBucket).Sequence(); rec.Seq > last {
		c.problem("topic %q has the version %d, and the last Seq is %d", k, rec.Seq, last)
	}
	return nil
}
