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

// lists finds places of stories that are not those of items. Since all of those are there, it is enough to count. So it
// is with the members.
func (c *check) lists() error {
	listed, members := 0, 0
	err := c.scan(c.ctx, listsBucket, func(_ *reader, k, v []byte) error {
		stories, err := parseListed(nil, k, v)
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
		b, err := parseBlock(nil, k, v)
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
	err = c.scan(c.ctx, dueBucket, func(_ *reader, k, v []byte) error {
		feeds, err := parseDue(nil, k, v)
		if err != nil {
			c.problem("%v", err)
		}
		due += len(feeds)
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
