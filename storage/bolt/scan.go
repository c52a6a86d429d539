package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"github.com/topicwire/topicwire/aggregator"
)

// scan calls f for each pair of the bucket, in short transactions. What f is given is valid until it returns.
func (s *Store) scan(ctx context.Context, bucket []byte, f func(r *reader, k, v []byte) error) error {
	for after, more := []byte(nil), true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		more = false
		err := s.view(func(r *reader) error {
			n, size := 0, 0
			b := r.bucket(bucket)
			if b == nil { // a file that an earlier topicwire wrote, and that is only read
				return nil
			}
			c := b.Cursor()
			for k, v := seekAfter(c, nil, after); k != nil; k, v = c.Next() {
				if err := f(r, k, v); err != nil {
					return err
				}
				n, size = n+1, size+len(k)+len(v)
				if n >= scannedPerRead || size >= bytesPerRead {
					after, more = bytes.Clone(k), true
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Stats says what the store holds; see storage.MaintenanceStore. It reads a few bytes of every page, a bucket at a time,
// and one entry for each item.
func (s *Store) Stats(ctx context.Context) (stats aggregator.StoreStats, err error) {
	if err := ctx.Err(); err != nil {
		return stats, err
	}
	if stats.Feeds, stats.Topics, stats.LastSeq, err = s.countItems(ctx); err != nil {
		return stats, err
	}
	entries := make(map[string]int)
	err = s.scanTable(ctx, identityTable, func(_ *reader, _, v []byte) error {
		entries[string(identityBucket)]++
		if at, _ := identityIn(v); at.pruned() {
			stats.Pruned++
		}
		return nil
	})
	if err != nil {
		return stats, err
	}
	err = s.scanTable(ctx, storiesTable, func(*reader, []byte, []byte) error {
		entries[string(storiesBucket)]++
		return nil
	})
	if err != nil {
		return stats, err
	}
	for _, n := range stats.Feeds {
		stats.Items += n
	}
	entries[string(itemsBucket)] = stats.Items
	for _, name := range allBuckets {
		if err := ctx.Err(); err != nil {
			return stats, err
		}
		err := s.view(func(r *reader) error {
			stats.Bytes = r.tx.Size()
			free := r.tx.DB().Stats()
			stats.Free = int64(free.FreePageN+free.PendingPageN) * int64(r.tx.DB().Info().PageSize)
			stats.Buckets = append(stats.Buckets, bucketStats(string(name), r.bucket(name)))
			return nil
		})
		if err != nil {
			return stats, err
		}
		last := &stats.Buckets[len(stats.Buckets)-1]
		if n, ok := entries[last.Name]; ok {
			last.Entries = n
		}
		if last.Name == string(revisionsBucket) {
			stats.Revisions = last.Entries
		}
	}
	if size, err := fileSize(s.path); err == nil {
		// What the file has beyond its last page is free too.
		stats.Free += max(0, size-stats.Bytes)
		stats.Bytes = size
	}
	return stats, nil
}

func bucketStats(name string, b *bbolt.Bucket) aggregator.BucketStats {
	n := b.Stats()
	return aggregator.BucketStats{
		Name: name, Entries: n.KeyN,
		Bytes: int64(n.BranchAlloc + n.LeafAlloc),
		Used:  int64(n.BranchInuse + n.LeafInuse),
	}
}
