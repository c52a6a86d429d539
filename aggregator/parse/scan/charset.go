package scan

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

const (
	utf8Name   = "utf-8"
	utf8BOM    = "\xef\xbb\xbf"
	gzipMagic  = "\x1f\x8b\x08"
	whiteSpace = " \t\r\n"
	// declarationWindow is how far from the start an XML declaration is looked for.
	declarationWindow = 4096
)

// inflate undoes a gzip compression that the HTTP layer did not know of. Some servers compress twice.
func (s *scanner) inflate(body []byte) ([]byte, error) {
	for range 2 {
		if !bytes.HasPrefix(body, []byte(gzipMagic)) {
			return body, nil
		}
		plain, err := gunzip(body, s.limits.Size)
		var limit *LimitError
		if errors.As(err, &limit) {
			return nil, err
		}
		if len(plain) == 0 && err != nil {
			return nil, &NotFeedError{What: "broken gzip data"}
		}
		s.notes.add("the body was a gzip file")
		if err != nil {
			s.notes.add("the gzip file was cut off or broken")
			if errors.Is(err, io.ErrUnexpectedEOF) {
				s.result.Truncated = true
			}
		}
		body = plain
	}
	return body, nil
}

// gunzip decompresses up to most bytes, and of broken data what can be, along with the error. It counts first, so that
// a file that grows out of all proportion costs no memory.
func gunzip(packed []byte, most int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	n, _ := io.Copy(io.Discard, io.LimitReader(r, int64(most)+1)) // the error comes again below
	if err := r.Reset(bytes.NewReader(packed)); err != nil {
		return nil, err
	}
	if n > int64(most) {
		return nil, &LimitError{"bytes in the decompressed document", most}
	}
	plain := make([]byte, n)
	if _, err := io.ReadFull(r, plain); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, r) // the check sum is at the very end
	return plain, err
}

// decode gives the body in UTF-8 without its byte order mark, as the same slice where it is in UTF-8 already. The
// encoding is what a byte order mark says, then what the bytes of '<' look like, then the HTTP header, then the XML
// declaration, then a guess; except that valid UTF-8 with more than ASCII in it is not believed to be anything
// else, since text in another encoding is next to never valid UTF-8 by chance.
func (s *scanner) decode(body []byte, contentType string) []byte {
	if enc, name, bom := wideEncoding(body); enc != nil {
		s.result.Charset = name
		return s.transcode(body[bom:], enc)
	}
	s.result.Charset = utf8Name
	body = bytes.TrimPrefix(body, []byte(utf8BOM))
	labels := s.labels(body, contentType)
	for _, l := range labels {
		if l.name == "iso-2022-jp" {
			s.result.Charset = l.name
			return s.transcode(body, l.enc)
		}
	}
	if bytes.Contains(body, []byte("\x1b$")) && isASCII(body) {
		s.result.Charset = "iso-2022-jp"
		return s.transcode(body, japanese.ISO2022JP)
	}
	if utf8.Valid(body) {
		return s.decodeValid(body, labels)
	}
	return s.decodeLegacy(body, labels)
}

// decodeValid decodes what is valid UTF-8.
func (s *scanner) decodeValid(body []byte, labels []label) []byte {
	if isASCII(body) || len(labels) == 0 || labels[0].name == utf8Name {
		return body
	}
	if l := labels[0]; l.multiByte() && utf8.RuneCount(body) > len(body)-16 {
		// A handful of characters of a two-byte encoding can be valid UTF-8 by chance.
		if text, bad := transcoded(body, l.enc); bad == 0 {
			s.result.Charset = l.name
			return text
		}
	}
	s.notes.add("declared as " + labels[0].name + " and is UTF-8")
	return body
}

