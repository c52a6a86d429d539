package scan_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator/parse/internal/specimen"
	"github.com/topicwire/topicwire/aggregator/parse/scan"
)

// strict reads a document with encoding/xml as strictly as that can.
func strict(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.RawToken(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	d = xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestCleanFeedsPassUntouched holds Scan to its first promise on real feeds.
func TestCleanFeedsPassUntouched(t *testing.T) {
	untouched := 0
	for name, body := range specimen.Feeds(t) {
		r, err := scan.Scan(body, "", scan.DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %s %s, %d items, %q", name, r.Kind, r.Charset, len(r.Items), r.Repairs)
		// This one is a feed inside of a page.
		wrapped := name == "DuplicateContentAtomFeed.xml"
		if r.Kind == scan.JSON || wrapped || strict(body) != nil || !utf8.Valid(body) {
			continue
		}
		if len(r.Repairs) > 0 {
			t.Errorf("%s: encoding/xml accepts it, and yet: %q", name, r.Repairs)
		}
		if !bytes.Equal(r.Data, bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \r\n\t")) {
			t.Errorf("%s: the bytes are not those of the body", name)
		}
		if &r.Data[len(r.Data)-1] != &body[len(body)-1] {
			t.Errorf("%s: the bytes were copied", name)
		}
		untouched++
	}
	if untouched < 15 {
		t.Errorf("only %d feeds are without defects", untouched)
	}
}
