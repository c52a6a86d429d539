package topic_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
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
		"operators in quotes are words":        {`a "AND" "NEAR" "@b" "# c"`, `a AND "AND" AND "NEAR" AND "@b" AND "# c"`},
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
		"NEAR":                                 {`a NEAR/3 "b c" d`, `a NEAR/3 "b c" AND d`},
		"NEAR binds tighter than NOT":          {"a -b NEAR/3 c", "a AND NOT b NEAR/3 c"},
		"a chain of NEARs":                     {"a NEAR/3 b NEAR/04 c", "a NEAR/3 b NEAR/4 c"},
		"groups at NEAR":                       {"(a OR b) NEAR/3 (c NEAR/2 d)", "(a OR b) NEAR/3 (c NEAR/2 d)"},
		"NEAR in a field":                      {"title:(a NEAR/3 b)", "title:a NEAR/3 title:b"},
		"small letters are words, near too":    {`near/3 "NEAR/3"`, `"near/3" AND "NEAR/3"`},
		"a number of a list":                   {"2 of (a, b OR c, d e, (f))", "2 of (a, b OR c, d AND e, f)"},
		"a list in a list and in a field":      {"title:2 OF (a, 1 of (b,c), d)", "2 of (title:a, 1 of (title:b, title:c), title:d)"},
		"a list of one":                        {"1 of (a b)", "a AND b"},
		"of without a list":                    {"2 of a 3 (b) of", "2 AND of AND a AND 3 AND b AND of"},
		"of in quotes":                         {`2 "of" (a)`, "2 AND of AND a"},
		"a comma in a list's phrase":           {`2 of ("a,b", c,d)`, `2 of ("a,b", c, d)`},
		"stars in words":                       {`colo*r *ware "data* *ware" a*bcd*`, `colo*r AND *ware AND "data* *ware" AND a*bcd*`},
		"URLs, with their signs":               {"url:http://example.org/x?y=~1 url:blog*", `url:"http://example.org/x?y=~1" AND url:blog*`},
		"hosts":                                {"host:Example.ORG. host:10.0.0.1", "host:Example.ORG. AND host:10.0.0.1"},
		"authors":                              {`author:("Jane Doe" OR doe*)`, `author:"Jane Doe" OR author:doe*`},
		"periods":                              {`published:2026-01..2026-06 OR published:>=2026-01-31 OR published:"..2025"`, "published:2026-01..2026-06 OR published:>=2026-01-31 OR published:..2025"},
		"stems":                                {`~cloud ~fr:"data law" title:~x ~title:y ~de:(a OR ~b -feed:c)`, `~cloud AND ~fr:"data law" AND ~title:x AND ~title:y AND (~de:a OR ~b AND NOT feed:c)`},
		"stems of lists and NEAR":              {"~2 of (a, b) ~en:a NEAR/3 b -~c", "2 of (~a, ~b) AND ~en:a NEAR/3 b AND NOT ~c"},
		"comments":                             {"# all\na # x ( \"\n## y\n#\nOR b # c\nOR #d #", `a OR b OR "#d"`},
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

