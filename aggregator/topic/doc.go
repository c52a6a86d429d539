// Package topic is the query language in which an operator describes a topic, and the matcher that finds the topics
// of an item among many.
//
// # The language
//
// A query is words and phrases put together with operators:
//
//	query  = or
//	or     = and { "OR" and }
//	and    = not { [ "AND" ] not }             terms side by side are joined by AND
//	not    = [ "NOT" | "-" ] near              "-" stands directly before its term
//	near   = term { "NEAR/" number term }
//	term   = [ "~" [ language ":" ] ] [ field ":" ] ( word | phrase | "(" or ")" | list | "@" name )
//	list   = number "of" "(" or { "," or } ")"
//	field  = "title" | "category" | "author" | "url" | "host" | "feed" | "lang" | "published"
//	phrase = a double quote, words, a double quote
//
// NEAR binds tighter than NOT, NOT than AND, AND than OR. Operators are in capitals; in small letters they are words. A * in a
// word, in a phrase too, stands for any letters. A # with white space behind it begins a comment, which goes to the end of
// the line. There is no escaping: in quotes nothing but the closing quote and the * has a meaning. What the language does not
// know is an error, so that a slip of the hand is seen when the config is read and not by the stories that are missing a
// month later; characters that later versions may need ([ ] { } < > = ^ ! ? ; | \) are refused outside quotes for the
// same reason.
//
// A term without a field is looked for in the item's title, in the plain text of its summary and of its content, and
// in its categories. A phrase matches within one of these and within one line (a paragraph, a list item, a table
// cell), never across two. title:, category:, author: and url: restrict to the title and to one category, author or link at
// a time. feed: compares the id of the item's feed, feed:aws* its beginning. lang: compares the item's language tag by BCP 47
// prefix: lang:en finds en and en-GB. host: compares the hosts of the item's links by their last labels, published: its date.
// A query that would match whatever lacks something ("NOT sport") is refused.
//
// a NEAR/n b holds where an a and a b that share no word are in one line and the distance from the last word of the one that
// comes first to the first word of the other is at most n; the next word is at 1. The sides are terms that are looked for in
// text, ORs of such, and NEARs. A NEAR has a place itself: each stretch of words from the beginning of the one to the end of the
// other that holds no shorter such stretch (minimal interval semantics).
//
// ~ compares words by their stems too: in the language of the item (its tag's, else the one that its text is surely in), or in the one
// that is named, by package stem. What has no stem (a word with a * or a sign, a script without spaces) is compared as it is.
//
// @name stands for a query of the Library, in parentheses. It is put in its place when the query is read, so that the canonical
// form has no names and Matcher.Rules changes with what they stand for.
//
// # Words
//
// What a word is follows UAX #29 (Unicode text segmentation, section 4) with these tailorings, made so that what is
// found does not depend on how a publisher happens to spell:
//
//   - Letters and digits together are a word (5G); all that UAX #29 lets stand inside one (the apostrophe in l'école,
//     the full stop in U.S., the comma in 1,000) parts words here, as hyphens do. A term that is several words is a phrase:
//     data-localisation finds "data localisation", école is found in l'école, AT&T is "AT T".
//   - A + or # after a term, and a . # or @ before it, count when the query has them: C++ finds only C++, C finds
//     C++ too; .NET does not find "net".
//   - Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar have no spaces between words. There each letter with its
//     marks is a word of its own, so that 数据保护 is found inside a longer run, as a substring.
//   - Korean adds its particles to the end of a word, so a Hangul term also finds words that begin with it, and Hangul
//     is parted from Latin letters and digits (AI를 holds AI).
//
// Words are compared after NFKC, without regard to case (ß is ss, ς is σ, and the Turkish ı and İ are i, so that a
// query in either spelling finds both) and without accents, where accents are not letters:
//
//   - Latin, Greek: all marks go; letters that Unicode does not decompose go to their base (ł l, ø o, đ d, æ ae, œ oe).
//   - Cyrillic: ё is е, stress marks go; й, ї, ў, ѓ and ќ are letters of their own.
//   - Arabic script: vowel marks and tatweel go; the variants of alef, yeh, kaf and heh, which keyboards and languages
//     exchange, are one (أ إ آ ا, ى ي ی, ك ک, ه ہ ة); hamza on its carrier goes.
//   - Hebrew: points and cantillation go. Devanagari: the nukta goes, as it is often left out.
//   - Everywhere else marks stay: vowel signs of Indic scripts, Thai tone marks and the Japanese dakuten are part of
//     what is written. Digits of all scripts are equal. Joiners, soft hyphens and direction marks are not there.
//
// # The matcher
//
// The cost of matching grows with what an item contains and not with the number of topics. From each query the
// Matcher takes triggers: words, or pairs of adjacent words of a phrase, one of which occurs in every item that the query
// can match; a query that asks only for feeds, languages or hosts is triggered by them, one that asks only for a date by all. An item's text is read once,
// each word is looked up once, and only the queries whose triggers were met are evaluated. Query.Match and
// Query.Explain do the same for one query by walking its tree, without an index; the tests hold the two against
// each other.
package topic
