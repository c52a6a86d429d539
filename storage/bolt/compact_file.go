package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// put writes a pair, and commits now and then. k and v may be changed once it returned.
func (n *newFile) put(bucket, k, v []byte) error {
	if err := n.begin(); err != nil {
		return err
	}
	b := n.tx.Bucket(bucket)
	b.FillPercent = copyFill
	if err := b.Put(k, bytes.Clone(v)); err != nil {
		return err
	}
	return n.wrote(len(k) + len(v) + 32)
}

// begin begins a transaction where there is none.
func (n *newFile) begin() error {
	if n.tx != nil {
		return nil
	}
	tx, err := n.db.Begin(true)
	if err != nil {
		return err
	}
	n.tx, n.size = tx, 0
	return nil
}

// wrote commits when a transaction has become large.
func (n *newFile) wrote(size int) error {
	if n.size += size; n.size < bytesPerWrite {
		return nil
	}
	return n.commit()
}

func (n *newFile) commit() error {
	if n.tx == nil {
		return nil
	}
	tx := n.tx
	n.tx = nil
	return tx.Commit()
}

// finish makes the file durable.
func (n *newFile) finish() error {
	err := guard(func() error {
		if err := n.commit(); err != nil {
			return err
		}
		n.db.NoSync, n.db.AllocSize = false, n.alloc
		return n.db.Sync()
	})
	if err != nil {
		return fmt.Errorf("write store %s: %w", n.path, err)
	}
	return nil
}

// discard removes the file.
func (n *newFile) discard() error {
	err := guard(func() error {
		if n.tx != nil {
			_ = n.tx.Rollback()
			n.tx = nil
		}
		return n.db.Close()
	})
	return errors.Join(err, os.Remove(n.path))
}

func (n *newFile) setSequence(bucket []byte, seq uint64) error {
	if err := n.commit(); err != nil {
		return err
	}
	return n.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).SetSequence(seq) })
}
