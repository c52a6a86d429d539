package parse

import (
	"bytes"
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// look surveys well-formed XML whose items are at the spans. Where known is not nil it is given each item, and what the
// items inherit: it says what the item is known by, and whether it is known, which leaves it out.
func look(data []byte, atom bool, page *url.URL, spans []span, known func(item, inherited []byte) (aggregator.Hash, bool)) survey {
	s := &surveyor{
		data: data, atom: atom, page: page, spans: spans, marks: make([]mark, 0, len(spans)), headDepth: 3,
		spaces: map[string]string{}, families: map[string]string{},
	}
	if atom {
		s.headDepth = 2
	}
	s.walk(0, len(data))
	head := s.cuts
	s.cuts = nil
	all := make([]*facts, len(s.marks))
	plain := true
	for i, m := range s.marks {
		var hash aggregator.Hash
		if known != nil {
			var skip bool
			if hash, skip = known(data[m.at.start:m.at.end], s.inherited); skip {
				s.cut(m.at)
				continue
			}
		}
		all[i] = s.readItem(m)
		all[i].hash = hash
		plain = plain && all[i].plainDates()
	}
	s.cuts = append(s.cuts, head...)
	slices.SortFunc(s.cuts, func(x, y span) int { return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(y.end, x.end)) })
	s.listItems(all)
	if !plain {
		// What these dates mean may be told by those of the known items.
		cuts := s.cuts
		s.cuts = nil
		for i, m := range s.marks {
			if all[i] == nil {
				all[i] = s.readItem(m)
			}
		}
		s.cuts = cuts
	}
	s.noteDates(all)
	return s.survey
}

// listItems lists the items, without those that are not read, as gofeed does: those beside the channel come last.
func (s *surveyor) listItems(all []*facts) {
	for _, late := range [...]bool{false, true} {
		for i, f := range all {
			if f != nil && late == (!s.atom && s.marks[i].depth == 2) {
				s.items = append(s.items, f)
			}
		}
	}
}

// walk reads data[pos:end]. It steps over items.
func (s *surveyor) walk(pos, end int) {
	for {
		t, ok := nextTag(s.data[:end], pos)
		if !ok {
			return
		}
		pos = t.end
		if t.closing {
			s.leave(t)
			s.depth--
			continue
		}
		s.depth++
		if at, ok := s.itemAt(t.start); ok {
			s.marks = append(s.marks, mark{at, s.depth, s.depth == 2 || s.depth == 3 && s.inChannel})
			s.declare(t)
			s.depth--
			pos = at.end
			continue
		}
		s.enter(t)
		if t.empty {
			s.leave(tag{start: t.end, end: t.end})
			s.depth--
		}
	}
}

// itemAt is the item that begins there.
func (s *surveyor) itemAt(start int) (span, bool) {
	if s.item != nil {
		return span{}, false
	}
	for len(s.spans) > 0 && s.spans[0].start < start {
		s.spans = s.spans[1:]
	}
	if len(s.spans) == 0 || s.spans[0].start > start {
		return span{}, false
	}
	return s.spans[0], true
}

// readItem is what an item says of itself.
func (s *surveyor) readItem(m mark) *facts {
	f := &facts{at: m.at}
	t, ok := nextTag(s.data, m.at.start)
	if !ok {
		return f
	}
	base := s.takeBase(t)
	s.declare(t)
	s.inherit(f, t, base, &s.root)
	if !t.empty {
		switch {
		case !s.usual(m, t):
		case s.atom:
			s.entry = &plainEntry{}
		default:
			s.plain = &plain{}
		}
		s.item, s.itemDepth, s.depth = f, m.depth, m.depth
		s.walk(t.end, m.at.end)
		s.item, s.child = nil, child{}
		s.endPlain(f)
	}
	return f
}

func (s *surveyor) enter(t tag) {
	// Whatever declares a base: gofeed must not see it.
	base := s.takeBase(t)
	prefix, local := split(t.name)
	if s.item == nil && s.depth <= 2 {
		s.noteRoom(t, prefix, local)
	}
	switch {
	case s.depth == 1:
		s.inherited = append(s.inherited, s.data[t.start:t.end]...)
		s.own = string(prefix)
		s.declare(t)
		s.inherit(&s.root, t, base, &facts{})
	case s.item == nil && s.depth == 2 && !s.atom && strings.EqualFold(string(local), "channel"):
		s.inherited = append(s.inherited, s.data[t.start:t.end]...)
		s.declare(t)
		s.inherit(&s.root, t, base, &s.root)
	case s.item != nil && s.depth == s.itemDepth+1:
		s.openChild(s.item, t, base)
	case s.item == nil && s.depth == s.headDepth:
		switch string(bytes.ToLower(local)) {
		case "link", "language", "author":
			s.headStart = t.start
		}
		s.openChild(&s.root, t, base)
	}
}
