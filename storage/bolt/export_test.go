package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"reflect"
	"slices"

	"github.com/topicwire/topicwire/aggregator"
)

// OpenOn is Open with a file layer of the test's own.
func OpenOn(path string, openFile func(string, int, os.FileMode) (*os.File, error)) (*Store, error) {
	return open(path, Options{}, openFile)
}

// OpenSmall is Open with tables that are divided after a few entries and merged all the time, and never at once: what
// else takes a hundred thousand items.
func OpenSmall(path string) (*Store, error) {
	s, err := Open(path, Options{})
	if err == nil {
		s.tables = tableLimits{segment: 8, once: 32, each: 6, least: 8, leastFilter: 64}
	}
	return s, err
}

// Merging reports whether runs of a table are being merged.
func (s *Store) Merging() (yes bool) {
	_ = s.view(func(r *reader) error {
		for _, t := range []*table{identityTable, storiesTable} {
			if x, err := r.index(t); err == nil && x.merging != nil {
				yes = true
			}
		}
		return nil
	})
	return yes
}

// Runs is how many runs a store's identities have.
func (s *Store) Runs() (n int) {
	_ = s.view(func(r *reader) error {
		if x, err := r.index(identityTable); err == nil {
			n = len(x.runs)
		}
		return nil
	})
	return n
}

// RunsAsked is how many of all runs are asked for a story.
func (s *Store) RunsAsked(story aggregator.StoryID) (asked, all int) {
	_ = s.view(func(r *reader) error {
		if _, err := r.reportSeqs(story); err != nil {
			return err
		}
		x, err := r.index(storiesTable)
		if err != nil {
			return err
		}
		for _, seen := range x.seen[:len(x.runs)] {
			if seen.there {
				asked++
			}
		}
		all = len(x.runs)
		return nil
	})
	return asked, all
}

// Survey begins to make a filter.
func (s *Store) Survey() {
	s.writing <- struct{}{}
	defer s.unlock()
	if s.survey == nil {
		s.beginSurvey()
	}
}

// Within calls between in the midst of a transaction that reads, and gives how many items it has of a story before and after.
func (s *Store) Within(story aggregator.StoryID, between func()) (before, after int, err error) {
	err = s.view(func(r *reader) error {
		seqs, err := r.reportSeqs(story)
		if err != nil {
			return err
		}
		before = len(seqs)
		between()
		seqs, err = r.reportSeqs(story)
		after = len(seqs)
		return err
	})
	return before, after, err
}

// ErrGivenUp is that of GiveUp.
var ErrGivenUp = errors.New("given up")

// GiveUp writes the items in a transaction that fails, at its end where flushed is set.
func (s *Store) GiveUp(flushed bool, items ...aggregator.Item) error {
	s.writing <- struct{}{}
	defer s.unlock()
	return s.update(func(w *writer) error {
		for i := range items {
			items[i].Seq = 1<<40 + uint64(i)
			if err := w.enter(&items[i], nil); err != nil {
				return err
			}
		}
		if flushed {
			if err := w.flush(); err != nil {
				return err
			}
		}
		return ErrGivenUp
	})
}

// Surveyed waits until nobody makes a filter, and gives for how many more keys there is one; has is false where there is none.
func (s *Store) Surveyed() (left int, has bool) {
	for {
		s.writing <- struct{}{}
		v, f := s.survey, s.filter.Load()
		if f != nil {
			left = f.left
		}
		s.unlock()
		if v == nil {
			return left, f != nil
		}
		<-v.done
	}
}

// Filtered is how many of the keys a filter of so many others lets through, and whether it lets all of those through.
func Filtered(keys, others []uint64) (through int, all bool) {
	f := newFilter(len(others))
	all = true
	for _, key := range others {
		f.add(key)
	}
	for _, key := range others {
		all = all && f.mayHave(key)
	}
	for _, key := range keys {
		if f.mayHave(key) {
			through++
		}
	}
	return through, all
}

// ReadRecord reads bytes as the record of an item, without a dictionary.
func ReadRecord(record []byte) error {
	c, err := newCodec()
	if err != nil {
		return err
	}
	p, err := newPacker(0)
	if err != nil {
		return err
	}
	var it itemRecord
	return c.decode(p, record, &it)
}

// MakeRecord makes the record of an item without a title and with the given text.
func MakeRecord(text string) []byte {
	c, err := newCodec()
	if err != nil {
		panic(err)
	}
	p, err := newPacker(0)
	if err != nil {
		panic(err)
	}
	record, err := c.encodePacked(p, itemRecord{Content: text})
	if err != nil {
		panic(err)
	}
	return record
}

