package topic_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/topic"
)

func TestParseGivesTheCanonicalForm(t *testing.T) {
	for name, tc := range map[string]struct{ query, want string }{
		"a word":                               {"cloud", "cloud"},
		"words side by side":                   {"cloud  aws\nazure", "cloud AND aws AND azure"},
		"AND binds tighter than OR":            {"a OR b c OR d AND e", "a OR b AND c OR d AND e"},
		"parentheses that are needed stay":     {"(a OR b) c", "(a OR b) AND c"},
		"parentheses that are not go":          {"((a)) AND (b c) OR (d OR (e))", "a AND b AND c OR d OR e"},
		"NOT and -":                            {"a NOT b -c -(d e)", "a AND NOT b AND NOT c AND NOT (d AND e)"},
		"NOT binds tightest":                   {"a NOT b OR c", "a AND NOT b OR c"},
		"AND NOT":                              {"a AND NOT b", "a AND NOT b"},
		"a negated negation in parentheses":    {"a NOT (NOT b c) -(-(d e))", "a AND NOT (NOT b AND c) AND d AND e"},
		"operators without spaces":             {"(a)AND(b)OR(c)", "a AND b OR c"},
		"small letters are words":              {"a and b or not", "a AND and AND b AND or AND not"},
		"phrases":                              {`"data  protection" "cloud"`, `"data protection" AND cloud`},
		"operators in quotes are words":        {`a "AND" "NEAR"`, `a AND "AND" AND "NEAR"`},
		"fields":                               {`TITLE:cloud category:"Data law" feed:aws-news lang:en_GB`, `title:cloud AND category:"Data law" AND feed:aws-news AND lang:en_GB`},
		"fields of groups":                     {`title:(a OR "b c" -d)`, `title:a OR title:"b c" AND NOT title:d`},
		"a negated field":                      {"a -title:b -feed:(c OR d*)", "a AND NOT title:b AND NOT (feed:c OR feed:d*)"},
		"beginnings":                           {`cloud* "data protect*" c* feed:aws*`, `cloud* AND "data protect*" AND c* AND feed:aws*`},
		"words of several":                     {"data-localisation AT&T C++ .NET l'école", `data-localisation AND AT&T AND C++ AND ".NET" AND l'école`},
		"a URL is no field":                    {"http://example.org/x", `"http://example.org/x"`},
		"a time is no field":                   {"12:30", `"12:30"`},
		"any script":                           {"数据保护 OR حماية OR डेटा", "数据保护 OR حماية OR डेटा"},
		"no-break and ideographic spaces":      {"a\u00a0b\u3000c", "a AND b AND c"},
		"the replacement character":            {"a\ufffdb", "\"a\ufffdb\""},
		"what only narrows may be alone":       {"lang:en OR feed:x", "lang:en OR feed:x"},
		"the part that must occur can be deep": {"((a OR b) NOT c) OR (lang:en -d)", "(a OR b) AND NOT c OR lang:en AND NOT d"},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := topic.Parse(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := q.String(); got != tc.want {
				t.Errorf("canonical form of %q\n got %s\nwant %s", tc.query, got, tc.want)
			}
			again, err := topic.Parse(tc.want)
			if err != nil {
				t.Fatal(err)
			}
			if got := again.String(); got != tc.want {
				t.Errorf("canonical form of the canonical form: %s", got)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		query, at  string // at is what the offset points at
		text, mend string
	}{
		"empty":                           {"", "", "the query is empty", "write what the topic is about"},
		"white space":                     {" \n", " \n", "the query is empty", "write what the topic is about"},
		"AND in front":                    {"AND a", "AND a", "AND has nothing in front of it", `to search for the word, write "AND"`},
		"OR behind":                       {"a OR", "OR", "OR has nothing behind it", "write a term behind it"},
		"OR at the end of a group":        {"(a OR) b", "OR) b", "OR has nothing behind it", "write a term behind it"},
		"AND at the start of a group":     {"a (AND b)", "AND b)", "AND has nothing in front of it", "write a term in front of it"},
		"two operators":                   {"a AND OR b", "OR b", "OR directly behind AND", "leave one out"},
		"NOT behind":                      {"a NOT", "NOT", "NOT has nothing behind it", `write "NOT"`},
		"NOT of an operator":              {"a NOT OR b", "OR b", "OR directly behind NOT", "leave one out"},
		"- of an operator":                {"a -AND b", "AND b", "AND directly behind -", "leave one out"},
		"a negated negation":              {"a NOT -b", "-b", "a negation of a negation", "leave out both"},
		"two minus signs":                 {"a --b", "--b", "more than one -", "write one -"},
		"a lone minus sign":               {"a - b", "- b", "a - that stands alone", "directly in front of the term"},
		"a dash for a minus sign":         {"a –b", "–b", "– in front of a word", "write - in place of it"},
		"empty parentheses":               {"a ()", "()", "nothing in the parentheses", "write a term in them"},
		"an open parenthesis":             {"a (b OR c", "(b OR c", "the ( is not closed", "write ) behind the group"},
		"an open parenthesis alone":       {"a (", "(", "the ( is not closed", "write ) behind the group"},
		"a stray parenthesis":             {"a) b", ") b", "a ) without its (", "leave it out"},
		"a stray parenthesis in front":    {") b", ") b", "a ) without its (", "leave it out"},
		"an open quote":                   {`a "b c`, `"b c`, "the quote is not closed", `write " behind the last word`},
		"a quote inside a word":           {`a b"c d"`, `"c d"`, "a quote directly behind b", "put a space in front of it"},
		"a word behind a quote":           {`"a b"c`, "c", "a word directly behind a quote", "put a space between"},
		"an empty phrase":                 {`a ""`, `""`, `there is no word in ""`, "write letters or digits"},
		"only signs":                      {"a %", "%", `there is no word in "%"`, "write letters or digits"},
		"a misspelt field":                {"a titel:b", "titel:b", "there is no field titel:", "did you mean title:?"},
		"a long word in the error is cut": {strings.Repeat("é", 50) + ":b", strings.Repeat("é", 50) + ":b", "no field " + strings.Repeat("é", 40) + "...:", "the fields are"},
		"a field of other tools":          {"tag:b", "tag:b", "there is no field tag:", "did you mean category:?"},
		"a field of later versions":       {"author:b", "author:b", "there is no field author:", "the fields are title:, category:, feed: and lang:"},
		"a name with a colon":             {"re:Invent", "re:Invent", "there is no field re:", "to search for the words, put them in quotes"},
		"a field with nothing":            {"title: a", "title: a", "nothing directly behind title:", "title:(a OR b)"},
		"a field at the end of all":       {"a title:", "title:", "nothing directly behind title:", "title:word"},
		"a field at the end":              {"(a title:)", "title:)", "nothing directly behind title:", "title:word"},
		"a field of a field":              {"title:category:a", "category:a", "a field within a field", "title:a AND category:b"},
		"a field in a field's group":      {"title:(a category:b)", "category:b)", "the field category: within the field title:", "close the group"},
		"a minus sign behind a field":     {"title:-a", "-a", "a - behind a field's colon", "-title:word"},
		"an operator behind a field":      {"title:AND", "AND", "AND is an operator", `write "AND"`},
		"a lone star":                     {"cloud *", "*", "a * that stands alone", "cloud*"},
		"a star in front":                 {"*cloud", "*cloud", "a * that is not at the end of a word", "list the other forms with OR"},
		"a star inside":                   {"clo*d", "*d", "a * that is not at the end of a word", "list the other forms with OR"},
		"two stars":                       {"cloud**", "*", "a * that stands alone", "cloud*"},
		"a star behind a sign":            {"c++*", "*", "a * that stands alone", "cloud*"},
		"a star behind quotes":            {`"a b"*`, "*", "a * behind a quote", "inside the quotes"},
		"a lone star in a phrase":         {`"data * law"`, `* law"`, "a * that stands alone", "cloud*"},
		"a star for a feed":               {"feed:*", "*", "a * that stands alone", "cloud*"},
		"a feed with a space":             {`feed:"a b"`, `"a b"`, `"a b" is not the id of a feed`, "feed:aws*"},
		"a language by name":              {"lang:english a", "english a", `"english" is not a language tag`, "lang:en finds en-GB too"},
		"a star for a language":           {"lang:en*", "en*", `"en*" is not a language tag`, "lang:en finds en-GB too"},
		"only a negation":                 {"NOT a", "NOT a", "this alone would match every item without a", "cloud NOT sport"},
		"only negations":                  {`-a NOT title:"b c"`, `-a NOT title:"b c"`, "would match every item without a", "what must occur"},
		"a negation beside OR":            {"a OR NOT (b c)", "NOT (b c)", "would match every item without b AND c", "within the same parentheses"},
		"a hidden negation":               {"NOT (a NOT b)", "NOT (a NOT b)", "would match every item without a AND NOT b", "what must occur"},
		"typographic quotes":              {"“data protection”", "“data protection”", "“ has no meaning", `write " in place of it`},
		"full-width parentheses":          {"（a", "（a", "（ has no meaning", "write ( in place of it"},
		"a full-width colon":              {"title：a", "：a", "： has no meaning", "write : in place of it"},
		"commas":                          {"cloud, aws", ", aws", ", has no meaning", "write OR or AND between the terms"},
		"a Chinese comma":                 {"云、网", "、网", "、 has no meaning", "write OR or AND between the terms"},
		"operators of other tools":        {"a || b", "|| b", "| has no meaning", "write OR"},
		"&& of other tools":               {"a && b", "&& b", "&& has no meaning", "write AND"},
		"a lone &":                        {"a & b", "& b", "& has no meaning", "write AND"},
		"! of other tools":                {"a !b", "!b", "! has no meaning", "write NOT"},
		"+ of other tools":                {"a +b", "+b", "a + in front of a word", "leave it out"},
		"brackets of later versions":      {"a [b", "[b", "[ has no meaning", "put it in quotes"},
		"named queries of later ones":     {"@a", "@a", "@ has no meaning", "put it in quotes"},
		"NEAR of later versions":          {"a NEAR/3 b", "NEAR/3 b", "NEAR/3 is reserved for a later version", `write "NEAR/3"`},
		"not UTF-8":                       {"ab \xff", "\xff", "the query is not UTF-8 text", "save the query as UTF-8"},
		"places are in bytes":             {"数据 OR", "OR", "OR has nothing behind it", "write a term behind it"},
		"too long":                        {strings.Repeat("a ", 33<<10), strings.Repeat("a ", 1<<10), "longer than 65536 bytes", "split the topic"},
		"too many terms":                  {strings.Repeat("a ", 4001), "a ", "more than 4000 terms", "split the topic"},
		"too deep":                        {strings.Repeat("(", 30000) + "a", strings.Repeat("(", 30000-60) + "a", "nested more than 60 deep", "leave out parentheses"},
		"too long a phrase":               {`"` + strings.Repeat("a ", 65) + `"`, `"` + strings.Repeat("a ", 65) + `"`, "more than 64 words", "shorten it"},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := topic.Parse(tc.query)
			var wrong *topic.SyntaxError
			if !errors.As(err, &wrong) {
				t.Fatalf("Parse(%.100q) = %v, %v, want a *SyntaxError", tc.query, q, err)
			}
			if want := len(tc.query) - len(tc.at); wrong.Offset() != want || !strings.HasSuffix(tc.query, tc.at) {
				t.Errorf("the error of %.100q is at %d, want %d", tc.query, wrong.Offset(), want)
			}
			if !strings.Contains(wrong.Text, tc.text) {
				t.Errorf("text %q, want %q in it", wrong.Text, tc.text)
			}
			if !strings.Contains(wrong.Mend, tc.mend) {
				t.Errorf("mend %q, want %q in it", wrong.Mend, tc.mend)
			}
			if want := wrong.Text + "; " + wrong.Mend; wrong.Error() != want {
				t.Errorf("error %q, want %q", wrong.Error(), want)
			}
		})
	}
}

