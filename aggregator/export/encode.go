package export

import (
	"bufio"
	"encoding/json"
	"strconv"
	"strings"
)

// jsonlEncoder writes one object to a line.
type jsonlEncoder struct{ enc *json.Encoder }

func newJSONL(w *bufio.Writer) *jsonlEncoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &jsonlEncoder{enc}
}

func (e *jsonlEncoder) begin() error { return nil }

func (e *jsonlEncoder) row(r *Row) error { return e.enc.Encode(r) }

// csvEncoder writes RFC 4180. encoding/csv is not used because with CRLF between records it rewrites the line breaks
// inside of cells as well.
type csvEncoder struct {
	w       *bufio.Writer
	options Options
}

// header names the columns: the keys of a Row in JSON.
var header = [...]string{
	"id", "feed", "url", "canonical_url", "title", "authors", "text", "html", "categories", "language", "published",
	"updated", "first_seen", "topics", "revision", "story", "guid", "date_source", "revised", "content_hash", "seq",
	"comments", "source", "source_url",
}

func (e *csvEncoder) begin() error {
	if e.options.BOM {
		if _, err := e.w.WriteString("\ufeff"); err != nil {
			return err
		}
	}
	return e.record(header)
}

func (e *csvEncoder) row(r *Row) error {
	var lists [3]string
	for i, list := range [...][]string{r.Authors, r.Categories, r.Topics} {
		var err error
		if lists[i], err = array(list); err != nil {
			return err
		}
	}
	return e.record([len(header)]string{
		r.ID, r.Feed, value(r.URL), value(r.CanonicalURL), r.Title, lists[0], r.Text, r.HTML, lists[1], value(r.Language),
		value(r.Published), value(r.Updated), value(r.FirstSeen), lists[2], strconv.Itoa(r.Revision), r.Story,
		value(r.GUID), r.DateSource, value(r.Revised), r.ContentHash, strconv.FormatUint(r.Seq, 10),
		value(r.Comments), value(r.Source), value(r.SourceURL),
	})
}

func (e *csvEncoder) record(cells [len(header)]string) error {
	for i, cell := range cells {
		if i > 0 {
			cell = "," + e.cell(cell)
		} else {
			cell = e.cell(cell)
		}
		if _, err := e.w.WriteString(cell); err != nil {
			return err
		}
	}
	_, err := e.w.WriteString("\r\n")
	return err
}

// cell quotes what needs it, and white space at the ends as well, which some readers trim.
func (e *csvEncoder) cell(s string) string {
	if e.options.FormulaGuard && s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		s = "'" + s
	}
	if strings.ContainsAny(s, "\",\r\n") || s != strings.TrimSpace(s) {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// array spells a list as a JSON array, with the characters of HTML as they are.
func array(list []string) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(list)
	return strings.TrimSuffix(b.String(), "\n"), err
}
