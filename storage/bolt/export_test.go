package bolt

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
