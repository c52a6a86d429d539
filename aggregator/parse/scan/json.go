package scan

import (
	"bytes"
	"encoding/json"
	"strings"
)

// scanJSON makes JSON Feed (version 1.1 and before) of the text, which begins with '{' or '['. Besides the syntax (RFC
// 8259) it looks at the types of the fields that the format knows, since a parser that decodes into types loses the
// whole feed over one of them. A value of another type is converted where its meaning is plain, and otherwise null.
func (s *scanner) scanJSON(text []byte) error {
	s.result.Kind = JSON
	j := &jsonScanner{b: text, limits: &s.limits, notes: &s.notes}
	if text[0] != '{' {
		return &NotFeedError{What: "JSON, but no feed"}
	}
	end := j.object(0, feedFields, 1)
	if j.limit != nil {
		return j.limit
	}
	if end < 0 {
		if !j.inItems || len(j.items) == 0 && !j.isFeed {
			return &NotFeedError{What: "broken JSON"}
		}
		s.result.Truncated = true
		s.result.LeftOut++
		s.notes.add("cut off or broken: what comes behind the last complete item left out")
		end = j.itemsFrom
		if n := len(j.items); n > 0 {
			end = j.items[n-1].End
		}
		text = append(append(make([]byte, 0, end+2), text[:end]...), "]}"...)
		for len(j.edits) > 0 && j.edits[len(j.edits)-1].end > end {
			j.edits = j.edits[:len(j.edits)-1]
		}
	} else {
		if !onlySpace(text[end:]) {
			s.notes.add("junk behind the end left out")
			text = text[:end]
		}
	}
	if !j.isFeed && !(j.hasTitle && j.hasItems) {
		return &NotFeedError{What: "JSON, but no feed"}
	}
	s.result.LeftOut += j.dropped
	s.result.Data, s.result.Items = text, j.items
	s.apply(j.edits)
	return nil
}

// shape is what a field must be.
type shape uint8

const (
	anything shape = iota
	aString
	anAuthor
	authorList
	stringList
	attachmentList
	itemList
)

// fields are the names that an object of the format has, with the shapes of their values. All others are extensions.
type fields map[string]shape

var (
	feedFields = fields{"version": aString, "title": aString, "home_page_url": aString, "feed_url": aString, "description": aString,
		"user_comment": aString, "next_url": aString, "icon": aString, "favicon": aString, "language": aString,
		"author": anAuthor, "authors": authorList, "items": itemList}
	itemFields = fields{"url": aString, "external_url": aString, "title": aString, "content_html": aString, "content_text": aString,
		"summary": aString, "image": aString, "banner_image": aString, "date_published": aString, "date_modified": aString,
		"language": aString, "author": anAuthor, "authors": authorList, "tags": stringList, "attachments": attachmentList}
	authorFields     = fields{"name": aString, "url": aString, "avatar": aString}
	attachmentFields = fields{"url": aString, "mime_type": aString, "title": aString}
)

// jsonScanner reads JSON text once. Its methods return where what they read ends, or -1 where it is broken.
type jsonScanner struct {
	b      []byte
	limits *Limits
	notes  *notes
	limit  *LimitError

	edits []edit
	items []Span

	isFeed, hasTitle, hasItems, inItems bool
	itemsFrom, dropped                  int
}

func (j *jsonScanner) space(i int) int {
	for i < len(j.b) && classes[j.b[i]]&spaceByte != 0 {
		i++
	}
	return i
}

// object reads the object at b[i].
func (j *jsonScanner) object(i int, known fields, depth int) int {
	if depth > j.limits.Depth {
		j.limit = &LimitError{"JSON values inside each other", j.limits.Depth}
		return -1
	}
	i = j.space(i + 1)
	for i < len(j.b) && j.b[i] != '}' {
		start := i
		if i = j.text(i); i < 0 {
			return -1
		}
		key := ""
		if known != nil {
			key = keyOf(j.b[start:i])
		}
		keyEnd := i
		if i = j.space(i); i >= len(j.b) || j.b[i] != ':' {
			return -1
		}
		i = j.space(i + 1)
		want := known[key]
		if want == itemList {
			if j.hasItems {
				j.notes.add("a second list of items left out")
				j.edits = append(j.edits, edit{start, keyEnd, `"_items"`})
				want = anything
			}
		}
		value := i
		if i = j.field(i, key, want, depth); i < 0 {
			return -1
		}
		if known != nil {
			j.learn(key, j.b[value:i], depth)
		}
		if i = j.comma(i, '}'); i < 0 {
			return -1
		}
	}
	if i >= len(j.b) {
		return -1
	}
	return i + 1
}