// decodeLegacy decodes what is not valid UTF-8.
func (s *scanner) decodeLegacy(body []byte, labels []label) []byte {
	good, bad := countUTF8(body)
	for _, l := range labels {
		if l.name == utf8Name {
			continue
		}
		if text, wrong := transcoded(body, l.enc); wrong <= (good+bad)/50 {
			s.result.Charset = l.name
			s.noteUndecoded(wrong)
			return text
		}
		s.notes.add("declared as " + l.name + " and is not")
	}
	declared := len(labels) > 0 && labels[len(labels)-1].name == utf8Name
	// In another encoding few sequences are valid by chance.
	const few = 20
	if good >= bad || declared && good > 0 && bad < few {
		return s.mendUTF8(body)
	}
	enc, name := guess(body)
	if declared && good > 0 && enc == charmap.Windows1252 {
		return s.mendUTF8(body)
	}
	if declared {
		s.notes.add("declared as utf-8 and is " + name)
	}
	s.result.Charset = name
	return s.transcode(body, enc)
}

func (s *scanner) transcode(body []byte, enc encoding.Encoding) []byte {
	text, bad := transcoded(body, enc)
	s.noteUndecoded(bad)
	return text
}

func (s *scanner) noteUndecoded(n int) {
	if n > 0 {
		s.notes.addTimes("bytes without meaning in "+s.result.Charset+" replaced", n)
	}
}

// transcoded decodes the body and counts the places that could not be.
func transcoded(body []byte, enc encoding.Encoding) (text []byte, bad int) {
	text, err := enc.NewDecoder().Bytes(body)
	if err != nil {
		return nil, len(body)
	}
	return bytes.TrimPrefix(text, []byte(utf8BOM)), bytes.Count(text, []byte("\uFFFD"))
}

// mendUTF8 reads each byte that is no part of a UTF-8 sequence as windows-1252: this is what is pasted into pages by
// hand. A sequence that the end of the body cuts off is left out.
func (s *scanner) mendUTF8(body []byte) []byte {
	out := make([]byte, 0, len(body)+len(body)/32+16)
	bad := 0
	for i := 0; i < len(body); {
		n := validPrefix(body[i:])
		out = append(out, body[i:i+n]...)
		if i += n; i == len(body) {
			break
		}
		if !utf8.FullRune(body[i:]) {
			break
		}
		out = utf8.AppendRune(out, charmap.Windows1252.DecodeByte(body[i]))
		bad++
		i++
	}
	if bad > 0 {
		s.notes.addTimes("bytes that are not UTF-8 read as windows-1252", bad)
	} else {
		s.notes.add("cut off inside a character")
	}
	return out
}

