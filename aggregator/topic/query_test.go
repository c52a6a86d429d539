package topic_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topicwire/topicwire/aggregator"
	"github.com/topicwire/topicwire/aggregator/topic"
)

// item is one of plain text.
func item(title, text string) *aggregator.Item {
	return &aggregator.Item{Title: title, Summary: strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text)}
}

func parse(t *testing.T, query string) *topic.Query {
	t.Helper()
	q, err := topic.Parse(query)
	if err != nil {
		t.Fatalf("parse %q: %v", query, err)
	}
	return q
}

// matches asks the query and a matcher of it.
func matches(t *testing.T, query string, item *aggregator.Item) bool {
	t.Helper()
	got := parse(t, query).Match(item)
	m, err := topic.NewMatcher([]aggregator.Topic{{ID: "t", Query: query}})
	if err != nil {
		t.Fatal(err)
	}
	if byMatcher := len(m.Match(item)) == 1; byMatcher != got {
		t.Errorf("%s: Query.Match says %t, Matcher.Match says %t", query, got, byMatcher)
	}
	return got
}

// The design's case, told by three outlets in two languages.
var (
	office = &aggregator.Item{
		Feed:  "business-daily",
		Title: "Nimbus to open Karachi office next spring",
		Summary: `<p>Nimbus, whose <b>cloud</b> platform runs much of the region's online retail, will open its first office in
			Pakistan and hire 200 engineers.</p>`,
		Content: `<p>Nimbus said on Monday that it would open an office in Karachi.</p><p>The move comes as the Ministry of
			Information Technology weighs a <a href="/bill">personal&#8209;data protection bill</a> whose data&nbsp;localisation clause
			would keep citizens&rsquo; records on servers inside the country.</p>`,
		Categories:   []string{"Business", "Cloud Computing"},
		Language:     "en-PK",
		URL:          "https://proxy.example.net/item/77",
		CanonicalURL: "https://business-daily.example.com/tech/nimbus-karachi-office?id=%C3%A9cole",
		Authors:      []aggregator.Author{{Name: "Ayesha Khan"}, {Email: "desk@news.example.com"}},
		Published:    time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC),
	}
	officeUrdu = &aggregator.Item{
		Feed:     "karachi-akhbar",
		Title:    "نمبس کراچی میں دفتر کھولے گی",
		Summary:  "<p>کلاؤڈ کمپنی نے پیر کو اعلان کیا۔ وزارت کے پاس ذاتی ڈیٹا کے تحفّظ کا بل زیرِ غور ہے۔</p>",
		Language: "ur",
	}
)

func TestTheCaseToKeepInMind(t *testing.T) {
	const cloud = `"cloud computing" OR cloud OR کلاؤڈ`
	const dataProtection = `"data protection" OR data-localisation OR "ڈیٹا کے تحفظ"`
	for _, it := range []*aggregator.Item{office, officeUrdu} {
		for _, query := range []string{cloud, dataProtection} {
			if !matches(t, query, it) {
				t.Errorf("%s does not match %q", query, it.Title)
			}
		}
		if matches(t, `football OR "data centre"`, it) {
			t.Errorf("a query about something else matches %q", it.Title)
		}
	}
}

