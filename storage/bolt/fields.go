package bolt

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A record of fields is what is written and read with every poll: a number and a value for each field that is not zero, in
// any order, so that a field can be added without touching what is stored, and no reflection for either way.
//
// A field is an unsigned varint, its number shifted left by two with its kind in the lowest bits, and what the kind says:
// a number is a signed varint (zigzag), a time two of them (the seconds and nanoseconds of its instant), bytes are an
// unsigned varint with their count, and themselves.
const (
	numberField = iota
	timeField
	bytesField
)

// fieldWriter appends fields to a record. What is zero or empty is left out.
type fieldWriter []byte

func (w *fieldWriter) begin(field uint64, kind uint64) {
	*w = binary.AppendUvarint(*w, field<<2|kind)
}

func (w *fieldWriter) number(field uint64, n int64) {
	if n != 0 {
		w.begin(field, numberField)
		*w = binary.AppendVarint(*w, n)
	}
}

func (w *fieldWriter) flag(field uint64, set bool) {
	if set {
		w.number(field, 1)
	}
}

func (w *fieldWriter) time(field uint64, t time.Time) {
	if !t.IsZero() {
		w.begin(field, timeField)
		at := instantOf(t)
		*w = binary.AppendVarint(*w, at.Sec)
		*w = binary.AppendVarint(*w, int64(at.Nano))
	}
}

func (w *fieldWriter) text(field uint64, s string) {
	if s != "" {
		w.item(field, s)
	}
}

// item is text for an element of a list, which may be empty.
func (w *fieldWriter) item(field uint64, s string) {
	w.begin(field, bytesField)
	*w = binary.AppendUvarint(*w, uint64(len(s)))
	*w = append(*w, s...)
}

// raw begins bytes of the given length, which the caller appends.
func (w *fieldWriter) raw(field uint64, length int) {
	w.begin(field, bytesField)
	*w = binary.AppendUvarint(*w, uint64(length))
}

// field is one that was read. Its text is a part of a copy of the record, raw the same in the record itself.
type field struct {
	number, kind uint64
	n, nano      int64
	text         string
	raw          []byte
}

func (f field) time() time.Time { return instant{Sec: f.n, Nano: int32(f.nano)}.time() }

// fieldReader reads the fields of a record.
type fieldReader struct {
	record []byte
	// copied is the same as text, so that all texts of a record are one allocation.
	copied string
	at     int
}

func readFields(record []byte) *fieldReader {
	return &fieldReader{record: record, copied: string(record)}
}

func (r *fieldReader) more() bool { return r.at < len(r.record) }

func (r *fieldReader) next() (f field, err error) {
	head, ok := r.uvarint()
	f.number, f.kind = head>>2, head&3
	switch {
	case !ok:
	case f.kind == numberField:
		f.n, ok = r.varint()
	case f.kind == timeField:
		var second, nano bool
		f.n, second = r.varint()
		f.nano, nano = r.varint()
		ok = second && nano && f.nano >= 0 && f.nano < int64(time.Second)
	case f.kind == bytesField:
		var n uint64
		if n, ok = r.uvarint(); ok {
			if ok = n <= uint64(len(r.record)-r.at); ok {
				f.text, f.raw = r.copied[r.at:r.at+int(n)], r.record[r.at:r.at+int(n)]
				r.at += int(n)
			}
		}
	default:
		ok = false
	}
	if !ok {
		return f, fmt.Errorf("%w: field %d is cut off or of no known kind", errRecord, f.number)
	}
	return f, nil
}

func (r *fieldReader) uvarint() (uint64, bool) {
	n, size := binary.Uvarint(r.record[r.at:])
	r.at += max(size, 0)
	return n, size > 0
}

func (r *fieldReader) varint() (int64, bool) {
	n, size := binary.Varint(r.record[r.at:])
	r.at += max(size, 0)
	return n, size > 0
}

// fieldsIn are the fields of a record, with its head, if any, in front of them.
func fieldsIn(record []byte) ([]byte, error) {
	body, ok := unsealed(record)
	if !ok || len(body) < 1 {
		return nil, fmt.Errorf("%w: its checksum is wrong", errRecord)
	}
	return body[1:], nil
}
