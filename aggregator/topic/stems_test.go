package topic_test

import (
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

func TestMatchStems(t *testing.T) {
	const english = "The regulators said on Monday that protections for the personal data of citizens were being weakened by the companies."
	const french = "Les régulateurs ont annoncé lundi que les protections des données personnelles étaient affaiblies par les sociétés nationales."
	for name, tc := range map[string]struct {
		query, language, text string
		want                  bool
	}{
		"another ending":                       {"~regulator", "en", english, true},
		"another word":                         {"~regal", "en", english, false},
		"without the sign":                     {"regulator", "en", english, false},
		"a phrase":                             {`~"protection for the person"`, "en-GB", english, true},
		"a group":                              {"~(football OR protecting)", "en", english, true},
		"near":                                 {"~(protect NEAR/6 citizen)", "en", english, true},
		"of its own language":                  {"~régulatrice", "fr", "un régulateur", true},
		"excluded":                             {"monday -~regulated", "en", english, false},
		"the words as they are":                {`~"the regulators said"`, "en", english, true},
		"the item's language":                  {"~régulateur", "fr", french, true},
		"of another language":                  {"~régulatrice", "de", "ein régulateur", false},
		"without accents as it is written":     {"~regulateurs", "fr", french, true},
		"a language that was asked for":        {"~fr:régulateur", "de", french, true},
		"another language that was asked for":  {"~en:nationaux", "fr", french, false},
		"a language that is told by the text":  {"~protecting", "", english, true},
		"another that is told by the text":     {"~national", "", french, true},
		"a language that is named wins":        {"~protecting", "ur", english, false},
		"no language to be told":               {"~regulators", "", "x", false},
		"without a language, as it is written": {"~clouds", "", "clouds", true},
		"a language without stems":             {"~डेटा", "hi", "नया डेटा संरक्षण", true},
		"a star is no stem":                    {"~regul*", "ur", english, true},
		"signs stay":                           {"~#laws", "en", "see #laws", true},
		"signs are not left out":               {"~#laws", "en", "see #law", false},
		"de: umlauts":                          {"~häuser", "de", "das Haus", true},
		"tr: a capital I":                      {"~KİŞİSEL", "tr", "kişiseller", true},
		"ru: cases":                            {`~"персональные данные"`, "ru", "о персональных данных", true},
		"ar: the article":                      {"~حكومة", "ar", "قالت الحكومة", true},
	} {
		t.Run(name, func(t *testing.T) {
			it := item("", tc.text)
			it.Language = tc.language
			if got := matches(t, tc.query, it); got != tc.want {
				t.Errorf("%s in %q: %t, want %t", tc.query, tc.text, got, tc.want)
			}
		})
	}
}

// What publishers write in place of words, of whatever length, is not kept from item to item.
func TestLongWordsAreNotRemembered(t *testing.T) {
	m, err := topic.NewMatcher([]aggregator.Topic{{ID: "t", Query: "~regulator"}})
	if err != nil {
		t.Fatal(err)
	}
	it := item("", "regulators "+strings.Repeat("a", 60_000)+" "+strings.Repeat("b", 60_000))
	it.Language = "en"
	if size := topic.Remembered(m, it); size == 0 || size > 1000 {
		t.Errorf("%d bytes are kept", size)
	}
}
