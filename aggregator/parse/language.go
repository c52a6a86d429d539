package parse

import "strings"

// languageNames are what some publishers write for a tag.
var languageNames = map[string]string{
	"english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es", "español": "es",
	"italian": "it", "italiano": "it", "portuguese": "pt", "russian": "ru", "русский": "ru", "urdu": "ur", "hindi": "hi",
	"arabic": "ar", "chinese": "zh", "japanese": "ja", "korean": "ko", "dutch": "nl", "turkish": "tr", "bengali": "bn",
}

// language is the BCP 47 tag (RFC 5646) that a publisher means, in the case that section 2.1.1 recommends; empty for
// what is no tag.
func language(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 40 {
		return ""
	}
	// POSIX locales: ur_PK.UTF-8.
	s, _, _ = strings.Cut(s, ".")
	if tag, ok := languageNames[strings.ToLower(s)]; ok {
		return tag
	}
	subtags := strings.Split(strings.ReplaceAll(strings.ToLower(s), "_", "-"), "-")
	for i, sub := range subtags {
		if !alphanumeric(sub) || len(sub) > 8 {
			return ""
		}
		switch {
		case i == 0 && (len(sub) < 2 || len(sub) > 3 || strings.ContainsAny(sub, "0123456789")):
			if sub != "x" && sub != "i" {
				return ""
			}
		case i == 0:
		case len(subtags[i-1]) == 1:
		case len(sub) == 2:
			subtags[i] = strings.ToUpper(sub)
		case len(sub) == 4 && sub[0] > '9':
			subtags[i] = strings.ToUpper(sub[:1]) + sub[1:]
		}
	}
	return strings.Join(subtags, "-")
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || isDigit(c)) {
			return false
		}
	}
	return s != ""
}
