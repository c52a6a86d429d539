package parse

import (
	"slices"
	"strings"
	"time"
)

// zoneMinutes are the offsets from UTC, in minutes, of zone letters that have one meaning.
var zoneMinutes = map[string]int{
	"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "UCT": 0, "ZULU": 0, "GT": 0,
	"EDT": -240, "CDT": -300, "MDT": -360, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "HADT": -540, "HAST": -600,
	"NDT": -150, "ADT": -180, "BRT": -180, "BRST": -120, "ART": -180, "CLT": -240, "CLST": -180, "COT": -300, "PET": -300,
	"VET": -240, "BOT": -240, "UYT": -180, "PYT": -240, "ECT": -300, "GFT": -180, "GYT": -240,
	"WEST": 60, "CET": 60, "MET": 60, "MEZ": 60, "WAT": 60, "CEST": 120, "MEST": 120, "MESZ": 120, "EET": 120, "CAT": 120, "SAST": 120,
	"EEST": 180, "MSK": 180, "EAT": 180, "TRT": 180, "FET": 180, "MSD": 240, "SAMT": 240, "AZT": 240, "GET": 240, "MUT": 240,
	"IRST": 210, "IRDT": 270, "AFT": 270, "IDT": 180,
	"PKT": 300, "UZT": 300, "TJT": 300, "TMT": 300, "YEKT": 300, "MVT": 300, "PKST": 360,
	"SLST": 330, "NPT": 345, "BDT": 360, "BTT": 360, "KGT": 360, "OMST": 360, "ALMT": 300, "MMT": 390,
	"ICT": 420, "WIB": 420, "NOVT": 420, "KRAT": 420, "HOVT": 420,
	"HKT": 480, "SGT": 480, "MYT": 480, "PHT": 480, "WITA": 480, "AWST": 480, "IRKT": 480, "ULAT": 480, "BNT": 480, "PHST": 480,
	"JST": 540, "KST": 540, "WIT": 540, "YAKT": 540, "TLT": 540,
	"ACST": 570, "AEST": 600, "CHST": 600, "VLAT": 600, "PGT": 600, "ACDT": 630, "AEDT": 660, "MAGT": 660,
	"NZST": 720, "FJT": 720, "PETT": 720, "NZDT": 780, "TOT": 780, "CHAST": 765, "CHADT": 825,
}

// zoneMeaning is one meaning of zone letters that have several.
type zoneMeaning struct {
	minutes int
	// places are the languages and regions that mean it, lower-case: "he", "il".
	places string
}

// zoneMeanings are those letters, the most usual meaning first.
var zoneMeanings = map[string][]zoneMeaning{
	"IST": {{330, "in hi ta te kn ml mr gu pa bn lk"}, {120, "he iw il"}, {60, "ie ga"}},
	"CST": {{-360, "us mx ca"}, {480, "zh cn tw"}, {-300, "cu"}, {570, "au"}},
	"BST": {{60, "gb uk cy gd"}, {360, "bd bn"}},
	"EST": {{-300, "us ca"}, {600, "au"}},
	"MST": {{-420, "us ca mx"}, {480, "my ms"}, {390, "mm my-mm"}},
	"PST": {{-480, "us ca mx"}, {480, "ph fil tl"}, {300, "pk ur"}},
	"AST": {{-240, "ca us pr"}, {180, "sa ar kw iq ye qa bh"}},
	"GST": {{240, "ae om ar"}, {-120, "gs"}},
	"SST": {{-660, "as ws"}, {480, "sg"}},
	"AMT": {{-240, "br pt"}, {240, "am hy"}},
	"WST": {{480, "au"}, {780, "ws sm"}, {60, "eh ma"}},
	"NST": {{-210, "ca"}, {345, "np ne"}},
	"ET":  {{-300, ""}}, "CT": {{-360, ""}}, "MT": {{-420, ""}}, "PT": {{-480, ""}}, "AT": {{-240, ""}},
}

// civilZones are the letters that mean standard or summer time as the calendar has it.
var civilZones = map[string]string{
	"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles", "AT": "America/Halifax",
}

// zone is where a date's clock stood.
type zone struct {
	minutes  int
	location *time.Location // where it is not nil, it counts
	known    bool
}

// zoneNamed is the zone that a word of a date names.
func (r *dateReader) zoneNamed(word string) (z zone, ok bool) {
	upper := strings.ToUpper(word)
	if name, civil := civilZones[upper]; civil {
		if location := r.location(name); location != nil {
			return zone{location: location, known: true}, true
		}
	}
	if minutes, one := zoneMinutes[upper]; one {
		return zone{minutes: minutes, known: true}, true
	}
	if meanings, several := zoneMeanings[upper]; several {
		return zone{minutes: r.meant(meanings), known: true}, true
	}
	if strings.Contains(word, "/") {
		if location := r.location(word); location != nil {
			return zone{location: location, known: true}, true
		}
	}
	return zone{}, false
}

// meant chooses among the meanings of zone letters: by the region and the language of the feed, else by an offset that
// other dates of the document are written with, else the most usual.
func (r *dateReader) meant(meanings []zoneMeaning) int {
	for _, place := range r.places {
		for _, m := range meanings {
			if slices.Contains(strings.Fields(m.places), place) {
				return m.minutes
			}
		}
	}
	for _, m := range meanings {
		if r.offsets[m.minutes] {
			return m.minutes
		}
	}
	return meanings[0].minutes
}

// location loads a zone of the IANA database; nil where there is none of that name.
func (r *dateReader) location(name string) *time.Location {
	if location, ok := r.locations[name]; ok {
		return location
	}
	if len(r.locations) >= 64 || len(name) > 48 {
		return nil
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		// The database's names are written with capitals, feeds do as they like.
		location, err = time.LoadLocation(titleCase(name))
	}
	if err != nil || strings.EqualFold(name, "local") {
		location = nil
	}
	if r.locations == nil {
		r.locations = map[string]*time.Location{}
	}
	r.locations[name] = location
	return location
}

func titleCase(name string) string {
	b := []byte(strings.ToLower(name))
	for i := range b {
		if (i == 0 || b[i-1] == '/' || b[i-1] == '_' || b[i-1] == '-') && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}
