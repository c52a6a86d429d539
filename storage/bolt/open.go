package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/topicwire/topicwire/aggregator"
)

// format is the version of the layout that this package writes and the newest that it reads.
const format = 6

// The buckets and the keys of meta.
var (
	metaBucket      = []byte("meta")
	feedsBucket     = []byte("feeds")
	statesBucket    = []byte("placed-states")
	listingsBucket  = []byte("listings")
	dueBucket       = []byte("due-blocks")
	itemsBucket     = []byte("items")
	identityBucket  = []byte("identity")
	revisionsBucket = []byte("revisions")
	storiesBucket   = []byte("stories")
	listsBucket     = []byte("lists")
	topicsBucket    = []byte("topics")
	membersBucket   = []byte("members")
	namesBucket     = []byte("names")
	notesBucket     = []byte("notes")

	dictionariesBucket = []byte("dictionaries")

	// idStatesBucket and dueTimesBucket are where formats up to 5 have what statesBucket and dueBucket have today.
	idStatesBucket = []byte("states")
	dueTimesBucket = []byte("due")

	// allBuckets is in the order of doc.go.
	allBuckets = [][]byte{
		metaBucket, feedsBucket, statesBucket, listingsBucket, dueBucket, itemsBucket, identityBucket, revisionsBucket,
		storiesBucket, listsBucket, topicsBucket, membersBucket, namesBucket, notesBucket, dictionariesBucket,
	}

	// The tables and the widths of what is in them.
	identityTable = &table{bucket: identityBucket, key: 16, value: identityLen}
	storiesTable  = &table{bucket: storiesBucket, key: 8 + seqLen, value: 1, forgets: true}

	formatKey    = []byte("format")
	authorityKey = []byte("authority")
	rulesKey     = []byte("rules")
	refilingKey  = []byte("refiling")
)

// lockTimeout is how long a lock is waited for that another process holds, where nobody says otherwise.
const lockTimeout = 2 * time.Second

var (
	errClosed  = errors.New("store is closed")
	errDamaged = errors.New("the file is damaged; stop topicwire and put a backup in its place")
	// errDisk is what remains after the disk failed to write: which of the last pages it has is not known to anybody, and
	// what is written on top of them could be lost with them.
	errDisk  = errors.New("the disk failed, and nothing more is written to it; see the system's log, mend the disk, restart topicwire")
	errOther = errors.New("not a topicwire store; name another file")
)

// Options are how a store is opened. The zero value is ready for use.
type Options struct {
	// Timeout is how long Open waits for a lock that another process holds; 0 is 2 seconds.
	Timeout time.Duration
	// Now dates the Versions of topics; nil is time.Now.
	Now func() time.Time
}

// Store is a store in one file. It keeps the promises of storage.Store.
type Store struct {
	path    string
	codec   codec
	now     func() time.Time
	timeout time.Duration

	// file is what is open. Who reads holds using as a reader for the time of a short transaction; who puts another
	// file in its place waits for them.
	using sync.RWMutex
	file  file

	// writing is held by who writes, maintaining by who does something long that only one may do at a time; who wants
	// both takes maintaining first. They are channels so that waiting for them ends with a context.
	writing, maintaining chan struct{}
	queue                queue
	leases               leases
	// framers are as many as there are processors: more callers that make frames at once would only hold each other up, and
	// who writes with them.
	framers chan *framer
	// lastSeq is the last Seq given, trainAt that at which a first dictionary is tried. Who writes holds them.
	lastSeq, trainAt uint64
	// training is closed when the dictionary that is being made is in use, or given up; nil where none is made. Who writes
	// holds it.
	training chan struct{}
	// filter knows what the tables do not have, nil where none is made. survey makes it, nil where nobody does, and lookedUp
	// counts the items that were looked up since one was begun. Who writes holds the last two.
	filter   atomic.Pointer[filter]
	survey   *survey
	lookedUp uint64
	// closing says that the store is to be closed: nothing more begins in the background. Who writes holds it.
	closing bool
	// lastBatch is how many polls the last transaction had, collected is memory for the next. Who writes holds them.
	lastBatch int
	collected collected
	// changes counts what may have changed the states of leased feeds: what was read of one before the last is not what is
	// stored.
	changes atomic.Uint64
	// findings has some that are done, whose memory is used again.
	findings sync.Pool
	// stateRoom has slices to make records of states in.
	stateRoom sync.Pool

	versions versionCache

	// tables says how tables are divided.
	tables tableLimits

	closed  atomic.Bool
	damaged atomic.Bool
	// failed says that the disk failed to write.
	failed atomic.Bool
	// open is os.OpenFile but in tests of faults.
	open func(string, int, os.FileMode) (*os.File, error)
}

// file is an open database and what reads its records.
type file struct {
	db   *bbolt.DB
	pack *packer
}

// Open opens the store in the file at path and makes an empty one, readable by its owner alone, where there is no file.
// It is aggregator.ErrStoreBusy where another process has the file open. A file that is something else, that ends too
// early or that a newer version of topicwire wrote is left as it is; the error names it and what to do.
func Open(path string, o Options) (*Store, error) {
	s, err := open(path, o, os.OpenFile)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return s, nil
}

