package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// press is a feed whose stories are about different things in different words.
const press = `<rss version="2.0"><channel><title>Press</title>
<item><guid>1</guid><title>Regulator fines Nimbus over data&#27;[31m leak</title><link>https://press.example/fine</link>
<description>The privacy watchdog ICO fined the cloud provider on Monday.</description><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>
<item><guid>2</guid><title>Clouds over Karachi</title><link>https://weather.press.example/karachi</link>
<description>It will rain.</description><pubDate>Wed, 04 Mar 2026 10:00:00 GMT</pubDate></item>
<item><guid>3</guid><title>CNIL on cloud contracts</title><link>https://press.example/cnil</link>
<pubDate>Fri, 06 Mar 2026 10:00:00 GMT</pubDate></item></channel></rss>`

func pressDir(t *testing.T) string {
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, press) }))
	dir := workdir(t, fmt.Sprintf(`
listen: 127.0.0.1:0
fetch: {allow_private: true}
feeds: [{id: press, url: %q, topics: [all-press]}]
queries: {regulators: ico OR cnil}
topics:
  - {id: cloud-rules, query: 'cloud NEAR/9 @regulators'}
  - {id: fines, query: fine*}
  - {id: all-press, query: zzz}
`, origin.URL))
	must(t, dir, "fetch", "-q")
	return dir
}

func TestTopicsTestAndExplain(t *testing.T) {
	dir := pressDir(t)
	writeFile(t, filepath.Join(dir, "query.txt"), "\ufeff# who decides\n@regulators\n  cloud* -host:weather.press.example\n")
	for _, withDaemon := range []bool{false, true} {
		t.Run(fmt.Sprint("daemon=", withDaemon), func(t *testing.T) {
			if withDaemon {
				d := start(t, dir, "serve")
				defer d.stop(t)
				if page := get(t, d.url+"/all?q=%40regulators+NEAR%2F9+%7Een%3Afining"); !strings.Contains(page, "1 story found") || !strings.Contains(page, "Regulator fines") {
					t.Errorf("a search by a named query gives\n%s", page)
				}
			}
			out := must(t, dir, "topics", "test", "query.txt")
			for _, want := range []string{
				"(ico OR cnil) AND cloud* AND NOT host:weather.press.example\nmatches 2 of 3 items\n",
				"\n2026-03-02  1  ##########", "\n2026-03-03  0\n2026-03-04  0\n2026-03-05  0\n2026-03-06  1  #",
				"2026-03-06  press  [CNIL] on [cloud] contracts", "2026-03-02  press  Regulator fines Nimbus over data[31m leak",
				"text: The privacy watchdog [ICO] fined the cloud provider on Monday.",
			} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			var report struct {
				Matched   int
				Histogram struct {
					Unit string
					Bars []struct {
						Start string
						Items int
					}
				}
				Latest []struct {
					ID   string
					Hits []struct {
						Term, Field, Words, Before, After string
						Offset                            int
					}
				}
			}
			if err := json.Unmarshal([]byte(must(t, dir, "topics", "test", "published:2026-03-01..2026-03-03 fine*", "--json")), &report); err != nil {
				t.Fatal(err)
			}
			hits := report.Latest[0].Hits
			if report.Matched != 1 || report.Histogram.Unit != "day" || len(hits) != 3 || hits[1].Term != "fine*" || hits[1].Words != "fines" ||
				hits[1].Offset != 10 || hits[1].Before != "Regulator " || hits[2].Field != "text" || hits[2].After != " the cloud provider on Monday." {
				t.Errorf("topics test --json: %+v", report)
			}
			checkExplain(t, dir, report.Latest[0].ID)
		})
	}
	for query, want := range map[string]string{
		"a @regulator":     "query:1:3: no query has the name regulator; did you mean @regulators?",
		"(x\n  NEAR/200 b": "query:2:8: the distance 200 is not from 1 to 100; the next word is at 1\n      NEAR/200 b\n           ^",
	} {
		if r := topicwire(t, dir, "topics", "test", query); r.code != 2 || !strings.Contains(r.stderr, want) {
			t.Errorf("topics test %q: exit code %d: %s\nwant %s", query, r.code, r.stderr, want)
		}
	}
	if r := topicwire(t, dir, "topics", "explain", "https://press.example/none"); r.code != 2 || !strings.Contains(r.stderr, "no item has the id or link") {
		t.Errorf("topics explain of nothing: exit code %d: %s", r.code, r.stderr)
	}
}

