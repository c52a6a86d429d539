package parse

import (
	"strings"
	"time"
)

// monthNames are the names of the months by language, January first; alternatives are separated by '|'. Abbreviations
// need not be here: three letters or more of a name stand for it where no other month of the language begins so.
var monthNames = map[string]string{
	"en": "january february march april may june july august september|sept october november december",
	"de": "januar|jänner|jaenner|jän februar|feber märz|maerz|mrz april mai juni julei|juli august september oktober november dezember",
	"fr": "janvier février|fevrier mars avril mai juin juillet août|aout septembre octobre novembre décembre|decembre",
	"es": "enero febrero marzo abril mayo junio julio agosto septiembre|setiembre|set octubre noviembre diciembre",
	"pt": "janeiro fevereiro março|marco abril maio junho julho agosto setembro outubro novembro dezembro",
	"it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
	"nl": "januari februari maart|mrt april mei juni juli augustus september oktober november december",
	"sv": "januari februari mars april maj juni juli augusti september oktober november december",
	"da": "januar februar marts april maj juni juli august september oktober november december",
	"nb": "januar februar mars april mai juni juli august september oktober november desember",
	"fi": "tammikuu|tammikuuta helmikuu|helmikuuta maaliskuu|maaliskuuta huhtikuu|huhtikuuta toukokuu|toukokuuta " +
		"kesäkuu|kesäkuuta heinäkuu|heinäkuuta elokuu|elokuuta syyskuu|syyskuuta lokakuu|lokakuuta marraskuu|marraskuuta joulukuu|joulukuuta",
	"pl": "styczeń|stycznia|sty luty|lutego|lut marzec|marca|mar kwiecień|kwietnia|kwi maj|maja czerwiec|czerwca|cze " +
		"lipiec|lipca|lip sierpień|sierpnia|sie wrzesień|września|wrz październik|października|paź listopad|listopada|lis grudzień|grudnia|gru",
	"cs": "leden|ledna únor|února březen|března duben|dubna květen|května červen|června|čvn červenec|července|čvc srpen|srpna " +
		"září říjen|října listopad|listopadu prosinec|prosince",
	"sk": "január|januára február|februára marec|marca apríl|apríla máj|mája jún|júna júl|júla august|augusta september|septembra " +
		"október|októbra november|novembra december|decembra",
	"hu": "január február március április május június július augusztus szeptember október november december",
	"ro": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
	"ca": "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
	"hr": "siječanj|siječnja veljača|veljače ožujak|ožujka travanj|travnja svibanj|svibnja lipanj|lipnja srpanj|srpnja kolovoz|kolovoza " +
		"rujan|rujna listopad|listopada studeni|studenog|studenoga prosinac|prosinca",
	"sr": "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
	"sl": "januar februar marec april maj junij julij avgust september oktober november december",
	"tr": "ocak|oca şubat|şub mart nisan|nis mayıs|mayis haziran|haz temmuz|tem ağustos|agustos|ağu eylül|eylul|eyl ekim|eki kasım|kasim|kas aralık|aralik|ara",
	"ru": "январь|января|янв февраль|февраля|фев март|марта апрель|апреля май|мая июнь|июня июль|июля август|августа сентябрь|сентября " +
		"октябрь|октября ноябрь|ноября декабрь|декабря",
	"uk": "січень|січня лютий|лютого березень|березня квітень|квітня травень|травня червень|червня липень|липня серпень|серпня " +
		"вересень|вересня жовтень|жовтня листопад|листопада грудень|грудня",
	"bg": "януари февруари март април май юни юли август септември октомври ноември декември",
	"el": "ιανουάριος|ιανουαρίου|ιαν φεβρουάριος|φεβρουαρίου|φεβ μάρτιος|μαρτίου|μάρ|μαρ απρίλιος|απριλίου|απρ μάιος|μαΐου|μαίου|μάι|μαϊ " +
		"ιούνιος|ιουνίου|ιούν|ιουν ιούλιος|ιουλίου|ιούλ|ιουλ αύγουστος|αυγούστου|αύγ|αυγ σεπτέμβριος|σεπτεμβρίου|σεπ οκτώβριος|οκτωβρίου|οκτ " +
		"νοέμβριος|νοεμβρίου|νοέ|νοε δεκέμβριος|δεκεμβρίου|δεκ",
	"id": "januari februari maret april mei juni juli agustus september oktober november|nopember desember",
	"ms": "januari februari mac april mei jun julai ogos september oktober november disember",
	"et": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
	"lv": "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",
	"lt": "sausis|sausio vasaris|vasario kovas|kovo balandis|balandžio gegužė|gegužės birželis|birželio liepa|liepos rugpjūtis|rugpjūčio " +
		"rugsėjis|rugsėjo spalis|spalio lapkritis|lapkričio gruodis|gruodžio",
	"ar": "يناير|كانون_الثاني فبراير|شباط مارس|آذار أبريل|ابريل|نيسان مايو|أيار يونيو|يونيه|حزيران يوليو|يوليه|تموز أغسطس|اغسطس|آب سبتمبر|أيلول أكتوبر|اكتوبر|تشرين_الأول نوفمبر|تشرين_الثاني ديسمبر|كانون_الأول",
	"fa": "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر",
	"ur": "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر",
	"he": "ינואר|בינואר פברואר|בפברואר מרץ|מרס|במרץ אפריל|באפריל מאי|במאי יוני|ביוני יולי|ביולי אוגוסט|באוגוסט ספטמבר|בספטמבר אוקטובר|באוקטובר נובמבר|בנובמבר דצמבר|בדצמבר",
	"hi": "जनवरी फ़रवरी|फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर|सितम्बर अक्टूबर|अक्तूबर नवंबर|नवम्बर दिसंबर|दिसम्बर",
	"bn": "জানুয়ারি|জানুয়ারি|জানুয়ারী ফেব্রুয়ারি|ফেব্রুয়ারি|ফেব্রুয়ারী মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",
	"th": "มกราคม|ม.ค กุมภาพันธ์|ก.พ มีนาคม|มี.ค เมษายน|เม.ย พฤษภาคม|พ.ค มิถุนายน|มิ.ย กรกฎาคม|ก.ค สิงหาคม|ส.ค กันยายน|ก.ย ตุลาคม|ต.ค พฤศจิกายน|พ.ย ธันวาคม|ธ.ค",
}

