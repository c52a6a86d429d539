package topic_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"

	"github.com/topicwire/topicwire/aggregator/topic"
)

func TestWords(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"letters and digits are one word":       {"5G and IPv6 in 2024", "5g and ipv6 in 2024"},
		"hyphens part words":                    {"data-localisation pre‑paid", "data localisation pre paid"},
		"apostrophes of all kinds part words":   {"l'école l’accès GDPR's пʼять", "l ecole l acces gdpr s п ять"},
		"full stops part words":                 {"U.S. 3.14 example.com", "u .s 3 .14 example .com"},
		"signs behind a word go with it":        {"C++ C# Disney+, A+++", "c++ c# disney+ a++"},
		"signs between words do not":            {"1+1 a#b C++x", "1 1 a #b c x"},
		"signs before a word go with it":        {".NET #GDPR @edps ...so", ".net #gdpr @edps .so"},
		"accents go":                            {"Ångström Übergröße ÉCOLE Łódź smørrebrød", "angstrom ubergrosse ecole lodz smorrebrod"},
		"decomposed letters are the same":       {"e\u0301cole A\u030angstro\u0308m", "ecole angstrom"},
		"ligatures and width":                   {"ﬁnance ＡＷＳ ㎏", "finance aws kg"},
		"Turkish i":                             {"KIŞ kış KİŞİ kişi", "kis kis kisi kisi"},
		"Greek, with the final sigma":           {"ΝΟΜΟΣ νόμος", "νομοσ νομοσ"},
		"Cyrillic ё, but й and ї are letters":   {"Ещё мой Україна за\u0301мок", "еще мой україна замок"},
		"a decomposed й is й":                   {"мои\u0306", "мой"},
		"Arabic vowel marks and tatweel":        {"حِمَايَةُ البـــيانات", "حمایه البیانات"},
		"Arabic letter variants":                {"أحمد إحمد آحمد مصطفى كتاب کتاب", "احمد احمد احمد مصطفی کتاب کتاب"},
		"Urdu joiners":                          {"ڈیٹا کا تحفّظ می\u200cشود", "ڈیٹا کا تحفظ میشود"},
		"Arabic presentation forms":             {"ﺣﻤﺎﻳﺔ", "حمایه"},
		"Hebrew points":                         {"שָׁלוֹם", "שלום"},
		"Hindi keeps its vowel signs":           {"डेटा संरक्षण क़ानून", "डेटा संरक्षण कानून"},
		"Bengali keeps its vowel signs":         {"তথ্য সুরক্ষা আইন", "তথ্য সুরক্ষা আইন"},
		"Han letters are words":                 {"数据保护法，2024年", "数 据 保 护 法 2024 年"},
		"kana letters are words":                {"クラウドの個人", "ク ラ ウ ド の 個 人"},
		"half-width kana with its dakuten":      {"ｸﾗｳﾄﾞ データ", "ク ラ ウ ド デ ー タ"},
		"Thai letters with their marks":         {"ข้อมูล", "ข้ อ มู ล"},
		"Hangul is a word, apart from others":   {"AI를 개인정보의 5세대", "ai 를 개인정보의 5 세대"},
		"conjoining Hangul":                     {"\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"},
		"digits of any script":                  {"٢٠٢٤ २०२४ ２０２４ ۲۰۲۴ 𝟐𝟎 𞥒𞥐", "2024 2024 2024 2024 20 20"},
		"soft hyphens and direction marks":      {"da\u00adta \u202bx\u202c", "data x"},
		"a zero width space parts words":        {"a\u200bb", "a b"},
		"line breaks end a phrase":              {"a\nb\u2029c d", "a | b | c d"},
		"emoji and punctuation are not words":   {"🎉 -- … ** ½", "1 2"},
		"a mark without a letter is no word":    {"\u0301 \u093e", ""},
		"no-break spaces and dashes part words": {"a\u00a0b–c—d", "a b c d"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(topic.Words(tc.text), " "); got != tc.want {
				t.Errorf("words of %q\n got %q\nwant %q", tc.text, got, tc.want)
			}
		})
	}
}

