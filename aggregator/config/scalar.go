package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// scalar is a single value of the file.
type scalar struct {
	// raw is the value as YAML has it, text is raw with its variables expanded. Only raw may be shown.
	raw, text string
	// expanded says that text holds what a variable held.
	expanded bool
	at       place
	node     ast.Node
}

// shown is the value for a message.
func (s scalar) shown() string { return quote(s.raw) }

// quote shows a text from the file, cut where it is long.
func quote(s string) string {
	const limit = 60
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "..."
	}
	return strconv.Quote(s)
}

// wrong notes what is wrong with a value, in words that follow the key and the value.
func (r *reader) wrong(s scalar, what, mend string) {
	r.problem(s.at, fmt.Sprintf("%s %s %s", r.name(), s.shown(), what), mend)
}

// wrongURL is wrong for a value that may hold user information.
func (r *reader) wrongURL(s scalar, what, mend string) {
	r.problem(s.at, fmt.Sprintf("%s %s %s", r.name(), redacted(s), what), mend)
}

// scalarText is the text of a node that is a single value. Numbers and the like are what they look like.
func scalarText(n ast.Node) (text string, literal, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, false, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true, true
		}
		return n.Value.Value, true, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, false, true
	}
	return "", false, false
}

// scalar reads a single value. One that is absent (name: with nothing after it) is not ok and no problem.
func (r *reader) scalar(n ast.Node) (s scalar, ok bool) {
	n, ok = r.resolve(n)
	if !ok || isNull(n) {
		return scalar{}, false
	}
	raw, literal, ok := scalarText(n)
	if !ok {
		r.wrongKind(n, r.name(), wantText)
		return scalar{}, false
	}
	if literal {
		raw = strings.TrimRight(raw, "\n")
	}
	s = scalar{raw: raw, text: raw, at: placeOf(n), node: n}
	if strings.Contains(raw, "${") && !r.expand(&s) {
		return scalar{}, false
	}
	return s, r.spend(s.at, len(s.text)+1)
}

// name is the key that is being read, for a message; an entry of a list has that of the list.
func (r *reader) name() string {
	for i := len(r.path) - 1; i >= 0; i-- {
		if !strings.HasPrefix(r.path[i], "[") {
			return r.path[i]
		}
	}
	return "the config"
}

// expand puts what the variables hold into s.text.
func (r *reader) expand(s *scalar) bool {
	var b strings.Builder
	good := true
	for i := 0; i < len(s.raw); {
		rest := s.raw[i:]
		if strings.HasPrefix(rest, "$${") {
			b.WriteString("${")
			i += 3
			continue
		}
		if !strings.HasPrefix(rest, "${") {
			b.WriteByte(rest[0])
			i++
			continue
		}
		name, length := variable(rest)
		if name == "" {
			r.problem(r.locate(*s, i), fmt.Sprintf("%s holds a ${ that begins no variable", r.name()),
				"write ${NAME} with letters, digits and _ for an environment variable, or $${ for the two characters themselves")
			return false
		}
		value, set := "", false
		if r.options.Env != nil {
			value, set = r.options.Env(name)
		}
		if !set {
			r.problem(r.locate(*s, i), fmt.Sprintf("the environment variable %s is not set", name),
				fmt.Sprintf("set it for this process (systemd: Environment= or EnvironmentFile=), "+
					"write the value in its place, or write $${%s} if the text is meant", name))
			good = false
		}
		if !r.spend(s.at, len(value)) {
			return false
		}
		b.WriteString(value)
		s.expanded = true
		i += length
	}
	s.text = b.String()
	return good
}

// variable is the name in a ${NAME} at the start of s, and the length of the whole.
func variable(s string) (name string, length int) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return "", 0
	}
	name = s[2:end]
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return "", 0
		}
	}
	return name, end + 1
}

// readText reads a single line of text, at most limit bytes long.
func (r *reader) readText(n ast.Node, limit int, into *string) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	if len(s.text) > limit {
		r.problem(s.at, fmt.Sprintf("%s is %d bytes long", r.name(), len(s.text)), fmt.Sprintf("shorten it to at most %d", limit))
		return
	}
	*into = strings.TrimSpace(s.text)
}

func (r *reader) readBool(n ast.Node, into *bool) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	switch s.text {
	case "true":
		*into = true
	case "false":
		*into = false
	default:
		r.wrong(s, "is neither true nor false", "write true or false")
	}
}

func (r *reader) readInt(n ast.Node, least, most int, into *int) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	value, err := strconv.Atoi(s.text)
	switch {
	case err != nil:
		r.wrong(s, "is no whole number", fmt.Sprintf("write digits, as in %d", *into))
	case value < least || value > most:
		r.wrong(s, "is out of range", fmt.Sprintf("write a number from %d to %d", least, most))
	default:
		*into = value
	}
}