func TestOneLine(t *testing.T) {
	for query, want := range map[string]string{
		"# all\n a OR # x\n\t(b\nNEAR/3  \"c  d\" )-title:e 2  of (f,\n g) # y": `a OR (b NEAR/3 "c d")-title:e 2 of (f, g)`,
		"@a\n#b":    "@a #b",
		"a\nOR (b,": "a\nOR (b,",
	} {
		if got := topic.OneLine(query); got != want {
			t.Errorf("%q on one line: %q, want %q", query, got, want)
		}
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
		"a field that is none":            {"section:b", "section:b", "there is no field section:", "the fields are title:, category:, author:, url:, host:, feed:, lang:, published:"},
		"a name with a colon":             {"re:Invent", "re:Invent", "there is no field re:", "to search for the words, put them in quotes"},
		"a field with nothing":            {"title: a", "title: a", "nothing directly behind title:", "title:(a OR b)"},
		"a field at the end of all":       {"a title:", "title:", "nothing directly behind title:", "title:word"},
		"a field at the end":              {"(a title:)", "title:)", "nothing directly behind title:", "title:word"},
		"a field of a field":              {"title:category:a", "category:a", "a field within a field", "title:a AND category:b"},
		"a field in a field's group":      {"title:(a category:b)", "category:b)", "the field category: within the field title:", "close the group"},
		"a minus sign behind a field":     {"title:-a", "-a", "a - behind a field's colon", "-title:word"},
		"an operator behind a field":      {"title:AND", "AND", "AND is an operator", `write "AND"`},
		"a lone star":                     {"cloud *", "*", "a * that stands alone", "cloud*"},
		"a star in front of too little":   {"cloud *ab", "*ab", "leaves too little of a word", "three letters side by side"},
		"a star inside too little":        {`"the cl*ud law"`, `*ud law"`, "leaves too little of a word", "such as *ware"},
		"stars around too little":         {"k*ab*cd", "*ab*cd", "leaves too little of a word", "three letters"},
		"too little of a Korean word":     {"*보", "*보", "leaves too little of a word", "three letters"},
		"a star inside Chinese":           {"数据*保护", "*保护", "between letters that are never one word", "found inside longer runs"},
		"a star in front of Thai":         {"*ข้อมูล", "*ข้อมูล", "never one word", "leave it out"},
		"a star between scripts":          {"한국* AI*를", "*를", "never one word", "leave it out"},
		"two stars inside":                {"clo**ud", "*ud", "a * beside another", "write one"},
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
		"@ inside a word":                 {"a@b", "@b", "@ has no meaning", "the name of a query begins with it; to search for the word as it is, put it in quotes"},
		"an unknown named query":          {"a @b", "@b", "no query has the name b", "under queries: in the config"},
		"a name with other letters":       {"a @bÉc", "Éc", "@bÉc names no query", "such as @regulators"},
		"a name without letters":          {"a @ b", " b", "@ names no query", "such as @regulators"},
		"a quote behind a name":           {`a @b"c"`, `"c"`, "a quote directly behind @b", "put a space in front of it"},
		"NEAR without a distance":         {"a NEAR b", "NEAR b", "NEAR has no number behind a /", "write NEAR/5"},
		"NEAR with words for a number":    {"a NEAR/five b", "NEAR/five b", "NEAR/five has no number", "write NEAR/5"},
		"NEAR of nothing":                 {"a NEAR/0 b", "0 b", "the distance 0 is not from 1 to 100", "the next word is at 1"},
		"NEAR of too much":                {"a NEAR/101 b", "101 b", "the distance 101 is not from 1 to 100", "the next word"},
		"NEAR in front":                   {"NEAR/3 b", "NEAR/3 b", "NEAR/3 has nothing in front of it", `write "NEAR/3"`},
		"NEAR behind":                     {"a NEAR/3", "NEAR/3", "NEAR/3 has nothing behind it", "write a term behind it"},
		"NEAR of an operator":             {"a NEAR/3 NOT b", "NOT b", "NOT directly behind NEAR/3", "leave one out"},
		"NEAR behind a field":             {"title:NEAR/3", "NEAR/3", "NEAR/3 is an operator", `write "NEAR/3"`},
		"NEAR of AND":                     {"a NEAR/3 (b OR (c d))", "(c d))", "AND has no place that NEAR/3 could count words from", "joined by OR or NEAR"},
		"NEAR of NOT":                     {"(a NOT b) NEAR/3 c", "a NOT b) NEAR/3 c", "AND has no place", "joined by OR or NEAR"},
		"NEAR of a feed":                  {"a NEAR/3 feed:b", "b", "feed: has no place", "joined by OR or NEAR"},
		"NEAR of a list":                  {"a NEAR/3 2 of (b, c)", "2 of (b, c)", "n of (...) has no place", "joined by OR or NEAR"},
		"too many NEARs":                  {"a" + strings.Repeat(" NEAR/3 a", 17), "NEAR/3 a", "more than 16 NEARs are joined", "join shorter ones by AND"},
		"none of a list":                  {"0 of (a, b)", "0 of (a, b)", "0 of is always true", "2 of (a, b, c)"},
		"more than a list has":            {"x 3 of (a, b)", "3 of (a, b)", "3 of a list of 2 can never be", "write a smaller number"},
		"a list without commas":           {"x 3 of (a b c)", "3 of (a b c)", "3 of a list of 1 can never be", `write "3 of"`},
		"a list with a hole":              {"2 of (a, , b)", ", b)", "a comma with nothing on one side", "on both sides"},
		"a list that begins with a comma": {"2 of (, a, b)", ", a, b)", "a comma with nothing on one side", "on both sides"},
		"a list that ends with a comma":   {"2 of (a, b,)", ",)", "a comma with nothing on one side", "on both sides"},
		"a list that is not closed":       {"2 of (a, b", "(a, b", "the ( is not closed", "write ) behind the list"},
		"a comma in a list's group":       {"2 of ((a, b), c)", ", b), c)", ", has no meaning", "write OR or AND"},
		"a group in a list, open":         {"2 of (a, (b, c)", ", c)", ", has no meaning", "write OR or AND"},
		"a list of what must not occur":   {"2 of (a, -b, -c)", "-b, -c)", "would match every item without b", "what must occur"},
		"the negation of a list":          {"a OR -2 of (b, c)", "-2 of (b, c)", "would match every item without 2 of (b, c)", "what must occur"},
		"a host with a path":              {"host:example.org/x", "example.org/x", "is not the name of a host", "write its name alone"},
		"a host with a star":              {"host:*.example.org", "*.example.org", "is not the name of a host", "finds news.example.org too"},
		"a host with a hole":              {"host:example..org", "example..org", "is not the name of a host", "write its name alone"},
		"a host in other letters":         {"host:büro.de", "büro.de", "is not the name of a host", "xn--"},
		"a date in another order":         {"published:31.01.2026", "31.01.2026", "is no period", "2026-01-31"},
		"a date that is none":             {"published:2026-02-30", "2026-02-30", "is no period", "2026-01-31"},
		"a range that ends too early":     {"published:2026-06..2026-05", "2026-06..2026-05", "ends before it begins", "2026-01..2026-06"},
		"a range without an end":          {"a published:..", "..", "is no period", "2026-01..2026-06"},
		"a comparison of another kind":    {"published:=>2026", "=>2026", "is no period", "one of >= > <= <"},
		"a comparison of a range":         {"published:>2026..2027", ">2026..2027", "is no period", "one of >= > <= <"},
		"a field with a comment":          {"title:# x\na", "title:# x\na", "nothing directly behind title:", "title:word"},
		"~ inside a word":                 {"a~2", "~2", "~ has no meaning", "a ~ stands in front of a word"},
		"~ behind a quote":                {`"a b"~5`, "~5", `a ~ directly behind "a b"`, "write a NEAR/5 b"},
		"~ alone":                         {"a ~ b", "~ b", "a ~ that stands alone", "~regulate"},
		"~ at the end":                    {"(a ~)", "~)", "a ~ that stands alone", "~regulate"},
		"~ of an operator":                {"~AND b", "AND b", "AND directly behind ~", "leave one out"},
		"two ~":                           {"~~a", "~a", "a ~ directly behind ~", "write it once"},
		"a language that has no stems":    {"a ~hi:b", "hi:b", "words cannot be stemmed in the language hi", "the languages are ar, da, de, en,"},
		"nothing but a comment":           {"# x", "# x", "the query is empty", "write what the topic is about"},
		"behind a comment":                {"a # b (\nOR", "OR", "OR has nothing behind it", "write a term behind it"},
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

// What docs/query-language.md shows in its indented blocks and in the left of its table are queries.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/query-language.md")
	if err != nil {
		t.Fatal(err)
	}
	names := topic.NewLibrary(map[string]string{"regulators": "a", "big-tech": "b"})
	examples := 0
	for block := range strings.SplitSeq(string(page), "\n\n") {
		if !strings.HasPrefix(block, "    ") {
			continue
		}
		if strings.HasPrefix(block, "    queries:") {
			continue // of a config
		}
		examples++
		if _, err := names.Parse(block); err != nil {
			t.Errorf("%s\n%v", block, err)
		}
	}
	for line := range strings.Lines(string(page)) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		for i, query := range strings.Split(cell, "`") {
			if i%2 == 0 {
				continue // around the examples
			}
			examples++
			if _, err := names.Parse(query); err != nil {
				t.Errorf("%s: %v", query, err)
			}
		}
	}
	if examples < 30 {
		t.Errorf("the page has %d examples, want 30 or more", examples)
	}
}

