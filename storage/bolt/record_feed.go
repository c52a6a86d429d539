package bolt

import (
	"encoding/binary"
	"fmt"
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
	// feedMovedToField is in the bucket due alone.
	feedMovedToField
)

// encodeFeed makes the record of a feed, which is read with every poll: fields without a head.
func encodeFeed(r *feedRecord) []byte {
	return appendFeed(make([]byte, 0, 128), r, "")
}

// entry is what the bucket due has of the feed, so that a feed that falls due is known without another look-up: its place,
// and its record with the URL at which it is polled where that is another than its own.
func (r *feedRecord) entry(id []byte, movedTo string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, placeOf(id)), appendFeed(nil, r, movedTo)...)
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

// entryFields are the place and the fields of an entry, which is as it was written.
func entryFields(value []byte) (place uint32, fields []byte, err error) {
	if len(value) <= placeLen || value[placeLen] != fielded {
		return 0, nil, fmt.Errorf("%w: it is no entry of a feed that is due", errRecord)
	}
	fields, err = fieldsIn(value[placeLen:])
	return binary.BigEndian.Uint32(value), fields, err
}

func decodeEntry(value []byte) (e dueEntry, err error) {
	place, fields, err := entryFields(value)
	if err == nil {
		e.place = place
		e.movedTo, err = e.feed.read(fields)
	}
	return e, err
}

// appendFeed makes the record of a feed in an empty slice.
func appendFeed(empty []byte, r *feedRecord, movedTo string) []byte {
	w := append(fieldWriter(empty), fielded)
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
	w.text(feedMovedToField, movedTo)
	return appendSum(w)
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
