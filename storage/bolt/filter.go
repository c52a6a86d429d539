package bolt

import (
	"context"
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// filter tells keys that the tables identity and stories certainly do not have. It is a Bloom filter in lines of memory: a key
// sets eight bits of one line, so that to ask for it costs one access to memory, where a table has to ask a segment of each of
// its runs. Keys are hashes: their first eight bytes are what it is told and asked, and are hashed no further. That a key of one
// table may be let through for the other costs a look-up.
//
// It may be asked while it is added to.
type filter struct {
	lines [][8]uint64
	// left is for how many more keys it is made.
	left int
	// since is the first transaction whose keys it has all: an earlier one may have some that a table has forgotten.
	since int
}

// filterBits is how many bits there are for each key where the filter is full: of what is not there a hundredth is then looked
// for all the same.
const filterBits = 10

func newFilter(keys int) *filter {
	return &filter{lines: make([][8]uint64, keys*filterBits/512+1), left: keys}
}

// filterFactors are odd numbers, one for each word of a line: the first six bits of the key's product say which of its bits.
var filterFactors = [8]uint64{
	0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93,
	0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
}

// line is by the first bits of the key. Who adds keys in order goes through the memory in order.
func (f *filter) line(key uint64) *[8]uint64 {
	i, _ := bits.Mul64(key, uint64(len(f.lines)))
	return &f.lines[i]
}

// add is for one goroutine at a time.
func (f *filter) add(key uint64) {
	line := f.line(key)
	for i, factor := range filterFactors {
		atomic.OrUint64(&line[i], 1<<(key*factor>>58))
	}
	f.left--
}

func (f *filter) mayHave(key uint64) bool {
	line := f.line(key)
	for i, factor := range filterFactors {
		if atomic.LoadUint64(&line[i])>>(key*factor>>58)&1 == 0 {
			return false
		}
	}
	return true
}

// lacks reports whether the tables certainly have no key that begins with these bytes, of which there are at least eight.
func (r *reader) lacks(prefix []byte) bool {
	f := r.filter.Load()
	return f != nil && r.tx.ID() >= f.since && !f.mayHave(binary.BigEndian.Uint64(prefix))
}

// survey is the making of a filter.
type survey struct {
	cancel context.CancelFunc
	// late are keys that were added to the tables since it began.
	late []uint64
	done chan struct{}
}

// adding has the filter know the keys of entries before a table has them. Who calls it holds writing.
func (s *Store) adding(t *table, entries []byte) {
	f := s.filter.Load()
	for ; len(entries) > 0 && (f != nil || s.survey != nil); entries = entries[t.width():] {
		key := binary.BigEndian.Uint64(entries)
		if f != nil && !f.mayHave(key) {
			f.add(key)
		}
		if s.survey != nil {
			s.survey.late = append(s.survey.late, key)
		}
	}
}

// worthFilter is how many items a filter may have to be made of for each item that was looked up: it saves some runs each
// time, and to read an entry of the tables costs little. A process that stores few beside what there is makes none.
const worthFilter = 64

// surveyWhenWorth begins to make a filter where there is none, or one that is full. Polls go on meanwhile. Who calls it holds
// writing.
func (s *Store) surveyWhenWorth() {
	if s.survey != nil || s.closing || s.lookedUp*worthFilter < s.lastSeq {
		return
	}
	if f := s.filter.Load(); f == nil || f.left <= 0 {
		s.beginSurvey()
	}
}

// beginSurvey begins to make a filter. Who calls it holds writing.
func (s *Store) beginSurvey() {
	s.lookedUp = 0
	ctx, cancel := context.WithCancel(context.Background())
	v := &survey{cancel: cancel, done: make(chan struct{})}
	s.survey = v
	go func() {
		defer close(v.done)
		defer cancel()
		f, err := s.allKeys(ctx)
		s.writing <- struct{}{}
		defer s.unlock()
		if s.survey != v { // The file is another one.
			return
		}
		s.survey = nil
		if err == nil {
			// Nobody writes: what is there from now on was scanned, or came late.
			err = s.view(func(r *reader) error {
				f.since = r.tx.ID()
				return nil
			})
		}
		if err != nil { // A store without a filter is whole, only slower: an error here is no poll's.
			return
		}
		for _, key := range v.late {
			f.add(key)
		}
		s.filter.Store(f)
	}()
}

// forgetFilter is for when another file takes the place of this one. Who calls it holds writing.
func (s *Store) forgetFilter() {
	if s.survey != nil {
		s.survey.cancel()
		s.survey = nil
	}
	s.filter.Store(nil)
}

// allKeys makes a filter of what the tables have, with room for as much again.
func (s *Store) allKeys(ctx context.Context) (*filter, error) {
	tables := []*table{identityTable, storiesTable}
	entries := uint64(0)
	err := s.view(func(r *reader) error {
		for _, t := range tables {
			x, err := r.index(t)
			if err != nil {
				return err
			}
			entries += entriesOf(x.runs)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	f := newFilter(max(2*int(entries), s.tables.leastFilter))
	for _, t := range tables {
		err := s.scanTable(ctx, t, func(_ *reader, key, _ []byte) error {
			f.add(binary.BigEndian.Uint64(key))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}