func open(path string, o Options, openFile func(string, int, os.FileMode) (*os.File, error)) (*Store, error) {
	if o.Timeout <= 0 {
		o.Timeout = lockTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	size, err := fileSize(path)
	if err != nil {
		return nil, err
	}
	bare := size == 0
	if !bare {
		if bare, err = inspect(path, size, o.Timeout); err != nil {
			return nil, err
		}
	}
	s := &Store{
		path: path, codec: codec, now: o.Now, timeout: o.Timeout, trainAt: trainAfter, open: openFile, tables: usualLimits(),
		writing: make(chan struct{}, 1), maintaining: make(chan struct{}, 1),
		stateRoom: sync.Pool{New: func() any { return new(roomForState()) }},
	}
	s.framers = make(chan *framer, runtime.GOMAXPROCS(0))
	for range cap(s.framers) {
		s.framers <- &framer{codec: codec}
	}
	db, err := s.openFile(path, size)
	if err != nil {
		return nil, err
	}
	s.file.db = db
	s.leases = newLeases(uint64(o.Now().UnixNano()))
	if err := s.prepare(bare); err != nil {
		return nil, errors.Join(err, guard(db.Close))
	}
	return s, nil
}

// prepare makes a store of a bare file, brings an earlier format forward and reads the dictionaries.
func (s *Store) prepare(bare bool) error {
	if bare {
		if err := s.create(); err != nil {
			return err
		}
	}
	// What a process left that ended while it rewrote the store. The lock of the store is ours.
	if err := os.Remove(newPath(s.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := s.view(func(r *reader) (err error) {
		s.file.pack, err = r.newPacker()
		return err
	})
	if err != nil || bare {
		return err
	}
	return s.migrate()
}

// fileSize is 0 where there is no file yet.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("there is no folder %s: %w; make it first", filepath.Dir(path), fs.ErrNotExist)
		}
		return 0, nil
	case err != nil:
		return 0, explain(err)
	case !info.Mode().IsRegular():
		return 0, errors.New("not a regular file; name a file")
	}
	return info.Size(), nil
}

// inspect looks at a file that is there without changing it, so that one that is not ours, or not whole, stays as it is.
// bare is a file that nobody has put anything into.
func inspect(path string, size int64, timeout time.Duration) (bare bool, err error) {
	db, err := openWith(path, &bbolt.Options{Timeout: timeout, ReadOnly: true})
	if err != nil {
		return false, err
	}
	err = guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > size {
				return fmt.Errorf("the file has %d bytes of %d: %w", size, tx.Size(), errDamaged)
			}
			first, _ := tx.Cursor().First()
			if bare = first == nil; bare {
				return nil
			}
			return checkFormat(tx.Bucket(metaBucket))
		})
	})
	return bare, errors.Join(err, db.Close())
}

func checkFormat(meta *bbolt.Bucket) error {
	var v []byte
	if meta != nil {
		v = meta.Get(formatKey)
	}
	if len(v) != 4 {
		return errOther
	}
	if n := binary.BigEndian.Uint32(v); n > format {
		return fmt.Errorf("format %d was written by a newer topicwire, this one reads up to %d; upgrade it", n, format)
	}
	return nil
}

// openFile opens the file for writing. Its memory map is made larger than the file where addresses are plenty: growing
// it waits for every reader, and a backup reads for long.
func (s *Store) openFile(path string, size int64) (*bbolt.DB, error) {
	o := &bbolt.Options{Timeout: s.timeout, OpenFile: s.open, FreelistType: bbolt.FreelistMapType}
	if strconv.IntSize == 64 {
		o.InitialMmapSize = int(max(8<<30, 2*size))
	}
	db, err := openWith(path, o)
	if errors.Is(err, syscall.ENOMEM) {
		// The process may have a limit on its addresses (ulimit -v).
		o.InitialMmapSize = 0
		db, err = openWith(path, o)
	}
	return db, err
}

func openWith(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	err = guard(func() error {
		db, err = bbolt.Open(path, 0o600, o)
		return err
	})
	return db, explain(err)
}

// explain says in the operator's words what keeps a file from being opened.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bbolterrors.ErrTimeout):
		return fmt.Errorf("%w; try again when it has ended, or stop it", aggregator.ErrStoreBusy)
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum),
		errors.Is(err, bbolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", errOther, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; the store needs a disk that can be written to", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; let the user who runs topicwire read and write the file and its folder", err)
	}
	return err
}

// create lays the buckets out in an empty file and makes the file's name durable.
func (s *Store) create() error {
	err := s.update(func(w *writer) error {
		for _, name := range allBuckets {
			if _, err := w.tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return w.bucket(metaBucket).Put(formatKey, binary.BigEndian.AppendUint32(nil, format))
	})
	if err != nil {
		return err
	}
	return syncFolder(s.path)
}

// syncFolder makes the name of a file durable.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Close waits for what is being written and read and closes the file. All methods fail after it; a second Close does
// nothing.
func (s *Store) Close() error {
	s.maintaining <- struct{}{}
	defer s.maintained()
	s.writing <- struct{}{}
	s.closing = true
	for s.training != nil || s.survey != nil {
		busy := s.training
		if s.survey != nil {
			s.survey.cancel()
			busy = s.survey.done
		}
		s.unlock()
		<-busy
		s.writing <- struct{}{}
	}
	defer s.unlock()
	if s.closed.Swap(true) || s.damaged.Load() {
		// After a panic bbolt may hold its locks for ever; the file is released when the process ends.
		return nil
	}
	if err := guard(s.database().Close); err != nil {
		return fmt.Errorf("close store %s: %w", s.path, err)
	}
	return nil
}
