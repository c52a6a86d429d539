package bolt

import (
	"os"

	"github.com/topicwire/topicwire/aggregator"
)

// OpenOn is Open with a file layer of the test's own.
func OpenOn(path string, openFile func(string, int, os.FileMode) (*os.File, error)) (*Store, error) {
	return open(path, Options{}, openFile)
}

// ReadRecord reads bytes as the record of an item, without a dictionary.
func ReadRecord(record []byte) error {
	c, err := newCodec()
	if err != nil {
		return err
	}
	p, err := newPacker(0)
	if err != nil {
		return err
	}
	var it itemRecord
	return c.decode(p, record, &it)
}

// MakeRecord makes the record of an item without a title and with the given text.
func MakeRecord(text string) []byte {
	c, err := newCodec()
	if err != nil {
		panic(err)
	}
	p, err := newPacker(0)
	if err != nil {
		panic(err)
	}
	record, err := c.encodePacked(p, itemRecord{Content: text})
	if err != nil {
		panic(err)
	}
	return record
}

// PlainRecords makes an item's CBOR, as it would be stored without any wrapping.
func PlainRecords() func(*aggregator.Item) []byte {
	c, err := newCodec()
	if err != nil {
		panic(err)
	}
	return func(it *aggregator.Item) []byte {
		b, err := c.enc.Marshal(itemRecordOf(it))
		if err != nil {
			panic(err)
		}
		return b
	}
}
