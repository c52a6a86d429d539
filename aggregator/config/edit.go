package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/topicwire/topicwire/aggregator"
)

// ErrNotEditable is returned where a file is written in a way in which its feeds cannot be changed by AddFeeds and
// RemoveFeed: through aliases, say. It is then for the operator to do.
var ErrNotEditable = errors.New("this file is written in a way that only you can edit")

// AddFeeds is the text of a config file with feeds added to the end of its list of feeds. Nothing else in it changes,
// comments and line ends included. Of the feeds ID and URL must be set; Title, Schedule, Topics, Tags, AllowPrivate and
// Private are written where they are not empty.
//
// The result is read before it is returned and says what the file said, and the new feeds: where it would not, the error
// is Problems (places are those in the result), or ErrNotEditable. Problems in the text as it is are an error too.
func AddFeeds(file string, data []byte, feeds []aggregator.Feed, o Options) ([]byte, error) {
	old, err := Parse(file, data, o)
	if err != nil {
		return nil, err
	}
	e, err := newEditor(file, data, o)
	if err != nil {
		return nil, err
	}
	lines := make([]string, len(feeds))
	for i, f := range feeds {
		lines[i] = feedLine(f)
	}
	e.add(lines)
	ids := make([]aggregator.FeedID, len(feeds))
	for i, f := range feeds {
		ids[i] = f.ID
	}
	return e.checked(old, ids, func(want *Config, got []aggregator.Feed) bool {
		known := len(want.Feeds)
		if len(got) != known+len(feeds) || !reflect.DeepEqual(got[:known], want.Feeds) {
			return false
		}
		return slices.EqualFunc(got[known:], feeds, func(a, b aggregator.Feed) bool {
			return a.ID == b.ID && a.URL == b.URL && a.Title == b.Title && (b.Schedule == "" || a.Schedule == b.Schedule) &&
				slices.Equal(a.Topics, b.Topics) && slices.Equal(a.Tags, b.Tags) && a.AllowPrivate == b.AllowPrivate
		})
	})
}

// RemoveFeed is the text of a config file without the feed of the given id, with the promises of AddFeeds. Comments within
// the feed go with it, those above it stay. The error is aggregator.ErrNotFound where the file has no such feed.
func RemoveFeed(file string, data []byte, id aggregator.FeedID, o Options) ([]byte, error) {
	old, err := Parse(file, data, o)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(old.Feeds, func(f aggregator.Feed) bool { return f.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("remove feed %q: %w", id, aggregator.ErrNotFound)
	}
	e, err := newEditor(file, data, o)
	if err != nil {
		return nil, err
	}
	if !e.remove(i) {
		return nil, ErrNotEditable
	}
	return e.checked(old, []aggregator.FeedID{id}, func(want *Config, got []aggregator.Feed) bool {
		want.Feeds = slices.Delete(slices.Clone(want.Feeds), i, i+1)
		return slices.EqualFunc(got, want.Feeds, func(a, b aggregator.Feed) bool { return reflect.DeepEqual(a, b) })
	})
}

// forget takes out what the config says of a feed apart from the feed itself.
func (c *Config) forget(id aggregator.FeedID) {
	drop(&c.Headers, id)
	drop(&c.Stories.Exact, id)
	drop(&c.WebSub.Subscribed, id)
	drop(&c.Publish.Priority, id)
	drop(&c.Retention.Feeds, id)
}

// drop takes an entry out of a map, which is nil when it has no other.
func drop[V any](m *map[aggregator.FeedID]V, id aggregator.FeedID) {
	if delete(*m, id); len(*m) == 0 {
		*m = nil
	}
}

// feedLine is a feed as one line of a list.
func feedLine(f aggregator.Feed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "{id: %s, url: %s", quoted(string(f.ID)), quoted(f.URL))
	for _, field := range []struct{ key, value string }{{"title", f.Title}, {"schedule", f.Schedule}} {
		if field.value != "" {
			fmt.Fprintf(&b, ", %s: %s", field.key, quoted(field.value))
		}
	}
	if len(f.Topics) > 0 {
		topics := make([]string, len(f.Topics))
		for i, t := range f.Topics {
			topics[i] = quoted(string(t))
		}
		fmt.Fprintf(&b, ", topics: [%s]", strings.Join(topics, ", "))
	}
	if len(f.Tags) > 0 {
		tags := make([]string, len(f.Tags))
		for i, t := range f.Tags {
			tags[i] = quoted(t)
		}
		fmt.Fprintf(&b, ", tags: [%s]", strings.Join(tags, ", "))
	}
	for _, field := range []struct {
		key string
		set bool
	}{{"allow_private", f.AllowPrivate}, {"private", f.Private}} {
		if field.set {
			fmt.Fprintf(&b, ", %s: true", field.key)
		}
	}
	return b.String() + "}"
}

