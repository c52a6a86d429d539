// Package stem takes the endings of words away, so that regulate, regulates and regulation are one, and tells the language of
// a text. It wraps the libraries that do both and knows nothing of queries.
package stem

import (
	"slices"
	"strings"

	"github.com/abadojack/whatlanggo"
	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/tamil"
	"github.com/blevesearch/snowballstem/turkish"
)

// Languages are those that words can be stemmed in, as primary subtags of BCP 47, sorted.
func Languages() []string {
	return []string{
		"ar", "da", "de", "en", "es", "fi", "fr", "ga", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "ta", "tr",
	}
}

// algorithm is the Snowball algorithm of the language, nil where there is none.
func algorithm(language string) func(*snowballstem.Env) bool {
	switch language {
	case "ar":
		return arabic.Stem
	case "da":
		return danish.Stem
	case "de":
		return german.Stem
	case "en":
		return english.Stem
	case "es":
		return spanish.Stem
	case "fi":
		return finnish.Stem
	case "fr":
		return french.Stem
	case "ga":
		return irish.Stem
	case "hu":
		return hungarian.Stem
	case "it":
		return italian.Stem
	case "nl":
		return dutch.Stem
	case "no", "nb", "nn":
		return norwegian.Stem
	case "pt":
		return portuguese.Stem
	case "ro":
		return romanian.Stem
	case "ru":
		return russian.Stem
	case "sv":
		return swedish.Stem
	case "ta":
		return tamil.Stem
	case "tr":
		return turkish.Stem
	}
	return nil
}

// Known reports whether words can be stemmed in the language.
func Known(language string) bool { return algorithm(language) != nil }

// longest is the length in bytes above which a word is left as it is: no word of a language is so long, and the algorithms
// may take a while for what is none.
const longest = 100

// Of is the word without its endings; the word itself in a language that is not known. The word has to be in small letters, with
// its accents: the algorithms go by them.
func Of(language, word string) string {
	reduce := algorithm(language)
	if reduce == nil || len(word) > longest {
		return word
	}
	env := snowballstem.NewEnv(word)
	reduce(env)
	if stem := env.Current(); stem != "" {
		return stem
	}
	return word
}

// enough is how many bytes of a text its language is told from.
const enough = 1000

// Language tells the language of a text as a tag of BCP 47, empty where it is not sure.
func Language(text string) string {
	info := whatlanggo.Detect(strings.ToValidUTF8(text[:min(len(text), enough)], ""))
	if info.Script == nil || !info.IsReliable() {
		return ""
	}
	tag := info.Lang.Iso6391()
	if slices.Contains([]string{"nb", "nn"}, tag) {
		return "no"
	}
	return tag
}
