package topic_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

func TestLibrary(t *testing.T) {
	names := topic.NewLibrary(map[string]string{
		"regulators": "# who decides\nico OR cnil # and so on",
		"fines":      `(fine OR penalty) NEAR/5 @regulators`,
		"titled":     "title:x",
		"by-date":    "published:2026",
	})
	for query, want := range map[string]string{
		"@regulators gdpr":             "(ico OR cnil) AND gdpr",
		"gdpr -@regulators":            "gdpr AND NOT (ico OR cnil)",
		"a OR @regulators":             "a OR ico OR cnil",
		"@fines":                       "(fine OR penalty) NEAR/5 (ico OR cnil)",
		"title:@fines":                 "(title:fine OR title:penalty) NEAR/5 (title:ico OR title:cnil)",
		"title:(a OR -b @regulators)":  "title:a OR NOT title:b AND (title:ico OR title:cnil)",
		"2 of (@regulators, @fines,a)": "2 of (ico OR cnil, (fine OR penalty) NEAR/5 (ico OR cnil), a)",
		"feed:@regulators":             "feed:ico OR feed:cnil",
	} {
		q, err := names.Parse(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got := q.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
	for query, want := range map[string]struct{ at, text, named string }{
		"a @regulator":            {"@regulator", "no query has the name regulator; did you mean @regulators?", ""},
		"title:(a @titled)":       {"@titled)", "@titled cannot be within title:: the field title: within the field title:", ""},
		"a NEAR/3 (b OR @titled)": {"", "", ""},
		"a NEAR/3 @by-date":       {"@by-date", "published: has no place", ""},
		"NOT @regulators":         {"NOT @regulators", "would match every item without ico OR cnil", ""},
	} {
		_, err := names.Parse(query)
		checkSyntaxError(t, query, err, want.at, want.text, want.named)
	}
}

func checkSyntaxError(t *testing.T, query string, err error, at, text, named string) {
	t.Helper()
	var wrong *topic.SyntaxError
	switch {
	case at == "" && err == nil:
	case !errors.As(err, &wrong):
		t.Errorf("%s: %v, want a *SyntaxError", query, err)
	case wrong.At != len(query)-len(at) || !strings.Contains(wrong.Error(), text) || wrong.InNamed() != named:
		t.Errorf("%s: at %d, in %q: %v\nwant at %q, in %q: %s", query, wrong.At, wrong.Named, wrong, at, named, text)
	}
}

func TestLibraryErrors(t *testing.T) {
	queries := map[string]string{
		"good": "a OR b", "broken": "x OR", "refers": "a @broken", "unknown": "a @goods",
		"self": "a @self", "one": "x @two", "two": "y @three", "three": "@good z @two", "outside": "q @one",
	}
	names := topic.NewLibrary(queries)
	for name, want := range map[string]struct{ at, text, named string }{
		"good":    {},
		"broken":  {"OR", "OR has nothing behind it", ""},
		"refers":  {"@broken", "@broken, which this refers to, is wrong: OR has nothing behind it", "broken"},
		"unknown": {"@goods", "did you mean @good?", ""},
		"self":    {"@self", "@self leads back here: @self, @self", ""},
		"one":     {"@two", "@two, which this refers to, is wrong", "two"},
		"two":     {"@three", "@three leads back here: @two, @three, @two", ""},
		"three":   {"@two", "@two leads back here: @two, @three, @two", ""},
		"outside": {"@one", "@one, which this refers to, is wrong", "one"},
	} {
		checkSyntaxError(t, queries[name], names.Err(name), want.at, want.text, want.named)
	}
	if err := names.Err("none"); err != nil {
		t.Errorf("a query that is not there: %v", err)
	}
}

// Queries that refer to each other must not make a small config stand for an enormous query.
func TestLibraryIsBounded(t *testing.T) {
	queries := map[string]string{"q0": "a b c d"}
	for i := range 100 {
		queries[fmt.Sprintf("q%d", i+1)] = fmt.Sprintf("@q%d OR @q%[1]d OR @q%[1]d", i)
	}
	names := topic.NewLibrary(queries)
	if _, err := names.Parse("@q6"); err != nil {
		t.Errorf("2916 terms: %v", err)
	}
	_, err := names.Parse("x @q7")
	checkSyntaxError(t, "x @q7", err, "@q7", "is wrong: with @q6 the query has more than 4000 terms", "q7")
	deep := map[string]string{"d0": "a"}
	for i := range 70 {
		deep[fmt.Sprintf("d%d", i+1)] = fmt.Sprintf("b (c OR @d%d)", i)
	}
	err = topic.NewLibrary(deep).Err("d31")
	checkSyntaxError(t, deep["d31"], err, "@d30)", "with @d30 parentheses are nested more than 60 deep", "")
	long := map[string]string{"n1000": "a"} // as many as a config may have
	for i := range 1000 {
		long[fmt.Sprintf("n%d", i)] = fmt.Sprintf("@n%d", i+1)
	}
	names = topic.NewLibrary(long)
	if names.Err("n0") == nil || names.Err("n939") == nil {
		t.Error("a long chain of references is no error")
	}
	if err := names.Err("n940"); err != nil {
		t.Errorf("a chain of 60 references: %v", err)
	}
}

func TestRulesFollowNamedQueries(t *testing.T) {
	topics := []aggregator.Topic{{ID: "a", Query: "x @shared"}, {ID: "b", Query: "y"}}
	rules := func(queries map[string]string) aggregator.Hash {
		m, err := topic.NewLibrary(queries).NewMatcher(topics)
		if err != nil {
			t.Fatal(err)
		}
		return m.Rules()
	}
	before := rules(map[string]string{"shared": "c OR d", "other": "e"})
	if rules(map[string]string{"shared": "c OR # or else\n(d)", "other": "f"}) != before {
		t.Error("the rules change with a comment, or with a query that no topic refers to")
	}
	if rules(map[string]string{"shared": "c OR e", "other": "e"}) == before {
		t.Error("the rules stay when a query changes that a topic refers to")
	}
}
