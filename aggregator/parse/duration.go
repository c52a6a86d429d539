package parse

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longestDuration is more than any recording takes, and bounds what is computed with.
const longestDuration = 10_000 * time.Hour

// unitsDuration is a duration with units: "1h 20m 34s", "PT1H20M34S" (ISO 8601), "58 minutes".
var unitsDuration = regexp.MustCompile(`^(?:p?t)?\s*(?:([0-9.]+)\s*h(?:(?:ou)?rs?)?\.?)?[\s,]*(?:([0-9.]+)\s*m(?:in(?:ute)?s?)?\.?)?[\s,]*` +
	`(?:([0-9.]+)\s*s(?:ec(?:ond)?s?)?\.?)?$`)

// duration reads how long a recording takes, in the spellings of itunes:duration (seconds, M:SS, H:MM:SS), of Media RSS
// (seconds), and those that are wrong and clear all the same. It is zero for what cannot be read.
func duration(s string) time.Duration {
	const most = 64
	if s = strings.ToLower(strings.TrimSpace(s)); s == "" || len(s) > most {
		return 0
	}
	parts := strings.Split(s, ":")
	if strings.ContainsAny(s, "hms") {
		m := unitsDuration.FindStringSubmatch(s)
		if m == nil {
			return 0
		}
		parts = m[1:]
	}
	if len(parts) > 3 {
		return 0
	}
	seconds := 0.0
	for _, part := range parts {
		seconds *= 60
		if part = strings.TrimSpace(part); part != "" {
			n, err := strconv.ParseFloat(part, 64)
			if err != nil || !(n >= 0) {
				return 0
			}
			seconds += n
		}
	}
	if seconds > longestDuration.Seconds() {
		return 0
	}
	return time.Duration(math.Round(seconds*1000)) * time.Millisecond
}