// maxDuration is a century: what is above is a slip.
const maxDuration = 100 * 365 * 24 * time.Hour

func (r *reader) readDuration(n ast.Node, least time.Duration, into *time.Duration) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	value, err := parseDuration(s.text)
	switch {
	case err != nil && isNumber(s.text) && !s.expanded:
		r.wrong(s, "has no unit",
			fmt.Sprintf("write %[1]ss, %[1]sm, %[1]sh or %[1]sd for seconds, minutes, hours or days", s.text))
	case err != nil:
		r.wrong(s, "is no duration", "write numbers with units (ms, s, m, h, d, w), as in 90s, 1h30m or 7d")
	case value < least && least == 0:
		r.wrong(s, "is negative", "write 0s or more")
	case value < least:
		r.wrong(s, "is too short", fmt.Sprintf("write %s or more", least))
	case value > maxDuration:
		r.wrong(s, "is longer than a century", "write a shorter one")
	default:
		*into = value
	}
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && !strings.ContainsAny(s, "xXpPeEnN-+")
}

var durationUnits = []struct {
	name string
	unit time.Duration
}{
	// ms before m, since names are tried in order.
	{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour},
	{"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour},
}

// parseDuration reads a sequence of numbers with units. Days are 24 hours.
func parseDuration(s string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "" {
		return 0, strconv.ErrSyntax
	}
	total := 0.0
	for rest != "" {
		digits := 0
		for digits < len(rest) && (rest[digits] >= '0' && rest[digits] <= '9' || rest[digits] == '.') {
			digits++
		}
		value, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, strconv.ErrSyntax
		}
		rest = rest[digits:]
		known := false
		for _, u := range durationUnits {
			if after, ok := strings.CutPrefix(rest, u.name); ok {
				total, rest, known = total+value*float64(u.unit), after, true
				break
			}
		}
		if !known {
			return 0, strconv.ErrSyntax
		}
	}
	// What does not fit is cut to the longest there is, which the caller finds too long.
	total = min(total, float64(math.MaxInt64/2))
	if negative {
		total = -total
	}
	return time.Duration(total), nil
}

func (r *reader) readSize(n ast.Node, least, most int64, into *int64) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	value, err := parseSize(s.text)
	switch {
	case err != nil:
		r.wrong(s, "is no size", "write bytes with a unit (B, KB, MB, GB, KiB, MiB, GiB), as in 16MiB")
	case value < least || value > most:
		r.wrong(s, "is out of range", fmt.Sprintf("write a size of at least %dB and at most %dMiB", least, most>>20))
	default:
		*into = value
	}
}

var sizeUnits = map[string]int64{
	"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}

// parseSize reads a whole number of bytes or of a unit.
func parseSize(s string) (int64, error) {
	number := strings.TrimRight(s, "bBkKmMgGiI")
	unit, ok := sizeUnits[strings.ToLower(s[len(number):])]
	value, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || !ok {
		return 0, strconv.ErrSyntax
	}
	if value > math.MaxInt64/unit {
		return math.MaxInt64, nil
	}
	return value * unit, nil
}

// readSchedule reads a cron spec. Where it may be empty, that switches off what it is the schedule of.
func (r *reader) readSchedule(n ast.Node, mayBeEmpty bool, into *string) {
	s, ok := r.scalar(n)
	if !ok {
		return
	}
	spec := strings.TrimSpace(s.text)
	if spec == "" && mayBeEmpty {
		*into = ""
		return
	}
	if spec == "" {
		r.problem(s.at, r.name()+" is empty", scheduleMend)
		return
	}
	err, known := r.schedules[spec]
	if !known && r.options.CheckSchedule != nil {
		err = r.options.CheckSchedule(spec)
		r.schedules[spec] = err
	}
	if err != nil {
		what, mend := explain(s, err, scheduleMend)
		what = strings.TrimPrefix(what, fmt.Sprintf("schedule %q: ", spec))
		r.wrong(s, "cannot be read: "+what, mend)
		return
	}
	*into = spec
}

const scheduleMend = `write five fields (minute hour day month weekday), as in "0 */2 * * *", ` +
	`or "@every 30m", "@hourly" or "@daily"`

// explain splits what a check said into what is wrong and how to mend it, for which there is a stopgap. Of a value that
// holds a variable it gives neither away.
func explain(s scalar, err error, stopgap string) (text, mend string) {
	if s.expanded {
		return "it is wrong once its variables are filled in", stopgap
	}
	text, mend, _ = strings.Cut(err.Error(), "; ")
	return text, firstOf(mend, stopgap)
}
