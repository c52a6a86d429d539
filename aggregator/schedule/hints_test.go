package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/schedule"
)

// answered is when the answers of these tests came, by our clock; date when they were sent, by the publisher's, which is
// three minutes slow.
const (
	answered = "2026-03-02T10:20:00Z"
	date     = "Mon, 02 Mar 2026 10:17:00 GMT"
)

func TestReadHeaders(t *testing.T) {
	const silent = time.Duration(-1)
	for name, c := range map[string]struct {
		headers      schedule.Headers
		fresh, retry time.Duration // from when the answer came
	}{
		"nothing":                       {schedule.Headers{Date: date}, silent, silent},
		"max-age":                       {schedule.Headers{CacheControl: "public, max-age=600"}, 10 * time.Minute, silent},
		"less Age":                      {schedule.Headers{CacheControl: "max-age=600", Age: "240"}, 6 * time.Minute, silent},
		"Age used it up":                {schedule.Headers{CacheControl: "max-age=600", Age: "700"}, 0, silent},
		"an Age that is none":           {schedule.Headers{CacheControl: "max-age=600", Age: "-1"}, 10 * time.Minute, silent},
		"quoted, in odd case":           {schedule.Headers{CacheControl: ` MAX-AGE = "600" `}, 10 * time.Minute, silent},
		"the first of two":              {schedule.Headers{CacheControl: "max-age=600, max-age=6"}, 10 * time.Minute, silent},
		"inside a quoted string":        {schedule.Headers{CacheControl: `ext="a, no-store, \", max-age=5", max-age=600`}, 10 * time.Minute, silent},
		"a quote that never ends":       {schedule.Headers{CacheControl: `ext="a, max-age=600`}, silent, silent},
		"s-maxage is for shared ones":   {schedule.Headers{CacheControl: "s-maxage=600"}, silent, silent},
		"max-age of zero":               {schedule.Headers{CacheControl: "max-age=0"}, silent, silent},
		"zero hides Expires":            {schedule.Headers{CacheControl: "max-age=0", Expires: "Mon, 02 Mar 2026 11:17:00 GMT"}, silent, silent},
		"no-cache":                      {schedule.Headers{CacheControl: "no-cache, max-age=600"}, silent, silent},
		"no-store":                      {schedule.Headers{CacheControl: "max-age=600, No-Store"}, silent, silent},
		"no-cache for some fields":      {schedule.Headers{CacheControl: `no-cache="set-cookie", max-age=600`}, silent, silent},
		"a max-age that is no number":   {schedule.Headers{CacheControl: "max-age=soon"}, silent, silent},
		"beyond every number":           {schedule.Headers{CacheControl: "max-age=99999999999999999999"}, 10 * 365 * 24 * time.Hour, silent},
		"Expires by their clock":        {schedule.Headers{Expires: "Mon, 02 Mar 2026 11:17:00 GMT", Date: date}, time.Hour, silent},
		"Expires without Date":          {schedule.Headers{Expires: "Mon, 02 Mar 2026 11:20:00 GMT"}, time.Hour, silent},
		"Expires less Age":              {schedule.Headers{Expires: "Mon, 02 Mar 2026 11:17:00 GMT", Date: date, Age: "600"}, 50 * time.Minute, silent},
		"max-age before Expires":        {schedule.Headers{CacheControl: "max-age=600", Expires: "Mon, 02 Mar 2026 11:17:00 GMT", Date: date}, 10 * time.Minute, silent},
		"Expires that has passed":       {schedule.Headers{Expires: "Thu, 01 Jan 1970 00:00:00 GMT", Date: date}, silent, silent},
		"Expires of 0":                  {schedule.Headers{Expires: "0", Date: date}, silent, silent},
		"Retry-After in seconds":        {schedule.Headers{RetryAfter: " 120 "}, silent, 2 * time.Minute},
		"Retry-After of none":           {schedule.Headers{RetryAfter: "0"}, silent, silent},
		"Retry-After as a date":         {schedule.Headers{RetryAfter: "Mon, 02 Mar 2026 12:17:00 GMT", Date: date}, silent, 2 * time.Hour},
		"as an RFC 850 date":            {schedule.Headers{RetryAfter: "Monday, 02-Mar-26 12:17:00 GMT", Date: date}, silent, 2 * time.Hour},
		"as an asctime date":            {schedule.Headers{RetryAfter: "Mon Mar  2 12:17:00 2026", Date: date}, silent, 2 * time.Hour},
		"a date without a Date":         {schedule.Headers{RetryAfter: "Mon, 02 Mar 2026 12:20:00 GMT"}, silent, 2 * time.Hour},
		"a date that has passed":        {schedule.Headers{RetryAfter: "Mon, 02 Mar 2026 10:00:00 GMT", Date: date}, silent, silent},
		"a year's Retry-After, not cut": {schedule.Headers{RetryAfter: "31536000"}, silent, 365 * 24 * time.Hour},
		"not a time":                    {schedule.Headers{RetryAfter: "later"}, silent, silent},
	} {
		t.Run(name, func(t *testing.T) {
			now := at(t, answered)
			var want schedule.Asked
			if c.fresh != silent {
				want.FreshUntil = now.Add(c.fresh)
			}
			if c.retry != silent {
				want.RetryAfter = now.Add(c.retry)
			}
			if diff := cmp.Diff(want, schedule.ReadHeaders(c.headers, now)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", c.headers, diff)
			}
		})
	}
}

