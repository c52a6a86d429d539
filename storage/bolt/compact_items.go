package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// copyItems copies the items in chunks and frames that are as full as they can be, packed with the new dictionary.
func (n *newFile) copyItems(ctx context.Context) error {
	for after, more := uint64(0), true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var batch []frame
		items := 0
		err := n.view(func(r *reader) error {
			more = false
			size := 0
			return r.chunks(after+1, func(c *chunk) (bool, error) {
				for _, f := range c.frames {
					items += len(f.seqs)
					f.record = append([]byte(nil), f.record...)
					batch, size = append(batch, f), size+len(f.record)
				}
				after = c.key
				more = size >= bytesPerRead
				return !more, nil
			})
		})
		if err != nil {
			return err
		}
		frames, err := n.reframe(batch)
		if err != nil {
			return err
		}
		if err := n.putFrames(frames); err != nil {
			return err
		}
		n.counted(items)
	}
	return nil
}

// reframe makes other frames of the items of some, on all processors.
func (n *newFile) reframe(batch []frame) ([]frame, error) {
	old := n.Store.pack()
	part := len(batch)/runtime.GOMAXPROCS(0) + 1
	made := make([][]frame, len(batch)/part+1)
	failed := make([]error, len(made))
	var parts sync.WaitGroup
	for i := range made {
		mine := batch[min(i*part, len(batch)):min((i+1)*part, len(batch))]
		parts.Go(func() { made[i], failed[i] = repackFrames(mine, old, n.pack) })
	}
	parts.Wait()
	var frames []frame
	for _, some := range made {
		frames = append(frames, some...)
	}
	return frames, errors.Join(failed...)
}

func repackFrames(batch []frame, old, next *packer) (made []frame, err error) {
	filling := framing{most: frameBytes}
	var seqs []uint64
	var items [][]byte
	for _, f := range batch {
		all, err := old.unpacked(f)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", f.seqs[0], err)
		}
		for i, cbor := range all {
			if filling.full(len(cbor)) {
				made = append(made, next.packedFrame(seqs, items...))
				seqs, items = nil, nil
			}
			seqs, items = append(seqs, f.seqs[i]), append(items, cbor)
		}
	}
	if len(items) > 0 {
		made = append(made, next.packedFrame(seqs, items...))
	}
	return made, nil
}

// putFrames adds frames to the items of the new file.
func (n *newFile) putFrames(frames []frame) error {
	if len(frames) == 0 {
		return nil
	}
	if err := n.begin(); err != nil {
		return err
	}
	size := 0
	w := chunkWriter{items: n.tx.Bucket(itemsBucket), room: new(room)}
	for _, f := range frames {
		w.append(f)
		size += f.size()
	}
	if err := w.flush(); err != nil {
		return err
	}
	return n.wrote(size)
}

// copyTable copies a table as one run.
func (n *newFile) copyTable(ctx context.Context, t *table) error {
	var total uint64
	err := n.view(func(r *reader) error {
		x, err := r.openTable(t)
		if err != nil {
			return err
		}
		total = entriesOf(x.runs)
		return nil
	})
	if err != nil || total == 0 {
		return err
	}
	whole := n.tables.newRun(1, total)
	whole.entries = 0
	var waiting []byte
	no := uint64(0)
	store := func() error {
		if len(waiting) == 0 {
			return nil
		}
		whole.entries += uint64(len(waiting) / t.width())
		err := n.put(t.bucket, segmentKey(whole.number, no), sealed(waiting))
		waiting = waiting[:0]
		return err
	}
	err = n.scanTable(ctx, t, func(_ *reader, k, v []byte) error {
		if at := uint64(binary.BigEndian.Uint32(k)) / whole.step(); at != no {
			if err := store(); err != nil {
				return err
			}
			no = at
		}
		waiting = append(append(waiting, k...), v...)
		return nil
	})
	if err == nil {
		err = store()
	}
	if err == nil {
		err = n.begin()
	}
	if err != nil {
		return err
	}
	x := index{table: t, b: n.tx.Bucket(t.bucket), next: whole.number + 1, runs: []run{whole}}
	return x.save()
}