func checkExplain(t *testing.T, dir, id string) {
	t.Helper()
	out := must(t, dir, "topics", "explain", id)
	for _, want := range []string{
		"item " + id + " of feed press, published 2026-03-02T10:00:00Z",
		"\ncloud-rules: its query matches\n  cloud  at text 35: The privacy watchdog ICO fined the [cloud] provider on Monday.\n  ico  at text 21: The privacy watchdog [ICO] fined",
		"\nfines: its query matches\n  fine*  at title 10: Regulator [fines] Nimbus", "\nall-press: the feed puts all its items there\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("topics explain: %q is not in\n%s", want, out)
		}
	}
	var report struct {
		Title  string
		Topics []struct {
			ID                     string
			Filed, Forced, Matched bool
			Hits                   []struct{ Term string }
		}
	}
	if err := json.Unmarshal([]byte(must(t, dir, "topics", "explain", "https://weather.press.example/karachi", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(report); got != "{Clouds over Karachi [{all-press true true false []}]}" {
		t.Errorf("topics explain --json: %s", got)
	}
}

func TestTopicsTestWithLabels(t *testing.T) {
	dir := workdir(t, `
queries: {regulators: ico OR cnil}
topics: [{id: rules, query: '@regulators fine*', feeds: [f]}, {id: weather, query: 'title:clouds'}]
feeds: [{id: f, url: 'https://press.example/'}]
`)
	writeFile(t, filepath.Join(dir, "labels.jsonl"), `{"title": "ICO fines Nimbus", "text": "", "language": "en", "topics": ["rules"]}
{"title": "A fine day for the ICO", "topics": ["weather"]}
{"title": "A clear sky", "topics": ["weather"]}
{"title": "Clouds", "topics": ["weather", "other"]}
`)
	r := topicwire(t, dir, "topics", "test", "--labels", "labels.jsonl")
	for _, want := range []string{
		"4 labelled items", "0.500   1.000  0.667         1      1      1       0  rules", "1.000   0.333  0.500         3      1      0       2  weather",
		"rules wrong: A fine day for the ICO (ICO, fine)", "weather missed: A clear sky",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is not in\n%s", want, r.stdout)
		}
	}
	if r.code != 0 || !strings.Contains(r.stderr, "items are labelled other, which is no topic of the config") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	var report struct {
		Items  int
		Topics []struct {
			Topic string
			F1    float64
		}
		Mistakes []struct{ Title string }
	}
	out := must(t, dir, "topics", "test", "clouds OR sky", "--topic", "weather", "--labels", "labels.jsonl", "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || fmt.Sprint(report) != "{4 [{weather 0.8}] [{A fine day for the ICO}]}" {
		t.Errorf("%v: %v", err, report)
	}
	for _, tc := range []struct{ want, query, topic string }{
		{"Say so by --topic; the file has other, rules, weather", "a", ""}, {`no item is labelled "none"`, "a", "none"}, {"query:1:3: OR has nothing behind it", "a OR", "rules"},
	} {
		args := []string{"topics", "test", tc.query, "--labels", "labels.jsonl"}
		if tc.topic != "" {
			args = append(args, "--topic", tc.topic)
		}
		if r := topicwire(t, dir, args...); r.code != 2 || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%q: exit code %d: %s\nwant %s", tc.query, r.code, r.stderr, tc.want)
		}
	}
	writeFile(t, filepath.Join(dir, "labels.jsonl"), "{}\n")
	if r := topicwire(t, dir, "topics", "test", "--labels", "labels.jsonl"); r.code != 2 || !strings.Contains(r.stderr, "labels.jsonl: read line 1: no topics") {
		t.Errorf("a bad file: exit code %d: %s", r.code, r.stderr)
	}
}
