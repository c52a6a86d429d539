package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/topicwire/topicwire/aggregator"
)

// The numbers of a feed's fields. None is ever used again for something else.
const (
	feedURLField = iota + 1
	feedTitleField
	feedScheduleField
	feedTopicField
	feedTagField
	feedMaxAgeField
	feedAllowPrivateField
	feedInactiveField
	feedPrivateField
	// feedMovedToField is in the index of what is due alone.
	feedMovedToField
)

// encodeFeed makes the record of a feed, which is read with every poll: fields without a head.
func encodeFeed(r *feedRecord) []byte {
	w := append(make(fieldWriter, 0, 128), fielded)
	w.feed(r)
	return appendSum(w)
}

// entry is what the index of what is due has of the feed, so that a feed that falls due is known without another look-up:
// its place, its fields with the URL at which it is polled where that is another than its own, and a CRC-32C of all that
// and of its id, which is beside it there.
func (r *feedRecord) entry(id []byte, movedTo string) []byte {
	w := append(fieldWriter(binary.BigEndian.AppendUint32(nil, placeOf(id))), fielded)
	w.feed(r)
	w.text(feedMovedToField, movedTo)
	return binary.BigEndian.AppendUint32(w, entrySum(w, id))
}

func entrySum(entry, id []byte) uint32 {
	return crc32.Update(crc32.Checksum(entry, checksums), checksums, id)
}

// dueEntry is an entry that was read.
type dueEntry struct {
	place   uint32
	feed    feedRecord
	movedTo string
}

// url is where the feed is polled.
func (e *dueEntry) url() string {
	if e.movedTo != "" {
		return e.movedTo
	}
	return e.feed.URL
}

// entryFields are the place and the fields of the entry of the feed with the given id, which is as it was written.
func entryFields(value, id []byte) (place uint32, fields []byte, err error) {
	n := len(value) - crc32.Size
	if n <= placeLen || value[placeLen] != fielded || binary.BigEndian.Uint32(value[n:]) != entrySum(value[:n], id) {
		return 0, nil, fmt.Errorf("%w: it is no entry of feed %q", errRecord, id)
	}
	return binary.BigEndian.Uint32(value), value[placeLen+1 : n], nil
}

func decodeEntry(value, id []byte) (e dueEntry, err error) {
	place, fields, err := entryFields(value, id)
	if err == nil {
		e.place = place
		e.movedTo, err = e.feed.read(fields)
	}
	return e, err
}

// feed writes the fields of a feed.
func (w *fieldWriter) feed(r *feedRecord) {
	w.text(feedURLField, r.URL)
	w.text(feedTitleField, r.Title)
	w.text(feedScheduleField, r.Schedule)
	for _, topic := range r.Topics {
		w.item(feedTopicField, string(topic))
	}
	for _, tag := range r.Tags {
		w.item(feedTagField, tag)
	}
	w.number(feedMaxAgeField, int64(r.MaxAge))
	w.flag(feedAllowPrivateField, r.AllowPrivate)
	w.flag(feedInactiveField, r.Inactive)
	w.flag(feedPrivateField, r.Private)
}

// decodeFeed reads the record of a feed, also one of an earlier format.
func (r *reader) decodeFeed(record []byte, f *feedRecord) error {
	if len(record) == 0 || record[0] != fielded {
		return r.decode(record, f)
	}
	fields, err := fieldsIn(record)
	if err == nil {
		_, err = f.read(fields)
	}
	return err
}

// read reads the fields of a feed, which are texts that share one copy of them.
func (f *feedRecord) read(fields []byte) (movedTo string, err error) {
	for in := readFields(fields); in.more(); {
		v, err := in.next()
		if err != nil {
			return "", err
		}
		switch v.number {
		case feedURLField:
			f.URL = v.text
		case feedTitleField:
			f.Title = v.text
		case feedScheduleField:
			f.Schedule = v.text
		case feedTopicField:
			f.Topics = append(f.Topics, aggregator.TopicID(v.text))
		case feedTagField:
			f.Tags = append(f.Tags, v.text)
		case feedMaxAgeField:
			f.MaxAge = time.Duration(v.n)
		case feedAllowPrivateField:
			f.AllowPrivate = v.n != 0
		case feedInactiveField:
			f.Inactive = v.n != 0
		case feedPrivateField:
			f.Private = v.n != 0
		case feedMovedToField:
			movedTo = v.text
		}
	}
	return movedTo, nil
}
