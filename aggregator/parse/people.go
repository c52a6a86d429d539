package parse

import (
	"strings"

	"github.com/topicwire/topicwire/aggregator"
)

// longestList bounds how many authors, categories or enclosures an item can have.
const longestList = 200

// people collects authors: none without any word, none twice.
type people struct{ list []aggregator.Author }

func (p *people) add(a aggregator.Author) {
	a = aggregator.Author{Name: clean(plainTitle(a.Name)), Email: clean(strings.TrimSpace(a.Email)), URL: clean(strings.TrimSpace(a.URL))}
	if a.Email == "" && strings.Contains(a.Name, "@") {
		a.Name, a.Email = splitPerson(a.Name)
	}
	a.Email = strings.TrimPrefix(a.Email, "mailto:")
	if a.Name == "" && a.Email == "" && a.URL == "" || len(p.list) >= longestList {
		return
	}
	for i, known := range p.list {
		same := a.Name != "" && strings.EqualFold(known.Name, a.Name) || a.Name == "" && a.Email != "" && known.Email == a.Email ||
			a.Name == "" && a.Email == "" && known.URL == a.URL
		if same {
			if known.Email == "" {
				p.list[i].Email = a.Email
			}
			if known.URL == "" {
				p.list[i].URL = a.URL
			}
			return
		}
	}
	p.list = append(p.list, a)
}

// addText adds the author that a text names: a name, an address, or both in one of the usual ways.
func (p *people) addText(text string) {
	text = plainTitleOfPerson(text)
	name, email := splitPerson(text)
	p.add(aggregator.Author{Name: name, Email: email})
}

// plainTitleOfPerson keeps "Name <mail@example.org>" from being read as markup.
func plainTitleOfPerson(text string) string {
	if open, shut := strings.IndexByte(text, '<'), strings.LastIndexByte(text, '>'); open >= 0 && open < shut &&
		strings.Contains(text[open:shut], "@") && !strings.ContainsAny(text[open:shut], "=\"'") {
		return foldSpace(decodeEntities(text))
	}
	return plainTitle(text)
}

// splitPerson reads "mail@x (Name)", "Name (mail@x)", "Name <mail@x>", "mail@x", "mail@x Name" and "Name".
func splitPerson(text string) (name, email string) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "@") {
		if inner, ok := strings.CutPrefix(text, "("); ok {
			text = strings.TrimSuffix(inner, ")")
		}
		return strings.TrimSpace(text), ""
	}
	for _, pair := range [...]string{"()", "<>", "[]"} {
		open, shut := strings.IndexByte(text, pair[0]), strings.LastIndexByte(text, pair[1])
		if open < 0 || shut < open {
			continue
		}
		outside, inside := strings.TrimSpace(text[:open]+" "+text[shut+1:]), strings.TrimSpace(text[open+1:shut])
		switch {
		case isEmail(inside):
			return strings.Trim(outside, `" `), bareEmail(inside)
		case isEmail(outside):
			return strings.Trim(inside, `" `), bareEmail(outside)
		}
	}
	first, rest, _ := strings.Cut(text, " ")
	if isEmail(first) {
		return strings.Trim(rest, ` -:,"`), bareEmail(first)
	}
	return text, ""
}

func isEmail(s string) bool {
	s = bareEmail(s)
	local, host, ok := strings.Cut(s, "@")
	return ok && local != "" && host != "" && !strings.ContainsAny(s, " \t<>()\",;")
}

func bareEmail(s string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"), "<>,;")
}

// labels collects categories: trimmed, none empty, none twice whatever its case.
type labels struct{ list []string }

// longestLabel bounds what is taken for a category.
const longestLabel = 256

func (l *labels) add(label string) {
	label = clean(plainTitle(label))
	if label == "" || len(label) > longestLabel || len(l.list) >= longestList {
		return
	}
	for _, known := range l.list {
		if strings.EqualFold(known, label) {
			return
		}
	}
	l.list = append(l.list, label)
}

// addList adds labels with commas (or semicolons) between them.
func (l *labels) addList(list string) {
	for label := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ';' || r == '،' || r == '、' }) {
		l.add(label)
	}
}
