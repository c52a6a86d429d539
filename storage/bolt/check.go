package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// maxProblems is how many problems are put into words.
const maxProblems = 100

// check holds the store against itself. Nothing is written meanwhile.
type check struct {
	*Store
	ctx    context.Context
	report aggregator.CheckReport
	// feeds counts the items of each feed.
	feeds map[aggregator.FeedID]int
	// identities counts those that are not pruned, reports the entries of stories, places those that lists must have,
	// members those that the index of that name must have.
	identities, reports, places, members int
	// blocks are the blocks of members that the items were last held against, by the topic's number.
	blocks map[uint32]block
	// inRun counts the entries of each run of a table.
	inRun map[uint64]uint64
	*tally
}

func (c *check) problem(format string, args ...any) {
	c.report.Found++
	if len(c.report.Problems) < maxProblems {
		c.report.Problems = append(c.report.Problems, fmt.Sprintf(format, args...))
	}
}

// Check holds the store against itself; see storage.MaintenanceStore. A file whose pages are damaged is an error: that
// is beyond repair from the items.
func (s *Store) Check(ctx context.Context, repair bool) (aggregator.CheckReport, error) {
	if err := s.maintain(ctx); err != nil {
		return aggregator.CheckReport{}, err
	}
	defer s.maintained()
	if err := s.lock(ctx); err != nil {
		return aggregator.CheckReport{}, err
	}
	defer s.unlock()
	report, err := s.check(ctx)
	if err != nil || !repair || report.Found == 0 {
		return report, err
	}
	if report.Lost, err = s.repair(ctx); err != nil {
		return report, fmt.Errorf("repair: %w", err)
	}
	report.Repaired = true
	return report, nil
}

func (s *Store) check(ctx context.Context) (aggregator.CheckReport, error) {
	c := &check{Store: s, ctx: ctx, feeds: make(map[aggregator.FeedID]int), blocks: make(map[uint32]block)}
	var err error
	if c.tally, err = s.newTally(ctx); err != nil {
		return c.report, err
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"checking tables", func() error { return c.table(identityTable) }},
		{"checking tables", func() error { return c.table(storiesTable) }},
		{checkingItems, func() error { return s.scan(ctx, itemsBucket, c.chunk) }},
		{"checking identities", func() error { return s.scanTable(ctx, identityTable, c.identity) }},
		{"checking stories", func() error { return s.scanTable(ctx, storiesTable, c.storyEntry) }},
		{"checking revisions", func() error { return s.scan(ctx, revisionsBucket, c.revision) }},
		{"checking feeds", func() error { return s.scan(ctx, feedsBucket, c.feed) }},
		{"checking topics", func() error { return s.scan(ctx, topicsBucket, c.topic) }},
		{"checking notes", func() error { return s.scan(ctx, notesBucket, c.note) }},
		{"checking lists", c.lists}, {"counting", c.counts}, {"checking pages", c.pages},
	} {
		if step.what == checkingItems {
			c.partOfItems(step.what)
		} else {
			c.part(step.what, 0)
		}
		if err := step.do(); errors.Is(err, errSpoiledTable) {
			return c.report, nil
		} else if err != nil {
			return c.report, err
		}
	}
	return c.report, nil
}

const checkingItems = "checking items"

// errSpoiledTable ends a check early: what a spoiled table says of the items is not worth reading.
var errSpoiledTable = errors.New("the table cannot be read")

