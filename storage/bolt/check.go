package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

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
	// identities counts those that are not pruned, reports the entries of stories, places those that lists must have.
	identities, reports, places int
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
	c := &check{Store: s, ctx: ctx, feeds: make(map[aggregator.FeedID]int)}
	for _, step := range []struct {
		bucket []byte
		each   func(r *reader, k, v []byte) error
	}{
		{itemsBucket, c.item}, {identityBucket, c.identity}, {aliasesBucket, c.alias}, {revisionsBucket, c.revision},
		{storiesBucket, c.storyEntry}, {feedsBucket, c.feed}, {topicsBucket, c.topic}, {notesBucket, c.note},
	} {
		if err := s.scan(ctx, step.bucket, step.each); err != nil {
			return c.report, err
		}
	}
	if err := c.lists(); err != nil {
		return c.report, err
	}
	if err := c.counts(); err != nil {
		return c.report, err
	}
	return c.report, c.pages()
}

// item holds an item against identity, stories and aliases, which have to lead to it.
func (c *check) item(r *reader, k, v []byte) error {
	seq := seqIn(k)
	c.report.Items++
	var rec itemRecord
	if err := r.decode(v, &rec); err != nil {
		c.problem("item %d: %v", seq, err)
		return nil
	}
	it := rec.item(seq)
	c.feeds[it.Feed]++
	if seq == 0 || seq > r.bucket(itemsBucket).Sequence() {
		c.problem("item %v has the Seq %d, and the last that was given is %d", it.ID, seq, r.bucket(itemsBucket).Sequence())
	}
	if at, ok := identityIn(r.bucket(identityBucket).Get(it.ID[:])); !ok || at != (identity{seq, it.Hash}) {
		c.problem("item %v (Seq %d) is not what its identity leads to", it.ID, seq)
	}
	var entry reportRecord
	ok, err := r.get(storiesBucket, storyKey(it.Story, it.ID), &entry)
	if err != nil || !ok || !sameReport(entry, reportOf(&it)) {
		c.problem("item %v is not entered in its story %v as it is", it.ID, it.Story)
	}
	for _, alias := range it.Aliases {
		if r.bucket(aliasesBucket).Get(alias[:]) == nil && r.bucket(identityBucket).Get(alias[:]) == nil {
			c.problem("item %v has the alias %v, which leads nowhere", it.ID, alias)
		}
	}
	if r.bucket(feedsBucket).Get([]byte(it.Feed)) == nil {
		c.problem("item %v is of the feed %q, which is not there", it.ID, it.Feed)
	}
	return nil
}

func sameReport(a, b reportRecord) bool {
	if len(a.Topics) != len(b.Topics) {
		return false
	}
	for i := range a.Topics {
		if a.Topics[i] != b.Topics[i] {
			return false
		}
	}
	return a.Seq == b.Seq && a.FirstSeen == b.FirstSeen && a.OrderTime == b.OrderTime
}

func (c *check) identity(r *reader, k, v []byte) error {
	at, ok := identityIn(v)
	switch {
	case !ok || len(k) != 16:
		c.problem("identity %x has %d bytes", k, len(v))
	case at.pruned():
	case r.bucket(itemsBucket).Get(seqKey(at.seq)) == nil:
		c.problem("identity %x leads to Seq %d, where there is no item", k, at.seq)
	default:
		c.identities++
	}
	return nil
}

func (c *check) alias(r *reader, k, v []byte) error {
	if len(k) != 16 || len(v) != 16 || r.bucket(identityBucket).Get(v) == nil {
		c.problem("alias %x leads to %x, which is no item", k, v)
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
	if at, ok := identityIn(r.bucket(identityBucket).Get(k[:16])); !ok || at.pruned() {
		c.problem("revision %x is of no item", k)
	}
	return nil
}

// storyEntry holds a story against the lists when it comes to the story's first entry.
func (c *check) storyEntry(r *reader, k, v []byte) error {
	c.reports++
	if len(k) != 32 {
		c.problem("story entry %x has a wrong key", k)
		return nil
	}
	story := aggregator.StoryID(k[:16])
	before, _ := r.bucket(storiesBucket).Cursor().Seek(k[:16])
	if !bytes.Equal(before, k) {
		return nil
	}
	reports, err := r.reports(story)
	if err != nil {
		c.problem("story %v: %v", story, err)
		return nil
	}
	places := r.bucket(listsBucket).Cursor()
	for topic, at := range listing(reports) {
		c.places++
		key := listKey(topic, at, story)
		if found, _ := places.Seek(key); !bytes.Equal(found, key) {
			c.problem("story %v is not listed under %q where it belongs", story, topic)
		}
	}
	for _, rep := range reports {
		if at, ok := identityIn(r.bucket(identityBucket).Get(rep.id[:])); !ok || at.seq != rep.Seq {
			c.problem("story %v has the item %v, which is not there", story, rep.id)
		}
	}
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

// lists finds places of stories that are not those of storyEntry. Since all of those are there, it is enough to count.
func (c *check) lists() error {
	listed := 0
	err := c.scan(c.ctx, listsBucket, func(*reader, []byte, []byte) error {
		listed++
		return nil
	})
	if err == nil && c.report.Found == 0 && listed != c.places {
		c.problem("the lists have %d entries that belong to no story", listed-c.places)
	}
	return err
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
	s := &Store{path: path, codec: codec, file: file{db: db}}
	err = s.view(func(r *reader) (err error) {
		s.file.pack, err = r.newPacker()
		return err
	})
	if err == nil {
		report, err = s.check(ctx)
	}
	return report, errors.Join(err, guard(db.Close))
}
