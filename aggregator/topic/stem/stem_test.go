package stem_test

import (
	"testing"
	"unicode/utf8"

	"github.com/topicwire/topicwire/aggregator/topic/stem"
)

func TestOf(t *testing.T) {
	for _, tc := range []struct {
		language string
		words    []string
	}{
		{"en", []string{"regulate", "regulates", "regulated", "regulating", "regulation"}},
		{"fr", []string{"régulateur", "régulateurs"}},
		{"de", []string{"verordnung", "verordnungen"}},
		{"es", []string{"multa", "multas", "multados"}},
		{"ru", []string{"данные", "данных", "данными"}},
		{"ar", []string{"حكومة", "الحكومة"}},
		{"tr", []string{"veri", "verilerin"}},
		{"pt", []string{"dados", "dado"}},
		{"it", []string{"garante", "garanti"}},
		{"nl", []string{"boete", "boeten"}},
		{"sv", []string{"lagen", "lag", "lagar"}},
	} {
		want := stem.Of(tc.language, tc.words[0])
		for _, word := range tc.words {
			if got := stem.Of(tc.language, word); got != want {
				t.Errorf("%s: the stem of %s is %q, that of %s is %q", tc.language, word, got, tc.words[0], want)
			}
		}
	}
	if got := stem.Of("hi", "words"); got != "words" {
		t.Errorf("a language without an algorithm: %q", got)
	}
	for _, language := range stem.Languages() {
		if !stem.Known(language) {
			t.Errorf("%s is listed and not known", language)
		}
	}
}

func TestLanguage(t *testing.T) {
	for text, want := range map[string]string{
		"The regulator said on Monday that it had fined the company for a leak of personal data.":               "en",
		"L'autorité a annoncé lundi qu'elle avait infligé une amende à l'entreprise pour une fuite de données.": "fr",
		"Die Behörde teilte am Montag mit, dass sie gegen das Unternehmen ein Bußgeld verhängt habe.":           "de",
		"Регулятор сообщил в понедельник, что оштрафовал компанию за утечку персональных данных.":               "ru",
		"أعلنت الهيئة يوم الاثنين أنها فرضت غرامة على الشركة بسبب تسرب البيانات الشخصية.":                       "ar",
		"وزارت کے پاس ذاتی ڈیٹا کے تحفظ کا بل زیر غور ہے اور اس پر بحث جاری ہے۔":                                "ur",
		"":     "",
		"1234": "",
	} {
		if got := stem.Language(text); got != want {
			t.Errorf("the language of %q is %q, want %q", text, got, want)
		}
	}
}

// Nothing that a feed may hold as a word makes an algorithm fail.
func FuzzOf(f *testing.F) {
	for _, word := range []string{"regulations", "données", "البيانات", "данными", "verilerin", "தரவுகள்", "ß", "\u0640", "a\u0301"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if !utf8.ValidString(word) {
			t.Skip()
		}
		for _, language := range stem.Languages() {
			if got := stem.Of(language, word); word != "" && got == "" || !utf8.ValidString(got) {
				t.Errorf("%s: the stem of %q is %q", language, word, got)
			}
		}
		stem.Language(word)
	})
}