func TestMatchPlaces(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		want  bool
	}{
		"in the title":                             {"karachi", true},
		"in the summary":                           {"retail", true},
		"in the content":                           {"ministry", true},
		"in a category":                            {"business", true},
		"not in the markup":                        {"href OR bill-x OR p", false},
		"a phrase across inline markup":            {`"whose cloud platform"`, true},
		"a phrase across the source's lines":       {`"ministry of information technology"`, true},
		"a phrase not across paragraphs":           {`"karachi the move"`, false},
		"a phrase not from title to summary":       {`"spring nimbus"`, false},
		"a phrase not across categories":           {`"business cloud"`, false},
		"title: only the title":                    {"title:karachi", true},
		"title: not the text":                      {"title:ministry", false},
		"title: a phrase":                          {`title:"karachi office"`, true},
		"title: a phrase in another order":         {`title:"office karachi"`, false},
		"title: a group":                           {"title:(retail OR spring)", true},
		"category: a whole one":                    {`category:"cloud computing"`, true},
		"category: a word of one":                  {"category:computing", true},
		"category: not the text":                   {"category:karachi", false},
		"category: a phrase not across two":        {`category:"business cloud"`, false},
		"category: words of two":                   {"category:(business cloud)", true},
		"feed: by id":                              {"feed:business-daily cloud", true},
		"feed: in any case":                        {"feed:Business-Daily", true},
		"feed: not a part of it":                   {"feed:business", false},
		"feed: a beginning":                        {"feed:business*", true},
		"feed: another":                            {"feed:karachi*", false},
		"feed: a group":                            {"feed:(x OR business*)", true},
		"lang: the language of a tag":              {"lang:en", true},
		"lang: all of it":                          {"lang:EN_pk", true},
		"lang: another region":                     {"lang:en-GB", false},
		"lang: not by letters":                     {"lang:enp", false},
		"OR of a field and a word":                 {"feed:x OR lang:ur OR karachi", true},
		"AND across places":                        {"karachi retail ministry business", true},
		"AND fails by one":                         {"karachi retail football", false},
		"NOT":                                      {"cloud NOT football", true},
		"NOT excludes":                             {"cloud NOT karachi", false},
		"NOT of a phrase that is only near":        {`cloud -"karachi the"`, true},
		"NOT of a group excludes":                  {"cloud -(football OR karachi)", false},
		"NOT of a field":                           {"cloud -title:cloud", true},
		"NOT of a feed":                            {"cloud -feed:business-daily", false},
		"a negation in a negation":                 {"cloud NOT (ministry NOT karachi)", true},
		"a beginning":                              {"local*", true},
		"a beginning is not a middle":              {"ocal*", false},
		"an end":                                   {"*lisation", true},
		"an end is not a middle":                   {"*lisat", false},
		"a middle":                                 {"*calisa*", true},
		"stars inside":                             {"loc*sat*n", true},
		"a star inside stands for nothing, too":    {"local*isation", true},
		"stars inside a phrase":                    {`"dat* loc*sation clause"`, true},
		"stars do not take a letter twice":         {"karac*achi", false},
		"NEAR: side by side":                       {"cloud NEAR/1 platform", true},
		"NEAR: either order":                       {"platform NEAR/1 cloud", true},
		"NEAR: a word in between":                  {"cloud NEAR/1 runs", false},
		"NEAR: within two":                         {"cloud NEAR/2 runs", true},
		"NEAR: not across paragraphs":              {"karachi NEAR/10 move", false},
		"NEAR: not from title to text":             {"spring NEAR/3 nimbus", false},
		"NEAR: a phrase and a group":               {`(clause OR x) NEAR/5 "on servers"`, true},
		"NEAR: a phrase counts from its end":       {`"localisation clause" NEAR/2 "citizens records"`, false},
		"NEAR: from the end of a phrase":           {`"data localisation" NEAR/1 clause`, true},
		"NEAR: to the beginning of a phrase":       {`clause NEAR/1 "keep citizens"`, false},
		"NEAR: to a phrase further on":             {`clause NEAR/2 "keep citizens"`, true},
		"NEAR: a chain":                            {"ministry NEAR/3 technology NEAR/3 bill", false},
		"NEAR: a longer chain":                     {"ministry NEAR/3 technology NEAR/6 bill", true},
		"NEAR: a chain from the shortest stretch":  {"bill NEAR/6 (ministry NEAR/3 technology)", true},
		"NEAR: one word is not near itself":        {"ministry NEAR/9 minist*", false},
		"NEAR: another of the same kind is":        {"data NEAR/4 data", true},
		"NEAR: in the title":                       {"title:(open NEAR/3 office)", true},
		"NEAR: one side in the title":              {"title:office NEAR/3 open", true},
		"NEAR: not in the title":                   {"title:(runs NEAR/3 retail)", false},
		"NEAR: in the authors":                     {"author:(khan NEAR/1 ayesha)", true},
		"2 of 3":                                   {"2 of (karachi, football, cloud)", true},
		"2 of 3 fails":                             {"2 of (karachi, football, rugby)", false},
		"3 of 3":                                   {"3 of (karachi, cloud, retail x, ministry)", true},
		"2 of 3 with a negation":                   {"2 of (karachi, football, NOT rugby)", true},
		"2 of 3 in a field":                        {"title:2 of (karachi, cloud, spring)", true},
		"not 2 of 3":                               {"karachi -2 of (cloud, football, rugby)", true},
		"not 2 of 3 fails":                         {"karachi -2 of (cloud, football, retail)", false},
		"author: a name":                           {`author:"ayesha khan"`, true},
		"author: one name at a time":               {`author:"khan desk"`, false},
		"author: an address in place of a name":    {`author:"desk@news.example.com"`, true},
		"author: not the text":                     {"author:karachi", false},
		"an author is not found without the field": {"ayesha", false},
		"url: a word":                              {"url:tech", true},
		"url: words":                               {"url:nimbus-karachi", true},
		"url: a beginning":                         {"url:business-daily.example.com/te*", true},
		"url: the other one":                       {"url:proxy.example.net/item/77", true},
		"url: readable":                            {"url:école", true},
		"url: not the text":                        {"url:retail", false},
		"a URL is not found without the field":     {"tech", false},
		"host: itself":                             {"host:business-daily.example.com", true},
		"host: what is above it":                   {"host:EXAMPLE.com", true},
		"host: of the item's own URL":              {"host:example.net", true},
		"host: not half a label":                   {"host:ample.com", false},
		"host: not what is below it":               {"host:www.business-daily.example.com", false},
		"host: not excluded":                       {"cloud -host:example.org", true},
		"host: excluded":                           {"cloud -host:example.com", false},
		"published: the day":                       {"published:2026-01-31", true},
		"published: another day":                   {"published:2026-01-30", false},
		"published: the month":                     {"published:2026-01", true},
		"published: the year":                      {"published:2026", true},
		"published: from a day on":                 {"published:>=2026-01-31", true},
		"published: after a day":                   {"published:>2026-01-31", false},
		"published: up to a day":                   {"published:<=2026-01-31", true},
		"published: before a day":                  {"published:<2026-01-31", false},
		"published: a range with its end":          {"published:2025-12..2026-01", true},
		"published: a range before":                {"published:2025..2025-12", false},
		"published: an open end":                   {"published:2026-02..", false},
		"published: an open beginning":             {"published:..2026-01-31", true},
		"published: with words":                    {"karachi published:2026", true},
		"published: excluded":                      {"karachi -published:2026", false},
		"a comment":                                {"cloud # football\n-rugby", true},
		"a beginning is the word itself":           {"karachi*", true},
		"one letter may begin":                     {"k*", true},
		"beginnings in a phrase":                   {`"data* protect* bill"`, true},
		"words that are several":                   {"data-localisation", true},
		"no-break hyphens and spaces are the same": {"personal-data data-localisation", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := matches(t, tc.query, office); got != tc.want {
				t.Errorf("%s: %t, want %t", tc.query, got, tc.want)
			}
		})
	}
}