// validPrefix is how many bytes at the start of b are valid UTF-8.
func validPrefix(b []byte) int {
	i := 0
	for i < len(b) {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// countUTF8 counts the valid sequences of more than one byte and the bytes that are part of none.
func countUTF8(b []byte) (good, bad int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return good, bad
}

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if (b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7])&0x80 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// wideEncoding recognises UTF-16 and UTF-32 by their byte order marks, or without one by how '<', '{' and white space
// look in them. bom is the length of the mark.
func wideEncoding(b []byte) (enc encoding.Encoding, name string, bom int) {
	utf16 := func(e unicode.Endianness) encoding.Encoding { return unicode.UTF16(e, unicode.IgnoreBOM) }
	wide := func(e utf32.Endianness) encoding.Encoding { return utf32.UTF32(e, utf32.IgnoreBOM) }
	has := func(prefix string) bool { return bytes.HasPrefix(b, []byte(prefix)) }
	switch {
	case has("\x00\x00\xfe\xff"):
		return wide(utf32.BigEndian), "utf-32be", 4
	case has("\xff\xfe\x00\x00"):
		return wide(utf32.LittleEndian), "utf-32le", 4
	case has("\xfe\xff"):
		return utf16(unicode.BigEndian), "utf-16be", 2
	case has("\xff\xfe"):
		return utf16(unicode.LittleEndian), "utf-16le", 2
	case len(b) < 4:
		return nil, "", 0
	}
	starts := func(c byte) bool { return c == '<' || c == '{' || c == ' ' || c == '\r' || c == '\n' || c == '\t' }
	switch {
	case b[0] == 0 && b[1] == 0 && b[2] == 0 && starts(b[3]):
		return wide(utf32.BigEndian), "utf-32be", 0
	case starts(b[0]) && b[1] == 0 && b[2] == 0 && b[3] == 0:
		return wide(utf32.LittleEndian), "utf-32le", 0
	case b[0] == 0 && starts(b[1]) && b[2] == 0 && b[3] != 0:
		return utf16(unicode.BigEndian), "utf-16be", 0
	case starts(b[0]) && b[1] == 0 && b[2] != 0 && b[3] == 0:
		return utf16(unicode.LittleEndian), "utf-16le", 0
	}
	return nil, "", 0
}

// label is an encoding that the publisher names.
type label struct {
	name string
	enc  encoding.Encoding
}

func (l label) multiByte() bool {
	switch l.name {
	case "gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr":
		return true
	}
	return false
}

// labels are the encodings that the publisher names: that of the HTTP header, then that of the XML declaration. The
// wide ones are left out, since the body turned out not to be in one, and so are those that nobody knows.
func (s *scanner) labels(body []byte, contentType string) []label {
	var all []label
	for _, text := range []string{charsetParameter(contentType), declaredEncoding(body)} {
		if text == "" {
			continue
		}
		l, ok := lookUp(text)
		if !ok {
			s.notes.add("unknown charset " + quote(text))
			continue
		}
		if strings.HasPrefix(l.name, "utf-16") || strings.HasPrefix(l.name, "utf-32") {
			s.notes.add("declared as " + l.name + " and is not")
			continue
		}
		all = append(all, l)
	}
	return all
}

// lookUp finds an encoding by its label in the WHATWG's list, then in IANA's, then by what labels are usually
// misspelt as.
func lookUp(text string) (label, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, t := range []string{text, strings.ReplaceAll(text, "_", "-"), strings.Replace(text, "cp", "windows-", 1),
		strings.Replace(text, "win-", "windows-", 1)} {
		if enc, err := htmlindex.Get(t); err == nil {
			if name, err := htmlindex.Name(enc); err == nil && name != "replacement" && name != "x-user-defined" {
				return label{name, enc}, true
			}
		}
	}
	if strings.HasPrefix(text, "utf-32") || strings.HasPrefix(text, "ucs-") || strings.HasPrefix(text, "iso-10646") {
		return label{"utf-32", encoding.Replacement}, true
	}
	if enc, err := ianaindex.IANA.Encoding(text); err == nil && enc != nil {
		return label{text, enc}, true
	}
	return label{}, false
}

func charsetParameter(contentType string) string {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err == nil {
		return parameters["charset"]
	}
	// Servers send broken values; the charset may be readable all the same.
	// The lower-case copy may be longer than the original, so the value is taken from it too; labels have no case.
	_, value, ok := strings.Cut(strings.ToLower(contentType), "charset=")
	if !ok {
		return ""
	}
	value = strings.Trim(value, " \"'")
	if end := strings.IndexAny(value, "; ,\"'"); end >= 0 {
		value = value[:end]
	}
	return value
}

// declaredEncoding is the encoding in the XML declaration, wherever it is among what publishers' programs print
// before it.
func declaredEncoding(body []byte) string {
	head := body[:min(len(body), declarationWindow)]
	i := bytes.Index(head, []byte("<?xml"))
	if i < 0 {
		return ""
	}
	head = head[i:]
	end := bytes.IndexByte(head, '>')
	if end < 0 {
		return ""
	}
	_, rest, found := strings.Cut(string(head[:end]), "encoding")
	if !found {
		return ""
	}
	rest = strings.TrimLeft(rest, whiteSpace+"=")
	rest = strings.TrimLeft(rest, "\"'")
	if end := strings.IndexAny(rest, "\"' ?\t\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// quote gives a short piece of the publisher's text for a message.
func quote(text string) string {
	const most = 40
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return `"` + text + `"`
}