// table holds a table against its list of runs.
func (c *check) table(t *table) error {
	found := c.report.Found
	var runs map[uint64]run
	err := c.view(func(r *reader) error {
		x, err := r.openTable(t)
		if err != nil {
			c.problem("%v", err)
			return nil
		}
		runs = make(map[uint64]run)
		for i, r := range x.runs {
			if m := x.merging; m != nil && i >= m.from && i < m.to {
				r.entries = 0 // They go one after the other: any number of them may be left.
			}
			runs[r.number] = r
		}
		if x.merging != nil {
			runs[x.merging.out.number] = x.merging.out
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.inRun = make(map[uint64]uint64)
	if c.report.Found == found {
		err = c.scan(c.ctx, t.bucket, func(_ *reader, k, v []byte) error {
			if !bytes.Equal(k, runsKey) {
				c.segment(t, runs, k, v)
			}
			return nil
		})
	}
	for number, r := range runs {
		if n := c.inRun[number]; err == nil && r.entries > 0 && n != r.entries {
			c.problem("%s: run %d has %d entries and counts %d", t.bucket, number, n, r.entries)
		}
	}
	if err == nil && c.report.Found > found {
		return errSpoiledTable
	}
	return err
}

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
	known := map[uint64]filed{it.Seq: {story: it.Story, report: *reportOf(it)}}
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
			if b, err = parseBlock(k, v); err != nil {
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
	key := dueKey(instantOf(state.Due), k)
	found, url := r.bucket(dueBucket).Cursor().Seek(key)
	isDue := bytes.Equal(found, key)
	switch {
	case isDue == rec.Inactive:
		c.problem("feed %q: active is %v, and it is entered as due: %v", id, !rec.Inactive, isDue)
	case isDue && len(url) > 0 && !bytes.Equal(url, rec.polledAt(&state)):
		c.problem("feed %q: it is entered as due at another URL than its own", id)
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

// lists finds places of stories that are not those of items. Since all of those are there, it is enough to count. So it
// is with the members.
func (c *check) lists() error {
	listed, members := 0, 0
	err := c.scan(c.ctx, listsBucket, func(_ *reader, k, v []byte) error {
		stories, err := parseListed(k, v)
		if err != nil {
			c.problem("%v", err)
		}
		listed += len(stories)
		return nil
	})
	if err != nil {
		return err
	}
	err = c.scan(c.ctx, membersBucket, func(_ *reader, k, v []byte) error {
		b, err := parseBlock(k, v)
		if err != nil {
			c.problem("%v", err)
		}
		members += len(b.members)
		return nil
	})
	if err != nil || c.report.Found > 0 {
		return err
	}
	if listed != c.places {
		c.problem("the lists have %d entries that belong to no story", listed-c.places)
	}
	if members != c.members {
		c.problem("the index of members has %d that are no items", members-c.members)
	}
	return nil
}

// counts finds entries that lead to items and are not those that the items were held against.
func (c *check) counts() error {
	if c.report.Found > 0 {
		return nil
	}
	for _, n := range []struct {
		what  string
		count int
	}{{"identities", c.identities}, {"entries of stories", c.reports}} {
		if n.count != c.report.Items {
			c.problem("there are %d items and %d %s", c.report.Items, n.count, n.what)
		}
	}
	active, due := 0, 0
	err := c.scan(c.ctx, feedsBucket, func(r *reader, k, v []byte) error {
		var rec feedRecord
		if err := r.decodeFeed(v, &rec); err == nil && !rec.Inactive {
			active++
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.scan(c.ctx, dueBucket, func(*reader, []byte, []byte) error {
		due++
		return nil
	})
	if err == nil && active != due {
		c.problem("%d feeds are active and %d due times are entered", active, due)
	}
	return err
}

// pages lets bbolt look at every page. It does so on a goroutine of its own, where nobody could catch a fault on the
// memory map: it comes last, when every page that holds something has been read.
func (c *check) pages() error {
	return c.view(func(r *reader) error {
		var found []error
		for err := range r.tx.Check(bbolt.WithKVStringer(bbolt.HexKVStringer())) {
			if len(found) < maxProblems {
				found = append(found, err)
			}
		}
		if len(found) > 0 {
			return fmt.Errorf("%w (%w)", errDamaged, errors.Join(found...))
		}
		return nil
	})
}

// Verify opens the store in the file at path without changing it and checks it whole: a backup that passes is one that
// Open opens and that says all that the store said.
func Verify(ctx context.Context, path string) (aggregator.CheckReport, error) {
	report, err := verify(ctx, path)
	if err == nil && report.Found > 0 {
		err = fmt.Errorf("%d problems, the first: %s", report.Found, report.Problems[0])
	}
	if err != nil {
		return report, fmt.Errorf("verify store %s: %w", path, err)
	}
	return report, nil
}

func verify(ctx context.Context, path string) (report aggregator.CheckReport, err error) {
	codec, err := newCodec()
	if err != nil {
		return report, err
	}
	size, err := fileSize(path)
	if err != nil {
		return report, err
	}
	if bare, err := inspect(path, size, lockTimeout); err != nil || bare {
		return report, errors.Join(err, errOther)
	}
	db, err := openWith(path, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return report, err
	}
	s := &Store{path: path, codec: codec, tables: usualLimits(), file: file{db: db}}
	err = s.view(func(r *reader) (err error) {
		s.file.pack, err = r.newPacker()
		return err
	})
	var n uint32
	if err == nil {
		n, err = s.formatOf()
	}
	if err == nil && n != format {
		err = fmt.Errorf("it is of format %d, and %d is what is checked: open it as a store, which brings it forward", n, format)
	}
	if err == nil {
		report, err = s.check(ctx)
	}
	return report, errors.Join(err, guard(db.Close))
}
