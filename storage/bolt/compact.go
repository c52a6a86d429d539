package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

const (
	// growBytes is by how much the new file grows at a time, at the cost of a system call.
	growBytes = 1 << 20
	// bytesPerWrite is about what one transaction puts into the new file.
	bytesPerWrite = 8 << 20
	// copyFill is how full pages are left that something may be put between.
	copyFill = 0.9
)

// newFile is what a store is written to that is to take the place of the open one. It is not synced before its end, and
// nobody but a rewrite looks at it.
type newFile struct {
	*Store
	path string
	db   *bbolt.DB
	pack *packer
	tx   *bbolt.Tx
	size int
	// alloc is by how much the file grows at a time once it is in place.
	alloc int
	*tally
}

// newPath is where a rewrite of the store at path is written to. A file that is there when the store is opened is what
// a process left that ended before its rewrite did.
func newPath(path string) string { return path + ".compacting" }

// Compact writes the store anew, without free pages, with a dictionary trained on what it has now, and puts that in its
// place; see storage.MaintenanceStore. When it fails the store is as it was.
func (s *Store) Compact(ctx context.Context) (report aggregator.CompactReport, err error) {
	if err := s.maintain(ctx); err != nil {
		return report, err
	}
	defer s.maintained()
	if err := s.lock(ctx); err != nil {
		return report, err
	}
	defer s.unlock()
	if report.Before, err = fileSize(s.path); err != nil {
		return report, s.wrap("compact", err)
	}
	if err := s.rewrite(ctx, s.retrain, (*newFile).copyAll); err != nil {
		return report, fmt.Errorf("compact: %w", err)
	}
	report.After, err = fileSize(s.path)
	return report, s.wrap("compact", err)
}

