package topic

import (
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

func (p *parser) leaf(l lexeme) (*node, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, syntaxError(l.at, "split the topic in two", "the query has more than %d terms", maxTerms)
	}
	t := &term{field: p.field, stem: p.stem, text: foldSpace(l.text)}
	at := l.at
	if l.kind == lexPhrase {
		at++
	}
	var err error
	switch t.field {
	case "feed":
		if err = checkStars(l.text, at); err == nil {
			err = t.compileFeed(l)
		}
	case "lang":
		err = t.compileLang(l)
	case "host":
		err = t.compileHost(l)
	case "published":
		err = t.compilePublished(l)
	default:
		if err = checkStars(l.text, at); err == nil {
			err = t.compileText(l)
		}
	}
	if err != nil {
		return nil, err
	}
	return &node{op: opTerm, term: t, at: l.at}, nil
}

// checkStars finds a * that is not at a word. The text begins at the given offset of the query.
func checkStars(text string, at int) error {
	for i, r := range text {
		if r != '*' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+1:])
		switch {
		case !inWord(before) && !inWord(after):
			return syntaxError(at+i, "write it directly at a word, such as cloud*", "a * that stands alone")
		case before == '*':
			return syntaxError(at+i, "write one: it stands for any letters", "a * beside another")
		}
	}
	return nil
}

// inWord reports whether the character can be within a word; utf8.RuneError, for none, cannot.
func inWord(r rune) bool {
	c := classify(r).class
	return c != separator && c != line
}

// compileText sets the parts of a term that is looked for in text.
func (t *term) compileText(l lexeme) error {
	c := partCollector{text: t.text, stem: t.stem}
	s := scanner{sink: &c}
	s.text(t.text)
	t.parts = c.parts
	if star, what, mend := c.wrongStar(); what != "" {
		return syntaxError(starAt(l, star), mend, "%s", what)
	}
	switch {
	case len(t.parts) == 0 && strings.Trim(t.text, "&") == "" && t.text != "":
		return syntaxError(l.at, "write AND, or nothing, between terms that must both occur", "%s has no meaning", t.text)
	case len(t.parts) == 0:
		return syntaxError(l.at, "write letters or digits, or leave it out", "there is no word in %q", shown(t.text))
	case len(t.parts) > maxParts:
		return syntaxError(l.at, "shorten it, or join shorter phrases by AND", "a phrase has more than %d words", maxParts)
	}
	return nil
}

// compileFeed reads a feed's id or the beginning of one.
func (t *term) compileFeed(l lexeme) error {
	id, isPrefix := strings.CutSuffix(t.text, "*")
	if id == "" || strings.ContainsAny(id, " *") {
		return syntaxError(l.at, "write one id, or the beginning of ids with a * behind it: feed:aws*", "%q is not the id of a feed", shown(t.text))
	}
	t.value = part{word: strings.ToLower(id), prefix: isPrefix}
	return nil
}

// compileLang reads a language tag.
func (t *term) compileLang(l lexeme) error {
	tag := foldLang(t.text)
	for i, subtag := range strings.Split(tag, "-") {
		plain := !strings.ContainsFunc(subtag, func(r rune) bool { return (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') })
		if !plain || len(subtag) < 1 || len(subtag) > 8 || i == 0 && (len(subtag) < 2 || len(subtag) > 3) {
			return syntaxError(l.at, "write a tag such as en, ur or pt-BR; lang:en finds en-GB too", "%q is not a language tag", shown(t.text))
		}
	}
	t.value = part{word: tag}
	return nil
}

// foldLang folds a language tag: tags are compared without regard to case (RFC 5646 section 2.1.1), and publishers
// write _ for -.
func foldLang(tag string) string { return strings.ReplaceAll(strings.ToLower(tag), "_", "-") }

// compileHost reads the name of a host, which stands for those below it, too.
func (t *term) compileHost(l lexeme) error {
	host := foldHost(t.text)
	_, err := netip.ParseAddr(host)
	if err != nil && (host == "" || len(host) > 253 || strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) || strings.Contains("."+host+".", "..")) {
		return syntaxError(l.at, "write its name alone, such as example.org, which finds news.example.org too; one with other than Latin letters as in links: xn--...",
			"%q is not the name of a host", shown(t.text))
	}
	t.value = part{word: host}
	return nil
}

// foldHost folds the name of a host.
func foldHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

const publishedMend = "write a day, a month or a year (2026-01-31, 2026-01, 2026), a range as 2026-01..2026-06, or one of >= > <= < in front of it; days are those of UTC"

// compilePublished reads a period.
func (t *term) compilePublished(l lexeme) error {
	wrong := func(what string) error { return syntaxError(l.at, publishedMend, "%q "+what, shown(t.text)) }
	read := func(text string) (from, until time.Time) {
		for _, layout := range [...]string{time.DateOnly, "2006-01", "2006"} {
			from, err := time.Parse(layout, text)
			if err != nil || from.Year() == 0 {
				continue
			}
			switch layout {
			case "2006":
				return from, from.AddDate(1, 0, 0)
			case "2006-01":
				return from, from.AddDate(0, 1, 0)
			}
			return from, from.AddDate(0, 0, 1)
		}
		return time.Time{}, time.Time{}
	}
	sign := t.text[:len(t.text)-len(strings.TrimLeft(t.text, "<>="))]
	if first, last, isRange := strings.Cut(t.text, ".."); isRange {
		t.from, _ = read(first)
		_, t.until = read(last)
		switch {
		case first == "" && last == "", (first == "") != t.from.IsZero(), (last == "") != t.until.IsZero():
			return wrong("is no period")
		case first != "" && last != "" && !t.from.Before(t.until):
			return wrong("ends before it begins")
		}
		return nil
	}
	from, until := read(t.text[len(sign):])
	if from.IsZero() {
		return wrong("is no period")
	}
	switch sign {
	case "", "=":
		t.from, t.until = from, until
	case ">=":
		t.from = from
	case ">":
		t.from = until
	case "<":
		t.until = from
	case "<=":
		t.until = until
	default:
		return wrong("is no period")
	}
	return nil
}
