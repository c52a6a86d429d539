package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"
)

// The first byte of a record says how the rest is to be read.
const (
	// plain is CBOR, as format 1 wrote it.
	plain = 1
	// summed is CBOR with its CRC-32C behind it.
	summed = 2
	// packed is a zstd frame of CBOR (RFC 8878) with the frame's own checksum. The frame names its dictionary.
	packed = 3
	// fielded is fields with a CRC-32C behind them; see fields.go.
	fielded = 4
)

const (
	// maxPacked is the largest record that is compressed, and what a frame may claim to hold: a spoiled one must not make
	// the process ask for all memory there is. What is larger is summed.
	maxPacked = 64 << 20
	// minPacked is the smallest record that is worth a try.
	minPacked = 64
)

// A dictionary is trained on so many items of a store, spread over all of it, and on so much of each.
const (
	trainAfter   = 2000
	trainItems   = 250
	trainBytes   = 2 << 20
	trainPerItem = 8 << 10
	// dictionarySize is what pays: twice as much makes records one per cent smaller, and each encoder larger.
	dictionarySize = 64 << 10
	// dictionaryHash is the shortest repetition that the training counts, in bytes.
	dictionaryHash = 6
)

// checksums is the table of CRC-32C (RFC 3720 appendix B.4).
var checksums = crc32.MakeTable(crc32.Castagnoli)

var errDictionary = errors.New("no dictionary can be made of it")

// packer compresses records with the store's latest dictionary and reads those of any of its dictionaries, which never
// change. It may be used from many goroutines.
type packer struct {
	// number is the latest dictionary's, 0 where there is none yet.
	number uint32
	enc    *zstd.Encoder
	dec    *zstd.Decoder
	// cache has what was unpacked.
	cache *frameCache
}

// newPacker has the given dictionaries, oldest first; the last has the given number.
func newPacker(number uint32, dictionaries ...[]byte) (*packer, error) {
	threads := runtime.GOMAXPROCS(0)
	encoding := []zstd.EOption{
		// A level above finds one per cent more in short texts, and takes four times as long: it copies larger tables of
		// the dictionary for each record.
		zstd.WithEncoderConcurrency(threads), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128 << 10),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true), zstd.WithZeroFrames(true),
	}
	if len(dictionaries) > 0 {
		encoding = append(encoding, zstd.WithEncoderDict(dictionaries[len(dictionaries)-1]))
	}
	enc, err := zstd.NewWriter(nil, encoding...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(threads), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxPacked), zstd.WithDecoderDicts(dictionaries...))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	return &packer{number: number, enc: enc, dec: dec, cache: newFrameCache(cacheBytes)}, nil
}

// pack makes a record of CBOR, the shorter of the two ways.
func (p *packer) pack(cbor []byte) []byte {
	return p.appendPacked(make([]byte, 0, 64+len(cbor)/2), cbor)
}

// appendPacked adds to record, which is empty, what pack makes.
func (p *packer) appendPacked(record, cbor []byte) []byte {
	if len(cbor) >= minPacked && len(cbor) <= maxPacked {
		return shorter(p.enc.EncodeAll(cbor, append(record, packed)), cbor)
	}
	return appendSummed(record, cbor)
}

// shorter is the packed record of CBOR, or, in its memory, one that is not compressed where that is no longer.
func shorter(record, cbor []byte) []byte {
	if len(record) < len(cbor) {
		return record
	}
	return appendSummed(record[:0], cbor)
}

// sum makes a record of CBOR that is not compressed.
func sum(cbor []byte) []byte {
	return appendSummed(make([]byte, 0, 1+len(cbor)+crc32.Size), cbor)
}

func appendSummed(record, cbor []byte) []byte {
	record = append(append(record, summed), cbor...)
	return binary.BigEndian.AppendUint32(record, crc32.Checksum(cbor, checksums))
}

// cbor is what is in a record. It may be a part of record, and is valid for as long.
func (p *packer) cbor(record []byte) ([]byte, error) {
	if len(record) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errRecord)
	}
	kind, rest := record[0], record[1:]
	switch kind {
	case plain:
		return rest, nil
	case summed:
		cbor, ok := unsealed(rest)
		if !ok {
			return nil, fmt.Errorf("%w: its checksum is wrong", errRecord)
		}
		return cbor, nil
	case packed:
		cbor, err := p.dec.DecodeAll(rest, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRecord, err)
		}
		return cbor, nil
	}
	return nil, fmt.Errorf("%w: version %d", errRecord, kind)
}