// shortAsWell are names of less than three letters and those that folding away a mark would lose.
var shortAsWell = map[string]time.Month{"мая": time.May, "مه": time.May, "মে": time.May, "मई": time.May, "آب": time.August, "ก.พ": time.February}

// months is what a word of a date means, by language; under "" what it means in all languages that have it, 0 where
// they disagree.
var months = readMonthNames()

func readMonthNames() map[string]map[string]time.Month {
	all := map[string]time.Month{}
	out := map[string]map[string]time.Month{"": all}
	for lang, names := range monthNames {
		own := map[string]time.Month{}
		for i, alternatives := range strings.Fields(names) {
			for name := range strings.SplitSeq(alternatives, "|") {
				addMonth(own, strings.ReplaceAll(name, "_", " "), time.Month(i+1))
			}
		}
		// A short form that is listed as one of a month's names wins over another month's beginning.
		for i, alternatives := range strings.Fields(names) {
			for name := range strings.SplitSeq(alternatives, "|") {
				own[strings.ReplaceAll(name, "_", " ")] = time.Month(i + 1)
			}
		}
		out[lang] = own
		for word, month := range own {
			if known, ok := all[word]; ok && known != month {
				month = 0
			}
			all[word] = month
		}
	}
	for word, month := range shortAsWell {
		all[word] = month
	}
	// English is what machines write whatever the feed's language.
	for word, month := range out["en"] {
		all[word] = month
	}
	return out
}

// addMonth adds the name and its beginnings of three letters or more; 0 marks a beginning of two months.
func addMonth(words map[string]time.Month, name string, month time.Month) {
	letters := 0
	for i := range name {
		if letters >= 3 {
			prefix := name[:i]
			if known, ok := words[prefix]; ok && known != month {
				words[prefix] = 0
			} else {
				words[prefix] = month
			}
		}
		letters++
	}
	words[name] = month
}

// afternoon tells what a word says about the hours of a 12-hour clock.
var afternoon = map[string]bool{
	"am": false, "a.m": false, "vorm": false, "π.μ": false, "πμ": false, "오전": false, "上午": false, "午前": false, "ص": false, "dop": false, "öö": false,
	"sa": false, "pagi": false, "पूर्वाह्न": false,
	"pm": true, "p.m": true, "nachm": true, "μ.μ": true, "μμ": true, "오후": true, "下午": true, "午後": true, "م": true, "odp": true, "ös": true,
	"ch": true, "अपराह्न": true,
}