// hinted is the pace of a feed after an answer at the given time.
func hinted(now time.Time, h schedule.Headers, d schedule.Document) aggregator.Pace {
	return schedule.Learn(aggregator.Pace{}, schedule.Answer{At: now, OK: true, Status: 200, Headers: h, Document: &d})
}

func weekdays(days ...time.Weekday) []time.Weekday { return days }

func hours(from, to int) (out []int) {
	for h := from; h < to; h++ {
		out = append(out, h%24)
	}
	return out
}

func TestHintsDelayWithinTheSpec(t *testing.T) {
	const (
		hour = time.Hour
		day  = 24 * hour
	)
	for name, c := range map[string]struct {
		spec     string
		headers  schedule.Headers
		document schedule.Document
		bounds   schedule.Bounds
		// The wait from Monday 10:20 must be in [min, max].
		min, max time.Duration
	}{
		"no hints":                       {spec: "@every 1h", min: hour / 2, max: 3 * hour / 2},
		"never hasten":                   {spec: "@every 6h", headers: schedule.Headers{CacheControl: "max-age=60"}, min: 3 * hour, max: 9 * hour},
		"max-age is waited for":          {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=18000"}, min: 5 * hour, max: 6 * hour},
		"HTTP goes before the document":  {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=60"}, document: schedule.Document{TTL: 5 * hour}, min: hour / 2, max: 3 * hour / 2},
		"HTTP that leaves it open":       {spec: "@every 1h", headers: schedule.Headers{CacheControl: "no-cache"}, document: schedule.Document{TTL: 5 * hour}, min: 5 * hour, max: 6 * hour},
		"ttl":                            {spec: "@every 1h", document: schedule.Document{TTL: 5 * hour}, min: 5 * hour, max: 6 * hour},
		"sy:updatePeriod":                {spec: "@every 1h", document: schedule.Document{UpdatePeriod: 5 * hour}, min: 5 * hour, max: 6 * hour},
		"the later of the two":           {spec: "@every 1h", document: schedule.Document{TTL: 7 * hour, UpdatePeriod: 5 * hour}, min: 7 * hour, max: 8 * hour},
		"from updateBase":                {spec: "@every 1h", document: schedule.Document{UpdatePeriod: 12 * hour, UpdateBase: at(t, "2000-01-01T03:00:00Z")}, min: 4*hour + 40*time.Minute, max: 5*hour + 40*time.Minute},
		"an updateBase in the future":    {spec: "@every 1h", document: schedule.Document{UpdatePeriod: 5 * hour, UpdateBase: at(t, "2100-01-01T03:00:00Z")}, min: 5 * hour, max: 6 * hour},
		"an updateBase of antiquity":     {spec: "@every 1h", document: schedule.Document{UpdatePeriod: 5 * hour, UpdateBase: at(t, "0001-02-01T03:00:00Z")}, min: 5 * hour, max: 6 * hour},
		"a year's max-age is cut":        {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=31536000"}, min: day, max: day + hour},
		"at the operator's ceiling":      {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=31536000"}, bounds: schedule.Bounds{Ceiling: 3 * hour}, min: 3 * hour, max: 4 * hour},
		"a weekly ttl is cut":            {spec: "@every 1h", document: schedule.Document{TTL: 7 * day}, min: day, max: day + hour},
		"a ceiling does not hasten":      {spec: "@every 6h", headers: schedule.Headers{CacheControl: "max-age=86400"}, bounds: schedule.Bounds{Ceiling: hour}, min: 3 * hour, max: 9 * hour},
		"a hint of the spec's own beat":  {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=3600"}, min: hour, max: 2 * hour},
		"a floor":                        {spec: "@every 1h", bounds: schedule.Bounds{Floor: 4 * hour}, min: 4 * hour, max: 5 * hour},
		"a floor above the ceiling":      {spec: "@every 1h", bounds: schedule.Bounds{Floor: 4 * hour, Ceiling: hour}, min: 4 * hour, max: 5 * hour},
		"a floor for others":             {spec: "@every 1h", bounds: schedule.Bounds{FloorUnvalidated: 4 * hour}, min: hour / 2, max: 3 * hour / 2},
		"skipped hours":                  {spec: "@every 1h", document: schedule.Document{SkipHours: hours(10, 18)}, min: 7*hour + 40*time.Minute, max: 8*hour + 40*time.Minute},
		"skipped over midnight":          {spec: "@every 1h", document: schedule.Document{SkipHours: hours(10, 30)}, min: 19*hour + 40*time.Minute, max: 20*hour + 40*time.Minute},
		"every other hour":               {spec: "@every 1h", document: schedule.Document{SkipHours: []int{11, 13, 15, 17, 10}}, min: hour + 40*time.Minute, max: 2*hour + 40*time.Minute},
		"all hours skipped mean nothing": {spec: "@every 1h", document: schedule.Document{SkipHours: hours(0, 24)}, min: hour / 2, max: 3 * hour / 2},
		"hours that are none":            {spec: "@every 1h", document: schedule.Document{SkipHours: []int{-1, 24, 99}}, min: hour / 2, max: 3 * hour / 2},
		"a skipped day":                  {spec: "@every 1h", document: schedule.Document{SkipDays: weekdays(time.Monday)}, min: 13*hour + 40*time.Minute, max: 14*hour + 40*time.Minute},
		"several, once a day":            {spec: "@every 1h", document: schedule.Document{SkipDays: weekdays(time.Monday, time.Tuesday, time.Wednesday)}, min: day, max: day + hour},
		"unless the ceiling is higher":   {spec: "@every 1h", document: schedule.Document{SkipDays: weekdays(time.Monday, time.Tuesday, time.Wednesday)}, bounds: schedule.Bounds{Ceiling: 7 * day}, min: 2*day + 13*hour + 40*time.Minute, max: 2*day + 14*hour + 40*time.Minute},
		"all days skipped mean nothing":  {spec: "@every 1h", document: schedule.Document{SkipDays: weekdays(0, 1, 2, 3, 4, 5, 6)}, min: hour / 2, max: 3 * hour / 2},
		"fresh into a skipped hour":      {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=7200"}, document: schedule.Document{SkipHours: hours(12, 15)}, min: 4*hour + 40*time.Minute, max: 5*hour + 40*time.Minute},
		"an hour that is the spec's only one": {spec: "0 2 * * *", document: schedule.Document{SkipHours: []int{2}},
			min: 15*hour + 40*time.Minute, max: 2 * day},
		"Retry-After on top": {spec: "@every 1h", headers: schedule.Headers{CacheControl: "max-age=3600", RetryAfter: "18000"}, min: 5 * hour, max: 6 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			spec, now := parse(t, c.spec), at(t, answered)
			for i := range 50 {
				due := schedule.Due(spec, feedID(i), schedule.Outcome{
					Now: now, Status: 200, Pace: hinted(now, c.headers, c.document), Bounds: c.bounds,
				}, fixed(0))
				if wait := due.Sub(now); wait < c.min || wait > c.max {
					t.Errorf("%s waits %s, want %s to %s", feedID(i), wait, c.min, c.max)
				}
			}
		})
	}
}

func TestAHintAsLongAsTheSpecCostsNoInterval(t *testing.T) {
	// A poll ends some seconds after its firing; what is fresh for an hour from then would otherwise miss the next one
	// by those seconds each time, and an hourly feed would be polled every two hours.
	for _, text := range []string{"@every 1h", "0 * * * *"} {
		spec, now := parse(t, text), at(t, answered)
		polls := 0
		for end := now.Add(1000 * time.Hour); now.Before(end); polls++ {
			now = now.Add(4 * time.Second)
			fresh := now.Add(time.Hour)
			due := schedule.Due(spec, "f", schedule.Outcome{
				Now: now, Status: 200, Pace: hinted(now, schedule.Headers{CacheControl: "max-age=3600"}, schedule.Document{}),
			}, fixed(0))
			if due.Before(fresh) {
				t.Fatalf("%s: due at %s, fresh until %s", text, due, fresh)
			}
			now = due
		}
		if polls < 970 {
			t.Errorf("%s: %d polls in 1000 hours", text, polls)
		}
	}
}

func TestFloorOfAFeedWithoutValidators(t *testing.T) {
	now := at(t, answered)
	o := schedule.Outcome{Now: now, Status: 200, Unvalidated: true, Bounds: schedule.Bounds{Floor: time.Hour, FloorUnvalidated: 24 * time.Hour}}
	due := schedule.Due(parse(t, "@every 1h"), "f", o, fixed(0))
	if wait := due.Sub(now); wait < 24*time.Hour || wait > 25*time.Hour {
		t.Errorf("waits %s", wait)
	}
}

func TestWhatADocumentSaidHoldsUntilTheNext(t *testing.T) {
	now := at(t, answered)
	pace := hinted(now, schedule.Headers{CacheControl: "max-age=60"}, schedule.Document{TTL: 5 * time.Hour})
	due := func(pace aggregator.Pace) time.Duration {
		return schedule.Due(parse(t, "@every 1h"), "f", schedule.Outcome{Now: now, Pace: pace}, fixed(0)).Sub(now)
	}
	notModified := schedule.Learn(pace, schedule.Answer{At: now, Previous: now.Add(-time.Hour), OK: true, Status: 304})
	if wait := due(notModified); wait < 5*time.Hour {
		t.Errorf("after a 304 without headers it waits %s, want the ttl's 5h", wait)
	}
	other := schedule.Learn(pace, schedule.Answer{At: now, Previous: now.Add(-time.Hour), OK: true, Status: 200, Document: &schedule.Document{}})
	if wait := due(other); wait > 2*time.Hour {
		t.Errorf("after a document without ttl it waits %s", wait)
	}
	refused := schedule.Learn(pace, schedule.Answer{At: now, Status: 429, Headers: schedule.Headers{CacheControl: "max-age=43200"}})
	if wait := due(refused); wait < 12*time.Hour {
		t.Errorf("after a 429 that is fresh for 12h it waits %s", wait)
	}
}

func FuzzReadHeaders(f *testing.F) {
	f.Add("public, max-age=600", "240", "Mon, 02 Mar 2026 11:17:00 GMT", date, "120", int64(0), int64(0), uint32(0), uint8(0))
	f.Add(`ext="a, no-store, \", max-age=5", max-age=600`, "-1", "0", "", "Monday, 02-Mar-26 12:17:00 GMT", int64(3600), int64(86400), uint32(1), uint8(3))
	f.Add("max-age=99999999999999999999", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 0001 00:00:00 GMT", "9223372036854775807", int64(1)<<62, int64(1), uint32(1<<24-1), uint8(127))
	f.Fuzz(func(t *testing.T, cache, age, expires, date, retry string, ttl, period int64, hours uint32, days uint8) {
		now := at(t, answered)
		h := schedule.Headers{CacheControl: cache, Age: age, Expires: expires, Date: date, RetryAfter: retry}
		asked := schedule.ReadHeaders(h, now)
		limit := now.AddDate(10, 0, 1)
		if !asked.FreshUntil.IsZero() && (asked.FreshUntil.Before(now) || asked.FreshUntil.After(limit)) {
			t.Fatalf("%+v is fresh until %s", h, asked.FreshUntil)
		}
		if !asked.RetryAfter.IsZero() && (!asked.RetryAfter.After(now) || asked.RetryAfter.After(limit)) {
			t.Fatalf("%+v asks to wait until %s", h, asked.RetryAfter)
		}
		d := schedule.Document{TTL: time.Duration(ttl), UpdatePeriod: time.Duration(period), UpdateBase: time.Unix(period, ttl)}
		for hour := range 32 {
			if hours&(1<<hour) != 0 {
				d.SkipHours = append(d.SkipHours, hour-4)
			}
		}
		for day := range 8 {
			if days&(1<<day) != 0 {
				d.SkipDays = append(d.SkipDays, time.Weekday(day))
			}
		}
		for _, text := range []string{"@every 1h", "30 2 * * *", "@adaptive"} {
			due := schedule.Due(parse(t, text), "f", schedule.Outcome{Now: now, Status: 200, Pace: hinted(now, h, d)}, fixed(0))
			// A day's ceiling and a day to the next firing; Retry-After has its own ceiling.
			if due.Before(now) || due.Sub(now) > 8*24*time.Hour+time.Hour {
				t.Fatalf("%s: %+v and %+v make it due at %s", text, h, d, due)
			}
		}
	})
}
