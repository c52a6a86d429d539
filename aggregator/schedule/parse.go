package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

const (
	// maxSpec is more than any spec needs, in bytes.
	maxSpec = 256
	// The bounds of @every.
	minEvery = time.Second
	maxEvery = 366 * 24 * time.Hour
	// The bounds of @adaptive where it names none, and the floor then of a feed without validators.
	adaptiveFloor    = 10 * time.Minute
	adaptiveCeiling  = 24 * time.Hour
	floorUnvalidated = time.Hour
	// The bounds of its bounds: nothing is learnt of what happens within a minute or beyond a month.
	minFloor   = time.Minute
	maxCeiling = 31 * 24 * time.Hour
)

// descriptors are the names that stand for a spec, but for @every and @adaptive.
var descriptors = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}

// fields are those of a cron line, with the greatest value of each and how to mend what is often got wrong.
var fields = []struct {
	name  string
	count int
	hint  string
}{
	{"minute", 60, "minutes are 0-59"},
	{"hour", 24, "hours are 0-23"},
	{"day of month", 31, "days are 1-31"},
	{"month", 12, "months are 1-12 or jan-dec"},
	{"day of week", 7, "days are 0-6 or sun-sat, and Sunday is 0"},
}

// parser reads everything but time zones, which Parse sees to: the library's own reading of them panics on "TZ=" without
// a space after it.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Parse reads a spec: five fields, a descriptor, @every or @adaptive, with an optional CRON_TZ= or TZ= in front. An error
// says what is wrong with the spec and how to mend it. A spec that never fires is an error.
func Parse(spec string) (Spec, error) { return parseIn(spec, time.UTC) }

// parseIn reads a spec whose times are in zone unless it names another.
func parseIn(spec string, zone *time.Location) (Spec, error) {
	if len(spec) > maxSpec {
		return Spec{}, fmt.Errorf("schedule of %d bytes: at most %d make sense", len(spec), maxSpec)
	}
	words := strings.Fields(spec)
	s := Spec{text: strings.Join(words, " "), zone: zone, gaps: new(gaps)}
	fail := func(err error) (Spec, error) { return Spec{}, fmt.Errorf("schedule %q: %w", s.text, err) }
	if len(words) > 0 {
		if name, ok := cutZone(words[0]); ok {
			loc, err := loadZone(name)
			if err != nil {
				return fail(err)
			}
			s.zone, words = loc, words[1:]
		}
	}
	var err error
	switch {
	case len(words) == 0:
		err = errors.New(`empty: write five fields ("*/30 * * * *"), @hourly, "@every 30m" or @adaptive`)
	case words[0] == "@every":
		s.every, err = parseEvery(words[1:])
	case words[0] == "@adaptive":
		s.floor, s.ceiling, err = parseAdaptive(words[1:])
		s.bounded = len(words) > 1
	case strings.HasPrefix(words[0], "@"):
		s.nominal, err = parseDescriptor(words)
	default:
		s.nominal, err = parseFields(words)
	}
	if err != nil {
		return fail(err)
	}
	// Any year that begins a leap year's cycle will do; the clock must not decide what is valid.
	if s.nominal != nil && s.nominal.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, s.zone)).IsZero() {
		return fail(errors.New("never comes: no month that is named has the day that is named"))
	}
	return s, nil
}

func cutZone(word string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(word, "CRON_TZ="); !ok {
		name, ok = strings.CutPrefix(word, "TZ=")
	}
	return name, ok
}

func loadZone(name string) (*time.Location, error) {
	if name == "" {
		return nil, errors.New("CRON_TZ= names no time zone: write one such as CRON_TZ=Europe/Berlin")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q: use a name such as Asia/Karachi or UTC (and see that the machine "+
			"has time zone data; Debian: tzdata)", name)
	}
	return loc, nil
}

func parseEvery(words []string) (time.Duration, error) {
	if len(words) != 1 {
		return 0, errors.New(`@every takes one duration without spaces: write it like "@every 1h30m"`)
	}
	d, err := parseDuration(words[0], "@every ")
	switch {
	case err != nil:
		return 0, err
	case d < minEvery:
		return 0, fmt.Errorf("%s is too short: the shortest is 1s, and publishers expect 30m or more", d)
	case d > maxEvery:
		return 0, fmt.Errorf("%s is too long: the longest is a year", d)
	}
	return d, nil
}