// rewrite lets fill write a new file, with the given dictionary, and puts it in the place of the open one. Who calls it
// holds maintaining and writing.
func (s *Store) rewrite(
	ctx context.Context, dictionary func() (uint32, []byte, error), fill func(*newFile, context.Context) error,
) error {
	if err := s.writable(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	defer folder.Close()
	n, err := s.startFile(dictionary)
	if err != nil {
		return err
	}
	err = guard(func() error { return fill(n, ctx) })
	if err == nil {
		err = n.finish()
	}
	if err == nil {
		err = os.Rename(n.path, s.path)
	}
	if err != nil {
		return errors.Join(err, n.discard())
	}
	var old *bbolt.DB
	s.swap(func(f *file) {
		old = f.db
		*f = file{db: n.db, pack: n.pack}
		s.forgetFilter()
	})
	// The new file is in its place: what fails from here on is no reason to say that it is not.
	_ = guard(old.Close)
	if err := folder.Sync(); err != nil {
		// After a power cut the old file may be there again, without what is written from now on.
		return s.wrap("write", s.diskFailed(err))
	}
	return nil
}

// startFile makes the new file with its buckets and its dictionary.
func (s *Store) startFile(dictionaryOf func() (uint32, []byte, error)) (*newFile, error) {
	path := newPath(s.path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	size, err := fileSize(s.path)
	if err != nil {
		return nil, err
	}
	number, dictionary, err := dictionaryOf()
	if err != nil {
		return nil, err
	}
	var dictionaries [][]byte
	if number > 0 {
		dictionaries = append(dictionaries, dictionary)
	}
	pack, err := newPacker(number, dictionaries...)
	if err != nil {
		return nil, err
	}
	db, err := s.openFile(path, size)
	if err != nil {
		return nil, err
	}
	n := &newFile{Store: s, path: path, db: db, pack: pack, alloc: db.AllocSize}
	db.NoSync, db.AllocSize = true, growBytes
	err = guard(func() error {
		return db.Update(func(tx *bbolt.Tx) error {
			for _, name := range allBuckets {
				if _, err := tx.CreateBucket(name); err != nil {
					return err
				}
			}
			if number == 0 {
				return nil
			}
			return tx.Bucket(dictionariesBucket).Put(numberKey(number), dictionary)
		})
	})
	if err != nil {
		return nil, errors.Join(err, n.discard())
	}
	return n, nil
}

// retrain makes the next dictionary. A store that has too little to learn from keeps the one it has, if any: number 0.
func (s *Store) retrain() (number uint32, dictionary []byte, err error) {
	var samples [][]byte
	err = s.view(func(r *reader) error {
		number = r.pack.number
		dictionary = bytes.Clone(r.bucket(dictionariesBucket).Get(numberKey(number)))
		samples = r.samples()
		return nil
	})
	if err != nil || len(samples) < trainItems/2 {
		return number, dictionary, err
	}
	// A dictionary's number is written into every record, in one byte as long as it is below 256.
	next := number%255 + 1
	trained, err := trainDictionary(next, samples)
	if errors.Is(err, errDictionary) {
		return number, dictionary, nil
	}
	return next, trained, err
}

// copyAll copies the whole store.
func (n *newFile) copyAll(ctx context.Context) (err error) {
	if n.tally, err = n.Store.newTally(ctx); err != nil {
		return err
	}
	for _, bucket := range allBuckets {
		if bytes.Equal(bucket, itemsBucket) {
			n.partOfItems("compacting items")
		} else {
			n.part(fmt.Sprintf("compacting %s", bucket), 0)
		}
		switch string(bucket) {
		case string(dictionariesBucket):
		case string(itemsBucket):
			err = n.copyItems(ctx)
		case string(identityBucket):
			err = n.copyTable(ctx, identityTable)
		case string(storiesBucket):
			err = n.copyTable(ctx, storiesTable)
		case string(listsBucket):
			err = copyBlocks(ctx, n, listsIndex)
		case string(membersBucket):
			err = copyBlocks(ctx, n, membersIndex)
		case string(dueBucket):
			err = copyBlocks(ctx, n, dueIndex)
		case string(revisionsBucket):
			err = n.copyPacked(ctx, bucket, nil)
		case string(statesBucket):
			err = n.copyStates(ctx)
		case string(feedsBucket):
			err = n.copyFeeds(ctx)
		case string(topicsBucket), string(notesBucket):
			err = n.copyRecords(ctx, bucket)
		default:
			err = n.copyPairs(ctx, bucket)
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", bucket, err)
		}
	}
	if err := n.copyFormatAndSeq(); err != nil {
		return err
	}
	return n.view(func(r *reader) error {
		return n.setSequence(namesBucket, r.bucket(namesBucket).Sequence())
	})
}

// copyFormatAndSeq sets the format and copies the sequence number of items.
func (n *newFile) copyFormatAndSeq() error {
	if err := n.put(metaBucket, formatKey, binary.BigEndian.AppendUint32(nil, format)); err != nil {
		return err
	}
	return n.view(func(r *reader) error {
		return n.setSequence(itemsBucket, r.bucket(itemsBucket).Sequence())
	})
}

func (n *newFile) copyPairs(ctx context.Context, bucket []byte) error {
	return n.scan(ctx, bucket, func(_ *reader, k, v []byte) error { return n.put(bucket, k, v) })
}

// copyFeeds copies feeds, those of earlier formats as today's.
func (n *newFile) copyFeeds(ctx context.Context) error {
	return n.scan(ctx, feedsBucket, func(r *reader, k, v []byte) error {
		var rec feedRecord
		if err := r.decodeFeed(v, &rec); err != nil {
			return fmt.Errorf("%s %x: %w", feedsBucket, k, err)
		}
		return n.put(feedsBucket, bytes.Clone(k), encodeFeed(&rec))
	})
}

// copyStates copies the states of feeds, those of earlier formats as today's.
func (n *newFile) copyStates(ctx context.Context) error {
	return n.scan(ctx, statesBucket, func(r *reader, k, v []byte) error {
		if len(k) < placeLen {
			return fmt.Errorf("%s %x: %w", statesBucket, k, errRecord)
		}
		state, err := r.stateIn(v, k[placeLen:])
		if err != nil {
			return err
		}
		return n.put(statesBucket, bytes.Clone(k), encodeState(&state))
	})
}

// copyRecords copies records that are not compressed, each with its checksum: those of format 1 have none.
func (n *newFile) copyRecords(ctx context.Context, bucket []byte) error {
	return n.scan(ctx, bucket, func(r *reader, k, v []byte) error {
		cbor, err := r.pack.cbor(v)
		if err != nil {
			return fmt.Errorf("%s %x: %w", bucket, k, err)
		}
		return n.put(bucket, k, sum(cbor))
	})
}

// packedPair is a record on its way from the old dictionaries to the new one.
type packedPair struct {
	k, v []byte
	cbor []byte
	err  error
}

// copyPacked copies records that are compressed, on all processors. Where use is given it is told of each record in
// order, with the error of one that cannot be read, and says whether to copy it; else such an error ends the copy.
func (n *newFile) copyPacked(ctx context.Context, bucket []byte, use func(p packedPair) (bool, error)) error {
	old := n.Store.pack()
	for after, more := []byte(nil), true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var batch []packedPair
		more = false
		err := n.view(func(r *reader) error {
			size := 0
			c := r.bucket(bucket).Cursor()
			for k, v := seekAfter(c, nil, after); k != nil; k, v = c.Next() {
				batch = append(batch, packedPair{k: bytes.Clone(k), v: bytes.Clone(v)})
				if size += len(v); size >= bytesPerRead || len(batch) >= scannedPerRead {
					after, more = batch[len(batch)-1].k, true
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		repack(batch, old, n.pack)
		for _, p := range batch {
			wanted := p.err == nil
			if use != nil {
				if wanted, err = use(p); err != nil {
					return err
				}
			} else if p.err != nil {
				return fmt.Errorf("%s %x: %w", bucket, p.k, p.err)
			}
			if !wanted {
				continue
			}
			if err := n.put(bucket, p.k, p.v); err != nil {
				return err
			}
		}
	}
	return nil
}

// repack compresses the records with another dictionary, on all processors.
func repack(batch []packedPair, old, next *packer) {
	var parts sync.WaitGroup
	part := len(batch)/runtime.GOMAXPROCS(0) + 1
	for from := 0; from < len(batch); from += part {
		mine := batch[from:min(from+part, len(batch))]
		parts.Go(func() {
			for i := range mine {
				p := &mine[i]
				if p.cbor, p.err = old.cbor(p.v); p.err == nil {
					p.v = next.pack(p.cbor)
				}
			}
		})
	}
	parts.Wait()
}
