package publish

import (
	"regexp"
	"strings"
)

// languageForm is what RFC 5646 (section 2.1) allows where no extension is in use.
var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})*$`)

// languages are the codes of ISO 639-1 and those of the three-letter codes that news is written in. Validators reject
// a tag whose language is not registered.
const languages = " aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy " +
	"da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig " +
	"ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml " +
	"mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg " +
	"si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh " +
	"yi yo za zh zu ast awa bal bho bra ceb doi dsb fil fur haw hmn ilo kok lad lah mag mai mni mwr new nso pap raj " +
	"sat scn sco "

// languageTag is tag in lower case (the case of tags carries no meaning) if it names a registered language, else "".
func languageTag(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	primary, _, _ := strings.Cut(tag, "-")
	if !languageForm.MatchString(tag) || !strings.Contains(languages, " "+primary+" ") {
		return ""
	}
	return tag
}

// commonLanguage is the language that all entries are in, without what they differ in, or "".
func commonLanguage(entries []entry) string {
	common := ""
	for i := range entries {
		tag := entries[i].language
		if i == 0 {
			common = tag
		}
		if tag != common {
			common, _, _ = strings.Cut(common, "-")
			tag, _, _ = strings.Cut(tag, "-")
		}
		if tag != common || tag == "" {
			return ""
		}
	}
	return common
}

// languageNames are those of the languages that news is mostly written in, as pages in English name them.
var languageNames = map[string]string{
	"ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
	"es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fil": "Filipino", "fr": "French", "ga": "Irish", "gu": "Gujarati",
	"he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "is": "Icelandic", "it": "Italian",
	"ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer", "kn": "Kannada", "ko": "Korean", "lt": "Lithuanian",
	"lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "my": "Burmese",
	"nb": "Norwegian", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish",
	"ps": "Pashto", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sd": "Sindhi", "si": "Sinhala", "sk": "Slovak",
	"sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai",
	"tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "zh": "Chinese",
}

// languageLabel names the language of a text on a page in English; "" where it is English too, or not known.
func languageLabel(tag string) string {
	primary, _, _ := strings.Cut(tag, "-")
	switch name, ok := languageNames[primary]; {
	case primary == "en":
		return ""
	case ok:
		return name
	}
	return tag
}

// rightToLeft are the languages that are written from right to left, by their primary tags.
const rightToLeft = " ar ckb dv fa he ps sd ug ur yi "

// direction is the value of a dir attribute for a text in the language: that of the language, else that of its first
// letter.
func direction(tag string) string {
	primary, rest, _ := strings.Cut(tag, "-")
	if primary != "" && strings.Contains(rightToLeft, " "+primary+" ") && !strings.Contains("-"+rest+"-", "-latn-") {
		return "rtl"
	}
	return "auto"
}
