package scan

import (
	"bytes"
)

// scanXML finds the feed in the text and verifies it, and mends it if need be.
func (s *scanner) scanXML(text []byte) error {
	r, found := findRoot(text)
	if !found {
		return r.notFeed(text)
	}
	s.result.Kind = r.kind
	text, at := s.cutProlog(text, &r)
	v, end := s.verify(text, at, false)
	if v.limit != nil {
		return v.limit
	}
	data := text
	if v.defect != "" || itemFollows(text[end:]) {
		m := newMender(text[at:], r.kind, r.entities, &s.limits, &s.notes)
		before := len(s.notes.list)
		m.run()
		if m.limit != nil {
			return m.limit
		}
		s.result.Truncated = s.result.Truncated || m.truncated
		s.result.LeftOut += m.leftOut
		s.tail(text[at+m.pos:])
		if data = m.out; len(s.notes.list) == before && bytes.Equal(data, text[at:at+m.pos]) {
			data = text[:at+m.pos] // a suspicion that came to nothing
		} else {
			at = 0
		}
		if v, end = s.verify(data, at, true); v.limit != nil {
			return v.limit
		}
		if v.defect != "" {
			return &NotFeedError{What: "a feed too broken to mend (" + v.defect + ")"}
		}
	} else if s.tail(text[end:]) {
		data = text[:end]
	}
	s.result.Data, s.result.Items = data, v.items
	s.bind(v, at)
	return s.translate(v, at, end+len(s.result.Data)-len(data))
}

func (s *scanner) verify(text []byte, at int, mended bool) (v *verifier, end int) {
	v = &verifier{b: text, limits: &s.limits, mended: mended, stack: make([]frame, 0, 32)}
	end = v.run(at)
	return v, end
}

// cutProlog leaves out what comes before the root, where a parser would trip over it, and puts what a bare element
// lacks around it. It returns the text and the place of the root in it.
func (s *scanner) cutProlog(text []byte, r *root) ([]byte, int) {
	prolog := text[:r.at]
	lead := len(prolog) - len(bytes.TrimLeft(prolog, whiteSpace))
	switch {
	case r.bare == "entry":
		return s.wrap("<feed xmlns=\""+atom10Space+"\">", text[r.at:], "</feed>")
	case r.bare == "item":
		return s.wrap("<rss version=\"2.0\"><channel>", text[r.at:], "</channel></rss>")
	case r.bare == "channel":
		return s.wrap("<rss version=\"2.0\">", text[r.at:], "</rss>")
	case prologIsClean(prolog[lead:], longestProlog):
		return text[lead:], r.at - lead
	case s.plainDeclaration(prolog[lead:]):
		return text[r.at:], 0
	case len(bytes.TrimLeft(stripComments(prolog), whiteSpace)) == 0:
		s.notes.add("a long comment before the root left out")
	default:
		s.notes.add("junk before the root left out")
	}
	return text[r.at:], 0
}

// plainDeclaration reports whether the prolog is nothing but an XML declaration that says no more than was read
// already: an encoding other than UTF-8, or a version other than 1.0.
func (s *scanner) plainDeclaration(prolog []byte) bool {
	if !bytes.HasPrefix(prolog, []byte("<?xml ")) {
		return false
	}
	end := bytes.Index(prolog, []byte("?>"))
	if end < 0 || bytes.IndexByte(prolog[1:end], '<') >= 0 || bytes.Contains(prolog[end:], []byte("<?xml ")) ||
		!prologIsClean(bytes.TrimLeft(prolog[end+2:], whiteSpace), longestProlog) {
		return false
	}
	if bytes.Contains(prolog[:end], []byte(`"1.1"`)) || bytes.Contains(prolog[:end], []byte(`'1.1'`)) {
		s.notes.add("XML 1.1 read as 1.0")
	}
	return true
}

// stripComments is the prolog without comments.
func stripComments(prolog []byte) []byte {
	var out []byte
	for {
		i := bytes.Index(prolog, []byte("<!--"))
		if i < 0 {
			return append(out, prolog...)
		}
		out = append(out, prolog[:i]...)
		n := bytes.Index(prolog[i:], []byte("-->"))
		if n < 0 {
			return out
		}
		prolog = prolog[i+n+3:]
	}
}

func (s *scanner) wrap(before string, text []byte, after string) ([]byte, int) {
	s.notes.add("the root is missing: put around what there is")
	out := make([]byte, 0, len(before)+len(text)+len(after))
	out = append(append(append(out, before...), text...), after...)
	return out, 0
}

// tail takes note of what comes behind the root, and reports whether it has to be left out.
func (s *scanner) tail(rest []byte) bool {
	if onlySpace(rest) {
		return false
	}
	if prologIsClean(bytes.TrimLeft(rest, whiteSpace), len(rest)) {
		return false
	}
	items := 0
	for i := 0; i < len(rest); {
		n := bytes.IndexByte(rest[i:], '<')
		if n < 0 {
			break
		}
		i += n + 1
		name := rest[i:min(len(rest), i+6)]
		if isStartOf(name, "item") || isStartOf(name, "entry") {
			items++
		}
	}
	s.result.LeftOut += items
	if items > 0 {
		s.notes.add("a second document behind the first left out")
	} else {
		s.notes.add("junk behind the root left out")
	}
	return true
}

// isStartOf reports whether text begins with the name and what may be behind one in a tag.
func isStartOf(text []byte, name string) bool {
	if len(text) <= len(name) || !foldIs(text[:len(name)], name) {
		return false
	}
	c := text[len(name)]
	return c == '>' || c == '/' || classes[c]&spaceByte != 0
}