// comma reads what is between two elements, or behind the last one, up to the next element or the closing bracket.
func (j *jsonScanner) comma(i int, close byte) int {
	i = j.space(i)
	if i >= len(j.b) || j.tooMany() {
		return -1
	}
	if j.b[i] == close {
		return i
	}
	if j.b[i] != ',' {
		return -1
	}
	comma := i
	i = j.space(i + 1)
	if i < len(j.b) && j.b[i] == close {
		j.notes.add("trailing commas left out")
		j.edits = append(j.edits, edit{comma, comma + 1, ""})
	}
	return i
}

// tooMany reports whether so much was mended that this is no feed that a program wrote.
func (j *jsonScanner) tooMany() bool {
	const most = 200_000
	if len(j.edits) > most && j.limit == nil {
		j.limit = &LimitError{"defects in the document", most}
	}
	return j.limit != nil
}

// keyOf is the name of a field as decoders compare it: without escapes and in lower case.
func keyOf(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var key string
		if json.Unmarshal(quoted, &key) == nil {
			return strings.ToLower(key)
		}
	}
	return strings.ToLower(string(quoted[1 : len(quoted)-1]))
}

// learn takes note of what tells a feed from other JSON.
func (j *jsonScanner) learn(key string, value []byte, depth int) {
	if depth > 1 {
		j.isFeed = j.isFeed || key == "content_html" || key == "content_text"
		return
	}
	switch key {
	case "version":
		j.isFeed = j.isFeed || bytes.Contains(bytes.ReplaceAll(value, []byte(`\/`), []byte("/")), []byte("jsonfeed.org/version"))
	case "title":
		j.hasTitle = value[0] == '"'
	}
}

// list reads the array at b[i] with a reader for its elements.
func (j *jsonScanner) list(i, depth int, element func(i int) int) int {
	if depth > j.limits.Depth {
		j.limit = &LimitError{"JSON values inside each other", j.limits.Depth}
		return -1
	}
	i = j.space(i + 1)
	for i < len(j.b) && j.b[i] != ']' {
		if i = element(i); i < 0 {
			return -1
		}
		if i = j.comma(i, ']'); i < 0 {
			return -1
		}
	}
	if i >= len(j.b) {
		return -1
	}
	return i + 1
}

// itemList reads the items. Elements that are no objects are left out.
func (j *jsonScanner) itemList(i, depth int) int {
	j.inItems, j.hasItems, j.itemsFrom = true, true, i+1
	hole := -1 // where elements begin that are left out
	end := j.list(i, depth, func(i int) int {
		if j.b[i] != '{' {
			j.dropped++
			j.notes.add("items that are no JSON objects left out")
			if hole < 0 {
				hole = i
			}
			edits := len(j.edits)
			end := j.value(i, depth)
			j.edits = j.edits[:edits]
			return end
		}
		if len(j.items) >= j.limits.Items {
			j.limit = &LimitError{"items", j.limits.Items}
			return -1
		}
		if hole >= 0 {
			j.edits = append(j.edits, edit{hole, i, ""})
			hole = -1
		}
		end := j.object(i, itemFields, depth+1)
		if end >= 0 {
			j.items = append(j.items, Span{i, end})
		}
		return end
	})
	if end >= 0 {
		if hole >= 0 {
			from := j.itemsFrom
			if n := len(j.items); n > 0 {
				from = j.items[n-1].End
			}
			for len(j.edits) > 0 && j.edits[len(j.edits)-1].start >= from {
				j.edits = j.edits[:len(j.edits)-1]
			}
			j.edits = append(j.edits, edit{from, end - 1, ""})
		}
		j.inItems = false
	}
	return end
}

// value reads any value.
func (j *jsonScanner) value(i, depth int) int {
	if i >= len(j.b) {
		return -1
	}
	switch j.b[i] {
	case '{':
		return j.object(i, nil, depth+1)
	case '[':
		return j.list(i, depth+1, func(i int) int { return j.value(i, depth+1) })
	case '"':
		return j.text(i)
	}
	end := i
	for end < len(j.b) && classes[j.b[end]]&spaceByte == 0 && bytes.IndexByte([]byte(",]}:\"{["), j.b[end]) < 0 {
		end++
	}
	const most = 400
	if end == i || end-i > most || !json.Valid(j.b[i:end]) {
		return -1
	}
	return end
}