func TestSpans(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"as they are spelt":             {"L'École, du DROIT", "L/École/du/DROIT"},
		"signs behind a word":           {"C++ and C#x 1＋1", "C++/and/C/x/1/1"},
		"decomposed":                    {"e\u0301cole ok", "e\u0301cole/ok"},
		"vowel marks at the end":        {"كتابُ x", "كتابُ/x"},
		"letters that fold to two":      {"Straße.", "Straße"},
		"one letter at a time":          {"数据 ｶﾞ", "数/据/ｶﾞ"},
		"compatibility letters":         {"ﬁn", "ﬁn"},
		"full-width signs":              {"C＋＋ x", "C＋＋/x"},
		"a sign that turns out not one": {"C＋x", "C/x"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(topic.Spans(tc.text), "/"); got != tc.want {
				t.Errorf("spans of %q\n got %q\nwant %q", tc.text, got, tc.want)
			}
		})
	}
}

// samples are texts in many scripts, for seeds and for random texts.
var samples = []string{
	"The cloud provider's data-localisation bill, U.S. v. AT&T: C++, .NET #GDPR 5G 3.14 foo_bar",
	"l’école übergröße Łódź ﬁnance ½ … — “quotes” e\u0301 A\u030a İstanbul ısı",
	"закон о персональных данных ещё мой объём", "προστασία δεδομένων ΝΟΜΟΣ",
	"حِمَاية البـيانات ڈیٹا کا تحفظ می\u200cشود ٢٠٢٤", "הגנת הפרטיות שָׁלוֹם",
	"डेटा संरक्षण क़ानून २०२४", "তথ্য সুরক্ষা আইন কো\u09c7\u09be", "数据保护法，云计算2024年", "クラウドｸﾗｳﾄﾞの個人情報 データ",
	"AI를 개인정보 보호법", "การคุ้มครองข้อมูล AI", "ⓒ ㎏ Ⅳ ２０２４\u200b\u00ad\ufeff\u2029 x\ty\r\nz",
}

func FuzzWords(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Add("a\xffb\x00\x7f#\x1f+")
	f.Add("\u1112\u1161\u11ab 4\u11ab")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, " ")
		got := topic.Words(text)
		if diff := cmp.Diff(topic.WordsNormalised(text), got); diff != "" {
			t.Errorf("the shortcuts find other words in %q (-without +with):\n%s", text, diff)
		}
		for _, word := range got {
			if word == "" || !utf8.ValidString(word) {
				t.Errorf("words of %q: %q", text, word)
			}
		}
		topic.Spans(text)
	})
}

// No word goes across a boundary of UAX #29, as an independent implementation finds them. Symbols that NFKC makes
// letters of (㎏) are letters to us alone, so the text is put into NFKC first.
func TestWordsKeepToUAX29(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 29))
	for range 2000 {
		text := norm.NFKC.String(randomText(random))
		boundaries := map[int]bool{}
		at, state := 0, -1
		for rest := text; rest != ""; {
			var word string
			word, rest, state = uniseg.FirstWordInString(rest, state)
			at += len(word)
			boundaries[at] = true
		}
		at = 0
		for _, span := range topic.Spans(text) {
			if span == "" {
				continue
			}
			at += strings.Index(text[at:], span)
			for i := at + 1; i < at+len(span); i++ {
				// Signs behind a word are ours alone, and tatweel is a letter to UAX #29.
				if boundaries[i] && !strings.ContainsRune("+#", rune(text[i])) && !strings.HasPrefix(text[i:], "\u0640") {
					t.Fatalf("in %q the word %q goes across a boundary at %d", text, span, i)
				}
			}
			at += len(span)
		}
	}
}

// randomText is made of pieces of the samples.
func randomText(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + random.IntN(30) {
		runes := []rune(samples[random.IntN(len(samples))])
		from := random.IntN(len(runes))
		b.WriteString(string(runes[from:min(len(runes), from+1+random.IntN(6))]))
		if random.IntN(3) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
