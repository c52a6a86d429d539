package bolt

import (
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
)

// encodeFeed makes the record of a feed, which is read with every poll: fields without a head.
func encodeFeed(r *feedRecord) []byte {
	w := make(fieldWriter, 1, 128)
	w[0] = fielded
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
	return appendSum(w)
}

// decodeFeed reads the record of a feed, also one of an earlier format.
func (r *reader) decodeFeed(record []byte, f *feedRecord) error {
	if len(record) == 0 || record[0] != fielded {
		return r.decode(record, f)
	}
	fields, err := fieldsIn(record)
	if err != nil {
		return err
	}
	for in := readFields(fields); in.more(); {
		v, err := in.next()
		if err != nil {
			return err
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
		}
	}
	return nil
}