func TestMatchWords(t *testing.T) {
	for name, tc := range map[string]struct {
		query, text string
		want        bool
	}{
		"en: whole words":                      {"AI", "the minister said", false},
		"en: case":                             {"AI", "An ai act", true},
		"en: a capital US is us":               {"US", "they told us", true},
		"en: U.S. is not us":                   {"U.S.", "they told us", false},
		"en: U.S. is U.S.":                     {"U.S.", "the U.S. Congress", true},
		"en: the possessive":                   {"GDPR", "the GDPR's scope, GDPR’s scope", true},
		"en: the possessive in the query":      {"GDPR's", "the GDPR scope", false},
		"en: a typographic possessive":         {"GDPR's", "the GDPR’s scope", true},
		"en: a hyphen for a space":             {"data-localisation", "data localisation", true},
		"en: a space for a hyphen":             {`"data localisation"`, "Data-Localisation law", true},
		"en: but not written as one":           {"data-localisation", "datalocalisation", false},
		"en: AT&T":                             {"AT&T", "AT&T's network", true},
		"en: AT&T is not at":                   {"AT&T", "at the network", false},
		"en: C++":                              {"C++", "written in C++.", true},
		"en: C++ is not C":                     {"C++", "written in C.", false},
		"en: C++ is not C#":                    {"C++", "written in C#.", false},
		"en: C is in C++":                      {"C", "written in C++.", true},
		"en: C++ in a phrase":                  {`"C++ compiler"`, "a C++ compiler", true},
		"en: a word between is no phrase":      {`"C++ compiler"`, "a C++, the compiler", false},
		"en: .NET":                             {".NET", "for .NET and others", true},
		"en: .NET is not net":                  {".NET", "the net result", false},
		"en: .NET is in ASP.NET":               {".NET", "for ASP.NET", true},
		"en: Node.js":                          {"Node.js", "Node.js and NodeJS", true},
		"en: amazon is in amazon.com":          {"amazon", "Amazon.com said", true},
		"en: 5G":                               {"5G", "a 5G licence", true},
		"en: 5G is not 5":                      {"5G", "5 licences", false},
		"en: G is not in 5G":                   {"G", "a 5G licence", false},
		"en: a hashtag":                        {"#gdpr", "read #GDPR now", true},
		"en: a hashtag is not the word":        {"#gdpr", "read GDPR now", false},
		"en: the word is in the hashtag":       {"gdpr", "read #GDPR now", true},
		"en: thousands":                        {`"1,000"`, "fined 1,000 euros", true},
		"en: a URL":                            {"example.org/privacy", "see https://example.org/privacy?x", true},
		"en: re:Invent":                        {`"re:Invent"`, "at AWS re:Invent 2024", true},
		"en: a beginning with an accent":       {"résum*", "resumed", true},
		"fr: an elision":                       {"école", "dans l'école et l’Église", true},
		"fr: accents in the query":             {"protection-des-données", "Protection des donnees", true},
		"fr: accents in the text":              {"\"donnees a caractere\"", "données à caractère personnel", true},
		"fr: a ligature":                       {"oeuvre", "l’œuvre", true},
		"fr: decomposed":                       {"donne\u0301es", "données", true},
		"de: umlauts":                          {"Übermittlung", "die ubermittlung", true},
		"de: ß":                                {"strasse", "STRAßE", true},
		"de: ẞ":                                {"straße", "STRAẞE, STRASSE", true},
		"de: a compound by its beginning":      {"datenschutz*", "Datenschutzgrundverordnung", true},
		"de: a compound is one word":           {"datenschutz", "Datenschutzgrundverordnung", false},
		"de: a half of a hyphenated one":       {"Verordnung", "die EU-Verordnung", true},
		"es: accents":                          {"proteccion", "la Protección de Datos", true},
		"es: ñ":                                {"España", "ESPANA", true},
		"es: an inverted question mark":        {"nube", "¿Nube o no?", true},
		"pt: a tilde and a cedilla":            {`"proteção de dados"`, "Protecao de Dados", true},
		"pl: ł":                                {"Łódź", "z Lodzi, w lodz", true},
		"pl: an ogonek":                        {"chmur*", "w chmurę", true},
		"tr: a capital dotted i":               {"istanbul", "İSTANBUL", true},
		"tr: a dotless i":                      {"kişisel", "KİŞİSEL VERİLERİN", true},
		"tr: a dotless i as a capital":         {"ısı", "ISI", true},
		"tr: an apostrophe before the ending":  {"AB", "AB'nin kararı", true},
		"ru: case":                             {"облако", "ОБЛАКО растёт", true},
		"ru: ё":                                {"растет", "облако растёт", true},
		"ru: й is a letter":                    {"мои", "мой", false},
		"ru: a beginning":                      {`"персональн* данн*"`, "о персональных данных", true},
		"uk: an apostrophe of another kind":    {"п'ять", "пʼять", true},
		"el: tonos and the final sigma":        {"νόμος", "ΝΟΜΟΣ", true},
		"he: points":                           {"שלום", "שָׁלוֹם", true},
		"ar: vowel marks":                      {"حماية البيانات", "حِمَايَة البَيَانات", true},
		"ar: tatweel":                          {"بيانات", "بيــــانات", true},
		"ar: alef with hamza":                  {"الامارات", "الإمارات", true},
		"ar: alef maqsura":                     {"مصطفى", "مصطفي", true},
		"ar: teh marbuta":                      {"حماية", "حمايه", true},
		"ar: digits":                           {"2024", "عام ٢٠٢٤", true},
		"ar: a comma of its own":               {"بيانات", "بيانات، قانون؟", true},
		"ar: another word":                     {"بيان", "البيانات", false},
		"ar: presentation forms":               {"حماية", "ﺣﻤﺎﻳﺔ", true},
		"ur: Arabic yeh and kaf":               {"کی ڈیٹا", "كي ڈیٹا", true},
		"ur: heh":                              {"ہے", "هے", true},
		"ur: two-eyed heh is a letter":         {"بھ", "بہ", false},
		"ur: a shadda":                         {"تحفظ", "تحفّظ", true},
		"ur: a joiner":                         {"کلاؤڈ", "کلا\u200cؤڈ", true},
		"hi: vowel signs count":                {"कानून", "कनन", false},
		"hi: a phrase":                         {`"डेटा संरक्षण"`, "नया डेटा संरक्षण विधेयक।", true},
		"hi: a nukta":                          {"क़ानून", "कानून", true},
		"hi: a composed nukta":                 {"\u0958ानून", "क\u093cानून", true},
		"hi: a beginning":                      {"संरक्ष*", "संरक्षण", true},
		"hi: a word inside another":            {"रक्षा", "सुरक्षा", false},
		"bn: a phrase":                         {`"তথ্য সুরক্ষা"`, "নতুন তথ্য সুরক্ষা আইন।", true},
		"bn: decomposed":                       {"কো", "ক\u09c7\u09be", true},
		"bn: vowel signs count":                {"আইন", "আইনি", false},
		"ta: a word":                           {"தரவு", "தரவு பாதுகாப்பு", true},
		"zh: inside a run":                     {"数据保护", "中国个人数据保护法草案", true},
		"zh: the order counts":                 {"数据保护", "保护数据", false},
		"zh: two terms":                        {"数据 保护", "保护数据", true},
		"zh: full-width Latin":                 {"AWS云", "ＡＷＳ云", true},
		"zh: Latin letters beside Han":         {"AI", "人工智能AI技术", true},
		"zh: a number beside Han":              {"2024年", "在2024年通过", true},
		"zh: a star at the end of a run":       {"数据*", "数据保护", true},
		"zh: traditional is another character": {"数据", "數據", false},
		"ja: katakana inside a run":            {"クラウド", "国産クラウドサービス", true},
		"ja: half-width katakana":              {"クラウド", "ｸﾗｳﾄﾞｻｰﾋﾞｽ", true},
		"ja: a dakuten counts":                 {"クラウト", "クラウド", false},
		"ja: the long vowel mark":              {"データ", "デタ", false},
		"ja: kanji beside kana":                {"個人情報", "個人情報の保護に関する法律", true},
		"ja: hiragana is not katakana":         {"くらうど", "クラウド", false},
		"ko: with a particle":                  {"클라우드", "정부는 클라우드를 도입", true},
		"ko: a phrase with particles":          {`"개인정보 보호"`, "개인정보의 보호를", true},
		"ko: the beginning of a compound":      {"개인정보", "개인정보보호법", true},
		"ko: not its middle":                   {"정보", "개인정보", false},
		"ko: a particle behind Latin letters":  {"AI", "AI를 도입", true},
		"ko: with a sign, as it is":            {"호#", "제1호# 참조", true},
		"ko: a sign is not left out":           {"호#", "호 참조", false},
		"en: an end with a sign":               {"*script#", "in TypeScript#", true},
		"ko: conjoining letters":               {"한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8은", true},
		"th: inside a run":                     {"ข้อมูลส่วนบุคคล", "พระราชบัญญัติคุ้มครองข้อมูลส่วนบุคคลฉบับใหม่", true},
		"th: marks count":                      {"ขอมูล", "ข้อมูล", false},
		"th: not half of a letter with a mark": {"ม", "มู", false},
		"lo: inside a run":                     {"ຂໍ້ມູນ", "ການປົກປ້ອງຂໍ້ມູນສ່ວນບຸກຄົນ", true},
		"km: inside a run":                     {"ទិន្នន័យ", "ការការពារទិន្នន័យផ្ទាល់ខ្លួន", true},
		"my: inside a run":                     {"ဒေတာ", "ကိုယ်ရေးဒေတာကာကွယ်", true},
		"vi: all marks":                        {"dữ liệu", "DU LIEU cá nhân", true},
		"invisible: a soft hyphen":             {"localisation", "locali\u00adsation", true},
		"invisible: a direction mark":          {"cloud", "\u200ecl\u200foud", true},
		"invisible: a mark behind a star":      {"بيانا\u064e*", "بيانات", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := matches(t, tc.query, item("", tc.text)); got != tc.want {
				t.Errorf("%s in %q: %t, want %t", tc.query, tc.text, got, tc.want)
			}
			// Where a word is must not matter to what it is.
			if got := matches(t, tc.query, &aggregator.Item{Categories: []string{"x", tc.text}}); got != tc.want {
				t.Errorf("%s in a category %q: %t, want %t", tc.query, tc.text, got, tc.want)
			}
		})
	}
}

