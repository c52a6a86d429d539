package topic

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fieldName is what is before the first colon if it can be meant as a field: letters alone, and no URL's scheme.
func fieldName(text string) (string, bool) {
	name, rest, found := strings.Cut(text, ":")
	if !found || name == "" || strings.HasPrefix(rest, "//") {
		return "", false
	}
	return name, !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' })
}

var fields = []string{"title", "category", "author", "url", "host", "feed", "lang", "published"}

func (l *lexer) field(name string) error {
	known := strings.ToLower(name)
	if !slices.Contains(fields, known) {
		mend := "the fields are " + strings.Join(fields, ":, ") + ":"
		if near := nearest(known); near != "" {
			mend = fmt.Sprintf("did you mean %s:?", near)
		}
		return syntaxError(l.at, mend+`; to search for the words, put them in quotes`, "there is no field %s:", shown(name))
	}
	if l.last().kind == lexField {
		return syntaxError(l.at, "write title:a AND category:b", "a field within a field")
	}
	end := l.at + len(name) + 1
	next, _ := utf8.DecodeRuneInString(l.query[end:])
	if end == len(l.query) || unicode.IsSpace(next) || next == ')' || next == '#' && isComment(l.query[end:]) {
		return syntaxError(l.at, fmt.Sprintf(`write the term directly behind the colon, such as %s:word or %[1]s:(a OR b)`, known),
			"nothing directly behind %s:", known)
	}
	l.add(lexField, known, l.at, end)
	return nil
}

// nearest is the field whose name is at most two slips of the hand away, empty if there is none.
func nearest(name string) string {
	for near, known := range map[string]string{
		"tag": "category", "tags": "category", "categories": "category", "keyword": "category", "source": "feed",
		"feeds": "feed", "language": "lang", "headline": "title", "by": "author", "creator": "author", "writer": "author",
		"link": "url", "domain": "host", "site": "host", "date": "published", "pubdate": "published",
	} {
		if name == near {
			return known
		}
	}
	return nearestOf(name, fields)
}

// nearestOf is the known name that is at most two slips of the hand away, empty if there is none.
func nearestOf(name string, names []string) string {
	best, bestDistance := "", min(3, utf8.RuneCountInString(name))
	for _, known := range names {
		if d := distance(name, known); d < bestDistance {
			best, bestDistance = known, d
		}
	}
	return best
}

// distance counts the letters to add, take away, exchange or swap with their neighbour to make a into b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	if len(from) > 2*len(to) {
		return len(from)
	}
	var before, previous []int
	current := make([]int, len(to)+1)
	for j := range current {
		current[j] = j
	}
	for i := range from {
		before, previous, current = previous, current, make([]int, len(to)+1)
		current[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			current[j+1] = min(previous[j]+cost, previous[j+1]+1, current[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				current[j+1] = min(current[j+1], before[j-1]+1)
			}
		}
	}
	return current[len(to)]
}