// ReadChunk reads bytes as a chunk of items, without a dictionary. They may lack the checksum of the table.
func ReadChunk(value []byte) error {
	p, err := newPacker(0)
	if err != nil {
		return err
	}
	for _, v := range [][]byte{value, sealed(value)} {
		c, parseErr := parseChunk(seqKey(9), v)
		err = errors.Join(err, parseErr)
		for i := 0; parseErr == nil && i < len(c.frames); i++ {
			_, frameErr := p.unpacked(c.frames[i])
			err = errors.Join(err, frameErr)
		}
	}
	return err
}

// MakeChunk makes a chunk of items without a title and with the given texts.
func MakeChunk(texts ...string) []byte {
	p, err := newPacker(0)
	if err != nil {
		panic(err)
	}
	c := chunk{key: uint64(len(texts))}
	for i, text := range texts {
		c.frames = append(c.frames, p.packedFrame([]uint64{uint64(i + 1)}, []byte(text)))
	}
	return c.append(nil)
}

// parsed parses a block into new memory, and into memory that has other entries, and panics where that differs.
func parsed[E any](x *blocks[E], k, v []byte, other E) error {
	entries, err := x.parse(nil, k, v)
	again, againErr := x.parse(slices.Repeat([]E{other}, len(v)+1), k, v)
	if fmt.Sprint(err) != fmt.Sprint(againErr) || err == nil && !reflect.DeepEqual(entries, again) {
		panic(fmt.Sprintf("%+v, %v; in used memory %+v, %v", entries, err, again, againErr))
	}
	return err
}

// ReadMembers reads bytes as a block of members, as they are and with a checksum that is right.
func ReadMembers(value []byte) error {
	key := blockKey(1, 9)
	other := member{seq: 1, published: instant{Sec: 1, Nano: 1}, feed: 1}
	return errors.Join(parsed(membersIndex, key, value, other), parsed(membersIndex, key, sealed(value), other))
}

// MakeMembers makes a block of members with the given Seqs.
func MakeMembers(seqs ...uint64) []byte {
	b := block{key: seqs[len(seqs)-1]}
	for _, seq := range seqs {
		b.members = append(b.members, member{seq: seq, published: instant{Sec: int64(seq), Nano: int32(seq % 2)}, feed: 1})
	}
	return b.append(nil)
}

// ReadList reads bytes as a block of lists, as they are and with a checksum that is right.
func ReadList(value []byte) error {
	key := listKey(1, listed{at: instant{Sec: 1, Nano: 1}})
	other := listed{at: instant{Sec: 1, Nano: 1}, story: aggregator.StoryID{1}}
	return errors.Join(parsed(listsIndex, key, value, other), parsed(listsIndex, key, sealed(value), other))
}

// MakeList makes a block of lists that ends as ReadList wants it.
func MakeList() []byte {
	return appendListed(nil, []listed{{story: aggregator.StoryID{7}}, {at: instant{Sec: 1, Nano: 1}}})
}

// ReadDue reads bytes as a block of what is due that ends with a feed due at the zero instant, and as the entry of a feed, as
// they are and with a checksum that is right.
func ReadDue(value []byte) error {
	id := []byte("b")
	err := parsed(dueIndex, dueKey(0, dueFeed{id: id}), value, dueFeed{instant{Sec: 1, Nano: 1}, id, id})
	_, entryErr := decodeEntry(value, id)
	right := append(append(make([]byte, placeLen), fielded), value...)
	_, sealedErr := decodeEntry(binary.BigEndian.AppendUint32(right, entrySum(right, id)), id)
	return errors.Join(err, entryErr, sealedErr)
}

// MakeDue makes a block that ends as ReadDue wants it, and the entry that its feeds have.
func MakeDue() (block, entry []byte) {
	entry = (&feedRecord{URL: "https://a.example/", Schedule: "@hourly"}).entry([]byte("b"), "https://b.example/")
	return appendDue(nil, []dueFeed{{id: []byte("a"), entry: entry}, {id: []byte("b"), entry: entry}}), entry
}

// PlainRecords makes an item's CBOR, as it would be stored without any wrapping.
func PlainRecords() func(*aggregator.Item) []byte {
	c, err := newCodec()
	if err != nil {
		panic(err)
	}
	return func(it *aggregator.Item) []byte {
		b, err := c.enc.Marshal(itemRecordOf(it))
		if err != nil {
			panic(err)
		}
		return b
	}
}

// Frames are the records of all frames of items.
func (s *Store) Frames() (records [][]byte, err error) {
	err = s.view(func(r *reader) error {
		return r.chunks(0, func(c *chunk) (bool, error) {
			for _, f := range c.frames {
				records = append(records, bytes.Clone(f.record))
			}
			return true, nil
		})
	})
	return records, err
}

// Transactions counts those that were ever written to the store's file.
func (s *Store) Transactions() (n int) {
	_ = s.view(func(r *reader) error {
		n = r.tx.ID()
		return nil
	})
	return n
}