func TestMatchOddItems(t *testing.T) {
	for name, tc := range map[string]struct {
		item *aggregator.Item
		want bool
	}{
		"an empty one":                 {&aggregator.Item{}, false},
		"text that is not UTF-8":       {item("\xff\xfe", "a cloud\xff\xf0\x9f data"), true},
		"the same summary and content": {&aggregator.Item{Summary: "<p>cloud data", Content: "<p>cloud data"}, true},
		"a summary that the content continues": {
			&aggregator.Item{Summary: "cloud", Content: "<p>cloud</p><p>data"}, true},
		"a summary that says something else": {&aggregator.Item{Summary: "cloud", Content: "data"}, true},
		"a summary without content":          {&aggregator.Item{Summary: "cloud &amp; data"}, true},
		"a script":                           {&aggregator.Item{Content: "cloud <script>data</script>"}, false},
		"a very long text":                   {item("", "cloud "+strings.Repeat("x ", 1<<15)+" data"), true},
		"words beyond the limit":             {item("", "cloud "+strings.Repeat("fifteen-letters ", 1<<17)+" data"), false},
		"one word of a megabyte":             {item("cloud data", strings.Repeat("x", 1<<20)), true},
		"many marks":                         {item("cloud data", "a"+strings.Repeat("\u0301", 1<<18)), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := matches(t, "cloud data", tc.item); got != tc.want {
				t.Errorf("%t, want %t", got, tc.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	spelt := &aggregator.Item{
		Feed: "aws-news", Language: "en-GB",
		Title:      "Clouds over L'École: C++ in the cloud",
		Summary:    "The Cloud and the clouds, CLOUD again. Data-protection, data protection.",
		Categories: []string{"Cloud Computing", "école"},
		URL:        "https://www.example.org/blog/x", Authors: []aggregator.Author{{Name: "Jane Doe"}},
		Published: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}
	for name, tc := range map[string]struct {
		query string
		want  []topic.Hit
	}{
		"every spelling once": {"cloud*", []topic.Hit{
			{"cloud*", "title", []string{"Clouds", "cloud"}},
			{"cloud*", "text", []string{"Cloud", "clouds", "CLOUD"}},
			{"cloud*", "category", []string{"Cloud"}},
		}},
		"phrases":                         {`"data protection"`, []topic.Hit{{`"data protection"`, "text", []string{"Data-protection", "data protection"}}}},
		"accents":                         {"ecole", []topic.Hit{{"ecole", "title", []string{"École"}}, {"ecole", "category", []string{"école"}}}},
		"signs":                           {"c++", []topic.Hit{{"c++", "title", []string{"C++"}}}},
		"a field":                         {"title:cloud", []topic.Hit{{"title:cloud", "title", []string{"cloud"}}}},
		"feeds and languages":             {"feed:aws* lang:en", []topic.Hit{{"feed:aws*", "feed", []string{"aws-news"}}, {"lang:en", "lang", []string{"en-gb"}}}},
		"what must not occur is left out": {"again NOT football", []topic.Hit{{"again", "text", []string{"again"}}}},
		"what did not decide is left out": {"(again football) OR (over NOT x)", []topic.Hit{{"over", "title", []string{"over"}}}},
		"no match, no hits":               {"cloud football", nil},
		"what is near, only there":        {"the NEAR/2 clouds", []topic.Hit{{"the", "text", []string{"the"}}, {"clouds", "text", []string{"clouds"}}}},
		"what a list has":                 {"2 of (football, over, title:c++)", []topic.Hit{{"over", "title", []string{"over"}}, {"title:c++", "title", []string{"C++"}}}},
		"what is in links": {"host:example.org url:blog author:doe published:2026", []topic.Hit{
			{"host:example.org", "host", []string{"www.example.org"}}, {"url:blog", "url", []string{"blog"}},
			{"author:doe", "author", []string{"Doe"}}, {"published:2026", "published", []string{"2026-03-01"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, parse(t, tc.query).Explain(spelt)); diff != "" {
				t.Errorf("explain %s (-want +got):\n%s", tc.query, diff)
			}
		})
	}
}

func TestOccurrences(t *testing.T) {
	it := &aggregator.Item{Title: "Data, data", Content: "<p>Données: l&#39;école</p><p>data law</p>", Summary: "<p>A law on data", Feed: "f"}
	var got []string
	for o := range parse(t, `data OR école OR "data law" OR feed:f`).Occurrences(it) {
		got = append(got, fmt.Sprintf("%s in %s %q: %d %q", o.Term, o.Field, o.Text, o.Start, o.Words()))
	}
	text := "Données: l'école\ndata law"
	want := []string{
		`data in title "Data, data": 0 "Data"`, `data in title "Data, data": 6 "data"`,
		fmt.Sprintf(`data in text %q: 19 "data"`, text), `data in text "A law on data": 9 "data"`,
		fmt.Sprintf(`école in text %q: 12 "école"`, text), fmt.Sprintf(`"data law" in text %q: 19 "data law"`, text), `feed:f in feed "f": 0 "f"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("occurrences differ (-want +got):\n%s", diff)
	}
	for range parse(t, "data").Occurrences(it) {
		break // which must end the search
	}
}

func TestExplainIsBounded(t *testing.T) {
	var text strings.Builder
	for a := 'a'; a <= 'z'; a++ {
		text.WriteString("x" + string(a) + " ")
	}
	hits := parse(t, "x*").Explain(item("", text.String()))
	if len(hits) != 1 || len(hits[0].Words) != 20 || hits[0].Words[19] != "xt" {
		t.Errorf("explain of 26 spellings: %v, want the first 20", hits)
	}
}