// What docs/query-language.md shows in its indented blocks are queries.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/query-language.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for block := range strings.SplitSeq(string(page), "\n\n") {
		if !strings.HasPrefix(block, "    ") {
			continue
		}
		var query []string
		for text := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(text, "    #") {
				query = append(query, text)
			}
		}
		examples++
		if _, err := topic.Parse(strings.Join(query, "\n")); err != nil {
			t.Errorf("%s\n%v", block, err)
		}
	}
	if examples < 3 {
		t.Errorf("the page has %d examples, want 3 or more", examples)
	}
}

func FuzzParse(f *testing.F) {
	for _, query := range []string{
		`cloud OR "data protect*" -title:(a b) feed:aws* lang:pt-BR`, "a NOT (NOT b)", "C++ .NET AT&T l'école 5G", "((a)", "a:b",
		"数据保护 OR حماية NOT डेटा*", `"AND" OR NEAR/3`, "-a", "“a”", "a*'s category:x\u0301*",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := topic.Parse(query)
		var wrong *topic.SyntaxError
		switch {
		case errors.As(err, &wrong):
			if wrong.At < 0 || wrong.At > len(query) || wrong.Text == "" || wrong.Mend == "" {
				t.Errorf("Parse(%q): %+v", query, wrong)
			}
			return
		case err != nil:
			t.Fatalf("Parse(%q): %v is no *SyntaxError", query, err)
		}
		canonical := q.String()
		again, err := topic.Parse(canonical)
		if err != nil {
			if len(canonical) > 64<<10 {
				t.Skip("grown beyond the limit")
			}
			t.Fatalf("Parse(%q): %v", canonical, err)
		}
		if got := again.String(); got != canonical {
			t.Errorf("the canonical form of %q is %q, whose is %q", query, canonical, got)
		}
		item := item("cloud data protection", query)
		if q.Match(item) != again.Match(item) || q.Match(item) != (q.Explain(item) != nil) {
			t.Errorf("%q and %q differ on an item that contains the first", query, canonical)
		}
	})
}