// Spoilers make a store say something else in one place, each of the first item.
func Spoilers() map[string]func(s *Store) error {
	first := func(s *Store, f func(w *writer, it *aggregator.Item) error) error {
		return s.update(func(w *writer) error {
			k, v := w.bucket(itemsBucket).Cursor().First()
			c, err := parseChunk(k, v)
			if err != nil {
				return err
			}
			it, err := w.item(c.frames[0].seqs[0])
			if err != nil {
				return err
			}
			return f(w, &it)
		})
	}
	table := func(set func(w *writer, it *aggregator.Item)) func(s *Store) error {
		return func(s *Store) error {
			return first(s, func(w *writer, it *aggregator.Item) error {
				set(w, it)
				return nil
			})
		}
	}
	return map[string]func(s *Store) error{
		"an item that is gone": func(s *Store) error {
			return first(s, func(w *writer, it *aggregator.Item) error { return w.replaceItems(replacement{seq: it.Seq}) })
		},
		"an identity that leads elsewhere": table(func(w *writer, it *aggregator.Item) {
			w.setIdentity(it.ID, identity{seq: it.Seq + 1, hash: it.Hash})
		}),
		"an identity of nothing": table(func(w *writer, _ *aggregator.Item) {
			w.setIdentity(aggregator.ItemID{7}, identity{seq: 7777})
		}),
		"an alias that leads nowhere": table(func(w *writer, _ *aggregator.Item) {
			w.setIdentity(aggregator.ItemID{7}, identity{seq: isAlias, hash: [16]byte{8}})
		}),
		"an entry of a story that is gone": table(func(w *writer, it *aggregator.Item) {
			w.dropReport(it.Story, it.Seq)
		}),
		"an entry of a story for nothing": table(func(w *writer, _ *aggregator.Item) {
			w.setReport(&aggregator.Item{Story: aggregator.StoryID{7}, Seq: 7777}, true)
		}),
		"a place in a list that belongs to no story": func(s *Store) error {
			return first(s, func(w *writer, it *aggregator.Item) error {
				t, err := w.topic(aggregator.AllTopics)
				t.places = noted(t.places, listed{instantOf(it.OrderTime), aggregator.StoryID{7}}, false)
				return err
			})
		},
		"a member that is gone": func(s *Store) error {
			return first(s, func(w *writer, it *aggregator.Item) error { return w.enlist(aggregator.AllTopics, it, true) })
		},
		"a member of another time": func(s *Store) error {
			return first(s, func(w *writer, it *aggregator.Item) error {
				it.Published = it.Published.Add(1)
				return w.enlist("cloud", it, false)
			})
		},
		"a member that is no item": func(s *Store) error {
			return first(s, func(w *writer, it *aggregator.Item) error {
				it.Seq = 7777
				return w.enlist("cloud", it, false)
			})
		},
	}
}

// CachedBytes is how much the store keeps unpacked.
func CachedBytes(s *Store) int {
	c := s.pack().cache
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// FrameCache is a cache of frames by their first Seq.
type FrameCache struct{ cache *frameCache }

func CacheFrames(limit int) FrameCache { return FrameCache{newFrameCache(limit)} }

// Put adds a frame that takes so many bytes in all.
func (c FrameCache) Put(seq uint64, size int) {
	f := frame{seqs: []uint64{seq}, record: []byte{packed}}
	c.cache.put(f, make([]byte, size-len(f.record)))
}

func (c FrameCache) Get(seq uint64) bool {
	return c.cache.get(frame{seqs: []uint64{seq}, record: []byte{packed}}) != nil
}

func (c FrameCache) Bytes() int { return c.cache.size }

// MakeState makes the record of a state, LongState one as it once was; ReadState reads either, Summed gives any a checksum.
func MakeState(s *aggregator.FeedState) []byte { return encodeState(s) }

func LongState(s *aggregator.FeedState) []byte {
	w := append(make(fieldWriter, 0, 512), fielded)
	w = append(headOf(s).due.appendTo(w), make([]byte, stateHeadLen-instantLen)...)
	w.raw(rhythmCountsField, 4*rhythmCounts)
	for _, n := range countsOf(&s.Pace.Rhythm) {
		w = binary.BigEndian.AppendUint32(w, math.Float32bits(*n))
	}
	w.raw(historyField, pastPollLen*len(s.History))
	for _, p := range s.History {
		w = append(binary.BigEndian.AppendUint32(w, p.Minute), byte(p.Mark))
	}
	return Summed(w)
}

func ReadState(record []byte) (s aggregator.FeedState, err error) {
	head, fields, _, err := decodeHead(record)
	if err == nil {
		err = decodeState(head, fields, &s)
	}
	return s, err
}

func Summed(record []byte) []byte {
	return binary.BigEndian.AppendUint32(bytes.Clone(record), crc32.Checksum(record, checksums))
}
