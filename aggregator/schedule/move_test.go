package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

func TestMoved(t *testing.T) {
	const (
		oldURL = "https://old.example/feed"
		newURL = "https://new.example/feed"
		hour   = time.Hour
	)
	var (
		moved     = schedule.Sighting{Redirected: true, Target: newURL, Status: 200, Same: true}
		unchanged = schedule.Sighting{Redirected: true, Target: newURL, Status: 304, Same: true}
		elsewhere = schedule.Sighting{Redirected: true, Target: "https://other.example/feed", Status: 200, Same: true}
		temporary = schedule.Sighting{Redirected: true, Status: 200, Same: true}
		page      = schedule.Sighting{Redirected: true, Target: newURL, Status: 200}
		broken    = schedule.Sighting{Redirected: true, Target: newURL, Status: 503}
		missing   = schedule.Sighting{Redirected: true, Target: newURL, Status: 404}
		stayed    = schedule.Sighting{Status: 200, Same: true}
		silent    = schedule.Sighting{}
		failing   = schedule.Sighting{Status: 500}
		throttled = schedule.Sighting{Status: 429}
		notFound  = schedule.Sighting{Status: 404}
		gone      = schedule.Sighting{Status: 410}
		private   = schedule.Sighting{Redirected: true, Target: newURL, Status: 200, Same: true, Private: true}
		keyed     = schedule.Sighting{Redirected: true, Target: newURL, Status: 200, Same: true, Headers: true}
		to        = func(target string) schedule.Sighting {
			return schedule.Sighting{Redirected: true, Target: target, Status: 200, Same: true}
		}
	)
	type poll struct {
		after time.Duration // from the first
		schedule.Sighting
	}
	for name, c := range map[string]struct {
		from    string
		polls   []poll
		to      string // what the last poll decides
		refused string // what it says
	}{
		"on one answer never":                  {polls: []poll{{0, moved}}},
		"three polls over a day":               {polls: []poll{{0, moved}, {12 * hour, moved}, {24 * hour, moved}}, to: newURL},
		"304s count":                           {polls: []poll{{0, moved}, {12 * hour, unchanged}, {24 * hour, unchanged}}, to: newURL},
		"two polls over a week":                {polls: []poll{{0, moved}, {168 * hour, moved}}},
		"many polls within a day":              {polls: []poll{{0, moved}, {hour, moved}, {2 * hour, moved}, {3 * hour, moved}, {23 * hour, moved}}},
		"http to http":                         {from: "http://old.example/feed", polls: []poll{{0, moved}, {12 * hour, moved}, {24 * hour, moved}}, to: newURL},
		"another target starts anew":           {polls: []poll{{0, elsewhere}, {12 * hour, elsewhere}, {24 * hour, moved}}},
		"and needs its own day":                {polls: []poll{{0, elsewhere}, {1 * hour, moved}, {12 * hour, moved}, {24 * hour, moved}}},
		"a target that changes each time":      {polls: []poll{{0, to(newURL + "?1")}, {12 * hour, to(newURL + "?2")}, {24 * hour, to(newURL + "?3")}, {48 * hour, to(newURL + "?4")}}},
		"a temporary hop starts anew":          {polls: []poll{{0, moved}, {12 * hour, temporary}, {24 * hour, moved}, {36 * hour, moved}}},
		"temporary redirects never":            {polls: []poll{{0, temporary}, {24 * hour, temporary}, {48 * hour, temporary}, {72 * hour, temporary}}},
		"an answer from the old URL too":       {polls: []poll{{0, moved}, {12 * hour, stayed}, {24 * hour, moved}, {36 * hour, moved}}},
		"a server's error does not count":      {polls: []poll{{0, moved}, {12 * hour, broken}, {24 * hour, moved}}},
		"nor start anew":                       {polls: []poll{{0, moved}, {6 * hour, broken}, {12 * hour, silent}, {15 * hour, failing}, {16 * hour, throttled}, {18 * hour, moved}, {24 * hour, moved}}, to: newURL},
		"errors at the target are no move":     {polls: []poll{{0, broken}, {24 * hour, broken}, {48 * hour, broken}, {72 * hour, broken}}},
		"nor is a target that is not there":    {polls: []poll{{0, missing}, {24 * hour, missing}, {48 * hour, missing}, {72 * hour, missing}}},
		"the old URL is gone afterwards":       {polls: []poll{{0, moved}, {hour, gone}}, to: newURL},
		"or not found":                         {polls: []poll{{0, moved}, {hour, notFound}}, to: newURL},
		"not found without a move before":      {polls: []poll{{0, notFound}}},
		"not found after a temporary redirect": {polls: []poll{{0, temporary}, {hour, notFound}}},
		"not found, long after it came back":   {polls: []poll{{0, moved}, {hour, stayed}, {2 * hour, notFound}}},
		"a target with no such feed":           {polls: []poll{{0, page}, {12 * hour, page}, {24 * hour, page}, {48 * hour, page}}, refused: "anything in common"},
		"a target that stops being the feed":   {polls: []poll{{0, moved}, {12 * hour, page}, {24 * hour, moved}}},
		"a private target":                     {polls: []poll{{0, private}, {12 * hour, private}, {24 * hour, private}}, refused: "not public"},
		"with headers of its own never":        {polls: []poll{{0, keyed}, {12 * hour, keyed}, {24 * hour, keyed}}, refused: "which the feed's headers are not for"},
		"https to http":                        {polls: []poll{{0, to("http://new.example/feed")}, {12 * hour, to("http://new.example/feed")}, {24 * hour, to("http://new.example/feed")}}, refused: "not encrypted"},
		"credentials in the target":            {polls: []poll{{0, to("https://me:secret@new.example/")}, {12 * hour, to("https://me:secret@new.example/")}, {24 * hour, to("https://me:secret@new.example/")}}, refused: "https://new.example/ with a user name"},
		"credentials in the feed's URL":        {from: "https://me:secret@old.example/", polls: []poll{{0, moved}, {12 * hour, moved}, {24 * hour, moved}}, refused: "change the URL in the config"},
		"another scheme":                       {polls: []poll{{0, to("ftp://new.example/")}}, refused: "no http or https URL"},
		"no host":                              {polls: []poll{{0, to("https:///feed")}}, refused: "no http or https URL"},
		"no URL":                               {polls: []poll{{0, to("https://%zz/")}}, refused: "no http or https URL"},
		"a very long target":                   {polls: []poll{{0, to("https://new.example/" + strings.Repeat("a", 3000))}}, refused: "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				m aggregator.Move
				d schedule.MoveDecision
			)
			for i, p := range c.polls {
				p.At, p.URL = added.Add(p.after), oldURL
				if c.from != "" {
					p.URL = c.from
				}
				m, d = schedule.Moved(m, p.Sighting)
				if i < len(c.polls)-1 && d.To != "" {
					t.Fatalf("poll %d already moves it to %s", i, d.To)
				}
			}
			if d.To != c.to {
				t.Errorf("moves to %q, want %q", d.To, c.to)
			}
			if !strings.Contains(d.Refused, c.refused) || (d.Refused == "") != (c.refused == "") {
				t.Errorf("refused: %q, want %q", d.Refused, c.refused)
			}
			if strings.Contains(d.Refused, "secret") {
				t.Errorf("tells the password: %s", d.Refused)
			}
			if d.To != "" && m != (aggregator.Move{}) {
				t.Errorf("moved, and still remembers %+v", m)
			}
		})
	}
}