// parseAdaptive reads what follows @adaptive: nothing, or the least and the greatest distance.
func parseAdaptive(words []string) (floor, ceiling time.Duration, err error) {
	if len(words) == 0 {
		return adaptiveFloor, adaptiveCeiling, nil
	}
	if len(words) != 2 {
		return 0, 0, errors.New(`@adaptive takes no bounds or two: write "@adaptive" or "@adaptive 10m 24h"`)
	}
	if floor, err = parseDuration(words[0], ""); err != nil {
		return 0, 0, err
	}
	if ceiling, err = parseDuration(words[1], ""); err != nil {
		return 0, 0, err
	}
	switch {
	case floor < minFloor:
		return 0, 0, fmt.Errorf("%s is too short for the least distance: the shortest is 1m, and 10m is what large papers need", floor)
	case ceiling > maxCeiling:
		return 0, 0, fmt.Errorf("%s is too long for the greatest distance: the longest is 744h, a month", ceiling)
	case floor > ceiling:
		return 0, 0, fmt.Errorf(`the least distance comes first: write "@adaptive %s %s"`, words[1], words[0])
	}
	return floor, ceiling, nil
}

// parseDuration reads a duration in whole seconds. Errors show how to write it, after the given word.
func parseDuration(text, word string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && isNumber(text):
		return 0, fmt.Errorf(`%q has no unit: write "%s%sm" for minutes`, text, word, text)
	case err != nil && strings.ContainsAny(text, "dw"):
		return 0, fmt.Errorf(`%q is no duration: days and weeks are written in hours, like "%s24h"`, text, word)
	case err != nil:
		return 0, fmt.Errorf(`%q is no duration: write it like "%s30m" or "%s1h30m"`, text, word, word)
	case d >= time.Second && d%time.Second != 0:
		return 0, fmt.Errorf("%s is not in whole seconds: write %s", d, d.Truncate(time.Second))
	}
	return d, nil
}

func parseDescriptor(words []string) (*cron.SpecSchedule, error) {
	if len(words) != 1 || !slices.Contains(descriptors, words[0]) {
		return nil, fmt.Errorf("unknown descriptor: there are %s, @every and @adaptive, in lower case", strings.Join(descriptors, ", "))
	}
	return parseSpec(words[0])
}

func parseFields(words []string) (*cron.SpecSchedule, error) {
	if len(words) != len(fields) {
		hint := "write minute, hour, day of month, month and day of week"
		if len(words) == len(fields)+1 {
			hint = "there is no field for seconds; " + hint
		}
		return nil, fmt.Errorf("%d fields instead of 5: %s", len(words), hint)
	}
	for i, field := range fields {
		if err := checkField(words, i); err != nil {
			return nil, fmt.Errorf("field %d (%s) %q: %w", i+1, field.name, words[i], err)
		}
	}
	return parseSpec(strings.Join(words, " "))
}

// checkField reads the i-th field alone, so that an error can name it, and refuses what the library takes in silence: an
// empty list, and a step that never reaches a second value.
func checkField(words []string, i int) error {
	field := fields[i]
	for part := range strings.SplitSeq(words[i], ",") {
		if part == "" {
			return errors.New("an element of the list is empty: remove the comma")
		}
		_, step, ok := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); ok && err == nil && n >= field.count {
			hint := ""
			if i == 0 {
				hint = fmt.Sprintf(` (for every %d minutes write "@every %dm")`, n, n)
			}
			return fmt.Errorf("the step %d is longer than the field: it has %d values%s", n, field.count, hint)
		}
	}
	alone := []string{"*", "*", "*", "*", "*"}
	alone[i] = words[i]
	if _, err := parser.Parse(strings.Join(alone, " ")); err != nil {
		return fmt.Errorf("%w; %s", err, field.hint)
	}
	return nil
}

func parseSpec(text string) (*cron.SpecSchedule, error) {
	schedule, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	spec, ok := schedule.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New("not understood: write five fields or a descriptor")
	}
	return spec, nil
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