// trainDictionary makes a dictionary of what the samples have in common. The error is errDictionary where they have too
// little, whatever the library makes of them.
func trainDictionary(number uint32, samples [][]byte) (dictionary []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			dictionary, err = nil, fmt.Errorf("%w: %v", errDictionary, p)
		}
	}()
	dictionary, err = dict.BuildZstdDict(samples, dict.Options{
		MaxDictSize: dictionarySize, HashBytes: dictionaryHash, ZstdDictID: number, ZstdLevel: zstd.SpeedFastest,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDictionary, err)
	}
	if _, err := newPacker(number, dictionary); err != nil {
		return nil, fmt.Errorf("%w: %w", errDictionary, err)
	}
	return dictionary, nil
}

// packer reads the store's dictionaries.
func (r *reader) newPacker() (*packer, error) {
	var all [][]byte
	var latest uint32
	if b := r.bucket(dictionariesBucket); b != nil {
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) != 4 {
				return nil, fmt.Errorf("dictionary %x: %w", k, errRecord)
			}
			latest = binary.BigEndian.Uint32(k)
			all = append(all, append([]byte(nil), v...))
		}
	}
	p, err := newPacker(latest, all...)
	if err != nil {
		return nil, fmt.Errorf("dictionaries: %w", err)
	}
	return p, nil
}

// samples are the CBOR of items from all over the store.
func (r *reader) samples() [][]byte {
	var samples [][]byte
	items := r.bucket(itemsBucket)
	step, size := max(1, items.Sequence()/trainItems), 0
	c, want := items.Cursor(), uint64(0)
	for k, v := c.First(); k != nil && size < trainBytes; k, v = c.Seek(seqKey(want)) {
		ch, err := parseChunk(k, v)
		for i := 0; err == nil && i < len(ch.frames); i++ { // Whoever reads the items says what is wrong.
			f := ch.frames[i]
			if f.seqs[len(f.seqs)-1] < want {
				continue
			}
			all, err := r.pack.unpacked(f)
			for n := 0; err == nil && n < len(all); n++ {
				if f.seqs[n] >= want {
					cbor := bytes.Clone(all[n][:min(len(all[n]), trainPerItem)])
					samples, size, want = append(samples, cbor), size+len(cbor), f.seqs[n]+step
				}
			}
		}
		want = max(want, seqIn(k)+1)
	}
	return samples
}

// trainWhenReady gives the store its first dictionary once it has items to learn from: a new store would write for
// months without one if it had to wait for its first compaction. That takes a second, and polls go on meanwhile. Who calls
// it holds writing.
func (s *Store) trainWhenReady() {
	if s.closing || s.pack().number > 0 || s.lastSeq < s.trainAt {
		return
	}
	// Items that have nothing in common today may have it when there are more of them.
	s.trainAt = 8 * s.lastSeq
	done := make(chan struct{})
	s.training = done
	go func() {
		defer close(done)
		dictionary, err := s.learn()
		s.writing <- struct{}{}
		defer s.unlock()
		s.training = nil
		if err == nil && s.pack().number == 0 { // A compaction may have been faster.
			// A store without a dictionary is whole, only larger than it need be: an error here is no poll's.
			_ = s.adopt(dictionary)
		}
	}()
}

// learn makes a dictionary of the items that there are.
func (s *Store) learn() ([]byte, error) {
	var samples [][]byte
	err := s.view(func(r *reader) error {
		samples = r.samples()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return trainDictionary(1, samples)
}

// adopt stores the first dictionary. Who calls it holds writing.
func (s *Store) adopt(dictionary []byte) error {
	var next *packer
	err := s.update(func(w *writer) (err error) {
		if err := w.bucket(dictionariesBucket).Put(numberKey(1), dictionary); err != nil {
			return err
		}
		next, err = w.newPacker()
		return err
	})
	if err == nil {
		s.swap(func(f *file) { f.pack = next })
	}
	return err
}

func numberKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