// quoted is a text as it stands in the file: as it is where nothing in it means anything to YAML, else in double quotes,
// whose escapes are those of JSON. A ${ of the text names no variable.
func quoted(s string) string {
	if plainText.MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(strings.ReplaceAll(s, "${", "$${")) != nil {
		return `""` // there is no text that cannot be written
	}
	return strings.TrimSpace(b.String())
}

// plainText is what is a text without quotes, unless it is one of words.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)

// words are those that readers of YAML take for something else than text.
var words = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

// editor changes the text of one file. Its places are those of the text as it was read.
type editor struct {
	file string
	o    Options
	*reader
	bom, newline string
	// key is the place of the key feeds, list or null its value; they are zero where there is none.
	key  place
	list *ast.SequenceNode
	null *ast.NullNode
}

func newEditor(file string, data []byte, o Options) (*editor, error) {
	e := &editor{file: file, o: o, reader: newReader(file, "", data, o), newline: "\n"}
	e.whole = true // the tree says where entries are
	if len(e.source) < len(data) {
		e.bom = string(data[:len(data)-len(e.source)])
	}
	if strings.Contains(e.source, "\r\n") {
		e.newline = "\r\n"
	}
	root, ok := e.document()
	if !ok {
		return nil, e.sorted()
	}
	if root == nil {
		return e, nil
	}
	var values []*ast.MappingValueNode
	switch n := root.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return nil, ErrNotEditable
		}
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, ErrNotEditable
	}
	for _, v := range values {
		if name, ok := e.keyText(v.Key); !ok || name != "feeds" {
			continue
		}
		e.key = placeOf(v.Key)
		value := v.Value
		if anchor, ok := value.(*ast.AnchorNode); ok {
			value = anchor.Value
		}
		if null, isNull := value.(*ast.NullNode); isNull {
			e.null = null
			return e, nil
		}
		if e.list, ok = value.(*ast.SequenceNode); !ok {
			return nil, ErrNotEditable
		}
	}
	return e, nil
}

// tokenPlace is where a token stands.
func tokenPlace(t *token.Token) place { return place{t.Position.Line, t.Position.Column} }

// splice puts text in the place of the source from one offset to another.
func (e *editor) splice(from, to int, text string) {
	e.source = e.source[:from] + text + e.source[to:]
	e.lineStarts = nil
}

// cut takes a part of a line out, with the white space before it where nothing follows.
func (e *editor) cut(from, to int) {
	rest, _, _ := strings.Cut(e.source[to:], "\n")
	if strings.TrimSpace(rest) == "" {
		from = len(strings.TrimRight(e.source[:from], " \t"))
	}
	e.splice(from, to, "")
}