func FuzzParse(f *testing.F) {
	for _, query := range []string{
		`cloud OR "data protect*" -title:(a b) feed:aws* lang:pt-BR`, "a NOT (NOT b)", "C++ .NET AT&T l'école 5G", "((a)", "a:b",
		"数据保护 OR حماية NOT डेटा*", `"AND" OR NEAR/3`, "-a", "“a”", "a*'s category:x\u0301*",
		`data NEAR/3 (protection OR "b c" NEAR/2 law) NEAR/9 cloud`, "2 of (cloud, data NOT x, (a OR b), 1 of (c,d))", "clo*d *tion *tect*n개*보호 a*\u0301b",
		"url:example.org/a?b=c author:\"j d\" host:example.org", "published:2026-01..2026-06 OR published:<=2026 # x\nOR cloud", "@regulators -@both title:@regulators",
		"~cloud ~en:\"protecting data\" ~(a OR @both) title:~clouds", "~x~y ~ ~fr:@regulators",
	} {
		f.Add(query)
	}
	names := topic.NewLibrary(map[string]string{"regulators": `ico OR "data protection" NEAR/3 cloud`, "both": "@regulators title:cloud", "wrong": "@wrong"})
	f.Fuzz(func(t *testing.T, query string) {
		q, err := names.Parse(query)
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
		m, err := names.NewMatcher([]aggregator.Topic{{ID: "t", Query: query}})
		if err != nil {
			t.Fatalf("NewMatcher(%q): %v", query, err)
		}
		if q.Match(item) != (m.Match(item) != nil) {
			t.Errorf("%q by itself and in a matcher differ on an item that contains it", query)
		}
	})
}