// add writes entries at the end of the list.
func (e *editor) add(entries []string) {
	switch {
	case len(entries) == 0:
	case e.key.line == 0:
		if e.source != "" && !strings.HasSuffix(e.source, "\n") {
			e.source += e.newline
		}
		if strings.TrimSpace(e.source) != "" {
			e.source += e.newline
		}
		e.source += "feeds:" + e.newline + e.block("  ", entries)
	case e.list == nil:
		if at, word := e.index(placeOf(e.null)), e.null.Token.Value; strings.HasPrefix(e.source[at:], word) && !strings.ContainsAny(word, " \n") {
			e.cut(at, at+len(word))
		}
		e.addBelow(e.key.line, "  ", entries)
	case !e.list.IsFlowStyle:
		last := e.list.Entries[len(e.list.Entries)-1]
		dash := tokenPlace(last.Start)
		e.addBelow(e.lastLine(dash), strings.Repeat(" ", dash.column-1), entries)
	case len(e.list.Values) == 0 && tokenPlace(e.list.Start).line == tokenPlace(e.list.End).line:
		line := tokenPlace(e.list.Start).line
		e.cut(e.index(tokenPlace(e.list.Start)), e.index(tokenPlace(e.list.End))+1)
		e.addBelow(line, "  ", entries)
	default:
		e.addFlow(entries)
	}
}

// addFlow writes entries before the bracket that closes the list.
func (e *editor) addFlow(entries []string) {
	end := e.index(tokenPlace(e.list.End))
	before := strings.TrimRight(e.source[:end], " \t\r\n")
	text := strings.Join(entries, ","+e.newline+"  ")
	if len(e.list.Values) > 0 && !strings.HasSuffix(before, ",") {
		text = "," + e.newline + "  " + text
	}
	e.splice(len(before), end, text)
}

// addBelow writes entries behind a line.
func (e *editor) addBelow(line int, indent string, entries []string) {
	at := len(e.source)
	if starts := e.lines(); line < len(starts) {
		at = starts[line]
	} else if !strings.HasSuffix(e.source, "\n") {
		e.source += e.newline
		at = len(e.source)
	}
	e.splice(at, at, e.block(indent, entries))
}

func (e *editor) block(indent string, entries []string) string {
	var b strings.Builder
	for _, entry := range entries {
		b.WriteString(indent + "- " + entry + e.newline)
	}
	return b.String()
}

// lastLine is the last line of the entry whose dash is at the given place: what stands further to the right belongs to
// it, comments too.
func (e *editor) lastLine(dash place) int {
	last := dash.line
	for line := dash.line + 1; line <= len(e.lines()); line++ {
		text := e.line(line)
		trimmed := strings.TrimLeft(text, " ")
		indented := len(text)-len(trimmed) >= dash.column
		switch {
		case strings.TrimSpace(trimmed) == "":
		case indented:
			last = line
		case !strings.HasPrefix(trimmed, "#"):
			return last
		}
	}
	return last
}

// remove takes the entry of the given index out. It reports whether that could be done.
func (e *editor) remove(i int) bool {
	if e.list == nil || i >= len(e.list.Values) {
		return false
	}
	if !e.list.IsFlowStyle {
		dash := tokenPlace(e.list.Entries[i].Start)
		from, starts := e.index(place{dash.line, 1}), e.lines()
		to := len(e.source)
		if last := e.lastLine(dash); last < len(starts) {
			to = starts[last]
		}
		e.splice(from, to, "")
		return true
	}
	from, to := e.index(placeOf(e.list.Values[i])), e.index(tokenPlace(e.list.End))
	switch {
	case i+1 < len(e.list.Values):
		to = e.index(placeOf(e.list.Values[i+1]))
	case i > 0:
		from = len(strings.TrimRight(e.source[:from], " \t\r\n"))
		if from == 0 || e.source[from-1] != ',' {
			return false
		}
		from--
	}
	if from > to {
		return false
	}
	e.splice(from, to, "")
	return true
}

// checked is the text with its changes if it says what it should: same is given the old config to be made what is wanted
// of it, and the feeds that the text has now. ids are those that were added or removed.
func (e *editor) checked(old *Config, ids []aggregator.FeedID, same func(want *Config, got []aggregator.Feed) bool) ([]byte, error) {
	text := []byte(e.bom + e.source)
	now, err := Parse(e.file, text, e.o)
	if err != nil {
		return nil, err
	}
	if !same(old, now.Feeds) {
		return nil, ErrNotEditable
	}
	now.Feeds = old.Feeds
	for _, id := range ids {
		old.forget(id)
		now.forget(id)
	}
	if !reflect.DeepEqual(old, now) {
		return nil, ErrNotEditable
	}
	return text, nil
}
